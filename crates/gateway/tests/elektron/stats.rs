//! STATS (E-16).

use crate::harness::{Server, token_rooms};
use gateway::rooms::{Credential, Watcher as _};
use room::participant::Participant;
use room::track::{Track, TrackKind, TrackRequest, TrackSource};
use room::{Notice, TrackSid};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{advance, pause, resume};

/// Lets half a minute pass.
async fn half_a_minute() {
    pause();
    for _ in 0..31 {
        advance(Duration::from_secs(1)).await;
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
    }
    resume();
}

#[tokio::test]
async fn e_16_live_rooms_are_told_of_every_half_minute_and_stored() {
    // E-16
    let server = Server::start_with(token_rooms).await;
    let mut alice = server.open().await;
    let mut holder = server.open_with_token("stage").await;
    for (room, credential) in [("residence", Credential::Public), ("stage", Credential::Token)] {
        let guest = server.try_guest(room, "performer", &[], credential).await.unwrap();
        let handle = server.registry().find(room).unwrap();
        let info = handle.info().await.unwrap();
        let participant: Arc<Participant> = handle.participants().await.unwrap().swap_remove(0);
        let notice = Notice::TrackPublished { participant, track: Arc::new(video()) };
        server.ears.on_notice(&info, &notice);
        std::mem::forget(guest);
    }
    half_a_minute().await;
    let stats = alice.hears_type("STATS").await;
    assert_eq!((&stats["channel"], &stats["store"]), (&json!("residence"), &json!(true)));
    let stream = &stats["value"][0];
    assert_eq!((&stream["name"], &stream["viewers"]), (&json!("residence"), &json!(1)));
    assert!(stream["uptime"].is_u64() && stream.get("bitrate").is_none(), "what isn't known is not said: {stream}");
    assert_eq!(holder.hears("STATS", "stage").await["value"][0]["name"], "stage");
    let stored = server.get("/messages?secret=open%20sesame&type=STATS").await.json();
    assert_eq!(stored, json!([stats]));
    assert!(!alice.hears_until_now().await.iter().any(|heard| heard["channel"] == "stage"));
}

fn video() -> Track {
    let request = TrackRequest {
        cid: "c".into(),
        kind: TrackKind::Video,
        source: TrackSource::Camera,
        name: String::new(),
        muted: false,
        width: 1280,
        height: 720,
        layers: Vec::new(),
        codecs: Vec::new(),
        disable_dtx: false,
        disable_red: false,
        stereo: false,
        stream: String::new(),
        encryption: 0,
        backup_codec_policy: 0,
        audio_features: Vec::new(),
        packet_trailer_features: Vec::new(),
    };
    Track {
        sid: TrackSid::new("TR_VC1"),
        request: Arc::new(request),
        muted: false,
        mime: String::new(),
        mid: String::new(),
        layers: Vec::new(),
        codecs: Vec::new(),
        version_us: 0,
    }
}
