//! The sockets, and what is known of each.

use super::visits::VisitId;
use crate::input::{SocketId, View, Visitor};
use crate::limits::MAX_USERS_OF_SOCKET;
use smallvec::SmallVec;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Instant;

/// A socket.
#[derive(Debug)]
pub(super) struct Socket {
    pub(super) view: View,
    pub(super) visitor: Visitor,
    pub(super) operator: bool,
    pub(super) opened_at: Instant,
    /// Users that it has spoken for.
    pub(super) said: SmallVec<[Arc<str>; 1]>,
    /// Whose return it is taken for, as long as it says nothing.
    pub(super) stands_for: Option<VisitId>,
    /// Rooms that it is banned from.
    pub(super) barred: BTreeSet<Arc<str>>,
}

/// All of them, and who speaks for whom.
#[derive(Debug, Default)]
pub(super) struct Sockets {
    sockets: HashMap<SocketId, Socket>,
    speakers: HashMap<Arc<str>, SmallVec<[SocketId; 2]>>,
}

impl Sockets {
    pub(super) fn insert(&mut self, id: SocketId, socket: Socket) {
        self.sockets.insert(id, socket);
    }

    pub(super) fn get(&self, id: SocketId) -> Option<&Socket> {
        self.sockets.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: SocketId) -> Option<&mut Socket> {
        self.sockets.get_mut(&id)
    }

    /// It speaks for nobody any more.
    pub(super) fn remove(&mut self, id: SocketId) -> Option<Socket> {
        let socket = self.sockets.remove(&id)?;
        for user in &socket.said {
            if let Some(speakers) = self.speakers.get_mut(user) {
                speakers.retain(|speaker| *speaker != id);
                if speakers.is_empty() {
                    self.speakers.remove(user);
                }
            }
        }
        Some(socket)
    }

    /// From now on it speaks for this user too; false if it speaks for too many.
    pub(super) fn speak(&mut self, id: SocketId, user: &Arc<str>) -> bool {
        let Some(socket) = self.sockets.get_mut(&id) else { return false };
        if socket.said.contains(user) {
            return true;
        }
        if socket.said.len() >= MAX_USERS_OF_SOCKET {
            return false;
        }
        socket.said.push(user.clone());
        self.speakers.entry(user.clone()).or_default().push(id);
        true
    }

    /// Those that speak for a user and may do so in a room.
    pub(super) fn speakers(&self, user: &str, room: &str, open: bool) -> impl Iterator<Item = (SocketId, &Socket)> {
        let speakers = self.speakers.get(user).into_iter().flatten();
        let known = speakers.filter_map(|id| Some((*id, self.sockets.get(id)?)));
        known.filter(move |(_, socket)| socket.view.may_send(room, open))
    }
}
