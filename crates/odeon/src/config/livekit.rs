//! LiveKit's settings that have no counterpart here, each with what to do instead: who brings a LiveKit file along is told
//! more than "unknown".

/// (name or section, what to do).
const FOREIGN: &[(&str, &str)] = &[
    ("rtc.port_range_start", "media takes one UDP port a shard, from rtc.udp_port on; remove it"),
    ("rtc.port_range_end", "media takes one UDP port a shard, from rtc.udp_port on; remove it"),
    ("rtc.turn_servers", "clients are told of the built-in relay (turn.enabled) and of no other; remove it"),
    ("rtc.use_ice_lite", "the server is always ICE-lite; remove it"),
    ("logging", "use log.level and log.format"),
    ("redis", "several nodes come with a later version; remove it"),
    ("turn.bind_addresses", "the relay listens on rtc.bind; remove it"),
    ("turn.ttl_seconds", "logins last 300 s; remove it"),
    ("webhook.url_notifier", "the queue of a webhook has no settings; remove it"),
    ("webhook.resource_url_notifier", "the queue of a webhook has no settings; remove it"),
    ("webhook.filter_params", "every event is sent; remove it"),
    ("ingress", "streams come with a later version; remove it"),
    ("sip", "there is no telephony; remove it"),
    ("prometheus", "/metrics is on http.port, for loopback and operators; remove it"),
    ("prometheus_port", "/metrics is on http.port, for loopback and operators; remove it"),
    ("development", "use --dev"),
    ("key_file", "put the keys under keys, or into ODEON_KEYS"),
    ("region", "several nodes come with a later version; remove it"),
    ("node_selector", "several nodes come with a later version; remove it"),
    ("limit", "see the settings under limits"),
    ("audio", "speaker detection has no settings; remove it"),
    ("video", "video has no settings; remove it"),
    ("agents", "agents have no settings; remove it"),
];

/// What to do about a name of LiveKit's, or about one below a section of LiveKit's.
pub(super) fn hint(name: &str) -> Option<&'static str> {
    let below = |section: &str| name.strip_prefix(section).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    FOREIGN.iter().find(|(section, _)| below(section)).map(|(_, hint)| *hint)
}
