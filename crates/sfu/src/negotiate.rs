//! Offers and answers: which section carries which track.
//!
//! Single mode: the client offers, and is asked for more receive sections when tracks wait for one. Dual mode: what the
//! peer receives is offered by us, one offer at a time. A section that carried a track is described as `inactive` once
//! before it carries another.

use crate::lines::{ReceiveLine, SendLine, Use};
use crate::outbox::Outbox;
use crate::peer::{Offered, Peer, PeerKey, Progress};
use crate::shard::{CONNECT_TIMEOUT, Shard};
use crate::track::{Encoding, Owner, Track};
use room::TrackSid;
use room::media::{ExpectedTrack, MediaEvent, Target};
use room::track::TrackKind;
use rtc::negotiation::ReceivePlan;
use rtc::{Credentials, Mid, OfferedSection, SectionKind, SectionPlan};
use std::time::Instant;

/// Tracks that a peer may have announced and not yet offered (LiveKit: 20 pending).
const MAX_EXPECTED: usize = 32;
/// Data channels that we open on a subscriber connection (livekit.md 2.6): label, reliable.
const SERVER_CHANNELS: [(&str, bool); 3] = [("_reliable", true), ("_lossy", false), ("_data_track", false)];

impl Shard {
    /// The client announced a track: it may be in an offer already.
    pub(crate) fn expect_track(&mut self, key: PeerKey, track: ExpectedTrack, outbox: &mut dyn Outbox) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        if peer.expected.len() < MAX_EXPECTED {
            peer.expected.push(track);
        }
        self.match_tracks(key, outbox);
    }

    /// The client's offer.
    pub(crate) fn offer(&mut self, now: Instant, key: PeerKey, id: u32, sdp: &str, outbox: &mut dyn Outbox) {
        let fresh = self.credentials();
        let Some(peer) = self.peers.get_mut(key) else { return };
        let (session, room) = (peer.session, peer.room.key);
        let before = peer.publisher.connection.credentials().ufrag.clone();
        let sections = match peer.publisher.connection.accept_offer(sdp, fresh) {
            Ok(sections) => sections,
            Err(error) => {
                outbox.event(room, MediaEvent::NegotiationFailed { session, error: error.to_string() });
                return;
            }
        };
        let restarted = peer.publisher.connection.credentials().ufrag != before;
        if peer.subscriber.is_none() {
            peer.negotiating = false; // In dual mode it is about our own offer, which waits for its answer.
        }
        self.take_sections(key, &sections, outbox);
        self.match_tracks(key, outbox);
        self.assign_waiting(key);
        self.answer(now, key, id, &sections, outbox);
        if restarted {
            self.restarted(now, key, Target::Publisher, &before);
            self.tell_candidates(key, Target::Publisher, outbox);
        }
    }

    /// The client's signalling is back: what was under way by the old one is taken up again.
    pub(crate) fn resume(&mut self, key: PeerKey, outbox: &mut dyn Outbox) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        let (session, room) = (peer.session, peer.room.key);
        let last_message_seq = peer.channels.last_taken();
        outbox.event(room, MediaEvent::Resumed { session, last_message_seq });
        if let Some(link) = &peer.subscriber {
            peer.restart = link.progress != Progress::New && link.connection.next_credentials().is_none();
        } else {
            // It offers anew, since ICE restarts; what it was asked for may not have reached it.
            (peer.negotiating, peer.asked) = (false, None);
        }
        if let Some(Offered { sdp, tracks }) = peer.offered.clone() {
            let id = peer.offer_id;
            outbox.event(room, MediaEvent::Offer { session, id, sdp, tracks });
        }
        peer.negotiate = true;
        self.mark_dirty(key);
    }

    /// Sends the answer, and opens what it maps.
    fn answer(&mut self, now: Instant, key: PeerKey, id: u32, sections: &[OfferedSection], outbox: &mut dyn Outbox) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        let plans: Vec<_> = sections.iter().map(|section| plan(peer, section)).collect();
        let Some(sdp) = peer.publisher.connection.finish(&plans) else { return };
        let tracks = mapped(&peer.send_lines);
        let single = peer.subscriber.is_none();
        let Peer { send_lines, publisher, .. } = peer;
        for line in send_lines.iter_mut().filter(|line| single && line.use_ == Use::Draining) {
            line.free(&mut publisher.connection);
        }
        let (session, room) = (peer.session, peer.room.key);
        outbox.event(room, MediaEvent::Answer { session, id, sdp, tracks });
        self.described(now, key, Target::Publisher, outbox);
        self.open_lines(now, key, outbox);
        if let Some(peer) = self.peers.get_mut(key) {
            peer.negotiate = true; // Tracks may still wait: the turn's end asks for sections.
            self.mark_dirty(key);
        }
    }

    /// After its first description a connection has candidates to tell and a time to come up.
    fn described(&mut self, now: Instant, key: PeerKey, target: Target, outbox: &mut dyn Outbox) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        let link = peer.link(target);
        if link.progress == Progress::New {
            link.progress = Progress::Connecting { until: now + CONNECT_TIMEOUT };
        }
        if !std::mem::replace(&mut link.candidates_sent, true) {
            self.tell_candidates(key, target, outbox);
        }
    }

    /// ICE has restarted: checks come for another ufrag from now on.
    fn restarted(&mut self, now: Instant, key: PeerKey, target: Target, before: &str) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        let link = peer.link(target);
        link.restarted(now);
        self.demux.remove_ufrag(before);
        self.demux.add_ufrag(&link.connection.credentials().ufrag, key, target);
    }

    fn tell_candidates(&mut self, key: PeerKey, target: Target, outbox: &mut dyn Outbox) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        let (session, room) = (peer.session, peer.room.key);
        let link = peer.link(target);
        let candidates = link.connection.candidate_lines();
        let ufrag = link.connection.credentials().ufrag.clone();
        outbox.event(room, MediaEvent::Candidates { session, target, candidates, ufrag });
    }

    /// Brings the lines up to date with an offer's sections; tracks whose section the client closed have ended.
    fn take_sections(&mut self, key: PeerKey, sections: &[OfferedSection], outbox: &mut dyn Outbox) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        let single = peer.subscriber.is_none();
        let mut ended = Vec::new();
        for section in sections {
            let Some(kind) = track_kind(section.kind) else { continue };
            let mid = Mid::from(section.mid.as_str());
            if section.client_sends {
                ended.extend(take_receive_line(peer, section, mid, kind));
            } else {
                ended.extend(drop_receive_line(peer, mid));
                let known = peer.send_lines.iter().any(|line| line.mid == mid);
                if single && section.client_receives && !known {
                    peer.send_lines.push(SendLine::new(mid, kind));
                }
            }
        }
        let (session, room) = (peer.session, peer.room.key);
        for track in ended {
            let Some(Encoding { track: sid, codec }) = self.tracks.get(track).map(|track| track.encoding.clone())
            else {
                continue;
            };
            if codec > 0 {
                self.pause_backup(track);
                continue;
            }
            outbox.event(room, MediaEvent::TrackEnded { session, track: sid.clone() });
            for track in self.encodings(&sid) {
                self.remove_track(track, outbox);
            }
        }
    }

    /// Gives announced tracks to the sections that carry them.
    fn match_tracks(&mut self, key: PeerKey, outbox: &mut dyn Outbox) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        let (session, room) = (peer.session, peer.room.key);
        let mut begun = Vec::new();
        for index in 0..peer.receive_lines.len() {
            if peer.receive_lines[index].track.is_none()
                && let Some(expected) = take_expected(peer, index)
            {
                begun.push((index, expected));
            }
        }
        for (index, expected) in begun {
            let Some(peer) = self.peers.get_mut(key) else { return };
            let line = &mut peer.receive_lines[index];
            let encoding = Encoding { track: expected.sid.clone(), codec: expected.codec };
            let owner = Owner::Local { peer: key, session, mid: Some(line.mid) };
            // Somebody may wait for a backup already.
            let awaited = self.by_encoding.get(&encoding).copied();
            let track_key =
                awaited.unwrap_or_else(|| self.tracks.insert(Track::new(encoding.clone(), room, owner, expected.kind)));
            let Some(track) = self.tracks.get_mut(track_key) else { continue };
            track.owner = owner;
            track.muted = expected.muted;
            track.may_make_red = expected.may_make_red;
            track.set_layers(&line.rids);
            // Others can subscribe while the first packet is still on its way, and a muted track may send none.
            let event = MediaEvent::TrackLive {
                session,
                track: expected.sid.clone(),
                codec: expected.codec,
                mid: line.mid.as_str().to_owned(),
                mime: likely_mime(&expected, line),
                layers: track.live_layers(),
            };
            self.by_encoding.insert(encoding, track_key);
            line.track = Some(track_key);
            line.expected = Some(expected);
            outbox.event(room, event);
        }
    }

    /// Gives free send lines to the tracks that wait for one.
    fn assign_waiting(&mut self, key: PeerKey) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        let waiting = std::mem::take(&mut peer.waiting);
        for waiting in waiting {
            let free = peer.send_lines.iter_mut().find(|line| line.use_ == Use::Free && line.kind == waiting.kind);
            match free {
                Some(line) => line.assign(waiting),
                None => peer.waiting.push_back(waiting),
            }
        }
    }

    /// At the end of a turn: asks the client for sections, or offers.
    pub(crate) fn negotiate(&mut self, now: Instant, key: PeerKey, outbox: &mut dyn Outbox) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        if peer.negotiating || !std::mem::take(&mut peer.negotiate) {
            return;
        }
        if peer.subscriber.is_some() {
            self.make_offer(now, key, outbox);
        } else {
            ask_sections(peer, outbox);
        }
    }

    /// Dual mode: everything that changed, in one offer.
    fn make_offer(&mut self, now: Instant, key: PeerKey, outbox: &mut dyn Outbox) {
        self.assign_waiting(key);
        let fresh = self.credentials();
        let Some(peer) = self.peers.get_mut(key) else { return };
        let Some(offered) = build_offer(peer, fresh) else { return };
        peer.negotiating = true;
        peer.offer_id += 1;
        let plans: Vec<_> = offered.iter().map(|mid| offer_plan(&peer.send_lines, mid)).collect();
        let id = peer.offer_id;
        let (session, room) = (peer.session, peer.room.key);
        let tracks = mapped(&peer.send_lines);
        let Some(sdp) = peer.link(Target::Subscriber).connection.finish(&plans) else { return };
        peer.offered = Some(Offered { sdp: sdp.clone(), tracks: tracks.clone() });
        outbox.event(room, MediaEvent::Offer { session, id, sdp, tracks });
        self.described(now, key, Target::Subscriber, outbox);
    }

    /// Dual mode: the client's answer to our offer.
    pub(crate) fn answered(&mut self, now: Instant, key: PeerKey, id: u32, sdp: &str, outbox: &mut dyn Outbox) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        if peer.subscriber.is_none() || id != peer.offer_id {
            return; // To an offer that a newer one replaced.
        }
        let (session, room) = (peer.session, peer.room.key);
        let connection = &mut peer.link(Target::Subscriber).connection;
        let before = connection.credentials().ufrag.clone();
        if let Err(error) = connection.accept_answer(sdp) {
            outbox.event(room, MediaEvent::NegotiationFailed { session, error: error.to_string() });
            return;
        }
        let restarted = connection.credentials().ufrag != before;
        (peer.negotiating, peer.offered) = (false, None);
        peer.negotiate |=
            peer.restart || !peer.waiting.is_empty() || peer.send_lines.iter().any(|line| line.use_ == Use::Draining);
        self.open_lines(now, key, outbox);
        if restarted {
            self.restarted(now, key, Target::Subscriber, &before);
        }
        self.mark_dirty(key);
    }
}

