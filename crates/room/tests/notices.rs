//! What those outside are told (L-59): webhooks and agents live by it.

mod stage;

use room::media::MediaEnd;
use room::notice::EndReason;
use room::participant::{DisconnectReason, ParticipantKind, ParticipantState};
use room::permission::Permission;
use room::{AdminRequest, AgentRequest, Identity, Notice, ProfileChange, RoomConfig, RoomInput};
use stage::{Stage, camera, microphone};

/// One word a notice of life, with who and what.
fn told(stage: &mut Stage) -> Vec<String> {
    words(stage, true)
}

/// The others: who is present.
fn presence(stage: &mut Stage) -> Vec<String> {
    words(stage, false)
}

fn words(stage: &mut Stage, of_life: bool) -> Vec<String> {
    let word = |notice: Notice| match notice {
        Notice::RoomStarted { .. } => "started".to_owned(),
        Notice::RoomFinished(why) => format!("finished {why:?}"),
        Notice::ParticipantJoined(who) => format!("joined {}", who.identity.id),
        Notice::ParticipantLeft(who) => format!("left {}", who.identity.id),
        Notice::ParticipantConnectionAborted(who) => format!("aborted {}", who.identity.id),
        Notice::TrackPublished { participant, track } => format!("+ {} {}", participant.identity.id, track.request.cid),
        Notice::TrackUnpublished { participant, track } => {
            format!("- {} {}", participant.identity.id, track.request.cid)
        }
        Notice::Present(who) => format!("{} v{}", who.identity.id, who.version),
        Notice::Gone(who) => format!("gone {}", who.identity.id),
        other => panic!("the model does not tell {other:?}"),
    };
    stage.notices.drain(..).filter(|notice| notice.is_of_life() == of_life).map(word).collect()
}

/// product.md, «someone enters / leaves»: gateways hear of everybody at once, not only when media is up.
#[test]
fn who_comes_moves_and_goes_is_present_and_gone() {
    let mut stage = Stage::new();
    let alice = stage.join_with("alice", |join| join.permission.can_update_metadata = true);
    assert_eq!(presence(&mut stage), ["alice v1"]);
    let attributes = [("userX".to_owned(), "1.5".to_owned())].into();
    stage.input(RoomInput::UpdateMetadata { session: alice, request_id: 1, name: None, metadata: None, attributes });
    assert_eq!(presence(&mut stage), ["alice v2"]);
    stage.leave(alice);
    assert_eq!(presence(&mut stage), ["gone alice"]);
}

#[test]
fn the_hidden_are_not_present_and_who_hides_is_gone() {
    let mut stage = Stage::new();
    let hide = |hidden| AdminRequest::UpdateParticipant {
        identity: Identity::token("recorder"),
        profile: ProfileChange::default(),
        permission: Some(Permission { hidden, ..Permission::default() }),
    };
    let recorder = stage.join_with("recorder", |join| join.permission.hidden = true);
    assert!(presence(&mut stage).is_empty());
    stage.administer(hide(false)).unwrap();
    assert_eq!(presence(&mut stage), ["recorder v3"]);
    stage.administer(hide(true)).unwrap();
    assert_eq!(presence(&mut stage).last().unwrap(), "gone recorder");
    stage.leave(recorder);
    assert!(presence(&mut stage).is_empty(), "they have been gone for long");
}

#[test]
fn at_the_rooms_end_everybody_is_gone() {
    let mut stage = Stage::new();
    stage.join("alice");
    stage.join("bob");
    presence(&mut stage);
    stage.input(RoomInput::Delete);
    assert_eq!(presence(&mut stage), ["gone alice", "gone bob"]);
}

/// L-59: joined means that media is connected, and once only.
#[test]
fn l_59_a_room_from_its_beginning_to_its_end() {
    let mut stage = Stage::new();
    let alice = stage.join("alice");
    assert_eq!(told(&mut stage), ["started"]);
    stage.connect(alice);
    stage.connect(alice);
    assert_eq!(told(&mut stage), ["joined alice"]);
    let mic = stage.announce(alice, microphone("mic"));
    assert!(told(&mut stage).is_empty(), "announced is not published");
    stage.go_live(alice, &mic);
    stage.go_live(alice, &mic);
    assert_eq!(told(&mut stage), ["+ alice mic"]);
    stage.leave(alice);
    assert_eq!(told(&mut stage), ["- alice mic", "left alice"]);
    stage.pass_secs(20);
    assert_eq!(told(&mut stage), ["finished Idle"]);
}

