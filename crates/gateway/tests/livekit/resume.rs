//! Coming back with a new socket (L-31, livekit.md 2.9), without media.

use crate::harness::{Client, Heard, PATIENCE, Say, Server, auto_subscribing, join_request, token, token_with};
use gateway::rooms::RegistryConfig;
use proto::participant_info::State;
use tokio::time::timeout;
use wire::livekit::proto;

async fn server() -> Server {
    Server::start(RegistryConfig::default()).await
}

/// The two ways to ask: v0 and v1.
fn paths(token: &str, sid: &str) -> [String; 2] {
    let request = proto::JoinRequest { reconnect: true, participant_sid: sid.into(), ..auto_subscribing() };
    [
        format!("/rtc?access_token={token}&protocol=17&reconnect=1&sid={sid}"),
        format!("/rtc/v1?access_token={token}&join_request={}", join_request(&request)),
    ]
}

async fn resume(server: &Server, token: &str, sid: &str) -> Client {
    let [_, v1] = paths(token, sid);
    server.open(&v1).await.expect("an upgrade")
}

async fn join(server: &Server, identity: &str) -> (Client, String) {
    let mut client = server.join(identity).await;
    let sid = client.joined().await.participant.unwrap().sid;
    (client, sid)
}

/// The first message is a `leave`, and it says: connect anew.
async fn is_refused(mut client: Client) {
    let Heard::Leave(leave) = client.hear().await else { panic!("leave comes first") };
    assert_eq!(leave.reason, proto::DisconnectReason::StateMismatch as i32);
    assert_eq!(leave.action, proto::leave_request::Action::Reconnect as i32);
    assert_eq!(client.close_code().await, Some(1000));
}

#[tokio::test]
async fn l_31_a_resume_of_nothing_is_told_to_start_anew_before_anything_else() {
    // L-31
    let server = server().await;
    for path in paths(&token("alice"), "PA_x") {
        is_refused(server.open(&path).await.expect("an upgrade")).await;
    }
    assert!(server.gateway.registry().is_empty(), "it makes no room");
}

#[tokio::test]
async fn l_31_a_new_socket_takes_over_and_is_told_in_order() {
    // L-31
    let server = server().await;
    let (mut old, sid) = join(&server, "alice").await;
    let (mut bob, _) = join(&server, "bob").await;
    for path in paths(&token("alice"), &sid) {
        let mut new = server.open(&path).await.expect("an upgrade");
        let Heard::Reconnect(reconnect) = new.hear().await else { panic!("reconnect comes first") };
        assert_eq!(reconnect.server_info.unwrap().node_id, "ND_test");
        assert!(matches!(new.hear().await, Heard::RefreshToken(_)), "L-52");
        let Heard::Update(update) = new.hear().await else { panic!("then everybody") };
        let names: Vec<_> = update.participants.iter().map(|who| who.identity.as_str()).collect();
        assert_eq!(names, ["alice", "bob"]);
        assert_eq!(update.participants[0].sid, sid, "the same session");
        assert!(matches!(new.hear().await, Heard::RoomUpdate(_)));
        assert_eq!(old.close_code().await, Some(1000), "without a leave");
        new.say(Say::Ping(1)).await;
        new.hear_until(|heard| matches!(heard, Heard::Pong(_)).then_some(())).await;
        old = new;
    }
    // Bob has noticed nothing: the first thing that he sees of Alice is her goodbye.
    old.say(Say::Leave(Default::default())).await;
    let states = bob.hear_until(|heard| match heard {
        Heard::Update(update) => {
            Some(update.participants.into_iter().filter(|who| who.identity == "alice").map(|who| who.state).collect())
        }
        _ => None,
    });
    let states: Vec<i32> = states.await;
    assert_eq!(states, [State::Disconnected as i32]);
}

#[tokio::test]
async fn l_31_the_end_of_the_old_socket_is_nothing_to_the_new_one() {
    // L-31
    let server = server().await;
    let (mut old, sid) = join(&server, "alice").await;
    let mut new = resume(&server, &token("alice"), &sid).await;
    assert!(matches!(new.hear().await, Heard::Reconnect(_)));
    old.say(Say::Leave(Default::default())).await;
    drop(old);
    new.say(Say::AddTrack(proto::AddTrackRequest { cid: "mic".into(), source: 2, ..Default::default() })).await;
    new.hear_until(|heard| matches!(heard, Heard::TrackPublished(_)).then_some(())).await;
}

