//! One room: its dispatches, its people, its jobs.

use super::job::{Entry, Job, JobId, JobKind};
use crate::dispatch::AgentRequest;
use crate::effect::RoomInfo;
use crate::id::ParticipantSid;
use crate::participant::{Participant, ParticipantKind};
use indexmap::IndexMap;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Ended jobs that are kept of one room, for the API to show: the oldest are forgotten.
const MAX_ENDED_JOBS: usize = 100;

/// An agent that a room asks for, with its jobs. LiveKit: `AgentDispatch`.
#[derive(Clone, PartialEq, Debug)]
pub struct Dispatch {
    /// `AD_…`
    pub id: Arc<str>,
    /// What is asked for.
    pub request: AgentRequest,
    /// Unix milliseconds.
    pub created_at_ms: i64,
    /// Unix milliseconds; 0 while it stands.
    pub deleted_at_ms: i64,
    /// Oldest first.
    pub jobs: Vec<Job>,
}

/// What a job is about: there is one at most for each.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Subject {
    pub(super) dispatch: Arc<str>,
    pub(super) kind: JobKind,
    pub(super) participant: Option<String>,
}

/// Somebody in the room.
#[derive(Debug)]
struct Person {
    info: Arc<Participant>,
    publishes: bool,
}

/// A room, as far as agents go.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) room: Arc<RoomInfo>,
    pub(super) dispatches: IndexMap<Arc<str>, Dispatch>,
    people: BTreeMap<String, Person>,
    pub(super) jobs: IndexMap<JobId, Entry>,
    /// Jobs that were made already, ended ones too.
    pub(super) made: BTreeMap<Subject, JobId>,
}

impl Stage {
    pub(super) fn new(room: RoomInfo) -> Self {
        Self {
            room: Arc::new(room),
            dispatches: IndexMap::new(),
            people: BTreeMap::new(),
            jobs: IndexMap::new(),
            made: BTreeMap::new(),
        }
    }

    pub(super) fn add_dispatch(&mut self, id: Arc<str>, request: AgentRequest, created_at_ms: i64) {
        let dispatch = Dispatch { id: id.clone(), request, created_at_ms, deleted_at_ms: 0, jobs: Vec::new() };
        self.dispatches.insert(id, dispatch);
    }

    pub(super) fn arrived(&mut self, who: &Arc<Participant>) {
        self.people.insert(who.sid.to_string(), Person { info: who.clone(), publishes: false });
    }

    pub(super) fn published(&mut self, who: &Arc<Participant>) {
        let person = self.people.entry(who.sid.to_string());
        person.or_insert_with(|| Person { info: who.clone(), publishes: true }).publishes = true;
    }

    pub(super) fn gone(&mut self, who: &ParticipantSid) {
        self.people.remove(who.as_str());
        self.made.retain(|subject, _| subject.participant.as_deref() != Some(who.as_str()));
    }

    /// Somebody of this identity is there.
    pub(super) fn has(&self, identity: &str) -> bool {
        self.person(identity).is_some()
    }

    /// Somebody by identity.
    pub(super) fn person(&self, identity: &str) -> Option<Arc<Participant>> {
        let named = |person: &&Person| &*person.info.identity.id == identity;
        self.people.values().find(named).map(|person| person.info.clone())
    }

    /// What there should be jobs for, and are none: for the dispatches and kinds that `served` says.
    pub(super) fn missing(
        &self,
        served: impl Fn(JobKind, &AgentRequest) -> bool,
    ) -> Vec<(Subject, Option<Arc<Participant>>)> {
        let mut missing = Vec::new();
        for dispatch in self.dispatches.values() {
            for kind in JobKind::ALL.into_iter().filter(|kind| served(*kind, &dispatch.request)) {
                let subjects = self.subjects(&dispatch.id, kind);
                missing.extend(subjects.into_iter().filter(|(subject, _)| !self.made.contains_key(subject)));
            }
        }
        missing
    }

    fn subjects(&self, dispatch: &Arc<str>, kind: JobKind) -> Vec<(Subject, Option<Arc<Participant>>)> {
        let subject = |participant| Subject { dispatch: dispatch.clone(), kind, participant };
        if kind == JobKind::Room {
            return vec![(subject(None), None)];
        }
        // Agents are not for agents, nor for recorders.
        let served = |person: &&Person| {
            !matches!(person.info.kind, ParticipantKind::Agent | ParticipantKind::Egress)
                && (kind == JobKind::Participant || person.publishes)
        };
        let people = self.people.values().filter(served);
        people.map(|person| (subject(Some(person.info.sid.to_string())), Some(person.info.clone()))).collect()
    }

    /// With its jobs as they stand.
    pub(super) fn shown(&self, id: &str) -> Option<Dispatch> {
        let dispatch = self.dispatches.get(id)?;
        let jobs = self.jobs.values().filter(|entry| *entry.job.dispatch_id == *id);
        Some(Dispatch { jobs: jobs.map(Entry::shown).collect(), ..dispatch.clone() })
    }

    /// Ended jobs are history: only so many are kept.
    pub(super) fn forget_old(&mut self) {
        let ended = self.jobs.values().filter(|entry| !entry.is_live()).count();
        let mut excess = ended.saturating_sub(MAX_ENDED_JOBS);
        self.jobs.retain(|_, entry| {
            let old = excess > 0 && !entry.is_live();
            excess -= usize::from(old);
            !old
        });
    }
}
