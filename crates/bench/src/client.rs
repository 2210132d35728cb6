//! A participant: signalling and one or two peers, as livekit-client would have them.

mod session;

use crate::engine::{Engine, PeerHandle};
use crate::ledger::TrackStats;
use crate::opus::AudioSpec;
use crate::peer::{Change, LOSSY, RELIABLE};
use crate::signal::Signal;
use crate::vp8::VideoSpec;
use livekit_protocol as proto;
use prost::Message as _;
use proto::{signal_request, signal_response};
use session::{Ask, Session};
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};
use tokio_tungstenite::tungstenite;

/// How long a client waits for a step of its life: livekit-client's own limit for the join and for publishing.
const STEP_TIMEOUT: Duration = Duration::from_secs(10);

/// One PeerConnection or two.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Mode {
    /// `/rtc/v1`.
    #[default]
    Single,
    /// `/rtc`.
    Dual,
}

/// How to join.
#[derive(Clone, Debug)]
pub struct Options {
    /// One PeerConnection or two.
    pub mode: Mode,
    /// Take every track (L-21).
    pub auto_subscribe: bool,
    /// Send media here instead of to the server's candidates: a relay.
    pub via: Option<SocketAddr>,
}

impl Default for Options {
    fn default() -> Self {
        Self { mode: Mode::Single, auto_subscribe: true, via: None }
    }
}

/// Why a client couldn't join.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The server refused the upgrade with this status.
    #[error("refused: HTTP {status}: {body}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// What the server said.
        body: String,
    },
    /// The WebSocket failed otherwise.
    #[error("WebSocket: {0}")]
    Socket(Box<tungstenite::Error>),
    /// The first message was no join response.
    #[error("the first message was not a join response")]
    NoJoin,
    /// A step took longer than 10 s.
    #[error("timed out: {0}")]
    TimedOut(&'static str),
    /// No socket for the peer, or the address is wrong.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The session is over.
    #[error("the session has ended")]
    Ended,
    /// The server refused to publish.
    #[error("not published: {0}")]
    NotPublished(String),
}

impl From<tungstenite::Error> for ConnectError {
    fn from(error: tungstenite::Error) -> Self {
        match error {
            tungstenite::Error::Http(response) => Self::Refused {
                status: response.status().as_u16(),
                body: String::from_utf8_lossy(response.body().as_deref().unwrap_or_default()).into_owned(),
            },
            other => Self::Socket(Box::new(other)),
        }
    }
}

/// What happens to a participant.
#[derive(Debug)]
pub enum Event {
    /// A message of the server's, as it came; the session has acted on it already.
    Signal(Box<signal_response::Message>, Instant),
    /// Media and data can flow: ICE and DTLS are up (dual: of the publisher's connection).
    Connected(Instant),
    /// A data packet.
    Data(Box<DataReceived>),
    /// A track's first complete frame is there.
    FirstFrame {
        /// Its sid.
        track: Option<String>,
        /// When.
        at: Instant,
    },
    /// The server asked for a keyframe.
    KeyframeRequested {
        /// Our id of the track.
        cid: String,
    },
    /// A PeerConnection is closed.
    MediaClosed,
    /// The signalling connection is closed: nothing comes after this.
    Ended,
}

/// A data packet that came.
#[derive(Debug)]
pub struct DataReceived {
    /// `_reliable` or `_lossy`.
    pub label: String,
    /// Whole.
    pub packet: proto::DataPacket,
    /// When.
    pub at: Instant,
}

impl DataReceived {
    /// The user's payload, if it is a user packet.
    pub fn payload(&self) -> Option<&[u8]> {
        match self.packet.value.as_ref()? {
            proto::data_packet::Value::User(user) => Some(&user.payload),
            _ => None,
        }
    }
}

/// When the steps of joining were done.
#[derive(Clone, Copy, Debug)]
pub struct Timings {
    /// Before the TCP connection.
    pub began: Instant,
    /// The WebSocket was open.
    pub upgraded: Instant,
    /// The join response was there.
    pub joined: Instant,
}

/// What the session knows, shared with the client's handle.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) join: Option<proto::JoinResponse>,
    /// By sid; those who left are gone.
    pub(crate) participants: HashMap<String, proto::ParticipantInfo>,
    /// Our tracks by cid.
    pub(crate) published: HashMap<String, proto::TrackInfo>,
}

