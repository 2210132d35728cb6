//! WebSockets: from the first request on, or in the place of polls.

use super::super::limits::{UPGRADE_TIMEOUT, WRITE_TIMEOUT};
use super::outbox::{Outgoing, Reader, Taken};
use super::session::{Inbound, Session};
use axum::extract::ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use std::sync::Arc;
use tokio::time::timeout;
use wire::castaway::engine::{self, Packet};

/// What the WebSocket reads at a time: an idle one costs this.
const READ_BUFFER_BYTES: usize = 4 * 1024;

/// Packets are taken out of the outbox one by one: what can't be written yet waits there, where it is counted.
const TAKEN_BYTES: usize = 1;

/// Limits a WebSocket before anything of it is read.
pub(super) fn limited(upgrade: WebSocketUpgrade, message_bytes: usize) -> WebSocketUpgrade {
    upgrade
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0)
        .max_write_buffer_size(2 * message_bytes)
        .max_message_size(message_bytes)
        .max_frame_size(message_bytes)
}

/// A client that polls wants to change (`2probe`, `3probe`, `5`). If it does not, its polls go on.
pub(super) async fn change(mut socket: WebSocket, session: Arc<Session>) {
    let mut poll = 0;
    let changed = timeout(UPGRADE_TIMEOUT, probe(&mut socket, &session, &mut poll)).await.unwrap_or(false);
    if changed {
        session.outbox.hand_over(Reader::Socket, |_| true);
        serve(socket, session, None).await;
    } else {
        session.outbox.hand_over(Reader::Poll(poll), |now| now == Reader::Upgrading);
    }
}

async fn probe(socket: &mut WebSocket, session: &Session, poll: &mut u64) -> bool {
    let Some(Packet::Ping(word)) = next_text(socket).await.filter(|packet| *packet == Packet::Ping("probe".into()))
    else {
        return false;
    };
    if socket.send(Message::Text(format!("3{word}").into())).await.is_err() {
        return false;
    }
    // The poll that waits, if any, is answered with nothing, so that the client can go on.
    let polls = |now| match now {
        Reader::Poll(number) => {
            *poll = number;
            true
        }
        _ => false,
    };
    session.outbox.hand_over(Reader::Upgrading, polls) && next_text(socket).await == Some(Packet::Upgrade)
}

async fn next_text(socket: &mut WebSocket) -> Option<Packet> {
    match socket.recv().await?.ok()? {
        Message::Text(text) => engine::decode(&text).ok(),
        _ => None,
    }
}

/// Until either side ends it. `open` is what it is told first.
pub(super) async fn serve(socket: WebSocket, session: Arc<Session>, open: Option<String>) {
    let (mut sink, stream) = socket.split();
    let opened = match open {
        Some(open) => sink.send(Message::Text(open.into())).await.is_ok(),
        None => true,
    };
    if opened {
        // Whichever ends first: the client has gone, or nothing more is to be written.
        tokio::select! {
            () = read(stream, &session) => {}
            () = write(sink, &session) => {}
        }
    }
    session.tell(Inbound::Lost).await;
}

async fn read(mut stream: SplitStream<WebSocket>, session: &Session) {
    while let Some(Ok(message)) = stream.next().await {
        let inbound = match message {
            Message::Text(text) => match engine::decode(&text) {
                Ok(packet) => Inbound::Packet(packet),
                Err(_) => return,
            },
            Message::Binary(bytes) => Inbound::Binary(bytes),
            Message::Close(_) => return,
            Message::Ping(_) | Message::Pong(_) => continue,
        };
        if !session.tell(inbound).await {
            // The last words are still to be written: the writer ends it.
            std::future::pending::<()>().await;
        }
    }
}

async fn write(mut sink: SplitSink<WebSocket, Message>, session: &Session) {
    loop {
        let packets = match session.outbox.take(Reader::Socket, TAKEN_BYTES).await {
            Taken::Packets(packets) => packets,
            Taken::NotYours | Taken::Closed => break,
        };
        for packet in packets {
            let message = match packet {
                // It was made of a text.
                Outgoing::Text(bytes) => Message::Text(Utf8Bytes::try_from(bytes).unwrap_or_default()),
                Outgoing::Binary(bytes) => Message::Binary(bytes),
            };
            if !matches!(timeout(WRITE_TIMEOUT, sink.send(message)).await, Ok(Ok(()))) {
                session.outbox.give_up();
                return;
            }
        }
    }
    let _ = timeout(WRITE_TIMEOUT, sink.send(Message::Close(None))).await;
}
