//! One peer connection, with str0m inside.
//!
//! Feed it datagrams and the time, drain [`Output`]s until a timeout comes. It never blocks, and what a peer sends can
//! at worst end it with an error.

use crate::candidates::Candidates;
use crate::codec::Codec;
use crate::credentials::Credentials;
use crate::crypto::{Certificate, provider};
use crate::descriptor::{self, Descriptor};
use crate::negotiation::{Accepted, OfferedSection, SectionPlan, accept, check_payload_types, finish, prepare_offer};
use crate::packet::{
    ChannelId, Datagram, IngressPacket, Mid, Orientation, OutgoingPacket, Protocol, Rid, Route, SendStream, Vp8,
};
use crate::scalability::{self, Scalability, Templates};
use crate::sdp::{Sdp, SdpError};
use std::sync::Arc;
use std::time::{Duration, Instant};
use str0m::bwe::{Bitrate, BweKind};
use str0m::change::{SdpAnswer, SdpOffer, SdpPendingOffer};
use str0m::channel::{ChannelConfig, Reliability};
use str0m::media::{Direction, KeyframeRequestKind, MediaKind, MediaTime, Pt};
use str0m::net::Receive;
use str0m::rtp::{Extension, ExtensionMap, ExtensionValues, RtpPacket, RtpWrite, Ssrc};
use str0m::{IceConnectionState, IceCreds, Input, Rtc, RtcConfig};

/// Packets that a NACK may bring back: 1.4 s of video at 1.5 Mbit/s, 0.35 s at 6. Each costs its subscriber half a
/// kilobyte of cold memory beside the shared payload, so more would cost every packet more.
const RESEND_VIDEO: usize = 256;
/// What is older than this is of no use to anybody who watches live.
const RESEND_MAX_AGE: Duration = Duration::from_secs(3);
/// Most of what is sent on a stream that may be resent packets, 0..=1. A tenth of the packets lost, and of the resent ones
/// too, is a fifth more; str0m's own 0.15 gives such viewers up. Beyond half somebody asks for what they have.
const RESEND_SHARE: f32 = 0.5;
/// 2 s of audio.
const RESEND_AUDIO: usize = 100;
/// Largest data message that we take: 64,000 bytes of payload (livekit.md 2.5) and its envelope.
pub const MAX_MESSAGE_BYTES: u32 = 65_535;
/// What SCTP may hold for a receiver before [`Connection::write`] says no: 4 full messages.
const MAX_BUFFERED_BYTES: usize = 4 * MAX_MESSAGE_BYTES as usize;
/// [`Event::Writable`] comes when a channel's buffer has drained to this.
const LOW_WATER_BYTES: usize = MAX_BUFFERED_BYTES / 2;
/// Before anything is known of the way to a peer: one camera's highest layer (1.7 Mbit/s at 720p by LiveKit's presets), the
/// keyframe that it begins with, and a fifth to spare. libwebrtc begins with 0.3 Mbit/s, which would show everybody a small
/// picture first; probes correct it within a round trip or two either way.
const FIRST_ESTIMATE_BPS: u64 = 3_000_000;
/// Timeouts in a row that may be due at once and bring nothing: one for each timer inside, more would be a circle.
const MAX_IDLE_TURNS: u8 = 4;
/// How often loss and round trip are reported (livekit.md 2.8: quality every 5 s).
const STATS_INTERVAL: Duration = Duration::from_secs(5);

/// How connections of a shard are made.
#[derive(Clone, Debug)]
pub struct ConnectionConfig {
    /// Shared by all.
    pub certificate: Certificate,
    /// Addresses that clients are told.
    pub candidates: Candidates,
    /// Estimate what the way to the peer carries ([`Event::Estimate`]).
    pub congestion_control: bool,
    /// Offered, and told with each picture that we send.
    pub playout_delay: Option<PlayoutDelay>,
}

/// How long a player is to hold pictures back (webrtc.org's header extension `playout-delay`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PlayoutDelay {
    /// Milliseconds, ≤ 40,950; told in steps of 10.
    pub min_ms: u32,
    /// The same.
    pub max_ms: u32,
}

