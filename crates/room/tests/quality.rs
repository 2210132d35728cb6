//! How well people are connected (livekit.md 2.8).

mod stage;

use room::SessionId;
use room::effect::{ParticipantQuality, Quality, RoomEvent};
use room::media::MediaEvent;
use stage::{Stage, microphone};

fn report(stage: &mut Stage, session: SessionId, loss: f32, rtt_ms: f32) {
    stage.media(MediaEvent::Quality {
        session,
        up_loss: Some(loss),
        down_loss: None,
        rtt_ms: Some(rtt_ms),
        missed_layers: 0.0,
    });
}

fn report_missed(stage: &mut Stage, session: SessionId, missed_layers: f32) {
    stage.media(MediaEvent::Quality { session, up_loss: Some(0.0), down_loss: None, rtt_ms: Some(9.0), missed_layers });
}

fn rounds(stage: &Stage, session: SessionId) -> Vec<Vec<ParticipantQuality>> {
    let lists = stage.told(session).into_iter().filter_map(|event| match &*event {
        RoomEvent::ConnectionQuality(list) => Some(list.clone()),
        _ => None,
    });
    lists.collect()
}

/// The word for one steady connection.
fn quality_of(loss: f32, rtt_ms: f32) -> Quality {
    let mut stage = Stage::new();
    let alice = stage.join("alice");
    for _ in 0..10 {
        report(&mut stage, alice, loss, rtt_ms);
        stage.pass_secs(5);
    }
    rounds(&stage, alice).last().expect("told")[0].quality
}

#[test]
fn loss_and_delay_make_the_quality() {
    assert_eq!(quality_of(0.0, 20.0), Quality::Excellent);
    assert_eq!(quality_of(0.02, 20.0), Quality::Excellent);
    assert_eq!(quality_of(0.05, 20.0), Quality::Good);
    assert_eq!(quality_of(0.15, 20.0), Quality::Poor);
    assert_eq!(quality_of(0.0, 800.0), Quality::Good);
    assert_eq!(quality_of(1.0, 5000.0), Quality::Poor, "never lost: that is the client's to find out");
}

#[test]
fn each_missing_layer_costs_a_word() {
    for (missed, word) in
        [(0.0, Quality::Excellent), (1.0, Quality::Good), (2.0, Quality::Poor), (f32::NAN, Quality::Excellent)]
    {
        let mut stage = Stage::new();
        let alice = stage.join("alice");
        report_missed(&mut stage, alice, missed);
        stage.pass_secs(5);
        assert_eq!(rounds(&stage, alice)[0][0].quality, word, "{missed}");
    }
}

#[test]
fn it_falls_at_once_and_rises_slowly() {
    let mut stage = Stage::new();
    let alice = stage.join("alice");
    let words: Vec<_> = [0.0, 1.0, 0.0, 0.0, 0.0]
        .map(|loss| {
            report(&mut stage, alice, loss, 10.0);
            stage.pass_secs(5);
            rounds(&stage, alice).last().expect("told")[0].quality
        })
        .into();
    assert_eq!(words, [Quality::Excellent, Quality::Poor, Quality::Good, Quality::Good, Quality::Excellent]);
}

#[test]
fn a_perfect_connection_scores_four_and_a_half() {
    let mut stage = Stage::new();
    let alice = stage.join("alice");
    report(&mut stage, alice, 0.0, 0.0);
    stage.pass_secs(5);
    assert_eq!(rounds(&stage, alice)[0][0].score, 4.5);
}

#[test]
fn each_hears_of_themselves_and_of_those_they_receive_every_5_s() {
    let mut stage = Stage::new();
    let (alice, bob) = (stage.join("alice"), stage.join("bob"));
    stage.publish(alice, microphone("m"));
    for _ in 0..3 {
        report(&mut stage, alice, 0.0, 10.0);
        report(&mut stage, bob, 0.0, 10.0);
        stage.pass_secs(5);
    }
    assert_eq!(rounds(&stage, alice).iter().map(Vec::len).collect::<Vec<_>>(), [1, 1, 1]);
    assert_eq!(rounds(&stage, bob).iter().map(Vec::len).collect::<Vec<_>>(), [2, 2, 2]);
}

#[test]
fn a_room_without_reports_sleeps() {
    let mut stage = Stage::new();
    let alice = stage.join("alice");
    stage.pass_secs(10);
    assert_eq!(stage.room.poll_timeout(), None);
    assert!(rounds(&stage, alice).is_empty());
}
