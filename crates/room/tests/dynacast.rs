//! A publisher is told which layers of which codec anybody wants (L-63, livekit.md 2.7).

mod stage;

use room::effect::{RequestOutcome, RoomEvent, WantedCodec};
use room::media::{LiveLayer, MediaCommand, MediaEvent};
use room::track::{TrackCodec, TrackRequest};
use room::{RoomInput, SessionId, TrackSid};
use stage::{Stage, Step, camera};

/// A camera in VP9 with VP8 announced as its backup.
fn announce_both(stage: &mut Stage, session: SessionId) -> TrackSid {
    let codec = |name: &str, cid: &str| TrackCodec { mime: name.into(), cid: cid.into(), ..TrackCodec::default() };
    let codecs = vec![codec("video/vp9", "c"), codec("video/vp8", "")];
    stage.announce(session, TrackRequest { codecs, ..camera("c") })
}

fn live(stage: &mut Stage, session: SessionId, track: &TrackSid, codec: u8, mime: &str) {
    let layers = vec![LiveLayer { rid: String::new(), ssrc: 7 + u32::from(codec), quality: 2 }];
    let (mid, mime) = (format!("{codec}"), mime.to_owned());
    stage.media(MediaEvent::TrackLive { session, track: track.clone(), codec, mid, mime, layers });
}

fn wanted(stage: &mut Stage, session: SessionId, track: &TrackSid, codec: u8, highest: Option<u8>) {
    stage.media(MediaEvent::LayersWanted { session, track: track.clone(), codec, highest });
}

/// What the publisher was told since it was asked last, newest last: (codec, highest).
fn told(stage: &mut Stage, session: SessionId) -> Vec<Vec<(String, Option<u8>)>> {
    let events = stage.told(session);
    stage.forget();
    let of = |codec: &WantedCodec| (codec.name.clone(), codec.highest);
    let demands = events.iter().filter_map(|event| match &**event {
        RoomEvent::LayersWanted { codecs, .. } => Some(codecs.iter().map(of).collect()),
        _ => None,
    });
    demands.collect()
}

fn vp9(highest: Option<u8>, backup: Option<u8>) -> Vec<Vec<(String, Option<u8>)>> {
    vec![vec![("vp9".into(), highest), ("vp8".into(), backup)]]
}

#[test]
fn l_63_all_is_sent_at_first_and_nothing_after_five_seconds_without_a_subscriber() {
    let mut stage = Stage::new();
    let ada = stage.join("ada");
    let track = announce_both(&mut stage, ada);
    stage.forget();
    live(&mut stage, ada, &track, 0, "video/VP9");
    assert_eq!(told(&mut stage, ada), vp9(Some(2), None), "paused layers start");
    stage.pass_secs(4);
    assert_eq!(told(&mut stage, ada), [] as [Vec<_>; 0]);
    stage.pass_secs(1);
    assert_eq!(told(&mut stage, ada), vp9(None, None));
}

#[test]
fn l_63_more_is_told_at_once_and_less_after_five_seconds() {
    let mut stage = Stage::new();
    let ada = stage.join("ada");
    let track = announce_both(&mut stage, ada);
    live(&mut stage, ada, &track, 0, "video/VP9");
    wanted(&mut stage, ada, &track, 0, Some(0));
    stage.pass_secs(5);
    stage.forget();
    wanted(&mut stage, ada, &track, 0, Some(2));
    assert_eq!(told(&mut stage, ada), vp9(Some(2), None), "at once");
    wanted(&mut stage, ada, &track, 0, Some(1));
    stage.pass_secs(3);
    wanted(&mut stage, ada, &track, 0, Some(2));
    stage.pass_secs(60);
    assert_eq!(told(&mut stage, ada), [] as [Vec<_>; 0], "it was only for a moment");
    wanted(&mut stage, ada, &track, 0, Some(1));
    stage.pass_secs(5);
    assert_eq!(told(&mut stage, ada), vp9(Some(1), None));
}

