//! One job, and where it stands.

use super::worker::WorkerId;
use crate::dispatch::AgentRequest;
use crate::effect::RoomInfo;
use crate::participant::Participant;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

/// `AJ_…`
pub type JobId = Arc<str>;

/// What a job is for. LiveKit: `JobType`, same numbers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum JobKind {
    /// A room.
    Room = 0,
    /// Somebody who publishes.
    Publisher = 1,
    /// Somebody who is there.
    Participant = 2,
}

impl JobKind {
    pub(super) const ALL: [Self; 3] = [Self::Room, Self::Publisher, Self::Participant];
}

/// LiveKit: `JobStatus`, same numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum JobStatus {
    /// Nobody has taken it yet.
    Pending = 0,
    /// An agent works on it.
    Running = 1,
    /// It ended well.
    Success = 2,
    /// It ended badly.
    Failed = 3,
}

/// What others are told of a job. LiveKit: `JobState`. Times are Unix milliseconds, 0 where not yet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JobState {
    /// Where it stands.
    pub status: JobStatus,
    /// What the worker said was wrong.
    pub error: String,
    /// An agent took it.
    pub started_at_ms: i64,
    /// It ended.
    pub ended_at_ms: i64,
    /// Its last change.
    pub updated_at_ms: i64,
    /// As whom the agent joins.
    pub agent_identity: String,
}

/// A job, as workers and the API see it.
#[derive(Clone, PartialEq, Debug)]
pub struct Job {
    /// `AJ_…`
    pub id: JobId,
    /// `AD_…`; empty for one that a worker asked for itself.
    pub dispatch_id: Arc<str>,
    /// For what.
    pub kind: JobKind,
    /// As it was when the job began.
    pub room: Arc<RoomInfo>,
    /// For whom, unless it is for the room.
    pub participant: Option<Arc<Participant>>,
    /// What was asked for.
    pub request: AgentRequest,
    /// Where it stands.
    pub state: JobState,
    /// Who has it, or is asked.
    pub worker: Option<WorkerId>,
}

/// Who has it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Holder {
    /// Nobody: it waits for a worker.
    Nobody,
    /// This one is asked, until then.
    Asked(WorkerId, Instant),
    /// This one runs it.
    Runs(WorkerId),
    /// One ran it that is gone. Until then it may come back and say that it still does.
    Lost(Instant),
    /// One ran it that did not come back; its agent is still in the room.
    Orphan,
    /// It has ended.
    Ended,
}

/// A job with what only the model needs.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) job: Job,
    pub(super) holder: Holder,
    /// Workers that did not want it.
    pub(super) refused: BTreeSet<WorkerId>,
    /// Only this worker is asked (it simulates).
    pub(super) only: Option<WorkerId>,
    /// Somebody had it before.
    pub(super) resuming: bool,
    /// Who wants to get rid of it, and runs it until another has it.
    pub(super) from: Option<WorkerId>,
}

impl Entry {
    pub(super) fn is_live(&self) -> bool {
        self.holder != Holder::Ended
    }

    pub(super) fn worker(&self) -> Option<WorkerId> {
        match self.holder {
            Holder::Asked(worker, _) | Holder::Runs(worker) => Some(worker),
            _ => None,
        }
    }

    /// When something has to be done about it.
    pub(super) fn deadline(&self) -> Option<Instant> {
        match self.holder {
            Holder::Asked(_, at) | Holder::Lost(at) => Some(at),
            _ => None,
        }
    }

    /// As it is shown.
    pub(super) fn shown(&self) -> Job {
        Job { worker: self.worker(), ..self.job.clone() }
    }

    pub(super) fn end(&mut self, status: JobStatus, error: String, unix_ms: i64) {
        self.holder = Holder::Ended;
        let state = &mut self.job.state;
        (state.status, state.error, state.ended_at_ms, state.updated_at_ms) = (status, error, unix_ms, unix_ms);
    }
}
