//! A participant's peer: its connections, its m-lines and its data channels.

use crate::bandwidth::Downlink;
use crate::data::Channels;
use crate::demux::MAX_SOURCES;
use crate::follow::Followed;
use crate::lines::{ReceiveLine, SendLine};
use crate::missed::Missed;
use crate::relay::RoomRef;
use crate::shard::CONNECT_TIMEOUT;
use crate::track::TrackKey;
use crate::way::{Origin, Via, Way};
use room::media::{DataSender, ExpectedTrack, Target};
use room::settings::ReceiveSettings;
use room::track::TrackKind;
use room::{SessionId, TrackSid};
use rtc::{Connection, Datagram, stun};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

slotmap::new_key_type! {
    /// A peer's entry on its shard.
    pub struct PeerKey;
}

/// A track that the peer is to receive and that has no m-line yet.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    pub(crate) track: TrackKey,
    pub(crate) sid: TrackSid,
    pub(crate) kind: TrackKind,
    pub(crate) stream_id: String,
    pub(crate) settings: ReceiveSettings,
}

/// An offer of ours.
#[derive(Clone, Debug)]
pub(crate) struct Offered {
    pub(crate) sdp: String,
    /// (mid, track) for each section that sends.
    pub(crate) tracks: Vec<(String, TrackSid)>,
}

/// How far a connection has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Progress {
    /// No description yet.
    New,
    /// Described; must be up by then.
    Connecting { until: Instant },
    /// ICE and DTLS are up.
    Up,
    /// All paths lost, or none of the new ICE generation there yet; gone by then unless one comes.
    Lost { until: Instant },
}

impl Progress {
    /// ICE and DTLS are up.
    pub(crate) fn is_up(self) -> bool {
        self == Self::Up
    }
}

/// One of a peer's connections and what the shard knows of it.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) connection: Connection,
    pub(crate) progress: Progress,
    /// Candidates went out with the first description.
    pub(crate) candidates_sent: bool,
    /// Ways to the peer, each proved by a check of its own, newest last.
    pub(crate) ways: Vec<Way>,
    /// The one that we last took.
    pub(crate) path: Option<Way>,
    /// Where the client is now.
    pub(crate) followed: Followed,
}

impl Link {
    pub(crate) fn new(connection: Connection) -> Self {
        Self {
            connection,
            progress: Progress::New,
            candidates_sent: false,
            ways: Vec::new(),
            path: None,
            followed: Followed::default(),
        }
    }

    /// The way that a datagram takes: the one that the client has changed to, unless it answers a check; else as the last
    /// one to the same address, or the newest. None to an address that has proved nothing.
    pub(crate) fn way(&mut self, datagram: &mut Datagram) -> Option<Way> {
        let answers = stun::is_stun(datagram.bytes());
        if let Some(way) = self.followed.way().filter(|_| !answers) {
            (datagram.destination, datagram.protocol) = (way.origin.address, way.origin.via.protocol());
            return Some(way);
        }
        let leads =
            |way: &&Way| way.origin.address == datagram.destination && way.origin.via.protocol() == datagram.protocol;
        let way = self.path.as_ref().filter(leads).or_else(|| self.ways.iter().rev().find(leads)).copied();
        self.path = way;
        if !answers {
            self.followed.takes(way.map(|way| way.origin));
        }
        way
    }

    /// Another way has proved itself. If there are too many, the oldest that nothing takes is forgotten and returned; false:
    /// there is none such.
    pub(crate) fn add_way(&mut self, way: Way) -> (bool, Option<Origin>) {
        let mut forgotten = None;
        if self.ways.len() >= MAX_SOURCES {
            let idle = |old: &Way| old.origin.via == Via::Udp && !self.followed.is_taken(old.origin);
            let Some(oldest) = self.ways.iter().position(idle) else { return (false, None) };
            forgotten = Some(self.ways.remove(oldest).origin);
        }
        self.ways.push(way);
        (true, forgotten)
    }