/// Why a connection can't go on, or an SDP wasn't taken.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionError {
    /// The description breaks our limits or is none.
    #[error("session description: {0}")]
    Sdp(#[from] SdpError),
    /// The description can't be negotiated.
    #[error("negotiation: {0}")]
    Negotiation(String),
    /// An answer to an offer that isn't the last.
    #[error("answer to no offer of ours")]
    NoOffer,
    /// DTLS, SRTP or SCTP failed.
    #[error("transport: {0}")]
    Transport(String),
}

/// What a drained connection says.
#[derive(Debug)]
pub enum Output {
    /// Send this.
    Transmit(Datagram),
    /// This happened.
    Event(Event),
    /// Nothing more until then (or input).
    Timeout(Instant),
}

/// What happens on a connection.
#[derive(Debug)]
pub enum Event {
    /// ICE and DTLS are up.
    Connected,
    /// Every path is lost (the peer may come back, with a check from anywhere).
    Disconnected,
    /// A path is there again, or the first one after a restart of ICE.
    Reconnected,
    /// The peer closed.
    Closed,
    /// A packet.
    Packet(IngressPacket),
    /// The peer can't decode what we send on this m-line.
    KeyframeRequest(Mid),
    /// A data channel is open, by its label.
    ChannelOpen(ChannelId, String),
    /// A message.
    Message(ChannelId, Vec<u8>),
    /// A data channel has closed.
    ChannelClosed(ChannelId),
    /// A channel that was full has room.
    Writable(ChannelId),
    /// How what the peer sends arrives, from time to time, for each stream of it.
    Ingress {
        /// Fraction of packets that was lost, if it is known.
        loss: Option<f32>,
        /// Packets asked for again since the last time: NACK messages sent.
        nacks: u64,
    },
    /// How what we send arrives, from time to time, for each stream of it.
    Egress {
        /// Fraction of packets that was lost, if the peer said so.
        loss: Option<f32>,
        /// Round trip, if known.
        rtt: Option<Duration>,
        /// NACK messages received since the last time.
        nacks: u64,
    },
    /// What the way to the peer carries of pictures, bit/s, as we estimate it from transport-wide feedback (or the peer
    /// does, by REMB, where it gives none).
    Estimate(u64),
}

/// A stream whose packets come: found once by SSRC, since only the first packets carry mid and rid.
struct IngressStream {
    ssrc: Ssrc,
    mid: Mid,
    rid: Option<Rid>,
    /// Of its dependency descriptors.
    templates: Templates,
}

/// A peer connection.
pub struct Connection {
    rtc: Rtc,
    credentials: Credentials,
    streams: Vec<IngressStream>,
    codecs: Vec<(Pt, Codec)>,
    /// Codecs that the peer may send; `None`: all.
    taken: Option<Vec<Codec>>,
    /// m-lines whose last description by the peer names RED: str0m knows it of the connection only.
    red_lines: Vec<Mid>,
    pending_offer: Option<SdpPendingOffer>,
    /// What our credentials become once the pending offer, which restarts ICE, is answered.
    next_credentials: Option<Credentials>,
    raw: Option<Sdp>,
    /// Of the offer that `raw` answers.
    accepted: Accepted,
    candidates: Candidates,
    /// No path of this ICE generation is there, though one has been, or had been of the generation before.
    lost: bool,
    congestion_control: bool,
    playout_delay: Option<PlayoutDelay>,
    nacks: Nacks,
    /// Of the last input.
    now: Instant,
    /// Timeouts since the last output that were due at once.
    idle_turns: u8,
}

/// Which way media goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Way {
    In,
    Out,
}

/// NACKs of each stream when they were counted last: str0m tells totals, and forgets them with the stream.
#[derive(Debug, Default)]
struct Nacks(Vec<(Way, (str0m::media::Mid, Option<str0m::media::Rid>), u64)>);

impl Nacks {
    fn since(&mut self, way: Way, stream: (str0m::media::Mid, Option<str0m::media::Rid>), total: u64) -> u64 {
        match self.0.iter_mut().find(|known| (known.0, known.1) == (way, stream)) {
            // Less than before: another stream has taken its place.
            Some((.., before)) => total.checked_sub(std::mem::replace(before, total)).unwrap_or(total),
            None => {
                self.0.push((way, stream, total));
                total
            }
        }
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("credentials", &self.credentials).finish_non_exhaustive()
    }
}

