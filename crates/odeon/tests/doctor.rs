//! `odeon doctor` on this machine, with faults that can be planted without being its administrator.

mod common;

use common::{Scratch, Server, odeon};
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What the doctor says of a check: its level, and what it found with the remedy.
fn found(scratch: &Scratch, line: &str, check: &str) -> (String, String) {
    told(doctor(scratch).args(line.split_whitespace()), check).1
}

/// The doctor for programs, in surroundings where nobody outside is asked. What a test adds as flags wins.
fn doctor(scratch: &Scratch) -> Command {
    let mut command = odeon(scratch);
    command.envs(ALONE).args(["doctor", "--json", "--time-server=127.0.0.1:1"]);
    command
}

const ALONE: [(&str, &str); 5] = [
    ("ODEON_HTTP_BIND", "127.0.0.1"),
    ("ODEON_HTTP_PORT", "0"),
    ("ODEON_RTC_UDP_PORT", "0"),
    ("ODEON_RTC_TCP_PORT", "0"),
    ("ODEON_RTC_STUN_SERVERS", ""),
];

/// Exit code, level and text.
fn told(command: &mut Command, check: &str) -> (i32, (String, String)) {
    let output = command.output().unwrap();
    let findings: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!("{error}: {} {}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
    });
    let findings = findings.as_array().unwrap();
    assert_eq!(findings.len(), 13);
    let finding = findings.iter().find(|finding| finding["check"] == check).unwrap();
    let text = |name: &str| finding[name].as_str().unwrap().to_owned();
    (output.status.code().unwrap(), (text("level"), format!("{} {}", text("found"), text("remedy"))))
}

#[test]
fn f_3_a_taken_port_is_found_and_named() {
    let scratch = Scratch::new("doctor-port");
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = tcp.local_addr().unwrap().port();
    let (code, (level, text)) = told(doctor(&scratch).arg(format!("--http.port={port}")), "ports");
    assert_eq!((code, level.as_str()), (1, "fault"));
    assert!(text.contains(&port.to_string()) && text.contains("http.port"), "{text}");
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    let line = format!("--rtc.shards=1 --rtc.bind=127.0.0.1 --rtc.udp_port={}", udp.local_addr().unwrap().port());
    let (level, text) = found(&scratch, &line, "ports");
    assert!(level == "fault" && text.contains("rtc.udp_port"), "{text}");
}

#[test]
fn f_3_a_server_that_runs_has_taken_its_own_ports() {
    let scratch = Scratch::new("doctor-running");
    let server = Server::start(&scratch, "--dev");
    let port = server.address.rsplit(':').next().unwrap();
    let (level, text) = found(&scratch, &format!("--dev --http.port={port}"), "ports");
    assert!(level == "good" && text.contains("is open here"), "{text}");
}

#[test]
fn f_3_c_19_a_missing_ffmpeg_is_named() {
    let scratch = Scratch::new("doctor-ffmpeg");
    let (level, text) = found(&scratch, "--castaway.ffmpeg=/nowhere/ffmpeg", "ffmpeg");
    assert!(level == "warning" && text.contains("/nowhere/ffmpeg") && text.contains("castaway.ffmpeg"), "{text}");
    // Any program will do: it is looked for, and not run.
    assert_eq!(found(&scratch, "--castaway.ffmpeg=sh", "ffmpeg").0, "good");
    assert_eq!(found(&scratch, "--castaway.ffmpeg=/nowhere/ffmpeg --castaway.record=false", "ffmpeg").0, "good");
}

/// Ports that nobody has now.
fn free_ports() -> (u16, u16) {
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    (udp.local_addr().unwrap().port(), tcp.local_addr().unwrap().port())
}

/// L-02: by datagrams and by a connection, as clients ask.
#[test]
fn f_3_l_02_a_relay_that_runs_answers() {
    let scratch = Scratch::new("doctor-relay");
    let (udp, tcp) = free_ports();
    let relay = format!("--turn.enabled=true --turn.udp_port={udp} --turn.tcp_port={tcp}");
    let server = Server::start(&scratch, &format!("--dev {relay}"));
    let (level, text) = found(&scratch, &format!("--dev {relay}"), "turn");
    assert!(level == "good" && text.contains("it answers"), "{text}");
    // The settings were changed, and the server was not started anew.
    let other = format!("--dev --turn.enabled=true --turn.udp_port={udp} --turn.tcp_port={}", free_ports().1);
    let (level, text) = found(&scratch, &other, "turn");
    assert!(level == "fault" && text.contains("turn.tcp_port") && !text.contains("turn.udp_port"), "{text}");
    drop(server);
}

