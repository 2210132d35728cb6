//! Networks that become too narrow and wide again (L-39, Q-3).

mod common;

use common::{SECOND, begin};
use room::scenario::Scenario;
use room::track::TrackKind;
use room::{RoomEvent, TrackSid};
use sim::{ClientId, LinkConfig, Takes, World, WorldConfig};
use std::time::Duration;

const WIDE: u64 = 5_000_000;
const NARROW: u64 = 500_000;

fn link(rate: u64) -> LinkConfig {
    LinkConfig { rate, delay: Duration::from_millis(20), ..LinkConfig::default() }
}

/// A camera of 720 lines with three layers on shard 0, and somebody on that shard or another who gets all of it through
/// a network of 5 Mbit/s.
fn show(subscriber_shard: u8) -> (World, ClientId, ClientId, TrackSid) {
    let mut world = World::new(WorldConfig { shards: 2, link: link(WIDE), ..WorldConfig::default() }, begin());
    let publisher = world.join("publisher", 0);
    let subscriber = world.join("subscriber", subscriber_shard);
    world.run(SECOND);
    world.publish(publisher, TrackKind::Video, &["q", "h", "f"]);
    world.client(publisher).film_in_hd();
    world.run(SECOND * 6);
    let track = world.tracks("publisher")[0].clone();
    assert_eq!(layer(&mut world, subscriber, &track), Some(2), "5 Mbit/s carry the highest layer");
    (world, publisher, subscriber, track)
}

fn layer(world: &mut World, client: ClientId, track: &TrackSid) -> Option<u8> {
    world.client(client).got(track).frames.last().map(|(_, layer)| *layer)
}

/// Q-3, L-39.
#[test]
fn q_3_l_39_a_network_that_narrows_gets_a_lower_layer_and_its_old_one_when_it_widens() {
    for shard in [0, 1] {
        let (mut world, publisher, subscriber, track) = show(shard);
        let keyframes = world.client(publisher).keyframes_sent();

        world.change_down(subscriber, link(NARROW));
        let narrowed = world.now;
        let lower =
            world.run_until(SECOND * 10, |world| layer(world, subscriber, &track).is_some_and(|layer| layer < 2));
        let took = world.now - narrowed;
        assert!(lower && took <= SECOND * 2, "shard {shard}: a lower layer after {took:?}");

        let mut calm_since = None;
        while world.now < narrowed + SECOND * 20 {
            world.step();
            let calm = world.queue_delay(subscriber) < Duration::from_millis(200);
            calm_since = if calm { calm_since.or(Some(world.now)) } else { None };
        }
        let calm_after = calm_since.map(|at| at - narrowed);
        assert!(calm_after.is_some_and(|after| after <= SECOND * 5), "shard {shard}: calm after {calm_after:?}");
        let frames = world.client(subscriber).got(&track).frames.len();
        world.run(SECOND);
        assert!(world.client(subscriber).got(&track).frames.len() >= frames + 20, "shard {shard}: the picture goes on");

        world.change_down(subscriber, link(WIDE));
        let widened = world.now;
        world.run_until(SECOND * 20, |world| layer(world, subscriber, &track) == Some(2));
        let took = world.now - widened;
        assert!(took <= SECOND * 10, "shard {shard}: the highest layer again after {took:?}");

        let elapsed = (world.now - narrowed).as_millis() as usize;
        let asked = world.client(publisher).keyframes_sent() - keyframes;
        assert!(asked <= 3 * (elapsed / 500 + 1), "shard {shard}: {asked} keyframes in {elapsed} ms");
    }
}

/// L-39: whoever has a narrow network costs nobody else their picture.
#[test]
fn l_39_one_narrow_network_costs_nobody_else_anything() {
    let (mut world, _, subscriber, track) = show(0);
    let other = world.join("other", 0);
    world.run(SECOND * 4);
    world.change_down(subscriber, link(NARROW));
    world.run(SECOND * 4);
    let before = world.client(other).got(&track).frames.len();
    world.run(SECOND * 4);
    let got = world.client(other).got(&track);
    assert!(got.frames.len() >= before + 95 && got.frames[before..].iter().all(|(_, layer)| *layer == 2));
}

/// L-39: where not even the lowest layers fit, a track is paused for whom it may be, and goes on by itself.
#[test]
fn l_39_a_track_that_does_not_fit_is_paused_where_that_is_allowed() {
    let mut world = World::new(WorldConfig { link: link(WIDE), ..WorldConfig::default() }, begin());
    let publisher = world.join("publisher", 0);
    let patient = world.join_as("patient", 0, Takes::default(), |join| join.may_pause = true);
    let other = world.join("other", 0);
    world.run(SECOND);
    world.publish(publisher, TrackKind::Video, &[]);
    world.run(SECOND * 4);
    let track = world.tracks("publisher")[0].clone();
    let told = |world: &mut World, client| -> Vec<bool> {
        let paused = |event: &RoomEvent| match event {
            RoomEvent::StreamPaused { track: of, paused, .. } if *of == track => Some(*paused),
            _ => None,
        };
        world.client(client).events.iter().filter_map(|event| paused(event)).collect()
    };
    for client in [patient, other] {
        world.change_down(client, link(60_000));
    }
    assert!(world.run_until(SECOND * 10, |world| told(world, patient) == [true]), "it is paused");
    world.run(SECOND * 10);
    for client in [patient, other] {
        world.change_down(client, link(WIDE));
    }
    assert!(world.run_until(SECOND * 20, |world| told(world, patient).last() == Some(&false)), "and goes on");
    assert_eq!(told(&mut world, other), [], "the other's is never");
}

/// L-60 `subscriber_bandwidth`: no more than was said is sent, and all of it again without a limit.
#[test]
fn l_60_a_client_may_limit_its_own_way_down() {
    for shard in [0, 1] {
        let (mut world, _, subscriber, track) = show(shard);
        world.simulate(subscriber, Scenario::Downlink(NARROW));
        assert!(world.run_until(SECOND * 2, |world| layer(world, subscriber, &track).is_some_and(|layer| layer < 2)));
        world.run(SECOND * 20);
        assert!(layer(&mut world, subscriber, &track).is_some_and(|layer| layer < 2), "whatever the network carries");
        world.simulate(subscriber, Scenario::Downlink(0));
        assert!(world.run_until(SECOND * 10, |world| layer(world, subscriber, &track) == Some(2)), "shard {shard}");
    }
}

/// Who gives no transport-wide feedback says by REMB what their way carries, and gets what fits into that.
#[test]
fn l_39_who_speaks_remb_alone_gets_what_it_says() {
    let takes = Takes { transport_feedback: false, ..Takes::default() };
    for shard in [0, 1] {
        let mut world = World::new(WorldConfig { shards: 2, link: link(WIDE), ..WorldConfig::default() }, begin());
        let publisher = world.join("publisher", 0);
        let subscriber = world.join_with("subscriber", shard, takes);
        world.run(SECOND);
        world.publish(publisher, TrackKind::Video, &["q", "h", "f"]);
        world.client(publisher).film_in_hd();
        world.run(SECOND * 6);
        let track = world.tracks("publisher")[0].clone();
        assert_eq!(layer(&mut world, subscriber, &track), Some(2), "nothing was said: everything goes");
        for (bps, fits) in [(NARROW / 2, 0), (WIDE, 2)] {
            world.client(subscriber).say_remb(&track, bps);
            let told = world.run_until(SECOND * 10, |world| layer(world, subscriber, &track) == Some(fits));
            assert!(told, "{bps} bit/s on shard {shard}: {:?}", layer(&mut world, subscriber, &track));
        }
    }
}
