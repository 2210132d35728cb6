//! F-4: one setting, one name; unknown names are refused with the nearest.

use super::*;
use std::collections::BTreeSet;
use std::time::Duration;

fn yaml(text: &str) -> Result<Loaded, Vec<ConfigError>> {
    load(&Sources { body: Some(text.to_owned()), ..Sources::default() })
}

fn toml(text: &str) -> Result<Loaded, Vec<ConfigError>> {
    let mut loaded = load(&Sources::default()).unwrap();
    file::apply(&mut loaded, Path::new("odeon.toml"), text);
    if loaded.errors.is_empty() { Ok(loaded) } else { Err(loaded.errors) }
}

fn environment(variables: &[(&str, &str)]) -> Result<Loaded, Vec<ConfigError>> {
    let environment = variables.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    load(&Sources { environment, ..Sources::default() })
}

fn told(result: Result<Loaded, Vec<ConfigError>>) -> String {
    result.unwrap_err().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

// F-4: a text that differs from the default for each kind of setting, so that reading it must show.
fn another(setting: &Setting) -> &'static str {
    match setting.key {
        "http.public_url" => "https://venue.example",
        "keys" => "APIother: a-secret-of-at-least-32-bytes-here",
        "rooms.open" | "rooms.token" => "foyer,stage",
        "http.bind" | "tls.bind" | "rtc.bind" | "rtc.node_ip" => "192.0.2.1",
        "http.trusted_proxies" => "192.0.2.0/24",
        "rtc.placement" => "round_robin",
        "rooms.undeclared" => "token",
        "log.format" => "json",
        "log.level" => "debug",
        "data_dir" => "elsewhere",
        "schedule.time_zone" => "Europe/Tallinn",
        "schedule.sources" => "https://venue.example/calendar.ics",
        "schedule.allow_private" => "calendars.internal:8080",
        "rtc.stun_servers" => "stun.example:3478",
        "rtc.interfaces.includes" | "rtc.interfaces.excludes" => "eth0",
        "rtc.ips.includes" | "rtc.ips.excludes" => "192.0.2.0/24",
        "tls.acme.domains" => "venue.example",
        "tls.acme.email" => "ops@venue.example",
        "tls.acme.directory_url" => "https://authority.example/directory",
        "webhook.urls" => "https://venue.example/hook",
        "webhook.allow_private" => "hooks.internal:8080",
        "room.auto_create" | "rtc.congestion_control" | "castaway.record" => "false",
        "room.enabled_codecs" => "video/VP8,audio/opus",
        "turn.domain" => "turn.venue.example",
        "tls.self_signed"
        | "turn.enabled"
        | "turn.external_tls"
        | "room.playout_delay.enabled"
        | "rtc.use_external_ip"
        | "rtc.external_ip_only"
        | "rtc.single_port"
        | "rtc.loopback"
        | "rtc.simulate"
        | "room.enable_remote_unmute"
        | "room.sync_streams" => "true",
        "room.room_configurations" => r#"{"small":{"max_participants":3}}"#,
        _ => "17",
    }
}

#[test]
fn f_4_every_setting_says_what_it_does_and_what_it_accepts() {
    for setting in SETTINGS {
        assert!(setting.doc.trim().len() > 15, "{} has no description", setting.key);
        assert!(setting.doc.trim().ends_with('.'), "{}", setting.key);
        assert!(!setting.kind.is_empty(), "{}", setting.key);
        let loaded = load(&Sources::default()).unwrap();
        assert!(explain(&loaded, Some(setting.key)).unwrap().contains(setting.kind));
    }
}

#[test]
fn f_4_no_two_settings_share_a_name_anywhere() {
    let keys: BTreeSet<_> = SETTINGS.iter().map(|setting| setting.key).collect();
    let variables: BTreeSet<_> = SETTINGS.iter().map(Setting::env).collect();
    assert_eq!((keys.len(), variables.len()), (SETTINGS.len(), SETTINGS.len()));
}

#[test]
fn f_4_file_environment_and_flag_set_the_same_by_the_same_name() {
    for setting in SETTINGS {
        let text = another(setting);
        let default = (setting.show)(&Config::default());
        let by_env = environment(&[(&setting.env(), text)]).unwrap();
        let by_flag = load(&Sources { flags: vec![(setting.key, text.to_owned())], ..Sources::default() }).unwrap();
        let by_file = toml(&in_toml(setting.key, text)).unwrap();
        assert_ne!((setting.show)(&by_env.config), default, "{}", setting.key);
        assert_eq!(by_env.config, by_flag.config, "{}", setting.key);
        assert_eq!(by_env.config, by_file.config, "{}", setting.key);
    }
}

