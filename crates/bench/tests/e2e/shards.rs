//! One room on two shards: another shard is a relay subscriber, and nobody notices.

use crate::common::{World, data, eventually, is_whole, publish_both, receives};
use bench::Client;
use bench::client::{Event, Mode, Options};
use bench::report::percentile;
use std::time::{Duration, Instant};

/// Each joiner goes to the next shard: the first to 0, the second to 1.
const TWO_SHARDS: [&str; 2] = ["--rtc.shards=2", "--rtc.placement=round_robin"];

/// L-01, L-10: media, and keyframes on request, from shard 0 to shard 1 and from 1 to 0, in both connection modes.
async fn media_crosses(mode: Mode) {
    let world = World::start(&TWO_SHARDS);
    let options = Options { mode, ..Options::default() };
    let mut on_zero = world.join_with("r", "zero", &options).await;
    let mut on_one = world.join_with("r", "one", &options).await;
    let zeros = publish_both(&mut on_zero, "zero").await;
    let ones = publish_both(&mut on_one, "one").await;
    for (receiver, (video, audio)) in [(&on_one, &zeros), (&on_zero, &ones)] {
        let pictures = receives(receiver, video, 300).await;
        is_whole(&pictures);
        // Some 6 packets a frame, more in the keyframes that joiners ask for.
        assert!(pictures.frames > 30, "{pictures:?}");
        is_whole(&receives(receiver, audio, 50).await);
    }
    asks_for_a_keyframe(&on_one, &mut on_zero, &zeros.0).await;
    asks_for_a_keyframe(&on_zero, &mut on_one, &ones.0).await;
}

async fn asks_for_a_keyframe(receiver: &Client, sender: &mut Client, track: &str) {
    let keyframes = receiver.stats().await[track].keyframes;
    sender.drain_events();
    tokio::time::sleep(Duration::from_millis(600)).await; // the server asks a source twice a second at most
    receiver.request_keyframe(track);
    let asked = |event: &Event| matches!(event, Event::KeyframeRequested { .. }).then_some(());
    sender.wait_for("a keyframe request", Duration::from_secs(3), asked).await.expect("asked");
    let more = || async { receiver.stats().await.remove(track).filter(|stats| stats.keyframes > keyframes) };
    eventually("a keyframe", more).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs ODEON_BIN"]
async fn l_01_media_crosses_shards_both_ways_in_single_mode() {
    media_crosses(Mode::Single).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs ODEON_BIN"]
async fn l_01_media_crosses_shards_both_ways_in_dual_mode() {
    media_crosses(Mode::Dual).await;
}

/// L-44: data crosses shards both ways, reliable and lossy.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs ODEON_BIN"]
async fn l_44_data_crosses_shards_both_ways() {
    let world = World::start(&TWO_SHARDS);
    let mut on_zero = world.join("r", "zero").await;
    let mut on_one = world.join("r", "one").await;
    for reliable in [true, false] {
        eventually("open channel", || async { on_zero.send_data(reliable, b"from 0", "", &[]).await.then_some(()) })
            .await;
        assert_eq!(data(&mut on_one).await, (b"from 0".to_vec(), "zero".into()));
        eventually("open channel", || async { on_one.send_data(reliable, b"from 1", "", &[]).await.then_some(()) })
            .await;
        assert_eq!(data(&mut on_zero).await, (b"from 1".to_vec(), "one".into()));
    }
}

/// L-44: a thousand lossy packets a second across shards, none out of order for its sender, and signalling answers
/// meanwhile (p99 under 20 ms).
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs ODEON_BIN"]
async fn l_44_a_thousand_lossy_packets_a_second_stay_in_order() {
    const PACKETS: u32 = 5_000;
    let world = World::start(&TWO_SHARDS);
    let sender = world.join("r", "sender").await;
    let mut receiver = world.join("r", "receiver").await;
    let mut bystander = world.join("r", "bystander").await;
    eventually("open channel", || async { sender.send_data(false, b"open", "", &[]).await.then_some(()) }).await;
    data(&mut receiver).await;
    let sending = tokio::spawn(async move {
        let mut tick = tokio::time::interval(Duration::from_millis(10));
        for number in 0..PACKETS {
            if number % 10 == 0 {
                tick.tick().await;
            }
            sender.send_data(false, &number.to_be_bytes(), "", &["receiver"]).await;
        }
        sender
    });
    let mut pings = Vec::new();
    while !sending.is_finished() {
        pings.push(bystander.ping().await.expect("pong"));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let _sender = sending.await.expect("sent");
    tokio::time::sleep(Duration::from_millis(300)).await;
    let numbers: Vec<u32> = receiver.drain_events().iter().filter_map(number).collect();
    assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "out of order");
    assert!(numbers.len() as u32 > PACKETS * 95 / 100, "{} of {PACKETS} came", numbers.len());
    let p99 = percentile(&mut pings, 0.99);
    assert!(p99 < Duration::from_millis(20), "signalling p99 {p99:?}");
}

fn number(event: &Event) -> Option<u32> {
    match event {
        Event::Data(data) => data.payload()?.try_into().ok().map(u32::from_be_bytes),
        _ => None,
    }
}

/// The first packet of a new subscriber on another shard comes at once, not with the next keyframe by chance.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs ODEON_BIN"]
async fn l_01_a_joiner_on_the_other_shard_has_a_picture_at_once() {
    let world = World::start(&TWO_SHARDS);
    let mut publisher = world.join("r", "publisher").await;
    let (video, _) = publish_both(&mut publisher, "p").await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let began = Instant::now();
    let joiner = world.join("r", "joiner").await;
    let stats = receives(&joiner, &video, 1).await;
    let first = eventually("a first frame", || async { joiner.stats().await[&video].first_frame }).await;
    assert!(first - began < Duration::from_millis(300), "{:?}; {stats:?}", first - began);
}

/// One port for all shards (SO_REUSEPORT): what the kernel gives to the wrong shard is handed over, and nobody notices.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs ODEON_BIN"]
async fn one_port_serves_both_shards() {
    let world = World::start(&["--rtc.shards=2", "--rtc.placement=round_robin", "--rtc.single_port=true"]);
    let mut publisher = world.join("r", "publisher").await;
    let (video, audio) = publish_both(&mut publisher, "p").await;
    for round in 0..8 {
        let receiver = world.join("r", &format!("receiver{round}")).await;
        is_whole(&receives(&receiver, &video, 100).await);
        is_whole(&receives(&receiver, &audio, 20).await);
    }
    let metrics = world.server.metrics().expect("metrics");
    assert!(
        bench::meter::sum(&metrics, "odeon_udp_handed_over_total") > 0.0,
        "of nine clients the kernel misplaced some"
    );
}
