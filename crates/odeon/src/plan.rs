//! What the settings mean to each part: the only place that knows both.

use crate::config::{Config, Undeclared};
use auth::external::Issuer;
use auth::origin::WebOrigin;
use auth::{KeyStore, Secret};
use gateway::GatewayConfig;
use gateway::castaway::limits::MAX_PACKET_BYTES;
use gateway::castaway::{CastawayConfig, KeySource, OutsideIssuer};
use gateway::elektron::{BusConfig, BusLimits, MAX_FRAME_BYTES};
use gateway::livekit::LiveKitData;
use gateway::outbound::{Outbound, Policy};
use gateway::rooms::{Access, RegistryConfig};
use gateway::schedule::ScheduleConfig;
use gateway::webhooks::WebhookConfig;
use net::pool::{MAX_SHARDS, PoolConfig};
use net::turn::TurnConfig;
use room::RoomConfig;
use room::limits::{MAX_ATTRIBUTES_BYTES, MAX_METADATA_BYTES, MAX_NAME_BYTES, RoomLimits};
use room::media::PlayoutDelay;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};
use std::num::NonZero;
use std::path::Path;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;
use store::Retention;

/// The media plane's. `advertise` is what clients are told instead of the machine's own addresses, if anything; `turn` is the
/// relay, if there is to be one ([`crate::relay`]).
pub fn pool(config: &Config, advertise: Vec<IpAddr>, turn: Option<TurnConfig>) -> PoolConfig {
    PoolConfig {
        shards: shards(config.rtc_shards),
        bind: media_bind(config),
        udp_port: config.rtc_udp_port,
        single_port: config.rtc_single_port,
        tcp_port: (config.rtc_tcp_port != 0).then_some(config.rtc_tcp_port),
        turn,
        advertise,
        loopback: config.rtc_loopback,
        placement: config.rtc_placement,
        congestion_control: config.rtc_congestion_control,
    }
}

/// The address that media listens on.
pub fn media_bind(config: &Config) -> IpAddr {
    config.rtc_bind.unwrap_or_else(all_addresses)
}

/// Media threads. 0: one for each core.
pub fn shards(configured: u16) -> u16 {
    let cores = || available_parallelism().map_or(1, NonZero::get);
    if configured > 0 { configured } else { u16::try_from(cores()).map_or(MAX_SHARDS, |cores| cores.min(MAX_SHARDS)) }
}

// The IPv6 wildcard takes IPv4 too, where there is IPv6 at all.
fn all_addresses() -> IpAddr {
    let v6 = IpAddr::V6(Ipv6Addr::UNSPECIFIED);
    if UdpSocket::bind((v6, 0)).is_ok() { v6 } else { IpAddr::V4(Ipv4Addr::UNSPECIFIED) }
}

/// Whom a certificate of our own is for: every name and address by which somebody in the same network could come.
pub fn certificate_names(config: &Config) -> Vec<String> {
    let mut names = vec!["localhost".to_owned()];
    let public = config.http_public_url.0.parse::<http::Uri>().ok();
    names.extend(public.as_ref().and_then(http::Uri::host).map(|host| host.trim_matches(['[', ']']).to_owned()));
    let addresses = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
    let addresses = addresses.into_iter().chain(net::addresses::interface_addresses());
    names.extend(addresses.chain(config.rtc_node_ip.0.iter().copied()).map(|address: IpAddr| address.to_string()));
    let mut seen = std::collections::BTreeSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names
}

