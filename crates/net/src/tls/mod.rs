//! TLS for everything that speaks it: HTTPS, WebSockets and TURN share one certificate, which can be replaced while they run.
//!
//! One TLS library (rustls) on one crypto library (aws-lc-rs). [`Certificates`] is what listeners are given; who brings new
//! certificates (files, ACME) calls [`Certificates::replace`], and connections that are open notice nothing.

mod certificate;
mod certificates;
mod challenge;
pub mod dispatch;
mod self_signed;

pub use certificate::{CertificateError, ServerCertificate};
pub use certificates::Certificates;
pub use self_signed::self_signed;
pub use tokio_rustls::{TlsAcceptor, rustls, server::TlsStream};

/// Protocols that a client can ask for in its first message (ALPN, RFC 7301; IANA's registry of their names).
pub mod alpn {
    /// HTTP/1.1 (RFC 7301, 6). WebSockets begin as this.
    pub const HTTP_1_1: &[u8] = b"http/1.1";
    /// STUN and TURN over TLS (RFC 7443).
    pub const TURN: &[u8] = b"stun.turn";
    /// A certificate authority that looks whether a domain is ours (RFC 8737).
    pub const ACME: &[u8] = b"acme-tls/1";
}
