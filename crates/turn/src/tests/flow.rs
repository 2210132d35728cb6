//! What a client does from its first request to its last.

use super::*;
use crate::message::{channel_data, put_channel_data};

const OURS: &str = "203.0.113.1:7882";

fn relay_of(bench: &mut Bench) -> Relay {
    let data = bench.indication(&address(OURS), b"probe");
    match bench.server.handle(bench.now(), bench.client, &data).event {
        Some(Event::ToPeer { relay, .. }) => relay,
        other => panic!("{other:?}"),
    }
}

#[test]
fn l_02_a_participant_reaches_our_media_by_indications_and_by_a_channel() {
    // L-02
    let mut bench = Bench::new(&[OURS]);
    let relayed = bench.allocate();
    let peer = address(OURS);
    let early = bench.indication(&peer, b"too early");
    assert_eq!(bench.relayed(&early), None, "there is no permission yet");
    assert_eq!(bench.permit(&peer).class(), Class::Success);
    let relay = relay_of(&mut bench);
    assert_eq!(relay.address, relayed);

    let (mut out, now) = (Vec::new(), bench.now().at);
    assert_eq!(bench.server.wrap(now, relay, peer, b"answer", &mut out), Some(bench.client.address));
    let indication = Message::parse(&out).unwrap();
    assert_eq!((indication.class, indication.method), (Class::Indication, Method::Data));
    assert_eq!(indication.address(XOR_PEER_ADDRESS), Some(peer));
    assert_eq!(indication.attribute(DATA), Some(&b"answer"[..]));

    assert_eq!(bench.bind(0x4001, &peer).class(), Class::Success);
    let mut data = Vec::new();
    put_channel_data(0x4001, b"by channel", false, &mut data);
    assert_eq!(bench.relayed(&data), Some((peer, b"by channel".to_vec())));
    out.clear();
    bench.server.wrap(now, relay, peer, b"back", &mut out);
    assert_eq!(channel_data(&out), Some((0x4001, &b"back"[..])));
}

#[test]
fn an_answer_to_a_lost_answer_is_the_same() {
    let mut bench = Bench::new(&[OURS]);
    bench.challenge();
    let request = bench.request(Method::Allocate, |it| it.attribute(REQUESTED_TRANSPORT, &[17, 0, 0, 0]));
    let (first, again) = (bench.send(&request).unwrap(), bench.send(&request).unwrap());
    assert_eq!(first.address(XOR_RELAYED_ADDRESS), again.address(XOR_RELAYED_ADDRESS));
    assert_eq!(first.address(XOR_MAPPED_ADDRESS), Some(bench.client.address));
    assert_eq!(bench.allocate_family(1).code(), Some(437), "another request is another allocation");
}

#[test]
fn l_02_a_login_begins_nothing_once_it_has_ended_and_what_began_goes_on() {
    // L-02
    let mut bench = Bench::new(&[OURS]);
    bench.allocate();
    bench.elapsed += Duration::from_secs(301);
    assert_eq!(bench.ask(Method::Refresh, |it| it).class(), Class::Success);
    bench.client.address.set_port(40_001);
    bench.challenge();
    assert_eq!(bench.allocate_family(1).code(), Some(401));
}

#[test]
fn what_is_not_refreshed_ends() {
    let mut bench = Bench::new(&[OURS]);
    let relayed = bench.allocate();
    bench.elapsed += Duration::from_secs(599);
    assert!(bench.server.handle_timeout(bench.now().at).is_empty());
    bench.elapsed += Duration::from_secs(1);
    let ended = bench.server.handle_timeout(bench.now().at);
    assert_eq!(ended.iter().map(|relay| relay.address).collect::<Vec<_>>(), [relayed]);
    assert_eq!(bench.server.stats().allocations, 0);
}

#[test]
fn a_client_gives_its_allocation_back() {
    let mut bench = Bench::new(&[OURS]);
    bench.allocate();
    let request = bench.request(Method::Refresh, |it| it.attribute(LIFETIME, &[0; 4]));
    let outcome = bench.server.handle(bench.now(), bench.client, &request);
    assert!(matches!(outcome.event, Some(Event::Closed(_))));
    assert_eq!(bench.server.stats().allocations, 0);
}