/// The rooms'. In `--dev` every room is open.
pub fn registry(config: &Config, dev: bool) -> RegistryConfig {
    let open = config.rooms_open.0.iter().map(|name| (name.clone(), Access::Open));
    let token = config.rooms_token.0.iter().map(|name| (name.clone(), Access::Token));
    RegistryConfig {
        auto_create: config.room_auto_create,
        undeclared: match config.rooms_undeclared {
            Undeclared::Open => Access::Open,
            Undeclared::Token => Access::Token,
        },
        all_open: dev,
        chat_dialect: Arc::new(LiveKitData),
        // The stricter one wins: it comes last.
        declared: open.chain(token).collect(),
        room: RoomConfig {
            empty_timeout_s: seconds(config.room_empty_timeout),
            departure_timeout_s: seconds(config.room_departure_timeout),
            max_participants: config.room_max_participants,
            enabled_codecs: config.room_enabled_codecs.0.clone(),
            enable_remote_unmute: config.room_enable_remote_unmute,
            sync_streams: config.room_sync_streams,
            playout_delay: playout_delay(config),
            limits: room_limits(config),
            ..RoomConfig::default()
        },
        chat: RegistryConfig::default().chat,
        max_room_name_bytes: at_most(config.limits_room_name_length, MAX_NAME_BYTES),
        max_rooms: usize::try_from(config.limits_rooms).unwrap_or(usize::MAX),
        max_tracks: config.limits_tracks.into(),
        max_bytes_per_s: config.limits_bytes_per_second.into(),
    }
}

fn playout_delay(config: &Config) -> Option<PlayoutDelay> {
    let told = || PlayoutDelay::new(config.room_playout_delay_min, config.room_playout_delay_max);
    config.room_playout_delay_enabled.then(told)
}

fn room_limits(config: &Config) -> RoomLimits {
    RoomLimits {
        identity_bytes: at_most(config.limits_identity_length, MAX_NAME_BYTES),
        name_bytes: at_most(config.limits_name_length, MAX_NAME_BYTES),
        metadata_bytes: at_most(config.limits_metadata_size, MAX_METADATA_BYTES),
        attributes_bytes: at_most(config.limits_attributes_size, MAX_ATTRIBUTES_BYTES),
        audio_subscriptions: config.limits_subscriptions_audio,
        video_subscriptions: config.limits_subscriptions_video,
    }
}

// The house's own limits stand, whatever the settings say.
fn at_most(configured: u32, max: usize) -> usize {
    usize::try_from(configured).map_or(max, |configured| configured.min(max))
}

// Whole seconds, as LiveKit's API says them; a fraction counts as one more, lest "500ms" mean "at once".
fn seconds(time: Duration) -> u32 {
    let whole = time.as_secs() + u64::from(time.subsec_nanos() > 0);
    u32::try_from(whole).unwrap_or(u32::MAX)
}

/// The gateways'.
pub fn gateway(config: &Config, dev: bool, node_id: &str) -> GatewayConfig {
    GatewayConfig {
        node_id: node_id.to_owned(),
        simulate: dev || config.rtc_simulate,
        presets: config.room_configurations.0.clone(),
        origins: WebOrigin::parse(&config.http_public_url.0).into_iter().collect(),
        bus: bus(config),
        schedule: schedule(config, dev),
        ..GatewayConfig::default()
    }
}

/// The bus's.
fn bus(config: &Config) -> BusConfig {
    let count = |setting: u32| usize::try_from(setting).unwrap_or(usize::MAX);
    let secret = Some(config.messages_secret.0.as_str()).filter(|secret| !secret.is_empty());
    BusConfig {
        limits: BusLimits {
            users_in_room: count(config.bus_users_per_room),
            visible_users: count(config.bus_visible_users),
        },
        secret: secret.map(Secret::new),
        frame_bytes: at_most(config.bus_frame_size, MAX_FRAME_BYTES),
        messages_per_s: config.bus_messages_per_second,
        kept: Retention {
            entries: config.bus_stored_messages.into(),
            bytes: config.bus_stored_bytes.into(),
            family_bytes: config.bus_stored_bytes_in_all.into(),
        },
        max_rooms: count(config.limits_rooms),
        ..BusConfig::default()
    }
}

/// Castaway's; it keeps sound and pictures in a folder of its own in `data_dir`.
pub fn castaway(config: &Config, dev: bool, data_dir: &Path) -> Result<CastawayConfig, HalfAnIssuer> {
    let account = Some(config.castaway_account_size).filter(|size| *size > 0);
    Ok(CastawayConfig {
        dir: Some(data_dir.join("castaway")),
        kept_bytes: u64::from(config.castaway_storage_size) << 20,
        account_bytes: account.map(|size| u64::from(size) << 20),
        record: config.castaway_record,
        packet_bytes: at_most(config.castaway_packet_size, MAX_PACKET_BYTES),
        ffmpeg: config.castaway_ffmpeg.clone(),
        public_url: config.http_public_url.0.clone(),
        outside: outside_issuer(config, dev)?,
        ..CastawayConfig::default()
    })
}

