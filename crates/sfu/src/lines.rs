//! The m-lines of a peer: on which it sends, and on which it receives.

use crate::peer::Waiting;
use crate::rewrite::Rewriter;
use crate::track::TrackKey;
use room::TrackSid;
use room::media::ExpectedTrack;
use room::settings::{HIGHEST_LAYER, ReceiveSettings};
use room::track::TrackKind;
use rtc::{Codec, Connection, Mid, SendStream};

/// An m-line on which the client sends.
#[derive(Debug)]
pub(crate) struct ReceiveLine {
    pub(crate) mid: Mid,
    pub(crate) kind: TrackKind,
    /// The client's id of what it sends (`msid`).
    pub(crate) client_id: Option<String>,
    pub(crate) rids: Vec<String>,
    /// Codecs that it names, lower case, first choice first.
    pub(crate) codecs: Vec<String>,
    /// The announced track that it carries, once matched.
    pub(crate) track: Option<TrackKey>,
    /// What was announced, for the next answers.
    pub(crate) expected: Option<ExpectedTrack>,
}

/// What a send line does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Use {
    /// Free: its last description said `inactive`.
    Free,
    /// Carries this track.
    Track(TrackKey, TrackSid),
    /// Carried a track that is gone; free once a description said so. A browser tells of a new track on the line only
    /// when its direction turned.
    Draining,
}

/// An m-line on which we send.
#[derive(Debug)]
pub(crate) struct SendLine {
    pub(crate) mid: Mid,
    pub(crate) kind: TrackKind,
    pub(crate) use_: Use,
    /// `PA_…|TR_…` and `TR_…` of what it carries.
    pub(crate) stream_id: String,
    /// Negotiated: packets may go.
    pub(crate) open: bool,
    pub(crate) stream: Option<SendStream>,
    /// The receiver's payload type for the codec that it gets now.
    pub(crate) payload_type: Option<(Codec, u8)>,
    /// The receiver's payload type of Opus if it takes RED; the outer `None`: not asked yet.
    pub(crate) red: Option<Option<u8>>,
    /// How the peer wants what it carries.
    pub(crate) settings: ReceiveSettings,
    /// The highest layer that the peer's way carries; `None`: none.
    pub(crate) allowed: Option<u8>,
    pub(crate) rewriter: Rewriter,
}

impl SendLine {
    pub(crate) fn new(mid: Mid, kind: TrackKind) -> Self {
        Self {
            mid,
            kind,
            use_: Use::Free,
            stream_id: String::new(),
            open: false,
            stream: None,
            payload_type: None,
            red: None,
            settings: ReceiveSettings::default(),
            allowed: Some(HIGHEST_LAYER),
            rewriter: Rewriter::new(1),
        }
    }

    /// Takes a track on.
    pub(crate) fn assign(&mut self, waiting: Waiting) {
        self.use_ = Use::Track(waiting.track, waiting.sid);
        self.stream_id = waiting.stream_id;
        self.settings = waiting.settings;
        self.allowed = Some(HIGHEST_LAYER);
        self.open = false;
        self.payload_type = None;
        self.red = None;
    }

    /// What it carries comes from another entry: the same track in another codec.
    pub(crate) fn carry(&mut self, track: TrackKey, sid: TrackSid) {
        self.use_ = Use::Track(track, sid);
        self.payload_type = None;
    }

    /// The track that it carries.
    pub(crate) fn track(&self) -> Option<(TrackKey, &TrackSid)> {
        match &self.use_ {
            Use::Track(key, sid) => Some((*key, sid)),
            _ => None,
        }
    }

    /// A description said that nothing is sent: the line may carry another track, as another stream with numbers of
    /// its own. Under the same SSRC Chromium would decode that and show nothing: its receiver takes a stream that it
    /// has had before for the one that it still has (`VideoRtpReceiver::RestartMediaChannel`).
    pub(crate) fn free(&mut self, connection: &mut Connection) {
        self.use_ = Use::Free;
        self.stream = None;
        self.rewriter = Rewriter::new(1);
        connection.renew_stream(self.mid);
    }

    /// Stops sending.
    pub(crate) fn drain(&mut self) {
        self.use_ = Use::Draining;
        self.open = false;
    }
}
