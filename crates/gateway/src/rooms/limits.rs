//! What the shell around the rooms refuses, and why just there.

/// Rooms at a time, unless configured otherwise: an idle room costs a task and a few KiB, so this many stay under
/// 100 MiB; beyond it somebody makes up names.
pub const DEFAULT_MAX_ROOMS: usize = 10_000;

/// Events that wait for one session's socket. A newcomer gets one for each track of the room at once, before its socket
/// is open (5,000 participants seldom publish more than this many); events are shared, so a slow socket holds little
/// more than the pointers.
pub const OUTBOX_EVENTS: usize = 4_096;

/// Requests that wait for one room's task; a sender waits while it is full.
pub const ROOM_REQUESTS: usize = 1_024;

/// Media events that wait for one room's task; the shard's side knows what to do when it is full.
pub const ROOM_MEDIA_EVENTS: usize = 1_024;

/// Messages, mutes, bans and rules of one room that wait for the store: a commit takes 5 ms, so this is 200,000 a second.
pub const MAX_WORK: usize = 1_024;

/// Chat messages of one room that are kept at hand, whatever the settings say: one page of the store.
pub const MAX_HISTORY: usize = 10_000;

/// Mutes that are read when a room begins: one page of the store, more than there can be.
pub const MAX_ORDERS_READ: usize = 10_000;

/// How often a join looks for a new room of the name when the one that it found ends under its hands. Twice in a row is
/// chance, more is somebody who deletes rooms in a loop.
pub const JOIN_ATTEMPTS: usize = 3;

/// Rooms that one participant is forwarded to at a time: each is a task and one update for each change of theirs.
pub const MAX_FORWARDS: usize = 16;