#[test]
fn a_relay_whose_peer_has_gone_is_closed_and_its_successor_is_not() {
    let mut bench = Bench::new(&[OURS]);
    bench.allocate();
    bench.permit(&address(OURS));
    let old = relay_of(&mut bench);
    bench.server.close(old);
    assert_eq!(bench.server.stats().allocations, 0);
    bench.server = Bench::new(&[OURS]).server;
    let stale = Relay { serial: old.serial + 1, ..old };
    bench.allocate();
    bench.server.close(stale);
    assert_eq!(bench.server.stats().allocations, 1);
}

#[test]
fn permissions_and_channels_end_by_themselves() {
    let mut bench = Bench::new(&[OURS]);
    bench.allocate();
    bench.bind(0x4000, &address(OURS));
    let mut data = Vec::new();
    put_channel_data(0x4000, b"data", false, &mut data);
    bench.elapsed += Duration::from_secs(299);
    assert!(bench.relayed(&data).is_some());
    bench.elapsed += Duration::from_secs(2);
    assert!(bench.relayed(&data).is_none(), "the permission has ended");
    bench.permit(&address(OURS));
    assert!(bench.relayed(&data).is_some(), "the channel still stands");
}

#[test]
fn forged_and_damaged_requests_get_nothing() {
    let mut bench = Bench::new(&[OURS]);
    bench.challenge();
    let password = std::mem::replace(&mut bench.password, "guessed".into());
    assert_eq!(bench.allocate_family(1).code(), Some(401), "a wrong password");
    bench.password = password;
    let nonce = std::mem::replace(&mut bench.nonce, "AAAAAAAAAAAA".into());
    assert_eq!(bench.allocate_family(1).code(), Some(438), "a nonce of nobody's");
    bench.nonce = nonce;
    bench.username = "1:PA_alice".into();
    assert_eq!(bench.allocate_family(1).code(), Some(401), "a name that has ended");
    assert_eq!(bench.server.stats().allocations, 0);
}

#[test]
fn requests_that_make_no_sense_are_told_so() {
    let mut bench = Bench::new(&[OURS]);
    bench.challenge();
    let tcp = bench.ask(Method::Allocate, |it| it.attribute(REQUESTED_TRANSPORT, &[6, 0, 0, 0]));
    assert_eq!(tcp.code(), Some(442));
    let odd = bench.ask(Method::Allocate, |it| it.attribute(0x0018, &[0x80, 0, 0, 0]));
    assert_eq!((odd.code(), odd.message().attribute(UNKNOWN_ATTRIBUTES)), (Some(420), Some(&[0, 0x18][..])));
    bench.server = Bench::new(&[OURS]).server;
    for (refusal, code) in [(Refusal::Family, 440), (Refusal::Quota, 486), (Refusal::Exhausted, 508)] {
        bench = Bench::new(&[OURS]);
        bench.server = Server::new(Config {
            secret: Arc::clone(&bench.secret),
            peers: Arc::new(Peers::default()),
            grants: Plenty { next: Cell::new(1), refusal: Cell::new(Some(refusal)) },
        });
        assert_eq!(bench.allocate_family(1).code(), Some(code));
    }
    let mut bench = Bench::new(&[OURS, "203.0.113.1:7883"]);
    assert_eq!(bench.permit_before_allocating(), Some(437));
    bench.allocate();
    assert_eq!(bench.bind(0x4000, &address(OURS)).class(), Class::Success);
    assert_eq!(bench.bind(0x4000, &address("203.0.113.1:7883")).code(), Some(400), "the channel has another peer");
    assert_eq!(bench.bind(0x4001, &address(OURS)).code(), Some(400), "the peer has another channel");
    assert_eq!(bench.bind(0x3FFF, &address(OURS)).code(), Some(400), "no channel");
}

impl Bench {
    fn permit_before_allocating(&mut self) -> Option<u16> {
        self.challenge();
        self.permit(&address(OURS)).code()
    }
}