#[test]
fn l_59_a_track_that_ends_alone_is_told_alone_and_one_that_never_came_not_at_all() {
    let mut stage = Stage::new();
    let alice = stage.join("alice");
    let cam = stage.publish(alice, camera("cam"));
    stage.announce(alice, microphone("never"));
    told(&mut stage);
    stage.media(room::media::MediaEvent::TrackEnded { session: alice, track: cam });
    assert_eq!(told(&mut stage), ["- alice cam"]);
    stage.leave(alice);
    assert_eq!(told(&mut stage), ["aborted alice"]);
}

#[test]
fn l_59_whose_media_never_connected_was_aborted() {
    let mut stage = Stage::new();
    let alice = stage.join("alice");
    stage.media_ends(alice, MediaEnd::Failed);
    assert_eq!(told(&mut stage), ["started", "aborted alice"]);
}

#[test]
fn l_59_the_leaver_is_shown_as_gone_and_with_the_reason() {
    let mut stage = Stage::new();
    let alice = stage.join("alice");
    stage.connect(alice);
    stage.leave(alice);
    let Some(Notice::ParticipantLeft(who)) = stage.notices.last().cloned() else { panic!("{:?}", stage.notices) };
    assert_eq!(who.state, ParticipantState::Disconnected);
    assert_eq!(who.disconnect_reason, Some(DisconnectReason::ClientInitiated));
}

#[test]
fn l_59_when_a_room_is_deleted_everybody_leaves_before_it_finishes() {
    let mut stage = Stage::new();
    let (alice, bob) = (stage.join("alice"), stage.join("bob"));
    stage.connect(alice);
    stage.connect(bob);
    stage.publish(alice, microphone("mic"));
    told(&mut stage);
    stage.input(RoomInput::Delete);
    assert_eq!(told(&mut stage), ["- alice mic", "left alice", "left bob", "finished Deleted"]);
}

#[test]
fn l_59_a_shutdown_says_so() {
    let mut stage = Stage::new();
    stage.input(RoomInput::Shutdown);
    assert_eq!(told(&mut stage), ["started", "finished Shutdown"]);
    assert_eq!(EndReason::Shutdown as i32, 3);
}

/// L-59: the hidden are hidden from the room, not from the backend that made their token.
#[test]
fn l_59_the_hidden_are_told_too() {
    let mut stage = Stage::new();
    let ghost = stage.join_with("ghost", |join| join.permission.hidden = true);
    stage.connect(ghost);
    assert_eq!(told(&mut stage), ["started", "joined ghost"]);
}

#[test]
fn l_16_l_59_the_elder_leaves_before_the_newer_is_there() {
    let mut stage = Stage::new();
    let old = stage.join("alice");
    stage.connect(old);
    told(&mut stage);
    let new = stage.join("alice");
    stage.connect(new);
    assert_eq!(told(&mut stage), ["left alice", "joined alice"]);
}

/// L-68: the agents that a room was made with are named in its first notice.
#[test]
fn l_68_a_room_says_which_agents_it_asks_for() {
    let agents = vec![AgentRequest { agent_name: "helper".into(), ..AgentRequest::default() }];
    let mut stage = Stage::with(RoomConfig { agents: agents.clone(), ..RoomConfig::default() });
    stage.join("alice");
    assert_eq!(stage.notices[..1], [Notice::RoomStarted { agents }]);
}

/// L-14, L-68: agents and recorders are there for the others, and go when those have gone.
#[test]
fn l_14_l_68_agents_alone_do_not_keep_a_room() {
    let mut stage = Stage::new();
    let agent = stage.join_with("agent", |join| join.kind = ParticipantKind::Agent);
    stage.join_with("recorder", |join| join.permission.recorder = true);
    let alice = stage.join("alice");
    stage.pass_secs(1000);
    assert!(!stage.ended());
    stage.leave(alice);
    stage.pass_secs(19);
    assert!(!stage.ended());
    stage.pass_secs(1);
    assert!(stage.ended() && stage.closed(agent));
    let (reason, _) = stage.leave_told(agent).unwrap();
    assert_eq!(reason, DisconnectReason::RoomClosed);
}
