//! By how much this machine's clock is off: one question to a time server (SNTP, RFC 5905).

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::net::UdpSocket;

/// A packet without extensions (RFC 5905, 7.3).
const PACKET: usize = 48;
/// Leap indicator 0, version 4, mode 3: a client's.
const REQUEST: u8 = 0x23;
/// The mode of a server's answer: the lowest three bits of the first byte.
const SERVER: u8 = 4;
/// Seconds from 1900, where NTP's time begins, to 1970.
const EPOCH_S: f64 = 2_208_988_800.0;
/// An era of NTP's time: 2^32 seconds (RFC 5905, 6). The first ends in 2036.
const ERA_S: f64 = 4_294_967_296.0;

/// Seconds by which this machine's clock is ahead of `server`'s (`host:port`, usually 123); negative where it is behind.
///
/// # Errors
/// Nobody answers within `timeout`, or with anything but a time.
pub async fn ahead(server: &str, timeout: Duration) -> io::Result<f64> {
    tokio::time::timeout(timeout, ask(server)).await?
}

async fn ask(server: &str) -> io::Result<f64> {
    let address = tokio::net::lookup_host(server).await?.next().ok_or(io::ErrorKind::NotFound)?;
    let local: SocketAddr = if address.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0_u16; 8], 0).into() };
    let socket = UdpSocket::bind(local).await?;
    socket.connect(address).await?;
    // The server gives it back as it is: random, so that only who sees the question can answer (RFC 5905, 8).
    let mut cookie = [0; 8];
    getrandom::fill(&mut cookie).map_err(io::Error::other)?;
    let mut request = [0; PACKET];
    request[0] = REQUEST;
    request[40..].copy_from_slice(&cookie);
    let mut response = [0; PACKET];
    let sent = unix_s();
    socket.send(&request).await?;
    loop {
        let length = socket.recv(&mut response).await?;
        if length == PACKET
            && let Some(server_s) = time(&response, &cookie)
        {
            // Its clock was read about half way between.
            return Ok(nearest_era((sent + unix_s()) / 2.0 - server_s));
        }
    }
}

fn unix_s() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

/// The server's time in seconds since 1970, but for whole eras; `None` is no answer to the question with this `cookie`, or
/// one of a server that knows no time itself.
fn time(response: &[u8; PACKET], cookie: &[u8; 8]) -> Option<f64> {
    let (mode, stratum, origin) = (response[0] & 0b111, response[1], &response[24..32]);
    if mode != SERVER || !(1..16).contains(&stratum) || origin != cookie {
        return None;
    }
    let word = |at: usize| response[at..].first_chunk().map(|bytes| f64::from(u32::from_be_bytes(*bytes)));
    Some(word(40)? + word(44)? / ERA_S - EPOCH_S)
}

// NTP's time does not say which era it is of: the one that makes the clocks differ least.
fn nearest_era(ahead_s: f64) -> f64 {
    ahead_s - (ahead_s / ERA_S).round() * ERA_S
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    const COOKIE: [u8; 8] = *b"question";

    fn response(unix_s: f64) -> [u8; PACKET] {
        let mut response = [0; PACKET];
        (response[0], response[1]) = (0x24, 2);
        response[24..32].copy_from_slice(&COOKIE);
        let ntp = (unix_s + EPOCH_S) % ERA_S;
        response[40..44].copy_from_slice(&(ntp as u32).to_be_bytes());
        response[44..48].copy_from_slice(&((ntp.fract() * ERA_S) as u32).to_be_bytes());
        response
    }

    #[test]
    fn a_servers_time_is_read() {
        let told = time(&response(1_700_000_000.25), &COOKIE).unwrap();
        assert!((told - 1_700_000_000.25).abs() < 0.001, "{told}");
    }

    #[test]
    fn the_end_of_ntps_first_era_in_2036_is_not_the_end() {
        let in_2040 = 2_208_988_800.0;
        let told = time(&response(in_2040), &COOKIE).unwrap();
        assert!(nearest_era(in_2040 + 3.0 - told) - 3.0 < 0.001);
    }

    #[test]
    fn what_is_no_servers_time_is_refused() {
        let good = response(0.0);
        for (at, wrong) in [(0, 0x23), (1, 0), (1, 16), (24, b'Q')] {
            let mut bad = good;
            bad[at] = wrong;
            assert_eq!(time(&bad, &COOKIE), None, "byte {at}");
        }
    }

    #[tokio::test]
    async fn a_clock_that_is_off_is_measured() {
        let server = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = server.local_addr().unwrap().to_string();
        tokio::spawn(async move {
            let mut request = [0; PACKET];
            let (_, from) = server.recv_from(&mut request).await.unwrap();
            // Ours is two minutes ahead of its.
            let mut answer = response(unix_s() - 120.0);
            answer[24..32].copy_from_slice(&request[40..]);
            server.send_to(&answer, from).await.unwrap();
        });
        let ahead = ahead(&address, Duration::from_secs(20)).await.unwrap();
        assert!((ahead - 120.0).abs() < 10.0, "{ahead}");
    }
}
