//! F-3: thirteen faults, each planted alone in facts that are well otherwise, and each found by the one check that it is for.

use super::*;
use crate::doctor::facts::{CertificateFacts, FfmpegFacts, PageFacts, TakenPort, TurnFacts, WorldFacts};
use crate::doctor::finding::Level;
use net::external::Mapping;
use std::net::IpAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const DAY: Duration = Duration::from_secs(86_400);

fn now() -> SystemTime {
    UNIX_EPOCH + DAY * 20_000
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn mapping(local: &str, external: &str) -> Mapping {
    Mapping { local: ip(local), external: ip(external) }
}

/// A venue where nothing is wrong: public addresses, TLS by files, a relay, everything asked.
fn healthy() -> Facts {
    let own = vec![("eth0".to_owned(), ip("198.51.100.7")), ("eth0".to_owned(), ip("2001:db8::7"))];
    Facts {
        running: true,
        taken: Vec::new(),
        media_ports: (7882, 7889),
        told: own.iter().map(|(_, ip)| *ip).collect(),
        own,
        told_by_settings: false,
        local_only: false,
        in_container: false,
        buffer_bytes: (4 << 20, 4 << 20),
        descriptors: (1 << 20, 20_100),
        disk_free_bytes: Some(100 << 30),
        ffmpeg: Some(FfmpegFacts { name: "ffmpeg".into(), found: true }),
        certificate: Some(Ok(CertificateFacts {
            not_before: now() - DAY * 30,
            not_after: now() + DAY * 60,
            names: vec!["venue.example".into(), "*.venue.example".into()],
            renewed_by_others: true,
        })),
        now: now(),
        page: PageFacts {
            public_url: "https://venue.example".into(),
            host: "venue.example".into(),
            tls: true,
            proxy: false,
            leads_to: Some(vec![ip("198.51.100.7")]),
        },
        turn: Some(TurnFacts {
            domain: "turn.venue.example".into(),
            leads_to: Some(vec![ip("198.51.100.7")]),
            silent: Some(Vec::new()),
        }),
        world: Some(WorldFacts {
            stun_servers: 2,
            mappings: vec![mapping("198.51.100.7", "198.51.100.7"), mapping("2001:db8::7", "2001:db8::7")],
            clock_ahead_s: Some(0.02),
        }),
    }
}

/// The one finding that matters, of a healthy venue with this fault planted.
fn planted(fault: impl FnOnce(&mut Facts)) -> Finding {
    let mut facts = healthy();
    fault(&mut facts);
    let mut found: Vec<_> = all(&facts).into_iter().filter(Finding::matters).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    let finding = found.remove(0);
    let sentence = finding.remedy.ends_with('.') && finding.remedy.matches(". ").count() == 0;
    assert!(sentence, "one sentence of remedy: {}", finding.remedy);
    finding
}

fn world(facts: &mut Facts) -> &mut WorldFacts {
    facts.world.as_mut().unwrap()
}

fn certificate(facts: &mut Facts) -> &mut CertificateFacts {
    facts.certificate.as_mut().unwrap().as_mut().unwrap()
}

#[test]
fn f_3_nothing_is_found_where_nothing_is_wrong() {
    let findings = all(&healthy());
    assert_eq!(findings.len(), 13);
    assert!(findings.iter().all(|finding| finding.level == Level::Good), "{findings:?}");
}

#[test]
fn f_3_udp_closed() {
    let finding = planted(|facts| world(facts).mappings.clear());
    assert_eq!((finding.check, finding.level), ("udp", Level::Fault));
    assert!(finding.remedy.contains("7882 to 7889"), "{}", finding.remedy);
}

#[test]
fn f_3_wrong_public_address() {
    let behind_nat = planted(|facts| {
        facts.own = vec![("eth0".to_owned(), ip("10.0.0.7")), ("eth0".to_owned(), ip("2001:db8::7"))];
        facts.told = vec![ip("10.0.0.7"), ip("2001:db8::7")];
        world(facts).mappings[0] = mapping("10.0.0.7", "198.51.100.7");
        facts.turn = None;
    });
    assert_eq!((behind_nat.check, behind_nat.level), ("address", Level::Fault));
    assert!(behind_nat.remedy.contains("rtc.use_external_ip"), "{}", behind_nat.remedy);
    let mistyped = planted(|facts| {
        facts.told_by_settings = true;
        facts.told[0] = ip("198.51.100.70");
    });
    assert_eq!(mistyped.check, "address");
    assert!(mistyped.remedy.contains("rtc.node_ip to 198.51.100.7."), "{}", mistyped.remedy);
}

#[test]
fn f_3_container_bridge() {
    let told = planted(|facts| {
        facts.own.push(("docker0".to_owned(), ip("172.17.0.1")));
        facts.told.push(ip("172.17.0.1"));
    });
    assert_eq!(told.check, "container");
    assert!(told.remedy.contains("docker0"), "{}", told.remedy);
    let inside = planted(|facts| {
        facts.in_container = true;
        facts.own = vec![("eth0".to_owned(), ip("172.17.0.2")), ("eth0".to_owned(), ip("fd00::2"))];
        facts.told = vec![ip("172.17.0.2"), ip("fd00::2")];
        // No server sees what has no way out.
        facts.world = None;
        (facts.turn, facts.page.leads_to) = (None, None);
    });
    assert_eq!((inside.check, inside.level), ("container", Level::Fault));
    let published = |facts: &mut Facts| {
        facts.in_container = true;
        facts.own = vec![("eth0".to_owned(), ip("172.17.0.2"))];
    };
    let mut facts = healthy();
    published(&mut facts);
    assert_eq!(network::container(&facts).level, Level::Good, "a published address is not this container's own");
}

#[test]
fn f_3_expired_certificate() {
    let expired = planted(|facts| certificate(facts).not_after = now() - DAY * 3);
    assert_eq!((expired.check, expired.level), ("certificate", Level::Fault));
    assert!(expired.found.contains("3 days ago"), "{}", expired.found);
    assert_eq!(planted(|facts| certificate(facts).not_after = now() + DAY * 3).level, Level::Warning);
    let others = planted(|facts| certificate(facts).names = vec!["other.example".into()]);
    assert!(others.found.contains("not for venue.example"), "{}", others.found);
    let unreadable = planted(|facts| facts.certificate = Some(Err("key.pem: permission denied".into())));
    assert_eq!(unreadable.level, Level::Fault);
}

#[test]
fn f_3_clock_off() {
    assert_eq!(planted(|facts| world(facts).clock_ahead_s = Some(120.0)).level, Level::Fault);
    let behind = planted(|facts| world(facts).clock_ahead_s = Some(-10.0));
    assert_eq!((behind.check, behind.level), ("clock", Level::Warning));
    assert!(behind.found.contains("10.0 s behind"), "{}", behind.found);
}

#[test]
fn f_3_port_taken() {
    let port = TakenPort { setting: "http.port", socket: "tcp 0.0.0.0:7880".into(), in_use: true };
    let finding = planted(|facts| (facts.running, facts.taken) = (false, vec![port]));
    assert_eq!((finding.check, finding.level), ("ports", Level::Fault));
    assert!(finding.remedy.contains("http.port"), "{}", finding.remedy);
}

#[test]
fn f_3_no_ipv6() {
    let only_v4 = |facts: &mut Facts| {
        facts.told.truncate(1);
        world(facts).mappings.truncate(1);
    };
    let finding = planted(|facts| {
        only_v4(facts);
        facts.own.truncate(1);
    });
    assert_eq!((finding.check, finding.level), ("ipv6", Level::Warning));
    assert!(planted(only_v4).remedy.contains("2001:db8::7"), "one that is there and not told is named");
}

#[test]
fn f_3_small_socket_buffers() {
    let finding = planted(|facts| facts.buffer_bytes.1 = 212_992);
    assert_eq!((finding.check, finding.level), ("buffers", Level::Warning));
    assert!(finding.remedy.contains("net.core.rmem_max=4194304"), "{}", finding.remedy);
}

#[test]
fn f_3_descriptor_limit() {
    let finding = planted(|facts| facts.descriptors.0 = 1024);
    assert_eq!((finding.check, finding.level), ("descriptors", Level::Fault));
    assert!(finding.remedy.contains("20100"), "{}", finding.remedy);
}

#[test]
fn f_3_disk_full() {
    assert_eq!(planted(|facts| facts.disk_free_bytes = Some(1 << 20)).level, Level::Fault);
    assert_eq!(planted(|facts| facts.disk_free_bytes = Some(500 << 20)).level, Level::Warning);
}

#[test]
fn f_3_c_19_no_ffmpeg() {
    let missing = Some(FfmpegFacts { name: "/opt/ffmpeg".into(), found: false });
    let finding = planted(|facts| facts.ffmpeg = missing);
    assert_eq!((finding.check, finding.level), ("ffmpeg", Level::Warning));
    assert!(finding.found.starts_with("/opt/ffmpeg is missing: livestreams of mp4, webm"), "{}", finding.found);
    assert!(finding.remedy.contains("castaway.ffmpeg"), "{}", finding.remedy);
    let mut facts = healthy();
    facts.ffmpeg = None;
    assert!(!all(&facts).iter().any(Finding::matters), "where nothing is recorded none is needed");
}

#[test]
fn f_3_turn_unreachable() {
    let silent = planted(|facts| facts.turn.as_mut().unwrap().silent = Some(vec!["turn.udp_port"]));
    assert_eq!((silent.check, silent.level), ("turn", Level::Fault));
    assert!(silent.remedy.contains("turn.udp_port"), "{}", silent.remedy);
    let nowhere = planted(|facts| facts.turn.as_mut().unwrap().leads_to = Some(Vec::new()));
    assert!(nowhere.found.contains("leads nowhere"), "{}", nowhere.found);
    let elsewhere = planted(|facts| facts.turn.as_mut().unwrap().leads_to = Some(vec![ip("192.0.2.99")]));
    assert!(elsewhere.found.contains("not this machine"), "{}", elsewhere.found);
}

#[test]
fn f_3_bad_origin() {
    let plain = planted(|facts| facts.page.public_url = "http://venue.example".into());
    assert_eq!((plain.check, plain.level), ("origin", Level::Fault));
    let nobody_speaks_tls = planted(|facts| {
        facts.page.tls = false;
        facts.certificate = None;
    });
    assert!(nobody_speaks_tls.remedy.contains("http.trusted_proxies"), "{}", nobody_speaks_tls.remedy);
    let elsewhere = planted(|facts| facts.page.leads_to = Some(vec![ip("192.0.2.99")]));
    assert!(elsewhere.found.contains("another machine"), "{}", elsewhere.found);
    assert!(planted(|facts| facts.page.leads_to = Some(Vec::new())).found.contains("nowhere"));
}

#[test]
fn what_nobody_was_asked_is_not_known_and_not_wrong() {
    let mut facts = healthy();
    facts.world = None;
    (facts.page.leads_to, facts.turn.as_mut().unwrap().silent) = (None, None);
    assert!(!all(&facts).iter().any(Finding::matters));
    assert!(all(&facts).iter().any(|finding| finding.level == Level::Unknown));
}

#[test]
fn a_venue_for_this_machine_only_needs_no_network() {
    let mut facts = healthy();
    (facts.local_only, facts.own, facts.told) = (true, Vec::new(), vec![ip("127.0.0.1")]);
    (facts.world, facts.turn, facts.page, facts.certificate) = (None, None, PageFacts::default(), None);
    assert!(!all(&facts).iter().any(Finding::matters));
}
