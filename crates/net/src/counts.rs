//! What the media plane has counted, for the metrics recorder.

use crate::shard::Shared;
use crate::tunnel::stream::StreamCounts;
use metrics::{counter, gauge};
use rtc::crypto::profile_counts;
use std::sync::atomic::Ordering;

/// Of all connections of the process.
pub(crate) fn publish_profiles() {
    let profiles = profile_counts();
    for (profile, count) in [
        ("AEAD_AES_128_GCM", profiles.aead_aes_128_gcm),
        ("AEAD_AES_256_GCM", profiles.aead_aes_256_gcm),
        ("AES128_CM_SHA1_80", profiles.aes_128_cm_sha1_80),
    ] {
        counter!("odeon_srtp_profile_total", "profile" => profile).absolute(count);
    }
}

/// Of one shard.
pub(crate) fn publish_shard(index: &str, shard: &Shared) {
    let stats = shard.stats.load();
    let egress = &shard.egress;
    for (name, value) in [
        ("odeon_peers", stats.peers),
        ("odeon_tracks", stats.tracks),
        ("odeon_receivers", stats.receivers),
        ("odeon_addresses", stats.addresses),
    ] {
        gauge!(name, "shard" => index.to_owned()).set(value as f64);
    }
    for (name, value) in [
        ("odeon_rtp_packets_in_total", stats.packets_in),
        ("odeon_rtp_packets_out_total", stats.packets_out),
        ("odeon_rtp_bytes_in_total", stats.bytes_in),
        ("odeon_rtp_bytes_out_total", stats.bytes_out),
        ("odeon_nacks_in_total", stats.nacks_in),
        ("odeon_nacks_out_total", stats.nacks_out),
        ("odeon_keyframes_wanted_total", stats.keyframes_wanted),
        ("odeon_rtp_packets_relayed_total", stats.packets_relayed),
        ("odeon_udp_unknown_total", stats.datagrams_unknown),
        ("odeon_keyframes_requested_total", stats.keyframes_requested),
        ("odeon_data_packets_out_total", stats.data_out),
        ("odeon_data_packets_refused_total", stats.data_refused),
        ("odeon_data_packets_repeated_total", stats.data_repeated),
        ("odeon_data_packets_dropped_total", stats.data_dropped),
        ("odeon_data_readers_cut_total", stats.readers_cut),
        ("odeon_peer_panics_total", stats.panics),
        ("odeon_udp_sends_total", egress.sends.load(Ordering::Relaxed)),
        ("odeon_udp_gso_sends_total", egress.gso_sends.load(Ordering::Relaxed)),
        ("odeon_udp_gso_segments_total", egress.gso_segments.load(Ordering::Relaxed)),
        ("odeon_udp_handed_over_total", shard.handed_over.load(Ordering::Relaxed)),
        ("odeon_stream_handover_dropped_total", shard.stream_dropped.load(Ordering::Relaxed)),
        ("odeon_udp_dropped_total", egress.dropped.load(Ordering::Relaxed)),
    ] {
        counter!(name, "shard" => index.to_owned()).absolute(value);
    }
    publish_relay(index, &shard.turn.load());
}

/// The relay over UDP. What it carries over TLS is counted with the connections.
fn publish_relay(index: &str, stats: &turn::Stats) {
    gauge!("odeon_turn_allocations", "shard" => index.to_owned()).set(stats.allocations as f64);
    for (name, value) in [
        ("odeon_turn_bytes_in_total", stats.bytes_in),
        ("odeon_turn_bytes_out_total", stats.bytes_out),
        ("odeon_turn_requests_refused_total", stats.refused),
        ("odeon_turn_dropped_total", stats.dropped),
    ] {
        counter!(name, "shard" => index.to_owned()).absolute(value);
    }
}

/// `kind`: what the connections are for.
pub(crate) fn publish_streams(kind: &'static str, counts: &StreamCounts) {
    gauge!("odeon_stream_connections", "kind" => kind).set(counts.open.load(Ordering::Relaxed) as f64);
    for (name, count) in [
        ("odeon_stream_connections_total", &counts.accepted),
        ("odeon_stream_connections_refused_total", &counts.refused),
        ("odeon_stream_bytes_total", &counts.bytes),
        ("odeon_stream_dropped_total", &counts.dropped),
    ] {
        counter!(name, "kind" => kind).absolute(count.load(Ordering::Relaxed));
    }
}
