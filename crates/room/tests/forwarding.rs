//! Somebody of another room is shown here, with their tracks (ForwardParticipant, L-55).

mod stage;

use room::effect::Speaker;
use room::input::{Mirrored, Subscriber, TrackPermission};
use room::media::{AudioLevel, ConnectionMode, MediaEvent};
use room::participant::ParticipantState;
use room::{AdminError, AdminRequest, Identity, JoinError, Notice, ProfileChange, RoomEvent, RoomInput, SessionId};
use stage::{Stage, Step, camera, microphone};

/// Both rooms: where ada is, and where she is shown to ben.
struct Rooms {
    home: Stage,
    ada: SessionId,
    there: Stage,
    shown: SessionId,
    ben: SessionId,
}

fn rooms() -> Rooms {
    let (mut home, mut there) = (Stage::new(), Stage::new());
    let (ada, ben) = (home.join("ada"), there.join("ben"));
    let shown = there.join_with("ada", |join| join.mode = ConnectionMode::Elsewhere);
    Rooms { home, ada, there, shown, ben }
}

impl Rooms {
    fn mirror(&mut self) {
        let mirrored: Box<Mirrored> = Box::new(self.home.room.mirrored(self.ada).unwrap());
        self.there.input(RoomInput::Mirror { session: self.shown, mirrored });
    }

    fn administer(&mut self, request: AdminRequest) -> Result<(), AdminError> {
        self.there.administer(request)
    }
}

/// L-55: the tracks keep their sids, and come after the update that shows them.
#[test]
fn l_55_tracks_of_somebody_elsewhere_are_received_as_anybodys() {
    let mut rooms = rooms();
    assert_eq!(rooms.there.seen(rooms.ben, "ada").unwrap().state, ParticipantState::Active);
    let mic = rooms.home.publish(rooms.ada, microphone("m"));
    let cam = rooms.home.publish(rooms.ada, camera("c"));
    rooms.mirror();
    assert_eq!(rooms.there.subscribed(), [(rooms.ben, mic.clone()), (rooms.ben, cam.clone())].into());
    let seen = rooms.there.seen(rooms.ben, "ada").unwrap();
    assert_eq!(seen.tracks.iter().map(|track| &track.sid).collect::<Vec<_>>(), [&mic, &cam]);
    let shown = rooms.there.position(|step| matches!(step, Step::Told(_, event) if tells_tracks(event)));
    let subscribed = rooms.there.position(|step| matches!(step, Step::Command(command) if is_subscribe(command)));
    assert!(shown < subscribed);
    let published = rooms.there.notices.iter().filter(|notice| matches!(notice, Notice::TrackPublished { .. }));
    assert_eq!(published.count(), 2);
}

fn tells_tracks(event: &RoomEvent) -> bool {
    matches!(event, RoomEvent::ParticipantsUpdated(list) if list.iter().any(|info| !info.tracks.is_empty()))
}

fn is_subscribe(command: &room::media::MediaCommand) -> bool {
    matches!(command, room::media::MediaCommand::Subscribe { .. })
}

#[test]
fn l_55_what_changes_at_home_changes_here() {
    let mut rooms = rooms();
    let mic = rooms.home.publish(rooms.ada, microphone("m"));
    rooms.mirror();
    rooms.home.input(RoomInput::Mute { session: rooms.ada, track: mic.clone(), muted: true });
    rooms
        .home
        .administer(AdminRequest::UpdateParticipant {
            identity: Identity::token("ada"),
            profile: ProfileChange { name: Some("Ada".into()), ..ProfileChange::default() },
            permission: None,
        })
        .unwrap();
    rooms.mirror();
    let seen = rooms.there.seen(rooms.ben, "ada").unwrap();
    assert_eq!((&*seen.name, seen.tracks[0].muted), ("Ada", true));
    rooms.home.media(MediaEvent::TrackEnded { session: rooms.ada, track: mic.clone() });
    rooms.mirror();
    assert_eq!(rooms.there.unsubscribed(), [(rooms.ben, mic)].into());
    assert!(rooms.there.seen(rooms.ben, "ada").unwrap().tracks.is_empty());
}

/// L-67 holds in every room: who is not let in at home is not let in here.
#[test]
fn l_55_l_67_the_guest_list_goes_with_them() {
    let mut rooms = rooms();
    let mic = rooms.home.publish(rooms.ada, microphone("m"));
    let only = |who: &str| TrackPermission {
        subscriber: Subscriber::Identity(Identity::token(who)),
        all_tracks: true,
        tracks: Vec::new(),
    };
    for (guest, received) in [("carl", false), ("ben", true)] {
        let permissions = vec![only(guest)];
        rooms.home.input(RoomInput::SubscriptionPermission { session: rooms.ada, everybody: false, permissions });
        rooms.mirror();
        assert_eq!(rooms.there.subscribed().contains(&(rooms.ben, mic.clone())), received, "{guest}");
    }
}

#[test]
fn l_55_they_are_heard_to_speak() {
    let mut rooms = rooms();
    let mic = rooms.home.publish(rooms.ada, microphone("m"));
    rooms.mirror();
    let levels = vec![AudioLevel { session: rooms.shown, track: mic, level_dbov: 10, active_share: 1.0 }];
    rooms.there.media(MediaEvent::Levels { levels });
    let sid = rooms.there.seen(rooms.ben, "ada").unwrap().sid.clone();
    let told = rooms.there.told(rooms.ben);
    let speaks = |speaker: &Speaker| speaker.active && speaker.sid == sid;
    assert!(told.iter().any(|event| matches!(&**event, RoomEvent::SpeakersChanged(list) if list.iter().any(speaks))));
}

#[test]
fn l_55_they_take_nobodys_place_and_are_asked_for_nothing_but_to_go() {
    let mut rooms = rooms();
    let mut again = rooms.there.ticket("ben");
    again.mode = ConnectionMode::Elsewhere;
    assert_eq!(rooms.there.room.check_join(&again), Err(JoinError::IdentityTaken));
    let mic = rooms.home.publish(rooms.ada, microphone("m"));
    rooms.mirror();
    let identity = Identity::token("ada");
    let mute = AdminRequest::Mute { identity: identity.clone(), track: mic.clone(), muted: true };
    assert_eq!(rooms.administer(mute), Err(AdminError::Forwarded));
    let elsewhere = AdminRequest::Move { identity: identity.clone(), room: "r".into() };
    assert_eq!(rooms.administer(elsewhere), Err(AdminError::Forwarded));
    assert!(!rooms.there.commands().iter().any(|command| command.session() == rooms.shown));
    rooms.there.input(RoomInput::Remove { identity });
    assert!(rooms.there.closed(rooms.shown));
    assert_eq!(rooms.there.unsubscribed(), [(rooms.ben, mic)].into());
}
