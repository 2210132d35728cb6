//! whoever sends in another's name makes us send that one nothing worth the effort.

use super::*;
use crate::fuzz;

/// What strangers send: (what it is, bytes).
fn strangers(bench: &mut Bench) -> Vec<Vec<u8>> {
    let transport = |it: Builder| it.attribute(REQUESTED_TRANSPORT, &[17, 0, 0, 0]);
    let signed = {
        bench.nonce = "AAAAAAAAAAAA".into();
        let signed = bench.request(Method::Allocate, transport);
        bench.nonce.clear();
        signed
    };
    let mut binding = bench.request(Method::Allocate, |it| it);
    binding[1] = 1;
    vec![
        bench.request(Method::Allocate, |it| it),
        bench.request(Method::Allocate, transport),
        bench.request(Method::Refresh, |it| it),
        bench.request(Method::CreatePermission, |it| it.address(XOR_PEER_ADDRESS, &address("192.0.2.1:1"))),
        binding,
        signed,
        b"\x40\x00\x00\x04data".to_vec(),
        vec![0; 20],
        Vec::new(),
    ]
}

#[test]
fn q_14_ten_thousand_strangers_datagrams_are_answered_with_less_than_they_sent() {
    //
    for sources in [1, 7, 1000, 10_000] {
        let mut bench = Bench::new(&["203.0.113.1:7882"]);
        let kinds = strangers(&mut bench);
        let mut seen = vec![(0usize, 0usize, 0usize); sources];
        for number in 0..10_000 {
            let source = number % sources;
            bench.elapsed = Duration::from_micros(number as u64 * 99);
            bench.client.address =
                SocketAddr::from(([198, 18, (source >> 8) as u8, source as u8], 1024 + number as u16));
            let datagram = &kinds[number % kinds.len()];
            let reply = bench.send(datagram).map_or(0, |answer| answer.bytes.len());
            let (received, sent, replies) = &mut seen[source];
            (*received, *sent, *replies) =
                (*received + datagram.len(), *sent + reply, *replies + usize::from(reply > 0));
        }
        assert!(bench.elapsed < Duration::from_secs(1));
        for (received, sent, replies) in seen {
            assert!(sent <= received, "{sent} bytes for {received} of one of {sources} sources");
            assert!(replies <= 10, "{replies} answers in a second to one of {sources} sources");
        }
    }
}

#[test]
fn q_14_an_honest_client_is_answered_at_its_first_repetition() {
    //
    let mut bench = Bench::new(&["203.0.113.1:7882"]);
    let first = bench.request(Method::Allocate, |it| it.attribute(REQUESTED_TRANSPORT, &[17, 0, 0, 0]));
    assert!(bench.send(&first).is_none());
    assert_eq!(bench.send(&first).unwrap().code(), Some(401));
    bench.client.in_stream = true;
    assert!(bench.send(&first).is_some(), "a connection has proved its address");
}

#[test]
fn q_6_damaged_messages_harm_nobody() {
    //
    let mut bench = Bench::new(&["203.0.113.1:7882"]);
    for sample in strangers(&mut bench) {
        for cut in 0..=sample.len() {
            fuzz::message(&sample[..cut]);
            fuzz::server(&sample[..cut]);
        }
        for bit in 0..sample.len() * 8 {
            let mut flipped = sample.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            fuzz::message(&flipped);
            fuzz::server(&flipped);
        }
    }
}
