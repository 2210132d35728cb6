//! Who is there: duplicates, leaving, muting, subscribing by choice.

use crate::common::{World, eventually, publish_both, receives, signalled};
use bench::client::{Event, Options};
use livekit_protocol::signal_response::Message;
use livekit_protocol::{DisconnectReason, participant_info};
use std::time::Duration;

/// L-16, L-50: the same identity comes again: the old session is told why and ends, others see one go and one come.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs ODEON_BIN"]
async fn l_16_a_second_session_of_an_identity_ends_the_first() {
    let world = World::small();
    let watcher = world.join("r", "watcher").await;
    let mut first = world.join("r", "twin").await;
    let second = world.join("r", "twin").await;
    let reason = signalled(&mut first, "leave", |message| match message {
        Message::Leave(leave) => Some(leave.reason),
        _ => None,
    })
    .await;
    assert_eq!(reason, DisconnectReason::DuplicateIdentity as i32);
    assert_ne!(first.sid(), second.sid());
    let sid = second.sid();
    eventually("the second alone", || async { (watcher.participant("twin")?.sid == sid).then_some(()) }).await;
    assert_eq!(watcher.participants().len(), 2);
}

/// L-27: leaving is told at once, with a reason.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs ODEON_BIN"]
async fn l_27_leaving_is_told_to_others() {
    let world = World::small();
    let mut watcher = world.join("r", "watcher").await;
    let guest = world.join("r", "guest").await;
    guest.leave().await;
    let reason = signalled(&mut watcher, "the guest leaves", |message| match message {
        Message::Update(update) => {
            let gone = participant_info::State::Disconnected as i32;
            let guest = update.participants.iter().find(|p| p.identity == "guest" && p.state == gone)?;
            Some(guest.disconnect_reason)
        }
        _ => None,
    })
    .await;
    assert_eq!(reason, DisconnectReason::ClientInitiated as i32);
}

