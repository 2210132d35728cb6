//! A peer's turn: what its connections have to say, and how far they have come. A panic in it costs that peer alone.

use crate::outbox::Outbox;
use crate::peer::{PeerKey, Progress};
use crate::shard::{LOST_TIMEOUT, Shard};
use room::media::{MediaEnd, MediaEvent, Target};
use rtc::{ConnectionError, Event, Output};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

impl Shard {
    /// Runs a peer's turn. A panic in it is our defect: the peer goes, a counter rises, everybody else stays.
    pub(crate) fn guarded(
        &mut self,
        key: PeerKey,
        outbox: &mut dyn Outbox,
        turn: impl FnOnce(&mut Self, &mut dyn Outbox),
    ) {
        let survived = catch_unwind(AssertUnwindSafe(|| {
            self.fault(key);
            turn(self, &mut *outbox);
        }));
        if survived.is_err() {
            self.stats.panics += 1;
            self.end_peer(key, MediaEnd::Panic, outbox);
        }
    }

    #[cfg(feature = "fault-injection")]
    fn fault(&mut self, key: PeerKey) {
        if self.peers.get_mut(key).is_some_and(|peer| std::mem::take(&mut peer.faulty)) {
            panic!("fault injected into a peer");
        }
    }

    #[cfg(not(feature = "fault-injection"))]
    fn fault(&mut self, _key: PeerKey) {}

    /// Everything that peers changed in this turn goes out.
    pub fn flush(&mut self, now: Instant, outbox: &mut dyn Outbox) {
        while let Some(key) = self.dirty.pop() {
            self.guarded(key, outbox, |shard, outbox| shard.drive(now, key, outbox));
        }
    }

    /// One peer: time moves on, its connections are drained, it is woken again when it asks.
    pub(crate) fn drive(&mut self, now: Instant, key: PeerKey, outbox: &mut dyn Outbox) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        peer.dirty = false;
        for target in peer.targets() {
            self.advance(now, key, *target, outbox);
        }
        self.negotiate(now, key, outbox);
    }

    /// Time moves on for one connection.
    fn advance(&mut self, now: Instant, key: PeerKey, target: Target, outbox: &mut dyn Outbox) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        let link = peer.link(target);
        if link.deadline().is_some_and(|deadline| deadline <= now) {
            self.end_peer(key, MediaEnd::Connectivity, outbox);
            return;
        }
        match link.connection.handle_timeout(now) {
            Ok(()) => self.drain(now, key, target, outbox),
            Err(error) => self.broken(key, &error, outbox),
        }
    }

    /// Takes everything a connection has to say.
    pub(crate) fn drain(&mut self, now: Instant, key: PeerKey, target: Target, outbox: &mut dyn Outbox) {
        loop {
            let Some(peer) = self.peers.get_mut(key) else { return };
            let link = peer.link(target);
            match link.connection.poll() {
                Ok(Output::Transmit(mut datagram)) => {
                    if let Some(way) = link.way(&mut datagram) {
                        outbox.datagram(way, datagram);
                    }
                }
                Ok(Output::Event(event)) => self.handle_event(now, key, target, event, outbox),
                Ok(Output::Timeout(at)) => {
                    let wake = link.deadline().map_or(at, |deadline| deadline.min(at));
                    self.timers.arm(key, wake, &mut peer.armed);
                    return;
                }
                Err(error) => return self.broken(key, &error, outbox),
            }
        }
    }

    fn handle_event(&mut self, now: Instant, key: PeerKey, target: Target, event: Event, outbox: &mut dyn Outbox) {
        match event {
            Event::Packet(packet) => self.ingress(now, key, packet, outbox),
            Event::KeyframeRequest(mid) => {
                self.stats.keyframes_wanted += 1;
                self.keyframe_wanted_by(now, key, mid, outbox);
            }
            Event::Message(channel, bytes) => self.message(now, key, (target, channel), &bytes, outbox),
            Event::ChannelOpen(channel, label) => self.channel_opened(key, target, channel, &label),
            Event::ChannelClosed(channel) => self.channel_closed(key, target, channel),
            Event::Writable(_) => self.drain_backlog(key),
            Event::Connected => self.connected(now, key, target, outbox),
            Event::Disconnected => self.path_lost(now, key, target),
            Event::Reconnected => self.path_found(now, key, target, outbox),
            Event::Closed => self.end_peer(key, MediaEnd::ClosedByPeer, outbox),
            Event::Estimate(bps) if target == self.sending_target(key) => self.estimated(now, key, bps, outbox),
            Event::Estimate(_) => {}
            Event::Ingress { loss, nacks } => {
                self.stats.nacks_out += nacks;
                self.note_loss(key, |report| report.up = worst(report.up, loss));
            }
            Event::Egress { loss, rtt, nacks } => {
                self.stats.nacks_in += nacks;
                self.note_loss(key, |report| {
                    report.down = worst(report.down, loss);
                    let rtt = rtt.filter(|_| loss.is_some()).map(|rtt| rtt.as_secs_f32() * 1000.0);
                    report.rtt_ms = rtt.or(report.rtt_ms);
                });
            }
        }
    }

    fn sending_target(&self, key: PeerKey) -> Target {
        self.peers.get(key).map_or(Target::Publisher, |peer| peer.sending_target())
    }

    fn path_lost(&mut self, now: Instant, key: PeerKey, target: Target) {
        if let Some(peer) = self.peers.get_mut(key) {
            peer.link(target).progress = Progress::Lost { until: now + LOST_TIMEOUT };
        }
    }

    /// A path is there again. What was sent meanwhile may not have arrived: pictures begin anew.
    fn path_found(&mut self, now: Instant, key: PeerKey, target: Target, outbox: &mut dyn Outbox) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        let link = peer.link(target);
        if !matches!(link.progress, Progress::Lost { .. }) {
            return; // DTLS is not up yet: that it is, is told apart.
        }
        link.progress = Progress::Up;
        link.followed.settle();
        if target == peer.sending_target() {
            self.begin_pictures(now, key, outbox);
        }
    }

    fn note_loss(&mut self, key: PeerKey, note: impl FnOnce(&mut crate::peer::LossReport)) {
        if let Some(peer) = self.peers.get_mut(key) {
            note(&mut peer.loss);
        }
    }

    fn broken(&mut self, key: PeerKey, error: &ConnectionError, outbox: &mut dyn Outbox) {
        tracing::debug!(%error, "connection failed");
        self.end_peer(key, MediaEnd::Failed, outbox);
    }

    /// Tells the room that a peer's media is over, and drops it.
    pub(crate) fn end_peer(&mut self, key: PeerKey, reason: MediaEnd, outbox: &mut dyn Outbox) {
        if let Some(peer) = self.peers.get(key) {
            let (session, room) = (peer.session, peer.room.key);
            self.remove_peer(key, outbox);
            outbox.event(room, MediaEvent::Ended { session, reason });
        }
    }
}

fn worst(known: Option<f32>, loss: Option<f32>) -> Option<f32> {
    let Some(loss) = loss else { return known };
    Some(known.map_or(loss, |known| known.max(loss)))
}
