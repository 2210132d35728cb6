//! What the server says of itself is so.

use crate::common::{World, publish_both, receives};
use bench::meter::sum;

/// So many that a packet is still being sent to them when the next of its frame comes: what waits shares a send call.
const SUBSCRIBERS: usize = 16;

/// AES-GCM (128 or 256, as the client prefers) is negotiated wherever the client takes it, and frames leave in GSO batches
/// where the kernel has that and the shard has more to do than one packet at a time.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs ODEON_BIN"]
async fn gcm_is_negotiated_and_gso_is_used() {
    let world = World::small();
    let mut publisher = world.join("r", "publisher").await;
    let subscriber = world.join("r", "subscriber").await;
    let mut others = Vec::new();
    for number in 1..SUBSCRIBERS {
        others.push(world.join("r", &format!("subscriber-{number}")).await);
    }
    let (video, _) = publish_both(&mut publisher, "p").await;
    receives(&subscriber, &video, 500).await;
    let metrics = world.server.metrics().expect("metrics");
    let gcm: f64 = metrics
        .iter()
        .filter(|(name, _)| name.starts_with("odeon_srtp_profile_total{profile=\"AEAD_AES_"))
        .map(|m| m.1)
        .sum();
    assert!(gcm >= 2.0, "{metrics:?}");
    assert!((sum(&metrics, "odeon_srtp_profile_total") - gcm).abs() < f64::EPSILON, "another profile too: {metrics:?}");
    let (sends, segments) = (sum(&metrics, "odeon_udp_gso_sends_total"), sum(&metrics, "odeon_udp_gso_segments_total"));
    assert!(sends > 10.0 && segments >= 2.0 * sends, "{sends} sends, {segments} segments");
}
