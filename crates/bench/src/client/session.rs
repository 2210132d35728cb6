//! The task of a participant: reads the server's messages, negotiates, tells the client what happens.

use super::{ConnectError, DataReceived, Event, Mode, Options, State, Timings, resolve};
use crate::engine::{Engine, PeerHandle};
use crate::peer::{Change, PeerEvent};
use crate::signal::{Hello, Signal, description};
use livekit_protocol as proto;
use prost::Message as _;
use proto::{signal_request, signal_response};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};

/// livekit-client opens with this many sections of each kind to receive by (livekit.md 2.5).
const FIRST_SECTIONS: u32 = 3;
/// The server's `ping_interval`.
const PING_INTERVAL: Duration = Duration::from_secs(5);

type Published = oneshot::Sender<Result<proto::TrackInfo, ConnectError>>;

/// What the client's handle asks of its task.
pub(super) enum Ask {
    Publish(Box<proto::AddTrackRequest>, Change, Published),
    Unpublish(String),
    Signal(Box<signal_request::Message>),
    Close,
}

/// What the client's handle keeps.
pub(super) struct Parts {
    pub(super) asks: mpsc::UnboundedSender<Ask>,
    pub(super) events: mpsc::UnboundedReceiver<Event>,
    pub(super) state: Arc<Mutex<State>>,
    pub(super) publisher: Arc<PeerHandle>,
    pub(super) subscriber: Option<Arc<PeerHandle>>,
    pub(super) timings: Timings,
}

/// The task's own.
pub(super) struct Session {
    signal: Signal,
    publisher: Arc<PeerHandle>,
    subscriber: Option<Arc<PeerHandle>>,
    publisher_events: mpsc::UnboundedReceiver<PeerEvent>,
    subscriber_events: mpsc::UnboundedReceiver<PeerEvent>,
    asks: mpsc::UnboundedReceiver<Ask>,
    events: mpsc::UnboundedSender<Event>,
    state: Arc<Mutex<State>>,
    wanted: Vec<Change>,
    in_flight: Option<u32>,
    next_offer: u32,
    publishing: HashMap<String, Published>,
}

impl Session {
    pub(super) async fn connect(
        engine: &Engine,
        url: &str,
        token: &str,
        options: &Options,
    ) -> Result<(Self, Parts), ConnectError> {
        let server = resolve(url).await?.ip();
        let (to_publisher, publisher_events) = mpsc::unbounded_channel();
        let (to_subscriber, subscriber_events) = mpsc::unbounded_channel();
        let publisher = Arc::new(engine.add_peer(server, options.via, to_publisher)?);
        let (hello, subscriber) = match options.mode {
            Mode::Single => {
                let first = [Change::Receive { audio: FIRST_SECTIONS, video: FIRST_SECTIONS }, Change::Channels];
                let offer = publisher.with(move |peer| peer.offer(&first)).await.flatten();
                (Hello::Single { offer }, None)
            }
            Mode::Dual => (Hello::Dual, Some(Arc::new(engine.add_peer(server, options.via, to_subscriber)?))),
        };
        let began = Instant::now();
        let mut signal = Signal::connect(url, token, &hello, options.auto_subscribe).await?;
        let upgraded = Instant::now();
        let Some(signal_response::Message::Join(join)) = signal.next().await else {
            return Err(ConnectError::NoJoin);
        };
        let timings = Timings { began, upgraded, joined: Instant::now() };
        let state = Arc::new(Mutex::new(State::default()));
        let (events, client_events) = mpsc::unbounded_channel();
        let (ask, asks) = mpsc::unbounded_channel();
        let single = options.mode == Mode::Single;
        let mut session = Self {
            signal,
            publisher: publisher.clone(),
            subscriber: subscriber.clone(),
            publisher_events,
            subscriber_events,
            asks,
            events,
            state: state.clone(),
            wanted: if single { Vec::new() } else { vec![Change::Channels] },
            in_flight: single.then_some(1),
            next_offer: if single { 2 } else { 1 },
            publishing: HashMap::new(),
        };
        session.take_join(join);
        Ok((session, Parts { asks: ask, events: client_events, state, publisher, subscriber, timings }))
    }

