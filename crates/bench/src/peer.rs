//! One PeerConnection on str0m, without a socket or a clock: datagrams and time go in, datagrams and events come out.

use crate::ledger::{Arrival, Ledger, TrackStats};
use crate::opus::{self, AudioSpec};
use crate::stamp::micros_since;
use crate::vp8::{Encoder, VideoSpec};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use str0m::change::{SdpAnswer, SdpApi, SdpOffer, SdpPendingOffer};
use str0m::channel::{ChannelConfig, ChannelId, Reliability};
use str0m::config::DtlsCert;
use str0m::format::Codec;
use str0m::media::{Direction, KeyframeRequestKind, MediaKind, Mid, Pt, Rid, Simulcast, SimulcastLayer};
use str0m::net::{Protocol, Receive, Transmit};
use str0m::rtp::{ExtensionValues, RtpWrite, SeqNo, Ssrc};
use str0m::{Candidate, Event, Input, Output, Rtc, RtcError};
use tokio::sync::mpsc::UnboundedSender;

/// The three channels of a LiveKit client (livekit.md 2.6).
pub const RELIABLE: &str = "_reliable";
/// Unordered, never sent again.
pub const LOSSY: &str = "_lossy";
/// Frames of data tracks.
pub const DATA_TRACK: &str = "_data_track";

/// How often a peer with tracks looks whether it is connected yet: a sixth of a frame.
const CONNECT_POLL: Duration = Duration::from_millis(5);

/// What happens in a peer and matters to its client.
#[derive(Debug)]
pub enum PeerEvent {
    /// ICE and DTLS are up.
    Connected,
    /// The other side closed, or ICE gave up.
    Closed,
    /// A data channel is open.
    ChannelOpen(String),
    /// A message came by data channel.
    Data {
        /// The channel's label.
        label: String,
        /// As it came.
        bytes: Vec<u8>,
        /// When.
        at: Instant,
    },
    /// A track's first complete frame (for video: a keyframe) is there.
    FirstFrame {
        /// Its sid, if an answer or offer mapped it.
        track: Option<String>,
        /// When.
        at: Instant,
    },
    /// The server asked for a keyframe of one of ours.
    KeyframeRequested {
        /// Our id of the track.
        cid: String,
    },
}

/// What an offer is to change.
#[derive(Clone, Debug)]
pub enum Change {
    /// So many more sections to receive by.
    Receive {
        /// Audio sections.
        audio: u32,
        /// Video sections.
        video: u32,
    },
    /// Open the three data channels.
    Channels,
    /// Publish a video.
    SendVideo(VideoSpec, u32),
    /// Publish a sound.
    SendAudio(AudioSpec, u32),
    /// Stop publishing this cid: its section goes inactive.
    Stop(String),
    /// Nothing: the server wants an offer so that it can answer anew.
    Again,
}

/// A track of ours that is being sent.
#[derive(Debug)]
struct Sender {
    cid: String,
    mid: Mid,
    media: Media,
    stopped: bool,
    paused: bool,
}

#[derive(Debug)]
enum Media {
    Video { layers: Vec<Layer>, interval: Duration },
    Audio { spec: AudioSpec, source: u32, line: Line },
}

#[derive(Debug)]
struct Layer {
    rid: Option<Rid>,
    encoder: Encoder,
    line: Line,
}

/// The RTP clock of one stream.
#[derive(Debug)]
struct Line {
    seq: u64,
    rtp_time: u32,
    frame: u32,
    due: Option<Instant>,
}

impl Line {
    fn new(source: u32) -> Self {
        // Streams begin at different numbers, near the wrap, but in the first rollover period: no ROC is signalled.
        Self { seq: 65_000 + u64::from(source % 500), rtp_time: source.wrapping_mul(7919), frame: 0, due: None }
    }

    /// Is it time? Then the next time is `interval` later; a source that fell far behind starts afresh.
    fn take_due(&mut self, now: Instant, interval: Duration) -> bool {
        let due = *self.due.get_or_insert(now);
        if due > now {
            return false;
        }
        self.due = Some(if now - due > Duration::from_millis(200) { now + interval } else { due + interval });
        true
    }
}