    /// This way is gone.
    pub(crate) fn forget(&mut self, origin: &Origin) {
        self.ways.retain(|way| way.origin != *origin);
        self.path.take_if(|way| way.origin == *origin);
        self.followed.forget(origin);
    }

    /// ICE restarts: paths have to be found as at the first time, while packets still flow on the old ones.
    pub(crate) fn restarted(&mut self, now: Instant) {
        let until = now + CONNECT_TIMEOUT;
        self.progress = match self.progress {
            Progress::New | Progress::Connecting { .. } => Progress::Connecting { until },
            Progress::Up | Progress::Lost { .. } => Progress::Lost { until },
        };
    }

    /// When its progress has to be looked at.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        match self.progress {
            Progress::Connecting { until } | Progress::Lost { until } => Some(until),
            Progress::New | Progress::Up => None,
        }
    }
}

/// Loss and round trip as heard since the last report.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LossReport {
    pub(crate) up: Option<f32>,
    pub(crate) down: Option<f32>,
    pub(crate) rtt_ms: Option<f32>,
}

#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) session: SessionId,
    pub(crate) room: Arc<RoomRef>,
    pub(crate) sender: Arc<DataSender>,
    pub(crate) publisher: Link,
    /// Dual mode only.
    pub(crate) subscriber: Option<Link>,
    /// Announced, not yet seen in an offer.
    pub(crate) expected: Vec<ExpectedTrack>,
    pub(crate) receive_lines: Vec<ReceiveLine>,
    /// Of the publisher connection in single mode, of the subscriber in dual.
    pub(crate) send_lines: Vec<SendLine>,
    pub(crate) waiting: VecDeque<Waiting>,
    pub(crate) channels: Channels,
    /// Single: sections were asked for. Dual: an offer of ours is pending.
    pub(crate) negotiating: bool,
    /// Dual: our pending offer, to be sent again if it is lost with the client's signalling.
    pub(crate) offered: Option<Offered>,
    /// Dual: our next offer restarts ICE.
    pub(crate) restart: bool,
    /// Single: what was last asked for (audio, video), and how many lines there were.
    pub(crate) asked: Option<(u32, u32, usize)>,
    /// Something changed that needs a negotiation: looked at when the turn ends.
    pub(crate) negotiate: bool,
    /// Id of the next offer of ours (dual).
    pub(crate) offer_id: u32,
    /// In the list of peers to drive at the end of the turn.
    pub(crate) dirty: bool,
    /// Its entry in the timers.
    pub(crate) armed: Option<Instant>,
    pub(crate) loss: LossReport,
    pub(crate) missed: Missed,
    pub(crate) downlink: Downlink,
    /// Its tracks may be paused where its way is too narrow.
    pub(crate) may_pause: bool,
    #[cfg(feature = "fault-injection")]
    pub(crate) faulty: bool,
}

impl Peer {
    /// The connection that carries what we send.
    pub(crate) fn sending_target(&self) -> Target {
        if self.subscriber.is_some() { Target::Subscriber } else { Target::Publisher }
    }

    /// A connection. A subscriber link that a single-mode peer hasn't is its only one.
    pub(crate) fn link(&mut self, target: Target) -> &mut Link {
        match (target, self.subscriber.as_mut()) {
            (Target::Subscriber, Some(link)) => link,
            _ => &mut self.publisher,
        }
    }

    /// The link that carries what we send.
    pub(crate) fn sending_link(&mut self) -> &mut Link {
        self.link(self.sending_target())
    }

    /// All its links.
    pub(crate) fn links(&self) -> impl Iterator<Item = &Link> {
        std::iter::once(&self.publisher).chain(self.subscriber.as_ref())
    }

    /// Its targets.
    pub(crate) fn targets(&self) -> &'static [Target] {
        if self.subscriber.is_some() { &[Target::Publisher, Target::Subscriber] } else { &[Target::Publisher] }
    }
}
