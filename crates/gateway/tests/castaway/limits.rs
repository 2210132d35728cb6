//! What is refused, and who is slow.

use crate::harness::{Said, Server};
use futures_util::{SinkExt as _, StreamExt as _};
use std::time::Duration;
use tokio_tungstenite::tungstenite::Message;

/// Until the connection ends.
async fn is_closed(client: &mut crate::harness::Client) {
    let end = async { while let Some(Ok(_)) = client.socket.next().await {} };
    tokio::time::timeout(crate::harness::PATIENCE, end).await.expect("an end");
}

#[tokio::test]
async fn c_11_a_piece_over_the_limit_costs_its_sender_the_connection() {
    // C-11
    let server = Server::start_with(|setting| setting.castaway.packet_bytes = 1000).await;
    let ann = server.account("ann").await;
    let livestream = server.livestream(&ann).await;
    let mut streamer = server.streamer(&ann.token, &livestream).await;
    let mut listener = server.listener(&ann.token, &livestream).await;
    streamer.upload(&[1; 1000]).await;
    listener.hears_sound(&[1; 1000]).await;
    let _ = streamer.socket.send(Message::Text("451-/streamer,[\"upload\",{}]".into())).await;
    let _ = streamer.socket.send(Message::Binary(vec![0; 20_000].into())).await;
    is_closed(&mut streamer).await;
    // The listener waits for its return.
    let mut streamer = server.streamer(&ann.token, &livestream).await;
    streamer.upload(b"on").await;
    listener.hears_sound(b"on").await;
}

#[tokio::test]
async fn what_is_no_packet_costs_the_connection() {
    let server = Server::start().await;
    for text in ["9", "49", "42/streamer,{}", "4534-/streamer,[\"upload\"]", "0"] {
        let mut client = server.socket(&[]).await;
        client.say(text).await;
        is_closed(&mut client).await;
    }
    let mut client = server.socket(&[]).await;
    client.socket.send(Message::Binary(vec![1].into())).await.unwrap();
    is_closed(&mut client).await;
}

#[tokio::test]
async fn q_7_a_listener_who_takes_nothing_is_cut_and_the_others_hear_everything() {
    //
    let server = Server::start().await;
    let ann = server.account("ann").await;
    let livestream = server.livestream(&ann).await;
    let mut streamer = server.streamer(&ann.token, &livestream).await;
    let mut stalled = server.listener(&ann.token, &livestream).await;
    let mut listener = server.listener(&ann.token, &livestream).await;
    let piece = vec![3; 900_000];
    for _ in 0..24 {
        streamer.upload(&piece).await;
        listener.hears_sound(&piece).await;
    }
    // It has not read a byte all along, and its connection was ended.
    let end = async { while !matches!(stalled.said().await, Said::Closed) {} };
    tokio::time::timeout(Duration::from_secs(30), end).await.expect("it was cut");
    streamer.upload(b"last").await;
    listener.hears_sound(b"last").await;
}

/// Lets the clock run in steps, so that what falls due meanwhile is done in its order.
async fn pass(seconds: u32) {
    tokio::time::pause();
    for _ in 0..seconds {
        tokio::time::advance(Duration::from_secs(1)).await;
        // Sockets are real: what was written is read in a later turn of the runtime.
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
    }
    tokio::time::resume();
}

#[tokio::test]
async fn c_12_a_listener_that_answers_no_ping_is_gone_and_leaves_the_room() {
    // C-12
    let server = Server::start().await;
    let (ann, ben) = (server.account("ann").await, server.account("ben").await);
    let livestream = server.livestream(&ann).await;
    let _streamer = server.streamer(&ann.token, &livestream).await;
    let mut silent = server.listener(&ben.token, &livestream).await;
    pass(50).await;
    is_closed(&mut silent).await;
    let waited_for = format!("castaway:{}", ann.id);
    server.room_holds(&livestream, &[&waited_for]).await;
}

#[tokio::test]
async fn a_client_that_goes_nowhere_is_closed() {
    let server = Server::start().await;
    let mut client = server.socket(&[]).await;
    let sid = server.get("/socket.io/?EIO=4&transport=polling").await.body;
    let sid = sid.split('"').nth(3).unwrap().to_owned();
    pass(47).await;
    is_closed(&mut client).await;
    assert_eq!(server.get(&format!("/socket.io/?EIO=4&transport=polling&sid={sid}")).await.status, 400);
}
