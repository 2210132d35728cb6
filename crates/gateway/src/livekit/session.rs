//! One WebSocket: what its client says goes to the room, what the room says goes to it, in the room's order.

use super::grants;
use super::pace::Pace;
use crate::rooms::{Dialect, OutboxReceiver, Outgoing, SessionHandle};
use crate::{Gateway, clock};
use auth::{Claims, mint};
use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use bytes::Bytes;
use futures_util::FutureExt as _;
use room::effect::LeaveAction;
use room::input::SyncState;
use room::media::ConnectionMode;
use room::participant::{DisconnectReason, Participant};
use room::{RoomEvent, RoomInput};
use std::panic::AssertUnwindSafe;
use std::time::Duration;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep_until, timeout};
use wire::livekit::event::{self, Encoding};
use wire::livekit::join_response::ServerFacts;
use wire::livekit::proto::SignalResponse;
use wire::livekit::signal::{self, Sender, Signal};

/// Between two WebSocket pings (livekit.md 2.1): they keep proxies from closing, and idle clients answer them.
const PING_EVERY: Duration = Duration::from_secs(10);

/// Without any frame for so long the signalling is lost (L-28): clients ping every 5 s and answer our pings.
const SILENCE: Duration = Duration::from_secs(15);

/// Between two fresh tokens (livekit.md 2.3, step 2). They live twice as long.
const REFRESH_EVERY: Duration = Duration::from_secs(5 * 60);

/// How long a socket may take to accept a frame: longer is a client that reads nothing (Q-7: evicted within 10 s).
const MAX_WRITE: Duration = Duration::from_secs(8);

/// From a client's request to the JoinResponse in its socket (P-4).
pub(super) const JOIN_SECONDS: &str = "odeon_join_seconds";

/// One participant's signalling.
#[derive(Debug)]
pub(super) struct Session {
    gateway: Gateway,
    claims: Claims,
    sender: Sender,
    handle: SessionHandle,
    outbox: OutboxReceiver,
    encoding: Encoding,
    pace: Pace,
    heard: Instant,
    /// When its client asked to come in.
    asked: Instant,
}

/// How a session ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum End {
    /// The client said goodbye.
    Left,
    /// The room ended the session; it has told why.
    Dismissed,
    /// The room ended it because the socket was too slow.
    TooSlow,
    /// The socket is gone, or silent, or takes nothing.
    Lost,
    /// The client speaks something else, or too much.
    Unbearable,
}

/// A resume of a session that we don't keep: start anew (livekit.md 2.9). It must be the first message.
pub(super) async fn refuse_resume(mut socket: WebSocket) {
    let leave = event::leave(DisconnectReason::StateMismatch, LeaveAction::Reconnect);
    let frame = Message::Binary(event::encode(&leave, Encoding::Binary).into());
    if write(&mut socket, frame).await.is_ok() {
        close(socket, close_code::NORMAL).await;
    }
}

impl Session {
    pub(super) fn new(
        gateway: Gateway,
        claims: Claims,
        mode: ConnectionMode,
        handle: SessionHandle,
        outbox: OutboxReceiver,
    ) -> Self {
        let sender = Sender { session: handle.id(), mode };
        let now = Instant::now();
        Self {
            asked: now,
            gateway,
            claims,
            sender,
            handle,
            outbox,
            encoding: Encoding::Binary,
            pace: Pace::new(now.into_std()),
            heard: now,
        }
    }

    /// Its client has waited since then for its first message.
    pub(super) fn asked_at(self, asked: Instant) -> Self {
        Self { asked, ..self }
    }

    /// Until its end. A panic costs this session and nobody else: its handle is dropped, and the room takes the
    /// signalling as lost.
    pub(super) async fn run(self, socket: WebSocket) {
        metrics::gauge!("odeon_livekit_sessions").increment(1.0);
        let ended = AssertUnwindSafe(self.talk_and_close(socket)).catch_unwind().await;
        metrics::gauge!("odeon_livekit_sessions").decrement(1.0);
        if ended.is_err() {
            metrics::counter!("odeon_session_panics_total").increment(1);
            tracing::error!("a signalling session panicked and was closed");
        }
    }

