//! The table of settings. A row is: description (with its unit), key, field: type = default, when a change takes effect,
//! LiveKit's names that mean the same.

use super::names::{Domains, Email, HostName, Servers, Url, Words};
use super::presets::RoomPresets;
use super::setting::{Effect, Setting, settings};
use super::urls::{Peers, Urls};
use super::value::{Addresses, Codecs, Hidden, Keys, LogFormat, LogLevel, Networks, RoomNames, Undeclared, Value};
use super::zone::Zone;
use net::pool::Placement;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

settings! {
    /// TCP port of the page, the clients' WebSockets and the API. 0 draws a free one.
    "http.port" http_port: u16 = 7880, Restart, livekit ["port"];
    /// Addresses that HTTP listens on. Empty: all of the machine's.
    "http.bind" http_bind: Addresses = Addresses::default(), Restart, livekit ["bind_addresses", "--bind"];
    /// Reverse proxies whose X-Forwarded-For is believed. Anybody else's is ignored.
    "http.trusted_proxies" http_trusted_proxies: Networks = Networks::default(), Restart;
    /// Time that a client has to send a request's head, in seconds.
    "http.header_timeout" http_header_timeout: Duration = Duration::from_secs(10), Restart;
    /// The page's address as people type it, such as https://venue.example: for links when a proxy stands in front. Empty: taken from the address that HTTP listens on.
    "http.public_url" http_public_url: PublicUrl = PublicUrl::default(), Restart;
    /// TCP port of https, where the settings below say which certificate. 0 draws a free one.
    "tls.port" tls_port: u16 = 7443, Restart;
    /// Addresses that https listens on. Empty: all of the machine's.
    "tls.bind" tls_bind: Addresses = Addresses::default(), Restart;
    /// Certificate chain for https in a PEM file, the server's own first. Needs `tls.key_file`. It is read again when it changes, and on SIGHUP.
    "tls.cert_file" tls_cert_file: Option<PathBuf> = None, Restart;
    /// Private key of `tls.cert_file` in a PEM file.
    "tls.key_file" tls_key_file: Option<PathBuf> = None, Restart;
    /// A certificate for https that nobody vouches for, for a LAN: made at the first start and kept in the data folder.
    "tls.self_signed" tls_self_signed: bool = false, Restart;
    /// Domains for which an ACME authority is asked for a certificate. Port 443 of each has to lead to `tls.port`.
    "tls.acme.domains" tls_acme_domains: Domains = Domains::default(), Restart;
    /// Where the ACME authority writes to when something is wrong with a certificate. Empty: nowhere.
    "tls.acme.email" tls_acme_email: Email = Email::default(), Restart;
    /// The ACME authority: where its API begins.
    "tls.acme.directory_url" tls_acme_directory_url: Url = Url("https://acme-v02.api.letsencrypt.org/directory".to_owned()), Restart;
    /// Certificate in a PEM file that vouches for the ACME authority's own web server, where the system knows it not.
    "tls.acme.root_file" tls_acme_root_file: Option<PathBuf> = None, Restart;
    /// API keys and their secrets, which sign and check tokens. A secret has 32 bytes at least. Empty: one is drawn at the first start and kept in the data folder.
    "keys" keys: Keys = Keys::default(), Restart, livekit ["$LIVEKIT_KEYS"];
    /// UDP port of media. Shard i listens on this plus i, unless `rtc.single_port`. 0 draws free ones.
    "rtc.udp_port" rtc_udp_port: u16 = 7882, Restart, livekit ["--udp-port", "$UDP_PORT"];
    /// All shards on one UDP port, for a firewall that opens just one.
    "rtc.single_port" rtc_single_port: bool = false, Restart;
    /// TCP port of media, for networks that let no UDP through. 0: none.
    "rtc.tcp_port" rtc_tcp_port: u16 = 7881, Restart;
    /// The built-in relay (TURN) for clients behind firewalls. It reaches this server's media and nothing else.
    "turn.enabled" turn_enabled: bool = false, Restart;
    /// The relay's name, as its certificate has it. Without a name clients are told of no relay over TLS.
    "turn.domain" turn_domain: HostName = HostName::default(), Restart;
    /// UDP port of the relay. 443 is open in most networks. 0: none.
    "turn.udp_port" turn_udp_port: u16 = 3478, Restart;
    /// TCP port of the relay, for networks that let no UDP through. 0: none.
    "turn.tcp_port" turn_tcp_port: u16 = 3478, Restart;
    /// TLS port of the relay. It may be that of https, `tls.port`: clients are told apart. 0: none.
    "turn.tls_port" turn_tls_port: u16 = 5349, Restart;
    /// Somebody in front, such as a load balancer, ends TLS for the relay and is reached on port 443: `turn.tls_port` then takes plain TCP.
    "turn.external_tls" turn_external_tls: bool = false, Restart;
    /// Certificate chain for the relay in a PEM file. Empty: the one of https.
    "turn.cert_file" turn_cert_file: Option<PathBuf> = None, Restart;
    /// Private key of `turn.cert_file` in a PEM file.
    "turn.key_file" turn_key_file: Option<PathBuf> = None, Restart;
    /// First port of relayed addresses. They are names in this server: nothing listens on them, and no firewall has to open them.
    "turn.relay_range_start" turn_relay_range_start: u16 = 30_000, Restart;
    /// Last port of relayed addresses. Each client behind the relay takes one to four.
    "turn.relay_range_end" turn_relay_range_end: u16 = 40_000, Restart;
    /// Address that media listens on. Empty: all of the machine's.
    "rtc.bind" rtc_bind: Option<IpAddr> = None, Restart;
    /// Public addresses that clients are told instead of the machine's own, where it stands behind NAT.
    "rtc.node_ip" rtc_node_ip: Addresses = Addresses::default(), Restart, livekit ["--node-ip", "$NODE_IP"];
    /// Ask STUN servers how the world sees this machine, and tell clients that address too. For machines behind a NAT that leads the ports here (most clouds).
    "rtc.use_external_ip" rtc_use_external_ip: bool = false, Restart;
    /// Tell clients only the address that STUN servers see, and not the machine's own.
    "rtc.external_ip_only" rtc_external_ip_only: bool = false, Restart;
    /// STUN servers that are asked for the external address, all at once, each as host:port; the first answer counts.
    "rtc.stun_servers" rtc_stun_servers: Servers = Servers::of(&["stun.l.google.com:19302", "global.stun.twilio.com:3478"]), Restart;
    /// Interfaces whose addresses alone clients are told. Empty: all.
    "rtc.interfaces.includes" rtc_interfaces_includes: Words = Words::default(), Restart;
    /// Interfaces whose addresses clients are not told, such as docker0.
    "rtc.interfaces.excludes" rtc_interfaces_excludes: Words = Words::default(), Restart;
    /// Address blocks of which alone clients are told addresses. Empty: all.
    "rtc.ips.includes" rtc_ips_includes: Networks = Networks::default(), Restart;
    /// Address blocks of which clients are told no addresses.
    "rtc.ips.excludes" rtc_ips_excludes: Networks = Networks::default(), Restart;
    /// Media threads, each with a UDP socket of its own. 0: one for each core.
    "rtc.shards" rtc_shards: u16 = 0, Restart;
    /// Estimate what each subscriber's network carries, and send the layers that fit. Off: everybody gets what they ask for.
    "rtc.congestion_control" rtc_congestion_control: bool = true, Restart;
    /// Which shard a newcomer goes to: the least loaded, or each in turn.
    "rtc.placement" rtc_placement: Placement = Placement::LeastLoaded, Restart;
    /// Offer clients loopback addresses too, for those on the same machine.
    "rtc.loopback" rtc_loopback: bool = false, Restart, livekit ["rtc.enable_loopback_candidate"];
    /// Clients may ask for faults, such as a lost connection, to test themselves. Always on with --dev.
    "rtc.simulate" rtc_simulate: bool = false, Restart;
    /// Access of rooms that nobody has declared: open to everybody, or to token holders only.
    "rooms.undeclared" rooms_undeclared: Undeclared = Undeclared::Open, Restart;
    /// Rooms that are open to everybody, whoever joins.
    "rooms.open" rooms_open: RoomNames = RoomNames::default(), Restart;
    /// Rooms that are for token holders only. A room that is named in both lists is one of these.
    "rooms.token" rooms_token: RoomNames = RoomNames::default(), Restart;
    /// A room begins with the first who joins. Off: only rooms that the API made can be joined.
    "room.auto_create" room_auto_create: bool = true, Restart;
    /// Time until a room ends that nobody ever joined, in seconds.
    "room.empty_timeout" room_empty_timeout: Duration = Duration::from_secs(300), Restart;
    /// Time until a room ends after the last has left, in seconds.
    "room.departure_timeout" room_departure_timeout: Duration = Duration::from_secs(20), Restart;
    /// Codecs that may be published: video/VP8, video/H264, video/VP9, video/AV1, audio/opus, audio/red. An offer of others is answered without them.
    "room.enabled_codecs" room_enabled_codecs: Codecs = Codecs::default(), Restart;
    /// Participants in a room at most. 0: no limit.
    "room.max_participants" room_max_participants: u32 = 0, Restart;
    /// The server API may unmute a participant's track, not only mute it.
    "room.enable_remote_unmute" room_enable_remote_unmute: bool = false, Restart;
    /// Put each participant's camera and microphone into one stream, so that players keep them in step.
    "room.sync_streams" room_sync_streams: bool = false, Restart;
    /// Players hold pictures back as the next two say, so that all show them at the same time.
    "room.playout_delay.enabled" room_playout_delay_enabled: bool = false, Restart;
    /// How long players hold pictures back at least, in milliseconds, up to 40950.
    "room.playout_delay.min" room_playout_delay_min: u32 = 100, Restart;
    /// How long players hold pictures back at most, in milliseconds, up to 40950. 0: as long as they like.
    "room.playout_delay.max" room_playout_delay_max: u32 = 2_000, Restart;
    /// Configurations of rooms that CreateRoom (room_preset) and tokens (roomPreset) may name, each as LiveKit's RoomConfiguration.
    "room.room_configurations" room_configurations: RoomPresets = RoomPresets::default(), Restart;
    /// Video tracks that one participant receives at a time at most. 0: no limit.
    "limits.subscriptions_video" limits_subscriptions_video: u32 = 0, Restart, livekit ["limit.subscription_limit_video"];
    /// Audio tracks that one participant receives at a time at most. 0: no limit.
    "limits.subscriptions_audio" limits_subscriptions_audio: u32 = 0, Restart, livekit ["limit.subscription_limit_audio"];
    /// Bytes of a participant's or a room's metadata at most, up to 524288.
    "limits.metadata_size" limits_metadata_size: u32 = 524_288, Restart, livekit ["limit.max_metadata_size"];
    /// Bytes of a participant's attributes at most, all keys and values together, up to 65536.
    "limits.attributes_size" limits_attributes_size: u32 = 65_536, Restart, livekit ["limit.max_attributes_size"];
    /// Bytes of a room's name at most, up to 256.
    "limits.room_name_length" limits_room_name_length: u32 = 256, Restart, livekit ["limit.max_room_name_length"];
    /// Bytes of a participant's identity at most, up to 256.
    "limits.identity_length" limits_identity_length: u32 = 256, Restart, livekit ["limit.max_participant_identity_length"];
    /// Bytes of a participant's name at most, up to 256.
    "limits.name_length" limits_name_length: u32 = 256, Restart, livekit ["limit.max_participant_name_length"];
    /// Rooms at a time at most.
    "limits.rooms" limits_rooms: u32 = 10_000, Restart;
    /// Tracks at a time, counted where they come in and once for each receiver, above which newcomers get 503. 0: no limit.
    "limits.tracks" limits_tracks: u32 = 0, Restart, livekit ["limit.num_tracks"];
    /// Bytes of media in a second, in and out together, above which newcomers get 503. 0: no limit.
    "limits.bytes_per_second" limits_bytes_per_second: u32 = 0, Restart, livekit ["limit.bytes_per_sec"];
    /// HTTP connections at a time at most, WebSockets counted in. Above that newcomers get 503.
    "limits.http_connections" limits_http_connections: u32 = 20_000, Restart;
    /// Where backends are told what happens in rooms: http or https URLs, each gets every event (a comma in one is written %2C).
    "webhook.urls" webhook_urls: Urls = Urls::default(), Restart;
    /// API key that webhooks are signed with. Empty: the first of the keys.
    "webhook.api_key" webhook_api_key: String = String::new(), Restart;
    /// Peers of webhooks that may be inside your network or on this machine, as host:port and named as in the URL. All others have to be on the open internet.
    "webhook.allow_private" webhook_allow_private: Peers = Peers::default(), Restart;
    /// Secret that opens the bus's stored messages (/messages) and its video webhook (/webhooks/video). Empty: nothing opens them.
    "messages_secret" messages_secret: Hidden = Hidden::default(), Restart;
    /// Bytes of a message on the bus at most, up to 1048576.
    "bus.frame_size" bus_frame_size: u32 = 1_048_576, Restart;
    /// Messages that one socket of the bus may send in a second, sustained; bursts of five seconds' worth pass.
    "bus.messages_per_second" bus_messages_per_second: u32 = 60, Restart;
    /// Users of the bus in one room at most.
    "bus.users_per_room" bus_users_per_room: u32 = 1_000, Restart;
    /// Users of the bus in one room whom clients of other gateways are shown, the first who joined.
    "bus.visible_users" bus_visible_users: u32 = 200, Restart;
    /// Messages that the bus stores for one room at most. The oldest go.
    "bus.stored_messages" bus_stored_messages: u32 = 10_000, Restart;
    /// Bytes of messages that the bus stores for one room at most. The oldest go.
    "bus.stored_bytes" bus_stored_bytes: u32 = 4_194_304, Restart;
    /// Bytes of messages that the bus stores for all rooms together. The oldest go.
    "bus.stored_bytes_in_all" bus_stored_bytes_in_all: u32 = 67_108_864, Restart;
    /// TCP port set aside for Castaway's clients, which expect 3000; they come to `http.port` too. 0: none.
    "castaway.port" castaway_port: u16 = 0, Restart;
    /// Bytes of a piece of sound that a Castaway streamer sends at most, up to 8388608.
    "castaway.packet_size" castaway_packet_size: u32 = 1_000_000, Restart;
    /// Keep what Castaway's streamers send as podcasts.
    "castaway.record" castaway_record: bool = true, Restart;
    /// Mebibytes of recordings and uploads at most, all together.
    "castaway.storage_size" castaway_storage_size: u32 = 10_240, Restart;
    /// Mebibytes of recordings and uploads of one account at most. 0: as many as there is place for.
    "castaway.account_size" castaway_account_size: u32 = 1_024, Restart;
    /// The ffmpeg that joins recordings of mp4, webm, ogg and wav, by its path or name. mp3 and AAC need none.
    "castaway.ffmpeg" castaway_ffmpeg: PathBuf = PathBuf::from("ffmpeg"), Restart;
    /// Issuer (iss) whose ID tokens Castaway takes beside our own, such as https://securetoken.google.com/PROJECT. Empty: nobody's. Needs `castaway.audience` and `castaway.jwks`.
    "castaway.issuer" castaway_issuer: String = String::new(), Restart;
    /// Audience (aud) that the issuer's ID tokens are made out to.
    "castaway.audience" castaway_audience: String = String::new(), Restart;
    /// The issuer's public keys, a JWK Set: a file, or an https URL, which is asked again as its answer's Cache-Control says.
    "castaway.jwks" castaway_jwks: String = String::new(), Restart;
    /// Time zone of the venue, such as Europe/Tallinn: for events that name none, and for whole days.
    "schedule.time_zone" schedule_time_zone: Zone = Zone::default(), Restart;
    /// Calendars of others that the schedule shows: http or https URLs of iCalendar files, or of events as Google Calendar v3 lists them (a comma in one is written %2C). The first 16 count.
    "schedule.sources" schedule_sources: Urls = Urls::default(), Restart;
    /// How often the calendars of others are asked for, in seconds.
    "schedule.refresh" schedule_refresh: Duration = Duration::from_secs(300), Restart;
    /// Peers of `schedule.sources` that may be inside your network or on this machine, as host:port and named as in the URL. All others have to be on the open internet.
    "schedule.allow_private" schedule_allow_private: Peers = Peers::default(), Restart;
    /// Format of log lines: text on a terminal and JSON otherwise (auto), or always one of them.
    "log.format" log_format: LogFormat = LogFormat::Auto, Restart;
    /// Which log lines are written: a level, or levels for parts of the program.
    "log.level" log_level: LogLevel = LogLevel("info".to_owned()), Live, livekit ["logging.level"];
    /// The one folder where everything is kept that Odeon writes.
    "data_dir" data_dir: PathBuf = PathBuf::from("odeon-data"), Restart;
    /// How long rooms live on after SIGTERM, in seconds. Nobody new gets in meanwhile.
    "drain_timeout" drain_timeout: Duration = Duration::from_secs(600), Live;
}

/// An http or https origin, or nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PublicUrl(pub String);

impl Value for PublicUrl {
    const KIND: &'static str = "an address such as https://venue.example, without a path";
    fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim().trim_end_matches('/');
        if text.is_empty() || auth::origin::WebOrigin::parse(text).is_some() {
            Ok(Self(text.to_owned()))
        } else {
            Err(format!("expected {}", Self::KIND))
        }
    }
    fn show(&self) -> String {
        self.0.clone()
    }
}
