//! `odeon doctor` on this machine, with faults that can be planted without being its administrator.

mod common;

use common::{Scratch, Server, odeon};
use std::net::{TcpListener, UdpSocket};
use std::process::Command;

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

const ALONE: [(&str, &str); 4] = [
    ("ODEON_HTTP_BIND", "127.0.0.1"),
    ("ODEON_HTTP_PORT", "0"),
    ("ODEON_RTC_UDP_PORT", "0"),
    ("ODEON_RTC_STUN_SERVERS", ""),
];

/// Exit code, level and text.
fn told(command: &mut Command, check: &str) -> (i32, (String, String)) {
    let output = command.output().unwrap();
    let findings: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!("{error}: {} {}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
    });
    let findings = findings.as_array().unwrap();
    assert_eq!(findings.len(), 12);
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
fn f_3_a_certificate_that_is_not_there_is_found() {
    let scratch = Scratch::new("doctor-certificate");
    let line = format!("--tls.port=0 --tls.cert_file=none.pem --tls.key_file=none.key");
    let (level, text) = found(&scratch, &line, "certificate");
    assert!(level == "fault" && text.contains("none.pem"), "{text}");
}

#[test]
fn f_3_a_page_address_without_tls_is_found() {
    let scratch = Scratch::new("doctor-origin");
    let (level, text) = found(&scratch, &format!("--http.public_url=http://192.0.2.1"), "origin");
    assert!(level == "fault" && text.contains("https"), "{text}");
    let (level, text) = found(&scratch, &format!("--http.public_url=https://192.0.2.1"), "origin");
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

#[test]
fn f_3_people_get_one_line_a_check_and_no_folder_is_made() {
    let scratch = Scratch::new("doctor-text");
    let output = odeon(&scratch).envs(ALONE).args(["doctor", "--time-server=127.0.0.1:1"]).output().unwrap();
    let text = common::stdout(&output);
    assert_eq!(text.lines().filter(|line| !line.trim_start().starts_with('→')).count(), 12, "{text}");
    assert!(!scratch.path().join("odeon-data").exists());
}
