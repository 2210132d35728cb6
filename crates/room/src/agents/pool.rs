//! Everything together: workers, rooms, jobs.

use super::job::{Entry, Holder, Job, JobId, JobKind, JobState, JobStatus};
use super::offers::ORPHAN_GRACE;
use super::stage::{Dispatch, Stage, Subject};
use super::worker::{Acceptance, Registration, Worker, WorkerId, WorkerStatus};
use crate::dispatch::AgentRequest;
use crate::effect::RoomInfo;
use crate::id::SidSource;
use crate::input::Now;
use crate::limits::MAX_AGENT_REQUESTS;
use crate::notice::Notice;
use crate::participant::Participant;
use crate::permission::Permission;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

/// Workers at a time: each is a process on some machine of the operator's.
const MAX_WORKERS: usize = 1_000;

/// Live jobs of one room: an agent is a participant, and this is a fifth of the largest room.
const MAX_ROOM_JOBS: usize = 1_000;

/// Something for the shell to do, in this order.
#[derive(Clone, PartialEq, Debug)]
pub enum AgentEffect {
    /// Ask a worker whether it takes this job.
    Ask {
        /// Whom.
        worker: WorkerId,
        /// What.
        job: Job,
        /// Somebody had it before.
        resuming: bool,
    },
    /// It has the job: give it the token by which its agent joins.
    Assign {
        /// Who.
        worker: WorkerId,
        /// What.
        job: Job,
        /// As whom its agent joins; the identity is there.
        agent: Acceptance,
        /// What the agent may.
        permission: Permission,
    },
    /// It should stop working on the job.
    Terminate {
        /// Who.
        worker: WorkerId,
        /// On what.
        job: JobId,
    },
}

/// Why something is not done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refusal {
    /// There are so many workers already.
    #[error("as many workers as may be are registered")]
    TooManyWorkers,
    /// The room asks for so many agents already.
    #[error("the room asks for as many agents as it may")]
    TooManyDispatches,
    /// No room of that name.
    #[error("requested room does not exist")]
    NoSuchRoom,
    /// No such dispatch in that room.
    #[error("agent dispatch does not exist")]
    NoSuchDispatch,
}

/// Agents as a value: tell it what happens, then drain its effects; call [`AgentPool::handle_timeout`] no later than
/// [`AgentPool::poll_timeout`] says.
#[derive(Debug)]
pub struct AgentPool {
    pub(super) workers: BTreeMap<WorkerId, Worker>,
    pub(super) stages: HashMap<String, Stage>,
    /// In which room each live job is.
    pub(super) places: HashMap<JobId, String>,
    sids: SidSource,
    next_worker: u64,
    pub(super) effects: VecDeque<AgentEffect>,
}

impl AgentPool {
    /// Nobody there yet. `seed` feeds its ids.
    pub fn new(seed: u64) -> Self {
        Self {
            workers: BTreeMap::new(),
            stages: HashMap::new(),
            places: HashMap::new(),
            sids: SidSource::new(seed),
            next_worker: 1,
            effects: VecDeque::new(),
        }
    }

    /// What is to be done next.
    pub fn poll_effect(&mut self) -> Option<AgentEffect> {
        self.effects.pop_front()
    }

    // --- workers ---

    /// A worker is there; answered with its number and its `AW_…`.
    ///
    /// # Errors
    /// [`Refusal::TooManyWorkers`]
    pub fn register(&mut self, now: Now, registration: Registration) -> Result<(WorkerId, Arc<str>), Refusal> {
        if self.workers.len() >= MAX_WORKERS {
            return Err(Refusal::TooManyWorkers);
        }
        let (id, sid) = (WorkerId(self.next_worker), self.sids.draw("AW_"));
        self.next_worker += 1;
        self.workers.insert(id, Worker::new(sid.clone(), registration));
        let rooms: Vec<_> = self.stages.keys().cloned().collect();
        rooms.iter().for_each(|room| self.fill(now, room));
        self.offer_waiting(now);
        Ok((id, sid))
    }

    /// `AW_…` of a worker, while it is there.
    pub fn worker_sid(&self, worker: WorkerId) -> Option<&str> {
        self.workers.get(&worker).map(|worker| &*worker.sid)
    }

    /// How loaded it is. One that was full and is not any more is asked again.
    pub fn on_worker_status(&mut self, now: Now, id: WorkerId, status: Option<WorkerStatus>, load: f32) {
        let Some(worker) = self.workers.get_mut(&id) else { return };
        let before = worker.status;
        worker.report(status, load);
        if before == WorkerStatus::Full && worker.status == WorkerStatus::Available {
            for entry in self.entries_mut().filter(|entry| entry.holder == Holder::Nobody) {
                entry.refused.remove(&id);
            }
            self.offer_waiting(now);
        }
    }