/// A section that receives.
#[derive(Debug)]
struct Receiver {
    track: Option<String>,
    video: bool,
    ledger: Ledger,
}

/// One PeerConnection.
#[derive(Debug)]
pub struct Peer {
    rtc: Rtc,
    local: SocketAddr,
    began: Instant,
    events: UnboundedSender<PeerEvent>,
    pending: Option<SdpPendingOffer>,
    receivers: HashMap<Mid, Receiver>,
    receive_mids: Vec<Mid>,
    ssrcs: HashMap<Ssrc, Mid>,
    tracks: HashMap<Mid, String>,
    ended: HashMap<String, TrackStats>,
    senders: Vec<Sender>,
    channels: HashMap<ChannelId, String>,
    sections: usize,
    /// Instead of what the server's candidates say: the way through a relay.
    via: Option<SocketAddr>,
}

impl Peer {
    /// A peer that sends from `local`; `began` is the zero of its stamps.
    pub fn new(local: SocketAddr, began: Instant, via: Option<SocketAddr>, events: UnboundedSender<PeerEvent>) -> Self {
        let mut config = Rtc::builder()
            .set_rtp_mode(true)
            .clear_codecs()
            .enable_opus(true, false)
            .enable_vp8(true)
            .enable_h264(true);
        if let Some(cert) = shared_certificate(&config) {
            config = config.set_dtls_cert(cert);
        }
        let mut rtc = config.build(Instant::now());
        if let Ok(candidate) = Candidate::host(local, "udp") {
            rtc.add_local_candidate(candidate);
        }
        Self {
            rtc,
            local,
            began,
            events,
            pending: None,
            receivers: HashMap::new(),
            receive_mids: Vec::new(),
            ssrcs: HashMap::new(),
            tracks: HashMap::new(),
            ended: HashMap::new(),
            senders: Vec::new(),
            channels: HashMap::new(),
            sections: 0,
            via,
        }
    }

    // ---- negotiation ----

    /// An offer with these changes; `None` if they need none.
    pub fn offer(&mut self, changes: &[Change]) -> Option<String> {
        let mut api = self.rtc.sdp_api();
        for change in changes {
            match change {
                Change::Receive { audio, video } => {
                    for (kind, count) in [(MediaKind::Audio, *audio), (MediaKind::Video, *video)] {
                        let add = |_| api.add_media(kind, Direction::RecvOnly, None, None, None);
                        self.receive_mids.extend((0..count).map(add));
                    }
                }
                Change::Channels => {
                    for config in channel_configs() {
                        api.add_channel_with_config(config);
                    }
                }
                Change::SendVideo(spec, source) => {
                    let layers = spec.simulcast.then(simulcast);
                    let mid = send_section(&mut api, &mut self.senders, MediaKind::Video, &spec.cid, layers);
                    self.senders.push(video_sender(spec, *source, mid));
                }
                Change::SendAudio(spec, source) => {
                    let mid = send_section(&mut api, &mut self.senders, MediaKind::Audio, &spec.cid, None);
                    self.senders.push(audio_sender(spec, *source, mid));
                }
                Change::Stop(cid) => {
                    for sender in self.senders.iter_mut().filter(|s| s.cid == *cid && !s.stopped) {
                        sender.stopped = true;
                        api.set_direction(sender.mid, Direction::Inactive);
                    }
                }
                Change::Again => {
                    // str0m offers only changes: there and back again is one that leaves all as it was.
                    let idle = self.receive_mids.iter().find(|mid| !self.receivers.contains_key(mid));
                    if let Some(mid) = idle {
                        api.set_direction(*mid, Direction::Inactive);
                        api.set_direction(*mid, Direction::RecvOnly);
                    }
                }
            }
        }
        let (offer, pending) = api.apply()?;
        self.pending = Some(pending);
        let sdp = offer.to_sdp_string();
        self.sections = sections(&sdp);
        Some(sdp)
    }

    /// Takes the answer to the last offer, with the tracks that it maps to mids.
    ///
    /// # Errors
    /// What str0m has against it.
    pub fn accept_answer(&mut self, sdp: &str, tracks: &HashMap<String, String>) -> Result<(), RtcError> {
        let Some(pending) = self.pending.take() else {
            return Ok(());
        };
        let answer = SdpAnswer::from_sdp_string(&self.rewritten(sdp))?;
        self.rtc.sdp_api().accept_answer(pending, answer)?;
        self.map_tracks(tracks);
        Ok(())
    }

