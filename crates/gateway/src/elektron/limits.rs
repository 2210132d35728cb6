//! What this gateway refuses, and why just there. What a setting may change is [`super::BusConfig`].

use std::time::Duration;

/// Messages of sockets that wait for the hub; a socket waits while it is full.
pub const HUB_REQUESTS: usize = 1_024;

/// Messages that the hub takes in before it lets the sockets write: so many go out in one system call.
pub const HUB_BATCH: usize = 64;

/// Messages of a size over this are counted by their bytes while they wait for the hub.
pub const LARGE_BYTES: usize = 16 * 1024;

/// Bytes of large messages that wait for the hub.
pub const HUB_LARGE_BYTES: usize = 32 * 1024 * 1024;

/// Messages that wait in order for one socket. A socket that has not taken the first by then is too slow.
pub const OUTBOX_FRAMES: usize = 4_096;

/// Bytes of them; a single larger message is taken all the same.
pub const OUTBOX_BYTES: usize = 512 * 1024;

/// From so many waiting messages, or bytes, on a socket is slow: older steps of those who move are left out.
pub const SLOW_FRAMES: usize = 256;
/// See [`SLOW_FRAMES`].
pub const SLOW_BYTES: usize = 64 * 1024;

/// Bytes of pictures that wait for one socket, the newest of each source; the oldest is left out first.
pub const OUTBOX_IMAGE_BYTES: usize = 256 * 1024;

/// Messages in one system call.
pub const WRITE_FRAMES: usize = 64;

/// Bytes in one system call: a socket's buffer seldom takes more at once.
pub const WRITE_BYTES: usize = 64 * 1024;

/// How long a socket may take nothing while something waits for it (Q-7: evicted within 10 s, the farewell counted in).
pub const MAX_STALL: Duration = Duration::from_secs(6);

/// A socket from which nothing was heard for so long is pinged (E-17).
pub const PING_AFTER: Duration = Duration::from_secs(20);

/// And after this it is dead: a ping was not answered for half a minute.
pub const DEAD_AFTER: Duration = Duration::from_secs(50);

/// Read buffer of a socket, in bytes: an idle socket holds little more than this.
pub const READ_BUFFER_BYTES: usize = 4 * 1024;

/// Messages of one socket that wait for an earlier one to be stored; the socket is not read meanwhile.
pub const MAX_JOBS: usize = 64;

/// Chat messages of one socket that are being stored at a time: they share commits.
pub const MAX_CHATS_IN_FLIGHT: usize = 16;

/// How long a room's door, once opened to somebody, stays open without being asked again: bans hold by then.
pub const DOOR_OPEN: Duration = Duration::from_secs(30);

/// Doors that one socket remembers.
pub const MAX_DOORS: usize = 64;

/// Messages in a CHAT_SYNC or LIKE_SYNC, the newest.
pub const MAX_SYNC: usize = 500;

/// Bytes of them: with it, and what follows, a joiner's outbox is not full.
pub const MAX_SYNC_BYTES: usize = 192 * 1024;

/// What watchers have told and the hub has not yet heard. Chat beyond it is not heard on the bus, and counted.
pub const MAX_HEARD: usize = 16_384;

/// Likes and hearts that are kept of a room, their bytes, and those of all rooms.
pub const LIKES: store::Retention =
    store::Retention { entries: 10_000, bytes: 2 * 1024 * 1024, family_bytes: 32 * 1024 * 1024 };

/// Wrong secrets at once from one address, and in each minute after that (E-14).
pub const FAILURES_A_MINUTE: f64 = 10.0;

/// Addresses whose failures are remembered: 65,536 of them are about 4 MiB.
pub const MAX_FAILING_ADDRESSES: usize = 65_536;

/// Readings of `/history` at once from one address: each is of some size, and asks for no secret.
pub const HISTORY_BURST: f64 = 20.0;

/// And a second.
pub const HISTORY_PER_S: f64 = 1.0;

/// Bytes of an answer of `/history`, the newest messages.
pub const MAX_HISTORY_BYTES: usize = 2 * 1024 * 1024;

/// Answers of `/history` and `/messages` that are put together at a time.
pub const MAX_READERS: usize = 8;

/// Longest body of a video webhook, in bytes: what streaming servers send is a hundredth of it.
pub const MAX_VIDEO_BYTES: usize = 256 * 1024;

/// Between two STATS (E-16).
pub const STATS_INTERVAL: Duration = Duration::from_secs(30);

/// Video tracks of one room that its STATS count.
pub const MAX_LIVE_TRACKS: usize = 1_024;

/// Sockets that are told at a time that the server goes down.
pub const GOODBYE_BATCH: usize = 500;
