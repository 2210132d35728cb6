//! Values that say where the server itself connects to.

use super::value::{Value, parse_list, show_list};
use gateway::outbound::{HostPort, Target};

/// http or https URLs, separated by commas. Shown without their queries, where receivers put secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Urls(pub Vec<Target>);

impl Value for Urls {
    const KIND: &'static str = "http or https URLs without user names, separated by commas, or nothing";
    fn parse(text: &str) -> Result<Self, String> {
        let url = |item: &str| Target::parse(item).map_err(|_| format!("expected {}", Self::KIND));
        parse_list(text, url).map(Self)
    }
    fn show(&self) -> String {
        self.0.iter().map(shown).collect::<Vec<_>>().join(",")
    }
}

fn shown(target: &Target) -> String {
    let scheme = if target.is_secure() { "https" } else { "http" };
    let (path, secret) = target.path_and_query().split_once('?').unwrap_or((target.path_and_query(), ""));
    let masked = if secret.is_empty() { "" } else { "?********" };
    format!("{scheme}://{}{path}{masked}", target.authority())
}

/// Hosts with ports, separated by commas.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Peers(pub Vec<HostPort>);

impl Value for Peers {
    const KIND: &'static str = "host:port pairs separated by commas, or nothing";
    fn parse(text: &str) -> Result<Self, String> {
        let peer = |item: &str| HostPort::parse(item).ok_or_else(|| format!("expected {}", Self::KIND));
        parse_list(text, peer).map(Self)
    }
    fn show(&self) -> String {
        show_list(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn l_57_urls_are_read_and_shown_without_what_may_be_secret() {
        let urls = Urls::parse("https://a.example/hook?token=s3cr3t, http://b.example:8080").unwrap();
        assert_eq!(urls.show(), "https://a.example/hook?********,http://b.example:8080/");
        assert!(Urls::parse("a.example").is_err() && Urls::parse("https://me:pw@a.example").is_err());
        assert!(!Urls::parse("https://me:pw@a.example").unwrap_err().contains("pw@"), "no error repeats a secret");
        assert_eq!(Urls::parse("").unwrap(), Urls::default());
    }

    #[test]
    fn q_22_peers_have_their_ports() {
        assert_eq!(Peers::parse("localhost:9000,[::1]:80").unwrap().show(), "localhost:9000,[::1]:80");
        assert!(Peers::parse("localhost").is_err());
    }
}
