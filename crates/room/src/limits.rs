//! What a room refuses, and why just there. All of them are refused with a clear answer, never by a panic.

use std::time::Duration;

/// Identity, name, room name, track name, cid, stream: bytes. LiveKit's own limit (livekit.md 3, «limits»).
pub const MAX_NAME_BYTES: usize = 256;

/// Participants in one room, whatever its own limit says: each arrival is told to everybody, so a room of this size costs
/// 25 million updates to fill. Larger audiences watch a broadcast.
pub const MAX_PARTICIPANTS: u32 = 5_000;

/// A participant's or a room's metadata, bytes. LiveKit's own limit: every update carries it to everybody.
pub const MAX_METADATA_BYTES: usize = 512 * 1024;

/// All keys and values of a participant's attributes together, bytes. LiveKit's own limit.
pub const MAX_ATTRIBUTES_BYTES: usize = 64 * 1024;

/// What an operator allows (LiveKit's `limit` section). What is above this house's own limits counts as those.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RoomLimits {
    /// Bytes of an identity, ≤ [`MAX_NAME_BYTES`].
    pub identity_bytes: usize,
    /// Bytes of a participant's name, ≤ [`MAX_NAME_BYTES`].
    pub name_bytes: usize,
    /// Bytes of metadata, ≤ [`MAX_METADATA_BYTES`].
    pub metadata_bytes: usize,
    /// Bytes of attributes, ≤ [`MAX_ATTRIBUTES_BYTES`].
    pub attributes_bytes: usize,
    /// Audio tracks that one participant receives at a time; 0: no limit.
    pub audio_subscriptions: u32,
    /// Video tracks that one participant receives at a time; 0: no limit.
    pub video_subscriptions: u32,
}

impl Default for RoomLimits {
    fn default() -> Self {
        Self {
            identity_bytes: MAX_NAME_BYTES,
            name_bytes: MAX_NAME_BYTES,
            metadata_bytes: MAX_METADATA_BYTES,
            attributes_bytes: MAX_ATTRIBUTES_BYTES,
            audio_subscriptions: 0,
            video_subscriptions: 0,
        }
    }
}

/// Tracks that one session has announced and not yet sent. The reference's limit (livekit.md 2.4).
pub const MAX_PENDING_TRACKS: usize = 20;

/// Live tracks of one session: each is an m-line in the SDP of everybody who receives it.
pub const MAX_LIVE_TRACKS: usize = 64;

/// Layers of one announced codec: three qualities, and room for a client that counts SVC layers apart (3 × 3).
pub const MAX_LAYERS: usize = 9;

/// Codecs of one announced track: a primary and its backup, doubled.
pub const MAX_CODECS: usize = 4;

/// Feature numbers (audio features, packet trailers) of one track: the enums have fewer members than this.
pub const MAX_FEATURES: usize = 32;

/// Tracks for which one session keeps an own choice (subscribe or not): several times a full room's tracks; what is
/// asked beyond is refused with `SubscriptionFailed`.
pub const MAX_SUBSCRIPTION_CHOICES: usize = 4096;

/// Data tracks of one session. Each is told to everybody in every update of its participant.
pub const MAX_DATA_TRACKS: usize = 256;

/// Data tracks that one session receives: a few for each participant of a large stage.
pub const MAX_DATA_SUBSCRIPTIONS: usize = 1024;

/// A data track's frame encoding or schema, bytes: names of 32 and 256 characters and their envelope.
pub const MAX_DATA_FORMAT_BYTES: usize = 512;

/// How long a wish for a track is kept that is not there (livekit.md 2.7): the reference's not-found timeout. Some apps ask
/// before the publisher has come.
pub const TRACK_NOT_FOUND_TIMEOUT: Duration = Duration::from_secs(60);

/// Tracks for which one session keeps settings (layer, frames a second): as for its choices. What is asked beyond has no
/// effect: the track comes whole.
pub const MAX_TRACK_SETTINGS: usize = 4096;

/// Agents that one room may ask for: each takes a worker's process and a place among its participants.
pub const MAX_AGENT_REQUESTS: usize = 32;

/// How long somebody stays whose signalling broke while no media is connected (L-28: 15 to 25 s, the reference 20).
pub const SIGNAL_LOST_GRACE: Duration = Duration::from_secs(20);

/// How long somebody stays whose media lost every path while signalling lives: the reference's
/// `disconnectCleanupDuration` (livekit.md 2.9). A client that reconnects by itself does it within that time.
pub const MEDIA_LOST_GRACE: Duration = Duration::from_secs(5);

/// How long before a broken connection was noticed its client may have heard nothing: a session without any frame is lost
/// after 15 s, and what was written shortly before it fell silent may be lost too.
pub const UNNOTICED_LOSS: Duration = Duration::from_secs(20);

/// How long a simulated fault waits for the client's resume (livekit.md 2.9).
pub const SIMULATED_FAULT_LIFE: Duration = Duration::from_secs(5);

/// How long a simulated change of transport waits for the client's next session: clients try for about a minute.
pub const TRANSPORT_SWITCH_LIFE: Duration = Duration::from_secs(60);

/// Simulated changes of transport that wait at a time; further ones are not made.
pub const MAX_TRANSPORT_SWITCHES: usize = 64;

/// Longest simulated speech: tests ask for a few seconds.
pub const MAX_SIMULATED_SPEECH: Duration = Duration::from_secs(60);

/// Who left is remembered for those who could not be told, so many participants at most: a few hundred bytes each. Whoever
/// missed more joins anew.
pub const MAX_FAREWELLS: usize = 1024;

/// A chat message's words, bytes: the page cuts at 2,000 characters, four bytes each at most; a sketch's JSON may be more.
pub const MAX_CHAT_TEXT_BYTES: usize = 16 * 1024;

/// A client's own id of a chat message, bytes: a UUID is 36, the bus's ids are 16.
pub const MAX_CHAT_ID_BYTES: usize = 128;

/// A chat message as its dialect wrote it, bytes: its words, escaped, and what a sketch adds. A room keeps hundreds of them.
pub const MAX_CHAT_FRAME_BYTES: usize = 64 * 1024;

/// Longest time between two messages of one author, seconds: six hours, as elsewhere.
pub const MAX_SLOW_MODE_S: u32 = 6 * 3_600;

/// Authors whose last message is remembered in slow mode: beyond it those who wrote longest ago may write again, for
/// identities of the bus cost nothing.
pub const MAX_CHAT_AUTHORS: usize = 4_096;

/// Identities muted in one room's chat: more are another trouble, for which the chat can be closed.
pub const MAX_MUTES: usize = 4_096;

/// Identities and addresses banned from one room, or from the house: one page of the store.
pub const MAX_BANS: usize = 10_000;

/// Least time between two room updates: joins come in bursts and each update goes to everybody (livekit.md 2.3, step 9).
pub const ROOM_UPDATE_INTERVAL: Duration = Duration::from_secs(5);

/// Between two rounds of connection quality (livekit.md 2.8).
pub const QUALITY_INTERVAL: Duration = Duration::from_secs(5);

/// An audio track of which no window was heard for so long is silent: two windows of 400 ms and some jitter, so that one
/// lost report (newest wins) does not switch a speaker off.
pub const LEVEL_EXPIRY: Duration = Duration::from_millis(1000);
