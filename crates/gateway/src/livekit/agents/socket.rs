//! `/agent`: one worker's WebSocket, from its registration to its end.

use super::outbox::{OutboxReceiver, outbox};
use super::{Agents, Place};
use crate::client::bearer;
use crate::{Gateway, clock};
use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures_util::FutureExt as _;
use http::{HeaderMap, StatusCode};
use std::panic::AssertUnwindSafe;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};
use wire::livekit::agent::{self, FromWorker, MAX_WORKER_MESSAGE_BYTES};
use wire::livekit::event::Encoding;
use wire::livekit::proto::{ServerInfo, ServerMessage};

/// Until it must have said what it is (livekit.md 3, «agents ws»).
const REGISTER_TIMEOUT: Duration = Duration::from_secs(10);

/// Between two WebSocket pings, which its library answers.
const PING_EVERY: Duration = Duration::from_secs(10);

/// Without any frame for so long it is lost: two pings and some patience.
const SILENCE: Duration = Duration::from_secs(30);

/// How long its socket may take to accept a frame.
const WRITE_TIMEOUT: Duration = Duration::from_secs(8);

/// Read buffer of a socket, in bytes.
const READ_BUFFER_BYTES: usize = 4 * 1024;

/// Why it ends.
#[derive(Debug)]
struct Ended;

/// Only with the `agent` grant, which no page and no participant has.
pub(in crate::livekit) async fn agent(
    State(gateway): State<Gateway>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let Ok(upgrade) = upgrade else {
        return crate::not_found::not_found();
    };
    if !may_work(&gateway, &headers) {
        return (StatusCode::UNAUTHORIZED, "permissions denied").into_response();
    }
    if gateway.registry().is_draining() {
        return (StatusCode::SERVICE_UNAVAILABLE, "the server is shutting down").into_response();
    }
    let limited = upgrade
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0)
        .max_message_size(MAX_WORKER_MESSAGE_BYTES)
        .max_frame_size(MAX_WORKER_MESSAGE_BYTES);
    limited.on_upgrade(move |socket| run(gateway, socket))
}

fn may_work(gateway: &Gateway, headers: &HeaderMap) -> bool {
    let claims = bearer(headers).and_then(|token| auth::verify(token, &gateway.inner.keys, clock::unix_s()).ok());
    claims.is_some_and(|claims| claims.video.agent && !claims.odeon_page)
}

/// A panic costs this worker and nobody else: its place is given up, its jobs go to others.
async fn run(gateway: Gateway, socket: WebSocket) {
    if AssertUnwindSafe(talk_and_close(gateway, socket)).catch_unwind().await.is_err() {
        metrics::counter!("odeon_session_panics_total").increment(1);
        tracing::error!("a worker's session panicked and was closed");
    }
}

async fn talk_and_close(gateway: Gateway, mut socket: WebSocket) {
    let mut worker = match timeout(REGISTER_TIMEOUT, begin(&gateway, &mut socket)).await {
        Ok(Ok(worker)) => worker,
        Ok(Err(Ended)) | Err(_) => return close(socket, close_code::POLICY).await,
    };
    let Ended = worker.talk(&mut socket).await;
    drop(worker);
    close(socket, close_code::NORMAL).await;
}

/// The first message says what it is.
async fn begin(gateway: &Gateway, socket: &mut WebSocket) -> Result<Worker, Ended> {
    let (bytes, encoding) = loop {
        match socket.recv().await {
            Some(Ok(frame)) => {
                if let Some(said) = payload(frame)? {
                    break said;
                }
            }
            Some(Err(_)) | None => return Err(Ended),
        }
    };
    let Ok(FromWorker::Register(registration)) = agent::decode(&bytes, encoding) else { return Err(Ended) };
    let (sender, outbox) = outbox();
    let agents: &Agents = &gateway.inner.agents;
    let info: ServerInfo = gateway.inner.server.info();
    let place = agents.register(registration, sender, info).map_err(|refusal| {
        tracing::warn!(%refusal, "a worker could not register");
        Ended
    })?;
    Ok(Worker { place, outbox, encoding, heard: Instant::now() })
}

