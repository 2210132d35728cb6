//! Who gets which job (L-68), in virtual time.

use room::agents::{
    Acceptance, AgentEffect, AgentPool, Job, JobKind, JobStatus, Refusal, Registration, WorkerId, WorkerStatus,
};
use room::effect::RoomInfo;
use room::input::Now;
use room::notice::EndReason;
use room::participant::{Participant, ParticipantKind, ParticipantState};
use room::permission::Permission;
use room::{AgentRequest, Identity, Notice, ParticipantSid, RoomSid};
use std::sync::Arc;
use std::time::{Duration, Instant};

struct World {
    pool: AgentPool,
    now: Now,
}

impl World {
    #[allow(clippy::disallowed_methods, reason = "somewhere to count from: only differences matter")]
    fn new() -> Self {
        Self { pool: AgentPool::new(7), now: Now { at: Instant::now(), unix_ms: 1_000 } }
    }

    fn pass(&mut self, time: Duration) {
        self.now.at += time;
        self.now.unix_ms += i64::try_from(time.as_millis()).unwrap();
        while self.pool.poll_timeout().is_some_and(|at| at <= self.now.at) {
            self.pool.handle_timeout(self.now);
        }
    }

    fn worker(&mut self, kind: JobKind, name: &str) -> WorkerId {
        let registration = Registration {
            kind,
            agent_name: name.to_owned(),
            deployment: String::new(),
            permission: Permission::default(),
        };
        self.pool.register(self.now, registration).unwrap().0
    }

    fn room(&mut self, name: &str, agents: &[&str]) {
        let agents = agents.iter().map(|name| request(name)).collect();
        self.notice(name, Notice::RoomStarted { agents });
    }

    fn notice(&mut self, room: &str, notice: Notice) {
        self.pool.on_notice(self.now, &info(room), &notice);
    }

    fn effects(&mut self) -> Vec<AgentEffect> {
        std::iter::from_fn(|| self.pool.poll_effect()).collect()
    }

    /// Who is asked for what, since the last look.
    fn asked(&mut self) -> Vec<(WorkerId, Job)> {
        let asks = self.effects().into_iter().filter_map(|effect| match effect {
            AgentEffect::Ask { worker, job, .. } => Some((worker, job)),
            _ => None,
        });
        asks.collect()
    }

    fn accept(&mut self, worker: WorkerId, job: &Job) {
        let agent = Acceptance { identity: "agent".into(), ..Acceptance::default() };
        self.pool.on_accepted(self.now, worker, &job.id, agent);
    }

    /// A room with one job that `worker` runs.
    fn running(&mut self, worker: WorkerId) -> Job {
        self.room("hall", &[]);
        let (asked, job) = self.asked().remove(0);
        assert_eq!(asked, worker);
        self.accept(worker, &job);
        self.effects();
        job
    }
}

fn request(name: &str) -> AgentRequest {
    AgentRequest { agent_name: name.to_owned(), metadata: "hint".into(), ..AgentRequest::default() }
}

fn info(name: &str) -> RoomInfo {
    RoomInfo {
        sid: RoomSid::new("RM_1"),
        name: name.to_owned(),
        empty_timeout_s: 300,
        departure_timeout_s: 20,
        max_participants: 0,
        created_at_ms: 1,
        metadata: String::new(),
        num_participants: 0,
        num_publishers: 0,
        active_recording: false,
    }
}

fn person(identity: &str, kind: ParticipantKind) -> Arc<Participant> {
    Arc::new(Participant {
        sid: ParticipantSid::new(format!("PA_{identity}")),
        identity: Identity::token(identity),
        name: String::new(),
        metadata: String::new(),
        attributes: Default::default(),
        state: ParticipantState::Active,
        permission: Permission::default(),
        tracks: Vec::new(),
        data_tracks: Vec::new(),
        joined_at_ms: 1,
        version: 1,
        kind,
        client: Default::default(),
        disconnect_reason: None,
        is_publisher: false,
        region: String::new(),
    })
}

fn joined(identity: &str) -> Notice {
    Notice::ParticipantJoined(person(identity, ParticipantKind::Standard))
}

fn left(identity: &str) -> Notice {
    Notice::ParticipantLeft(person(identity, ParticipantKind::Standard))
}

fn terminated(effects: &[AgentEffect]) -> Vec<WorkerId> {
    let terminated = effects.iter().filter_map(|effect| match effect {
        AgentEffect::Terminate { worker, .. } => Some(*worker),
        _ => None,
    });
    terminated.collect()
}

