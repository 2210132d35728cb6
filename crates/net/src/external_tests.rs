use super::*;
use std::net::{Ipv4Addr, Ipv6Addr};

/// What a STUN server of ours does with a request.
#[derive(Clone, Copy)]
enum Manner {
    /// Says that it came from this address.
    Sees(Ipv4Addr),
    /// Hears nothing the first time.
    Deaf(Ipv4Addr),
    /// Answers somebody else's question first.
    Confused(Ipv4Addr),
    /// Never answers.
    Silent,
}

/// RFC 8489, 14.2, by hand.
fn response(request: &[u8], seen: Ipv4Addr, port: u16) -> Vec<u8> {
    let cookie = 0x2112_a442_u32;
    let mut message = vec![0x01, 0x01, 0, 12];
    message.extend_from_slice(&request[4..20]);
    message.extend_from_slice(&[0x00, 0x20, 0, 8, 0, 1]);
    message.extend_from_slice(&(port ^ 0x2112).to_be_bytes());
    message.extend_from_slice(&(u32::from(seen) ^ cookie).to_be_bytes());
    message
}

async fn server(manner: Manner) -> String {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = socket.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        let mut buffer = [0; 1500];
        for heard in 0.. {
            let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
            let request = &buffer[..length];
            let (seen, answers) = match manner {
                Manner::Sees(seen) => (seen, true),
                Manner::Deaf(seen) => (seen, heard > 0),
                Manner::Confused(seen) => {
                    let mut other = request.to_vec();
                    other[19] ^= 1;
                    socket.send_to(&response(&other, Ipv4Addr::BROADCAST, 1), from).await.unwrap();
                    (seen, true)
                }
                Manner::Silent => continue,
            };
            if answers {
                socket.send_to(&response(request, seen, from.port()), from).await.unwrap();
            }
        }
    });
    address
}

const SEEN: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 7);
const PATIENCE: Duration = Duration::from_secs(10);

async fn asked(manner: Manner) -> io::Result<SocketAddr> {
    let server = server(manner).await.parse().unwrap();
    tokio::time::timeout(PATIENCE, ask((Ipv4Addr::LOCALHOST, 0).into(), server)).await?
}

#[tokio::test]
async fn a_server_says_how_it_sees_us() {
    assert_eq!(asked(Manner::Sees(SEEN)).await.unwrap().ip(), IpAddr::V4(SEEN));
}

#[tokio::test]
async fn a_lost_request_is_sent_again() {
    assert_eq!(asked(Manner::Deaf(SEEN)).await.unwrap().ip(), IpAddr::V4(SEEN));
}

#[tokio::test]
async fn an_answer_to_another_question_is_none() {
    assert_eq!(asked(Manner::Confused(SEEN)).await.unwrap().ip(), IpAddr::V4(SEEN));
}

// A server that anybody could answer for would let anybody say where media goes.
#[tokio::test]
async fn an_answer_from_somebody_who_was_not_asked_is_none() {
    let asked = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let server = asked.local_addr().unwrap();
    let asking = tokio::spawn(ask((Ipv4Addr::LOCALHOST, 0).into(), server));
    let mut buffer = [0; 1500];
    let (length, from) = asked.recv_from(&mut buffer).await.unwrap();
    let stranger = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    stranger.send_to(&response(&buffer[..length], Ipv4Addr::BROADCAST, 1), from).await.unwrap();
    // The question comes again: the stranger's answer, which was there long before, did not count.
    let (length, from) = asked.recv_from(&mut buffer).await.unwrap();
    asked.send_to(&response(&buffer[..length], SEEN, 1), from).await.unwrap();
    assert_eq!(asking.await.unwrap().unwrap().ip(), IpAddr::V4(SEEN));
}

#[tokio::test]
async fn one_server_that_answers_is_enough() {
    let servers = [server(Manner::Silent).await, "no-such-host.invalid:3478".into(), server(Manner::Sees(SEEN)).await];
    let local = local();
    let found = discover(&[local], 0, &servers, PATIENCE).await;
    // Loopback is never asked for, and a machine without any other address can't ask a server on loopback.
    let wanted = if local.is_loopback() { Vec::new() } else { vec![Mapping { local, external: SEEN.into() }] };
    assert_eq!(found, wanted);
}

#[tokio::test]
async fn where_nobody_answers_nothing_is_claimed_and_nobody_waits_for_ever() {
    let servers = [server(Manner::Silent).await];
    let addresses = [local(), Ipv6Addr::LOCALHOST.into(), Ipv4Addr::LOCALHOST.into()];
    assert_eq!(discover(&addresses, 0, &servers, Duration::from_millis(100)).await, []);
    assert_eq!(discover(&addresses, 0, &[], PATIENCE).await, []);
}

#[tokio::test]
async fn several_servers_can_be_asked_from_one_port_at_once() {
    let port = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap().port();
    let from = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let [one, two] = [Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::new(192, 0, 2, 2)];
    let servers = [server(Manner::Sees(one)).await.parse().unwrap(), server(Manner::Sees(two)).await.parse().unwrap()];
    let (first, second) = tokio::join!(ask(from, servers[0]), ask(from, servers[1]));
    assert_eq!((first.unwrap(), second.unwrap()), ((one, port).into(), (two, port).into()));
}

fn local() -> IpAddr {
    let addresses = crate::addresses::interface_addresses();
    addresses.into_iter().find(|ip| ip.is_ipv4() && !ip.is_loopback()).unwrap_or(Ipv4Addr::LOCALHOST.into())
}