fn in_toml(key: &str, text: &str) -> String {
    match text.split_once(": ") {
        Some((name, secret)) => format!("[{key}]\n{name} = \"{secret}\""),
        None => format!("{key} = '{text}'"),
    }
}

#[test]
fn f_4_every_default_reads_back_as_itself() {
    for setting in SETTINGS.iter().filter(|setting| setting.key != "data_dir") {
        let mut config = Config::default();
        let shown = (setting.show)(&config);
        (setting.assign)(&mut config, &shown).unwrap();
        assert_eq!(config, Config::default(), "{}", setting.key);
    }
}

#[test]
fn f_4_an_unknown_key_is_refused_with_the_nearest() {
    assert!(told(toml("[rtc]\nudp_prot = 1")).contains("did you mean \"rtc.udp_port\""));
    assert!(told(toml("single_port = 1")).contains("did you mean \"rtc.single_port\""));
    assert!(told(environment(&[("ODEON_RTC_UDP_PROT", "1")])).contains("did you mean \"ODEON_RTC_UDP_PORT\""));
}

#[test]
fn f_4_a_name_like_no_other_gets_no_misleading_suggestion() {
    assert!(!told(toml("zzz = 1")).contains("did you mean"));
}

#[test]
fn f_4_everything_that_is_wrong_is_told_at_once() {
    let told = told(toml("[rtc]\nudp_prot = 1\nshards = \"many\"\n[http]\nport = 70000"));
    assert_eq!(told.lines().count(), 3, "{told}");
}

#[test]
fn a_wrong_value_is_never_repeated_since_it_may_be_a_secret() {
    assert!(!told(environment(&[("ODEON_KEYS", "hush-hush")])).contains("hush"));
    assert!(!told(toml("[keys]\nAPIx = hush-hush")).contains("hush"));
}

#[test]
fn a_yaml_error_does_not_repeat_the_lines_around_it() {
    assert!(!told(yaml("keys:\n  APIx: hush-hush\n  - what")).contains("hush"));
}

#[test]
fn later_layers_win_and_say_so() {
    let sources = Sources {
        dev: true,
        body: Some("port: 1".into()),
        environment: vec![("ODEON_HTTP_PORT".into(), "2".into()), ("ODEON_RTC_SHARDS".into(), "3".into())],
        flags: vec![("http.port", "4".into())],
        ..Sources::default()
    };
    let loaded = load(&sources).unwrap();
    assert_eq!((loaded.config.http_port, loaded.config.rtc_shards), (4, 3));
    assert_eq!(loaded.place("http.port"), Place::Flag("http.port".into()));
    assert_eq!(loaded.place("rtc.loopback"), Place::Dev);
    assert_eq!(loaded.place("rtc.placement"), Place::Default);
}

// L-08, L-09: LiveKit's own yaml.
#[test]
fn l_09_livekits_yaml_is_read_where_it_means_the_same() {
    let text = "port: 7980\nbind_addresses: [127.0.0.1]\nkeys:\n  APIone: secret-one\nrtc:\n  udp_port: 7982\n  tcp_port: 7981\n  \
                node_ip: 192.0.2.7\nroom:\n  auto_create: false\n  empty_timeout: 100\n  departure_timeout: 7\n  \
                max_participants: 9\nlogging:\n  level: debug\n";
    let config = yaml(text).unwrap().config;
    assert_eq!((config.http_port, config.rtc_udp_port, config.rtc_tcp_port), (7980, 7982, 7981));
    assert_eq!(config.keys.0["APIone"], "secret-one");
    assert_eq!(config.rtc_node_ip.0, ["192.0.2.7".parse::<std::net::IpAddr>().unwrap()]);
    assert_eq!(config.room_empty_timeout, Duration::from_secs(100));
    assert_eq!(config.room_departure_timeout, Duration::from_secs(7));
    assert_eq!((config.room_auto_create, config.room_max_participants), (false, 9));
    assert_eq!(config.log_level.0, "debug");
}

// L-09: the ports that LiveKit's documents name, where nobody says otherwise.
#[test]
fn l_09_the_ports_are_livekits_own() {
    let config = Config::default();
    assert_eq!((config.http_port, config.rtc_tcp_port, config.rtc_udp_port), (7880, 7881, 7882));
}

