//! Through a bad network, by our own client: every repair that the server owes (NACK → RTX, PLI) is done.

use crate::common::{World, publish_both};
use bench::client::Options;
use bench::relay::{Relay, Weather};
use std::time::Duration;

/// L-01: a subscriber behind 5 % loss and 50 ms each way gets at least 95 % of the frames whole, and no sound gap
/// over 200 ms.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs ODEON_BIN"]
async fn l_01_five_percent_loss_and_fifty_ms_leave_95_percent_of_the_frames() {
    let world = World::small();
    let port = world.server.udp_ports().expect("ports")[0];
    let weather =
        Weather { loss: 0.05, delay: Duration::from_millis(50), jitter: Duration::ZERO, down_rate: 0, seed: 7 };
    let relay = Relay::start("127.0.0.1:0".parse().unwrap(), ([127, 0, 0, 1], port).into(), weather).expect("relay");
    let mut publisher = world.join("r", "publisher").await;
    let (video, audio) = publish_both(&mut publisher, "p").await;
    let options = Options { via: Some(relay.addr()), ..Options::default() };
    let subscriber = world.join_with("r", "subscriber", &options).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let before = subscriber.stats().await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    let after = subscriber.stats().await;
    let made = after[&video].frames_made() - before[&video].frames_made();
    let frames = after[&video].frames - before[&video].frames;
    let seen = format!("{frames} of {made} frames; {:?}; relay {:?}", after[&video], relay.counts());
    assert!(made > 200 && frames * 100 >= made * 95, "{seen}");
    assert_eq!(after[&video].damaged, 0, "{seen}");
    // Sound is not sent again: 200 ms are ten packets.
    assert!(after[&audio].longest_hole < 10, "{:?}", after[&audio]);
}
