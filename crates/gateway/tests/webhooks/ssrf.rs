//! Nobody gets the server to connect to what is not on the open internet.

use super::harness::{Names, Receiver, Reply, keys, tell, webhooks};
use gateway::outbound::{HostPort, Outbound, OutboundError, Policy, SystemResolver, Target};
use rustls::RootCertStore;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// As the server connects where nothing is allowed, with names that a test makes up.
fn strict(names: Arc<Names>) -> Outbound {
    Outbound::new(Policy::default(), RootCertStore::empty(), names)
}

/// Addresses of this machine and of the networks around it: 125 of each of four blocks.
fn targets() -> Vec<IpAddr> {
    let v4 = |a, b| (0..125u8).map(move |last| IpAddr::from(Ipv4Addr::new(a, b, last, 1)));
    let mapped = (0..125u8).map(|last| IpAddr::from(Ipv4Addr::new(127, 0, 0, last).to_ipv6_mapped()));
    let local = (0..125u16).map(|last| IpAddr::from(Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, last)));
    v4(127, 0).chain(v4(169, 254)).chain(mapped).chain(local).collect()
}

/// 500 of them, each as a literal and behind a name.
#[tokio::test]
async fn q_22_no_internal_target_is_connected_to() {
    let receiver = Receiver::start([]).await;
    let port = receiver.addr.port();
    let mut tried = 0;
    for address in targets() {
        let host = if address.is_ipv6() { format!("[{address}]") } else { address.to_string() };
        let literal = Target::parse(&format!("http://{host}:{port}/")).unwrap();
        let system = Outbound::new(Policy::default(), RootCertStore::empty(), Arc::new(SystemResolver));
        let named = Target::parse(&format!("http://hooks.example:{port}/")).unwrap();
        let names = Names::new([vec![SocketAddr::new(address, port)]]);
        for outcome in [system.connect(&literal).await, strict(names).connect(&named).await] {
            assert!(matches!(outcome, Err(OutboundError::NotAllowed)), "{address}: {outcome:?}");
            tried += 1;
        }
    }
    assert!(tried >= 500);
    assert_eq!(receiver.accepted(), 0);
}

/// spellings that resolvers read as this machine.
#[tokio::test]
async fn q_22_no_spelling_of_this_machine_is_connected_to() {
    let receiver = Receiver::start([]).await;
    let port = receiver.addr.port();
    let outbound = Outbound::new(Policy::default(), RootCertStore::empty(), Arc::new(SystemResolver));
    let spellings =
        ["localhost", "LOCALHOST", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0", "0.0.0.0", "[::]", "[::1]"];
    for host in spellings {
        let Ok(target) = Target::parse(&format!("http://{host}:{port}/")) else { continue };
        let outcome = outbound.connect(&target).await;
        let refused = matches!(outcome, Err(OutboundError::NotAllowed | OutboundError::NoAddress));
        assert!(refused, "{host}: {outcome:?}");
    }
    assert_eq!(receiver.accepted(), 0);
}

/// On the open internet. It is judged only: a test sends nothing there.
const GLOBAL: &str = "192.0.3.1:80";

/// rebinding. Each connection looks the name up once, and goes to what was judged.
#[tokio::test]
async fn q_22_a_name_that_changes_its_mind_gains_nothing() {
    let receiver = Receiver::start([]).await;
    let global: SocketAddr = GLOBAL.parse().unwrap();
    let outbound = strict(Names::new([vec![global], vec![receiver.addr]]));
    let target = Target::parse(&format!("http://rebind.example:{}/", receiver.addr.port())).unwrap();
    assert_eq!(outbound.addresses(&target).await.unwrap(), [global]);
    assert!(matches!(outbound.connect(&target).await, Err(OutboundError::NotAllowed)));
    assert_eq!(receiver.accepted(), 0);
}

/// of a name's addresses only the global ones are tried, wherever the others stand in the list.
#[tokio::test]
async fn q_22_a_global_address_beside_it_does_not_open_an_internal_one() {
    let global: SocketAddr = GLOBAL.parse().unwrap();
    let inside: SocketAddr = "127.0.0.1:80".parse().unwrap();
    let outbound = strict(Names::new([vec![inside, global, inside]]));
    let target = Target::parse("http://mixed.example/").unwrap();
    assert_eq!(outbound.addresses(&target).await.unwrap(), [global]);
}

/// a redirect is an answer like others, wherever it leads; the event counts as refused.
#[tokio::test]
async fn q_22_redirects_are_not_followed() {
    let inside = Receiver::start([]).await;
    let port = inside.addr.port();
    let redirects = [301, 302, 303, 307, 308].map(|status| {
        let location = format!("Location: http://127.0.0.1:{port}/\r\n");
        Reply::Answer(status, location.leak())
    });
    let count = redirects.len();
    let mut outside = Receiver::start(redirects).await;
    let allowed = HostPort::parse(&outside.addr.to_string()).unwrap();
    let policy = Policy::allowing(vec![allowed]);
    let outbound = Outbound::new(policy, RootCertStore::empty(), Arc::new(SystemResolver));
    let hooks = webhooks(&[outside.url()], &outbound);
    (0..count).for_each(|_| tell(&hooks, "residence", true));
    tell(&hooks, "residence", false);
    for _ in 0..count {
        assert_eq!(outside.next().await.event(), "room_started");
    }
    assert_eq!(outside.next().await.event(), "room_finished", "each was sent once");
    assert_eq!(inside.accepted(), 0);
}

/// whoever the operator names is reached, by the name and port that were named.
#[tokio::test]
async fn q_22_the_operator_may_allow_an_internal_receiver() {
    let mut receiver = Receiver::start([]).await;
    let port = receiver.addr.port();
    let policy = Policy::allowing(vec![HostPort { host: "hooks.internal".to_owned(), port }]);
    let names = Names::new([vec![receiver.addr]]);
    let outbound = Outbound::new(policy, RootCertStore::empty(), names);
    let urls = [format!("http://hooks.internal:{port}/a"), format!("http://other.internal:{port}/b")];
    let hooks = webhooks(&urls, &outbound);
    tell(&hooks, "residence", true);
    assert_eq!(receiver.next().await.path, "/a");
    sleep(Duration::from_millis(200)).await; // for what must not come there is no event to wait for
    assert_eq!(receiver.accepted(), 1);
    assert!(keys().primary().is_some());
}