impl Connection {
    /// A connection that waits for an offer, or makes one.
    pub fn new(config: &ConnectionConfig, credentials: Credentials, now: Instant) -> Self {
        let mut rtc = rtc_config(config, &credentials).build(now);
        for candidate in config.candidates.to_strom() {
            rtc.add_local_candidate(candidate);
        }
        Self {
            rtc,
            credentials,
            streams: Vec::new(),
            codecs: Vec::new(),
            taken: None,
            red_lines: Vec::new(),
            pending_offer: None,
            next_credentials: None,
            raw: None,
            accepted: Accepted::new(),
            candidates: config.candidates.clone(),
            lost: false,
            congestion_control: config.congestion_control,
            playout_delay: config.playout_delay,
            now,
            nacks: Nacks::default(),
            idle_turns: 0,
        }
    }

    /// Our ICE credentials now.
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// What they become once our pending offer is answered, if it restarts ICE.
    pub fn next_credentials(&self) -> Option<&Credentials> {
        self.next_credentials.as_ref()
    }

    /// `candidate:…` lines of our addresses, for trickling.
    pub fn candidate_lines(&self) -> Vec<String> {
        self.candidates.lines(&self.credentials.ufrag)
    }

    /// Takes an offer. The answer is [`Connection::finish`]ed once its sections are planned.
    ///
    /// `fresh` becomes our credentials if the offer restarts ICE.
    ///
    /// # Errors
    /// A description that can't be taken. One that breaks no rule of ours may have been taken in part: the peer has to
    /// connect anew.
    pub fn accept_offer(&mut self, offer: &str, fresh: Credentials) -> Result<Vec<OfferedSection>, ConnectionError> {
        let mut offer = Sdp::parse(offer)?;
        let mut sections = offer.sections.iter().filter_map(OfferedSection::read).collect::<Vec<_>>();
        for section in sections.iter_mut().filter(|section| section.client_sends) {
            section.codecs.retain(|name| Codec::from_name(name).is_some_and(|codec| is_taken(&self.taken, codec)));
        }
        if sections.len() != offer.sections.len() {
            return Err(ConnectionError::Negotiation("a section without mid or of an unknown kind".into()));
        }
        check_payload_types(&offer).map_err(ConnectionError::Negotiation)?;
        let accepted = prepare_offer(&mut offer, self.congestion_control);
        let red_lines = red_lines(&offer);
        let offer = SdpOffer::from_sdp_string(&offer.to_string()).map_err(negotiation_error)?;
        let answer = self.rtc.sdp_api().accept_offer(offer).map_err(negotiation_error)?;
        self.restarted_with(fresh);
        self.raw = Some(Sdp::parse(&answer.to_sdp_string())?);
        self.accepted = accepted;
        self.learn_codecs(red_lines);
        Ok(sections)
    }

    /// The finished answer (or offer), with one plan for each section by position.
    pub fn finish(&mut self, plans: &[SectionPlan]) -> Option<String> {
        let mut sdp = self.raw.take()?;
        let credentials = self.next_credentials.as_ref().unwrap_or(&self.credentials);
        finish(&mut sdp, plans, credentials);
        accept(&mut sdp, &std::mem::take(&mut self.accepted));
        for (section, plan) in sdp.sections.iter_mut().zip(plans) {
            if matches!(plan, SectionPlan::Receive(_)) {
                section.retain_codecs(|name| Codec::from_name(name).is_none_or(|codec| is_taken(&self.taken, codec)));
            }
        }
        let lines = self.candidates.lines(&credentials.ufrag);
        for (index, section) in sdp.sections.iter_mut().enumerate() {
            section.remove_attribute("candidate");
            if index == 0 {
                section.lines.extend(lines.iter().map(|line| format!("a={line}")));
            }
        }
        Some(sdp.to_string())
    }

