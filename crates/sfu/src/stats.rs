//! What a shard counts, for /metrics and tests.

/// Totals since the shard began, but for the gauges.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ShardStats {
    /// Gauge: peers.
    pub peers: u64,
    /// Gauge: tracks with their owner here.
    pub tracks: u64,
    /// Gauge: how many receivers these and other shards' tracks have here.
    pub receivers: u64,
    /// Gauge: entries of the table of verified addresses.
    pub addresses: u64,
    /// RTP packets from publishers.
    pub packets_in: u64,
    /// RTP packets to subscribers.
    pub packets_out: u64,
    /// Their payloads, bytes, as they came from publishers.
    pub bytes_in: u64,
    /// Payloads to subscribers, bytes, each as often as it was sent, without resends.
    pub bytes_out: u64,
    /// NACK messages from subscribers.
    pub nacks_in: u64,
    /// NACK messages to publishers.
    pub nacks_out: u64,
    /// Keyframes that subscribers asked for (PLI, FIR).
    pub keyframes_wanted: u64,
    /// RTP packets to other shards.
    pub packets_relayed: u64,
    /// Datagrams from addresses that proved nothing.
    pub datagrams_unknown: u64,
    /// Keyframes asked of publishers.
    pub keyframes_requested: u64,
    /// Data packets delivered.
    pub data_out: u64,
    /// Data packets refused by their dialect.
    pub data_refused: u64,
    /// Reliable data packets that a client had sent before.
    pub data_repeated: u64,
    /// Data packets dropped for a receiver that is behind, or not there yet.
    pub data_dropped: u64,
    /// Reliable readers that fell too far behind and were cut.
    pub readers_cut: u64,
    /// Peers lost to a defect of ours.
    pub panics: u64,
}
