//! A server and clients for a test.

use bench::client::{ConnectError, Event, Mode, Options};
use bench::engine::{Engine, EngineOptions};
use bench::ledger::TrackStats;
use bench::server::Server;
use bench::token::{ApiKey, Grant};
use bench::{AudioSpec, Client, VideoSpec};
use livekit_protocol::signal_response::Message;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What a test waits for comes in this time, also on a busy machine.
pub(crate) const SOON: Duration = Duration::from_secs(10);

/// A server of the test's own, and the threads for its clients.
pub(crate) struct World {
    pub(crate) server: Server,
    pub(crate) engine: Arc<Engine>,
}

impl World {
    /// Starts a server with these settings beside `--dev`.
    pub(crate) fn start(settings: &[&str]) -> Self {
        let server = Server::start(settings).expect("the server starts");
        Self { server, engine: Engine::start(EngineOptions::default()).expect("the engine starts") }
    }

    /// One shard: what isn't about shards doesn't depend on the machine's cores.
    pub(crate) fn small() -> Self {
        Self::start(&["--rtc.shards=1"])
    }

    pub(crate) fn token(&self, grant: &Grant, identity: &str) -> String {
        ApiKey::default().token(identity, grant).expect("a token")
    }

    /// Joins with every default and waits until media can flow.
    pub(crate) async fn join(&self, room: &str, identity: &str) -> Client {
        self.join_with(room, identity, &Options::default()).await
    }

    pub(crate) async fn join_dual(&self, room: &str, identity: &str) -> Client {
        self.join_with(room, identity, &Options { mode: Mode::Dual, ..Options::default() }).await
    }

    pub(crate) async fn join_with(&self, room: &str, identity: &str, options: &Options) -> Client {
        let mut client = self.try_join(&Grant::join(room), identity, options).await.expect("joins");
        client.connected().await.expect("connects");
        client
    }

    pub(crate) async fn try_join(
        &self,
        grant: &Grant,
        identity: &str,
        options: &Options,
    ) -> Result<Client, ConnectError> {
        Client::join(&self.engine, &self.server.url(), &self.token(grant, identity), options).await
    }
}

/// Publishes a camera and a microphone; their sids.
pub(crate) async fn publish_both(client: &mut Client, name: &str) -> (String, String) {
    let video = client.publish_video(&VideoSpec::camera(&format!("{name}-camera"))).await.expect("publishes video");
    let audio = client.publish_audio(&AudioSpec::microphone(&format!("{name}-mic"))).await.expect("publishes audio");
    (video.sid, audio.sid)
}

/// Looks every 20 ms until `look` finds something.
pub(crate) async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, look: impl FnMut() -> F) -> T {
    eventually_in(SOON, what, look).await
}

/// The same, for what takes longer.
pub(crate) async fn eventually_in<T, F: Future<Output = Option<T>>>(
    limit: Duration,
    what: &str,
    mut look: impl FnMut() -> F,
) -> T {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < deadline, "not in {limit:?}: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Waits until `client` has so many packets of a track.
pub(crate) async fn receives(client: &Client, track: &str, packets: u64) -> TrackStats {
    eventually(&format!("{packets} packets of {track}"), || async {
        client.stats().await.remove(track).filter(|stats| stats.packets >= packets)
    })
    .await
}

/// Waits for a signalling message that `pick` takes.
pub(crate) async fn signalled<T>(client: &mut Client, what: &'static str, pick: impl Fn(&Message) -> Option<T>) -> T {
    client
        .wait_for(what, SOON, |event| match event {
            Event::Signal(message, _) => pick(message),
            _ => None,
        })
        .await
        .expect(what)
}

/// Waits for the payload of the next user packet, and tells who sent it.
pub(crate) async fn data(client: &mut Client) -> (Vec<u8>, String) {
    client
        .wait_for("data", SOON, |event| match event {
            Event::Data(data) => Some((data.payload()?.to_vec(), data.packet.participant_identity.clone())),
            _ => None,
        })
        .await
        .expect("data")
}

/// A track of ours is whole at `client`: pictures or sound, no damage.
pub(crate) fn is_whole(stats: &TrackStats) {
    assert_eq!(stats.damaged, 0, "{stats:?}");
    assert_eq!(stats.picture_id_breaks, 0, "{stats:?}");
    assert!(stats.first_frame.is_some(), "{stats:?}");
}
