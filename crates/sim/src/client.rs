//! A single-PeerConnection client: offers, publishes, receives, and notes what it got.

use crate::link::Parcel;
use crate::media::{Camera, Microphone, PacketContents, contents, heard, opus, red, vp8, vp9};
use room::track::{TrackKind, TrackRequest, TrackSource};
use room::{RoomEvent, SessionId, TrackSid};
use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use str0m::bwe::Bitrate;
use str0m::change::{SdpAnswer, SdpPendingOffer};
use str0m::channel::{ChannelConfig, ChannelId, Reliability};
use str0m::media::{Direction, KeyframeRequestKind, MediaKind, MediaTime, Mid, Pt, Rid, Simulcast, SimulcastLayer};
use str0m::net::{Protocol, Receive};
use str0m::rtp::{Extension, ExtensionValues, RtpPacket, RtpWrite};
use str0m::{Candidate, Event, Input, Output, Rtc};

/// Codecs and channels that a client may lack.
#[derive(Clone, Copy, Debug)]
pub struct Takes {
    /// As libwebrtc; Firefox doesn't.
    pub red: bool,
    /// Not everybody's hardware does.
    pub vp9: bool,
    /// Tells when each packet came (transport-wide feedback), as browsers do; else it says by REMB what its way carries.
    pub transport_feedback: bool,
    /// Its only data channel has this label, instead of LiveKit's three.
    pub own_channel: Option<&'static str>,
}

impl Default for Takes {
    fn default() -> Self {
        Self { red: true, vp9: true, transport_feedback: true, own_channel: None }
    }
}

/// An offer of somebody who does not know transport-wide feedback.
fn without_transport_feedback(sdp: &str) -> String {
    let known = |line: &&str| !line.contains("transport-wide-cc") && !line.ends_with(" transport-cc");
    sdp.split("\r\n").filter(known).collect::<Vec<_>>().join("\r\n")
}

/// What came on one m-line.
#[derive(Clone, Debug, Default)]
pub struct Received {
    /// Sequence numbers in the order of arrival.
    pub sequences: Vec<u64>,
    /// Frames of which every packet came: (publisher's frame number, layer).
    pub frames: Vec<(u16, u8)>,
    /// Those of them that were keyframes.
    pub keyframes: Vec<(u16, u8)>,
    /// The frames and layers whose packets had the marker bit: the last of a picture.
    pub ends: Vec<(u16, u8)>,
    /// Picture ids of those frames, as shown to this receiver.
    pub picture_ids: Vec<u16>,
    /// RTP timestamps of those frames.
    pub timestamps: Vec<u32>,
    /// When the first keyframe was complete.
    pub first_keyframe: Option<Instant>,
    /// How long pictures are to be held back, as their last packet said: at least and at most, milliseconds.
    pub playout_delay: Option<(u64, u64)>,
    /// Audio packets.
    pub sound: usize,
    /// Those of them that came as RED.
    pub red: usize,
    /// The publisher's numbers of the sounds that came, repeated ones too, in the order of arrival: (number, sequence).
    pub sounds: Vec<(u64, u64)>,
    /// Frame number → its packets so far.
    partial: BTreeMap<(u16, u8), Vec<PacketContents>>,
}

/// A client in the world.
pub struct Client {
    pub(crate) session: SessionId,
    pub(crate) rtc: Rtc,
    pub(crate) address: SocketAddr,
    pub(crate) pending: Option<(u32, SdpPendingOffer)>,
    pub(crate) offer_id: u32,
    pub(crate) offer_due: bool,
    pub(crate) receive_mids: Vec<Mid>,
    pub(crate) cameras: Vec<Camera>,
    pub(crate) microphones: Vec<Microphone>,
    pub(crate) wake: Instant,
    /// It offers no more sections, whatever it is asked.
    stubborn: bool,
    transport_feedback: bool,
    /// Its address changed: the new candidate belongs to the next ICE generation.
    moved: bool,
    reliable: Option<ChannelId>,
    lossy: Option<ChannelId>,
    data_track: Option<ChannelId>,
    /// By the track that the line carried when it came.
    pub received: HashMap<TrackSid, Received>,
    /// Which track a line carries, from the last answer.
    pub mapping: HashMap<String, TrackSid>,
    /// Data messages.
    pub messages: Vec<Vec<u8>>,
    /// Packets of data tracks, and when they came.
    pub frames: Vec<(Instant, Vec<u8>)>,
    /// Everything the room told it.
    pub events: Vec<Arc<RoomEvent>>,
    /// ICE and DTLS are up.
    pub connected: bool,
    /// Its socket was closed by the server.
    pub closed: bool,
    /// m-lines in its last offer.
    pub sections: usize,
    /// The last answer.
    pub last_answer: String,
}