#[test]
fn l_68_a_room_gets_an_agent_and_the_agent_a_token() {
    let mut world = World::new();
    let worker = world.worker(JobKind::Room, "");
    world.room("hall", &[]);
    let (asked, job) = world.asked().remove(0);
    assert_eq!((asked, job.kind, &*job.room.name), (worker, JobKind::Room, "hall"));
    assert!(job.id.starts_with("AJ_") && job.dispatch_id.starts_with("AD_"));
    world.pool.on_accepted(world.now, worker, &job.id, Acceptance::default());
    let effects = world.effects();
    let [AgentEffect::Assign { worker: to, agent, .. }] = &*effects else { panic!("{effects:?}") };
    assert_eq!((*to, agent.identity.clone()), (worker, format!("agent-{}", job.id)));
    let shown = world.pool.dispatches("hall").unwrap().remove(0).jobs.remove(0);
    assert_eq!((shown.state.status, shown.worker), (JobStatus::Running, Some(worker)));
}

#[test]
fn l_68_a_room_that_names_its_agents_gets_these_and_no_other() {
    let mut world = World::new();
    world.worker(JobKind::Room, "");
    let named = world.worker(JobKind::Room, "helper");
    world.room("hall", &["helper"]);
    let asked = world.asked();
    assert_eq!(asked.iter().map(|(worker, _)| *worker).collect::<Vec<_>>(), [named]);
    assert_eq!(asked[0].1.request.metadata, "hint");
}

#[test]
fn l_68_participants_and_publishers_have_agents_of_their_own() {
    let mut world = World::new();
    let participants = world.worker(JobKind::Participant, "");
    let publishers = world.worker(JobKind::Publisher, "");
    world.room("hall", &[]);
    assert!(world.asked().is_empty());
    world.notice("hall", joined("alice"));
    assert_eq!(world.asked()[0].0, participants);
    let track = Arc::new(room::track::Track {
        sid: room::TrackSid::new("TR_1"),
        muted: false,
        mime: String::new(),
        mid: String::new(),
        layers: Vec::new(),
        codecs: Vec::new(),
        version_us: 0,
        request: Arc::new(track_request()),
    });
    let participant = person("alice", ParticipantKind::Standard);
    for _ in 0..2 {
        world.notice("hall", Notice::TrackPublished { participant: participant.clone(), track: track.clone() });
    }
    let asked = world.asked();
    assert_eq!(asked.len(), 1, "one job a publisher, however many tracks");
    assert_eq!((asked[0].0, asked[0].1.kind), (publishers, JobKind::Publisher));
    world.accept(publishers, &asked[0].1);
    world.effects();
    world.notice("hall", left("alice"));
    let ended = terminated(&world.effects());
    assert!(ended.contains(&publishers) && ended.contains(&participants), "{ended:?}");
}

fn track_request() -> room::track::TrackRequest {
    room::track::TrackRequest {
        cid: "cid".into(),
        kind: room::track::TrackKind::Audio,
        source: room::track::TrackSource::Microphone,
        name: String::new(),
        muted: false,
        width: 0,
        height: 0,
        layers: Vec::new(),
        codecs: Vec::new(),
        disable_dtx: false,
        disable_red: false,
        stereo: false,
        stream: String::new(),
        encryption: 0,
        backup_codec_policy: 0,
        audio_features: Vec::new(),
        packet_trailer_features: Vec::new(),
    }
}

#[test]
fn l_68_agents_are_not_for_agents() {
    let mut world = World::new();
    world.worker(JobKind::Participant, "");
    world.room("hall", &[]);
    world.notice("hall", Notice::ParticipantJoined(person("bot", ParticipantKind::Agent)));
    assert!(world.asked().is_empty());
}

#[test]
fn l_68_the_least_loaded_is_asked_and_a_full_one_never() {
    let mut world = World::new();
    let [busy, idle, full] = [0, 1, 2].map(|_| world.worker(JobKind::Room, ""));
    world.pool.on_worker_status(world.now, busy, Some(WorkerStatus::Available), 0.6);
    world.pool.on_worker_status(world.now, idle, Some(WorkerStatus::Available), 0.1);
    world.pool.on_worker_status(world.now, full, Some(WorkerStatus::Full), 0.0);
    world.room("one", &[]);
    assert_eq!(world.asked()[0].0, idle);
    world.pool.on_worker_status(world.now, idle, None, 0.8);
    world.room("two", &[]);
    assert_eq!(world.asked()[0].0, busy);
    world.pool.on_worker_status(world.now, busy, None, f32::NAN);
    world.room("three", &[]);
    assert_eq!(world.asked()[0].0, idle, "over the target load is better than nonsense");
}

/// L-68: a burst of jobs is spread before anybody has told its new load.
#[test]
fn l_68_a_burst_is_spread() {
    let mut world = World::new();
    let workers = [0, 1].map(|_| world.worker(JobKind::Room, ""));
    (0..10).for_each(|number| world.room(&format!("room-{number}"), &[]));
    let asked = world.asked();
    for worker in workers {
        assert_eq!(asked.iter().filter(|(asked, _)| *asked == worker).count(), 5);
    }
}

