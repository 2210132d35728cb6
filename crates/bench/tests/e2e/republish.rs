//! Publishing again and again costs no m-lines.

use crate::common::{World, eventually, is_whole, receives, signalled};
use bench::VideoSpec;
use livekit_protocol::signal_response::Message;

/// L-11, L-34: unpublished and published again twenty times in a single PeerConnection, a track needs one section at
/// the publisher, and at the subscriber none beyond those it opened with.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs ODEON_BIN"]
async fn l_34_publishing_twenty_times_grows_no_sections_beyond_need() {
    let world = World::small();
    let mut publisher = world.join("r", "publisher").await;
    let mut subscriber = world.join("r", "subscriber").await;
    for round in 0..20 {
        let track = publisher.publish_video(&VideoSpec::camera("camera")).await.expect("publishes");
        let stats = receives(&subscriber, &track.sid, 30).await;
        is_whole(&stats);
        publisher.unpublish("camera").expect("unpublishes");
        signalled(&mut subscriber, "the track is gone", |message| match message {
            Message::Update(update) => {
                let publisher = update.participants.iter().find(|p| p.identity == "publisher")?;
                publisher.tracks.iter().all(|t| t.sid != track.sid).then_some(())
            }
            _ => None,
        })
        .await;
        assert!(publisher.sections().await.0 <= 8, "round {round}: {:?}", publisher.sections().await);
        assert!(subscriber.sections().await.1 <= 8, "round {round}: {:?}", subscriber.sections().await);
    }
}

/// L-34: the same in dual mode, where the server's offers open the sections.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs ODEON_BIN"]
async fn l_34_the_servers_offers_reuse_sections_in_dual_mode() {
    let world = World::small();
    let mut publisher = world.join_dual("r", "publisher").await;
    let subscriber = world.join_dual("r", "subscriber").await;
    for round in 0..20 {
        let track = publisher.publish_video(&VideoSpec::camera("camera")).await.expect("publishes");
        is_whole(&receives(&subscriber, &track.sid, 30).await);
        publisher.unpublish("camera").expect("unpublishes");
        let gone = || async {
            let publisher = subscriber.participant("publisher")?;
            publisher.tracks.is_empty().then_some(())
        };
        eventually("the track is gone", gone).await;
        assert!(subscriber.sections().await.1 <= 3, "round {round}: {:?}", subscriber.sections().await);
    }
}
