//! Data packets: who gets them, and what the server writes on them.

use crate::common::{World, data, eventually};
use bench::Client;
use bench::client::{Event, Options};
use bench::token::Grant;
use livekit_protocol::data_packet::Value;
use std::time::Duration;

async fn say(client: &Client, reliable: bool, payload: &[u8], to: &[&str]) {
    eventually("open channel", || async { client.send_data(reliable, payload, "topic", to).await.then_some(()) }).await;
}

/// L-12, L-44, L-47: a packet for one reaches that one alone; one without destinations reaches all but its sender.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs ODEON_BIN"]
async fn l_47_data_reaches_those_it_is_for() {
    let world = World::small();
    let mut a = world.join("r", "a").await;
    let mut b = world.join_dual("r", "b").await;
    let mut c = world.join("r", "c").await;
    for reliable in [true, false] {
        say(&a, reliable, b"for b", &["b"]).await;
        say(&a, reliable, b"for all", &[]).await;
        assert_eq!(data(&mut b).await.0, b"for b");
        assert_eq!(data(&mut b).await.0, b"for all");
        assert_eq!(data(&mut c).await.0, b"for all");
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!a.drain_events().iter().any(|event| matches!(event, Event::Data(_))), "an echo");
}

/// L-48: the server writes the sender's sid and identity over whatever the packet says.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs ODEON_BIN"]
async fn l_48_nobody_can_speak_as_another() {
    use livekit_protocol as proto;
    use prost::Message as _;
    let world = World::small();
    let forger = world.join("r", "forger").await;
    let mut victim = world.join("r", "victim").await;
    #[allow(deprecated)]
    let user = proto::UserPacket {
        payload: b"hello".to_vec(),
        participant_sid: "PA_somebodyelse".into(),
        participant_identity: "king".into(),
        ..Default::default()
    };
    let packet = proto::DataPacket {
        participant_identity: "king".into(),
        participant_sid: "PA_somebodyelse".into(),
        value: Some(Value::User(user)),
        ..Default::default()
    };
    let bytes = packet.encode_to_vec();
    eventually("open channel", || async { forger.send_raw_data("_reliable", bytes.clone()).await.then_some(()) }).await;
    let packet = victim
        .wait_for("data", Duration::from_secs(5), |event| match event {
            Event::Data(data) => Some(data.packet.clone()),
            _ => None,
        })
        .await
        .expect("data");
    assert_eq!((packet.participant_identity.as_str(), &packet.participant_sid), ("forger", &forger.sid()));
    let Some(Value::User(user)) = packet.value else { panic!("no user packet") };
    #[allow(deprecated)]
    let names = (user.participant_identity, user.participant_sid);
    assert_eq!(names, ("forger".into(), forger.sid()));
}

/// L-51: without canPublishData nothing goes out.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs ODEON_BIN"]
async fn l_51_data_of_those_who_may_not_is_dropped() {
    let world = World::small();
    let mute = Grant { can_publish_data: Some(false), ..Grant::join("r") };
    let mut mute = world.try_join(&mute, "mute", &Options::default()).await.expect("joins");
    mute.connected().await.expect("connects");
    let speaker = world.join("r", "speaker").await;
    let mut listener = world.join("r", "listener").await;
    say(&mute, true, b"forbidden", &[]).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    say(&speaker, true, b"allowed", &[]).await;
    assert_eq!(data(&mut listener).await, (b"allowed".to_vec(), "speaker".into()));
}

/// L-46: reliable packets of one sender come whole and in order, also large ones.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs ODEON_BIN"]
async fn l_46_reliable_packets_come_in_order() {
    let world = World::small();
    let sender = world.join("r", "sender").await;
    let mut receiver = world.join("r", "receiver").await;
    for number in 0..200u8 {
        let payload = vec![number; 1 + usize::from(number) * 70];
        say(&sender, true, &payload, &[]).await;
    }
    for number in 0..200u8 {
        let (payload, _) = data(&mut receiver).await;
        assert_eq!(payload, vec![number; 1 + usize::from(number) * 70]);
    }
}