#[test]
fn l_68_whoever_refuses_or_is_silent_for_10_s_is_passed_over() {
    let mut world = World::new();
    let [first, second, third] = [0, 1, 2].map(|_| world.worker(JobKind::Room, ""));
    world.room("hall", &[]);
    let (asked, job) = world.asked().remove(0);
    assert_eq!(asked, first);
    world.pool.on_refused(world.now, first, &job.id, false);
    assert_eq!(world.asked()[0].0, second);
    world.pass(Duration::from_millis(9_999));
    assert!(world.asked().is_empty());
    world.pass(Duration::from_millis(1));
    assert_eq!(world.asked()[0].0, third);
    world.accept(second, &job);
    assert!(world.effects().is_empty(), "too late");
    world.pool.on_refused(world.now, third, &job.id, false);
    assert!(world.asked().is_empty(), "nobody is left");
    let fourth = world.worker(JobKind::Room, "");
    assert_eq!(world.asked()[0].0, fourth, "a job waits for a worker");
}

#[test]
fn l_68_a_worker_may_refuse_for_everybody() {
    let mut world = World::new();
    let [first, _] = [0, 1].map(|_| world.worker(JobKind::Room, ""));
    world.room("hall", &[]);
    let (_, job) = world.asked().remove(0);
    world.pool.on_refused(world.now, first, &job.id, true);
    assert!(world.asked().is_empty());
    assert_eq!(world.pool.dispatches("hall").unwrap()[0].jobs[0].state.status, JobStatus::Failed);
}

#[test]
fn l_68_one_that_was_full_is_asked_again_when_it_is_not() {
    let mut world = World::new();
    let worker = world.worker(JobKind::Room, "");
    world.pool.on_worker_status(world.now, worker, Some(WorkerStatus::Full), 1.0);
    world.room("hall", &[]);
    assert!(world.asked().is_empty());
    world.pool.on_worker_status(world.now, worker, Some(WorkerStatus::Available), 0.2);
    assert_eq!(world.asked()[0].0, worker);
}

#[test]
fn l_68_a_lost_workers_job_goes_to_another_unless_it_comes_back_in_time() {
    let mut world = World::new();
    let first = world.worker(JobKind::Room, "");
    let job = world.running(first);
    world.pool.on_worker_lost(world.now, first);
    let again = world.worker(JobKind::Room, "");
    world.pool.on_job_status(world.now, again, &job.id, JobStatus::Running, String::new());
    world.pass(Duration::from_secs(60));
    assert!(world.asked().is_empty(), "it came back and still runs it");
    world.pool.on_worker_lost(world.now, again);
    let other = world.worker(JobKind::Room, "");
    world.pass(Duration::from_secs(4));
    assert!(world.asked().is_empty());
    world.pass(Duration::from_secs(1));
    let effects = world.effects();
    assert!(matches!(&*effects, [AgentEffect::Ask { worker, resuming: true, .. }] if *worker == other), "{effects:?}");
}

/// L-68: no second agent beside one that is still in the room.
#[test]
fn l_68_an_agent_that_outlives_its_worker_is_replaced_when_it_leaves() {
    let mut world = World::new();
    let worker = world.worker(JobKind::Room, "");
    world.running(worker);
    world.notice("hall", Notice::ParticipantJoined(person("agent", ParticipantKind::Agent)));
    let other = world.worker(JobKind::Room, "");
    world.pool.on_worker_lost(world.now, worker);
    world.pass(Duration::from_secs(60));
    assert!(world.asked().is_empty());
    world.notice("hall", Notice::ParticipantLeft(person("agent", ParticipantKind::Agent)));
    assert_eq!(world.asked()[0].0, other);
}

#[test]
fn l_68_a_lost_worker_that_was_only_asked_is_passed_over_at_once() {
    let mut world = World::new();
    let [first, second] = [0, 1].map(|_| world.worker(JobKind::Room, ""));
    world.room("hall", &[]);
    assert_eq!(world.asked()[0].0, first);
    world.pool.on_worker_lost(world.now, first);
    assert_eq!(world.asked()[0].0, second);
}

#[test]
fn l_68_a_worker_hands_its_jobs_over_and_keeps_them_until_another_has_them() {
    let mut world = World::new();
    let first = world.worker(JobKind::Room, "");
    let job = world.running(first);
    world.pool.on_migrate(world.now, first, &[job.id.to_string()]);
    assert!(world.effects().is_empty(), "there is no other");
    assert_eq!(world.pool.dispatches("hall").unwrap()[0].jobs[0].worker, Some(first));
    let second = world.worker(JobKind::Room, "");
    world.pool.on_migrate(world.now, first, &[job.id.to_string()]);
    assert_eq!(world.asked()[0].0, second);
    world.accept(second, &job);
    let effects = world.effects();
    assert_eq!(terminated(&effects), [first]);
    assert!(matches!(effects.last(), Some(AgentEffect::Assign { worker, .. }) if *worker == second));
}

