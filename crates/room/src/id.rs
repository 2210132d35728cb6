//! Names of things. Server-given ids (`sid`) have a two-letter prefix and 12 base57 characters (L-15).

use std::fmt;
use std::sync::Arc;

/// One connection of one participant to one room, unique in this process for its life. It also names the
/// participant's peer on its media shard, so that control and media speak of the same thing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct SessionId(pub u64);

macro_rules! sid {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes any text: the caller is the [`SidSource`] or a wire that names something we gave out.
            pub fn new(text: impl Into<Arc<str>>) -> Self {
                Self(text.into())
            }

            /// The whole id with its prefix.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

sid!(
    /// `RM_…`
    RoomSid
);
sid!(
    /// `PA_…`: new for each session, also when the same identity comes back.
    ParticipantSid
);
sid!(
    /// `TR_` + `V|A` + `C|M|S|s` + 12 (livekit.md 2.4).
    TrackSid
);

/// Where an identity comes from. Identities are unique within an origin: an anonymous `alice` of the bus can
/// neither evict nor rename the token holder `alice`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Origin {
    /// A token by one of our API keys.
    Token,
    /// The plain WebSocket bus (elektron).
    Bus,
    /// Socket.IO (Castaway).
    Castaway,
    /// Phoenix Channels (RTC lab).
    Phoenix,
    /// Phoenix Channels (Membrane).
    Membrane,
    /// RTMP, WHIP and other encoders.
    Ingress,
}

impl Origin {
    /// The prefix under which other origins see an identity; a token identity that begins with one is refused.
    pub const RESERVED_PREFIXES: [&'static str; 6] =
        ["token:", "bus:", "castaway:", "phoenix:", "membrane:", "ingress:"];

    /// The prefix of this origin, with its colon.
    pub fn prefix(self) -> &'static str {
        match self {
            Origin::Token => "token:",
            Origin::Bus => "bus:",
            Origin::Castaway => "castaway:",
            Origin::Phoenix => "phoenix:",
            Origin::Membrane => "membrane:",
            Origin::Ingress => "ingress:",
        }
    }
}

/// (origin, id): who a participant says they are, kept apart by the gateway that vouches for it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Identity {
    /// Who vouches for it.
    pub origin: Origin,
    /// The bare id, as the client gave it.
    pub id: Arc<str>,
}

impl Identity {
    /// An identity given by a token.
    pub fn token(id: impl Into<Arc<str>>) -> Self {
        Self { origin: Origin::Token, id: id.into() }
    }

    /// What a client with a token, or the server API, calls somebody: `alice` is a token's, `bus:alice` of the bus.
    pub fn named_by_token(text: &str) -> Self {
        let others = [Origin::Bus, Origin::Castaway, Origin::Phoenix, Origin::Membrane, Origin::Ingress];
        let named = others.into_iter().find_map(|origin| Some((origin, text.strip_prefix(origin.prefix())?)));
        match named {
            Some((origin, id)) => Self { origin, id: id.into() },
            None => Self::token(text),
        }
    }

    /// As a client of `viewer`'s origin sees it: bare for its own, prefixed for others.
    pub fn seen_from(&self, viewer: Origin) -> Arc<str> {
        // Dialects with tokens (LiveKit) are the `Token` origin: others appear to them prefixed.
        if self.origin == viewer { self.id.clone() } else { format!("{}{}", self.origin.prefix(), self.id).into() }
    }
}

/// Draws the 12 base57 characters of a sid. Seeded by the shell: the model has no randomness of its own, and a
/// sid is no secret (SplitMix64 is enough).
#[derive(Clone, Debug)]
pub struct SidSource(u64);

impl SidSource {
    /// base57: no characters that look alike (shortuuid's alphabet, as LiveKit uses it).
    const ALPHABET: &'static [u8; 57] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

    /// `seed` must differ for each room in a process.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// `prefix` + 12 characters.
    pub fn draw(&mut self, prefix: &str) -> Arc<str> {
        let mut text = String::with_capacity(prefix.len() + 12);
        text.push_str(prefix);
        let mut bits = self.next();
        for position in 0..12 {
            if position == 6 {
                bits = self.next();
            }
            text.push(char::from(Self::ALPHABET[(bits % 57) as usize]));
            bits /= 57;
        }
        text.into()
    }

    /// 16 lowercase letters: a message's id, as the bus writes it.
    pub fn draw_letters(&mut self) -> Arc<str> {
        let mut bits = 0;
        let letters = (0..16).map(|position| {
            if position % 8 == 0 {
                bits = self.next();
            }
            let letter = b'a' + (bits % 26) as u8;
            bits /= 26;
            char::from(letter)
        });
        letters.collect::<String>().into()
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}