impl Client {
    pub(crate) fn new(session: SessionId, address: SocketAddr, takes: Takes, now: Instant) -> Self {
        let codecs = Rtc::builder().enable_opus(true, takes.red).enable_vp9(takes.vp9);
        let mut rtc = codecs.set_rtp_mode(true).set_extension(5, Extension::PlayoutDelay).build(now);
        if let Ok(candidate) = Candidate::host(address, Protocol::Udp) {
            rtc.add_local_candidate(candidate);
        }
        let mut client = Self {
            session,
            rtc,
            address,
            pending: None,
            offer_id: 0,
            offer_due: true,
            receive_mids: Vec::new(),
            cameras: Vec::new(),
            microphones: Vec::new(),
            wake: now,
            moved: false,
            stubborn: false,
            transport_feedback: takes.transport_feedback,
            reliable: None,
            lossy: None,
            data_track: None,
            received: HashMap::new(),
            mapping: HashMap::new(),
            messages: Vec::new(),
            frames: Vec::new(),
            events: Vec::new(),
            connected: false,
            closed: false,
            sections: 0,
            last_answer: String::new(),
        };
        client.first_sections(takes.own_channel);
        client
    }

    /// As livekit-client's first offer: three of each kind to receive, and the channels.
    fn first_sections(&mut self, own_channel: Option<&str>) {
        let mut api = self.rtc.sdp_api();
        for kind in
            [MediaKind::Audio, MediaKind::Audio, MediaKind::Audio, MediaKind::Video, MediaKind::Video, MediaKind::Video]
        {
            self.receive_mids.push(api.add_media(kind, Direction::RecvOnly, None, None, None));
        }
        let lossy = ChannelConfig {
            label: "_lossy".into(),
            ordered: false,
            reliability: Reliability::MaxRetransmits { retransmits: 0 },
            ..Default::default()
        };
        self.reliable = Some(api.add_channel(own_channel.unwrap_or("_reliable").into()));
        let data_track = ChannelConfig { label: "_data_track".into(), ..lossy.clone() };
        if own_channel.is_none() {
            self.lossy = Some(api.add_channel_with_config(lossy));
            self.data_track = Some(api.add_channel_with_config(data_track));
        }
        self.pending = api.apply().map(|(offer, pending)| {
            self.last_answer = offer.to_sdp_string();
            (1, pending)
        });
        self.offer_id = 1;
    }

    /// The offer to send now, if one is due and none is pending.
    pub(crate) fn take_offer(&mut self) -> Option<(u32, String)> {
        let (id, sdp) = self.make_offer()?;
        Some((id, if self.transport_feedback { sdp } else { without_transport_feedback(&sdp) }))
    }

    fn make_offer(&mut self) -> Option<(u32, String)> {
        if self.offer_id == 1 && self.offer_due {
            self.offer_due = false;
            return Some((1, std::mem::take(&mut self.last_answer)));
        }
        if !self.offer_due || self.pending.is_some() {
            return None;
        }
        self.offer_due = false;
        let mut api = self.rtc.sdp_api();
        // A browser re-offers its receive sections as they were asked for, whatever the last answer made of them.
        for mid in &self.receive_mids {
            api.set_direction(*mid, Direction::Inactive);
            api.set_direction(*mid, Direction::RecvOnly);
        }
        let (offer, pending) = api.apply()?;
        self.offer_id += 1;
        self.pending = Some((self.offer_id, pending));
        let sdp = offer.to_sdp_string();
        self.sections = sdp.matches("\r\nm=").count();
        Some((self.offer_id, sdp))
    }

