//! datagrams of every first byte and length at a shard's port, from strangers and from a peer's own address.

mod common;

use common::{SECOND, show, world};
use std::net::SocketAddr;

#[test]
fn q_16_nothing_that_comes_to_the_port_harms_the_show() {
    let mut world = world(1);
    let (publisher, subscriber) = show(&mut world, 0, 0);
    let video = world.tracks("publisher")[0].clone();
    let own = world.client(publisher).address();
    let stranger: SocketAddr = "192.0.2.66:6666".parse().unwrap();
    for source in [stranger, own] {
        for first in 0..=255u8 {
            for length in (0..=2000).step_by(if source == stranger { 7 } else { 97 }) {
                let mut datagram = vec![0xa5; length];
                if let Some(byte) = datagram.first_mut() {
                    *byte = first;
                }
                world.inject(0, source, &datagram);
            }
        }
        world.run(SECOND / 10);
    }
    let stats = world.shard(0).stats();
    assert_eq!((stats.panics, stats.peers), (0, 2));
    assert!(stats.addresses <= 4, "no entry for a stranger: {}", stats.addresses);
    let before = world.client(subscriber).got(&video).frames.len();
    world.run(SECOND);
    assert!(world.client(subscriber).got(&video).frames.len() >= before + 20, "the show goes on");
}

/// A client that never offers the sections it is asked for gets what fits, and is not asked for ever.
#[test]
fn a_client_without_more_sections_is_asked_once_for_each_change() {
    let mut world = world(1);
    let publisher = world.join("publisher", 0);
    let stubborn = world.join("stubborn", 0);
    world.client(stubborn).refuse_sections();
    world.run(SECOND);
    for _ in 0..5 {
        world.publish(publisher, room::track::TrackKind::Audio, &[]);
        world.run(SECOND / 2);
    }
    let asked = |world: &mut sim::World| {
        let events = &world.client(stubborn).events;
        events.iter().filter(|event| matches!(&***event, room::RoomEvent::SectionsNeeded { .. })).count()
    };
    let before = asked(&mut world);
    assert!((5..=8).contains(&before), "asked {before} times for five tracks");
    world.run(SECOND * 5);
    assert_eq!(asked(&mut world), before, "and no more");
    let got = world.tracks("publisher").iter().filter(|track| world.client(stubborn).got(track).sound > 0).count();
    assert_eq!(got, 3, "its three sections carry three tracks");
}
