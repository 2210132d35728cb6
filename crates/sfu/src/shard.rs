//! A shard: its peers and tracks, and the ways in.

use crate::data::{Channels, DataDialect, DataTracks, RecentPackets};
use crate::demux::{Demux, Destination};
use crate::levels::WINDOW;
use crate::outbox::Outbox;
use crate::peer::{Link, Peer, PeerKey};
use crate::relay::{RelayMessage, RoomKey, RoomRef};
use crate::stats::ShardStats;
use crate::timers::Timers;
use crate::track::{Encoding, Owner, Track, TrackKey};
use crate::way::{Arrival, Origin, Way};
use room::media::{AudioLevel, ConnectionMode, DataSender, MediaCommand, MediaEvent, PlayoutDelay, Transport};
use room::{SessionId, TrackSid};
use rtc::{Connection, ConnectionConfig, Credentials, Route, stun};
use slotmap::SlotMap;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// From the first description to ICE and DTLS up: three times what a bad mobile network takes.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);
/// All paths lost so long: gone (livekit.md 2.9; ICE itself takes about 15 s to notice, L-28).
pub(crate) const LOST_TIMEOUT: Duration = Duration::from_secs(5);
/// How often layers are looked at and held-back keyframe requests go out.
const TICK: Duration = Duration::from_millis(100);
/// How often bandwidth is shared out anew; what shrinks is acted on at once.
const SHARE_INTERVAL: Duration = Duration::from_millis(500);
/// How often a peer's loss is reported (livekit.md 2.8).
const QUALITY_INTERVAL: Duration = Duration::from_secs(5);

/// What a shard is made of.
#[derive(Debug)]
pub struct ShardConfig {
    /// Its place among the shards.
    pub index: u8,
    /// How its connections are made.
    pub connection: ConnectionConfig,
    /// Who reads its data packets.
    pub dialect: Arc<dyn DataDialect>,
    /// Secure randomness, from the shell.
    pub entropy: fn(&mut [u8]),
}

/// The media graph of one shard.
#[derive(Debug)]
pub struct Shard {
    pub(crate) config: ShardConfig,
    pub(crate) peers: SlotMap<PeerKey, Peer>,
    pub(crate) tracks: SlotMap<TrackKey, Track>,
    pub(crate) sessions: HashMap<SessionId, PeerKey>,
    pub(crate) rooms: HashMap<RoomKey, Vec<PeerKey>>,
    pub(crate) by_encoding: HashMap<Encoding, TrackKey>,
    pub(crate) data_tracks: DataTracks,
    pub(crate) recent: RecentPackets,
    pub(crate) demux: Demux,
    pub(crate) timers: Timers,
    pub(crate) dirty: Vec<PeerKey>,
    pub(crate) stats: ShardStats,
    next_tick: Instant,
    next_share: Instant,
    next_window: Instant,
    next_quality: Instant,
}

impl Shard {
    /// An empty shard.
    pub fn new(config: ShardConfig, now: Instant) -> Self {
        Self {
            config,
            peers: SlotMap::with_key(),
            tracks: SlotMap::with_key(),
            sessions: HashMap::new(),
            rooms: HashMap::new(),
            by_encoding: HashMap::new(),
            data_tracks: DataTracks::new(),
            recent: RecentPackets::default(),
            demux: Demux::default(),
            timers: Timers::default(),
            dirty: Vec::new(),
            stats: ShardStats::default(),
            next_tick: now + TICK,
            next_share: now + SHARE_INTERVAL,
            next_window: now + WINDOW,
            next_quality: now + QUALITY_INTERVAL,
        }
    }

    /// Peers now.
    pub fn peers(&self) -> usize {
        self.peers.len()
    }

    /// Totals and gauges.
    pub fn stats(&self) -> ShardStats {
        ShardStats {
            peers: self.peers.len() as u64,
            tracks: self.tracks.values().filter(|track| matches!(track.owner, Owner::Local { .. })).count() as u64,
            receivers: self.tracks.values().map(|track| track.receivers.len() as u64).sum(),
            addresses: self.demux.addresses() as u64,
            ..self.stats
        }
    }