fn track_kind(kind: SectionKind) -> Option<TrackKind> {
    match kind {
        SectionKind::Audio => Some(TrackKind::Audio),
        SectionKind::Video => Some(TrackKind::Video),
        SectionKind::Application => None,
    }
}

/// Adds or updates a line that the client sends on. Returns the track that another replaced there.
fn take_receive_line(
    peer: &mut Peer,
    section: &OfferedSection,
    mid: Mid,
    kind: TrackKind,
) -> Option<crate::track::TrackKey> {
    let fresh = || ReceiveLine {
        mid,
        kind,
        client_id: section.track_id.clone(),
        rids: section.rids.clone(),
        codecs: section.codecs.clone(),
        track: None,
        expected: None,
    };
    match peer.receive_lines.iter_mut().find(|line| line.mid == mid) {
        None => {
            peer.receive_lines.push(fresh());
            None
        }
        Some(line) if line.client_id != section.track_id && is_announced(&peer.expected, &section.track_id) => {
            std::mem::replace(line, fresh()).track
        }
        Some(_) => None,
    }
}

/// A changed msid alone is no new track (`replaceTrack` keeps it, some clients don't): it must have been announced.
fn is_announced(expected: &[ExpectedTrack], client_id: &Option<String>) -> bool {
    client_id.as_ref().is_some_and(|id| expected.iter().any(|track| names(track, id)))
}