    /// Adds a section that sends, to be offered. Returns what is announced to the room.
    pub(crate) fn begin_track(&mut self, kind: TrackKind, rids: &[&str], now: Instant) -> TrackRequest {
        let media_kind = if kind == TrackKind::Audio { MediaKind::Audio } else { MediaKind::Video };
        let cid = format!(
            "cid{}x{}",
            self.session.0,
            self.cameras.len() + self.microphones.len() + self.offer_id as usize * 100
        );
        let simulcast = (!rids.is_empty())
            .then(|| Simulcast { send: rids.iter().map(|rid| SimulcastLayer::new(rid)).collect(), recv: Vec::new() });
        let mut api = self.rtc.sdp_api();
        for mid in &self.receive_mids {
            api.set_direction(*mid, Direction::Inactive);
            api.set_direction(*mid, Direction::RecvOnly);
        }
        let mid = api.add_media(media_kind, Direction::SendOnly, Some("stream".into()), Some(cid.clone()), simulcast);
        if let Some((offer, pending)) = api.apply() {
            self.offer_id += 1;
            self.pending = Some((self.offer_id, pending));
            self.last_answer = offer.to_sdp_string();
            self.sections = self.last_answer.matches("\r\nm=").count();
        }
        match kind {
            TrackKind::Video => {
                self.cameras.push(Camera::new(mid, rids.iter().map(|rid| Rid::from(*rid)).collect(), now))
            }
            TrackKind::Audio => {
                self.microphones.push(Microphone { mid, next: now, sequence: 500, level: -20, red: false })
            }
        }
        track_request(cid, kind)
    }

    /// As [`Client::begin_track`] of a camera without layers, whose packets are VP9's.
    pub(crate) fn begin_vp9(&mut self, now: Instant) -> TrackRequest {
        let request = self.begin_track(TrackKind::Video, &[], now);
        if let Some(camera) = self.cameras.last_mut() {
            camera.vp9 = true;
        }
        request
    }

    /// The offer made by [`Client::begin_track`].
    pub(crate) fn track_offer(&mut self) -> (u32, String) {
        (self.offer_id, std::mem::take(&mut self.last_answer))
    }

    pub(crate) fn handle(&mut self, event: &Arc<RoomEvent>) {
        self.events.push(Arc::clone(event));
        match &**event {
            RoomEvent::Answer { id, sdp, tracks } => self.answered(*id, sdp, tracks),
            RoomEvent::SectionsNeeded { audio, video } => self.add_sections(*audio, *video),
            _ => {}
        }
    }

    fn answered(&mut self, id: u32, sdp: &str, tracks: &[(String, TrackSid)]) {
        let Some((pending_id, pending)) = self.pending.take() else { return };
        if pending_id != id {
            self.pending = Some((pending_id, pending));
            return;
        }
        let answer = SdpAnswer::from_sdp_string(sdp).expect("the server's answer is SDP");
        self.rtc.sdp_api().accept_answer(pending, answer).expect("the server's answer fits the offer");
        if std::mem::take(&mut self.moved)
            && let Ok(candidate) = Candidate::host(self.address, Protocol::Udp)
        {
            self.rtc.add_local_candidate(candidate);
        }
        self.mapping = tracks.iter().cloned().collect();
        for microphone in &mut self.microphones {
            microphone.red = first_format(sdp, microphone.mid) == Some(red());
        }
        self.last_answer = sdp.to_owned();
    }

    fn add_sections(&mut self, audio: u32, video: u32) {
        if self.pending.is_some() {
            return;
        }
        let mut api = self.rtc.sdp_api();
        for mid in &self.receive_mids {
            api.set_direction(*mid, Direction::Inactive);
            api.set_direction(*mid, Direction::RecvOnly);
        }
        let (audio, video) = if self.stubborn { (0, 0) } else { (audio, video) };
        let kinds = (0..audio).map(|_| MediaKind::Audio).chain((0..video).map(|_| MediaKind::Video));
        for kind in kinds {
            self.receive_mids.push(api.add_media(kind, Direction::RecvOnly, None, None, None));
        }
        if let Some((offer, pending)) = api.apply() {
            self.offer_id += 1;
            self.pending = Some((self.offer_id, pending));
            self.last_answer = offer.to_sdp_string();
            self.sections = self.last_answer.matches("\r\nm=").count();
            self.offer_due = true;
        }
    }

    /// An offer made in answer to a request of the server's.
    pub(crate) fn take_made_offer(&mut self) -> Option<(u32, String)> {
        (self.offer_id > 1 && self.pending.is_some() && std::mem::take(&mut self.offer_due))
            .then(|| (self.offer_id, std::mem::take(&mut self.last_answer)))
    }

    /// Stops sending a camera's section.
    pub(crate) fn end_camera(&mut self) {
        if let Some(camera) = self.cameras.pop() {
            self.rtc.sdp_api().set_direction(camera.mid, Direction::Inactive);
            let mut api = self.rtc.sdp_api();
            api.set_direction(camera.mid, Direction::SendOnly);
            api.set_direction(camera.mid, Direction::Inactive);
            if let Some((offer, pending)) = api.apply() {
                self.offer_id += 1;
                self.pending = Some((self.offer_id, pending));
                self.last_answer = offer.to_sdp_string();
                self.offer_due = true;
            }
        }
    }

