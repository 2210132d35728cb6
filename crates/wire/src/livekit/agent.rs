//! What agents' workers and the server say to each other on `/agent` (livekit.md 3, «agents ws»; L-68), and dispatches as
//! the API shows them.

use super::event::Encoding;
use super::{info, proto};
use prost::Message as _;
use proto::server_message::Message as Say;
use proto::worker_message::Message as Said;
use room::agents::{Acceptance, Dispatch, Job, JobKind, JobState, JobStatus, Registration, WorkerStatus};
use room::permission::Permission;
use room::track::TrackSource;

/// Longest message of a worker, in bytes: an acceptance with the longest metadata and attributes of a participant, and
/// as much again for JSON.
pub const MAX_WORKER_MESSAGE_BYTES: usize = 1_280 * 1024;

/// Jobs that one message may name: more than a worker has.
const MAX_JOBS_NAMED: usize = 1_000;

/// Why a message was not understood.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum WorkerError {
    /// Over [`MAX_WORKER_MESSAGE_BYTES`].
    #[error("the message is too long")]
    TooLong,
    /// No protobuf, or no JSON, of a `WorkerMessage`; or one without anything in it.
    #[error("no message of a worker")]
    Malformed,
}

/// What a worker says.
#[derive(Clone, PartialEq, Debug)]
pub enum FromWorker {
    /// First of all: what it is.
    Register(Registration),
    /// It takes a job.
    Accept {
        /// Which.
        job: String,
        /// As whom.
        agent: Acceptance,
    },
    /// It does not.
    Refuse {
        /// Which.
        job: String,
        /// And nobody else should.
        terminate: bool,
    },
    /// How it is.
    Status {
        /// `None`: as before.
        status: Option<WorkerStatus>,
        /// 0..=1
        load: f32,
    },
    /// Where a job stands.
    JobStatus {
        /// Which.
        job: String,
        /// Where.
        status: JobStatus,
        /// What was wrong.
        error: String,
    },
    /// Still there?
    Ping {
        /// Echoed.
        timestamp: i64,
    },
    /// It wants to try itself out.
    Simulate {
        /// As this kind.
        kind: JobKind,
        /// In this room.
        room: String,
        /// For somebody.
        identity: String,
    },
    /// It wants others to have these jobs.
    Migrate(Vec<String>),
}

/// Reads a worker's message.
///
/// # Errors
/// See [`WorkerError`].
pub fn decode(bytes: &[u8], encoding: Encoding) -> Result<FromWorker, WorkerError> {
    if bytes.len() > MAX_WORKER_MESSAGE_BYTES {
        return Err(WorkerError::TooLong);
    }
    let message: proto::WorkerMessage = match encoding {
        Encoding::Binary => proto::WorkerMessage::decode(bytes).map_err(|_| WorkerError::Malformed)?,
        Encoding::Json => serde_json::from_slice(bytes).map_err(|_| WorkerError::Malformed)?,
    };
    message.message.ok_or(WorkerError::Malformed).map(from_worker)
}

