//! The first minute: what is printed at the start, in at most twelve lines (F-2). It goes to stdout, never into the log.

use crate::keys::Origin;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

/// Sockets of a kind that are listed one by one.
const SHOWN_SOCKETS: usize = 4;

/// What there is to say.
#[derive(Clone, Debug)]
pub struct Facts {
    /// From the settings, or empty.
    pub public_url: String,
    /// Where HTTP listens.
    pub http: Vec<SocketAddr>,
    /// Where https listens, and what certificate it has.
    pub https: Vec<SocketAddr>,
    /// The certificate in words; empty without https.
    pub certificate: String,
    /// The domain that a certificate authority vouches for.
    pub domain: Option<String>,
    /// Where media listens.
    pub media: Vec<SocketAddr>,
    /// Where it listens over TCP, if it does.
    pub media_tcp: Option<SocketAddr>,
    /// This machine's address as others see it, if it is known.
    pub machine: Option<IpAddr>,
    /// The API key.
    pub key: String,
    /// Its secret: shown where it is no secret (`--dev`), and when it was drawn just now.
    pub secret: String,
    /// Where the key came from.
    pub origin: Origin,
    /// The data folder was empty until now.
    pub first_start: bool,
    /// A token for whoever runs the venue.
    pub operator_token: String,
    /// What the doctor found without asking anybody; empty where all is well.
    pub doctor: String,
    /// The data folder.
    pub data_dir: PathBuf,
}

/// The lines.
pub fn text(facts: &Facts) -> String {
    let mut text = String::new();
    let mut line = |name: &str, what: &str| text.push_str(&format!("  {name:<10}{what}\n"));
    line("page", &page_url(facts));
    line("clients", &page_url(facts).replacen("http", "ws", 1));
    line("key", &format!("{}{}", facts.key, key_note(facts.origin)));
    if matches!(facts.origin, Origin::Dev | Origin::Drawn) {
        line("secret", &facts.secret);
    }
    // A later start may be a service manager's, whose journal is no place for tokens.
    let shown = facts.first_start || matches!(facts.origin, Origin::Dev | Origin::Drawn);
    line("operator", if shown { &facts.operator_token } else { "odeon token create --operator" });
    line("listens", &listens(facts));
    if !facts.certificate.is_empty() {
        line("tls", &facts.certificate);
    }
    line("data", &facts.data_dir.display().to_string());
    if !facts.doctor.is_empty() {
        line("doctor", &facts.doctor);
    }
    if let Some(note) = camera_note(facts) {
        line("note", note);
    }
    format!("Odeon {} is open\n{text}", env!("CARGO_PKG_VERSION"))
}

fn key_note(origin: Origin) -> &'static str {
    match origin {
        Origin::Dev => "  (known to everybody: for this machine only)",
        Origin::Settings => "",
        Origin::Kept => "  (its secret: `odeon keys`)",
        Origin::Drawn => "  (new, and kept in the data folder)",
    }
}

fn listens(facts: &Facts) -> String {
    let https =
        if facts.https.is_empty() { String::new() } else { format!(", https on tcp {}", sockets(&facts.https)) };
    let tcp = facts.media_tcp.map_or_else(String::new, |address| format!(" and tcp {address}"));
    format!("http on tcp {}{https}, media on udp {}{tcp}", sockets(&facts.http), sockets(&facts.media))
}

