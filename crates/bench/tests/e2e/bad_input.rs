//! Bad input costs nobody else anything: while another pair's media goes on untouched, the server is fed rubbish.

use crate::common::{World, eventually_in, is_whole, publish_both, receives};
use bench::Client;
use bench::client::signal_only;
use bench::ledger::TrackStats;
use bench::meter;
use bench::signal::{Hello, Signal};
use bench::token::Grant;
use livekit_protocol as proto;
use proto::signal_request::Message;
use std::net::UdpSocket;
use std::time::Duration;

/// A room whose media must not suffer.
struct Untouched {
    _publisher: Client,
    subscriber: Client,
    video: String,
    before: TrackStats,
    rss: u64,
}

impl Untouched {
    async fn begin(world: &World) -> Self {
        let mut publisher = world.join("untouched", "publisher").await;
        let (video, _) = publish_both(&mut publisher, "p").await;
        let subscriber = world.join("untouched", "subscriber").await;
        crowd(world).await;
        let before = receives(&subscriber, &video, 100).await;
        let rss = world.server.reading().expect("reading").rss;
        Self { _publisher: publisher, subscriber, video, before, rss }
    }

    /// Media went on without a loss, nothing panicked, memory did not grow.
    async fn holds(self, world: &World) {
        receives(&self.subscriber, &self.video, self.before.packets + 100).await;
        let after = self.subscriber.stats().await.remove(&self.video).expect("stats");
        is_whole(&after);
        assert!(after.loss() < 0.001, "{after:?}");
        assert!(after.longest_gap < Duration::from_millis(500), "{after:?}");
        let metrics = world.server.metrics().expect("metrics");
        let panics: f64 =
            metrics.iter().filter(|(name, _)| name.contains("_panics_total")).map(|(_, count)| count).sum();
        assert!(metrics.keys().any(|name| name.contains("odeon_peer_panics_total")) && panics == 0.0, "{metrics:?}");
        strangers_gone(world).await;
        let grown = world.server.reading().expect("reading").rss.saturating_sub(self.rss);
        assert!(grown < 10 << 20, "{} KiB more", grown >> 10);
    }
}

/// As many sessions as a test will have at a time come and go: what the allocator keeps for a crowd is no growth.
async fn crowd(world: &World) {
    let mut sessions = Vec::new();
    for number in 0..150 {
        let token = world.token(&Grant::join("crowd"), &format!("crowd-{number}"));
        sessions.push(signal_only(&world.server.url(), &token).await.expect("joins"));
    }
    for mut session in sessions {
        let _ = session.send(Message::Leave(proto::LeaveRequest::default())).await;
        session.close().await;
    }
    strangers_gone(world).await;
}

/// Only the pair of the room that must not suffer is there.
async fn strangers_gone(world: &World) {
    // Who broke off without a word stays for 20 s (L-28).
    eventually_in(Duration::from_secs(30), "the strangers are gone", || async {
        let metrics = world.server.metrics().ok()?;
        (meter::sum(&metrics, "odeon_peers") <= 2.0).then_some(())
    })
    .await;
}

/// every first byte × every length 0-2,000 at the UDP port.
#[allow(clippy::disallowed_methods, reason = "the flood paces itself on a thread of its own")]
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs ODEON_BIN"]
async fn q_16_datagrams_of_every_first_byte_and_length_change_nothing() {
    let world = World::small();
    let untouched = Untouched::begin(&world).await;
    let port = world.server.udp_ports().expect("ports")[0];
    let sweep = tokio::task::spawn_blocking(move || {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(("127.0.0.1", port)).unwrap();
        let mut datagram = vec![0u8; 2000];
        datagram.iter_mut().enumerate().for_each(|(at, byte)| *byte = (at * 151 + 7) as u8);
        for first in 0..=255u8 {
            datagram[0] = first;
            for len in 0..=2000 {
                // A full buffer loses the datagram: paced, that is rare, and the next first byte has the length too.
                let _ = socket.send(&datagram[..len]);
                if len % 16 == 0 {
                    std::thread::sleep(Duration::from_micros(500));
                }
            }
        }
        socket.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        // no reply to a source that ICE has not proven.
        assert!(socket.recv(&mut [0; 2000]).is_err(), "the server answered a stranger");
    });
    sweep.await.expect("swept");
    untouched.holds(&world).await;
}