    /// A new ICE generation from another address, as after a change of network.
    pub(crate) fn restart_ice(&mut self, address: SocketAddr) {
        let mut api = self.rtc.sdp_api();
        api.ice_restart(false);
        if let Some((offer, pending)) = api.apply() {
            self.offer_id += 1;
            self.pending = Some((self.offer_id, pending));
            self.last_answer = offer.to_sdp_string();
            self.offer_due = true;
        }
        self.address = address;
        self.moved = true;
    }

    /// Sends a data message.
    pub fn send_message(&mut self, reliable: bool, bytes: &[u8]) -> bool {
        let channel = if reliable { self.reliable } else { self.lossy };
        let Some(mut channel) = channel.and_then(|id| self.rtc.channel(id)) else { return false };
        channel.write(true, bytes).unwrap_or(false)
    }

    /// Sends a packet of a data track: its handle, then the rest.
    pub fn send_frame(&mut self, handle: u16, rest: &[u8]) -> bool {
        let Some(mut channel) = self.data_track.and_then(|id| self.rtc.channel(id)) else { return false };
        channel.write(true, &[&handle.to_be_bytes(), rest].concat()).unwrap_or(false)
    }

    pub(crate) fn receive(&mut self, now: Instant, parcel: &Parcel) {
        if parcel.destination != self.address {
            return; // It has moved on.
        }
        if let Ok(receive) = Receive::new(Protocol::Udp, parcel.source, parcel.destination, &parcel.bytes) {
            let _ = self.rtc.handle_input(Input::Receive(now, receive));
        }
    }

    /// Time moves on: sends what is due and returns what leaves.
    pub(crate) fn turn(&mut self, now: Instant) -> Vec<Parcel> {
        if self.connected {
            self.film(now);
            self.speak(now);
        }
        let _ = self.rtc.handle_input(Input::Timeout(now));
        let mut out = Vec::new();
        loop {
            match self.rtc.poll_output() {
                Ok(Output::Timeout(at)) => {
                    self.wake = at;
                    return out;
                }
                Ok(Output::Transmit(transmit)) => out.push(Parcel {
                    source: transmit.source,
                    destination: transmit.destination,
                    bytes: transmit.contents.to_vec(),
                    sent: now,
                }),
                Ok(Output::Event(event)) => self.on_event(now, event),
                Err(_) => return out,
            }
        }
    }

    fn on_event(&mut self, now: Instant, event: Event) {
        match event {
            Event::Connected => self.connected = true,
            Event::RtpPacket(packet) => self.on_packet(now, &packet),
            Event::ChannelData(data) if Some(data.id) == self.data_track => self.frames.push((now, data.data)),
            Event::ChannelData(data) => self.messages.push(data.data),
            Event::KeyframeRequest(request) => {
                for camera in self.cameras.iter_mut().filter(|camera| camera.mid == request.mid) {
                    let layer = request.rid.and_then(|rid| camera.rids.iter().position(|other| *other == rid));
                    camera.keyframe[layer.unwrap_or_default()] = true;
                }
            }
            _ => {}
        }
    }

    fn on_packet(&mut self, now: Instant, packet: &RtpPacket) {
        let ssrc = packet.header.ssrc;
        let Some(mid) = self.rtc.direct_api().stream_rx(&ssrc).map(|stream| stream.mid()) else { return };
        let Some(track) = self.mapping.get(&*mid).cloned() else { return };
        let received = self.received.entry(track).or_default();
        received.sequences.push(*packet.seq_no);
        if [opus(), red()].contains(&packet.header.payload_type) {
            received.sound(packet);
            return;
        }
        received.picture(now, packet);
    }

    fn film(&mut self, now: Instant) {
        for camera in &mut self.cameras {
            while camera.next <= now {
                if camera.scalable {
                    send_scalable_frame(&mut self.rtc, camera, now);
                } else {
                    send_frame(&mut self.rtc, camera, now);
                }
                camera.next += Camera::INTERVAL;
            }
        }
    }

