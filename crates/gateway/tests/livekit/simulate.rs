//! Faults that clients ask for, to test themselves (L-60): only where it is allowed.

use crate::harness::{Heard, Say, Server};
use gateway::rooms::RegistryConfig;
use net::turn::TurnConfig;
use proto::simulate_scenario::Scenario;
use wire::livekit::proto;

fn server_leave() -> Say {
    Say::Simulate(proto::SimulateScenario { scenario: Some(Scenario::ServerLeave(true)) })
}

#[tokio::test]
async fn l_60_who_may_simulate_gets_the_fault() {
    // L-60
    let server = Server::start_with(RegistryConfig::default(), |config| config.simulate = true).await;
    let mut alice = server.join("alice").await;
    alice.joined().await;
    alice.say(server_leave()).await;
    let leave = alice.hear_until(|heard| if let Heard::Leave(leave) = heard { Some(leave) } else { None }).await;
    assert_eq!(leave.action, proto::leave_request::Action::Disconnect as i32);
    assert_eq!(leave.reason, proto::DisconnectReason::ServerShutdown as i32);
}

#[tokio::test]
async fn l_60_nobody_simulates_where_it_is_not_allowed() {
    // L-60
    let server = Server::start(RegistryConfig::default()).await;
    let mut alice = server.join("alice").await;
    alice.joined().await;
    alice.say(server_leave()).await;
    alice.say(Say::Ping(1)).await;
    alice
        .hear_until(|heard| match heard {
            Heard::Pong(_) => Some(()),
            Heard::Leave(_) => panic!("it was not allowed"),
            _ => None,
        })
        .await;
}

/// L-60: the next session is told of the relay over TLS alone, and to use nothing else; without such a relay it is told
/// what everybody is.
#[tokio::test]
async fn l_60_the_next_session_is_sent_to_the_relay_over_tls() {
    // L-60
    for (domain, forced) in [("turn.venue.example", true), ("", false)] {
        let relay = TurnConfig {
            udp_port: Some(0),
            tcp_port: Some(0),
            stream_port: Some(0),
            tls: None,
            domain: domain.into(),
            advertised_port: None,
            relay_ports: 30_000..=30_010,
        };
        let server = Server::start_with_relay(RegistryConfig::default(), relay, |config| config.simulate = true).await;
        let mut alice = server.join("alice").await;
        let before = alice.joined().await;
        assert!(before.client_configuration.is_none());
        assert!(before.ice_servers[0].urls.iter().any(|url| url.starts_with("turn:") && url.ends_with("tcp")));
        let protocol = proto::CandidateProtocol::Tls as i32;
        alice
            .say(Say::Simulate(proto::SimulateScenario { scenario: Some(Scenario::SwitchCandidateProtocol(protocol)) }))
            .await;
        alice.say(Say::Ping(1)).await;
        alice.hear_until(|heard| if let Heard::Pong(_) = heard { Some(()) } else { None }).await;
        let after = server.join("alice").await.joined().await;
        let urls = &after.ice_servers[0].urls;
        assert_eq!(urls.iter().all(|url| url.starts_with("turns:")), forced, "{urls:?}");
        let enabled = proto::ClientConfigSetting::Enabled as i32;
        assert_eq!(after.client_configuration.is_some_and(|client| client.force_relay == enabled), forced);
        let later = server.join("alice").await.joined().await;
        assert!(later.client_configuration.is_none(), "once only");
    }
}