    /// The same for a session that goes on. What its client has said of itself with the request comes first.
    pub(super) async fn go_on(self, socket: WebSocket, state: Option<SyncState>) {
        if let Some(state) = state {
            let input = RoomInput::SyncState { session: self.handle.id(), state: Box::new(state) };
            // A room that is gone says so by the end of the outbox.
            let _ = self.handle.send(input).await;
        }
        self.run(socket).await;
    }

    async fn talk_and_close(mut self, mut socket: WebSocket) {
        let end = self.talk(&mut socket).await;
        match end {
            End::Left => {
                self.handle.leave(DisconnectReason::ClientInitiated).await;
                close(socket, close_code::NORMAL).await;
            }
            End::Dismissed => close(socket, close_code::NORMAL).await,
            End::TooSlow => close(socket, close_code::AGAIN).await,
            End::Unbearable => {
                metrics::counter!("odeon_signal_violations_total").increment(1);
                close(socket, close_code::POLICY).await;
            }
            // Dropped: the handle tells the room.
            End::Lost => {}
        }
    }

    async fn talk(&mut self, socket: &mut WebSocket) -> End {
        let mut ping = every(PING_EVERY);
        let mut refresh = every(REFRESH_EVERY);
        loop {
            let step = tokio::select! {
                outgoing = self.outbox.recv() => match outgoing {
                    Some(outgoing) => self.tell(socket, &outgoing).await,
                    None if self.outbox.was_too_slow() => Err(End::TooSlow),
                    None => Err(End::Dismissed),
                },
                frame = socket.recv() => match frame {
                    Some(Ok(frame)) => self.hear(socket, frame).await,
                    Some(Err(_)) | None => Err(End::Lost),
                },
                _ = ping.tick() => write(socket, Message::Ping(Bytes::new())).await,
                _ = refresh.tick() => self.send_token(socket).await,
                () = sleep_until(self.heard + SILENCE) => Err(End::Lost),
            };
            if let Err(end) = step {
                return end;
            }
        }
    }

    /// Room → client.
    async fn tell(&mut self, socket: &mut WebSocket, outgoing: &Outgoing) -> Result<(), End> {
        let Sender { session, mode } = self.sender;
        let (gateway, encoding) = (&self.gateway, self.encoding);
        let frames = outgoing.frames(dialect(encoding), |event| {
            let facts = gateway.facts_for(event, session);
            encode_all(event, mode, &facts, encoding)
        });
        for frame in frames {
            write(socket, message(frame.clone(), encoding)).await?;
        }
        match outgoing.event() {
            RoomEvent::Joined { .. } => {
                metrics::histogram!(JOIN_SECONDS).record(self.asked.elapsed());
                self.send_token(socket).await
            }
            RoomEvent::Resumed { .. } => self.send_token(socket).await,
            RoomEvent::ClaimsChanged { you } => {
                grants::update(&mut self.claims, you);
                self.send_token(socket).await
            }
            RoomEvent::Moved { room, you } => self.send_elsewhere(socket, room, you).await,
            _ => Ok(()),
        }
    }

    /// Client → room.
    async fn hear(&mut self, socket: &mut WebSocket, frame: Message) -> Result<(), End> {
        let now = Instant::now();
        self.heard = now;
        let bytes = match frame {
            Message::Binary(bytes) => {
                self.encoding = Encoding::Binary;
                bytes
            }
            Message::Text(text) => {
                // Mirrored from here on.
                self.encoding = Encoding::Json;
                text.into()
            }
            // The library answers pings itself.
            Message::Ping(_) | Message::Pong(_) => Bytes::new(),
            Message::Close(_) => return Err(End::Lost),
        };
        if !self.pace.admit(bytes.len(), now.into_std()) {
            return Err(End::Unbearable);
        }
        if bytes.is_empty() { Ok(()) } else { self.take(socket, &bytes).await }
    }

