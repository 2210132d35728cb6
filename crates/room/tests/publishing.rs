//! Tracks from announcement to end (livekit.md 2.4).

mod stage;

use room::effect::{RequestOutcome, RequestSubject, RoomEvent};
use room::media::{LiveLayer, MediaCommand, MediaEvent};
use room::track::{Layer, TrackCodec, TrackKind, TrackSource};
use room::{RoomInput, SessionId, TrackSid};
use stage::{Stage, Step, camera, microphone, track};

/// L-19: a publication exists, with its sid, before its media; others see it once the media is there.
#[test]
fn l_19_a_track_is_published_before_its_media_and_seen_with_it() {
    let mut stage = Stage::new();
    let (alice, bob) = (stage.join("alice"), stage.join("bob"));
    stage.forget();
    let sid = stage.announce(alice, microphone("mic-cid"));
    assert!(stage.told(bob).is_empty(), "nothing to see yet");
    assert!(matches!(&stage.commands()[..], [MediaCommand::ExpectTrack { track, .. }] if track.cid == "mic-cid"));
    stage.go_live(alice, &sid);
    let seen = stage.seen(bob, "alice").expect("bob sees the track");
    assert_eq!(seen.tracks[0].sid, sid);
    assert_eq!((seen.tracks[0].mime.as_str(), seen.tracks[0].mid.as_str()), ("audio/opus", "3"));
    assert!(seen.is_publisher);
    assert_eq!(stage.seen(alice, "alice").expect("so does alice").tracks.len(), 1);
}

/// A track whose participant's update came later is dropped by clients (2.10).
#[test]
fn the_update_is_sent_before_anybody_is_subscribed() {
    let mut stage = Stage::new();
    let (alice, bob) = (stage.join("alice"), stage.join("bob"));
    let sid = stage.announce(alice, microphone("m"));
    stage.forget();
    stage.go_live(alice, &sid);
    let update = stage.position(|step| {
        matches!(step, Step::Told(to, event) if *to == bob && matches!(**event, RoomEvent::ParticipantsUpdated(_)))
    });
    let subscribe = stage.position(|step| {
        matches!(step, Step::Command(MediaCommand::Subscribe { session, publisher, .. })
            if *session == bob && *publisher == alice)
    });
    assert!(update < subscribe);
}

/// L-41: a subscription gives the track to its receiver and tells the publisher, once.
#[test]
fn l_41_the_publisher_learns_of_the_first_subscriber_only() {
    let mut stage = Stage::new();
    let (alice, bob, carol) = (stage.join("alice"), stage.join("bob"), stage.join("carol"));
    let sid = stage.publish(alice, microphone("m"));
    assert_eq!(stage.subscribed(), [(bob, sid.clone()), (carol, sid.clone())].into());
    stage.media(MediaEvent::Subscribed { session: bob, track: sid.clone() });
    stage.media(MediaEvent::Subscribed { session: carol, track: sid.clone() });
    let told = stage.told(alice);
    let told = told.iter().filter(|event| matches!(&***event, RoomEvent::TrackSubscribed { sid: of } if *of == sid));
    assert_eq!(told.count(), 1);
}

#[test]
fn a_subscription_that_was_given_up_before_it_was_served_is_none() {
    let mut stage = Stage::new();
    let (alice, bob) = (stage.join("alice"), stage.join("bob"));
    let sid = stage.publish(alice, microphone("m"));
    let tracks = vec![sid.clone()];
    stage.input(RoomInput::UpdateSubscription { session: bob, tracks, subscribe: false });
    stage.forget();
    stage.media(MediaEvent::Subscribed { session: bob, track: sid });
    assert!(stage.steps.is_empty());
}

/// L-11, L-33: mute and unmute are seen by the others, as the client said it.
#[test]
fn l_11_mute_is_seen_by_the_others() {
    let mut stage = Stage::new();
    let (alice, bob) = (stage.join("alice"), stage.join("bob"));
    let sid = stage.publish(alice, microphone("m"));
    stage.forget();
    for muted in [true, false] {
        stage.input(RoomInput::Mute { session: alice, track: sid.clone(), muted });
        assert_eq!(stage.seen(bob, "alice").expect("seen").tracks[0].muted, muted);
        assert_eq!(stage.seen(alice, "alice").expect("stored as said").tracks[0].muted, muted);
    }
    let set: Vec<_> = stage.commands().into_iter().filter(|c| matches!(c, MediaCommand::SetMuted { .. })).collect();
    assert_eq!(set.len(), 2);
}

/// L-40: any of one's own tracks can be muted, before its media too; nobody else's.
#[test]
fn l_40_only_own_tracks_can_be_muted_and_pending_ones_too() {
    let mut stage = Stage::new();
    let (alice, bob) = (stage.join("alice"), stage.join("bob"));
    let sid = stage.announce(alice, camera("c"));
    stage.input(RoomInput::Mute { session: alice, track: sid.clone(), muted: true });
    stage.go_live(alice, &sid);
    assert!(stage.seen(bob, "alice").expect("live").tracks[0].muted);
    stage.forget();
    stage.input(RoomInput::Mute { session: bob, track: sid, muted: false });
    assert!(stage.steps.is_empty());
}

/// L-34: several tracks, ended one at a time; others see each end and receive it no more.
#[test]
fn l_34_an_ended_track_is_gone_for_everybody() {
    let mut stage = Stage::new();
    let (alice, bob) = (stage.join("alice"), stage.join("bob"));
    let mic = stage.publish(alice, microphone("m"));
    let cam = stage.publish(alice, camera("c"));
    stage.forget();
    stage.media(MediaEvent::TrackEnded { session: alice, track: cam.clone() });
    let seen = stage.seen(bob, "alice").expect("seen");
    assert_eq!(seen.tracks.iter().map(|track| &track.sid).collect::<Vec<_>>(), [&mic]);
    assert_eq!(stage.unsubscribed(), [(bob, cam)].into());
}

