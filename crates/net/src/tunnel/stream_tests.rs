use super::*;
use crate::mesh::Wake;
use crate::quota::Quotas;
use crate::tunnel::frame;
use std::time::Duration;
use tokio::io::DuplexStream;
use tokio::task::JoinHandle;

const POLL: mio::Token = mio::Token(0);

/// A connection whose shard is the test itself.
struct Bench {
    client: DuplexStream,
    inputs: mpsc::Receiver<TunnelInput>,
    task: JoinHandle<Ended>,
    counts: Arc<StreamCounts>,
    _poll: mio::Poll,
}

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// `room`: bytes that the way to the client holds.
fn bench(room: usize) -> Bench {
    let poll = mio::Poll::new().unwrap();
    let wake = Wake::new(mio::Waker::new(poll.registry(), POLL).unwrap());
    let (door, inputs) = Door::new(wake);
    let (client, server) = tokio::io::duplex(room);
    let dialect = IceTcp { local: address("192.0.2.1:7881"), remote: address("198.51.100.1:9") };
    let counts = Arc::new(StreamCounts::default());
    let permit = Quotas::new(1).take(0).unwrap();
    let stream = Stream::new(dialect, vec![door].into(), Arc::clone(&counts), permit);
    Bench { client, inputs, task: tokio::spawn(stream.run(server)), counts, _poll: poll }
}

/// A binding request to a ufrag of shard 0.
fn check(ufrag: &str) -> Vec<u8> {
    let name = format!("{ufrag}:remote");
    let mut body = vec![0, 6, 0, name.len() as u8];
    body.extend_from_slice(name.as_bytes());
    body.resize(body.len().next_multiple_of(4), 0);
    let mut message = vec![0, 1, 0, body.len() as u8, 0x21, 0x12, 0xA4, 0x42];
    message.extend_from_slice(&[7; 12]);
    message.extend_from_slice(&body);
    message
}

const OURS: &str = "0023456789abcd";

impl Bench {
    async fn send(&mut self, datagram: &[u8]) {
        let mut framed = BytesMut::new();
        frame::put(datagram, &mut framed);
        self.client.write_all(&framed).await.unwrap();
    }

    async fn opened(&mut self) -> mpsc::Sender<Vec<u8>> {
        match self.inputs.recv().await {
            Some(TunnelInput::Opened { outbox, .. }) => outbox,
            other => panic!("{other:?}"),
        }
    }

    async fn datagram(&mut self) -> (Arrival, Vec<u8>) {
        match self.inputs.recv().await {
            Some(TunnelInput::Datagram { arrival, datagram }) => (arrival, datagram),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_check_finds_its_shard_and_answers_come_back() {
    let mut bench = bench(1 << 16);
    bench.send(&check(OURS)).await;
    let outbox = bench.opened().await;
    let (arrival, datagram) = bench.datagram().await;
    assert_eq!((arrival.local, arrival.origin.address), (address("192.0.2.1:7881"), address("198.51.100.1:9")));
    assert_eq!(datagram, check(OURS));
    outbox.send(b"answer".to_vec()).await.unwrap();
    let mut answer = [0; 8];
    bench.client.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"\0\x06answer");
}

#[tokio::test(start_paused = true)]
async fn what_begins_with_no_check_of_ours_is_closed() {
    for (datagram, shard) in [(&b"\x80\x60media"[..], "media"), (&check("ff23456789abcd"), "shard"), (b"GET", "frame")]
    {
        let mut bench = bench(1 << 16);
        bench.send(datagram).await;
        assert!(matches!(bench.task.await.unwrap(), Ended::Foreign(_)), "{shard}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_proves_nothing_goes_in_time() {
    let silent = bench(1 << 16);
    assert!(matches!(silent.task.await.unwrap(), Ended::Unproven));
    let mut unverified = bench(1 << 16);
    unverified.send(&check(OURS)).await;
    let began = tokio::time::Instant::now();
    let outbox = unverified.opened().await;
    assert!(matches!(unverified.task.await.unwrap(), Ended::Unproven), "the shard never answered");
    assert!(began.elapsed() <= PROOF_TIMEOUT + Duration::from_secs(1));
    drop(outbox);
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_is_stuck_costs_a_bounded_queue_and_then_its_connection() {
    let mut bench = bench(1000);
    bench.send(&check(OURS)).await;
    let outbox = bench.opened().await;
    for _ in 0..2000 {
        // The shard never waits: what finds no place is its loss alone.
        let _ = outbox.try_send(vec![128; 1200]);
        tokio::task::yield_now().await;
    }
    assert!(matches!(bench.task.await.unwrap(), Ended::Silent));
    assert!(bench.counts.dropped.load(Ordering::Relaxed) > 1000);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_goes_is_told_before_its_connection_ends() {
    let mut bench = bench(1 << 16);
    bench.send(&check(OURS)).await;
    let outbox = bench.opened().await;
    outbox.send(b"goodbye".to_vec()).await.unwrap();
    drop(outbox);
    let mut rest = Vec::new();
    bench.client.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest, b"\0\x07goodbye");
    assert!(matches!(bench.task.await.unwrap(), Ended::Done));
}

#[tokio::test(start_paused = true)]
async fn a_shard_hears_that_a_connection_has_gone() {
    let mut bench = bench(1 << 16);
    bench.send(&check(OURS)).await;
    let _outbox = bench.opened().await;
    let (arrival, _) = bench.datagram().await;
    drop(bench.client);
    match bench.inputs.recv().await {
        Some(TunnelInput::Closed { origin }) => assert_eq!(origin, arrival.origin),
        other => panic!("{other:?}"),
    }
}