#[test]
fn l_63_a_backup_codec_is_asked_for_announced_and_shown() {
    let mut stage = Stage::new();
    let ada = stage.join("ada");
    let ben = stage.join("ben");
    let track = announce_both(&mut stage, ada);
    live(&mut stage, ada, &track, 0, "video/VP9");
    stage.forget();
    wanted(&mut stage, ada, &track, 1, Some(2));
    assert_eq!(told(&mut stage, ada), vp9(Some(2), Some(2)));
    let codec = TrackCodec { mime: "video/vp8".into(), cid: "backup".into(), ..TrackCodec::default() };
    stage.input(RoomInput::AddCodec { session: ada, track: track.clone(), codec: Box::new(codec) });
    assert_eq!(stage.published_sid(ada, "backup").as_ref(), Some(&track), "the same track");
    let expected = stage.commands().into_iter().find_map(|command| match command {
        MediaCommand::ExpectTrack { track, .. } => Some(track),
        _ => None,
    });
    let expected = expected.unwrap();
    assert_eq!((expected.sid, expected.cid.as_str(), expected.codec), (track.clone(), "backup", 1));
    assert_eq!(expected.codecs, ["vp8"]);
    live(&mut stage, ada, &track, 1, "video/VP8");
    let seen = stage.seen(ben, "ada").unwrap().tracks[0].clone();
    assert_eq!((seen.mime.as_str(), seen.mid.as_str()), ("video/VP9", "0"), "the primary stays what it is");
    let codecs: Vec<_> = seen.codecs.iter().map(|codec| (codec.mime.as_str(), codec.mid.as_str())).collect();
    assert_eq!(codecs, [("video/VP9", "0"), ("video/VP8", "1")]);
}

#[test]
fn l_63_a_further_codec_of_no_track_or_one_too_many_is_refused() {
    let mut stage = Stage::new();
    let (ada, ben) = (stage.join("ada"), stage.join("ben"));
    let track = announce_both(&mut stage, ada);
    let refusal = |stage: &mut Stage, session, name: &str| {
        stage.forget();
        let codec = TrackCodec { mime: name.into(), cid: "x".into(), ..TrackCodec::default() };
        stage.input(RoomInput::AddCodec { session, track: track.clone(), codec: Box::new(codec) });
        let told = stage.told(session);
        assert!(stage.steps.iter().all(|step| !matches!(step, Step::Command(_))), "no shard hears of it");
        told.iter().find_map(|event| match **event {
            RoomEvent::RequestResponse { outcome, .. } => Some(outcome),
            _ => None,
        })
    };
    assert_eq!(refusal(&mut stage, ben, "video/vp8"), Some(RequestOutcome::NotFound), "somebody else's");
    assert_eq!(refusal(&mut stage, ada, "video/vp9"), Some(RequestOutcome::LimitExceeded), "the primary itself");
    assert_eq!(refusal(&mut stage, ada, &"x".repeat(300)), Some(RequestOutcome::LimitExceeded));
}

#[test]
fn l_63_nobody_is_told_of_a_track_that_is_gone() {
    let mut stage = Stage::new();
    let ada = stage.join("ada");
    let track = announce_both(&mut stage, ada);
    live(&mut stage, ada, &track, 0, "video/VP9");
    stage.media(MediaEvent::TrackEnded { session: ada, track: track.clone() });
    stage.forget();
    wanted(&mut stage, ada, &track, 0, Some(2));
    stage.pass_secs(10);
    assert_eq!(told(&mut stage, ada), [] as [Vec<_>; 0]);
}

/// How often the shard was told that everybody gets the backup, with this policy of the publisher's and so many in the room.
fn regressions(policy: i32, people: usize) -> usize {
    let mut stage = Stage::new();
    let ada = stage.join("ada");
    for guest in 1..people {
        stage.join(&format!("guest {guest}"));
    }
    let codec = |name: &str, cid: &str| TrackCodec { mime: name.into(), cid: cid.into(), ..TrackCodec::default() };
    let codecs = vec![codec("video/vp9", "c"), codec("video/vp8", "")];
    let request = TrackRequest { codecs, backup_codec_policy: policy, ..camera("c") };
    let track = stage.announce(ada, request);
    live(&mut stage, ada, &track, 0, "video/VP9");
    wanted(&mut stage, ada, &track, 0, Some(2));
    let told = |stage: &Stage| {
        stage.commands().iter().filter(|command| matches!(command, MediaCommand::Regress { .. })).count()
    };
    assert_eq!(told(&stage), 0, "nobody needs it");
    wanted(&mut stage, ada, &track, 1, Some(2));
    wanted(&mut stage, ada, &track, 1, None);
    wanted(&mut stage, ada, &track, 1, Some(1));
    told(&stage)
}

#[test]
fn l_63_in_a_small_room_one_who_needs_the_backup_makes_it_everybodys() {
    const PREFER_REGRESSION: i32 = 0;
    const SIMULCAST: i32 = 1;
    const REGRESSION: i32 = 2;
    assert_eq!([4, 5].map(|people| regressions(PREFER_REGRESSION, people)), [1, 0]);
    assert_eq!([2, 9].map(|people| regressions(SIMULCAST, people)), [0, 0]);
    assert_eq!([2, 9].map(|people| regressions(REGRESSION, people)), [1, 1], "once");
}