    /// A worker's connection is gone. What it was asked goes to others; what it runs may still run.
    pub fn on_worker_lost(&mut self, now: Now, id: WorkerId) {
        if self.workers.remove(&id).is_none() {
            return;
        }
        for entry in self.entries_mut() {
            entry.refused.remove(&id);
            match entry.holder {
                Holder::Asked(worker, _) if worker == id => entry.holder = Holder::Nobody,
                Holder::Runs(worker) if worker == id => {
                    entry.resuming = true;
                    entry.holder = Holder::Lost(now.at + ORPHAN_GRACE);
                }
                _ => {}
            }
        }
        self.offer_waiting(now);
    }

    // --- rooms ---

    /// Something happened in a room.
    pub fn on_notice(&mut self, now: Now, room: &RoomInfo, notice: &Notice) {
        match notice {
            Notice::RoomStarted { agents } => self.on_room_started(now, room, agents),
            Notice::RoomFinished(_) => return self.on_room_finished(&room.name),
            Notice::ParticipantJoined(who) => self.in_room(&room.name, |stage| stage.arrived(who)),
            Notice::TrackPublished { participant, .. } => {
                self.in_room(&room.name, |stage| stage.published(participant))
            }
            Notice::ParticipantLeft(who) => self.on_left(now, &room.name, who),
            // Nothing to an agent: publications that end, and who is present and says what.
            _ => return,
        }
        self.fill(now, &room.name);
    }

    /// Without a word about agents, a room takes those without a name.
    fn on_room_started(&mut self, now: Now, room: &RoomInfo, agents: &[AgentRequest]) {
        let implicit = [AgentRequest::default()];
        let agents = if agents.is_empty() { &implicit } else { agents };
        let mut stage = Stage::new(room.clone());
        for request in agents.iter().take(MAX_AGENT_REQUESTS) {
            stage.add_dispatch(self.sids.draw("AD_"), request.clone(), now.unix_ms);
        }
        // One of that name that was not finished can't be: rooms end before their name is free.
        self.on_room_finished(&room.name);
        self.stages.insert(room.name.clone(), stage);
    }

    fn on_room_finished(&mut self, room: &str) {
        let Some(stage) = self.stages.remove(room) else { return };
        for (id, entry) in &stage.jobs {
            self.places.remove(id);
            if let Some(worker) = entry.worker().filter(|_| entry.is_live()) {
                self.effects.push_back(AgentEffect::Terminate { worker, job: id.clone() });
            }
        }
    }

    fn on_left(&mut self, now: Now, room: &str, who: &Participant) {
        let Some(stage) = self.stages.get_mut(room) else { return };
        stage.gone(&who.sid);
        let theirs = |entry: &&Entry| entry.job.participant.as_ref().is_some_and(|for_whom| for_whom.sid == who.sid);
        let theirs: Vec<_> = stage.jobs.values().filter(theirs).map(|entry| entry.job.id.clone()).collect();
        // An agent that outlived its worker is gone now: somebody else may take over.
        let orphan =
            |entry: &&mut Entry| entry.holder == Holder::Orphan && *entry.job.state.agent_identity == *who.identity.id;
        let orphans: Vec<_> = stage
            .jobs
            .values_mut()
            .filter(orphan)
            .map(|entry| {
                entry.holder = Holder::Nobody;
                entry.job.id.clone()
            })
            .collect();
        theirs.iter().for_each(|job| self.terminate(now, job));
        orphans.iter().for_each(|job| self.offer(now, job));
    }

    fn in_room(&mut self, room: &str, change: impl FnOnce(&mut Stage)) {
        if let Some(stage) = self.stages.get_mut(room) {
            change(stage);
        }
    }

    // --- dispatches ---

    /// A room asks for one more agent; the API does so for it.
    ///
    /// # Errors
    /// No such room, or it asks for too many.
    pub fn create_dispatch(&mut self, now: Now, room: &str, request: AgentRequest) -> Result<Dispatch, Refusal> {
        let stage = self.stages.get_mut(room).ok_or(Refusal::NoSuchRoom)?;
        if stage.dispatches.len() >= MAX_AGENT_REQUESTS {
            return Err(Refusal::TooManyDispatches);
        }
        let id = self.sids.draw("AD_");
        stage.add_dispatch(id.clone(), request, now.unix_ms);
        self.fill(now, room);
        self.stages.get(room).and_then(|stage| stage.shown(&id)).ok_or(Refusal::NoSuchRoom)
    }

