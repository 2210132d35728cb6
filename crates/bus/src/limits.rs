//! What the bus refuses, and why just there.

use std::time::Duration;

/// What an operator may set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BusLimits {
    /// Users in one room.
    pub users_in_room: usize,
    /// Of these, so many are shown to other gateways' clients, the first who joined.
    pub visible_users: usize,
}

impl Default for BusLimits {
    fn default() -> Self {
        Self { users_in_room: 1_000, visible_users: 200 }
    }
}

/// Rooms in which anybody is, at a time: as many as a server has.
pub const MAX_ROOMS: usize = 10_000;

/// Users that one socket may speak for: a patch that plays a crowd.
pub const MAX_USERS_OF_SOCKET: usize = 64;

/// Keys of one user, whatever updates they came in.
pub const MAX_KEYS_OF_USER: usize = 64;

/// Bytes of all that is known of one user: every change of anybody tells it to everybody.
pub const MAX_USER_BYTES: usize = 4 * 1024;

/// Bytes of all that is known of all users together: so much goes to each socket once a second at most.
pub const MAX_PRESENCE_BYTES: usize = 1024 * 1024;

/// Rooms that one socket narrows itself to.
pub const MAX_NARROWED_ROOMS: usize = 64;

/// Between two CHANNELS_UPDATED to a socket (E-03: at most 20 a second).
pub const CHANNELS_INTERVAL: Duration = Duration::from_millis(50);

/// Bytes of CHANNELS_UPDATED to a socket in a second (E-03).
pub const CHANNELS_BYTES_PER_S: usize = 256 * 1024;

/// However large it is, CHANNELS_UPDATED comes so often (E-03: down to 1 a second).
pub const MAX_CHANNELS_INTERVAL: Duration = Duration::from_secs(1);

/// Between two changes of one user that other gateways are told (E-03: positions at most twice a second).
pub const PROFILE_INTERVAL: Duration = Duration::from_millis(500);

/// How long a closed socket's users stay (E-04).
pub const GRACE: Duration = Duration::from_secs(30);

/// Visits that ended while somebody was back who may have been meant: what was known of them is kept for that.
pub const MAX_FORGOTTEN: usize = 256;