struct Worker {
    place: Place,
    outbox: OutboxReceiver,
    encoding: Encoding,
    heard: Instant,
}

impl Worker {
    async fn talk(&mut self, socket: &mut WebSocket) -> Ended {
        let mut ping = interval(PING_EVERY);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let step = tokio::select! {
                message = self.outbox.recv() => match message {
                    Some(message) => self.tell(socket, &message).await,
                    None => Err(Ended),
                },
                frame = socket.recv() => match frame {
                    Some(Ok(frame)) => self.hear(socket, frame).await,
                    Some(Err(_)) | None => Err(Ended),
                },
                _ = ping.tick() => write(socket, Message::Ping(Bytes::new())).await,
                () = sleep_until(self.heard + SILENCE) => Err(Ended),
            };
            if let Err(ended) = step {
                return ended;
            }
        }
    }

    async fn hear(&mut self, socket: &mut WebSocket, frame: Message) -> Result<(), Ended> {
        self.heard = Instant::now();
        let Some((bytes, encoding)) = payload(frame)? else { return Ok(()) };
        self.encoding = encoding;
        match agent::decode(&bytes, encoding) {
            Ok(FromWorker::Ping { timestamp }) => self.tell(socket, &agent::pong(timestamp, clock::unix_ms())).await,
            Ok(said) => {
                self.take(said);
                Ok(())
            }
            Err(error) => {
                tracing::debug!(%error, "unreadable message of a worker");
                Err(Ended)
            }
        }
    }

    fn take(&self, said: FromWorker) {
        self.place.step(|pool, now, id| match said {
            FromWorker::Accept { job, agent } => pool.on_accepted(now, id, &job, agent),
            FromWorker::Refuse { job, terminate } => pool.on_refused(now, id, &job, terminate),
            FromWorker::Status { status, load } => pool.on_worker_status(now, id, status, load),
            FromWorker::JobStatus { job, status, error } => pool.on_job_status(now, id, &job, status, error),
            FromWorker::Simulate { kind, room, identity } => pool.simulate(now, id, kind, &room, &identity),
            FromWorker::Migrate(jobs) => pool.on_migrate(now, id, &jobs),
            // It is registered already.
            FromWorker::Register(_) | FromWorker::Ping { .. } => {}
        });
    }

    async fn tell(&self, socket: &mut WebSocket, message: &ServerMessage) -> Result<(), Ended> {
        let bytes = Bytes::from(agent::encode(message, self.encoding));
        let frame = match self.encoding {
            Encoding::Binary => Message::Binary(bytes),
            Encoding::Json => Message::Text(bytes.try_into().map_err(|_| Ended)?),
        };
        write(socket, frame).await
    }
}

/// What a frame says, if it says something.
fn payload(frame: Message) -> Result<Option<(Bytes, Encoding)>, Ended> {
    match frame {
        Message::Binary(bytes) => Ok(Some((bytes, Encoding::Binary))),
        Message::Text(text) => Ok(Some((text.into(), Encoding::Json))),
        Message::Ping(_) | Message::Pong(_) => Ok(None),
        Message::Close(_) => Err(Ended),
    }
}

async fn write(socket: &mut WebSocket, message: Message) -> Result<(), Ended> {
    match timeout(WRITE_TIMEOUT, socket.send(message)).await {
        Ok(Ok(())) => Ok(()),
        _ => Err(Ended),
    }
}

async fn close(mut socket: WebSocket, code: u16) {
    let frame = CloseFrame { code, reason: "".into() };
    // Whatever comes of it, the socket is closed after that.
    let _ = timeout(Duration::from_secs(2), socket.send(Message::Close(Some(frame)))).await;
}