    pub(super) async fn run(mut self) {
        let mut ping = tokio::time::interval(PING_INTERVAL);
        ping.tick().await;
        let mut going = self.negotiate().await;
        while going {
            going = tokio::select! {
                message = self.signal.next() => match message {
                    Some(message) => self.on_message(message).await,
                    None => false,
                },
                Some(event) = self.publisher_events.recv() => self.on_peer(event, true),
                Some(event) = self.subscriber_events.recv() => self.on_peer(event, false),
                ask = self.asks.recv() => match ask {
                    Some(ask) => self.on_ask(ask).await,
                    None => false,
                },
                _ = ping.tick() => self.send_ping().await,
            };
        }
        self.signal.close().await;
        // The handle may be gone: then nobody listens.
        let _ = self.events.send(Event::Ended);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_join(&mut self, join: proto::JoinResponse) {
        let mut state = self.state();
        let all = join.other_participants.iter().chain(&join.participant);
        for participant in all.cloned().collect::<Vec<_>>() {
            state.participants.insert(participant.sid.clone(), participant);
        }
        state.join = Some(join);
    }

    async fn send(&mut self, message: signal_request::Message) -> bool {
        self.signal.send(message).await.is_ok()
    }

    async fn send_ping(&mut self) -> bool {
        self.send(signal_request::Message::PingReq(proto::Ping { timestamp: 0, rtt: 0 })).await
    }

    // ---- negotiation: one offer at a time ----

    async fn negotiate(&mut self) -> bool {
        if self.in_flight.is_some() || self.wanted.is_empty() {
            return true;
        }
        let changes = std::mem::take(&mut self.wanted);
        let Some(sdp) = self.publisher.with(move |peer| peer.offer(&changes)).await.flatten() else {
            return true;
        };
        let id = self.next_offer;
        self.next_offer += 1;
        self.in_flight = Some(id);
        self.send(signal_request::Message::Offer(description("offer", sdp, id))).await
    }

    async fn on_answer(&mut self, answer: proto::SessionDescription) -> bool {
        if self.in_flight != Some(answer.id) {
            return true; // livekit-client ignores answers to older offers
        }
        self.in_flight = None;
        let (sdp, tracks) = (answer.sdp, answer.mid_to_track_id);
        let taken = self.publisher.with(move |peer| peer.accept_answer(&sdp, &tracks).map_err(|e| e.to_string())).await;
        if let Some(Err(error)) = taken {
            eprintln!("bench: answer {} refused: {error}", answer.id);
        }
        self.negotiate().await
    }

    async fn on_offer(&mut self, offer: proto::SessionDescription) -> bool {
        let Some(subscriber) = self.subscriber.clone() else {
            return true;
        };
        let (sdp, tracks) = (offer.sdp, offer.mid_to_track_id);
        let answer = subscriber.with(move |peer| peer.accept_offer(&sdp, &tracks).map_err(|e| e.to_string())).await;
        match answer {
            Some(Ok(sdp)) => self.send(signal_request::Message::Answer(description("answer", sdp, offer.id))).await,
            Some(Err(error)) => {
                eprintln!("bench: offer {} refused: {error}", offer.id);
                true
            }
            None => false,
        }
    }

    fn on_trickle(&self, trickle: &proto::TrickleRequest) {
        let Ok(init) = serde_json::from_str::<CandidateInit>(&trickle.candidate_init) else {
            return;
        };
        let subscriber = trickle.target == proto::SignalTarget::Subscriber as i32;
        let peer = self.subscriber.as_ref().filter(|_| subscriber).unwrap_or(&self.publisher);
        peer.post(move |peer| peer.add_candidate(&init.candidate));
    }

    // ---- what comes ----

    async fn on_message(&mut self, message: signal_response::Message) -> bool {
        use signal_response::Message as M;
        let going = match &message {
            M::Answer(answer) => self.on_answer(answer.clone()).await,
            M::Offer(offer) => self.on_offer(offer.clone()).await,
            M::MediaSectionsRequirement(more) => {
                let (audio, video) = (more.num_audios, more.num_videos);
                let change = if audio + video == 0 { Change::Again } else { Change::Receive { audio, video } };
                self.wanted.push(change);
                self.negotiate().await
            }
            M::Trickle(trickle) => {
                self.on_trickle(trickle);
                true
            }
            M::Update(update) => {
                self.take_update(update);
                true
            }
            M::TrackPublished(published) => {
                self.take_published(published);
                true
            }
            M::RequestResponse(response) => {
                self.take_refusal(response);
                true
            }
            M::Leave(_) => false,
            _ => true,
        };
        // The handle may be gone: the session ends with its ask channel.
        let _ = self.events.send(Event::Signal(Box::new(message), Instant::now()));
        going
    }

    fn take_update(&mut self, update: &proto::ParticipantUpdate) {
        let mut state = self.state();
        for participant in &update.participants {
            if participant.state == proto::participant_info::State::Disconnected as i32 {
                state.participants.remove(&participant.sid);
            } else {
                state.participants.insert(participant.sid.clone(), participant.clone());
            }
        }
    }

    fn take_published(&mut self, published: &proto::TrackPublishedResponse) {
        let track = published.track.clone().unwrap_or_default();
        self.state().published.insert(published.cid.clone(), track.clone());
        if let Some(waiting) = self.publishing.remove(&published.cid) {
            // The caller may have stopped waiting.
            let _ = waiting.send(Ok(track));
        }
    }

    fn take_refusal(&mut self, response: &proto::RequestResponse) {
        let Some(proto::request_response::Request::AddTrack(add)) = &response.request else {
            return;
        };
        if let Some(waiting) = self.publishing.remove(&add.cid) {
            // The caller may have stopped waiting.
            let _ =
                waiting.send(Err(ConnectError::NotPublished(format!("{:?}: {}", response.reason(), response.message))));
        }
    }

    fn on_peer(&mut self, event: PeerEvent, publisher: bool) -> bool {
        let event = match event {
            PeerEvent::Connected if publisher => Event::Connected(Instant::now()),
            PeerEvent::Connected | PeerEvent::ChannelOpen(_) => return true,
            PeerEvent::Closed => Event::MediaClosed,
            PeerEvent::FirstFrame { track, at } => Event::FirstFrame { track, at },
            PeerEvent::KeyframeRequested { cid } => Event::KeyframeRequested { cid },
            PeerEvent::Data { label, bytes, at } => match proto::DataPacket::decode(&bytes[..]) {
                Ok(packet) => Event::Data(Box::new(DataReceived { label, packet, at })),
                Err(_) => return true,
            },
        };
        // The handle may be gone: the session ends with its ask channel.
        let _ = self.events.send(event);
        true
    }

    // ---- what the handle asks ----

    async fn on_ask(&mut self, ask: Ask) -> bool {
        match ask {
            Ask::Publish(add, change, published) => {
                self.publishing.insert(add.cid.clone(), published);
                self.wanted.push(change);
                // In parallel, as livekit-client does when the server named its codecs (livekit.md 2.4).
                self.send(signal_request::Message::AddTrack(*add)).await && self.negotiate().await
            }
            Ask::Unpublish(cid) => {
                self.wanted.push(Change::Stop(cid));
                self.negotiate().await
            }
            Ask::Signal(message) => self.send(*message).await,
            Ask::Close => false,
        }
    }
}

/// `RTCIceCandidateInit`, what matters of it.
#[derive(serde::Deserialize)]
struct CandidateInit {
    candidate: String,
}
