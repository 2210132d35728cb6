//! Which addresses may be connected to.

use super::target::HostPort;
use auth::address::is_global;
use std::net::SocketAddr;

/// Who may be reached on somebody's word. By default only the open internet.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// These, wherever they are: the operator has named them.
    allowed: Vec<HostPort>,
    /// Everybody (`--dev`).
    all: bool,
}

impl Policy {
    /// The open internet, and those that the operator named.
    pub fn allowing(allowed: Vec<HostPort>) -> Self {
        Self { allowed, all: false }
    }

    /// Everybody: for development on one machine.
    pub fn everybody() -> Self {
        Self { allowed: Vec::new(), all: true }
    }

    /// May this address be connected to for a URL that names this peer?
    pub fn admits(&self, named: &HostPort, address: SocketAddr) -> bool {
        self.all || is_global(address.ip()) || self.allowed.contains(named)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn q_22_the_operator_allows_a_host_and_port_as_it_is_named_and_nothing_beside_it() {
        //
        let named = |text: &str| HostPort::parse(text).unwrap();
        let inside: SocketAddr = "10.0.0.5:8080".parse().unwrap();
        let policy = Policy::allowing(vec![named("backend.internal:8080")]);
        assert!(policy.admits(&named("BACKEND.internal:8080"), inside));
        assert!(!policy.admits(&named("backend.internal:80"), inside));
        assert!(!policy.admits(&named("other.internal:8080"), inside));
        assert!(!policy.admits(&named("10.0.0.5:8080"), inside));
        assert!(!Policy::default().admits(&named("backend.internal:8080"), inside));
        assert!(Policy::everybody().admits(&named("other.internal:8080"), inside));
    }
}