fn drop_receive_line(peer: &mut Peer, mid: Mid) -> Option<crate::track::TrackKey> {
    let index = peer.receive_lines.iter().position(|line| line.mid == mid)?;
    peer.receive_lines.swap_remove(index).track
}

fn names(track: &ExpectedTrack, client_id: &str) -> bool {
    track.cid == client_id || track.other_cids.iter().any(|cid| cid == client_id)
}

/// The announced track that a line carries: by the client's id of it; if no line carries that id (Firefox makes up its
/// own), the first of the same kind.
fn take_expected(peer: &mut Peer, index: usize) -> Option<ExpectedTrack> {
    let line = &peer.receive_lines[index];
    let by_id = peer.expected.iter().position(|track| line.client_id.as_deref().is_some_and(|id| names(track, id)));
    let carried = |track: &ExpectedTrack| {
        peer.receive_lines.iter().any(|line| line.client_id.as_deref().is_some_and(|id| names(track, id)))
    };
    let by_kind = || peer.expected.iter().position(|track| track.kind == line.kind && !carried(track));
    let found = by_id.or_else(by_kind)?;
    Some(peer.expected.remove(found))
}

/// What the answer's codec order makes the client send.
fn likely_mime(track: &ExpectedTrack, line: &ReceiveLine) -> String {
    let offered = |codec: &&String| line.codecs.is_empty() || line.codecs.contains(codec);
    let named = match track.codecs.iter().find(offered).map(String::as_str) {
        Some("red") => rtc::Codec::Red,
        _ if track.kind == TrackKind::Audio => rtc::Codec::Opus,
        Some("h264") => rtc::Codec::H264,
        Some("vp9") => rtc::Codec::Vp9,
        Some("av1") => rtc::Codec::Av1,
        _ => rtc::Codec::Vp8,
    };
    named.mime().to_owned()
}