    /// Adds a section of ours to the next offer. An offer that is still pending is taken back.
    pub fn next_offer(&mut self) -> OfferBuilder<'_> {
        self.pending_offer = None;
        self.next_credentials = None;
        OfferBuilder {
            api: self.rtc.sdp_api(),
            pending: &mut self.pending_offer,
            next_credentials: &mut self.next_credentials,
            raw: &mut self.raw,
        }
    }

    /// Takes the answer to our offer.
    ///
    /// # Errors
    /// [`ConnectionError::NoOffer`] if none is pending; else the answer can't be taken.
    pub fn accept_answer(&mut self, answer: &str) -> Result<(), ConnectionError> {
        let pending = self.pending_offer.take().ok_or(ConnectionError::NoOffer)?;
        let mut answer = Sdp::parse(answer)?;
        check_payload_types(&answer).map_err(ConnectionError::Negotiation)?;
        prepare_offer(&mut answer, self.congestion_control);
        let red_lines = red_lines(&answer);
        let answer = SdpAnswer::from_sdp_string(&answer.to_string()).map_err(negotiation_error)?;
        self.rtc.sdp_api().accept_answer(pending, answer).map_err(negotiation_error)?;
        if let Some(next) = self.next_credentials.take() {
            self.restarted_with(next);
        }
        self.learn_codecs(red_lines);
        Ok(())
    }

    /// If ICE has just restarted, these are our credentials now: str0m draws its own, which name no shard. Whatever paths
    /// there were belong to the generation before; packets still flow on them until one of the new is there.
    fn restarted_with(&mut self, fresh: Credentials) {
        let restarted = self.rtc.direct_api().local_ice_credentials().ufrag != self.credentials.ufrag;
        if restarted {
            self.credentials = fresh;
            self.rtc.direct_api().set_local_ice_credentials(ice_creds(&self.credentials));
            self.lost = true;
        }
    }

    fn learn_codecs(&mut self, red_lines: Vec<Mid>) {
        let params = self.rtc.codec_config().params();
        let plain = params.iter().filter_map(|p| Codec::from_strom(p.spec().codec).map(|codec| (p.pt(), codec)));
        let redundant = params.iter().filter_map(|p| p.red()).map(|pt| (pt, Codec::Red));
        self.codecs = plain.chain(redundant).collect();
        self.red_lines = red_lines;
        self.streams.clear();
    }

    /// From now on the peer may send only these codecs (lower case: `vp8`): answers leave out the others, and their packets
    /// are dropped.
    pub fn take_only(&mut self, codecs: &[String]) {
        self.taken = Some(codecs.iter().filter_map(|name| Codec::from_name(name)).collect());
    }

    /// The payload type under which this m-line's receiver takes a codec, if it does.
    pub fn payload_type(&self, mid: Mid, codec: Codec) -> Option<u8> {
        if codec == Codec::Red {
            return self.red_payload_type(mid);
        }
        let media = self.rtc.media(mid.0)?;
        media.remote_pts().iter().find(|pt| self.codecs.contains(&(**pt, codec))).map(|pt| **pt)
    }

    fn red_payload_type(&self, mid: Mid) -> Option<u8> {
        let (payload_type, _) = self.codecs.iter().find(|(_, codec)| *codec == Codec::Red)?;
        self.red_lines.contains(&mid).then_some(**payload_type)
    }

    /// The stream that we send on an m-line, once negotiated.
    pub fn send_stream(&mut self, mid: Mid) -> Option<SendStream> {
        let pictures = self.rtc.media(mid.0).is_some_and(|media| media.kind() == MediaKind::Video);
        let mut api = self.rtc.direct_api();
        let stream = api.stream_tx_by_mid(mid.0, None)?;
        if pictures {
            stream.set_rtx_cache(RESEND_VIDEO, RESEND_MAX_AGE, Some(RESEND_SHARE));
        }
        // What is forwarded was paced by its publisher. Held back here, a keyframe would come as late as it is large; what
        // the way can't carry, the allocator takes off. Only probes are paced.
        stream.set_unpaced(true);
        Some(SendStream { ssrc: stream.ssrc() })
    }

    /// What we send on an m-line from now on is another stream: new SSRCs, sequence numbers from the caller's start.
    /// The next description tells of it.
    pub fn renew_stream(&mut self, mid: Mid) {
        let mut api = self.rtc.direct_api();
        let Some((old, repaired)) = api.stream_tx_by_mid(mid.0, None).map(|tx| (tx.ssrc(), tx.rtx().is_some())) else {
            return;
        };
        let (ssrc, repair) = (api.new_ssrc(), api.new_ssrc());
        // Not `reset_stream_tx`: it leaves the stream to be found under its old SSRC.
        api.remove_stream_tx(old);
        api.declare_stream_tx(ssrc, repaired.then_some(repair), mid.0, None);
    }

    /// Is this STUN datagram for us, with a valid MESSAGE-INTEGRITY? (RFC 8445 section 7.3.)
    pub fn verifies(&self, now: Instant, route: Route, datagram: &[u8]) -> bool {
        receive(route, datagram).is_ok_and(|receive| self.rtc.accepts(&Input::Receive(now, receive)))
    }

    /// A datagram came. What can't be parsed is dropped.
    ///
    /// # Errors
    /// The connection is broken and must be dropped.
    pub fn handle_datagram(&mut self, now: Instant, route: Route, datagram: &[u8]) -> Result<(), ConnectionError> {
        let Ok(receive) = receive(route, datagram) else { return Ok(()) };
        self.now = now;
        self.rtc.handle_input(Input::Receive(now, receive)).map_err(transport_error)
    }

    /// Time passed.
    ///
    /// # Errors
    /// The connection is broken and must be dropped.
    pub fn handle_timeout(&mut self, now: Instant) -> Result<(), ConnectionError> {
        self.now = now;
        self.rtc.handle_input(Input::Timeout(now)).map_err(transport_error)
    }

    /// What comes out. Drain until [`Output::Timeout`].
    ///
    /// # Errors
    /// The connection is broken and must be dropped.
    pub fn poll(&mut self) -> Result<Output, ConnectionError> {
        loop {
            match self.rtc.poll_output().map_err(transport_error)? {
                str0m::Output::Timeout(at) if self.goes_on(at) => {
                    self.rtc.handle_input(Input::Timeout(self.now)).map_err(transport_error)?;
                }
                str0m::Output::Timeout(at) => return Ok(Output::Timeout(at)),
                str0m::Output::Transmit(transmit) => {
                    self.idle_turns = 0;
                    let protocol =
                        if transmit.proto == Protocol::Udp.to_strom() { Protocol::Udp } else { Protocol::Tcp };
                    let (source, destination) = (transmit.source, transmit.destination);
                    let contents = transmit.contents;
                    return Ok(Output::Transmit(Datagram { source, destination, protocol, contents }));
                }
                str0m::Output::Event(event) => {
                    if let Some(event) = self.translate(event) {
                        return Ok(Output::Event(event));
                    }
                }
            }
        }
    }

    /// With estimation str0m gives one packet for each timeout. What is due now leaves in this turn, so that a frame's
    /// packets still share a send call.
    fn goes_on(&mut self, at: Instant) -> bool {
        self.idle_turns = self.idle_turns.saturating_add(1);
        let goes_on = self.congestion_control && at <= self.now && self.idle_turns <= MAX_IDLE_TURNS;
        if !goes_on {
            self.idle_turns = 0;
        }
        goes_on
    }

    fn translate(&mut self, event: str0m::Event) -> Option<Event> {
        use str0m::Event as Strom;
        match event {
            Strom::RtpPacket(packet) => self.ingress(packet).map(Event::Packet),
            Strom::KeyframeRequest(request) => Some(Event::KeyframeRequest(Mid(request.mid))),
            Strom::Connected => Some(Event::Connected),
            Strom::IceConnectionStateChange(state) => self.ice_state(state),
            Strom::ChannelOpen(id, label) => {
                if let Some(mut channel) = self.rtc.channel(id) {
                    channel.set_buffered_amount_low_threshold(LOW_WATER_BYTES);
                }
                Some(Event::ChannelOpen(ChannelId(id), label))
            }
            Strom::ChannelData(data) => Some(Event::Message(ChannelId(data.id), data.data)),
            Strom::ChannelClose(id) => Some(Event::ChannelClosed(ChannelId(id))),
            Strom::ChannelBufferedAmountLow(id) => Some(Event::Writable(ChannelId(id))),
            Strom::MediaIngressStats(stats) => {
                let nacks = self.nacks.since(Way::In, (stats.mid, stats.rid), stats.nacks);
                Some(Event::Ingress { loss: stats.loss, nacks })
            }
            Strom::MediaEgressStats(stats) => {
                let nacks = self.nacks.since(Way::Out, (stats.mid, stats.rid), stats.nacks);
                Some(Event::Egress { loss: stats.loss, rtt: stats.rtt, nacks })
            }
            Strom::EgressBitrateEstimate(BweKind::Twcc { estimate, can_probe: true }) => {
                Some(Event::Estimate(estimate.as_u64()))
            }
            Strom::EgressBitrateEstimate(BweKind::Remb { estimate, .. }) => Some(Event::Estimate(estimate.as_u64())),
            Strom::Closed => Some(Event::Closed),
            _ => None,
        }
    }

    fn ice_state(&mut self, state: IceConnectionState) -> Option<Event> {
        match state {
            IceConnectionState::Disconnected => {
                let news = !std::mem::replace(&mut self.lost, true);
                news.then_some(Event::Disconnected)
            }
            state if state.is_connected() => std::mem::take(&mut self.lost).then_some(Event::Reconnected),
            _ => None,
        }
    }

    fn ingress(&mut self, packet: RtpPacket) -> Option<IngressPacket> {
        let ssrc = packet.header.ssrc;
        let at = match self.streams.iter().position(|stream| stream.ssrc == ssrc) {
            Some(at) => at,
            None => self.find_stream(ssrc)?,
        };
        let codec = self.codecs.iter().find(|(pt, _)| *pt == packet.header.payload_type)?.1;
        if !is_taken(&self.taken, codec) {
            return None;
        }
        let extensions = &packet.header.ext_vals;
        let stream = &mut self.streams[at];
        let descriptor = Descriptor::of(extensions);
        let described = descriptor.as_ref().and_then(|descriptor| stream.templates.read(descriptor.bytes()));
        let scalability = match codec {
            Codec::Vp9 => scalability::vp9(&packet.payload),
            Codec::Av1 => described,
            _ => None,
        };
        // libwebrtc leaves out of VP8's own descriptor what the dependency descriptor says.
        let own = if codec == Codec::Vp8 { scalability::vp8(&packet.payload) } else { None };
        let temporal = own.or(scalability.or(described).map(Scalability::temporal));
        Some(IngressPacket {
            mid: stream.mid,
            rid: stream.rid,
            ssrc: *ssrc,
            codec,
            sequence: *packet.seq_no,
            timestamp: packet.header.timestamp,
            marker: packet.header.marker,
            // RFC 6464 counts in -dBov; str0m gives the negative.
            audio_level: extensions.audio_level.map(|level| level.unsigned_abs().min(127)),
            voice: extensions.voice_activity,
            orientation: extensions.video_orientation.map(Orientation),
            vp8: (codec == Codec::Vp8).then(|| Vp8::parse(&packet.payload)).flatten(),
            payload: packet.payload,
            scalability,
            temporal,
            descriptor: descriptor.filter(|_| codec == Codec::Av1),
            arrival: packet.timestamp,
        })
    }

    fn find_stream(&mut self, ssrc: Ssrc) -> Option<usize> {
        let mut api = self.rtc.direct_api();
        let stream = api.stream_rx(&ssrc)?;
        let (mid, rid, templates) = (Mid(stream.mid()), stream.rid().map(Rid), Templates::default());
        self.streams.push(IngressStream { ssrc, mid, rid, templates });
        Some(self.streams.len() - 1)
    }

    /// Queues a packet; it leaves with the next [`Connection::handle_timeout`] and [`Connection::poll`]. Returns false
    /// if there is no such stream.
    pub fn send(&mut self, stream: SendStream, packet: &OutgoingPacket<'_>) -> bool {
        let mut api = self.rtc.direct_api();
        let Some(tx) = api.stream_tx(&stream.ssrc) else { return false };
        let from = packet.from;
        let mut write = RtpWrite::new(
            Pt::new_with_value(packet.payload_type),
            packet.sequence.into(),
            packet.timestamp,
            from.arrival,
            if packet.hollow { Arc::from([]) } else { Arc::clone(&from.payload) },
        )
        .marker(packet.marker)
        .nackable(!from.codec.is_audio())
        .ext_vals(extension_values(packet, self.playout_delay));
        let rewrite = packet.vp8.filter(|_| !packet.hollow);
        if let Some(patch) = rewrite.and_then(|rewrite| from.vp8?.patch(rewrite)) {
            write = write.vp8_patch(patch);
        }
        tx.write_rtp(write);
        true
    }

    /// How much we would like to send, bit/s: so far probes look.
    pub fn set_desired_bitrate(&mut self, bps: u64) {
        self.rtc.bwe().set_bitrate(Bitrate::ZERO, Bitrate::from(bps));
    }

    /// Forgets what was learnt of the way and begins anew with this estimate, bit/s: probes find out what more it carries.
    pub fn restart_estimate(&mut self, bps: u64) {
        self.rtc.bwe().reset(Bitrate::from(bps));
    }

    /// Asks the peer for a keyframe (PLI, RFC 4585 section 6.3.1). False if it sends no such stream yet.
    pub fn request_keyframe(&mut self, mid: Mid, rid: Option<Rid>) -> bool {
        match self.rtc.direct_api().stream_rx_by_mid(mid.0, rid.map(|rid| rid.0)) {
            Some(stream) => {
                stream.request_keyframe(KeyframeRequestKind::Pli);
                true
            }
            None => false,
        }
    }

    /// Writes a binary message. False: the channel is full, or gone.
    pub fn write(&mut self, channel: ChannelId, message: &[u8]) -> bool {
        self.rtc.channel(channel.0).is_some_and(|mut channel| channel.write(true, message).unwrap_or(false))
    }

    /// Bytes that wait in a channel.
    pub fn buffered(&mut self, channel: ChannelId) -> usize {
        self.rtc.channel(channel.0).map_or(0, |mut channel| channel.buffered_amount())
    }

    /// Says goodbye: what [`Connection::poll`] still gives must be sent.
    pub fn close(&mut self) {
        // An error here means there is nobody to say goodbye to.
        let _ = self.rtc.close();
    }
}