    /// Takes an offer (dual mode) and answers it.
    ///
    /// # Errors
    /// What str0m has against it.
    pub fn accept_offer(&mut self, sdp: &str, tracks: &HashMap<String, String>) -> Result<String, RtcError> {
        let offer = SdpOffer::from_sdp_string(&self.rewritten(sdp))?;
        self.sections = sections(sdp);
        let answer = self.rtc.sdp_api().accept_offer(offer)?;
        self.map_tracks(tracks);
        Ok(answer.to_sdp_string())
    }

    /// Takes a trickled candidate; what isn't UDP is of no use here.
    pub fn add_candidate(&mut self, line: &str) {
        let line = self.via.map_or_else(|| line.to_owned(), |via| redirect(line, via));
        if let Ok(candidate) = Candidate::from_sdp_string(&line)
            && candidate.proto() == Protocol::Udp
        {
            self.rtc.add_remote_candidate(candidate);
        }
    }

    /// m-lines of the last offer.
    pub fn sections(&self) -> usize {
        self.sections
    }

    fn rewritten(&self, sdp: &str) -> String {
        let Some(via) = self.via else { return sdp.to_owned() };
        sdp.lines().map(|line| redirect(line, via) + "\r\n").collect()
    }

    /// Books of tracks that a mid no longer carries are closed, those of new ones opened.
    fn map_tracks(&mut self, tracks: &HashMap<String, String>) {
        let tracks: HashMap<Mid, String> =
            tracks.iter().map(|(mid, sid)| (Mid::from(mid.as_str()), sid.clone())).collect();
        for (mid, receiver) in &mut self.receivers {
            let track = tracks.get(mid);
            if receiver.track.as_ref() == track {
                continue;
            }
            let book = std::mem::take(&mut receiver.ledger);
            if let Some(sid) = std::mem::replace(&mut receiver.track, track.cloned()) {
                self.ended.entry(sid).or_default().absorb(book.stats());
            }
        }
        self.tracks = tracks;
    }

    // ---- what a client does ----

    /// Sends a message by the channel with this label. False: not open, or its buffer is full.
    pub fn send_data(&mut self, label: &str, bytes: &[u8]) -> bool {
        let Some(id) = self.channels.iter().find(|(_, name)| *name == label).map(|(id, _)| *id) else {
            return false;
        };
        self.rtc.channel(id).is_some_and(|mut channel| channel.write(true, bytes).unwrap_or(false))
    }

    /// Asks for a keyframe of a track that we receive.
    pub fn request_keyframe(&mut self, track: &str) {
        let mid = self.receivers.iter().find(|(_, r)| r.track.as_deref() == Some(track)).map(|(mid, _)| *mid);
        if let Some(mid) = mid
            && let Some(stream) = self.rtc.direct_api().stream_rx_by_mid(mid, None)
        {
            stream.request_keyframe(KeyframeRequestKind::Pli);
        }
    }

    /// Stops (or starts again) the packets of a track, without telling anybody: the media of a muted track.
    pub fn pause(&mut self, cid: &str, paused: bool) {
        self.senders.iter_mut().filter(|s| s.cid == cid).for_each(|s| s.paused = paused);
    }

    /// The books by track sid; tracks that ended are in it too.
    pub fn stats(&self) -> HashMap<String, TrackStats> {
        let mut all = self.ended.clone();
        for receiver in self.receivers.values() {
            let Some(track) = &receiver.track else { continue };
            match all.get_mut(track) {
                Some(stats) => stats.absorb(receiver.ledger.stats()),
                None => drop(all.insert(track.clone(), receiver.ledger.stats().clone())),
            }
        }
        all
    }

    /// All that it receives, as one.
    pub fn total(&self) -> TrackStats {
        let mut total = TrackStats::default();
        self.receivers.values().for_each(|r| total.absorb(r.ledger.stats()));
        self.ended.values().for_each(|stats| total.absorb(stats));
        total
    }