fn sockets(addresses: &[SocketAddr]) -> String {
    // A machine of many cores has many ports: two say where they are, and how many more there are.
    let shown = addresses.iter().take(SHOWN_SOCKETS).map(ToString::to_string).collect::<Vec<_>>().join(" ");
    match addresses.len().saturating_sub(SHOWN_SOCKETS) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// The page's address as somebody would type it.
fn page_url(facts: &Facts) -> String {
    if !facts.public_url.is_empty() {
        return format!("{}/", facts.public_url);
    }
    let (scheme, usual_port, sockets) = match facts.https.is_empty() {
        true => ("http", 80, &facts.http),
        false => ("https", 443, &facts.https),
    };
    let Some(first) = sockets.first() else {
        return String::new();
    };
    let port = if first.port() == usual_port { String::new() } else { format!(":{}", first.port()) };
    format!("{scheme}://{}{port}/", host(facts, first))
}

fn host(facts: &Facts, first: &SocketAddr) -> String {
    if let Some(domain) = &facts.domain {
        return domain.clone();
    }
    let machine = facts.machine.filter(|_| first.ip().is_unspecified());
    match machine.unwrap_or(first.ip()) {
        ip if ip.is_loopback() || ip.is_unspecified() => "localhost".to_owned(),
        IpAddr::V6(ip) => format!("[{ip}]"),
        IpAddr::V4(ip) => ip.to_string(),
    }
}

// Browsers hand out cameras in secure contexts only, and nobody guesses that from the error.
fn camera_note(facts: &Facts) -> Option<&'static str> {
    let url = page_url(facts);
    let secure = url.starts_with("https://") || url.starts_with("http://localhost");
    (!secure).then_some(
        "browsers give cameras to https pages only: --tls.self_signed=true will do in a LAN, tls.acme.domains for the world",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(origin: Origin) -> Facts {
        Facts {
            public_url: String::new(),
            http: vec!["0.0.0.0:7880".parse().unwrap(), "[::]:7880".parse().unwrap()],
            https: Vec::new(),
            certificate: String::new(),
            domain: None,
            media: (0..64).map(|i| SocketAddr::new([0, 0, 0, 0].into(), 7882 + i)).collect(),
            media_tcp: Some("[::]:7881".parse().unwrap()),
            machine: Some("203.0.113.5".parse().unwrap()),
            key: "APIkey".into(),
            secret: "hush".into(),
            origin,
            first_start: origin == Origin::Drawn,
            doctor: "no IPv6; `odeon doctor` tells what to do (ipv6)".into(),
            operator_token: "header.claims.signature".into(),
            data_dir: "odeon-data".into(),
        }
    }

    #[test]
    fn f_2_it_never_takes_more_than_twelve_lines_of_a_screen() {
        for origin in [Origin::Dev, Origin::Settings, Origin::Kept, Origin::Drawn] {
            let text = text(&facts(origin));
            assert!(text.lines().count() <= 12 && text.lines().all(|line| line.len() < 250), "{text}");
        }
    }

    #[test]
    fn f_2_a_first_start_shows_everything_that_is_needed() {
        let text = text(&facts(Origin::Drawn));
        for what in ["http://203.0.113.5:7880/", "ws://203.0.113.5:7880/", "APIkey", "hush", "header.claims", "7882"] {
            assert!(text.contains(what), "{what} is missing:\n{text}");
        }
    }

    #[test]
    fn a_later_start_shows_neither_secret_nor_token() {
        for origin in [Origin::Kept, Origin::Settings] {
            let text = text(&facts(origin));
            assert!(!text.contains("hush") && !text.contains("header.claims"), "{text}");
        }
    }

    #[test]
    fn the_page_is_where_people_can_reach_it() {
        let loopback = Facts { http: vec!["127.0.0.1:7880".parse().unwrap()], ..facts(Origin::Dev) };
        assert_eq!(page_url(&loopback), "http://localhost:7880/");
        let named = Facts { public_url: "https://venue.example".into(), ..facts(Origin::Dev) };
        assert_eq!(page_url(&named), "https://venue.example/");
        assert!(text(&named).contains("wss://venue.example/"));
        let v6 = Facts { http: vec!["[2001:db8::1]:80".parse().unwrap()], ..facts(Origin::Dev) };
        assert_eq!(page_url(&v6), "http://[2001:db8::1]/");
    }

    #[test]
    fn with_a_certificate_the_page_is_where_browsers_give_cameras() {
        let secure = Facts {
            https: vec!["0.0.0.0:7443".parse().unwrap()],
            certificate: "self-signed, SHA-256 AB:CD".into(),
            ..facts(Origin::Drawn)
        };
        let told = text(&secure);
        for what in ["page      https://203.0.113.5:7443/", "wss://203.0.113.5:7443/", "AB:CD", "https on tcp"] {
            assert!(told.contains(what), "{what} is missing:\n{told}");
        }
        assert!(told.lines().count() <= 12 && !told.contains("cameras"), "{told}");
        let named = Facts { https: vec!["[::]:443".parse().unwrap()], domain: Some("venue.example".into()), ..secure };
        assert_eq!(page_url(&named), "https://venue.example/");
    }

    #[test]
    fn f_6_it_says_so_where_browsers_will_refuse_the_camera() {
        assert!(text(&facts(Origin::Dev)).contains("https"));
        let loopback = Facts { http: vec!["127.0.0.1:7880".parse().unwrap()], ..facts(Origin::Dev) };
        assert!(!text(&loopback).contains("https"));
    }
}