/// Gathers changes for an offer of ours.
pub struct OfferBuilder<'a> {
    api: str0m::change::SdpApi<'a>,
    pending: &'a mut Option<SdpPendingOffer>,
    next_credentials: &'a mut Option<Credentials>,
    raw: &'a mut Option<Sdp>,
}

impl OfferBuilder<'_> {
    /// A data channel that we open.
    pub fn add_channel(&mut self, label: &str, reliable: bool) -> ChannelId {
        let reliability = if reliable { Reliability::Reliable } else { Reliability::MaxRetransmits { retransmits: 0 } };
        let config = ChannelConfig { label: label.to_owned(), ordered: reliable, reliability, ..Default::default() };
        ChannelId(self.api.add_channel_with_config(config))
    }

    /// A new section on which we send.
    pub fn add_send_section(&mut self, audio: bool) -> Mid {
        let kind = if audio { MediaKind::Audio } else { MediaKind::Video };
        Mid(self.api.add_media(kind, Direction::SendOnly, None, None, None))
    }

    /// An existing section begins or stops sending.
    pub fn set_sending(&mut self, mid: Mid, sending: bool) {
        let direction = if sending { Direction::SendOnly } else { Direction::Inactive };
        self.api.set_direction(mid.0, direction);
    }

    /// Restarts ICE: `fresh` becomes our credentials when the offer is answered. Until then everything goes on as it is.
    pub fn restart_ice(&mut self, fresh: Credentials) {
        self.api.ice_restart(true);
        *self.next_credentials = Some(fresh);
    }

    /// Makes the offer: the mids of its sections by position, to plan them. `None`: nothing to offer.
    pub fn make(self) -> Option<Vec<String>> {
        let (offer, pending) = self.api.apply()?;
        let sdp = Sdp::parse(&offer.to_sdp_string()).ok()?;
        let mids = sdp.sections.iter().map(|section| section.mid().unwrap_or_default().to_owned()).collect();
        *self.raw = Some(sdp);
        *self.pending = Some(pending);
        Some(mids)
    }
}

