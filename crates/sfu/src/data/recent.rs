//! Reliable packets of the last moments, for somebody who resumes on a new connection (livekit.md 2.6).
//!
//! What a peer was given live is never given to it again: packets are numbered, and a peer knows the number at which it
//! began.

use crate::relay::RoomKey;
use room::ParticipantSid;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a packet is kept: a resume that takes longer is a new session for data. The reference's.
const KEPT: Duration = Duration::from_secs(2);
/// Packets kept for one room on one shard: 2 s of 2,000 a second.
const MAX_PACKETS: usize = 4_096;
/// Bytes kept for one room on one shard: as much as a receiver may be behind.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// A data packet on its way to its receivers.
#[derive(Debug)]
pub struct DataPacket {
    /// By `_reliable` or `_lossy`.
    pub reliable: bool,
    /// As receivers get it.
    pub bytes: Arc<[u8]>,
    /// Whom it is for ([`room::media::DataSender::is_called`]); empty: all.
    pub destinations: Vec<String>,
    /// Who sent it; `None`: somebody hidden.
    pub sender: Option<ParticipantSid>,
    /// Its number among the sender's reliable packets; 0: it has none.
    pub sequence: u32,
}

/// A shard's recent packets, room by room.
#[derive(Debug, Default)]
pub(crate) struct RecentPackets {
    rooms: HashMap<RoomKey, Room>,
    next: u64,
}

#[derive(Debug, Default)]
struct Room {
    packets: VecDeque<Entry>,
    bytes: usize,
}

#[derive(Debug)]
struct Entry {
    at: Instant,
    number: u64,
    packet: Arc<DataPacket>,
}

impl RecentPackets {
    /// The number of the next packet.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// Keeps a packet, if it can be told from others later.
    pub(crate) fn keep(&mut self, now: Instant, room: RoomKey, packet: &Arc<DataPacket>) {
        if !packet.reliable || packet.sequence == 0 || packet.sender.is_none() {
            return;
        }
        let room = self.rooms.entry(room).or_default();
        room.bytes += packet.bytes.len();
        room.packets.push_back(Entry { at: now, number: self.next, packet: Arc::clone(packet) });
        self.next += 1;
        room.trim(now);
    }

    /// What a peer that began at number `since` has missed of a room, but for what it has by its own account: the last
    /// sequence of each sender.
    pub(crate) fn missed(
        &self,
        now: Instant,
        room: RoomKey,
        since: u64,
        known: &[(ParticipantSid, u32)],
    ) -> Vec<Arc<DataPacket>> {
        let Some(room) = self.rooms.get(&room) else { return Vec::new() };
        let known: HashMap<_, _> = known.iter().map(|(sender, last)| (sender, *last)).collect();
        let has = |packet: &DataPacket| {
            let last = packet.sender.as_ref().and_then(|sender| known.get(sender));
            last.is_some_and(|last| packet.sequence <= *last)
        };
        let missed = room.packets.iter().filter(|entry| entry.number < since && !entry.is_old(now));
        missed.filter(|entry| !has(&entry.packet)).map(|entry| Arc::clone(&entry.packet)).collect()
    }

    /// Time passed.
    pub(crate) fn expire(&mut self, now: Instant) {
        self.rooms.retain(|_, room| {
            room.trim(now);
            !room.packets.is_empty()
        });
    }
}

impl Entry {
    fn is_old(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.at) > KEPT
    }
}

impl Room {
    fn trim(&mut self, now: Instant) {
        while self.packets.len() > MAX_PACKETS
            || self.bytes > MAX_BYTES
            || self.packets.front().is_some_and(|entry| entry.is_old(now))
        {
            let Some(entry) = self.packets.pop_front() else { return };
            self.bytes -= entry.packet.bytes.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: RoomKey = RoomKey(1);

    fn packet(sender: &str, sequence: u32, bytes: usize) -> Arc<DataPacket> {
        let (bytes, destinations) = (vec![0; bytes].into(), Vec::new());
        let sender = Some(ParticipantSid::new(sender));
        Arc::new(DataPacket { reliable: true, bytes, destinations, sender, sequence })
    }

    fn sequences(packets: &[Arc<DataPacket>]) -> Vec<u32> {
        packets.iter().map(|packet| packet.sequence).collect()
    }

    #[test]
    fn l_44_who_comes_back_gets_what_it_has_not_and_nothing_twice() {
        // L-44
        let (mut recent, now) = (RecentPackets::default(), Instant::now());
        for sequence in 1..=5 {
            recent.keep(now, ROOM, &packet("PA_a", sequence, 10));
        }
        recent.keep(now, ROOM, &packet("PA_b", 9, 10));
        let began = recent.next();
        recent.keep(now, ROOM, &packet("PA_a", 6, 10));
        let known = [(ParticipantSid::new("PA_a"), 3)];
        assert_eq!(sequences(&recent.missed(now, ROOM, began, &known)), [4, 5, 9], "6 came live");
        assert!(recent.missed(now, RoomKey(2), began, &known).is_empty());
        assert!(recent.missed(now, ROOM, 0, &[]).is_empty(), "somebody who was there all the time");
    }

    #[test]
    fn l_44_packets_are_kept_for_two_seconds_and_within_their_bounds() {
        // L-44
        let (mut recent, now) = (RecentPackets::default(), Instant::now());
        for sequence in 1..=5_000 {
            recent.keep(now, ROOM, &packet("PA_a", sequence, 10));
        }
        assert_eq!(recent.missed(now, ROOM, u64::MAX, &[]).len(), MAX_PACKETS);
        for sequence in 5_001..=5_100 {
            recent.keep(now, ROOM, &packet("PA_a", sequence, 64_000));
        }
        assert_eq!(recent.missed(now, ROOM, u64::MAX, &[]).len(), MAX_BYTES / 64_000);
        let later = now + KEPT + Duration::from_millis(1);
        assert!(recent.missed(later, ROOM, u64::MAX, &[]).is_empty());
        recent.expire(later);
        assert!(recent.rooms.is_empty());
    }

    #[test]
    fn what_nobody_could_tell_apart_is_not_kept() {
        let (mut recent, now) = (RecentPackets::default(), Instant::now());
        let hidden =
            DataPacket { reliable: true, bytes: vec![1].into(), destinations: vec![], sender: None, sequence: 1 };
        recent.keep(now, ROOM, &Arc::new(hidden));
        recent.keep(now, ROOM, &packet("PA_a", 0, 1));
        assert!(recent.rooms.is_empty());
    }
}