#[test]
fn f_3_a_relay_that_does_not_run_is_not_asked_and_its_ports_have_to_be_free() {
    let scratch = Scratch::new("doctor-relay-ports");
    let held = (UdpSocket::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
    let (udp, tcp) = (held.0.local_addr().unwrap().port(), held.1.local_addr().unwrap().port());
    let (free_udp, free_tcp) = free_ports();
    for (ports, taken) in [((udp, free_tcp), "turn.udp_port"), ((free_udp, tcp), "turn.tcp_port")] {
        let (udp, tcp) = ports;
        let line = format!("--rtc.bind=127.0.0.1 --turn.enabled=true --turn.udp_port={udp} --turn.tcp_port={tcp}");
        let (level, text) = found(&scratch, &line, "ports");
        assert!(level == "fault" && text.contains(taken), "{text}");
        let (level, text) = found(&scratch, &line, "turn");
        assert!(level == "unknown" && text.contains("not asked"), "{text}");
    }
    assert!(found(&scratch, "", "turn").1.contains("off"));
}

#[test]
fn f_3_a_certificate_that_is_not_there_is_found() {
    let scratch = Scratch::new("doctor-certificate");
    let line = "--tls.port=0 --tls.cert_file=none.pem --tls.key_file=none.key";
    let (level, text) = found(&scratch, line, "certificate");
    assert!(level == "fault" && text.contains("none.pem"), "{text}");
}

#[test]
fn f_3_a_page_address_without_tls_is_found() {
    let scratch = Scratch::new("doctor-origin");
    let (level, text) = found(&scratch, "--http.public_url=http://192.0.2.1", "origin");
    assert!(level == "fault" && text.contains("https"), "{text}");
    let (level, text) = found(&scratch, "--http.public_url=https://192.0.2.1", "origin");
    assert!(level == "fault" && text.contains("http.trusted_proxies"), "{text}");
}

#[test]
fn f_3_a_small_descriptor_limit_is_found() {
    let scratch = Scratch::new("doctor-files");
    let line = format!("ulimit -n 100; exec {} doctor --json --time-server=127.0.0.1:1", env!("CARGO_BIN_EXE_odeon"));
    let mut shell = Command::new("/bin/sh");
    let (code, (level, text)) = told(shell.args(["-c", &line]).envs(ALONE).current_dir(scratch.path()), "descriptors");
    assert_eq!((code, level.as_str()), (1, "fault"));
    assert!(text.contains("100 files"), "{text}");
}

/// A STUN server that answers nobody: what a firewall makes of any.
#[test]
fn f_3_udp_that_does_not_get_through_is_found() {
    let scratch = Scratch::new("doctor-udp");
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let line = format!("--rtc.stun_servers={}", silent.local_addr().unwrap());
    let (level, text) = found(&scratch, &line, "udp");
    assert!(level == "fault" && text.contains("firewall"), "{text}");
}

/// A server on loopback that answers each datagram; its thread ends with the test's process.
fn answering(answer: impl Fn(&[u8], u16) -> Vec<u8> + Send + 'static) -> String {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        let mut request = [0; 1500];
        while let Ok((length, from)) = socket.recv_from(&mut request) {
            let _ = socket.send_to(&answer(&request[..length], from.port()), from);
        }
    });
    address
}

/// A STUN server that sees everybody here (RFC 8489, 14.2).
fn stun(seen: Ipv4Addr) -> String {
    answering(move |request, port| {
        let mut response = vec![0x01, 0x01, 0, 12];
        response.extend_from_slice(&request[4..20]);
        response.extend_from_slice(&[0x00, 0x20, 0, 8, 0, 1]);
        response.extend_from_slice(&(port ^ 0x2112).to_be_bytes());
        response.extend_from_slice(&(u32::from(seen) ^ 0x2112_a442).to_be_bytes());
        response
    })
}

/// A time server whose clock is `behind` ours (RFC 5905, 7.3).
fn time_server(behind: Duration) -> String {
    answering(move |request, _| {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() - behind;
        let mut response = vec![0; 48];
        (response[0], response[1]) = (0x24, 2);
        response[24..32].copy_from_slice(&request[40..48]);
        response[40..44].copy_from_slice(&((unix.as_secs() + 2_208_988_800) as u32).to_be_bytes());
        response
    })
}

#[test]
fn f_3_a_wrong_public_address_is_found() {
    let scratch = Scratch::new("doctor-address");
    if net::addresses::interface_addresses().iter().all(|ip| ip.is_loopback() || ip.is_ipv6()) {
        return eprintln!("this machine has loopback only: the public address is NOT tested");
    }
    let told = |seen: Ipv4Addr| {
        let line = format!("--rtc.node_ip=203.0.113.7 --rtc.stun_servers={}", stun(seen));
        found(&scratch, &line, "address")
    };
    let (level, text) = told(Ipv4Addr::new(203, 0, 113, 8));
    assert!(level == "fault" && text.contains("rtc.node_ip to 203.0.113.8"), "{text}");
    assert_eq!(told(Ipv4Addr::new(203, 0, 113, 7)).0, "good");
}

#[test]
fn f_3_a_clock_that_is_off_is_found() {
    let scratch = Scratch::new("doctor-clock");
    let told = |behind_s| {
        let server = time_server(Duration::from_secs(behind_s));
        let mut command = odeon(&scratch);
        told(command.envs(ALONE).args(["doctor", "--json", "--time-server", &server]), "clock").1
    };
    let (level, text) = told(600);
    assert!(level == "fault" && text.contains("ahead"), "{text}");
    assert_eq!(told(0).0, "good");
}

#[test]
fn f_3_an_expired_certificate_is_found() {
    let scratch = Scratch::new("doctor-expired");
    let day = Duration::from_secs(86_400);
    let made = net::tls::self_signed(&["localhost".to_owned()], SystemTime::now() - day * 10, day).unwrap();
    std::fs::write(scratch.path().join("chain.pem"), made.0).unwrap();
    std::fs::write(scratch.path().join("key.pem"), made.1).unwrap();
    let line = "--tls.port=0 --tls.cert_file=chain.pem --tls.key_file=key.pem";
    let (level, text) = found(&scratch, line, "certificate");
    assert!(level == "fault" && text.contains("expired 9 days ago"), "{text}");
}

#[test]
fn f_3_people_get_one_line_a_check_and_no_folder_is_made() {
    let scratch = Scratch::new("doctor-text");
    let output = odeon(&scratch).envs(ALONE).args(["doctor", "--time-server=127.0.0.1:1"]).output().unwrap();
    let text = common::stdout(&output);
    assert_eq!(text.lines().filter(|line| !line.trim_start().starts_with('→')).count(), 13, "{text}");
    assert!(!scratch.path().join("odeon-data").exists());
}