    /// Says goodbye (DTLS close_notify); [`Peer::poll`] sends it.
    pub fn close(&mut self) {
        // A peer that never came up has nothing to close.
        let _ = self.rtc.close();
    }

    // ---- time and datagrams ----

    /// A datagram that came to its socket.
    pub fn handle_datagram(&mut self, now: Instant, source: SocketAddr, bytes: &[u8]) {
        let Ok(receive) = Receive::new(Protocol::Udp, source, self.local, bytes) else {
            return;
        };
        if self.rtc.handle_input(Input::Receive(now, receive)).is_err() {
            self.rtc.disconnect();
        }
    }

    /// Its deadline has come.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.rtc.handle_input(Input::Timeout(now)).is_err() {
            self.rtc.disconnect();
        }
    }

    /// Sends out what is pending, tells what happened, and says when it wants to be woken.
    pub fn poll(&mut self, mut send: impl FnMut(&Transmit)) -> Option<Instant> {
        loop {
            match self.rtc.poll_output() {
                Ok(Output::Transmit(transmit)) => send(&transmit),
                Ok(Output::Event(event)) => self.handle_event(event),
                Ok(Output::Timeout(at)) => return self.rtc.is_alive().then_some(at),
                Err(_) => {
                    self.rtc.disconnect();
                    self.tell(PeerEvent::Closed);
                    return None;
                }
            }
        }
    }

    /// Makes and writes the media that is due, and says when the next is.
    pub fn tick(&mut self, now: Instant) -> Option<Instant> {
        if !self.rtc.is_connected() {
            let waiting = !self.senders.is_empty();
            return waiting.then_some(now + CONNECT_POLL);
        }
        let made_us = micros_since(self.began, now);
        let mut wrote = false;
        for sender in self.senders.iter_mut().filter(|s| !s.stopped && !s.paused) {
            wrote |= sender.write_due(&mut self.rtc, now, made_us);
        }
        if wrote {
            self.handle_timeout(now);
        }
        let live = self.senders.iter().filter(|s| !s.stopped && !s.paused);
        live.filter_map(Sender::due).min()
    }

    fn tell(&self, event: PeerEvent) {
        // The client may have been dropped: nobody is left to tell.
        let _ = self.events.send(event);
    }

    fn handle_event(&mut self, event: Event) {
        match event {
            Event::RtpPacket(packet) => self.book(&packet),
            Event::Connected => self.tell(PeerEvent::Connected),
            Event::Closed => self.tell(PeerEvent::Closed),
            Event::ChannelOpen(id, label) => {
                self.channels.insert(id, label.clone());
                self.tell(PeerEvent::ChannelOpen(label));
            }
            Event::ChannelClose(id) => drop(self.channels.remove(&id)),
            Event::ChannelData(data) => {
                let label = self.channels.get(&data.id).cloned().unwrap_or_default();
                self.tell(PeerEvent::Data { label, bytes: data.data, at: Instant::now() });
            }
            Event::KeyframeRequest(request) => self.make_key(request.mid, request.rid),
            _ => {}
        }
    }

    fn make_key(&mut self, mid: Mid, rid: Option<Rid>) {
        let Some(sender) = self.senders.iter_mut().find(|s| s.mid == mid && !s.stopped) else {
            return;
        };
        if let Media::Video { layers, .. } = &mut sender.media {
            let asked = layers.iter_mut().filter(|l| rid.is_none() || l.rid == rid);
            asked.for_each(|layer| layer.encoder.request_key());
        }
        let cid = sender.cid.clone();
        self.tell(PeerEvent::KeyframeRequested { cid });
    }

    fn book(&mut self, packet: &str0m::rtp::RtpPacket) {
        let Some(mid) = self.mid_of(packet.header.ssrc) else {
            return;
        };
        let receiver = match self.receivers.entry(mid) {
            std::collections::hash_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::hash_map::Entry::Vacant(entry) => {
                let video = self.rtc.media(mid).is_some_and(|media| media.kind() == MediaKind::Video);
                let track = self.tracks.get(&mid).cloned();
                entry.insert(Receiver { track, video, ledger: Ledger::default() })
            }
        };
        let arrival = Arrival {
            seq: *packet.seq_no,
            rtp_time: packet.header.timestamp,
            marker: packet.header.marker,
            video: receiver.video,
            payload: &packet.payload,
            at: packet.timestamp,
        };
        let first = receiver.ledger.book(&arrival);
        let (track, video) = (receiver.track.clone(), receiver.video);
        let asks = video && arrival.marker && receiver.ledger.is_blind();
        if first {
            self.tell(PeerEvent::FirstFrame { track, at: packet.timestamp });
        } else if asks && let Some(stream) = self.rtc.direct_api().stream_rx_by_mid(mid, None) {
            stream.request_keyframe(KeyframeRequestKind::Pli);
        }
    }

    fn mid_of(&mut self, ssrc: Ssrc) -> Option<Mid> {
        if let Some(mid) = self.ssrcs.get(&ssrc) {
            return Some(*mid);
        }
        let mid = self.rtc.direct_api().stream_rx(&ssrc)?.mid();
        self.ssrcs.insert(ssrc, mid);
        Some(mid)
    }
}