/// A participant in a room. Dropping it closes its connections without a leave request.
#[derive(Debug)]
pub struct Client {
    asks: mpsc::UnboundedSender<Ask>,
    events: mpsc::UnboundedReceiver<Event>,
    state: Arc<Mutex<State>>,
    publisher: Arc<PeerHandle>,
    subscriber: Option<Arc<PeerHandle>>,
    reliable_sequence: AtomicU32,
    sources: u32,
    /// When the steps of joining were done.
    pub timings: Timings,
}

/// Numbers for the stamps of tracks: unique in the process.
static NEXT_SOURCE: AtomicU32 = AtomicU32::new(1);

impl Client {
    /// Joins: `url` is `ws://host:port`. Returns once the join response is there; media comes up behind it.
    ///
    /// # Errors
    /// See [`ConnectError`].
    pub async fn join(engine: &Engine, url: &str, token: &str, options: &Options) -> Result<Self, ConnectError> {
        let session = Session::connect(engine, url, token, options);
        let session = tokio::time::timeout(STEP_TIMEOUT, session).await;
        let (session, parts) = session.map_err(|_| ConnectError::TimedOut("join"))??;
        tokio::spawn(session.run());
        let sources = NEXT_SOURCE.fetch_add(1 << 8, Ordering::Relaxed);
        Ok(Self {
            asks: parts.asks,
            events: parts.events,
            state: parts.state,
            publisher: parts.publisher,
            subscriber: parts.subscriber,
            reliable_sequence: AtomicU32::new(1),
            sources,
            timings: parts.timings,
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The join response.
    pub fn join_response(&self) -> proto::JoinResponse {
        self.state().join.clone().unwrap_or_default()
    }

    /// Its own sid.
    pub fn sid(&self) -> String {
        self.state().join.as_ref().and_then(|j| j.participant.as_ref()).map(|p| p.sid.clone()).unwrap_or_default()
    }

    /// The participant with this identity, as last told (also itself).
    pub fn participant(&self, identity: &str) -> Option<proto::ParticipantInfo> {
        self.state().participants.values().find(|p| p.identity == identity).cloned()
    }

    /// Everybody, as last told.
    pub fn participants(&self) -> Vec<proto::ParticipantInfo> {
        self.state().participants.values().cloned().collect()
    }

    /// The next event; `None` after [`Event::Ended`].
    pub async fn next_event(&mut self) -> Option<Event> {
        self.events.recv().await
    }

    /// Waits until `pick` finds what it looks for among the events; others before it are dropped.
    ///
    /// # Errors
    /// [`ConnectError::TimedOut`] after `limit`, [`ConnectError::Ended`] when the session ends.
    pub async fn wait_for<T>(
        &mut self,
        what: &'static str,
        limit: Duration,
        mut pick: impl FnMut(&Event) -> Option<T>,
    ) -> Result<T, ConnectError> {
        let search = async {
            while let Some(event) = self.events.recv().await {
                if let Some(found) = pick(&event) {
                    return Ok(found);
                }
            }
            Err(ConnectError::Ended)
        };
        tokio::time::timeout(limit, search).await.map_err(|_| ConnectError::TimedOut(what))?
    }

    /// Waits for ICE and DTLS.
    ///
    /// # Errors
    /// As [`Client::wait_for`].
    pub async fn connected(&mut self) -> Result<Instant, ConnectError> {
        self.wait_for("connected", STEP_TIMEOUT, |event| match event {
            Event::Connected(at) => Some(*at),
            _ => None,
        })
        .await
    }

    /// All events that are there now.
    pub fn drain_events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.events.try_recv().ok()).collect()
    }

    /// Publishes a video; returns when the server has given it a sid.
    ///
    /// # Errors
    /// [`ConnectError::NotPublished`] if the server refuses; [`ConnectError::TimedOut`] after 10 s.
    pub async fn publish_video(&mut self, spec: &VideoSpec) -> Result<proto::TrackInfo, ConnectError> {
        self.sources += 1;
        self.publish(add_video(spec), Change::SendVideo(spec.clone(), self.sources)).await
    }

    /// Publishes a sound.
    ///
    /// # Errors
    /// As [`Client::publish_video`].
    pub async fn publish_audio(&mut self, spec: &AudioSpec) -> Result<proto::TrackInfo, ConnectError> {
        self.sources += 1;
        self.publish(add_audio(spec), Change::SendAudio(spec.clone(), self.sources)).await
    }

    async fn publish(&self, add: proto::AddTrackRequest, change: Change) -> Result<proto::TrackInfo, ConnectError> {
        let (answer, question) = oneshot::channel();
        self.ask(Ask::Publish(Box::new(add), change, answer))?;
        let published = tokio::time::timeout(STEP_TIMEOUT, question).await;
        published.map_err(|_| ConnectError::TimedOut("publish"))?.map_err(|_| ConnectError::Ended)?
    }

    /// Stops publishing the track with this cid.
    ///
    /// # Errors
    /// [`ConnectError::Ended`] when the session is over.
    pub fn unpublish(&self, cid: &str) -> Result<(), ConnectError> {
        self.ask(Ask::Unpublish(cid.to_owned()))
    }

    /// Sends a signalling message.
    ///
    /// # Errors
    /// [`ConnectError::Ended`] when the session is over.
    pub fn signal(&self, message: signal_request::Message) -> Result<(), ConnectError> {
        self.ask(Ask::Signal(Box::new(message)))
    }

    /// Subscribes to tracks, or unsubscribes from them (L-22).
    ///
    /// # Errors
    /// As [`Client::signal`].
    pub fn subscribe(&self, tracks: &[&str], subscribe: bool) -> Result<(), ConnectError> {
        let track_sids = tracks.iter().map(|sid| (*sid).to_owned()).collect();
        let update = proto::UpdateSubscription { track_sids, subscribe, ..Default::default() };
        self.signal(signal_request::Message::Subscription(update))
    }

    /// Mutes or unmutes a track of ours, by its cid: tells the server and stops its packets.
    ///
    /// # Errors
    /// As [`Client::signal`].
    pub fn mute(&self, cid: &str, muted: bool) -> Result<(), ConnectError> {
        let sid = self.state().published.get(cid).map(|track| track.sid.clone()).unwrap_or_default();
        let cid = cid.to_owned();
        self.publisher.post(move |peer| peer.pause(&cid, muted));
        self.signal(signal_request::Message::Mute(proto::MuteTrackRequest { sid, muted }))
    }

    /// Asks for a keyframe of a track that we receive (PLI).
    pub fn request_keyframe(&self, track: &str) {
        let track = track.to_owned();
        self.receiving().post(move |peer| peer.request_keyframe(&track));
    }

    /// Sends a user packet, to everybody or to some (L-44, L-47). False: the channel isn't open or is full.
    pub async fn send_data(&self, reliable: bool, payload: &[u8], topic: &str, to: &[&str]) -> bool {
        let user = proto::UserPacket {
            payload: payload.to_vec(),
            topic: (!topic.is_empty()).then(|| topic.to_owned()),
            ..Default::default()
        };
        let sequence = if reliable { self.reliable_sequence.fetch_add(1, Ordering::Relaxed) } else { 0 };
        let packet = proto::DataPacket {
            destination_identities: to.iter().map(|identity| (*identity).to_owned()).collect(),
            sequence,
            value: Some(proto::data_packet::Value::User(user)),
            ..Default::default()
        };
        self.send_raw_data(if reliable { RELIABLE } else { LOSSY }, packet.encode_to_vec()).await
    }

    /// Sends bytes by the channel with this label.
    pub async fn send_raw_data(&self, label: &'static str, bytes: Vec<u8>) -> bool {
        self.publisher.with(move |peer| peer.send_data(label, &bytes)).await.unwrap_or(false)
    }

    fn receiving(&self) -> &Arc<PeerHandle> {
        self.subscriber.as_ref().unwrap_or(&self.publisher)
    }

    /// What came, by track sid; tracks that ended are in it too.
    pub async fn stats(&self) -> HashMap<String, TrackStats> {
        self.receiving().with(|peer| peer.stats()).await.unwrap_or_default()
    }

    /// All that came, as one.
    pub async fn total(&self) -> TrackStats {
        self.receiving().with(|peer| peer.total()).await.unwrap_or_default()
    }

    /// m-lines of the connection that publishes and of the one that receives (single: the same).
    pub async fn sections(&self) -> (usize, usize) {
        let publisher = self.publisher.with(|peer| peer.sections()).await.unwrap_or_default();
        let receiver = self.receiving().with(|peer| peer.sections()).await.unwrap_or_default();
        (publisher, receiver)
    }

    /// The address that its media leaves from.
    pub fn media_addr(&self) -> SocketAddr {
        self.publisher.local_addr()
    }

    /// Asks the server for the time and measures the round trip of signalling.
    ///
    /// # Errors
    /// As [`Client::wait_for`].
    pub async fn ping(&mut self) -> Result<Duration, ConnectError> {
        let sent = Instant::now();
        let timestamp = i64::from(NEXT_SOURCE.fetch_add(1, Ordering::Relaxed));
        self.signal(signal_request::Message::PingReq(proto::Ping { timestamp, rtt: 0 }))?;
        let came = self.wait_for("pong", STEP_TIMEOUT, |event| match event {
            Event::Signal(message, at) => match &**message {
                signal_response::Message::PongResp(pong) if pong.last_ping_timestamp == timestamp => Some(*at),
                _ => None,
            },
            _ => None,
        });
        Ok(came.await?.saturating_duration_since(sent))
    }

    /// Leaves with a leave request, as livekit-client's `disconnect` does (L-27), and waits for the end.
    pub async fn leave(mut self) {
        let leave =
            proto::LeaveRequest { reason: proto::DisconnectReason::ClientInitiated as i32, ..Default::default() };
        if self.signal(signal_request::Message::Leave(leave)).is_err() || self.ask(Ask::Close).is_err() {
            return;
        }
        let end = async { while self.events.recv().await.is_some() {} };
        // A server that doesn't close is the server's business: the socket goes with the session.
        let _ = tokio::time::timeout(Duration::from_secs(2), end).await;
    }

    fn ask(&self, ask: Ask) -> Result<(), ConnectError> {
        self.asks.send(ask).map_err(|_| ConnectError::Ended)
    }
}

fn add_video(spec: &VideoSpec) -> proto::AddTrackRequest {
    let layer = |(index, (_, percent, divisor)): (usize, &(&str, u32, u32))| proto::VideoLayer {
        quality: i32::try_from(index).unwrap_or_default(),
        width: spec.width / divisor,
        height: spec.height / divisor,
        bitrate: spec.bitrate / 100 * percent,
        ..Default::default()
    };
    let all = VideoSpec::LAYERS.iter().enumerate().map(layer);
    let source = if spec.screen { proto::TrackSource::ScreenShare } else { proto::TrackSource::Camera };
    proto::AddTrackRequest {
        cid: spec.cid.clone(),
        r#type: proto::TrackType::Video as i32,
        source: source as i32,
        width: spec.width,
        height: spec.height,
        layers: if spec.simulcast { all.collect() } else { all.skip(2).collect() },
        simulcast_codecs: vec![proto::SimulcastCodec {
            codec: "vp8".into(),
            cid: spec.cid.clone(),
            ..Default::default()
        }],
        ..Default::default()
    }
}

fn add_audio(spec: &AudioSpec) -> proto::AddTrackRequest {
    proto::AddTrackRequest {
        cid: spec.cid.clone(),
        r#type: proto::TrackType::Audio as i32,
        source: proto::TrackSource::Microphone as i32,
        ..Default::default()
    }
}

/// Where a `ws://` URL leads: for the candidate address of the peers.
pub(crate) async fn resolve(url: &str) -> io::Result<SocketAddr> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?']).next().unwrap_or(rest);
    let mut found = tokio::net::lookup_host(authority).await?;
    found.next().ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "the server's name leads nowhere"))
}

/// A signalling connection alone, without media: for tests of what a server answers.
///
/// # Errors
/// See [`ConnectError`].
pub async fn signal_only(url: &str, token: &str) -> Result<Signal, ConnectError> {
    let hello = crate::signal::Hello::Single { offer: None };
    Ok(Signal::connect(url, token, &hello, true).await?)
}
