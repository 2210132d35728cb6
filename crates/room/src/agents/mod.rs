//! Who gets which job (L-68): rooms ask for agents, workers take jobs (livekit.md 3, «agents ws»).
//!
//! A value like [`crate::room::Room`]: it is told what happens in rooms and what workers say, and its effects are
//! drained. A job exists only where a worker could take it: for each dispatch of a room and each kind that a worker of
//! that name serves, one for the room, or one for each participant, or for each who publishes.
//!
//! | file | what |
//! |---|---|
//! | `job` | one job, and where it stands |
//! | `worker` | one worker, and how willing it is |
//! | `stage` | one room: its dispatches, its people, its jobs |
//! | `offers` | a job is offered to one worker after the other |
//! | `pool` | everything together |

mod job;
mod offers;
mod pool;
mod stage;
mod worker;

pub use job::{Job, JobId, JobKind, JobState, JobStatus};
pub use pool::{AgentEffect, AgentPool, Refusal};
pub use stage::Dispatch;
pub use worker::{Acceptance, Registration, WorkerId, WorkerStatus};