#[tokio::test]
async fn l_31_nobody_resumes_somebody_elses_session() {
    // L-31: sids are known to everybody in the room.
    let server = server().await;
    let (mut alice, sid) = join(&server, "alice").await;
    let page = token_with("alice", |claims| claims.odeon_page = true);
    let other_room = token_with("alice", |claims| claims.video.room = "s".into());
    for token in [token("mallory"), page, other_room] {
        is_refused(resume(&server, &token, &sid).await).await;
    }
    alice.say(Say::Ping(1)).await;
    alice.hear_until(|heard| matches!(heard, Heard::Pong(_)).then_some(())).await;
}

#[tokio::test]
async fn l_31_a_track_that_is_none_here_ends_in_a_new_connection() {
    // L-31: by the message, and by the join request.
    let server = server().await;
    let (_old, sid) = join(&server, "alice").await;
    let unknown = proto::TrackPublishedResponse {
        cid: "cam".into(),
        track: Some(proto::TrackInfo { sid: "TR_VCnowhere00000".into(), ..Default::default() }),
    };
    let state = proto::SyncState { publish_tracks: vec![unknown], ..Default::default() };
    let mut new = resume(&server, &token("alice"), &sid).await;
    assert!(matches!(new.hear().await, Heard::Reconnect(_)));
    new.say(Say::SyncState(state.clone())).await;
    let leave = new.hear_until(|heard| if let Heard::Leave(leave) = heard { Some(leave) } else { None }).await;
    assert_eq!(leave.action, proto::leave_request::Action::Reconnect as i32);

    let (_old, sid) = join(&server, "alice").await;
    let request =
        proto::JoinRequest { reconnect: true, participant_sid: sid, sync_state: Some(state), ..auto_subscribing() };
    let path = format!("/rtc/v1?access_token={}&join_request={}", token("alice"), join_request(&request));
    let mut new = server.open(&path).await.expect("an upgrade");
    new.hear_until(|heard| matches!(heard, Heard::Leave(_)).then_some(())).await;
}

/// Our offer of a dual client's subscriber connection.
async fn offer(client: &mut Client) -> proto::SessionDescription {
    client.hear_until(|heard| if let Heard::Offer(offer) = heard { Some(offer) } else { None }).await
}

#[tokio::test]
async fn l_31_an_offer_that_was_lost_with_the_old_socket_comes_again() {
    // L-31, L-61
    let server = server().await;
    let path = format!("/rtc?access_token={}&auto_subscribe=1&protocol=17", token("alice"));
    let mut old = server.open(&path).await.expect("an upgrade");
    let sid = old.joined().await.participant.unwrap().sid;
    let first = offer(&mut old).await;
    drop(old);
    let [v0, _] = paths(&token("alice"), &sid);
    let mut new = server.open(&v0).await.expect("an upgrade");
    assert!(matches!(new.hear().await, Heard::Reconnect(_)));
    let again = offer(&mut new).await;
    assert_eq!((again.id, again.sdp), (first.id, first.sdp), "whether it had arrived or not, it fits");
}

/// Everybody at once, again and again, half of them with an old socket that still is open.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn l_31_a_storm_of_resumes_leaves_nothing_behind() {
    // L-31, Q-7
    const CLIENTS: usize = 200;
    let server = std::sync::Arc::new(server().await);
    let mut crowd = Vec::new();
    for number in 0..CLIENTS {
        crowd.push(join(&server, &format!("p{number}")).await);
    }
    for round in 0..3 {
        let storm = crowd.into_iter().enumerate().map(|(number, (old, sid))| {
            let server = server.clone();
            tokio::spawn(async move {
                let kept = if number % 2 == 0 { Some(old) } else { None };
                let mut new = resume(&server, &token(&format!("p{number}")), &sid).await;
                assert!(matches!(new.hear().await, Heard::Reconnect(_)), "round {round}");
                drop(kept);
                (new, sid)
            })
        });
        let mut next = Vec::new();
        for task in storm.collect::<Vec<_>>() {
            next.push(timeout(PATIENCE * 3, task).await.expect("in time").expect("no panic"));
        }
        crowd = next;
        assert_eq!(server.gateway.registry().find("r").unwrap().participants().await.unwrap().len(), CLIENTS);
    }
    for (mut client, _) in crowd {
        client.say(Say::Leave(Default::default())).await;
        assert_eq!(client.close_code().await, Some(1000));
    }
    let room = server.gateway.registry().find("r").expect("empty rooms stay for a while");
    assert!(room.participants().await.unwrap().is_empty());
}