    pub(crate) fn mark_dirty(&mut self, key: PeerKey) {
        if let Some(peer) = self.peers.get_mut(key)
            && !std::mem::replace(&mut peer.dirty, true)
        {
            self.dirty.push(key);
        }
    }

    pub(crate) fn credentials(&self) -> Credentials {
        let mut entropy = [0; Credentials::ENTROPY];
        (self.config.entropy)(&mut entropy);
        Credentials::new(self.config.index, &entropy)
    }

    /// A room's command for a peer of this shard. `owner` is the shard of a subscription's publisher.
    pub fn handle_command(
        &mut self,
        now: Instant,
        room: &Arc<RoomRef>,
        command: MediaCommand,
        owner: u8,
        outbox: &mut dyn Outbox,
    ) {
        if let MediaCommand::AddPeer { session, mode, transport, publish_codecs, sender, may_pause, playout_delay } =
            command
        {
            self.add_peer(now, room, session, (mode, transport, playout_delay), sender, may_pause);
            if let Some(peer) = self.sessions.get(&session).and_then(|key| self.peers.get_mut(*key)) {
                peer.publisher.connection.take_only(&publish_codecs);
            }
            return;
        }
        let Some(key) = self.sessions.get(&command.session()).copied() else { return };
        self.guarded(key, outbox, |shard, outbox| shard.obey(now, key, command, owner, outbox));
    }

    fn obey(&mut self, now: Instant, key: PeerKey, command: MediaCommand, owner: u8, outbox: &mut dyn Outbox) {
        match command {
            MediaCommand::AddPeer { .. } => {}
            MediaCommand::RemovePeer { .. } => self.farewell(key, outbox),
            MediaCommand::Resume { .. } => self.resume(key, outbox),
            MediaCommand::SetSender { sender, .. } => {
                if let Some(peer) = self.peers.get_mut(key) {
                    peer.sender = sender;
                }
            }
            MediaCommand::Offer { id, sdp, .. } => self.offer(now, key, id, &sdp, outbox),
            MediaCommand::Answer { id, sdp, .. } => self.answered(now, key, id, &sdp, outbox),
            // ICE-lite: addresses are learnt from the client's verified checks.
            MediaCommand::Candidate { .. } => {}
            MediaCommand::ExpectTrack { track, .. } => self.expect_track(key, track, outbox),
            MediaCommand::EndTrack { track, .. } => self.end_track(key, &track, outbox),
            MediaCommand::Regress { track, .. } => self.regress(now, &track, outbox),
            MediaCommand::SetMuted { track, muted, .. } => {
                for key in self.encodings(&track) {
                    if let Some(track) = self.tracks.get_mut(key) {
                        track.muted = muted;
                    }
                }
            }
            MediaCommand::Subscribe { track, kind, stream_id, may_make_red, codecs, settings, .. } => {
                self.subscribe(key, (track.clone(), kind, stream_id, settings), owner, outbox);
                if let Some(key) = self.by_encoding.get(&Encoding::primary(&track))
                    && let Some(track) = self.tracks.get_mut(*key)
                {
                    (track.may_make_red, track.codec_names) = (may_make_red, codecs);
                }
            }
            MediaCommand::SetTrackSettings { track, settings, .. } => {
                self.set_track_settings(now, key, &track, settings, outbox);
            }
            MediaCommand::Unsubscribe { track, .. } => self.unsubscribe(key, &track, outbox),
            MediaCommand::LimitDownlink { bps, .. } => self.limit_downlink(now, key, bps, outbox),
            MediaCommand::SendData { reliable, packet, .. } => self.send_data(key, reliable, &packet, outbox),
            MediaCommand::Call { id, packet, .. } => self.call(key, id, &packet, outbox),
            MediaCommand::ReplayData { known, .. } => self.replay(now, key, &known, outbox),
            MediaCommand::PublishDataTrack { track, handle, .. } => self.publish_data_track(key, track, handle),
            MediaCommand::UnpublishDataTrack { track, .. } => self.unpublish_data_track(key, &track),
            MediaCommand::SubscribeDataTrack { track, handle, .. } => {
                self.subscribe_data_track(key, track, handle, owner, outbox);
            }
            MediaCommand::UnsubscribeDataTrack { track, .. } => self.unsubscribe_data_track(key, &track, outbox),
        }
    }

