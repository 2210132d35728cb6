//! Fuzz bodies: run by `cargo fuzz` on random input and by stable tests on truncated and flipped samples.

use crate::attribute::Family;
use crate::message::{Message, channel_data, length_in_stream};
use crate::server::{Client, Config, Grants, Now, Refusal, Server};
use crate::{Peers, Secret};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

/// A message reads without a fault, and so do its attributes.
pub fn message(data: &[u8]) {
    if let Ok(Some(length)) = length_in_stream(data) {
        assert!(length >= 4);
    }
    if let Some((_, payload)) = channel_data(data) {
        assert!(payload.len() < data.len());
    }
    if let Ok(message) = Message::parse(data) {
        assert!(
            message.attributes().all(|(kind, value)| value.len() < data.len() && message.attribute(kind).is_some())
        );
    }
}

/// A server lives, whatever a stranger says, and relays nothing for it.
pub fn server(data: &[u8]) {
    let config = Config { secret: Arc::new(Secret::new(&[0; 32])), peers: Arc::new(Peers::default()), grants: Nothing };
    let client = Client { address: SocketAddr::from(([198, 51, 100, 1], 1)), in_stream: true };
    let outcome_is_harmless = Server::new(config).handle(now(), client, data).event.is_none();
    assert!(outcome_is_harmless, "somebody got through without a login");
}

struct Nothing;

impl Grants for Nothing {
    type Permit = ();
    fn take(&self, _: &str, _: Family) -> Result<(SocketAddr, ()), Refusal> {
        Err(Refusal::Exhausted)
    }
}

#[allow(clippy::disallowed_methods, reason = "a server begins at some instant; which one doesn't matter here")]
fn now() -> Now {
    Now { at: Instant::now(), unix_s: 0 }
}
