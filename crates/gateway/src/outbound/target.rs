//! Where a request goes.

use http::Uri;
use http::uri::Scheme;
use std::fmt;

/// Longest URL that is taken, in bytes: what servers and proxies take in a request line.
const MAX_URL_BYTES: usize = 2_048;

/// Why a URL was not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TargetError {
    /// Over [`MAX_URL_BYTES`].
    #[error("the URL is longer than {MAX_URL_BYTES} bytes")]
    TooLong,
    /// Not of the form `http(s)://host[:port]/…`, or with a user name in it.
    #[error("the URL is not of the form http(s)://host[:port]/path")]
    Malformed,
}

/// A host, as it was named, and a port.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct HostPort {
    /// Lower case; IPv6 without its brackets.
    pub host: String,
    /// TCP.
    pub port: u16,
}

impl HostPort {
    /// Reads `host:port` or `[v6]:port`.
    pub fn parse(text: &str) -> Option<Self> {
        let (host, port) = text.rsplit_once(':')?;
        let port = port.bytes().all(|byte| byte.is_ascii_digit()).then(|| port.parse().ok())??;
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let fits = bare.is_some() || !host.contains(':');
        let host = bare.unwrap_or(host);
        (fits && !host.is_empty()).then(|| Self { host: host.to_ascii_lowercase(), port })
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// An http or https URL, taken apart.
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    secure: bool,
    peer: HostPort,
    /// As the `Host` header says it.
    authority: String,
    path_and_query: String,
}

impl Target {
    /// Takes a URL apart.
    ///
    /// # Errors
    /// See [`TargetError`].
    pub fn parse(url: &str) -> Result<Self, TargetError> {
        if url.len() > MAX_URL_BYTES {
            return Err(TargetError::TooLong);
        }
        let uri: Uri = url.parse().map_err(|_| TargetError::Malformed)?;
        let secure = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTPS => true,
            Some(scheme) if *scheme == Scheme::HTTP => false,
            _ => return Err(TargetError::Malformed),
        };
        let authority = uri.authority().map_or("", |authority| authority.as_str()).to_ascii_lowercase();
        let default_port = if secure { 443 } else { 80 };
        let with_port = match uri.port_u16() {
            Some(_) => authority.clone(),
            None => format!("{}:{default_port}", authority.trim_end_matches(':')),
        };
        let peer = HostPort::parse(&with_port).filter(|peer| !peer.host.contains('@') && peer.port != 0);
        let peer = peer.ok_or(TargetError::Malformed)?;
        let path_and_query = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        Ok(Self { secure, peer, authority, path_and_query })
    }

    /// Over TLS.
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// Who is to be connected to.
    pub fn peer(&self) -> &HostPort {
        &self.peer
    }

    /// As the `Host` header says it.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// What is asked for there. It may hold a secret of the receiver's.
    pub fn path_and_query(&self) -> &str {
        &self.path_and_query
    }

    /// The same, with one more parameter (`name=value`, encoded) in its query.
    pub fn asking(&self, parameter: &str) -> Self {
        let joint = if self.path_and_query.contains('?') { '&' } else { '?' };
        Self { path_and_query: format!("{}{joint}{parameter}", self.path_and_query), ..self.clone() }
    }
}

/// Without path and query: they may hold a secret.
impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}/…", if self.secure { "https" } else { "http" }, self.authority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(url: &str) -> String {
        Target::parse(url).map_or_else(|error| format!("{error:?}"), |target| target.peer().to_string())
    }

    #[test]
    fn a_url_names_a_peer_with_its_port() {
        assert_eq!(peer("https://Venue.example/hook?k=1"), "venue.example:443");
        assert_eq!(peer("http://venue.example"), "venue.example:80");
        assert_eq!(peer("http://venue.example:8080/"), "venue.example:8080");
        assert_eq!(peer("http://[::1]:8080/"), "[::1]:8080");
        assert_eq!(peer("https://[2001:db8::1]/"), "[2001:db8::1]:443");
    }

    #[test]
    fn q_22_nothing_but_http_and_nothing_that_is_read_in_two_ways() {
        //
        let refused = [
            "",
            "venue.example",
            "//venue.example/",
            "/hook",
            "ftp://venue.example/",
            "file:///etc/passwd",
            "gopher://127.0.0.1:70/_",
            "unix:/run/docker.sock",
            "http://",
            "http:///hook",
            "http://:80/",
            "http://good.example@127.0.0.1/",
            "http://user:pass@venue.example/",
            "http://venue.example:99999/",
            "http://venue.example:0/",
            "http://venue.example:80:80/",
            "http://venue.example\\@127.0.0.1/",
            "http://venue example/",
            "http://venue.example/\r\nX: y",
        ];
        for url in refused {
            assert_eq!(Target::parse(url), Err(TargetError::Malformed), "{url}");
        }
        assert_eq!(Target::parse(&format!("http://a/{}", "a".repeat(3000))), Err(TargetError::TooLong));
    }

    #[test]
    fn a_target_does_not_print_what_may_be_secret() {
        let target = Target::parse("https://venue.example/hook/s3cr3t?token=s3cr3t").unwrap();
        assert!(!format!("{target:?}").contains("s3cr3t"));
    }
}
