//! Sound from one to many (C-10 to C-14).

use crate::harness::{Said, Server};
use std::time::Duration;

#[tokio::test]
async fn c_10_c_11_whatever_is_uploaded_is_heard_as_it_was_written() {
    // C-10, C-11
    let server = Server::start().await;
    let ann = server.account("ann").await;
    let livestream = server.livestream(&ann).await;
    let mut streamer = server.streamer(&ann.token, &livestream).await;
    let mut listeners =
        [server.listener(&ann.token, &livestream).await, server.listener(&ann.token, &livestream).await];
    let large = vec![7; 1_000_000];
    let pieces: [(&str, &[&[u8]]); 5] = [
        (r#"{"_placeholder":true,"num":0}"#, &[&large]),
        (r#""data:audio/mp4;base64,AAAA""#, &[]),
        (r#"{"b":1.50,"a":[1e400,-0,"\u00e4"]}"#, &[]),
        (r#"{"at":1,"sound":[{"_placeholder":true,"num":1},{"_placeholder":true,"num":0}]}"#, &[b"one", b""]),
        ("null", &[]),
    ];
    for (payload, buffers) in pieces {
        streamer.send(&format!("{payload},\"further\""), buffers).await;
        streamer.hears("success", &format!("Packet received from user {}", ann.id)).await;
        let buffers: Vec<_> = buffers.iter().map(|buffer| buffer.to_vec()).collect();
        for listener in &mut listeners {
            assert_eq!(listener.said().await, Said::Event("audio".into(), payload.into(), buffers.clone()));
        }
    }
}

#[tokio::test]
async fn c_12_a_streamer_who_leaves_ends_the_livestream() {
    // C-12
    let server = Server::start().await;
    let ann = server.account("ann").await;
    let livestream = server.livestream(&ann).await;
    let mut streamer = server.streamer(&ann.token, &livestream).await;
    let mut listener = server.listener(&ann.token, &livestream).await;
    streamer.say("41/streamer,").await;
    listener.is_refused(&format!("Livestream {livestream} has ended.")).await;
    server.room_holds(&livestream, &[]).await;
}

#[tokio::test]
async fn c_12_listeners_wait_for_a_streamer_whose_network_was_lost_and_hear_on() {
    // C-12
    let server = Server::start().await;
    let ann = server.account("ann").await;
    let livestream = server.livestream(&ann).await;
    let streamer = server.streamer(&ann.token, &livestream).await;
    let mut listener = server.listener(&ann.token, &livestream).await;
    drop(streamer);
    let mut streamer = server.streamer(&ann.token, &livestream).await;
    streamer.upload(b"on").await;
    listener.hears_sound(b"on").await;
    // Those who come while nobody is there are let in too.
    drop(streamer);
    server.listener(&ann.token, &livestream).await;
}

#[tokio::test]
async fn c_12_when_nobody_comes_back_it_ends() {
    // C-12
    let server = Server::start_with(|setting| setting.castaway.grace = Duration::from_millis(300)).await;
    let ann = server.account("ann").await;
    let livestream = server.livestream(&ann).await;
    let streamer = server.streamer(&ann.token, &livestream).await;
    let mut listener = server.listener(&ann.token, &livestream).await;
    drop(streamer);
    listener.is_refused(&format!("Livestream {livestream} has ended.")).await;
}

#[tokio::test]
async fn c_14_a_second_socket_of_the_same_user_takes_over() {
    // C-14
    let server = Server::start().await;
    let ann = server.account("ann").await;
    let livestream = server.livestream(&ann).await;
    let mut first = server.streamer(&ann.token, &livestream).await;
    let mut listener = server.listener(&ann.token, &livestream).await;
    let mut second = server.streamer(&ann.token, &livestream).await;
    assert!(matches!(first.said().await, Said::Event(name, ..) if name == "error"));
    assert_eq!(first.said().await, Said::Disconnected);
    first.send("\"old\"", &[]).await;
    second.upload(b"new").await;
    listener.hears_sound(b"new").await;
    // The old one's end is nobody's end.
    drop(first);
    second.upload(b"newer").await;
    listener.hears_sound(b"newer").await;
}

#[tokio::test]
async fn c_14_a_late_listener_gets_the_newest_piece_at_once() {
    // C-14
    let server = Server::start().await;
    let ann = server.account("ann").await;
    let livestream = server.livestream(&ann).await;
    let mut streamer = server.streamer(&ann.token, &livestream).await;
    streamer.upload(b"first").await;
    streamer.upload(b"newest").await;
    server.listener(&ann.token, &livestream).await.hears_sound(b"newest").await;
}

#[tokio::test]
async fn people_are_in_the_room_once_each_and_leave_it_with_their_last_socket() {
    let server = Server::start().await;
    let (ann, ben) = (server.account("ann").await, server.account("ben").await);
    let livestream = server.livestream(&ann).await;
    let _streamer = server.streamer(&ann.token, &livestream).await;
    let (one, two) = (server.listener(&ben.token, &livestream).await, server.listener(&ben.token, &livestream).await);
    let (a, b) = (format!("castaway:{}", ann.id), format!("castaway:{}", ben.id));
    server.room_holds(&livestream, &[&a, &b]).await;
    drop(one);
    server.room_holds(&livestream, &[&a, &b]).await;
    drop(two);
    server.room_holds(&livestream, &[&a]).await;
}
