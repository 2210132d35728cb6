//! What the server says of itself is so.

use crate::common::{World, publish_both, receives};
use bench::meter::sum;

/// AES-128-GCM is negotiated wherever the client takes it, and frames leave in GSO batches where the kernel has that.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs ODEON_BIN"]
async fn gcm_is_negotiated_and_gso_is_used() {
    let world = World::small();
    let mut publisher = world.join("r", "publisher").await;
    let subscriber = world.join("r", "subscriber").await;
    let (video, _) = publish_both(&mut publisher, "p").await;
    receives(&subscriber, &video, 500).await;
    let metrics = world.server.metrics().expect("metrics");
    let gcm = metrics.get("odeon_srtp_profile_total{profile=\"AEAD_AES_128_GCM\"}").copied().unwrap_or_default();
    assert!(gcm >= 2.0, "{metrics:?}");
    assert!((sum(&metrics, "odeon_srtp_profile_total") - gcm).abs() < f64::EPSILON, "another profile too: {metrics:?}");
    let (sends, segments) = (sum(&metrics, "odeon_udp_gso_sends_total"), sum(&metrics, "odeon_udp_gso_segments_total"));
    assert!(sends > 10.0 && segments >= 2.0 * sends, "{sends} sends, {segments} segments");
}