#[test]
fn l_39_l_70_livekits_limits_and_playout_delay_are_read() {
    let text = "room:\n  playout_delay:\n    enabled: true\n    min: 200\n    max: 900\nlimit:\n  num_tracks: 500\n  \
                bytes_per_sec: 1000000\n";
    let config = yaml(text).unwrap().config;
    assert_eq!((config.limits_tracks, config.limits_bytes_per_second), (500, 1_000_000));
    let registry = crate::plan::registry(&config, false);
    assert_eq!((registry.max_tracks, registry.max_bytes_per_s), (500, 1_000_000));
    assert_eq!(registry.room.playout_delay, Some(room::media::PlayoutDelay::new(200, 900)));
    assert_eq!(crate::plan::registry(&Config::default(), false).room.playout_delay, None);
}

// L-09: which address clients are told, by LiveKit's own names.
#[test]
fn l_09_livekits_address_settings_are_read() {
    let text = "rtc:\n  use_external_ip: true\n  external_ip_only: true\n  stun_servers:\n    - stun.example:3478\n  \
                interfaces:\n    includes: [en0]\n    excludes: [docker0]\n  ips:\n    includes: [10.0.0.0/16]\n    \
                excludes: [192.168.1.0/24]\n";
    let config = yaml(text).unwrap().config;
    assert!(config.rtc_use_external_ip && config.rtc_external_ip_only);
    assert_eq!(config.rtc_stun_servers.0, ["stun.example:3478"]);
    assert_eq!(
        (config.rtc_interfaces_includes.0, config.rtc_interfaces_excludes.0),
        (vec!["en0".into()], vec!["docker0".into()])
    );
    assert_eq!(
        (config.rtc_ips_includes.show(), config.rtc_ips_excludes.show()),
        ("10.0.0.0/16".into(), "192.168.1.0/24".into())
    );
}

#[test]
fn l_09_livekits_environment_is_read_and_ours_wins_over_it() {
    let theirs = environment(&[("LIVEKIT_KEYS", "APIone: secret-one"), ("UDP_PORT", "7999")]).unwrap().config;
    assert_eq!((theirs.keys.0.len(), theirs.rtc_udp_port), (1, 7999));
    let ours = environment(&[("ODEON_RTC_UDP_PORT", "8000"), ("UDP_PORT", "7999")]).unwrap().config;
    assert_eq!(ours.rtc_udp_port, 8000);
}

#[test]
fn what_livekit_has_and_we_have_not_is_refused_with_what_to_do() {
    assert!(told(yaml("redis:\n  address: localhost:6379")).contains("later version"));
    assert!(told(yaml("rtc:\n  turn_servers: []")).contains("turn.enabled"));
}

#[test]
fn a_secret_of_digits_has_to_be_quoted_lest_it_lose_some() {
    assert!(told(yaml("keys:\n  APIone: 12345678901234567890123456789012")).contains("quotes"));
}

#[test]
fn variables_that_kubernetes_writes_are_none_of_ours() {
    let theirs =
        [("ODEON_SERVICE_HOST", "10.0.0.1"), ("ODEON_PORT", "tcp://10.0.0.1:7880"), ("ODEON_PORT_7880_TCP", "x")];
    assert!(environment(&theirs).is_ok());
}

#[test]
fn an_empty_file_is_fine_and_one_that_is_not_there_is_told() {
    assert!(toml("").is_ok());
    let missing = Sources { file: Some("no-such.toml".into()), ..Sources::default() };
    assert!(told(load(&missing)).contains("no-such.toml"));
}

#[test]
fn explain_masks_secrets_and_tells_where_a_value_came_from() {
    let loaded = environment(&[("ODEON_KEYS", "APIone: hush")]).unwrap();
    let text = explain(&loaded, Some("keys")).unwrap();
    assert!(text.contains("APIone") && text.contains("ODEON_KEYS") && !text.contains("hush"), "{text}");
}

#[test]
fn explain_suggests_the_nearest_key() {
    let loaded = load(&Sources::default()).unwrap();
    assert!(explain(&loaded, Some("rtc.shard")).unwrap_err().contains("rtc.shards"));
}

#[test]
fn dev_is_reachable_from_this_machine_only() {
    let config = load(&Sources { dev: true, ..Sources::default() }).unwrap().config;
    let addresses = config.http_bind.0.iter().chain(&config.tls_bind.0).chain(&config.rtc_bind);
    assert!(addresses.clone().count() == 5 && addresses.clone().all(std::net::IpAddr::is_loopback));
}
