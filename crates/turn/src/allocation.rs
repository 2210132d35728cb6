//! One client's allocation: its relayed address, the peers that it let through, and their short names.

use crate::credentials::Key;
use crate::message::TransactionId;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

/// A permission lasts 5 minutes (RFC 8656 section 9).
const PERMISSION_TTL: Duration = Duration::from_secs(300);
/// A channel lasts 10 (RFC 8656 section 12).
const CHANNEL_TTL: Duration = Duration::from_secs(600);
/// Permissions of an allocation: our candidates are fewer.
const MAX_PERMISSIONS: usize = 16;
/// Channels of an allocation: two dozen candidates of ours, one for each shard that a client is sent to.
const MAX_CHANNELS: usize = 32;

/// An allocation.
#[derive(Debug)]
pub(crate) struct Allocation<P> {
    /// Unlike any other of this server.
    pub(crate) serial: u64,
    pub(crate) client: SocketAddr,
    pub(crate) relayed: SocketAddr,
    pub(crate) username: String,
    pub(crate) key: Key,
    /// Of the request that began it: a repetition gets the same answer (RFC 8656 section 7.2).
    pub(crate) transaction: TransactionId,
    pub(crate) expires: Instant,
    /// In a stream, ChannelData is padded (RFC 8656 section 12.5).
    pub(crate) in_stream: bool,
    permissions: Vec<(IpAddr, Instant)>,
    channels: Vec<Channel>,
    /// What the shell counts it by; given back with it.
    _permit: P,
}

#[derive(Clone, Copy, Debug)]
struct Channel {
    number: u16,
    peer: SocketAddr,
    until: Instant,
}

/// What begins an allocation.
pub(crate) struct Begin<P> {
    pub(crate) serial: u64,
    pub(crate) client: SocketAddr,
    pub(crate) relayed: SocketAddr,
    pub(crate) username: String,
    pub(crate) key: Key,
    pub(crate) transaction: TransactionId,
    pub(crate) expires: Instant,
    pub(crate) in_stream: bool,
    pub(crate) permit: P,
}

impl<P> Allocation<P> {
    pub(crate) fn new(begin: Begin<P>) -> Self {
        let Begin { serial, client, relayed, username, key, transaction, expires, in_stream, permit } = begin;
        Self {
            serial,
            client,
            relayed,
            username,
            key,
            transaction,
            expires,
            in_stream,
            permissions: Vec::new(),
            channels: Vec::new(),
            _permit: permit,
        }
    }

    /// Lets these peers through, all or none. False: they would be too many.
    pub(crate) fn permit(&mut self, now: Instant, peers: &[IpAddr]) -> bool {
        self.permissions.retain(|(_, until)| *until > now);
        for peer in peers {
            self.permissions.retain(|(known, _)| known != peer);
            self.permissions.push((*peer, now + PERMISSION_TTL));
        }
        let fits = self.permissions.len() <= MAX_PERMISSIONS;
        self.permissions.truncate(MAX_PERMISSIONS);
        fits
    }

    pub(crate) fn is_permitted(&self, now: Instant, peer: &IpAddr) -> bool {
        self.permissions.iter().any(|(known, until)| known == peer && *until > now)
    }

    /// Gives a peer a short name, or keeps it for longer, and lets it through. `None`: the name or the peer is bound
    /// otherwise. False: there are too many.
    pub(crate) fn bind(&mut self, now: Instant, number: u16, peer: SocketAddr) -> Option<bool> {
        self.channels.retain(|channel| channel.until > now);
        let (until, full) = (now + CHANNEL_TTL, self.channels.len() >= MAX_CHANNELS);
        match self.channels.iter_mut().find(|channel| channel.number == number || channel.peer == peer) {
            Some(channel) if channel.number == number && channel.peer == peer => channel.until = until,
            Some(_) => return None,
            None if full => return Some(false),
            None => self.channels.push(Channel { number, peer, until }),
        }
        Some(self.permit(now, &[peer.ip()]))
    }

    /// The peer that a channel is bound to.
    pub(crate) fn peer_of(&self, now: Instant, number: u16) -> Option<SocketAddr> {
        self.channels.iter().find(|channel| channel.number == number && channel.until > now).map(|channel| channel.peer)
    }

    /// The channel of a peer.
    pub(crate) fn channel_of(&self, now: Instant, peer: &SocketAddr) -> Option<u16> {
        self.channels.iter().find(|channel| channel.peer == *peer && channel.until > now).map(|channel| channel.number)
    }
}