    fn speak(&mut self, now: Instant) {
        for microphone in &mut self.microphones {
            while microphone.next <= now {
                microphone.sequence += 1;
                microphone.next += Microphone::INTERVAL;
                let mut api = self.rtc.direct_api();
                let Some(stream) = api.stream_tx_by_mid(microphone.mid, None) else { continue };
                let (payload_type, timestamp, payload) = microphone.packet();
                let levels = ExtensionValues {
                    audio_level: Some(microphone.level),
                    voice_activity: Some(true),
                    ..Default::default()
                };
                stream.write_rtp(
                    RtpWrite::new(payload_type, microphone.sequence.into(), timestamp, now, payload)
                        .ext_vals(levels)
                        .marker(false),
                );
            }
        }
    }

    /// When it has something to do next.
    pub(crate) fn next(&self) -> Instant {
        let media = self.cameras.iter().map(|camera| camera.next).chain(self.microphones.iter().map(|mic| mic.next));
        let media = if self.connected { media.min() } else { None };
        media.map_or(self.wake, |media| media.min(self.wake))
    }

    /// Asks the server for a keyframe of a track, as a decoder does.
    pub fn request_keyframe(&mut self, track: &TrackSid) {
        let Some(mid) = self.mapping.iter().find(|(_, sid)| *sid == track).map(|(mid, _)| Mid::from(mid.as_str()))
        else {
            return;
        };
        if let Some(stream) = self.rtc.direct_api().stream_rx_by_mid(mid, None) {
            stream.request_keyframe(KeyframeRequestKind::Pli);
        }
    }

    /// Says what its way down carries, bit/s, as those do who give no transport-wide feedback.
    pub fn say_remb(&mut self, track: &TrackSid, bps: u64) {
        let mid = self.mapping.iter().find(|(_, sid)| *sid == track).map(|(mid, _)| Mid::from(mid.as_str()));
        let mut api = self.rtc.direct_api();
        if let Some(stream) = mid.and_then(|mid| api.stream_rx_by_mid(mid, None)) {
            stream.request_remb(Bitrate::from(bps));
        }
    }

    /// Its cameras have layers of 0.1, 0.5 and 1.7 Mbit/s from now on, as a real one of 720 lines.
    pub fn film_in_hd(&mut self) {
        self.cameras.iter_mut().for_each(|camera| camera.shape = Camera::HD.to_vec());
    }

    /// Its cameras send VP9 with three layers in one stream from now on.
    pub fn film_scalable(&mut self) {
        for camera in &mut self.cameras {
            (camera.scalable, camera.shape) = (true, vec![Camera::SMALL; 3]);
        }
    }

    /// Its VP8 has three temporal layers from now on.
    pub fn film_temporal(&mut self) {
        self.cameras.iter_mut().for_each(|camera| camera.temporal = true);
    }

    /// Keyframes its camera has sent.
    pub fn keyframes_sent(&self) -> usize {
        self.cameras.iter().map(|camera| camera.keyframes_sent).sum()
    }

    /// A layer of its camera stops or goes on.
    pub fn pause_layer(&mut self, layer: usize, paused: bool) {
        self.cameras.iter_mut().for_each(|camera| camera.paused[layer] = paused);
    }

    /// From now on it offers anew when asked, with the sections that it has.
    pub fn refuse_sections(&mut self) {
        self.stubborn = true;
    }

    /// Where it sends from.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it got of a track.
    pub fn got(&self, track: &TrackSid) -> Received {
        self.received.get(track).cloned().unwrap_or_default()
    }
}

fn send_frame(rtc: &mut Rtc, camera: &mut Camera, now: Instant) {
    camera.frame = camera.frame.wrapping_add(1);
    for layer in 0..camera.sequence.len() {
        let rid = camera.rids.get(layer).copied();
        if camera.paused[layer] {
            continue;
        }
        resend_like_libwebrtc(rtc, camera, layer);
        let keyframe = std::mem::take(&mut camera.keyframe[layer]);
        camera.keyframes_sent += usize::from(keyframe);
        let packets = camera.shape[layer].packets;
        for packet in 0..packets {
            let payload = camera.payload(layer, packet, keyframe);
            let mut api = rtc.direct_api();
            let Some(stream) = api.stream_tx_by_mid(camera.mid, rid) else { continue };
            let timestamp = u32::from(camera.frame) * 3600 + layer as u32 * 777_777;
            let payload_type = if camera.vp9 { vp9() } else { vp8() };
            let write = RtpWrite::new(payload_type, camera.sequence[layer].into(), timestamp, now, payload);
            stream.write_rtp(write.marker(packet + 1 == packets).nackable(true));
            camera.sequence[layer] += 1;
        }
    }
}

