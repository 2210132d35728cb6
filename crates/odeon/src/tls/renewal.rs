//! When a certificate is to be renewed, and when to try again after a failure: pure judgements.

use net::tls::ServerCertificate;
use std::time::{Duration, SystemTime};

/// The pause after a first failure. An authority counts failures (Let's Encrypt: five for each name and hour), and whoever
/// repairs a DNS record does not want to wait for long.
const FIRST_PAUSE: Duration = Duration::from_secs(5 * 60);
/// The pause at most: a certificate that is renewed at two thirds of its life leaves time for a hundred of these.
const MAX_PAUSE: Duration = Duration::from_secs(6 * 3600);

/// Whether the certificate is for all of `domains`.
pub fn covers(certificate: &ServerCertificate, domains: &[String]) -> bool {
    // One that we signed ourselves until the authority answers is for them too, and won't do.
    !certificate.is_self_signed() && domains.iter().all(|domain| certificate.names().contains(domain))
}

/// When to renew a certificate that is valid from `not_before` to `not_after`: after two thirds of its life.
pub fn due(not_before: SystemTime, not_after: SystemTime) -> SystemTime {
    let life = not_after.duration_since(not_before).unwrap_or_default();
    not_before + life * 2 / 3
}

/// How long to wait after `failures` failures in a row: twice as long each time.
pub fn pause(failures: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    (FIRST_PAUSE * (1 << doublings)).min(MAX_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use net::tls::self_signed;

    #[test]
    fn it_is_renewed_after_two_thirds_of_its_life() {
        let from = SystemTime::UNIX_EPOCH;
        let days = |days: u64| Duration::from_secs(days * 24 * 3600);
        assert_eq!(due(from, from + days(90)), from + days(60));
        assert_eq!(due(from + days(1), from), from + days(1), "one that was never valid is due at once");
    }

    #[test]
    fn failures_are_tried_again_later_and_later_and_never_given_up() {
        assert_eq!(pause(1), FIRST_PAUSE);
        assert_eq!(pause(2), FIRST_PAUSE * 2);
        assert!((1..100).all(|failures| pause(failures) <= pause(failures + 1)));
        assert_eq!(pause(u32::MAX), MAX_PAUSE);
    }

    #[test]
    fn our_own_certificate_is_no_substitute_for_the_authoritys() {
        let domains = ["venue.example".to_owned()];
        let (chain, key) = self_signed(&domains, SystemTime::now(), Duration::from_secs(60)).unwrap();
        let own = ServerCertificate::from_pem(chain.as_bytes(), key.as_bytes()).unwrap();
        assert!(!covers(&own, &domains));
    }
}
