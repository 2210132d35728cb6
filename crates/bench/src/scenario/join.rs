//! How long it takes to be there (P-4): upgrade → join response, → the joiner's first complete frame; publish → first
//! frame at others; joined → visible to others.

use super::{Target, fresh_room};
use crate::client::{Client, ConnectError, Event};
use crate::engine::Engine;
use crate::opus::AudioSpec;
use crate::report::{Table, ms, percentile};
use crate::vp8::VideoSpec;
use livekit_protocol::signal_response::Message;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// No step of a join may take longer.
const LIMIT: Duration = Duration::from_secs(10);

/// Between joins: a source is asked for a keyframe every 500 ms at most, and who joins right after another waits
/// for that. Measured is somebody who joins alone.
const APART: Duration = Duration::from_millis(600);

/// What was measured, one value a round.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Before the TCP connection → join response.
    pub join_response: Vec<Duration>,
    /// Before the TCP connection → ICE and DTLS up.
    pub connected: Vec<Duration>,
    /// Before the TCP connection → first complete frame of a video that was there already.
    pub first_frame: Vec<Duration>,
    /// Before the request to publish → first complete frame at another participant.
    pub publish_to_frame: Vec<Duration>,
    /// Join response at the joiner → its participant update at another.
    pub visible: Vec<Duration>,
}

/// Joins `rounds` times, one after the other, a room with a publisher and a watcher.
///
/// # Errors
/// When a step fails or takes longer than 10 s.
pub async fn run(engine: &Arc<Engine>, target: &Target, rounds: usize) -> Result<Outcome, ConnectError> {
    let room = fresh_room("join");
    let mut publisher = target.join(engine, &room, "publisher").await?;
    publisher.connected().await?;
    publisher.publish_video(&VideoSpec::camera("camera")).await?;
    publisher.publish_audio(&AudioSpec::microphone("microphone")).await?;
    let mut watcher = target.join(engine, &room, "watcher").await?;
    watcher.connected().await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut outcome = Outcome::default();
    for round in 0..rounds {
        tokio::time::sleep(APART).await;
        watcher.drain_events();
        join_once(engine, target, &room, round, &mut watcher, &mut outcome).await?;
    }
    for client in [publisher, watcher] {
        client.leave().await;
    }
    Ok(outcome)
}

async fn join_once(
    engine: &Arc<Engine>,
    target: &Target,
    room: &str,
    round: usize,
    watcher: &mut Client,
    outcome: &mut Outcome,
) -> Result<(), ConnectError> {
    let identity = format!("joiner-{round}");
    let mut joiner = target.join(engine, room, &identity).await?;
    let began = joiner.timings.began;
    outcome.join_response.push(joiner.timings.joined - began);
    let seen = seen_by(watcher, &identity).await?;
    outcome.visible.push(seen.saturating_duration_since(joiner.timings.joined));
    outcome.connected.push(joiner.connected().await? - began);
    let video = first_video_frame(&mut joiner, |_| true).await?;
    outcome.first_frame.push(video - began);
    let published = Instant::now();
    let track = joiner.publish_video(&VideoSpec::camera(&format!("camera-{round}"))).await?;
    let arrived = first_video_frame(watcher, |sid| sid == track.sid).await?;
    outcome.publish_to_frame.push(arrived - published);
    joiner.leave().await;
    Ok(())
}

async fn seen_by(watcher: &mut Client, identity: &str) -> Result<Instant, ConnectError> {
    watcher
        .wait_for("to be seen", LIMIT, |event| match event {
            Event::Signal(message, at) => match &**message {
                Message::Update(update) if update.participants.iter().any(|p| p.identity == identity) => Some(*at),
                _ => None,
            },
            _ => None,
        })
        .await
}

/// Waits for the first frame of a video (`TR_V…`) that `wanted` takes.
async fn first_video_frame(client: &mut Client, wanted: impl Fn(&str) -> bool) -> Result<Instant, ConnectError> {
    client
        .wait_for("the first frame", LIMIT, |event| match event {
            Event::FirstFrame { track: Some(sid), at } if sid.starts_with("TR_V") && wanted(sid) => Some(*at),
            _ => None,
        })
        .await
}

/// Median, 95th percentile and maximum of each step, beside its goal.
pub fn table(outcome: &mut Outcome) -> Table {
    let mut table = Table::new(&["step", "median", "p95", "worst", "goal (P-4)"]);
    let steps: [(&str, &mut Vec<Duration>, &str); 5] = [
        ("connect → join response", &mut outcome.join_response, "≤ 5 ms"),
        ("connect → ICE and DTLS up", &mut outcome.connected, ""),
        ("connect → first complete frame", &mut outcome.first_frame, "≤ 300 ms"),
        ("publish → first frame at another", &mut outcome.publish_to_frame, "≤ 190 ms"),
        ("joined → seen by another", &mut outcome.visible, "≤ 20 ms"),
    ];
    for (name, values, goal) in steps {
        let cells = [0.5, 0.95, 1.0].map(|share| ms(percentile(values, share)));
        table.row([name.to_owned()].into_iter().chain(cells).chain([goal.to_owned()]).collect());
    }
    table
}