/// The layers of a simulcast camera fill up as they come; each is a new version of the track.
#[test]
fn layers_and_codec_are_filled_in_as_they_come() {
    let mut stage = Stage::new();
    let alice = stage.join("alice");
    let sid = stage.announce(alice, simulcast_camera());
    live_layers(&mut stage, alice, &sid, &[("q", 0, 100)]);
    let first = stage.seen(alice, "alice").expect("live").tracks[0].clone();
    live_layers(&mut stage, alice, &sid, &[("q", 0, 100), ("h", 1, 200), ("f", 2, 300)]);
    let all = stage.seen(alice, "alice").expect("more").tracks[0].clone();
    let ssrcs: Vec<_> = all.layers.iter().map(|layer| (layer.rid.as_str(), layer.ssrc, layer.spatial_layer)).collect();
    assert_eq!(ssrcs, [("q", 100, 0), ("h", 200, 1), ("f", 300, 2)]);
    assert_eq!(all.layers[2].width, 1280, "what was announced stays");
    assert_eq!((all.codecs.len(), all.codecs[0].mime.as_str(), all.codecs[0].mid.as_str()), (1, "video/VP8", "4"));
    assert!(all.version_us > first.version_us);
    assert_eq!(stage.subscribed().len(), 0, "nobody else is there");
}

fn simulcast_camera() -> room::track::TrackRequest {
    let sizes = [(0, 320, 180), (1, 640, 360), (2, 1280, 720)];
    let layers = sizes.map(|(quality, width, height)| Layer { quality, width, height, ..Layer::default() });
    let codec = TrackCodec { mime: "video/vp8".into(), cid: "c".into(), ..TrackCodec::default() };
    room::track::TrackRequest { layers: layers.into(), codecs: vec![codec], ..camera("c") }
}

fn live_layers(stage: &mut Stage, session: SessionId, track: &TrackSid, layers: &[(&str, i32, u32)]) {
    let layer = |&(rid, quality, ssrc): &(&str, i32, u32)| LiveLayer { rid: rid.into(), ssrc, quality };
    let layers = layers.iter().map(layer).collect();
    let (mid, mime) = ("4".to_owned(), "video/VP8".to_owned());
    stage.media(MediaEvent::TrackLive { session, track: track.clone(), codec: 0, mid, mime, layers });
}

#[test]
fn asking_again_for_a_pending_track_gets_the_same_answer() {
    let mut stage = Stage::new();
    let alice = stage.join("alice");
    let first = stage.announce(alice, camera("c"));
    assert_eq!(stage.announce(alice, camera("c")), first);
    stage.go_live(alice, &first);
    assert_ne!(stage.announce(alice, camera("c")), first, "the same source published again is a new track");
}

#[test]
fn the_sid_says_what_the_track_is() {
    let mut stage = Stage::new();
    let alice = stage.join("alice");
    let cases = [
        (TrackKind::Audio, TrackSource::Microphone, "TR_AM"),
        (TrackKind::Video, TrackSource::Camera, "TR_VC"),
        (TrackKind::Video, TrackSource::ScreenShare, "TR_VS"),
        (TrackKind::Audio, TrackSource::ScreenShareAudio, "TR_As"),
    ];
    for (at, (kind, source, prefix)) in cases.into_iter().enumerate() {
        let sid = stage.announce(alice, track(&format!("cid{at}"), kind, source));
        assert!(sid.as_str().starts_with(prefix), "{sid}");
    }
}

#[test]
fn the_twenty_first_pending_track_is_refused() {
    let mut stage = Stage::new();
    let alice = stage.join("alice");
    for at in 0..20 {
        stage.announce(alice, camera(&at.to_string()));
    }
    assert_eq!(refusal(&mut stage, alice, camera("one more")), Some(RequestOutcome::LimitExceeded));
    let first = stage.published_sid(alice, "0").expect("announced");
    stage.go_live(alice, &first);
    assert_eq!(refusal(&mut stage, alice, camera("now there is room")), None);
}

#[test]
fn names_over_256_bytes_are_refused() {
    let mut stage = Stage::new();
    let alice = stage.join("alice");
    let long = "x".repeat(257);
    let named = room::track::TrackRequest { name: long.clone(), ..camera("c") };
    for request in [camera(&long), named] {
        assert_eq!(refusal(&mut stage, alice, request), Some(RequestOutcome::LimitExceeded));
    }
}

/// The outcome with which a track is refused, if it is.
fn refusal(stage: &mut Stage, session: SessionId, request: room::track::TrackRequest) -> Option<RequestOutcome> {
    let asked = request.cid.clone();
    stage.input(RoomInput::AddTrack { session, request: Box::new(request) });
    stage.told(session).iter().find_map(|event| match &**event {
        RoomEvent::RequestResponse { outcome, subject: RequestSubject::AddTrack { cid }, .. } if *cid == asked => {
            Some(*outcome)
        }
        _ => None,
    })
}

#[test]
fn a_track_can_say_that_it_changed() {
    let mut stage = Stage::new();
    let (alice, bob) = (stage.join("alice"), stage.join("bob"));
    let track = stage.publish(alice, camera("c"));
    let update = RoomInput::UpdateTrack { session: alice, track, audio_features: None, size: Some((640, 480)) };
    stage.input(update);
    let seen = stage.seen(bob, "alice").expect("seen");
    assert_eq!((seen.tracks[0].request.width, seen.tracks[0].request.height), (640, 480));
}
