//! A job is offered to one worker after the other, until one takes it; and what becomes of it then.

use super::job::{Entry, Holder, JobId, JobStatus};
use super::pool::{AgentEffect, AgentPool};
use super::worker::{Acceptance, WorkerId, WorkerStatus};
use crate::input::Now;
use std::time::{Duration, Instant};

/// How long a worker has to say whether it takes a job (livekit.md 3, «agents ws»).
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a worker that was lost has to come back: it connects again at once, and then every 2 to 10 s.
pub(super) const ORPHAN_GRACE: Duration = Duration::from_secs(5);

impl AgentPool {
    /// Asks the most willing worker that has not refused it.
    pub(super) fn offer(&mut self, now: Now, job: &JobId) {
        let Some(worker) = self.most_willing(job) else { return };
        let Some(entry) = self.entry_mut(job) else { return };
        entry.holder = Holder::Asked(worker, now.at + ANSWER_TIMEOUT);
        let (job, resuming) = (entry.shown(), entry.resuming);
        self.effects.push_back(AgentEffect::Ask { worker, job, resuming });
        if let Some(worker) = self.workers.get_mut(&worker) {
            worker.asked();
        }
    }

    fn most_willing(&self, job: &str) -> Option<WorkerId> {
        let entry = self.stages.get(self.places.get(job)?)?.jobs.get(job)?;
        let fits = |id: WorkerId| {
            let worker = self.workers.get(&id)?;
            let serves =
                entry.only == Some(id) || (entry.only.is_none() && worker.serves(entry.job.kind, &entry.job.request));
            let willing = worker.status == WorkerStatus::Available && !entry.refused.contains(&id);
            (serves && willing).then(|| worker.rank())
        };
        let ranked = self.workers.keys().filter_map(|id| Some((fits(*id)?, *id)));
        ranked.min().map(|(_, id)| id)
    }

    /// Offers everything that nobody has.
    pub(super) fn offer_waiting(&mut self, now: Now) {
        let waiting = self.entries_mut().filter(|entry| entry.holder == Holder::Nobody);
        let waiting: Vec<_> = waiting.map(|entry| entry.job.id.clone()).collect();
        waiting.iter().for_each(|job| self.offer(now, job));
    }

    /// A worker takes what it was asked for.
    pub fn on_accepted(&mut self, now: Now, worker: WorkerId, job: &str, mut agent: Acceptance) {
        if !agent.fits() {
            return self.on_refused(now, worker, job, false);
        }
        let Some(permission) = self.workers.get(&worker).map(|worker| worker.registration.permission.clone()) else {
            return;
        };
        let Some(entry) = self.entry_mut(job).filter(|entry| asked(entry.holder, worker)) else { return };
        if agent.identity.is_empty() {
            agent.identity = format!("agent-{job}");
        }
        entry.holder = Holder::Runs(worker);
        let previous = entry.from.take();
        let state = &mut entry.job.state;
        (state.status, state.started_at_ms, state.updated_at_ms) = (JobStatus::Running, now.unix_ms, now.unix_ms);
        state.agent_identity.clone_from(&agent.identity);
        let job = entry.shown();
        let done = previous.map(|worker| AgentEffect::Terminate { worker, job: job.id.clone() });
        self.effects.extend(done);
        self.effects.push_back(AgentEffect::Assign { worker, job, agent, permission });
    }

    /// A worker does not want it: another is asked, unless nobody should be.
    pub fn on_refused(&mut self, now: Now, worker: WorkerId, job: &str, terminate: bool) {
        let Some(entry) = self.entry_mut(job).filter(|entry| asked(entry.holder, worker)) else { return };
        entry.refused.insert(worker);
        entry.holder = Holder::Nobody;
        let id = entry.job.id.clone();
        if terminate {
            return self.end(now, job, JobStatus::Failed, "the worker refused it for everybody".to_owned());
        }
        self.offer(now, &id);
        self.keep_if_nobody_takes(&id);
    }

    /// A worker says where a job of its stands. One that was thought lost may be claimed again by this.
    pub fn on_job_status(&mut self, now: Now, worker: WorkerId, job: &str, status: JobStatus, error: String) {
        let known = self.workers.contains_key(&worker);
        let Some(entry) = self.entry_mut(job).filter(|_| known) else { return };
        let claims = matches!(entry.holder, Holder::Lost(_) | Holder::Orphan);
        if !claims && entry.holder != Holder::Runs(worker) {
            return;
        }
        entry.holder = Holder::Runs(worker);
        entry.job.state.updated_at_ms = now.unix_ms;
        if matches!(status, JobStatus::Success | JobStatus::Failed) {
            self.end(now, job, status, error);
        }
    }

    /// A worker wants to get rid of its jobs: each goes to another, if there is one; until then it keeps it.
    pub fn on_migrate(&mut self, now: Now, worker: WorkerId, jobs: &[String]) {
        for job in jobs {
            let Some(entry) = self.entry_mut(job).filter(|entry| entry.holder == Holder::Runs(worker)) else {
                continue;
            };
            entry.refused.insert(worker);
            (entry.resuming, entry.from, entry.holder) = (true, Some(worker), Holder::Nobody);
            let id = entry.job.id.clone();
            self.offer(now, &id);
            self.keep_if_nobody_takes(&id);
        }
    }

    fn keep_if_nobody_takes(&mut self, job: &str) {
        if let Some(entry) = self.entry_mut(job).filter(|entry| entry.holder == Holder::Nobody)
            && let Some(worker) = entry.from.take()
        {
            entry.holder = Holder::Runs(worker);
        }
    }

    /// When [`AgentPool::handle_timeout`] wants to be called next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let entries = self.stages.values().flat_map(|stage| stage.jobs.values());
        entries.filter_map(Entry::deadline).min()
    }

    /// Time has passed: who does not answer has refused, and who does not come back has gone.
    pub fn handle_timeout(&mut self, now: Now) {
        let due = |entry: &&mut Entry| entry.deadline().is_some_and(|at| at <= now.at);
        let due: Vec<_> = self.entries_mut().filter(due).map(|entry| (entry.job.id.clone(), entry.holder)).collect();
        for (job, holder) in due {
            match holder {
                Holder::Asked(worker, _) => self.on_refused(now, worker, &job, false),
                _ => self.give_up_on_worker(now, &job),
            }
        }
    }

    /// Its worker did not come back. While its agent is still in the room nobody else takes its place.
    fn give_up_on_worker(&mut self, now: Now, job: &JobId) {
        let Some(room) = self.places.get(job).cloned() else { return };
        let Some(stage) = self.stages.get_mut(&room) else { return };
        let identity = stage.jobs.get(job).map(|entry| entry.job.state.agent_identity.clone());
        let there = identity.is_some_and(|identity| stage.has(&identity));
        let Some(entry) = stage.jobs.get_mut(job) else { return };
        entry.holder = if there { Holder::Orphan } else { Holder::Nobody };
        if !there {
            self.offer(now, job);
        }
    }
}

fn asked(holder: Holder, worker: WorkerId) -> bool {
    matches!(holder, Holder::Asked(asked, _) if asked == worker)
}