fn outside_issuer(config: &Config, dev: bool) -> Result<Option<OutsideIssuer>, HalfAnIssuer> {
    let (issuer, audience, jwks) = (&config.castaway_issuer, &config.castaway_audience, &config.castaway_jwks);
    if [issuer, audience, jwks].iter().all(|setting| setting.is_empty()) {
        return Ok(None);
    }
    let is_plain_http = jwks.starts_with("http://");
    if [issuer, audience, jwks].iter().any(|setting| setting.is_empty()) || (is_plain_http && !dev) {
        return Err(HalfAnIssuer);
    }
    let keys = match jwks.starts_with("https://") || is_plain_http {
        true => KeySource::Url(jwks.clone(), Outbound::of_this_machine(outbound(config, dev))),
        false => KeySource::File(jwks.into()),
    };
    let issuer = Issuer { issuer: issuer.clone(), audience: audience.clone() };
    Ok(Some(OutsideIssuer { issuer, keys }))
}

/// An issuer's tokens can't be checked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "castaway.issuer, castaway.audience and castaway.jwks (a file or an https URL) belong together: name all of them or none"
)]
pub struct HalfAnIssuer;

/// The schedule's. Its peers are judged by themselves: whom webhooks may reach is no matter of calendars.
fn schedule(config: &Config, dev: bool) -> ScheduleConfig {
    let allowed = config.schedule_allow_private.0.clone();
    let policy = if dev { Policy::everybody() } else { Policy::allowing(allowed) };
    let sources = config.schedule_sources.0.clone();
    ScheduleConfig {
        zone: config.schedule_time_zone.0,
        // The machine's certificates are read only if somebody is to be asked.
        outbound: (!sources.is_empty()).then(|| Outbound::of_this_machine(policy)),
        sources,
        refresh: config.schedule_refresh,
    }
}

/// The webhooks': where to, and signed by whom (L-57).
pub fn webhooks(config: &Config, keys: &KeyStore) -> Result<WebhookConfig, UnknownKey> {
    let named = Some(config.webhook_api_key.as_str()).filter(|key| !key.is_empty());
    let key = named.or_else(|| keys.primary().map(|(key, _)| key)).unwrap_or_default();
    if keys.secret(key).is_none() && !config.webhook_urls.0.is_empty() {
        return Err(UnknownKey);
    }
    Ok(WebhookConfig { urls: config.webhook_urls.0.clone(), api_key: key.to_owned() })
}

/// Webhooks can't be signed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("webhook.api_key is not one of the API keys: name one of `keys`, or leave it out to take the first")]
pub struct UnknownKey;