/// L-28: who vanishes without a word, signalling and media, is gone after 15-25 s.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs ODEON_BIN"]
async fn l_28_who_vanishes_is_gone_after_a_while() {
    let world = World::small();
    let port = world.server.udp_ports().expect("ports")[0];
    let calm =
        bench::relay::Weather { loss: 0.0, delay: Duration::ZERO, jitter: Duration::ZERO, down_rate: 0, seed: 1 };
    let relay = bench::relay::Relay::start("127.0.0.1:0".parse().unwrap(), ([127, 0, 0, 1], port).into(), calm);
    let relay = relay.expect("relay");
    let watcher = world.join("r", "watcher").await;
    let options = Options { via: Some(relay.addr()), ..Options::default() };
    let ghost = world.join_with("r", "ghost", &options).await;
    eventually("the ghost is there", || async { watcher.participant("ghost") }).await;
    let began = std::time::Instant::now();
    drop(relay); // first: not even a goodbye of DTLS gets through
    drop(ghost);
    while watcher.participant("ghost").is_some() {
        assert!(began.elapsed() < Duration::from_secs(26), "still there");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(began.elapsed() > Duration::from_secs(14), "gone too soon: {:?}", began.elapsed());
}

/// L-11, L-40: others are told of a mute and an unmute; packets stop and come again.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs ODEON_BIN"]
async fn l_11_others_are_told_of_mute_and_unmute() {
    let world = World::small();
    let mut publisher = world.join("r", "publisher").await;
    let (video, audio) = publish_both(&mut publisher, "p").await;
    let subscriber = world.join("r", "subscriber").await;
    receives(&subscriber, &video, 50).await;
    for (cid, sid) in [("p-camera", &video), ("p-mic", &audio)] {
        for muted in [true, false] {
            publisher.mute(cid, muted).expect("mutes");
            eventually("the mute is told", || async {
                let publisher = subscriber.participant("publisher")?;
                publisher.tracks.iter().any(|t| t.sid == *sid && t.muted == muted).then_some(())
            })
            .await;
        }
        let packets = subscriber.stats().await[sid].packets;
        is_flowing(&subscriber, sid, packets).await;
    }
}

async fn is_flowing(subscriber: &bench::Client, sid: &str, packets: u64) {
    let stats = receives(subscriber, sid, packets + 30).await;
    assert_eq!(stats.damaged, 0, "{stats:?}");
}

/// L-21, L-22: without auto-subscribe nothing comes until asked for; unsubscribing stops it; it may be asked for again.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs ODEON_BIN"]
async fn l_22_subscribing_by_choice_again_and_again() {
    let world = World::small();
    let mut publisher = world.join("r", "publisher").await;
    let (video, _) = publish_both(&mut publisher, "p").await;
    let options = Options { auto_subscribe: false, ..Options::default() };
    let subscriber = world.join_with("r", "chooser", &options).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(subscriber.total().await.packets, 0, "unasked");
    let listed = subscriber.participant("publisher").expect("listed");
    assert_eq!(listed.tracks.len(), 2, "L-20: publications are listed without a subscription");
    for _ in 0..3 {
        let before = subscriber.total().await;
        subscriber.subscribe(&[&video], true).expect("subscribes");
        let more = || async { (subscriber.total().await.packets > before.packets + 60).then_some(()) };
        eventually("media flows", more).await;
        subscriber.subscribe(&[&video], false).expect("unsubscribes");
        tokio::time::sleep(Duration::from_millis(300)).await;
        let stopped = subscriber.total().await.packets;
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(subscriber.total().await.packets, stopped, "it goes on");
    }
    assert_eq!(subscriber.total().await.damaged, 0);
}

/// L-03: who speaks is told, and who falls silent.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs ODEON_BIN"]
async fn l_03_speakers_are_told() {
    let world = World::small();
    let mut speaker = world.join("r", "speaker").await;
    let mut listener = world.join("r", "listener").await;
    publish_both(&mut speaker, "p").await;
    let sid = speaker.sid();
    let speaking = |active: bool| {
        let sid = sid.clone();
        move |message: &Message| match message {
            Message::SpeakersChanged(changed) => {
                changed.speakers.iter().find(|s| s.sid == sid && s.active == active).map(|s| s.level)
            }
            _ => None,
        }
    };
    let level = signalled(&mut listener, "speaking", speaking(true)).await;
    assert!(level > 0.0 && level <= 1.0, "{level}");
    speaker.mute("p-mic", true).expect("mutes");
    let level = signalled(&mut listener, "silent", speaking(false)).await;
    assert!(level.abs() < f32::EPSILON, "{level}");
}

/// L-01 (simulcast, until layers are chosen): everybody gets the highest layer that is live.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs ODEON_BIN"]
async fn l_01_of_a_simulcast_camera_everybody_gets_the_highest_live_layer() {
    let world = World::small();
    let mut publisher = world.join("r", "publisher").await;
    let mut subscriber = world.join("r", "subscriber").await;
    let spec = bench::VideoSpec { simulcast: true, ..bench::VideoSpec::camera("camera") };
    let track = publisher.publish_video(&spec).await.expect("publishes");
    let began = subscriber
        .wait_for("a first frame", Duration::from_secs(5), |event| {
            matches!(event, Event::FirstFrame { .. }).then_some(())
        })
        .await;
    began.expect("a first frame");
    tokio::time::sleep(Duration::from_secs(1)).await;
    let before = subscriber.stats().await.remove(&track.sid).expect("stats");
    tokio::time::sleep(Duration::from_secs(2)).await;
    let after = subscriber.stats().await.remove(&track.sid).expect("stats");
    let rate = (after.bytes - before.bytes) * 8 / 2;
    assert!(rate > 1_200_000, "{rate} bit/s is not the layer f");
    assert_eq!(after.picture_id_breaks, 0, "{after:?}");
}
