//! One worker, and how willing it is.

use super::job::JobKind;
use crate::dispatch::AgentRequest;
use crate::limits::{MAX_ATTRIBUTES_BYTES, MAX_METADATA_BYTES, MAX_NAME_BYTES};
use crate::permission::Permission;
use crate::room::attributes_bytes;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A worker that is loaded more is asked only when no other is left (livekit.md 3, «agents ws»).
const TARGET_LOAD: f32 = 0.7;

/// What a job adds to a worker's load until it says so itself: enough that a burst of jobs is spread.
const LOAD_OF_A_JOB: f32 = 0.05;

/// A worker's number; never used twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct WorkerId(pub u64);

/// What a worker says of itself at first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Registration {
    /// Jobs that it takes.
    pub kind: JobKind,
    /// Under this name; empty for those without one.
    pub agent_name: String,
    /// Which version of it; empty for those without one.
    pub deployment: String,
    /// What its agents may.
    pub permission: Permission,
}

/// LiveKit: `WorkerStatus`, same numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WorkerStatus {
    /// Takes jobs.
    Available = 0,
    /// Takes none for now.
    Full = 1,
}

/// A worker takes a job, and says as whom its agent joins.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Acceptance {
    /// Empty: we choose one.
    pub identity: String,
    /// Shown to people.
    pub name: String,
    /// Free text.
    pub metadata: String,
    /// Key and value.
    pub attributes: BTreeMap<String, String>,
}

impl Acceptance {
    /// Would a room take somebody like this?
    pub(super) fn fits(&self) -> bool {
        self.identity.len() <= MAX_NAME_BYTES
            && self.name.len() <= MAX_NAME_BYTES
            && self.metadata.len() <= MAX_METADATA_BYTES
            && attributes_bytes(&self.attributes) <= MAX_ATTRIBUTES_BYTES
    }
}

/// A registered worker.
#[derive(Debug)]
pub(super) struct Worker {
    /// `AW_…`
    pub(super) sid: Arc<str>,
    pub(super) registration: Registration,
    pub(super) status: WorkerStatus,
    load: f32,
    /// Jobs that it was asked to take since it told its load.
    recent: u16,
}

impl Worker {
    pub(super) fn new(sid: Arc<str>, registration: Registration) -> Self {
        Self { sid, registration, status: WorkerStatus::Available, load: 0.0, recent: 0 }
    }

    pub(super) fn serves(&self, kind: JobKind, request: &AgentRequest) -> bool {
        let own = &self.registration;
        own.kind == kind && own.agent_name == request.agent_name && own.deployment == request.deployment
    }

    /// What it says of itself; nonsense counts as fully loaded.
    pub(super) fn report(&mut self, status: Option<WorkerStatus>, load: f32) {
        self.status = status.unwrap_or(self.status);
        self.load = if load.is_finite() { load.clamp(0.0, 1.0) } else { 1.0 };
        self.recent = 0;
    }

    pub(super) fn asked(&mut self) {
        self.recent = self.recent.saturating_add(1);
    }

    /// The least comes first: those under the target, then by load.
    pub(super) fn rank(&self) -> (bool, u32) {
        let load = self.load + f32::from(self.recent) * LOAD_OF_A_JOB;
        // Whole thousandths, so that it has an order.
        (load >= TARGET_LOAD, (load * 1000.0) as u32)
    }
}
