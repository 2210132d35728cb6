use super::*;

fn secs(text: &str) -> Option<Duration> {
    Duration::parse(text).ok()
}

#[test]
fn a_time_is_seconds_unless_it_says_otherwise() {
    assert_eq!(secs("20"), Some(Duration::from_secs(20)));
    assert_eq!(secs("500ms"), Some(Duration::from_millis(500)));
    assert_eq!(secs("1.5m"), Some(Duration::from_secs(90)));
    assert_eq!(secs("2h"), Some(Duration::from_secs(7200)));
}

#[test]
fn times_that_make_no_sense_are_refused() {
    for bad in ["", "-1", "soon", "1d", "NaN", "inf", "1e300", "31536000000"] {
        assert_eq!(secs(bad), None, "{bad:?}");
    }
}

#[test]
fn every_time_is_shown_so_that_it_reads_back() {
    for text in ["0s", "20s", "1500ms", "3600s"] {
        assert_eq!(secs(text).map(|time| time.show()).as_deref(), Some(text));
    }
}

#[test]
fn a_network_holds_its_addresses_and_no_others() {
    let networks = Networks::parse("10.1.0.0/15, ::1, 192.168.1.7").unwrap();
    for inside in ["10.0.255.1", "10.1.2.3", "::1", "::ffff:10.1.2.3", "192.168.1.7"] {
        assert!(networks.contains(inside.parse().unwrap()), "{inside}");
    }
    for outside in ["10.2.0.0", "::2", "192.168.1.8", "11.0.0.1"] {
        assert!(!networks.contains(outside.parse().unwrap()), "{outside}");
    }
}

#[test]
fn the_empty_prefix_holds_everything_of_its_family() {
    let all_v4 = Networks::parse("0.0.0.0/0").unwrap();
    assert!(all_v4.contains("203.0.113.9".parse().unwrap()));
    assert!(!all_v4.contains("2001:db8::1".parse().unwrap()));
}

#[test]
fn networks_that_are_none_are_refused() {
    for bad in ["10.0.0.0/33", "::/129", "host", "10.0.0.0/", "10.0.0.0/8,"] {
        assert!(Networks::parse(bad).is_err(), "{bad}");
    }
}

// LiveKit: LIVEKIT_KEYS="key: secret"
#[test]
fn keys_read_in_livekits_spelling() {
    let keys = Keys::parse("APIone: first\nAPItwo:\"second\"").unwrap();
    assert_eq!(keys.0["APIone"], "first");
    assert_eq!(keys.0["APItwo"], "second");
}

#[test]
fn keys_are_never_shown_whole() {
    let keys = Keys::parse("APIone: hush").unwrap();
    assert!(!format!("{keys:?} {}", keys.show()).contains("hush"));
}

#[test]
fn a_misspelt_level_is_refused_instead_of_silencing_everything() {
    assert!(LogLevel::parse("inof").is_err());
    assert!(LogLevel::parse("info,net=debug").is_ok());
}