    /// A room asks for it no more: its agents are ended.
    ///
    /// # Errors
    /// No such room, or no such dispatch.
    pub fn delete_dispatch(&mut self, now: Now, room: &str, id: &str) -> Result<Dispatch, Refusal> {
        let stage = self.stages.get(room).ok_or(Refusal::NoSuchRoom)?;
        let dispatch = stage.shown(id).ok_or(Refusal::NoSuchDispatch)?;
        dispatch.jobs.iter().for_each(|job| self.terminate(now, &job.id));
        let stage = self.stages.get_mut(room).ok_or(Refusal::NoSuchRoom)?;
        let shown = stage.shown(id).ok_or(Refusal::NoSuchDispatch)?;
        stage.dispatches.shift_remove(id);
        stage.jobs.retain(|_, entry| *entry.job.dispatch_id != *id);
        stage.made.retain(|subject, _| *subject.dispatch != *id);
        Ok(Dispatch { deleted_at_ms: now.unix_ms, ..shown })
    }

    /// What a room asks for, oldest first.
    ///
    /// # Errors
    /// No such room.
    pub fn dispatches(&self, room: &str) -> Result<Vec<Dispatch>, Refusal> {
        let stage = self.stages.get(room).ok_or(Refusal::NoSuchRoom)?;
        Ok(stage.dispatches.keys().filter_map(|id| stage.shown(id)).collect())
    }

    // --- jobs ---

    /// Makes the jobs that a room should have, and offers them.
    fn fill(&mut self, now: Now, room: &str) {
        let Some(stage) = self.stages.get(room) else { return };
        let workers = &self.workers;
        let served = |kind, request: &AgentRequest| workers.values().any(|worker| worker.serves(kind, request));
        for (subject, participant) in stage.missing(served) {
            self.make(now, room, subject, participant, None);
        }
    }

    pub(super) fn make(
        &mut self,
        now: Now,
        room: &str,
        subject: Subject,
        participant: Option<Arc<Participant>>,
        only: Option<WorkerId>,
    ) {
        let Some(stage) = self.stages.get_mut(room) else { return };
        if stage.jobs.values().filter(|entry| entry.is_live()).count() >= MAX_ROOM_JOBS {
            return;
        }
        let request = stage.dispatches.get(&subject.dispatch).map(|dispatch| dispatch.request.clone());
        let id = self.sids.draw("AJ_");
        let entry = Entry {
            job: Job {
                id: id.clone(),
                dispatch_id: subject.dispatch.clone(),
                kind: subject.kind,
                room: stage.room.clone(),
                participant,
                request: request.unwrap_or_default(),
                state: JobState {
                    status: JobStatus::Pending,
                    error: String::new(),
                    started_at_ms: 0,
                    ended_at_ms: 0,
                    updated_at_ms: now.unix_ms,
                    agent_identity: String::new(),
                },
                worker: None,
            },
            holder: Holder::Nobody,
            refused: BTreeSet::new(),
            only,
            resuming: false,
            from: None,
        };
        stage.jobs.insert(id.clone(), entry);
        stage.made.insert(subject, id.clone());
        stage.forget_old();
        self.places.insert(id.clone(), room.to_owned());
        self.offer(now, &id);
    }

    /// A worker makes a job for itself, to try itself out.
    pub fn simulate(&mut self, now: Now, worker: WorkerId, kind: JobKind, room: &str, identity: &str) {
        let Some(stage) = self.stages.get(room).filter(|_| self.workers.contains_key(&worker)) else { return };
        let participant = stage.person(identity);
        let subject = Subject { dispatch: "".into(), kind, participant: Some(format!("simulated {}", worker.0)) };
        if !stage.made.contains_key(&subject) {
            self.make(now, room, subject, participant, Some(worker));
        }
    }

    pub(super) fn entry_mut(&mut self, job: &str) -> Option<&mut Entry> {
        let room = self.places.get(job)?;
        self.stages.get_mut(room)?.jobs.get_mut(job)
    }

    pub(super) fn entries_mut(&mut self) -> impl Iterator<Item = &mut Entry> {
        self.stages.values_mut().flat_map(|stage| stage.jobs.values_mut())
    }

    /// A job that has ended is not looked for any more.
    pub(super) fn end(&mut self, now: Now, job: &str, status: JobStatus, error: String) {
        if let Some(entry) = self.entry_mut(job) {
            entry.end(status, error, now.unix_ms);
        }
        self.places.remove(job);
    }

    /// Ends a job whose reason is gone.
    fn terminate(&mut self, now: Now, job: &JobId) {
        let Some(entry) = self.entry_mut(job) else { return };
        for worker in entry.worker().into_iter().chain(entry.from) {
            self.effects.push_back(AgentEffect::Terminate { worker, job: job.clone() });
        }
        self.end(now, job, JobStatus::Success, String::new());
    }
}