#[test]
fn l_68_dispatches_are_made_listed_and_deleted_by_the_api() {
    let mut world = World::new();
    let worker = world.worker(JobKind::Room, "helper");
    assert_eq!(world.pool.create_dispatch(world.now, "hall", request("helper")), Err(Refusal::NoSuchRoom));
    world.room("hall", &[]);
    let made = world.pool.create_dispatch(world.now, "hall", request("helper")).unwrap();
    let (asked, job) = world.asked().remove(0);
    assert_eq!((asked, &job.dispatch_id), (worker, &made.id));
    world.accept(worker, &job);
    world.effects();
    assert_eq!(world.pool.dispatches("hall").unwrap().len(), 2, "the one without a name is there too");
    let deleted = world.pool.delete_dispatch(world.now, "hall", &made.id).unwrap();
    assert_eq!((deleted.id.clone(), deleted.deleted_at_ms), (made.id.clone(), world.now.unix_ms));
    assert_eq!(terminated(&world.effects()), [worker]);
    assert_eq!(world.pool.delete_dispatch(world.now, "hall", &made.id), Err(Refusal::NoSuchDispatch));
    for _ in 1..32 {
        world.pool.create_dispatch(world.now, "hall", request("x")).unwrap();
    }
    assert_eq!(world.pool.create_dispatch(world.now, "hall", request("x")), Err(Refusal::TooManyDispatches));
}

#[test]
fn l_68_a_job_that_ended_is_not_given_out_again() {
    let mut world = World::new();
    let worker = world.worker(JobKind::Room, "");
    let job = world.running(worker);
    world.pool.on_job_status(world.now, worker, &job.id, JobStatus::Failed, "out of words".into());
    world.worker(JobKind::Room, "");
    world.notice("hall", joined("alice"));
    world.pass(Duration::from_secs(100));
    assert!(world.asked().is_empty());
    let state = world.pool.dispatches("hall").unwrap()[0].jobs[0].state.clone();
    assert_eq!((state.status, &*state.error), (JobStatus::Failed, "out of words"));
}

#[test]
fn l_68_a_stranger_says_nothing_of_anothers_job() {
    let mut world = World::new();
    let worker = world.worker(JobKind::Room, "");
    let job = world.running(worker);
    let stranger = world.worker(JobKind::Room, "");
    world.pool.on_job_status(world.now, stranger, &job.id, JobStatus::Failed, String::new());
    world.pool.on_migrate(world.now, stranger, &[job.id.to_string()]);
    world.pool.on_accepted(world.now, stranger, &job.id, Acceptance::default());
    assert!(world.effects().is_empty());
    assert_eq!(world.pool.dispatches("hall").unwrap()[0].jobs[0].state.status, JobStatus::Running);
}

#[test]
fn l_68_when_the_room_ends_so_do_its_jobs() {
    let mut world = World::new();
    let worker = world.worker(JobKind::Room, "");
    world.running(worker);
    world.notice("hall", Notice::RoomFinished(EndReason::Idle));
    assert_eq!(terminated(&world.effects()), [worker]);
    assert_eq!(world.pool.dispatches("hall"), Err(Refusal::NoSuchRoom));
    assert_eq!(world.pool.poll_timeout(), None);
}

#[test]
fn l_68_a_worker_that_comes_to_a_room_that_lives_already_is_asked() {
    let mut world = World::new();
    world.room("hall", &[]);
    world.notice("hall", joined("alice"));
    let worker = world.worker(JobKind::Participant, "");
    let asked = world.asked();
    assert_eq!(asked[0].0, worker);
    assert_eq!(&*asked[0].1.participant.as_ref().unwrap().identity.id, "alice");
}

#[test]
fn l_68_a_worker_may_simulate_a_job_and_only_for_itself() {
    let mut world = World::new();
    let [worker, other] = [0, 1].map(|_| world.worker(JobKind::Room, "named"));
    world.room("hall", &[]);
    world.pool.simulate(world.now, worker, JobKind::Room, "hall", "");
    let (asked, job) = world.asked().remove(0);
    assert_eq!(asked, worker);
    world.pool.on_refused(world.now, worker, &job.id, false);
    assert!(world.asked().is_empty(), "{other:?} is not asked");
    world.pool.simulate(world.now, worker, JobKind::Room, "nowhere", "");
    assert!(world.asked().is_empty());
}
