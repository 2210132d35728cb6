//! Faults and changes that a client asks for to test itself (L-60, livekit.md 2.9).

use super::Room;
use super::member::Goodbye;
use crate::effect::{LeaveAction, RoomEffect, RoomEvent};
use crate::id::{Identity, SessionId};
use crate::input::{Join, Now};
use crate::limits::{MAX_TRANSPORT_SWITCHES, SIMULATED_FAULT_LIFE, TRANSPORT_SWITCH_LIFE};
use crate::media::{MediaCommand, Transport};
use crate::participant::DisconnectReason;
use crate::scenario::Scenario;
use std::collections::HashMap;
use std::time::Instant;

/// The next resume is cut off.
#[derive(Clone, Copy, Debug)]
pub(super) struct ResumeFault {
    /// Forgotten by then.
    until: Instant,
    /// Before anything was said.
    silent: bool,
}

/// Whose next session is offered other ways, and until when.
pub(super) type TransportSwitches = HashMap<Identity, (Instant, Transport)>;

impl Room {
    pub(super) fn on_simulate(&mut self, now: Now, session: SessionId, scenario: Scenario) {
        let shutdown = |action| Goodbye { reason: DisconnectReason::ServerShutdown, action };
        match scenario {
            Scenario::Speaking(time) => self.pretend_speech(now, session, time),
            Scenario::NodeFailure => self.depart(session, shutdown(None)),
            Scenario::Migration => {
                let (reason, action) = (DisconnectReason::Migration, LeaveAction::Resume);
                self.tell(session, RoomEvent::Leave { reason, action });
                self.hang_up(now, session);
            }
            Scenario::ServerLeave => self.depart(session, shutdown(Some(LeaveAction::Disconnect))),
            Scenario::HangUpOnResume { silent } => {
                if let Some(member) = self.members.get_mut(&session) {
                    member.resume_fault = Some(ResumeFault { until: now.at + SIMULATED_FAULT_LIFE, silent });
                }
            }
            Scenario::FullReconnect => self.refuse_resume(session),
            Scenario::Downlink(bps) => self.command(MediaCommand::LimitDownlink { session, bps }),
            Scenario::SwitchTransport(transport) => self.switch_transport(now, session, transport),
        }
    }

    fn switch_transport(&mut self, now: Now, session: SessionId, transport: Transport) {
        let Some(member) = self.members.get(&session) else {
            return;
        };
        let identity = member.info.identity.clone();
        self.switches.retain(|_, (until, _)| *until > now.at);
        if self.switches.len() < MAX_TRANSPORT_SWITCHES {
            self.switches.insert(identity, (now.at + TRANSPORT_SWITCH_LIFE, transport));
        }
    }

    /// The ways that a newcomer is offered: those asked for with the join, or by their session before. Once only.
    pub(super) fn transport_for(&mut self, now: Now, join: &Join) -> Transport {
        let switched = self.switches.remove(&join.identity).filter(|(until, _)| *until > now.at);
        switched.map_or(join.transport, |(_, transport)| transport)
    }

    /// The socket closes, the session stays to be resumed.
    pub(super) fn hang_up(&mut self, now: Now, session: SessionId) {
        self.effects.push_back(RoomEffect::HangUp { session });
        self.on_signal_lost(now, session);
    }

    /// Is this resume to be cut off, before anything is said (`silent`) or after `Resumed`? Once only.
    pub(super) fn takes_resume_fault(&mut self, at: Instant, session: SessionId, silent: bool) -> bool {
        let Some(member) = self.members.get_mut(&session) else {
            return false;
        };
        let fault = member.resume_fault.take_if(|fault| fault.silent == silent || fault.until <= at);
        fault.is_some_and(|fault| fault.until > at)
    }
}