impl Sender {
    fn due(&self) -> Option<Instant> {
        match &self.media {
            Media::Video { layers, .. } => layers.iter().filter_map(|layer| layer.line.due).min(),
            Media::Audio { line, .. } => line.due,
        }
    }

    fn write_due(&mut self, rtc: &mut Rtc, now: Instant, made_us: u64) -> bool {
        let codec = if matches!(self.media, Media::Video { .. }) { Codec::Vp8 } else { Codec::Opus };
        let Some(pt) = negotiated(rtc, self.mid, codec) else {
            return false;
        };
        match &mut self.media {
            Media::Video { layers, interval } => {
                let interval = *interval;
                layers
                    .iter_mut()
                    .fold(false, |wrote, layer| wrote | layer.write_due(rtc, self.mid, pt, now, interval, made_us))
            }
            Media::Audio { spec, source, line } => {
                let interval = Duration::from_secs(1) / opus::PACKETS_PER_SECOND;
                if !line.take_due(now, interval) {
                    return false;
                }
                let payload = opus::packet(*source, line.frame, spec.bitrate, made_us);
                let level = -i8::try_from(spec.level.min(127)).unwrap_or(127);
                let exts = ExtensionValues {
                    audio_level: Some(level),
                    voice_activity: Some(level > -40),
                    ..Default::default()
                };
                let mut direct = rtc.direct_api();
                let Some(stream) = direct.stream_tx_by_mid(self.mid, None) else {
                    return false;
                };
                let write = RtpWrite::new(pt, SeqNo::from(line.seq), line.rtp_time, now, payload).ext_vals(exts);
                stream.write_rtp(write.marker(line.frame == 0));
                line.seq += 1;
                line.frame += 1;
                line.rtp_time = line.rtp_time.wrapping_add(opus::SAMPLES_PER_PACKET);
                true
            }
        }
    }
}

impl Layer {
    fn write_due(&mut self, rtc: &mut Rtc, mid: Mid, pt: Pt, now: Instant, interval: Duration, made_us: u64) -> bool {
        let mut direct = rtc.direct_api();
        let Some(stream) = direct.stream_tx_by_mid(mid, self.rid) else {
            return false;
        };
        if !self.line.take_due(now, interval) {
            return false;
        }
        let payloads = self.encoder.next_frame(made_us);
        let last = payloads.len() - 1;
        for (index, payload) in payloads.into_iter().enumerate() {
            let write = RtpWrite::new(pt, SeqNo::from(self.line.seq), self.line.rtp_time, now, payload);
            stream.write_rtp(write.marker(index == last).nackable(true));
            self.line.seq += 1;
        }
        let ticks = u32::try_from(interval.as_micros() * 9 / 100).unwrap_or(3000);
        self.line.rtp_time = self.line.rtp_time.wrapping_add(ticks);
        true
    }
}

/// One certificate for all peers of the process: making one costs most of a millisecond.
fn shared_certificate(config: &str0m::RtcConfig) -> Option<DtlsCert> {
    static CERT: OnceLock<Option<DtlsCert>> = OnceLock::new();
    let provider = config.crypto_provider().cloned().or_else(|| Some(Arc::new(str0m::crypto::from_feature_flags())));
    CERT.get_or_init(|| provider?.dtls_provider.generate_certificate()).clone()
}