/// libwebrtc resends whatever is asked for; str0m stops at 15 % by itself.
fn resend_like_libwebrtc(rtc: &mut Rtc, camera: &mut Camera, layer: usize) {
    let mut api = rtc.direct_api();
    let stream = api.stream_tx_by_mid(camera.mid, camera.rids.get(layer).copied());
    if let Some(stream) = stream.filter(|_| !std::mem::replace(&mut camera.resends[layer], true)) {
        stream.set_rtx_cache(1000, Duration::from_secs(3), None);
    }
}

fn send_scalable_frame(rtc: &mut Rtc, camera: &mut Camera, now: Instant) {
    camera.frame = camera.frame.wrapping_add(1);
    let keyframe = std::mem::take(&mut camera.keyframe[0]);
    camera.keyframes_sent += usize::from(keyframe);
    for layer in 0..camera.shape.len() {
        let packets = camera.shape[layer].packets;
        for packet in 0..packets {
            let payload = camera.scalable_payload(layer, packet, keyframe);
            let mut api = rtc.direct_api();
            let Some(stream) = api.stream_tx_by_mid(camera.mid, None) else { continue };
            let timestamp = u32::from(camera.frame) * 3600;
            let last = layer + 1 == camera.shape.len() && packet + 1 == packets;
            let write = RtpWrite::new(vp9(), camera.sequence[0].into(), timestamp, now, payload);
            stream.write_rtp(write.marker(last).nackable(true));
            camera.sequence[0] += 1;
        }
    }
}

/// The payload type that a description puts first on a section.
fn first_format(sdp: &str, mid: Mid) -> Option<Pt> {
    let sdp = rtc::Sdp::parse(sdp).ok()?;
    let section = sdp.sections.iter().find(|section| section.mid() == Some(&*mid))?;
    section.formats.first()?.parse::<u8>().ok().map(Pt::from)
}

impl Received {
    fn sound(&mut self, packet: &RtpPacket) {
        self.sound += 1;
        let sequence = *packet.seq_no;
        if packet.header.payload_type == opus() {
            self.sounds.extend(heard(&packet.payload).map(|number| (number, sequence)));
            return;
        }
        self.red += 1;
        let Ok(red) = rtc::red::Red::parse(&packet.payload) else { return };
        let blocks = red.redundant();
        let first = sequence - blocks.len() as u64;
        let payloads = blocks.map(|block| block.payload).chain([red.primary]);
        self.sounds.extend((first..).zip(payloads).filter_map(|(at, payload)| Some((heard(payload)?, at))));
    }

    fn picture(&mut self, now: Instant, packet: &RtpPacket) {
        let scalable =
            packet.header.payload_type == vp9() && packet.payload.first().is_some_and(|first| first & 0x20 != 0);
        let Some(contents) = contents(&packet.payload, scalable) else { return };
        let told = &packet.header.ext_vals;
        let ms = |time: MediaTime| (time.as_seconds() * 1000.0).round() as u64;
        self.playout_delay = told.play_delay_min.map(ms).zip(told.play_delay_max.map(ms));
        if packet.header.marker {
            self.ends.push((contents.frame, contents.layer));
        }
        let key = (contents.frame, contents.layer);
        let parts = self.partial.entry(key).or_default();
        if parts.iter().any(|part| part.packet == contents.packet) {
            return;
        }
        parts.push(contents);
        if parts.len() == usize::from(contents.packets) {
            let first = parts[0];
            self.partial.remove(&key);
            self.frames.push(key);
            self.picture_ids.push(first.picture_id);
            self.timestamps.push(packet.header.timestamp);
            if first.keyframe {
                self.keyframes.push(key);
                self.first_keyframe.get_or_insert(now);
            }
        }
    }
}

fn track_request(cid: String, kind: TrackKind) -> TrackRequest {
    TrackRequest {
        cid,
        kind,
        source: if kind == TrackKind::Audio { TrackSource::Microphone } else { TrackSource::Camera },
        name: String::new(),
        muted: false,
        width: 1280,
        height: 720,
        layers: Vec::new(),
        codecs: Vec::new(),
        disable_dtx: false,
        disable_red: false,
        stereo: false,
        stream: String::new(),
        encryption: 0,
        backup_codec_policy: 0,
        audio_features: Vec::new(),
        packet_trailer_features: Vec::new(),
    }
}
