//! Which web pages may use a browser's rights at our endpoints: our own origin and those that are configured.
//!
//! Origins are compared as RFC 6454, 5: scheme, host and port, all three. No patterns: a suffix or a prefix that
//! matches is how such checks are usually fooled.

/// Longest `Origin` that is looked at: a scheme, a host name (253 bytes, RFC 1035) and a port.
pub const MAX_ORIGIN_BYTES: usize = 300;

/// Scheme, host and port of a page.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct WebOrigin {
    secure: bool,
    /// Lower case; IPv6 in its brackets.
    host: String,
    port: u16,
}

impl WebOrigin {
    /// Reads an `Origin` header: `http(s)://host[:port]` and nothing after it. `null` is nobody.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > MAX_ORIGIN_BYTES {
            return None;
        }
        let (scheme, authority) = text.split_once("://")?;
        let secure = match scheme {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        Self::from_authority(authority, secure)
    }

    /// Our own origin as the browser sees it: the `Host` header and whether it came over TLS.
    pub fn from_host(host: &str, secure: bool) -> Option<Self> {
        if host.len() > MAX_ORIGIN_BYTES {
            return None;
        }
        Self::from_authority(host, secure)
    }

    fn from_authority(authority: &str, secure: bool) -> Option<Self> {
        let (host, port) = split_port(authority)?;
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']');
        if host.is_empty() || !host.chars().all(plain) {
            return None;
        }
        let port = match port {
            Some(digits) => parse_port(digits)?,
            None => default_port(secure),
        };
        Some(Self { secure, host: host.to_ascii_lowercase(), port })
    }
}

/// May a page that sends this `Origin` use this endpoint? No `Origin` means no: every browser sends one with a POST
/// and with a WebSocket, and these are the endpoints that ask.
pub fn is_allowed(origin: Option<&str>, own: Option<&WebOrigin>, configured: &[WebOrigin]) -> bool {
    match origin.and_then(WebOrigin::parse) {
        Some(origin) => own == Some(&origin) || configured.contains(&origin),
        None => false,
    }
}

/// `[::1]:80`, `host:80`, `host`.
fn split_port(authority: &str) -> Option<(&str, Option<&str>)> {
    if authority.starts_with('[') {
        let end = authority.find(']')? + 1;
        let (host, rest) = authority.split_at(end);
        return match rest.strip_prefix(':') {
            Some(port) => Some((host, Some(port))),
            None => rest.is_empty().then_some((host, None)),
        };
    }
    match authority.split_once(':') {
        Some((host, port)) => Some((host, Some(port))),
        None => Some((authority, None)),
    }
}

fn parse_port(digits: &str) -> Option<u16> {
    digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok())?
}

fn default_port(secure: bool) -> u16 {
    if secure { 443 } else { 80 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(origin: Option<&str>, host: &str, secure: bool) -> bool {
        is_allowed(origin, WebOrigin::from_host(host, secure).as_ref(), &[])
    }

    #[test]
    fn q_19_only_the_own_origin_passes() {
        // null, sub-domain, suffix trick, port, scheme.
        let own = "venue.example";
        assert!(allowed(Some("https://venue.example"), own, true));
        assert!(allowed(Some("https://venue.example:443"), own, true));
        assert!(allowed(Some("https://VENUE.example"), own, true));
        let foreign = [
            "null",
            "",
            "https://",
            "https://sub.venue.example",
            "https://venue.example.evil.example",
            "https://evilvenue.example",
            "https://venue.example:8443",
            "http://venue.example",
            "https://venue.example/",
            "https://venue.example/path",
            "https://venue.example@evil.example",
            "https://evil.example#venue.example",
            "https://evil.example?venue.example",
            "https://venue.example.",
            "https://venue.example, https://venue.example",
            "file://venue.example",
            "HTTPS://venue.example",
            "https://venue.example:",
            "https://venue.example:+443",
            "https://venue.example:65979",
        ];
        for origin in foreign {
            assert!(!allowed(Some(origin), own, true), "{origin}");
        }
        assert!(!allowed(None, own, true));
    }

    #[test]
    fn loopback_with_a_port_and_ipv6_are_origins_like_others() {
        assert!(allowed(Some("http://localhost:7880"), "localhost:7880", false));
        assert!(allowed(Some("http://[::1]:7880"), "[::1]:7880", false));
        assert!(!allowed(Some("http://localhost:7881"), "localhost:7880", false));
        assert!(!allowed(Some("http://127.0.0.1:7880"), "localhost:7880", false));
        assert!(!allowed(Some("http://[::1]x:7880"), "[::1]:7880", false));
    }

    #[test]
    fn configured_origins_pass_too() {
        let configured = [WebOrigin::parse("https://app.example").unwrap()];
        assert!(is_allowed(Some("https://app.example"), None, &configured));
        assert!(!is_allowed(Some("https://app.example:444"), None, &configured));
        assert!(!is_allowed(Some("http://app.example"), None, &configured));
    }
}