fn negotiated(rtc: &Rtc, mid: Mid, codec: Codec) -> Option<Pt> {
    let remote = rtc.media(mid)?.remote_pts();
    let params = rtc.codec_config().params().iter().find(|p| p.spec().codec == codec && remote.contains(&p.pt()))?;
    Some(params.pt())
}

/// A section to send by: that of a stopped track with the same cid, or a new one.
fn send_section(
    api: &mut SdpApi<'_>,
    senders: &mut Vec<Sender>,
    kind: MediaKind,
    cid: &str,
    simulcast: Option<Simulcast>,
) -> Mid {
    let Some(index) = senders.iter().position(|sender| sender.cid == cid && sender.stopped) else {
        return api.add_media(kind, Direction::SendOnly, Some("camera".into()), Some(cid.to_owned()), simulcast);
    };
    let mid = senders.swap_remove(index).mid;
    api.set_direction(mid, Direction::SendOnly);
    mid
}

fn video_sender(spec: &VideoSpec, source: u32, mid: Mid) -> Sender {
    let layer = |rid: Option<Rid>, percent: u32, divisor: u32, source: u32| Layer {
        rid,
        encoder: Encoder::new(
            source,
            spec.width / divisor,
            spec.height / divisor,
            spec.fps,
            spec.bitrate / 100 * percent,
        ),
        line: Line::new(source),
    };
    let layers = if spec.simulcast {
        let of = |(index, (rid, percent, divisor)): (usize, &(&str, u32, u32))| {
            // Layers are told apart by the top bits of the stamped source.
            layer(Some(Rid::from(*rid)), *percent, *divisor, source | (index as u32 + 1) << 28)
        };
        VideoSpec::LAYERS.iter().enumerate().map(of).collect()
    } else {
        vec![layer(None, 100, 1, source)]
    };
    let interval = Duration::from_secs(1) / spec.fps.max(1);
    Sender { cid: spec.cid.clone(), mid, media: Media::Video { layers, interval }, stopped: false, paused: false }
}

fn audio_sender(spec: &AudioSpec, source: u32, mid: Mid) -> Sender {
    let media = Media::Audio { spec: spec.clone(), source, line: Line::new(source) };
    Sender { cid: spec.cid.clone(), mid, media, stopped: false, paused: false }
}

fn simulcast() -> Simulcast {
    let mut simulcast = Simulcast::new();
    VideoSpec::LAYERS.iter().for_each(|(rid, ..)| simulcast.add_send_layer(SimulcastLayer::new(rid)));
    simulcast
}

fn channel_configs() -> [ChannelConfig; 3] {
    let lossy = |label: &str| ChannelConfig {
        label: label.into(),
        ordered: false,
        reliability: Reliability::MaxRetransmits { retransmits: 0 },
        ..Default::default()
    };
    [ChannelConfig { label: RELIABLE.into(), ..Default::default() }, lossy(LOSSY), lossy(DATA_TRACK)]
}

fn sections(sdp: &str) -> usize {
    sdp.lines().filter(|line| line.starts_with("m=")).count()
}