fn bad_offers() -> Vec<String> {
    let good = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
                m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=rtpmap:111 opus/48000/2\r\n";
    let mut all: Vec<String> = vec![
        String::new(),
        "\0".repeat(100),
        "v=0".into(),
        good.into(), // no fingerprint, no ICE
        good.repeat(50),
        "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n".repeat(5_000),
        format!("{good}{}", "a=rtpmap:96 VP8/90000\r\n".repeat(20_000)),
        format!("{good}a=ice-ufrag:{}\r\n", "x".repeat(100_000)),
        format!("{good}a=simulcast:recv {}\r\n", "q;".repeat(10_000)),
    ];
    all.extend((0..good.len()).step_by(9).map(|cut| good[..cut].to_owned()));
    all
}

/// Malformed offers, in the join request and after it, get an answer, an end or silence: never a panic.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs ODEON_BIN"]
async fn malformed_offers_end_at_most_their_own_session() {
    let world = World::small();
    let untouched = Untouched::begin(&world).await;
    for (number, sdp) in bad_offers().into_iter().enumerate() {
        let token = world.token(&Grant::join("rubbish"), &format!("rubbish-{number}"));
        let hello = Hello::Single { offer: (sdp.len() < 4_000).then(|| sdp.clone()) };
        // Refused at the door is as good as later.
        let Ok(mut signal) = Signal::connect(&world.server.url(), &token, &hello, true).await else { continue };
        let offer = proto::SessionDescription { r#type: "offer".into(), sdp, id: 2, ..Default::default() };
        let _ = signal.send(Message::Offer(offer)).await;
        while tokio::time::timeout(Duration::from_millis(30), signal.next()).await.is_ok_and(|m| m.is_some()) {}
        signal.close().await;
    }
    untouched.holds(&world).await;
}

/// Malformed protobufs and messages out of place on an open signalling socket.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs ODEON_BIN"]
async fn malformed_signalling_ends_at_most_its_own_session() {
    use prost::Message as _;
    let world = World::small();
    let untouched = Untouched::begin(&world).await;
    let trickle = proto::TrickleRequest { candidate_init: "{".repeat(10_000), ..Default::default() };
    let answer = proto::SessionDescription { r#type: "answer".into(), sdp: "v=0".into(), id: 9, ..Default::default() };
    let add = proto::AddTrackRequest { cid: "c".repeat(100_000), r#type: 99, source: -5, ..Default::default() };
    let tracks: Vec<String> = (0..10_000).map(|n| format!("TR_{n}")).collect();
    let subscribe = proto::UpdateSubscription { track_sids: tracks, subscribe: true, ..Default::default() };
    let mute = proto::MuteTrackRequest { sid: "TR_nobodys".into(), muted: true };
    let sound = [
        Message::Trickle(trickle),
        Message::Answer(answer),
        Message::AddTrack(add),
        Message::Subscription(subscribe),
        Message::Mute(mute),
        Message::Ping(i64::MIN),
    ];
    let mut inputs: Vec<Vec<u8>> =
        sound.into_iter().map(|m| proto::SignalRequest { message: Some(m) }.encode_to_vec()).collect();
    inputs.extend((0..=255u8).step_by(7).map(|byte| vec![byte; 40]));
    let cut: Vec<Vec<u8>> = (2..20).map(|len| inputs[2][..len].to_vec()).collect();
    inputs.extend(cut);
    for (number, input) in inputs.into_iter().enumerate() {
        let token = world.token(&Grant::join("rubbish"), &format!("rubbish-{number}"));
        let mut signal = signal_only(&world.server.url(), &token).await.expect("joins");
        let _ = signal.send_raw(input).await;
        while tokio::time::timeout(Duration::from_millis(5), signal.next()).await.is_ok_and(|m| m.is_some()) {}
        signal.close().await;
    }
    untouched.holds(&world).await;
}