    fn end_track(&mut self, key: PeerKey, sid: &TrackSid, outbox: &mut dyn Outbox) {
        for track in self.encodings(sid) {
            if let Some(peer) = self.peers.get_mut(key) {
                for line in peer.receive_lines.iter_mut().filter(|line| line.track == Some(track)) {
                    line.track = None;
                }
            }
            self.remove_track(track, outbox);
        }
    }

    fn add_peer(
        &mut self,
        now: Instant,
        room: &Arc<RoomRef>,
        session: SessionId,
        (mode, transport, playout_delay): (ConnectionMode, Transport, Option<PlayoutDelay>),
        sender: Arc<DataSender>,
        may_pause: bool,
    ) {
        let mut config = Cow::Borrowed(&self.config.connection);
        if transport == Transport::TcpOnly {
            config.to_mut().candidates = config.candidates.tcp_only();
        }
        if let Some(PlayoutDelay { min_ms, max_ms }) = playout_delay {
            config.to_mut().playout_delay = Some(rtc::PlayoutDelay { min_ms, max_ms });
        }
        let link = || Link::new(Connection::new(&config, self.credentials(), now));
        let publisher = link();
        let subscriber = (mode == ConnectionMode::Dual).then(link);
        let peer = Peer {
            session,
            room: Arc::clone(room),
            sender,
            publisher,
            negotiate: subscriber.is_some(),
            subscriber,
            expected: Vec::new(),
            receive_lines: Vec::new(),
            send_lines: Vec::new(),
            waiting: Default::default(),
            channels: Channels::new(self.recent.next()),
            negotiating: false,
            offered: None,
            restart: false,
            asked: None,
            offer_id: 0,
            dirty: false,
            armed: None,
            loss: Default::default(),
            missed: Default::default(),
            downlink: Default::default(),
            may_pause,
            #[cfg(feature = "fault-injection")]
            faulty: false,
        };
        let key = self.peers.insert(peer);
        self.sessions.insert(session, key);
        self.rooms.entry(room.key).or_default().push(key);
        room.set_present(self.config.index, true);
        self.register_ufrags(key);
        self.mark_dirty(key);
    }

