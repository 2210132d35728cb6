//! What somebody meets who has just downloaded it.

mod common;

use common::{Scratch, Server, answer, odeon, stderr, stdout};

// L-08, F-2: one command, nothing edited.
#[test]
fn l_08_dev_opens_and_says_everything_in_twelve_lines() {
    let scratch = Scratch::new("dev");
    let server = Server::start(&scratch, "--dev");
    assert!(server.banner.len() <= 12, "{:?}", server.banner);
    let banner = server.banner.join("\n");
    for what in ["http://localhost:", "ws://localhost:", "devkey", "secret", "operator", "odeon-data"] {
        assert!(banner.contains(what), "{what} is missing:\n{banner}");
    }
    assert_eq!(server.get("/healthz", ""), (200, "OK".to_owned()));
    assert_eq!(server.get("/readyz", "").0, 200);
}

// F-2, L-08: key generated.
#[test]
fn l_08_a_first_start_shows_its_new_secret_and_later_ones_do_not() {
    let scratch = Scratch::new("first");
    let first = Server::start(&scratch, "serve --http.bind=127.0.0.1").banner.join("\n");
    let second = Server::start(&scratch, "serve --http.bind=127.0.0.1").banner.join("\n");
    let keys = stdout(&answer(&scratch, "keys"));
    let secret = keys.lines().find_map(|line| line.strip_prefix("secret")).unwrap().trim();
    assert!(secret.len() >= 32 && first.contains(secret) && !second.contains(secret), "{first}\n{second}");
}

#[test]
fn no_secret_and_no_token_is_ever_logged() {
    let scratch = Scratch::new("hush");
    let server = Server::start(&scratch, "serve --http.bind=127.0.0.1 --log.level=info");
    let banner = server.banner.join("\n");
    let word = |name: &str| {
        let line = banner.lines().find(|line| line.trim_start().starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().to_owned()
    };
    server.get("/healthz?access_token=TOKEN-IN-A-QUERY", "");
    server.get("/nowhere?access_token=TOKEN-IN-A-QUERY", "Authorization: Bearer TOKEN-IN-A-HEADER\r\n");
    let mut log = server.log_line("/nowhere");
    log.push_str(&server.logged());
    for secret in [word("secret"), word("operator"), "TOKEN-IN-A".to_owned(), "127.0.0.1".to_owned()] {
        assert!(!log.contains(&secret), "{secret} in\n{log}");
    }
}

#[test]
fn logs_are_json_where_nobody_watches() {
    let scratch = Scratch::new("json");
    let server = Server::start(&scratch, "--dev");
    let line: serde_json::Value = serde_json::from_str(&server.log_line("open")).unwrap();
    assert_eq!(line["level"], "INFO");
}

#[test]
fn a_folder_from_a_newer_version_stops_the_start() {
    let scratch = Scratch::new("newer");
    std::fs::create_dir(scratch.path().join("data")).unwrap();
    std::fs::write(scratch.path().join("data/odeon.json"), r#"{"format": 99}"#).unwrap();
    let refused = answer(&scratch, "--dev --data-dir=data");
    assert!(!refused.status.success() && stderr(&refused).contains("newer Odeon"), "{}", stderr(&refused));
}

#[test]
fn the_data_folder_is_named_in_the_environment_too() {
    let scratch = Scratch::new("env");
    let keys = odeon(&scratch).arg("keys").env("ODEON_DATA_DIR", "elsewhere").output().unwrap();
    assert!(keys.status.success() && scratch.path().join("elsewhere/odeon.json").exists());
}

#[test]
fn two_servers_in_one_folder_are_one_too_many() {
    let scratch = Scratch::new("two");
    let _server = Server::start(&scratch, "--dev");
    let refused = answer(&scratch, "--dev --http.port=0 --rtc.udp_port=0");
    assert!(!refused.status.success() && stderr(&refused).contains("another Odeon"), "{}", stderr(&refused));
}

// F-4
#[test]
fn f_4_a_misspelt_setting_stops_the_start_and_names_the_nearest() {
    let scratch = Scratch::new("misspelt");
    std::fs::write(scratch.path().join("odeon.toml"), "[rtc]\nudp_prot = 1\n").unwrap();
    let in_file = answer(&scratch, "serve --config odeon.toml");
    let in_env = odeon(&scratch).arg("serve").env("ODEON_RTC_UDP_PROT", "1").output().unwrap();
    let as_flag = answer(&scratch, "serve --rtc.udp_prot=1");
    for refused in [in_file, in_env, as_flag] {
        let told = stderr(&refused);
        assert!(!refused.status.success() && told.to_lowercase().replace('_', ".").contains("rtc.udp.port"), "{told}");
    }
}

// Q-20: a secret under 32 bytes is refused at start (but in --dev).
#[test]
fn q_20_a_weak_secret_stops_the_start() {
    let scratch = Scratch::new("weak");
    let refused = odeon(&scratch).arg("serve").env("LIVEKIT_KEYS", "APIweak: short").output().unwrap();
    assert!(!refused.status.success(), "{}", stdout(&refused));
    assert!(stderr(&refused).contains("32") && !stderr(&refused).contains("short"), "{}", stderr(&refused));
}

// L-49: what `odeon token create` prints, other LiveKit servers and SDKs can read.
#[test]
fn l_49_a_token_is_printed_alone_and_has_three_parts() {
    let scratch = Scratch::new("token");
    let token = answer(&scratch, "--dev token create --room residence --identity alice --ttl 5m");
    assert_eq!(stdout(&token).trim().split('.').count(), 3, "{}", stderr(&token));
    assert!(!scratch.path().join("odeon-data").exists(), "a configured key needs no folder");
}

#[test]
fn f_4_explain_tells_one_setting_or_all() {
    let scratch = Scratch::new("explain");
    let one = stdout(&answer(&scratch, "config explain rtc.udp_port --rtc.udp-port 9000"));
    assert!(one.contains("9000") && one.contains("ODEON_RTC_UDP_PORT") && one.contains("flag --rtc.udp_port"), "{one}");
    let all = stdout(&answer(&scratch, "config explain"));
    assert!(all.contains("rtc.udp_port") && all.contains("drain_timeout"), "{all}");
    assert!(stderr(&answer(&scratch, "config explain rtc.udp_prot")).contains("rtc.udp_port"));
}

#[test]
fn dev_for_everybody_is_warned_of() {
    let scratch = Scratch::new("devopen");
    let server = Server::start(&scratch, "--dev --http.bind=0.0.0.0");
    assert!(server.log_line("known to everybody").contains("WARN"));
}
