//! Faults that clients ask for, to test themselves (L-60): only where it is allowed.

use crate::harness::{Heard, Say, Server};
use gateway::rooms::RegistryConfig;
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