    fn register_ufrags(&mut self, key: PeerKey) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        for target in peer.targets() {
            let ufrag = &peer.link(*target).connection.credentials().ufrag;
            self.demux.add_ufrag(ufrag, key, *target);
        }
    }

    /// The room lets a peer go: it is told on the wire (DTLS close_notify), then dropped.
    fn farewell(&mut self, key: PeerKey, outbox: &mut dyn Outbox) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        for target in peer.targets() {
            let link = peer.link(*target);
            link.connection.close();
            while let Ok(rtc::Output::Transmit(mut datagram)) = link.connection.poll() {
                if let Some(way) = link.way(&mut datagram) {
                    outbox.datagram(way, datagram);
                }
            }
        }
        self.remove_peer(key, outbox);
    }

    /// Forgets a peer, its tracks, subscriptions and addresses.
    pub(crate) fn remove_peer(&mut self, key: PeerKey, outbox: &mut dyn Outbox) {
        self.drop_subscriptions(key, outbox);
        self.drop_data_tracks(key, outbox);
        let owned: Vec<_> = self.tracks.iter().filter(|(_, track)| is_owner(track, key)).map(|(key, _)| key).collect();
        for track in owned {
            self.remove_track(track, outbox);
        }
        let Some(peer) = self.peers.remove(key) else { return };
        self.sessions.remove(&peer.session);
        for link in peer.links() {
            self.demux.remove_ufrag(&link.connection.credentials().ufrag);
            for Way { origin, .. } in &link.ways {
                self.demux.forget(origin, key);
                origin.via.tunnel().into_iter().for_each(|tunnel| outbox.close_tunnel(tunnel));
            }
        }
        if let Some(peers) = self.rooms.get_mut(&peer.room.key) {
            peers.retain(|other| *other != key);
            if peers.is_empty() {
                self.rooms.remove(&peer.room.key);
                peer.room.set_present(self.config.index, false);
            }
        }
    }

    /// A datagram came. False: its source has proved nothing, and it was dropped.
    pub fn handle_datagram(
        &mut self,
        now: Instant,
        arrival: &Arrival,
        datagram: &[u8],
        outbox: &mut dyn Outbox,
    ) -> bool {
        let Some(destination) = self.find_peer(now, arrival, datagram) else {
            self.stats.datagrams_unknown += 1;
            return false;
        };
        let route = self.route(arrival);
        self.guarded(destination.peer, outbox, |shard, outbox| {
            let Some(peer) = shard.peers.get_mut(destination.peer) else { return };
            let link = peer.link(destination.target);
            link.followed.hear(now, arrival.origin);
            match link.connection.handle_datagram(now, route, datagram) {
                Ok(()) => shard.drain(now, destination.peer, destination.target, outbox),
                Err(error) => {
                    tracing::debug!(%error, "datagram broke a connection");
                    shard.end_peer(destination.peer, room::media::MediaEnd::Failed, outbox);
                }
            }
        });
        true
    }

    /// By address if it is verified; else only a STUN request that proves itself.
    fn find_peer(&mut self, now: Instant, arrival: &Arrival, datagram: &[u8]) -> Option<Destination> {
        let origin = arrival.origin;
        if !stun::is_stun(datagram) {
            return self.demux.by_source(&origin);
        }
        let (key, target) = self.demux.by_ufrag(Credentials::addressed_ufrag(datagram)?)?;
        let known = self.demux.by_source(&origin).filter(|known| (known.peer, known.target) == (key, target));
        let route = self.route(arrival);
        let link = self.peers.get_mut(key)?.link(target);
        let moves = stun::nominates(datagram) && link.followed.would_change(now, origin);
        if (known.is_some() && !moves) || !link.connection.verifies(now, route, datagram) {
            return known;
        }
        let way = Way { origin, local: arrival.local.ip() };
        if moves {
            link.followed.change(now, way);
        }
        let destination = Destination { peer: key, target };
        if known.is_none() {
            let (added, forgotten) = link.add_way(way);
            forgotten.into_iter().for_each(|old| self.demux.forget(&old, key));
            added.then(|| self.demux.verified(origin, destination))?;
        }
        Some(destination)
    }

    /// As ICE sees it: the candidate stands for a local address, since behind a NAT it is another one.
    fn route(&self, arrival: &Arrival) -> Route {
        let (protocol, local) = (arrival.origin.via.protocol(), arrival.local);
        let candidates = self.config.connection.candidates.of(protocol);
        let same_family = || candidates.iter().find(|candidate| candidate.is_ipv4() == local.is_ipv4());
        let candidate = candidates.iter().find(|candidate| **candidate == local).or_else(same_family);
        Route { protocol, source: arrival.origin.address, destination: candidate.copied().unwrap_or(local) }
    }

    /// A tunnel has ended: nobody is reached by it any more. They may still be by another way.
    pub fn tunnel_closed(&mut self, origin: &Origin) {
        let Some(Destination { peer, target }) = self.demux.by_source(origin) else { return };
        self.demux.forget(origin, peer);
        if let Some(peer) = self.peers.get_mut(peer) {
            peer.link(target).forget(origin);
        }
    }

    /// A message from another shard.
    pub fn handle_relay(&mut self, now: Instant, message: RelayMessage, outbox: &mut dyn Outbox) {
        self.relayed(now, message, outbox);
    }

    /// When [`Shard::handle_timeout`] is due next.
    pub fn poll_timeout(&self) -> Instant {
        let housekeeping = self.next_tick.min(self.next_share).min(self.next_window).min(self.next_quality);
        self.timers.next().map_or(housekeeping, |next| next.min(housekeeping))
    }

    /// Time passed: due peers get their turn, and housekeeping is done.
    pub fn handle_timeout(&mut self, now: Instant, outbox: &mut dyn Outbox) {
        while let Some((at, key)) = self.timers.pop_due(now) {
            let Some(peer) = self.peers.get_mut(key) else { continue };
            if peer.armed == Some(at) {
                peer.armed = None;
                self.mark_dirty(key);
            }
        }
        if self.next_tick <= now {
            self.next_tick = now + TICK;
            self.meter_layers();
            self.look_at_layers(now, outbox);
            self.report_wanted(outbox);
            self.look_for_missed();
        }
        if self.next_share <= now {
            self.next_share = now + SHARE_INTERVAL;
            self.tell_rates(outbox);
            self.share_out_all(now, outbox);
        }
        if self.next_window <= now {
            self.next_window = now + WINDOW;
            self.report_levels(outbox);
        }
        if self.next_quality <= now {
            self.next_quality = now + QUALITY_INTERVAL;
            self.report_quality(outbox);
            self.recent.expire(now);
        }
    }

    /// Layers that went quiet give way to lower ones; keyframe requests that were held back go out.
    fn look_at_layers(&mut self, now: Instant, outbox: &mut dyn Outbox) {
        let mut due = Vec::new();
        for (key, track) in &mut self.tracks {
            track.refresh_targets(now);
            for (layer, throttle) in track.throttles.iter_mut().enumerate() {
                if !track.muted && throttle.due(now) {
                    due.push((key, layer as u8));
                }
            }
        }
        for (key, layer) in due {
            self.ask_keyframe(key, layer, outbox);
        }
        self.tell_owners(outbox);
    }

    fn report_levels(&mut self, outbox: &mut dyn Outbox) {
        let mut rooms: BTreeMap<u64, Vec<AudioLevel>> = BTreeMap::new();
        for track in self.tracks.values_mut() {
            let Owner::Local { session, .. } = track.owner else { continue };
            if let Some((level_dbov, active_share)) = track.level.close() {
                let level = AudioLevel { session, track: track.encoding.track.clone(), level_dbov, active_share };
                rooms.entry(track.room.0).or_default().push(level);
            }
        }
        for (room, levels) in rooms {
            outbox.event(RoomKey(room), MediaEvent::Levels { levels });
        }
    }

    fn report_quality(&mut self, outbox: &mut dyn Outbox) {
        for peer in self.peers.values_mut() {
            let loss = std::mem::take(&mut peer.loss);
            let missed_layers = peer.missed.take();
            if !peer.links().any(|link| link.progress.is_up()) {
                continue;
            }
            let event = MediaEvent::Quality {
                session: peer.session,
                up_loss: loss.up,
                down_loss: loss.down,
                rtt_ms: loss.rtt_ms,
                missed_layers,
            };
            outbox.event(peer.room.key, event);
        }
    }

    /// Makes a peer's next turn panic.
    #[cfg(feature = "fault-injection")]
    pub fn inject_fault(&mut self, session: SessionId) {
        if let Some(peer) = self.sessions.get(&session).and_then(|key| self.peers.get_mut(*key)) {
            peer.faulty = true;
        }
    }

    /// Ends everybody: they are told on the wire.
    pub fn close(&mut self, outbox: &mut dyn Outbox) {
        let keys: Vec<_> = self.peers.keys().collect();
        for key in keys {
            self.guarded(key, outbox, |shard, outbox| shard.farewell(key, outbox));
        }
    }
}

fn is_owner(track: &Track, key: PeerKey) -> bool {
    matches!(track.owner, Owner::Local { peer, .. } if peer == key)
}

const _: () = assert!(RoomRef::MAX_SHARDS as usize <= 256, "a ufrag names a shard in two hex digits");