/// A candidate line with another address; other lines as they are.
fn redirect(line: &str, via: SocketAddr) -> String {
    if !line.contains("candidate:") {
        return line.to_owned();
    }
    let mut fields: Vec<String> = line.split(' ').map(str::to_owned).collect();
    if fields.len() > 5 {
        fields[4] = via.ip().to_string();
        fields[5] = via.port().to_string();
    }
    fields.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_candidate_is_sent_through_the_relay_and_other_lines_stay() {
        let via: SocketAddr = "127.0.0.1:9".parse().unwrap();
        let line = "a=candidate:1 1 udp 2130706431 192.0.2.2 7882 typ host";
        assert_eq!(redirect(line, via), "a=candidate:1 1 udp 2130706431 127.0.0.1 9 typ host");
        assert_eq!(redirect("a=mid:0", via), "a=mid:0");
    }

    #[test]
    fn the_first_offer_has_the_sections_of_a_livekit_client() {
        let (events, _) = tokio::sync::mpsc::unbounded_channel();
        let mut peer = Peer::new("127.0.0.1:5000".parse().unwrap(), Instant::now(), None, events);
        let sdp = peer.offer(&[Change::Receive { audio: 3, video: 3 }, Change::Channels]).unwrap();
        assert_eq!(peer.sections(), 7);
        assert_eq!(sdp.matches("a=recvonly").count(), 6);
        assert_eq!(sdp.matches("m=application").count(), 1);
    }

    /// Two peers that hand each other their datagrams, in virtual time.
    struct Pair {
        a: Peer,
        b: Peer,
        now: Instant,
        events: tokio::sync::mpsc::UnboundedReceiver<PeerEvent>,
    }

    impl Pair {
        /// `a` publishes by this change, `b` receives.
        fn publishing(change: Change) -> Self {
            let now = Instant::now();
            let (tell_a, _) = tokio::sync::mpsc::unbounded_channel();
            let (tell_b, events) = tokio::sync::mpsc::unbounded_channel();
            let mut a = Peer::new("127.0.0.1:5000".parse().unwrap(), now, None, tell_a);
            let mut b = Peer::new("127.0.0.1:5001".parse().unwrap(), now, None, tell_b);
            let offer = a.offer(&[change, Change::Channels]).unwrap();
            let mid = a.senders[0].mid.to_string();
            let answer = b.accept_offer(&offer, &HashMap::from([(mid, "TR_x".to_owned())])).unwrap();
            a.accept_answer(&answer, &HashMap::new()).unwrap();
            Self { a, b, now, events }
        }

        fn run(&mut self, time: Duration) {
            let end = self.now + time;
            while self.now < end {
                self.now += Duration::from_millis(5);
                self.a.tick(self.now);
                self.a.handle_timeout(self.now);
                self.b.handle_timeout(self.now);
                self.exchange();
            }
        }

        fn exchange(&mut self) {
            let mut to_a = Vec::new();
            let mut to_b = sent(&mut self.a);
            to_a.append(&mut sent(&mut self.b));
            while !to_a.is_empty() || !to_b.is_empty() {
                let (for_a, for_b) = (std::mem::take(&mut to_a), std::mem::take(&mut to_b));
                for datagram in for_a {
                    self.a.handle_datagram(self.now, self.b.local, &datagram);
                    to_b.append(&mut sent(&mut self.a));
                }
                for datagram in for_b {
                    self.b.handle_datagram(self.now, self.a.local, &datagram);
                    to_a.append(&mut sent(&mut self.b));
                }
            }
        }
    }

    fn sent(peer: &mut Peer) -> Vec<Vec<u8>> {
        let mut datagrams = Vec::new();
        peer.poll(|transmit| datagrams.push(transmit.contents.to_vec()));
        datagrams
    }

    #[test]
    fn a_video_arrives_whole_and_a_keyframe_on_request() {
        let mut pair = Pair::publishing(Change::SendVideo(VideoSpec::camera("c"), 3));
        pair.run(Duration::from_secs(4));
        let stats = pair.b.stats().remove("TR_x").unwrap();
        assert!(stats.frames > 80, "{stats:?}");
        assert_eq!((stats.missing, stats.damaged, stats.picture_id_breaks, stats.keyframes), (0, 0, 0, 1), "{stats:?}");
        pair.b.request_keyframe("TR_x");
        pair.run(Duration::from_secs(1));
        assert_eq!(pair.b.stats()["TR_x"].keyframes, 2);
    }

    #[test]
    fn a_sound_arrives_at_its_pace_with_data_beside_it() {
        let mut pair = Pair::publishing(Change::SendAudio(AudioSpec::microphone("m"), 3));
        pair.run(Duration::from_secs(3));
        let stats = pair.b.stats().remove("TR_x").unwrap();
        assert!((100..=150).contains(&stats.packets), "{stats:?}");
        assert_eq!((stats.missing, stats.damaged), (0, 0), "{stats:?}");
        assert!(pair.a.send_data(LOSSY, b"hello"));
        pair.run(Duration::from_millis(100));
        let mut heard = std::iter::from_fn(|| pair.events.try_recv().ok());
        assert!(heard.any(|event| matches!(event, PeerEvent::Data { bytes, .. } if bytes == b"hello")));
    }
}