fn plan(peer: &Peer, section: &OfferedSection) -> SectionPlan {
    if section.kind == SectionKind::Application {
        return SectionPlan::Data;
    }
    if section.client_sends {
        let mid = Mid::from(section.mid.as_str());
        let line = peer.receive_lines.iter().find(|line| line.mid == mid);
        let expected = line.and_then(|line| line.expected.as_ref());
        return SectionPlan::Receive(expected.map(receive_plan).unwrap_or_default());
    }
    offer_plan(&peer.send_lines, &section.mid)
}

fn receive_plan(track: &ExpectedTrack) -> ReceivePlan {
    ReceivePlan { codecs: track.codecs.clone(), stereo: track.stereo, no_dtx: track.disable_dtx }
}

fn offer_plan(lines: &[SendLine], mid: &str) -> SectionPlan {
    let line = lines.iter().find(|line| line.mid.as_str() == mid);
    match line.map(|line| (&line.use_, &line.stream_id)) {
        Some((Use::Track(_, sid), stream_id)) => {
            SectionPlan::Send { stream_id: stream_id.clone(), track_id: sid.as_str().to_owned() }
        }
        _ => SectionPlan::Unused,
    }
}

fn mapped(lines: &[SendLine]) -> Vec<(String, TrackSid)> {
    lines.iter().filter_map(|line| Some((line.mid.as_str().to_owned(), line.track()?.1.clone()))).collect()
}

/// Single mode: asks for the sections that are missing beyond the free ones. None missing still asks for an offer, since
/// only an offer lets us put a track on a free section, or describe a drained one as inactive.
fn ask_sections(peer: &mut Peer, outbox: &mut dyn Outbox) {
    if peer.publisher.progress == Progress::New {
        return; // The first offer comes anyway.
    }
    let draining = peer.send_lines.iter().any(|line| line.use_ == Use::Draining);
    if peer.waiting.is_empty() && !draining {
        return;
    }
    let missing = |kind: TrackKind| {
        let wanted = peer.waiting.iter().filter(|waiting| waiting.kind == kind).count();
        let free = peer.send_lines.iter().filter(|line| line.kind == kind && line.track().is_none()).count();
        wanted.saturating_sub(free) as u32
    };
    let (audio, video) = (missing(TrackKind::Audio), missing(TrackKind::Video));
    let ask = (audio, video, peer.send_lines.len());
    if audio + video > 0 && peer.asked == Some(ask) {
        return; // It was asked for the same and offered without: asking again and again would keep both busy.
    }
    peer.asked = Some(ask);
    peer.negotiating = true;
    outbox.event(peer.room.key, MediaEvent::SectionsNeeded { session: peer.session, audio, video });
}

/// Puts what changed into an offer: channels first, tracks on free lines, new lines, drained ones inactive.
fn build_offer(peer: &mut Peer, fresh: Credentials) -> Option<Vec<String>> {
    let Peer { subscriber, send_lines, waiting, restart, .. } = peer;
    let link = subscriber.as_mut()?;
    let first = link.progress == Progress::New;
    let mut offer = link.connection.next_offer();
    if std::mem::take(restart) {
        offer.restart_ice(fresh);
    }
    if first {
        for (label, reliable) in SERVER_CHANNELS {
            offer.add_channel(label, reliable);
        }
    }
    for waiting in waiting.drain(..) {
        let mid = offer.add_send_section(waiting.kind == TrackKind::Audio);
        let mut line = SendLine::new(mid, waiting.kind);
        line.assign(waiting);
        send_lines.push(line);
    }
    for line in send_lines.iter_mut() {
        match line.use_ {
            Use::Track(..) if !line.open => offer.set_sending(line.mid, true),
            Use::Draining => offer.set_sending(line.mid, false),
            _ => {}
        }
    }
    let made = offer.make();
    for line in send_lines.iter_mut().filter(|line| line.use_ == Use::Draining) {
        line.free(&mut link.connection);
    }
    made
}
