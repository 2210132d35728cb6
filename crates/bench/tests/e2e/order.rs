//! What the server says, in the order in which clients need to hear it (livekit.md 2.3).

use crate::common::{SOON, World, publish_both, receives};
use bench::client::{ConnectError, Event, Mode, Options};
use bench::token::Grant;
use livekit_protocol::signal_response::Message;
use std::collections::HashSet;

/// Signalling messages of a session up to and including the first that `last` takes.
async fn messages(client: &mut bench::Client, last: impl Fn(&Message) -> bool) -> Vec<Message> {
    let mut all = Vec::new();
    let found = client.wait_for("the last message", SOON, |event| match event {
        Event::Signal(message, _) => {
            all.push((**message).clone());
            last(message).then_some(())
        }
        _ => None,
    });
    found.await.expect("the last message");
    all
}

/// L-23, L-25: join first (or the client wouldn't be here), then the token; no track is mapped to a mid before its
/// participant is known; every answer to a single PeerConnection maps what it carries.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs ODEON_BIN"]
async fn l_25_the_single_modes_join_is_told_in_order() {
    let world = World::small();
    let mut publisher = world.join("r", "publisher").await;
    let (video, audio) = publish_both(&mut publisher, "p").await;
    let observer = world.join("r", "observer").await;
    receives(&observer, &video, 10).await;
    let mut joiner = world.try_join(&Grant::join("r"), "joiner", &Options::default()).await.expect("joins");
    let join = joiner.join_response();
    let known: HashSet<String> =
        join.other_participants.iter().flat_map(|p| p.tracks.iter().map(|t| t.sid.clone())).collect();
    assert!(known.contains(&video) && known.contains(&audio), "{join:?}");
    let told = messages(&mut joiner, |m| matches!(m, Message::Answer(answer) if answer.id == 1)).await;
    assert!(matches!(told.first(), Some(Message::RefreshToken(_))), "{told:?}");
    let Some(Message::Answer(answer)) = told.last() else { panic!("no answer") };
    let mapped: HashSet<&String> = answer.mid_to_track_id.values().collect();
    assert_eq!(mapped, HashSet::from([&video, &audio]), "{:?}", answer.mid_to_track_id);
    for (mid, sid) in &answer.mid_to_track_id {
        let section = section(&answer.sdp, mid);
        let publisher = publisher.sid();
        assert!(section.contains(&format!("a=msid:{publisher}|{sid} {sid}")), "{section}");
    }
}

fn section(sdp: &str, mid: &str) -> String {
    let line = format!("a=mid:{mid}\r\n");
    sdp.split("m=").find(|section| section.contains(&line)).unwrap_or_default().to_owned()
}

/// L-23: what every client needs of a join response (livekit.md 2.10).
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs ODEON_BIN"]
async fn l_23_the_join_response_has_what_clients_need() {
    let world = World::small();
    for (mode, identity) in [(Mode::Single, "single"), (Mode::Dual, "dual")] {
        let client = world.join_with("r", identity, &Options { mode, ..Options::default() }).await;
        let join = client.join_response();
        let server = join.server_info.clone().expect("server_info");
        assert_eq!(server.protocol, 17, "18 would mean negotiated data channels");
        assert!(!server.version.is_empty() && !join.enabled_publish_codecs.is_empty());
        let me = join.participant.clone().expect("participant");
        assert!(me.sid.starts_with("PA_") && me.sid.len() == 15 && me.permission.is_some(), "{me:?}");
        assert_eq!(me.identity, identity);
        let room = join.room.clone().expect("room");
        assert!(room.sid.starts_with("RM_") && room.name == "r", "{room:?}");
        assert_eq!((join.ping_interval, join.ping_timeout), (5, 15));
        assert_eq!(join.subscriber_primary, mode == Mode::Dual);
        client.leave().await;
    }
}

/// L-49, L-51, L-52: what a bad token gets, by both paths.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs ODEON_BIN"]
async fn l_49_bad_tokens_are_refused_with_their_status() {
    let world = World::small();
    let engine = &world.engine;
    let no_join = Grant { room: "r".into(), ..Grant::default() };
    let forged = bench::token::ApiKey { key: "devkey".into(), secret: "another secret, as long as needed....".into() };
    let unknown = bench::token::ApiKey { key: "nobody".into(), secret: "secret".into() };
    let cases = [
        (String::new(), 401),
        ("not.a.token".into(), 401),
        (world.token(&no_join, "a"), 401),
        (forged.token("a", &Grant::join("r")).unwrap(), 401),
        (unknown.token("a", &Grant::join("r")).unwrap(), 401),
        (world.token(&Grant::join("r"), ""), 400),
        (world.token(&Grant::join("r"), &"i".repeat(257)), 400),
        (world.token(&Grant::join(&"r".repeat(257)), "a"), 400),
    ];
    for mode in [Mode::Single, Mode::Dual] {
        for (token, expected) in &cases {
            let options = Options { mode, ..Options::default() };
            let refused = bench::Client::join(engine, &world.server.url(), token, &options).await;
            match refused {
                Err(ConnectError::Refused { status, .. }) => assert_eq!(status, *expected, "{mode:?} {token:.40}"),
                other => panic!("{mode:?} {token:.40}: {other:?}"),
            }
        }
    }
}