/// Who may be connected to. In `--dev`, where everything is on one machine, everybody.
pub fn outbound(config: &Config, dev: bool) -> Policy {
    if dev { Policy::everybody() } else { Policy::allowing(config.webhook_allow_private.0.clone()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Sources, load};
    use auth::key::Strength;

    // L-57: api_key.
    #[test]
    fn l_57_webhooks_are_signed_by_the_named_key_or_the_first() {
        let mut keys = KeyStore::new();
        for key in ["first", "second"] {
            keys.add(key, Secret::new("s".repeat(32)), Strength::Required).unwrap();
        }
        let urls = ("webhook.urls", "https://venue.example/hook");
        assert_eq!(webhooks(&config(&[urls]), &keys).unwrap().api_key, "first");
        assert_eq!(webhooks(&config(&[urls, ("webhook.api_key", "second")]), &keys).unwrap().api_key, "second");
        assert_eq!(webhooks(&config(&[urls, ("webhook.api_key", "third")]), &keys).unwrap_err(), UnknownKey);
    }

    fn config(flags: &[(&'static str, &str)]) -> Config {
        let flags = flags.iter().map(|(key, text)| (*key, (*text).to_owned())).collect();
        load(&Sources { flags, ..Sources::default() }).unwrap().config
    }

    #[test]
    fn a_shard_for_each_core_unless_told_otherwise() {
        assert!((1..=MAX_SHARDS).contains(&pool(&config(&[]), Vec::new(), None).shards));
        assert_eq!(pool(&config(&[("rtc.shards", "3")]), Vec::new(), None).shards, 3);
    }

    #[test]
    fn our_own_certificate_is_for_every_name_that_leads_here() {
        let config = config(&[("http.public_url", "https://venue.example:8443"), ("rtc.node_ip", "203.0.113.5")]);
        let names = certificate_names(&config);
        for name in ["localhost", "127.0.0.1", "::1", "venue.example", "203.0.113.5"] {
            assert_eq!(names.iter().filter(|found| *found == name).count(), 1, "{name} in {names:?}");
        }
    }

    // L-09: --node-ip.
    #[tokio::test]
    async fn l_09_the_nodes_address_is_what_clients_are_told() {
        let config = config(&[("rtc.node_ip", "203.0.113.5")]);
        let told = pool(&config, crate::candidates::advertised(&config).await, None).advertise;
        assert_eq!(told, ["203.0.113.5".parse::<IpAddr>().unwrap()]);
    }

    #[test]
    fn a_room_in_both_lists_is_for_token_holders() {
        let config = config(&[("rooms.open", "foyer,stage"), ("rooms.token", "stage")]);
        let declared = registry(&config, false).declared;
        assert_eq!((declared["foyer"], declared["stage"]), (Access::Open, Access::Token));
    }

    // E-14: no secret, nothing opens.
    #[test]
    fn e_14_the_bus_has_a_secret_only_if_one_is_set_and_no_frame_is_over_the_houses_limit() {
        assert_eq!(bus(&config(&[])).secret, None);
        assert_eq!(bus(&config(&[("messages_secret", " ")])).secret, None);
        let set = bus(&config(&[("messages_secret", "open sesame"), ("bus.frame_size", "99999999")]));
        assert!(set.secret.is_some_and(|secret| secret.is("open sesame")));
        assert_eq!(set.frame_bytes, MAX_FRAME_BYTES);
    }

    #[test]
    fn dev_opens_every_room_and_nothing_else_does() {
        assert!(registry(&config(&[]), true).all_open && !registry(&config(&[]), false).all_open);
    }

    #[test]
    fn c_22_an_account_keeps_no_more_than_its_setting_says_and_0_is_no_bound() {
        let bound = |size| castaway(&config(&[("castaway.account_size", size)]), false, Path::new("data")).unwrap();
        assert_eq!((bound("3").account_bytes, bound("0").account_bytes), (Some(3 << 20), None));
    }

    #[test]
    fn an_outside_issuer_is_named_whole_and_its_keys_come_by_https_or_from_a_file() {
        let dir = Path::new("data");
        let issuer =
            |jwks| config(&[("castaway.issuer", "https://i"), ("castaway.audience", "us"), ("castaway.jwks", jwks)]);
        assert!(castaway(&config(&[]), false, dir).unwrap().outside.is_none());
        assert!(castaway(&config(&[("castaway.issuer", "https://i")]), false, dir).is_err());
        assert!(castaway(&issuer("http://i/jwks"), false, dir).is_err());
        let keys = |config: &Config| castaway(config, false, dir).unwrap().outside.unwrap().keys;
        assert!(matches!(keys(&issuer("https://i/jwks")), KeySource::Url(..)));
        assert!(matches!(keys(&issuer("/etc/jwks.json")), KeySource::File(_)));
    }

    // L-14: departure_timeout, empty_timeout.
    #[test]
    fn l_14_a_rooms_timeouts_are_whole_seconds_and_never_less_than_asked() {
        let config = config(&[("room.empty_timeout", "1500ms"), ("room.departure_timeout", "0")]);
        let room = registry(&config, false).room;
        assert_eq!((room.empty_timeout_s, room.departure_timeout_s), (2, 0));
    }
}