fn receive(route: Route, datagram: &[u8]) -> Result<Receive<'_>, str0m::error::NetError> {
    Receive::new(route.protocol.to_strom(), route.source, route.destination, datagram)
}

fn rtc_config(config: &ConnectionConfig, credentials: &Credentials) -> RtcConfig {
    let estimate = config.congestion_control.then_some(Bitrate::from(FIRST_ESTIMATE_BPS));
    RtcConfig::new()
        .enable_bwe(estimate)
        .set_crypto_provider(provider())
        .set_dtls_cert(config.certificate.0.clone())
        .set_local_ice_credentials(ice_creds(credentials))
        .set_ice_lite(true)
        .set_rtp_mode(true)
        .set_stats_interval(Some(STATS_INTERVAL))
        .set_send_buffer_video(RESEND_VIDEO)
        .set_send_buffer_audio(RESEND_AUDIO)
        .set_sctp_max_message_size(MAX_MESSAGE_BYTES)
        .set_sctp_max_buffered_amount(MAX_BUFFERED_BYTES)
        .set_extension_map(extensions(config.playout_delay.is_some()))
        .clear_codecs()
        .enable_opus(true, true)
        .enable_vp8(true)
        .enable_h264(true)
        .enable_vp9(true)
        .enable_av1(true)
}

