//! The venue's time zone.

use super::value::Value;
use gateway::schedule::{Tz, parse_zone};

/// A time zone by its IANA name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Zone(pub Tz);

impl Default for Zone {
    fn default() -> Self {
        Self(Tz::UTC)
    }
}

impl Value for Zone {
    const KIND: &'static str = "a time zone such as Europe/Tallinn";
    fn parse(text: &str) -> Result<Self, String> {
        parse_zone(text).map(Self).ok_or_else(|| format!("expected {}", Self::KIND))
    }
    fn show(&self) -> String {
        self.0.name().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e_32_a_time_zone_has_a_name() {
        // E-32
        assert_eq!(Zone::parse("Europe/Tallinn").unwrap().show(), "Europe/Tallinn");
        assert!(Zone::parse("Nowhere/Atlantis").is_err());
    }
}
