//! What a client has come for, where HTTPS and TURN share one port: told by what it asks for, or by its first byte.

use super::alpn;
use super::rustls::ServerConnection;

/// What a client has come for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// HTTP, and WebSockets with it.
    Http,
    /// TURN.
    Turn,
    /// A look at the challenge's certificate, which it has had: nothing more is said (RFC 8737, 3).
    Challenge,
    /// It does not say: its first byte will tell ([`by_first_byte`]).
    Unsaid,
}

/// What a handshake tells: the protocol that both agreed on, else the name that the client asked for (SNI), where TURN has
/// one of its own.
pub fn by_handshake(connection: &ServerConnection, turn_domain: Option<&str>) -> Purpose {
    match connection.alpn_protocol() {
        Some(alpn::HTTP_1_1) => Purpose::Http,
        Some(alpn::TURN) => Purpose::Turn,
        Some(alpn::ACME) => Purpose::Challenge,
        _ if turn_domain.is_some_and(|domain| connection.server_name() == Some(domain)) => Purpose::Turn,
        _ => Purpose::Unsaid,
    }
}

/// A STUN message begins with two zero bits (RFC 8489, 5), which no HTTP method does; a client can't begin with channel data,
/// since it has no channel yet.
pub fn by_first_byte(byte: u8) -> Purpose {
    if byte & 0b1100_0000 == 0 { Purpose::Turn } else { Purpose::Http }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_told_from_stun_by_one_byte() {
        let methods = ["GET", "POST", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "get"];
        assert!(methods.iter().all(|method| by_first_byte(method.as_bytes()[0]) == Purpose::Http));
        // Binding, Allocate, Refresh (RFC 8656, 17).
        assert!([0x0001_u16, 0x0003, 0x0004].iter().all(|kind| by_first_byte(kind.to_be_bytes()[0]) == Purpose::Turn));
    }
}