fn from_worker(said: Said) -> FromWorker {
    match said {
        Said::Register(request) => FromWorker::Register(registration(request)),
        Said::Availability(answer) => availability(answer),
        Said::UpdateWorker(update) => FromWorker::Status {
            // Who drains takes nothing more.
            status: if update.draining { Some(WorkerStatus::Full) } else { update.status.map(worker_status) },
            load: update.load,
        },
        Said::UpdateJob(update) => {
            FromWorker::JobStatus { job: update.job_id, status: job_status(update.status), error: update.error }
        }
        Said::Ping(ping) => FromWorker::Ping { timestamp: ping.timestamp },
        Said::SimulateJob(simulate) => FromWorker::Simulate {
            kind: job_kind(simulate.r#type),
            room: simulate.room.map(|room| room.name).unwrap_or_default(),
            identity: simulate.participant.map(|who| who.identity).unwrap_or_default(),
        },
        Said::MigrateJob(migrate) => FromWorker::Migrate(migrate.job_ids.into_iter().take(MAX_JOBS_NAMED).collect()),
    }
}

fn registration(request: proto::RegisterWorkerRequest) -> Registration {
    Registration {
        kind: job_kind(request.r#type),
        agent_name: request.agent_name,
        deployment: request.deployment,
        permission: request.allowed_permissions.map_or_else(default_permission, permission),
    }
}

/// What agents may whose worker says nothing of it, as in the reference.
fn default_permission() -> Permission {
    Permission { can_update_metadata: true, agent: true, ..Permission::default() }
}

fn permission(allowed: proto::ParticipantPermission) -> Permission {
    Permission {
        can_subscribe: allowed.can_subscribe,
        can_publish: allowed.can_publish,
        can_publish_data: allowed.can_publish_data,
        can_publish_sources: allowed.can_publish_sources.iter().copied().map(source).collect(),
        can_update_metadata: allowed.can_update_metadata,
        hidden: allowed.hidden,
        agent: true,
        ..Permission::default()
    }
}

fn source(number: i32) -> TrackSource {
    match proto::TrackSource::try_from(number) {
        Ok(proto::TrackSource::Camera) => TrackSource::Camera,
        Ok(proto::TrackSource::Microphone) => TrackSource::Microphone,
        Ok(proto::TrackSource::ScreenShare) => TrackSource::ScreenShare,
        Ok(proto::TrackSource::ScreenShareAudio) => TrackSource::ScreenShareAudio,
        _ => TrackSource::Unknown,
    }
}

fn availability(answer: proto::AvailabilityResponse) -> FromWorker {
    if !answer.available {
        return FromWorker::Refuse { job: answer.job_id, terminate: answer.terminate };
    }
    let agent = Acceptance {
        identity: answer.participant_identity,
        name: answer.participant_name,
        metadata: answer.participant_metadata,
        attributes: answer.participant_attributes.into_iter().collect(),
    };
    FromWorker::Accept { job: answer.job_id, agent }
}

fn job_kind(number: i32) -> JobKind {
    match number {
        1 => JobKind::Publisher,
        2 => JobKind::Participant,
        _ => JobKind::Room,
    }
}

fn job_status(number: i32) -> JobStatus {
    match number {
        0 => JobStatus::Pending,
        2 => JobStatus::Success,
        3 => JobStatus::Failed,
        _ => JobStatus::Running,
    }
}

fn worker_status(number: i32) -> WorkerStatus {
    if number == WorkerStatus::Full as i32 { WorkerStatus::Full } else { WorkerStatus::Available }
}

/// You are registered.
pub fn registered(worker_sid: String, server: proto::ServerInfo) -> proto::ServerMessage {
    message(Say::Register(proto::RegisterWorkerResponse {
        worker_id: worker_sid,
        server_info: Some(server),
        ..proto::RegisterWorkerResponse::default()
    }))
}

/// Do you take this?
pub fn ask(asked: &Job, resuming: bool) -> proto::ServerMessage {
    message(Say::Availability(proto::AvailabilityRequest { job: Some(job(asked)), resuming }))
}

/// It is yours. The agent joins by the address that its worker knows.
pub fn assign(assigned: &Job, token: String) -> proto::ServerMessage {
    message(Say::Assignment(proto::JobAssignment { job: Some(job(assigned)), url: None, token }))
}

/// Stop working on it.
pub fn terminate(job: &str) -> proto::ServerMessage {
    message(Say::Termination(proto::JobTermination { job_id: job.to_owned() }))
}

/// Still there. Both in Unix milliseconds.
pub fn pong(last_timestamp: i64, timestamp: i64) -> proto::ServerMessage {
    message(Say::Pong(proto::WorkerPong { last_timestamp, timestamp }))
}

fn message(say: Say) -> proto::ServerMessage {
    proto::ServerMessage { message: Some(say) }
}

/// In the encoding that the worker chose.
pub fn encode(message: &proto::ServerMessage, encoding: Encoding) -> Vec<u8> {
    match encoding {
        Encoding::Binary => message.encode_to_vec(),
        // Only an enum that its type does not know can't be written, and all of them are ours.
        Encoding::Json => serde_json::to_vec(message).unwrap_or_default(),
    }
}

/// A job.
#[allow(deprecated)] // `namespace` stays empty
pub fn job(job: &Job) -> proto::Job {
    proto::Job {
        id: job.id.to_string(),
        dispatch_id: job.dispatch_id.to_string(),
        r#type: job.kind as i32,
        room: Some(info::room(&job.room)),
        participant: job.participant.as_ref().map(|who| info::participant(who)),
        metadata: job.request.metadata.clone(),
        agent_name: job.request.agent_name.clone(),
        state: Some(state(&job.state)),
        deployment: job.request.deployment.clone(),
        attributes: job.request.attributes.clone().into_iter().collect(),
        ..proto::Job::default()
    }
}

/// Times are nanoseconds, as the reference writes them.
fn state(state: &JobState) -> proto::JobState {
    let nanos = |ms: i64| ms.saturating_mul(1_000_000);
    proto::JobState {
        status: state.status as i32,
        error: state.error.clone(),
        started_at: nanos(state.started_at_ms),
        ended_at: nanos(state.ended_at_ms),
        updated_at: nanos(state.updated_at_ms),
        participant_identity: state.agent_identity.clone(),
        ..proto::JobState::default()
    }
}

/// A dispatch, with its jobs.
pub fn dispatch(dispatch: &Dispatch, room: &str) -> proto::AgentDispatch {
    let nanos = |ms: i64| ms.saturating_mul(1_000_000);
    proto::AgentDispatch {
        id: dispatch.id.to_string(),
        agent_name: dispatch.request.agent_name.clone(),
        room: room.to_owned(),
        metadata: dispatch.request.metadata.clone(),
        state: Some(proto::AgentDispatchState {
            jobs: dispatch.jobs.iter().map(job).collect(),
            created_at: nanos(dispatch.created_at_ms),
            deleted_at: nanos(dispatch.deleted_at_ms),
        }),
        deployment: dispatch.request.deployment.clone(),
        attributes: dispatch.request.attributes.clone().into_iter().collect(),
        ..proto::AgentDispatch::default()
    }
}