fn is_taken(taken: &Option<Vec<Codec>>, codec: Codec) -> bool {
    taken.as_ref().is_none_or(|taken| taken.contains(&codec))
}

/// The m-lines that name RED for their Opus.
fn red_lines(sdp: &Sdp) -> Vec<Mid> {
    let named = sdp.sections.iter().filter(|section| !section.payload_types("red").is_empty());
    named.filter_map(|section| section.mid().map(Mid::from)).collect()
}

/// What we read or write. Numbers only matter in our own offers; Chrome's are used here.
fn extensions(playout_delay: bool) -> ExtensionMap {
    let mut map = ExtensionMap::empty();
    if playout_delay {
        map.set(5, Extension::PlayoutDelay);
    }
    map.set(1, Extension::AudioLevel);
    map.set(3, Extension::TransportSequenceNumber);
    map.set(4, Extension::RtpMid);
    map.set(10, Extension::RtpStreamId);
    map.set(11, Extension::RepairedRtpStreamId);
    map.set(13, Extension::VideoOrientation);
    map.set(14, descriptor::extension());
    map
}

fn extension_values(packet: &OutgoingPacket<'_>, playout_delay: Option<PlayoutDelay>) -> ExtensionValues {
    let from = packet.from;
    let mut values = ExtensionValues {
        audio_level: from.audio_level.map(|level| -(level as i8)),
        voice_activity: from.voice,
        video_orientation: from.orientation.map(|orientation| orientation.0),
        ..Default::default()
    };
    if let Some(PlayoutDelay { min_ms, max_ms }) = playout_delay.filter(|_| !from.codec.is_audio()) {
        values.play_delay_min = Some(MediaTime::from_hundredths((min_ms / 10).into()));
        values.play_delay_max = Some(MediaTime::from_hundredths((max_ms / 10).into()));
    }
    if let Some(descriptor) = from.descriptor.as_ref().filter(|_| !packet.hollow) {
        descriptor.put_into(&mut values);
    }
    values
}

fn ice_creds(credentials: &Credentials) -> IceCreds {
    IceCreds { ufrag: credentials.ufrag.clone(), pass: credentials.password.clone() }
}

fn negotiation_error(error: impl std::fmt::Display) -> ConnectionError {
    ConnectionError::Negotiation(error.to_string())
}

fn transport_error(error: impl std::fmt::Display) -> ConnectionError {
    ConnectionError::Transport(error.to_string())
}
