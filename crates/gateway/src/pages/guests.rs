//! How often an address may ask for a page token.

use crate::budget::{Budgets, Rate};
use crate::client::household;
use std::net::IpAddr;
use std::time::Instant;

/// Page tokens at once from one address: a class behind one router opens the link together.
const BURST: f64 = 60.0;

/// And then this many a second: whoever reloads by hand never meets it.
const PER_S: f64 = 1.0;

/// Addresses that are remembered: 65,536 of them are about 4 MiB.
const MAX_ADDRESSES: usize = 65_536;

/// Everybody's budget of page tokens.
#[derive(Debug)]
pub(crate) struct Guests(Budgets<IpAddr>);

impl Default for Guests {
    fn default() -> Self {
        Self(Budgets::new(Rate { burst: BURST, per_s: PER_S }, MAX_ADDRESSES))
    }
}

impl Guests {
    /// May this address have another?
    pub(crate) fn admit(&self, address: IpAddr) -> bool {
        self.0.spend(household(address), Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_burst_and_a_network_shares_it() {
        let guests = Guests::default();
        let from = |text: &str| guests.admit(text.parse().unwrap());
        assert!((0..60).all(|host| from(&format!("2001:db8::{host}"))));
        assert!(!from("2001:db8::ffff"));
        assert!(from("2001:db8:0:1::1"));
        assert!(from("192.0.2.1") && from("::ffff:192.0.2.2"));
    }
}
