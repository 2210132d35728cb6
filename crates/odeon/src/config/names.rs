//! Settings that name somebody or something on the net: domains, an address for letters, a URL.

use super::value::Value;

/// Bytes of a domain at most (RFC 1035, 2.3.4).
const MAX_DOMAIN_BYTES: usize = 253;
/// Bytes of a domain's part at most (RFC 1035, 2.3.4).
const MAX_LABEL_BYTES: usize = 63;

/// DNS names in lower case, separated by commas.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Domains(pub Vec<String>);

impl Value for Domains {
    const KIND: &'static str = "domains such as venue.example, separated by commas, or nothing";
    fn parse(text: &str) -> Result<Self, String> {
        let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
        let domain = |name: &str| is_domain(name).then(|| name.to_ascii_lowercase());
        names
            .map(|name| domain(name).ok_or_else(|| format!("expected {}", Self::KIND)))
            .collect::<Result<_, _>>()
            .map(Self)
    }
    fn show(&self) -> String {
        self.0.join(",")
    }
}

fn is_domain(name: &str) -> bool {
    let label = |label: &str| {
        let inner = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        inner && (1..=MAX_LABEL_BYTES).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-')
    };
    name.len() <= MAX_DOMAIN_BYTES && name.split('.').all(label) && name.parse::<std::net::IpAddr>().is_err()
}

/// An e-mail address, or nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Email(pub String);

impl Value for Email {
    const KIND: &'static str = "an e-mail address, or nothing";
    fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let plausible = text.split_once('@').is_some_and(|(who, host)| !who.is_empty() && is_domain(host));
        let plain = !text.contains(|c: char| c.is_whitespace() || c.is_control());
        if text.is_empty() || (plausible && plain) {
            Ok(Self(text.to_owned()))
        } else {
            Err(format!("expected {}", Self::KIND))
        }
    }
    fn show(&self) -> String {
        self.0.clone()
    }
}

/// An https address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url(pub String);

impl Value for Url {
    const KIND: &'static str = "an address that begins with https://";
    fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let https =
            text.parse::<http::Uri>().is_ok_and(|uri| uri.scheme_str() == Some("https") && uri.host().is_some());
        if https { Ok(Self(text.to_owned())) } else { Err(format!("expected {}", Self::KIND)) }
    }
    fn show(&self) -> String {
        self.0.clone()
    }
}

/// Servers as `host:port`, separated by commas.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Servers(pub Vec<String>);

impl Servers {
    /// A default of these.
    pub fn of(servers: &[&str]) -> Self {
        Self(servers.iter().map(|server| (*server).to_owned()).collect())
    }
}

impl Value for Servers {
    const KIND: &'static str = "servers such as stun.example:3478, separated by commas, or nothing";
    fn parse(text: &str) -> Result<Self, String> {
        let servers = text.split(',').map(str::trim).filter(|server| !server.is_empty());
        let server = |server: &str| is_server(server).then(|| server.to_owned());
        servers
            .map(|text| server(text).ok_or_else(|| format!("expected {}", Self::KIND)))
            .collect::<Result<_, _>>()
            .map(Self)
    }
    fn show(&self) -> String {
        self.0.join(",")
    }
}

fn is_server(text: &str) -> bool {
    let named = |(host, port): (&str, &str)| is_domain(host) && port.parse::<u16>().is_ok_and(|port| port > 0);
    text.parse::<std::net::SocketAddr>().is_ok_and(|address| address.port() > 0)
        || text.rsplit_once(':').is_some_and(named)
}

/// Words without blanks, separated by commas.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words(pub Vec<String>);

impl Value for Words {
    const KIND: &'static str = "names separated by commas, or nothing";
    fn parse(text: &str) -> Result<Self, String> {
        let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
        let plain = |word: &str| !word.contains(char::is_whitespace);
        words
            .map(|word| if plain(word) { Ok(word.to_owned()) } else { Err(format!("expected {}", Self::KIND)) })
            .collect::<Result<_, _>>()
            .map(Self)
    }
    fn show(&self) -> String {
        self.0.join(",")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_are_names_and_not_addresses_or_patterns() {
        assert_eq!(Domains::parse("Venue.example, a.venue.example").unwrap().0, ["venue.example", "a.venue.example"]);
        for wrong in ["*.example", "192.0.2.1", "-a.example", "a..example", "https://venue.example", "a b"] {
            assert!(Domains::parse(wrong).is_err(), "{wrong}");
        }
        assert!(Domains::parse(&"a.".repeat(127)).is_err() && Domains::parse(&"a".repeat(64)).is_err());
    }

    #[test]
    fn an_address_for_letters_has_two_halves() {
        assert!(Email::parse("ops@venue.example").is_ok() && Email::parse("").is_ok());
        assert!(
            ["ops", "@venue.example", "ops@", "a b@venue.example"].iter().all(|wrong| Email::parse(wrong).is_err())
        );
    }

    #[test]
    fn a_server_has_a_port() {
        assert_eq!(Servers::parse("stun.example:3478, [2001:db8::1]:3478").unwrap().0.len(), 2);
        assert!(
            ["stun.example", "stun.example:0", ":3478", "2001:db8::1"].iter().all(|text| Servers::parse(text).is_err())
        );
    }

    #[test]
    fn an_authority_is_never_asked_without_tls() {
        assert!(Url::parse("https://127.0.0.1:14000/dir").is_ok());
        assert!(["http://127.0.0.1/dir", "", "https://"].iter().all(|wrong| Url::parse(wrong).is_err()));
    }
}
