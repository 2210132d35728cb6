//! Checks of what browsers meet: certificate and address of the page.

use super::{Facts, Finding};
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

/// Who renews a certificate does so weeks before it expires: with less than this left, it was forgotten.
const RENEWAL_GRACE: Duration = Duration::from_secs(14 * 24 * 3600);

pub(super) fn certificate(facts: &Facts) -> Finding {
    let certificate = match &facts.certificate {
        None => return Finding::good("certificate", "none is needed, or it is made at the start"),
        Some(Err(reason)) => {
            let remedy = "Let tls.cert_file and tls.key_file name a PEM chain and its key, readable to this user.";
            return Finding::fault("certificate", reason.clone(), remedy);
        }
        Some(Ok(certificate)) => certificate,
    };
    let days = |until: SystemTime, from: SystemTime| until.duration_since(from).unwrap_or_default().as_secs() / 86_400;
    if certificate.not_after <= facts.now {
        let found = format!("it has expired {} days ago", days(facts.now, certificate.not_after));
        return Finding::fault("certificate", found, "Renew it: Odeon takes new files without a restart.");
    }
    if certificate.not_before > facts.now {
        let found = format!("it is not valid for another {} days", days(certificate.not_before, facts.now));
        return Finding::fault(
            "certificate",
            found,
            "Set the machine's clock right, or take the certificate before this one.",
        );
    }
    let host = &facts.page.host;
    if facts.page.tls && !host.is_empty() && !certificate.names.iter().any(|name| covers(name, host)) {
        let found = format!("it is for {}, and not for {host}", certificate.names.join(", "));
        return Finding::fault(
            "certificate",
            found,
            format!("Take one for {host}, or set http.public_url to a name of its."),
        );
    }
    let left = certificate.not_after.duration_since(facts.now).unwrap_or_default();
    if certificate.renewed_by_others && left < RENEWAL_GRACE {
        let found = format!("it expires in {} days", left.as_secs() / 86_400);
        return Finding::warning("certificate", found, "See why whoever renews it has not done so.");
    }
    Finding::good("certificate", format!("it is valid for another {} days", left.as_secs() / 86_400))
}

/// RFC 9525, 6.3: a wildcard stands for the whole of the first label.
fn covers(name: &str, host: &str) -> bool {
    let wildcard = |rest: &str| host.split_once('.').is_some_and(|(_, parent)| parent.eq_ignore_ascii_case(rest));
    name.eq_ignore_ascii_case(host) || name.strip_prefix("*.").is_some_and(wildcard)
}

pub(super) fn origin(facts: &Facts) -> Finding {
    let page = &facts.page;
    if page.public_url.is_empty() {
        return Finding::good("origin", "http.public_url is not set: the page is wherever it is opened");
    }
    let local = page.host == "localhost" || page.host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    let secure = page.public_url.starts_with("https://");
    if !secure && !local {
        let found = format!("{} is no https address: browsers give it no camera", page.public_url);
        return Finding::fault(
            "origin",
            found,
            "Set http.public_url to the https address under which people open the page.",
        );
    }
    if secure && !page.tls && !page.proxy {
        let found = format!("{} is https, but nobody here speaks TLS", page.public_url);
        let remedy = "Name the TLS proxy in http.trusted_proxies, or set tls.acme.domains or tls.cert_file.";
        return Finding::fault("origin", found, remedy);
    }
    match &page.leads_to {
        Some(addresses) if addresses.is_empty() => {
            let remedy = format!("Give {} an A record with this machine's public address.", page.host);
            Finding::fault("origin", format!("{} leads nowhere", page.host), remedy)
        }
        Some(addresses) if !page.proxy && !local && !addresses.iter().any(|ip| is_ours(facts, ip)) => {
            let found = format!("{} leads to another machine: pages opened there are refused here", page.host);
            let remedy =
                "Set http.public_url to the address that leads here, or name the proxy in http.trusted_proxies.";
            Finding::fault("origin", found, remedy)
        }
        _ => Finding::good("origin", format!("people open {}", page.public_url)),
    }
}

fn is_ours(facts: &Facts, ip: &IpAddr) -> bool {
    let external = facts.world.iter().flat_map(|world| &world.mappings).any(|mapping| mapping.external == *ip);
    external || facts.told.contains(ip) || facts.own.iter().any(|(_, own)| own == ip)
}
