//! Agents: their workers connect here, and get jobs in rooms (L-68).
//!
//! | file | what |
//! |---|---|
//! | [`room::agents`] | who gets which job: the model |
//! | this one | the model, told what happens by rooms and workers |
//! | `outbox` | what a worker is to be told |
//! | `socket` | `/agent`: one worker's WebSocket |
//! | `token` | by which an agent joins |
//! | `dispatch_service` | the API |

mod dispatch_service;
mod outbox;
mod socket;
mod token;

pub(super) use dispatch_service::DispatchService;
pub(super) use socket::agent;

use crate::{clock, draw};
use auth::KeyStore;
use outbox::Outbox;
use room::Notice;
use room::agents::{AgentEffect, AgentPool, Refusal, Registration, WorkerId};
use room::effect::RoomInfo;
use room::input::Now;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use wire::livekit::{agent as wire_agent, proto};

/// All agents of this process. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Agents {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    keys: Arc<KeyStore>,
    /// Held for single steps of the model, never over an await: rooms, workers and the API all tell it things.
    state: Mutex<State>,
    /// The model's next moment has changed.
    moved: Arc<Notify>,
}

#[derive(Debug)]
struct State {
    pool: AgentPool,
    outboxes: HashMap<WorkerId, Outbox>,
}

impl Agents {
    /// Nobody there yet. Its clock runs on the runtime that it is made in, and ends with it.
    pub fn start(keys: &Arc<KeyStore>) -> Self {
        let seed = u64::from_ne_bytes(draw::bytes());
        let state = State { pool: AgentPool::new(seed), outboxes: HashMap::new() };
        let inner = Arc::new(Inner { keys: Arc::clone(keys), state: Mutex::new(state), moved: Arc::default() });
        tokio::spawn(run_clock(Arc::downgrade(&inner), Arc::clone(&inner.moved)));
        Self { inner }
    }

    /// One step of the model, and what follows from it.
    fn step<T>(&self, step: impl FnOnce(&mut AgentPool, Now) -> T) -> T {
        self.inner.step(step)
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        // A panic inside a step would be a defect of the model; what it left is still a value.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn step<T>(&self, step: impl FnOnce(&mut AgentPool, Now) -> T) -> T {
        let mut state = self.state();
        let before = state.pool.poll_timeout();
        let outcome = step(&mut state.pool, clock::now());
        while let Some(effect) = state.pool.poll_effect() {
            self.carry_out(&state, effect);
        }
        if state.pool.poll_timeout() != before {
            self.moved.notify_one();
        }
        outcome
    }

    fn carry_out(&self, state: &State, effect: AgentEffect) {
        let (worker, message) = match effect {
            AgentEffect::Ask { worker, job, resuming } => (worker, wire_agent::ask(&job, resuming)),
            AgentEffect::Terminate { worker, job } => (worker, wire_agent::terminate(&job)),
            AgentEffect::Assign { worker, job, agent, permission } => {
                // Without a key nobody could have registered.
                let token = token::token(&self.keys, clock::unix_s(), &job, agent, &permission);
                let Ok(token) = token else { return };
                metrics::counter!("odeon_agent_jobs_assigned_total").increment(1);
                (worker, wire_agent::assign(&job, token))
            }
        };
        if let Some(outbox) = state.outboxes.get(&worker) {
            outbox.put(message);
        }
    }
}

impl crate::rooms::Watcher for Agents {
    fn on_notice(&self, room: &RoomInfo, notice: &Notice) {
        self.step(|pool, now| pool.on_notice(now, room, notice));
    }
}

/// How often the clock looks whether anybody is left to be woken, where nothing is due.
const IDLE: Duration = Duration::from_secs(5);

/// Wakes the model when it wants to be.
async fn run_clock(agents: Weak<Inner>, moved: Arc<Notify>) {
    while let Some(next) = agents.upgrade().map(|inner| inner.state().pool.poll_timeout()) {
        let at = next.unwrap_or_else(|| Instant::now() + IDLE);
        let due = tokio::select! {
            () = tokio::time::sleep_until(at.into()) => true,
            () = moved.notified() => false,
        };
        if let Some(inner) = agents.upgrade().filter(|_| due) {
            inner.step(|pool, now| pool.handle_timeout(now));
        }
    }
}

/// A worker's place in the model; given up when dropped.
#[derive(Debug)]
struct Place {
    agents: Agents,
    id: WorkerId,
}

impl Place {
    fn step(&self, step: impl FnOnce(&mut AgentPool, Now, WorkerId)) {
        self.agents.step(|pool, now| step(pool, now, self.id));
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        metrics::gauge!("odeon_agent_workers").decrement(1.0);
        self.agents.inner.state().outboxes.remove(&self.id);
        self.step(|pool, now, id| pool.on_worker_lost(now, id));
    }
}

impl Agents {
    /// A worker is there: what it has to be told goes to `outbox`, first of all that it is registered.
    fn register(
        &self,
        registration: Registration,
        outbox: Outbox,
        server: proto::ServerInfo,
    ) -> Result<Place, Refusal> {
        let mut state = self.inner.state();
        let (id, sid) = state.pool.register(clock::now(), registration)?;
        outbox.put(wire_agent::registered(sid.to_string(), server));
        state.outboxes.insert(id, outbox);
        drop(state);
        metrics::gauge!("odeon_agent_workers").increment(1.0);
        // What it is asked at once, after it has its answer.
        self.step(|_, _| ());
        Ok(Place { agents: self.clone(), id })
    }
}
