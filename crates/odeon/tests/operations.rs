//! What whoever keeps it running relies on.

mod common;

use common::{Scratch, Server};

// readiness 503 within 100 ms, exit 0.
#[test]
fn q_8_sigterm_ends_an_empty_house_at_once_and_in_order() {
    let scratch = Scratch::new("term");
    let mut server = Server::start(&scratch, "--dev --drain_timeout=60s");
    server.signal(libc::SIGTERM);
    assert!(server.ended().success());
    assert!(server.logged().contains("closed"));
}

#[test]
fn q_8_what_was_let_go_can_be_taken_again_at_once() {
    let scratch = Scratch::new("again");
    let mut server = Server::start(&scratch, "--dev");
    server.signal(libc::SIGINT);
    assert!(server.ended().success());
    assert_eq!(Server::start(&scratch, "--dev").get("/healthz", "").0, 200);
}

#[test]
fn metrics_are_for_this_machine_and_not_for_those_behind_a_proxy() {
    let scratch = Scratch::new("metrics");
    let server = Server::start(&scratch, "--dev");
    server.get("/healthz", "");
    let (status, body) = server.get("/metrics", "");
    assert!(status == 200 && body.contains("odeon_http_requests_total"), "{status} {body}");
    assert_eq!(server.get("/metrics", "X-Forwarded-For: 203.0.113.5\r\n").0, 401);
}

#[test]
fn f_5_sighup_reads_the_log_level_again_and_drops_nobody() {
    let scratch = Scratch::new("hup");
    let file = scratch.path().join("odeon.toml");
    std::fs::write(&file, "log.level = \"error\"\n").unwrap();
    let server = Server::start(&scratch, "--dev --config odeon.toml");
    std::fs::write(&file, "log.level = \"info\"\nhttp.public_url = \"https://venue.example\"\n").unwrap();
    server.signal(libc::SIGHUP);
    let line = server.log_line("next start");
    assert!(line.contains("http.public_url"), "{line}");
    server.log_line("settings read again");
    assert_eq!(server.get("/healthz", "").0, 200);
}
