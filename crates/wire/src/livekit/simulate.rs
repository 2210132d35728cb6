//! `SimulateScenario`: what a client asks for to test itself (L-60, livekit.md 2.9).

use super::proto;
use proto::simulate_scenario::Scenario as Asked;
use room::media::Transport;
use room::scenario::Scenario;
use std::time::Duration;

/// What is asked for; `None`: a scenario that there isn't here, or one that is switched off.
pub(super) fn read(asked: &proto::SimulateScenario) -> Option<Scenario> {
    Some(match asked.scenario.as_ref()? {
        Asked::SpeakerUpdate(seconds) => Scenario::Speaking(Duration::from_secs(u64::try_from(*seconds).ok()?)),
        Asked::NodeFailure(true) => Scenario::NodeFailure,
        Asked::Migration(true) => Scenario::Migration,
        Asked::ServerLeave(true) => Scenario::ServerLeave,
        Asked::DisconnectSignalOnResume(true) => Scenario::HangUpOnResume { silent: false },
        Asked::DisconnectSignalOnResumeNoMessages(true) => Scenario::HangUpOnResume { silent: true },
        Asked::SwitchCandidateProtocol(protocol) => Scenario::SwitchTransport(transport(*protocol)?),
        Asked::SubscriberBandwidth(bps) => Scenario::Downlink(u64::try_from(*bps).unwrap_or_default()),
        Asked::LeaveRequestFullReconnect(true) => Scenario::FullReconnect,
        _ => return None,
    })
}

fn transport(protocol: i32) -> Option<Transport> {
    Some(match proto::CandidateProtocol::try_from(protocol).ok()? {
        proto::CandidateProtocol::Udp => Transport::Any,
        proto::CandidateProtocol::Tcp => Transport::TcpOnly,
        proto::CandidateProtocol::Tls => Transport::TurnTls,
    })
}
