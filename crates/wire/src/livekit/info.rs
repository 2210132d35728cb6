//! Rooms, participants and tracks as LiveKit writes them.

use super::{data_track, proto};
use room::Origin;
use room::effect::RoomInfo;
use room::participant::{ClientInfo, Participant};
use room::permission::Permission;
use room::track::{Layer, Track, TrackCodec, TrackKind};

/// Codecs that may be published.
pub const ENABLED_CODECS: [&str; 6] = ["video/VP8", "video/H264", "video/VP9", "video/AV1", "audio/opus", "audio/red"];

/// [`ENABLED_CODECS`] on the wire.
pub fn enabled_codecs() -> Vec<proto::Codec> {
    let codec = |mime: &str| proto::Codec { mime: mime.to_owned(), fmtp_line: String::new() };
    ENABLED_CODECS.into_iter().map(codec).collect()
}

/// A room. `turn_password`, which the reference leaks, stays empty.
pub fn room(info: &RoomInfo) -> proto::Room {
    proto::Room {
        sid: info.sid.to_string(),
        name: info.name.clone(),
        empty_timeout: info.empty_timeout_s,
        departure_timeout: info.departure_timeout_s,
        max_participants: info.max_participants,
        creation_time: info.created_at_ms / 1000,
        creation_time_ms: info.created_at_ms,
        turn_password: String::new(),
        enabled_codecs: enabled_codecs(),
        metadata: info.metadata.clone(),
        num_participants: info.num_participants,
        num_publishers: info.num_publishers,
        active_recording: info.active_recording,
        version: None,
    }
}

/// A participant, as clients with tokens see it: those of other origins have their prefix.
pub fn participant(who: &Participant) -> proto::ParticipantInfo {
    proto::ParticipantInfo {
        sid: who.sid.to_string(),
        identity: who.identity.seen_from(Origin::Token).to_string(),
        state: who.state as i32,
        tracks: who.tracks.iter().map(|published| track(published)).collect(),
        metadata: who.metadata.clone(),
        joined_at: who.joined_at_ms / 1000,
        joined_at_ms: who.joined_at_ms,
        name: who.name.clone(),
        version: who.version,
        permission: Some(permission(&who.permission)),
        region: who.region.clone(),
        is_publisher: who.is_publisher,
        kind: who.kind as i32,
        attributes: who.attributes.clone().into_iter().collect(),
        disconnect_reason: who.disconnect_reason.map_or(0, |reason| reason as i32),
        kind_details: Vec::new(),
        data_tracks: who.data_tracks.iter().map(|track| data_track::info(track)).collect(),
        client_protocol: who.client.client_protocol,
        capabilities: who.client.capabilities.clone(),
    }
}

/// What it may.
#[allow(deprecated)] // older clients read `recorder` and `agent` here
pub fn permission(permission: &Permission) -> proto::ParticipantPermission {
    proto::ParticipantPermission {
        can_subscribe: permission.can_subscribe,
        can_publish: permission.can_publish,
        can_publish_data: permission.can_publish_data,
        can_publish_sources: permission.can_publish_sources.iter().map(|source| *source as i32).collect(),
        hidden: permission.hidden,
        recorder: permission.recorder,
        can_update_metadata: permission.can_update_metadata,
        agent: permission.agent,
        can_subscribe_metrics: false,
        can_manage_agent_session: false,
    }
}

/// A published track.
#[allow(deprecated)] // clients up to 1.x read `simulcast`, `layers`, `stereo` and `disable_dtx` here
pub fn track(track: &Track) -> proto::TrackInfo {
    let request = &track.request;
    let video = request.kind == TrackKind::Video;
    proto::TrackInfo {
        sid: track.sid.to_string(),
        r#type: if video { proto::TrackType::Video } else { proto::TrackType::Audio } as i32,
        name: request.name.clone(),
        muted: track.muted,
        width: request.width,
        height: request.height,
        simulcast: video && track.layers.len() > 1,
        disable_dtx: request.disable_dtx,
        source: request.source as i32,
        layers: track.layers.iter().map(layer).collect(),
        mime_type: track.mime.clone(),
        mid: track.mid.clone(),
        codecs: track.codecs.iter().map(codec).collect(),
        stereo: request.stereo,
        disable_red: request.disable_red,
        encryption: request.encryption,
        stream: request.stream.clone(),
        version: Some(proto::TimedVersion { unix_micro: track.version_us, ticks: 0 }),
        audio_features: request.audio_features.clone(),
        backup_codec_policy: request.backup_codec_policy,
        packet_trailer_features: request.packet_trailer_features.clone(),
    }
}

/// What a client says of itself. Its address is not its to say.
pub fn client(info: proto::ClientInfo) -> ClientInfo {
    let sdk = proto::client_info::Sdk::try_from(info.sdk).map_or("", |sdk| sdk.as_str_name());
    ClientInfo {
        protocol: info.protocol,
        client_protocol: info.client_protocol,
        capabilities: info.capabilities,
        // As v0's query parameter has it: `reactnative`.
        sdk: sdk.replace('_', "").to_ascii_lowercase(),
        version: info.version,
        browser: info.browser.to_ascii_lowercase(),
    }
}

fn codec(codec: &TrackCodec) -> proto::SimulcastCodecInfo {
    proto::SimulcastCodecInfo {
        mime_type: codec.mime.clone(),
        mid: codec.mid.clone(),
        cid: codec.cid.clone(),
        layers: codec.layers.iter().map(layer).collect(),
        video_layer_mode: codec.layer_mode,
        sdp_cid: String::new(),
    }
}

fn layer(layer: &Layer) -> proto::VideoLayer {
    proto::VideoLayer {
        quality: layer.quality,
        width: layer.width,
        height: layer.height,
        bitrate: layer.bitrate,
        ssrc: layer.ssrc,
        spatial_layer: layer.spatial_layer,
        rid: layer.rid.clone(),
        repair_ssrc: 0,
    }
}
