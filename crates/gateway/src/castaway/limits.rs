//! What this gateway refuses, and why just there.

use std::time::Duration;

/// Longest piece of sound, in bytes, whatever the settings say: C-11 asks for 1 MB, and a listener may hold two.
pub const MAX_PACKET_BYTES: usize = 8 * 1024 * 1024;

/// What the frame around a piece adds, in bytes: the event's name, placeholders, a namespace.
pub const FRAME_BYTES: usize = 8 * 1024;

/// What the server sends to ask whether somebody is still there, and how long it waits for an answer: Socket.IO's own.
pub const PING_INTERVAL: Duration = Duration::from_secs(25);
/// See [`PING_INTERVAL`].
pub const PING_TIMEOUT: Duration = Duration::from_secs(20);

/// A client that is in no namespace is closed after this: Socket.IO's own.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(45);

/// Changing from polling to a WebSocket takes two messages.
pub const UPGRADE_TIMEOUT: Duration = Duration::from_secs(10);

/// A listener whose network takes nothing for so long is cut.
pub const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// Between two answers to polls of a client that is changing to a WebSocket: it may ask again at once.
pub const NOOP_PAUSE: Duration = Duration::from_millis(100);

/// Packets that wait for one client; sound counts by its bytes too. With more it is cut.
pub const MAX_WAITING: usize = 256;

/// Pieces of sound that wait for one client, in bytes, as a multiple of the longest piece: the newest for a late listener,
/// and the next.
pub const MAX_WAITING_PIECES: usize = 2;

/// Packets that a client has sent and its session has not yet taken: then its network waits.
pub const MAX_UNHEARD: usize = 4;

/// Clients at a time.
pub const MAX_SESSIONS: usize = 20_000;

/// New clients at once from one address: a school behind one router opens the link together.
pub const SESSION_BURST: f64 = 500.0;
/// And a second.
pub const SESSIONS_PER_S: f64 = 20.0;

/// Addresses that are remembered: 65,536 of them are about 4 MiB.
pub const MAX_ADDRESSES: usize = 65_536;

/// Listeners of one livestream.
pub const MAX_LISTENERS: usize = 10_000;

/// Users of one livestream whom clients of other gateways are shown, the first who came; later ones are hidden.
pub const VISIBLE_USERS: usize = 200;

/// Pieces that one streamer may send at once, and a second; then its network waits. Phones send one to four a second.
pub const UPLOAD_BURST: f64 = 60.0;
/// See [`UPLOAD_BURST`].
pub const UPLOADS_PER_S: f64 = 30.0;

/// Times that one client may go into namespaces at once, and a second; then its network waits. Each costs a look at a token.
pub const CONNECT_BURST: f64 = 10.0;
/// See [`CONNECT_BURST`].
pub const CONNECTS_PER_S: f64 = 2.0;

/// How long listeners wait for a streamer whose network was lost (C-12).
pub const GRACE: Duration = Duration::from_secs(30);

/// Logins and accounts at once from one address (C-18), and in each minute after that.
pub const LOGINS_A_MINUTE: f64 = 10.0;

/// Failed logins at once for one account, from wherever, and in each minute after that.
pub const FAILURES_A_MINUTE: f64 = 5.0;

/// Passwords that are hashed at a time: each takes 19 MiB and a core for tens of milliseconds.
pub const MAX_HASHING: usize = 2;

/// Passwords that wait to be hashed; later ones are refused.
pub const MAX_WAITING_TO_HASH: usize = 64;

/// Life of a refresh token, in seconds: a phone that was not used for a season signs in anew.
pub const REFRESH_TTL_S: u64 = 90 * 24 * 3600;

/// Life of a link to a podcast's sound, in seconds: longer than listening takes.
pub const LINK_TTL_S: u64 = 6 * 3600;

/// Livestreams that one user may have announced at a time.
pub const MAX_LIVESTREAMS_EACH: usize = 100;

/// Podcasts of one user.
pub const MAX_PODCASTS_EACH: usize = 1_000;

/// Uploads of one user that are not part of a podcast.
pub const MAX_UPLOADS_EACH: usize = 20;

/// Favourites of one user.
pub const MAX_FAVOURITES: usize = 1_000;

/// Livestreams and podcasts in one answer, the newest.
pub const MAX_LISTED: usize = 1_000;

/// Lists that are put together at a time.
pub const MAX_READERS: usize = 8;

/// Longest upload of sound, in bytes: six hours of mp3 at 192 kbit/s.
pub const MAX_SOUND_BYTES: u64 = 512 * 1024 * 1024;

/// Longest upload of a picture, in bytes.
pub const MAX_PICTURE_BYTES: u64 = 8 * 1024 * 1024;

/// Files that are written or read for clients at a time.
pub const MAX_TRANSFERS: usize = 64;

/// An upload that brings nothing for so long is broken off.
pub const UPLOAD_PATIENCE: Duration = Duration::from_secs(30);

/// Uploads at a time whose sender has not said yet who they are: the token comes after the file.
pub const MAX_STRANGERS: usize = 16;

/// And from one household (an IPv6 /64).
pub const MAX_STRANGERS_EACH: usize = 4;

/// What all of them may bring together, in bytes: two of the longest sounds.
pub const MAX_STRANGERS_BYTES: u64 = 2 * MAX_SOUND_BYTES;

/// How long each of them may take: the longest sound over 5 Mbit/s.
pub const STRANGER_PATIENCE: Duration = Duration::from_secs(15 * 60);

/// Bytes that are read of a file at a time.
pub const READ_BYTES: usize = 64 * 1024;

/// Pieces that wait to be written to a recording; then pieces are left out of it, and counted.
pub const MAX_UNRECORDED: usize = 16;

/// How often a recording looks at what its streamer keeps elsewhere: an upload takes the place that it had.
pub const ACCOUNT_LOOK: Duration = Duration::from_secs(10);

/// How long pieces that were written wait until they are brought to the disk, many at once: a power cut loses them.
pub const SYNC_PAUSE: Duration = Duration::from_secs(1);

/// Files that the pieces of one recording make: as many as a show of nine hours in pieces of 2 s.
pub const MAX_PIECES: usize = 16_384;

/// Recordings that wait to be joined; those that find no place are joined at the next start.
pub const MAX_UNJOINED: usize = 256;

/// How long ffmpeg may take over one recording: it copies, so even hours of sound take seconds.
pub const JOIN_TIMEOUT: Duration = Duration::from_secs(15 * 60);

/// What ffmpeg has to say of its progress, in bytes.
pub const MAX_PROGRESS_BYTES: u64 = 4 * 1024 * 1024;

/// Bodies of Socket.IO's POSTs that are read at a time: each may hold a piece of sound.
pub const MAX_POSTS: usize = 256;

/// Sounds and pictures that are sent at a time.
pub const MAX_DOWNLOADS: usize = 4_096;