    async fn take(&mut self, socket: &mut WebSocket, bytes: &[u8]) -> Result<(), End> {
        match signal::decode(self.sender, bytes, self.encoding) {
            Ok(Signal::Room(input)) => match *input {
                RoomInput::Leave { .. } => Err(End::Left),
                RoomInput::Simulate { scenario, .. } if !self.gateway.inner.simulate => {
                    tracing::debug!(?scenario, "simulation is not allowed: see rtc.simulate");
                    Ok(())
                }
                input => self.handle.send(input).await.map_err(|_| End::Dismissed),
            },
            Ok(Signal::Ping) => self.respond(socket, &event::pong(clock::unix_ms())).await,
            Ok(Signal::PingReq { timestamp }) => {
                self.respond(socket, &event::pong_resp(timestamp, clock::unix_ms())).await
            }
            Ok(Signal::Refused(response)) => self.respond(socket, &response).await,
            Ok(Signal::Ignored(what)) => {
                tracing::debug!(what, "signal without effect");
                Ok(())
            }
            Err(error) => {
                tracing::debug!(%error, "unreadable signal");
                Err(End::Unbearable)
            }
        }
    }

    /// L-52: a client that loses its connection comes back with the newest token.
    async fn send_token(&self, socket: &mut WebSocket) -> Result<(), End> {
        match mint::refreshed(&self.claims, &self.gateway.inner.keys, clock::unix_s()) {
            Ok(token) => self.respond(socket, &event::refresh_token(token)).await,
            // Its key was taken away meanwhile: the session stays, the next one won't be let in.
            Err(_) => Ok(()),
        }
    }

    /// What their token allows here it allows there.
    async fn send_elsewhere(&mut self, socket: &mut WebSocket, room: &str, you: &Participant) -> Result<(), End> {
        grants::update(&mut self.claims, you);
        room.clone_into(&mut self.claims.video.room);
        match mint::refreshed(&self.claims, &self.gateway.inner.keys, clock::unix_s()) {
            Ok(token) => self.respond(socket, &event::room_moved(room, token, you)).await,
            // Its key was taken away meanwhile: it leaves, and is not let in over there.
            Err(_) => Ok(()),
        }
    }

    async fn respond(&self, socket: &mut WebSocket, response: &SignalResponse) -> Result<(), End> {
        write(socket, message(event::encode(response, self.encoding).into(), self.encoding)).await
    }
}

fn dialect(encoding: Encoding) -> Dialect {
    match encoding {
        Encoding::Binary => Dialect::LiveKitBinary,
        Encoding::Json => Dialect::LiveKitJson,
    }
}

fn encode_all(event: &RoomEvent, mode: ConnectionMode, facts: &ServerFacts, encoding: Encoding) -> Vec<Bytes> {
    let responses = event::responses(event, mode, facts);
    responses.iter().map(|response| event::encode(response, encoding).into()).collect()
}

fn message(bytes: Bytes, encoding: Encoding) -> Message {
    match encoding {
        Encoding::Binary => Message::Binary(bytes),
        // Our own JSON is UTF-8; if it were not, binary would say so to the client.
        Encoding::Json => match bytes.clone().try_into() {
            Ok(text) => Message::Text(text),
            Err(_) => Message::Binary(bytes),
        },
    }
}

/// The first tick comes after the first period.
fn every(period: Duration) -> Interval {
    let mut interval = interval_at(Instant::now() + period, period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}

async fn write(socket: &mut WebSocket, message: Message) -> Result<(), End> {
    match timeout(MAX_WRITE, socket.send(message)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(End::Lost),
        Err(_) => Err(End::TooSlow),
    }
}

/// Says why, and waits a moment for the client's own close, so that it reads what was sent before.
async fn close(mut socket: WebSocket, code: u16) {
    let frame = CloseFrame { code, reason: "".into() };
    let farewell = async {
        socket.send(Message::Close(Some(frame))).await?;
        while socket.recv().await.transpose()?.is_some() {}
        Ok::<_, axum::Error>(())
    };
    // Whatever comes of it, the socket is closed after that.
    let _ = timeout(Duration::from_secs(2), farewell).await;
}
