//! Data packets beside the media.

mod common;

use common::{SECOND, show, world};
use room::media::{MediaCommand, MediaEnd, MediaEvent};
use sim::{ClientId, Takes, World};

/// L-44, L-12: order is kept for each sender, on one shard and over two.
#[test]
fn l_44_l_12_data_arrives_in_order_over_shards_both_ways() {
    let mut world = world(2);
    let (publisher, subscriber) = show(&mut world, 0, 1);
    for reliable in [true, false] {
        for number in 0..100u32 {
            assert!(world.client(publisher).send_message(reliable, &number.to_be_bytes()));
            assert!(world.client(subscriber).send_message(reliable, &(number + 1000).to_be_bytes()));
            world.run(SECOND / 200);
        }
        world.run(SECOND / 2);
        let to_subscriber = std::mem::take(&mut world.client(subscriber).messages);
        let to_publisher = std::mem::take(&mut world.client(publisher).messages);
        let expected =
            |first: u32| (first..first + 100).map(|number| number.to_be_bytes().to_vec()).collect::<Vec<_>>();
        assert_eq!(to_subscriber, expected(0), "reliable: {reliable}");
        assert_eq!(to_publisher, expected(1000), "reliable: {reliable}");
    }
}

fn numbered(sequence: u32) -> Vec<u8> {
    sequence.to_be_bytes().to_vec()
}

/// L-44: what a client says again because it isn't sure that it was heard goes to nobody a second time.
#[test]
fn l_44_repeated_packets_are_delivered_once() {
    let mut world = world(2);
    let (publisher, subscriber) = show(&mut world, 0, 1);
    for sequence in [1, 2, 3, 2, 3, 4] {
        assert!(world.client(publisher).send_message(true, &numbered(sequence)));
    }
    world.run(SECOND / 2);
    assert_eq!(world.client(subscriber).messages, [1, 2, 3, 4].map(numbered));
    assert_eq!((world.last_sequence(publisher), world.last_sequence(subscriber)), (4, 0));
    assert_eq!(world.shard(0).stats().data_repeated, 2);
}

/// L-44: a joiner gets none of what was said before; a peer made anew on a resume gets what it missed, once.
#[test]
fn l_44_who_resumes_gets_what_was_missed_and_a_joiner_does_not() {
    let mut world = world(2);
    let publisher = world.join("publisher", 0);
    world.join("other", 1);
    world.run(SECOND);
    for sequence in 1..=5 {
        assert!(world.client(publisher).send_message(true, &numbered(sequence)));
    }
    world.run(SECOND / 4);
    let late = world.join("late", 1);
    world.run(SECOND / 2);
    assert!(world.client(late).messages.is_empty(), "a joiner");
    assert!(world.client(publisher).send_message(true, &numbered(6)));
    world.run(SECOND / 4);
    let known = vec![(world.sid("publisher"), 3)];
    for _ in 0..2 {
        let known = known.clone();
        world.order(late, |session| MediaCommand::ReplayData { session, known });
    }
    world.run(SECOND / 4);
    assert_eq!(world.client(late).messages, [6, 4, 5].map(numbered), "6 came live, the rest once");
    let known = vec![];
    world.order(publisher, |session| MediaCommand::ReplayData { session, known });
    world.run(SECOND / 4);
    assert!(world.client(publisher).messages.is_empty(), "nobody hears themselves");
}

/// L-44: a receiver whose channels are not open yet gets what was said meanwhile.
#[test]
fn l_44_what_is_said_while_somebody_connects_waits_for_them() {
    let mut world = world(2);
    let publisher = world.join("publisher", 0);
    world.run(SECOND);
    let joiner = world.join("joiner", 1);
    for sequence in 1..=10 {
        assert!(world.client(publisher).send_message(true, &numbered(sequence)));
    }
    assert!(!world.client(joiner).connected);
    world.run(SECOND);
    assert_eq!(world.client(joiner).messages, (1..=10).map(numbered).collect::<Vec<_>>());
}

/// L-44: somebody without LiveKit's channels sends plain messages, which become packets, and gets payloads of packets.
#[test]
fn l_44_channels_with_a_label_of_their_own_carry_plain_messages() {
    let mut world = world(2);
    let usual = world.join("usual", 0);
    let own = world.join_with("own", 1, Takes { own_channel: Some("chat"), ..Takes::default() });
    world.run(SECOND);
    assert!(world.client(own).send_message(true, b"hello"));
    let packet = |sequence, text: &[u8]| [&numbered(sequence), text].concat();
    for (reliable, sequence, text) in [(true, 1, b"one"), (false, 0, b"two")] {
        assert!(world.client(usual).send_message(reliable, &packet(sequence, text)));
        world.run(SECOND / 4);
    }
    assert_eq!(world.client(usual).messages, [packet(0, b"hello")]);
    assert_eq!(world.client(own).messages, [b"one", b"two"]);
}

/// L-44, Q-7: who takes nothing any more is cut, and the others lose nothing by it.
#[test]
fn l_44_q_7_a_stalled_reader_is_cut_and_nobody_else_notices() {
    let mut world = world(1);
    let (publisher, subscriber) = show(&mut world, 0, 0);
    let other = world.join("other", 0);
    world.run(SECOND);
    world.stall(subscriber, true);
    let mut sent = 0;
    for sequence in 1..=120u32 {
        let message = [&sequence.to_be_bytes()[..], &vec![1; 60_000]].concat();
        sent += u32::from(world.client(publisher).send_message(true, &message));
        world.run(SECOND / 20);
    }
    assert!(sent > 110, "{sent} packets could be sent");
    let ends = |event: &MediaEvent| matches!(event, MediaEvent::Ended { reason: MediaEnd::SlowReader, .. });
    assert_eq!(world.media_events.iter().filter(|event| ends(event)).count(), 1);
    assert!(world.client(subscriber).closed && world.names() == ["publisher", "other"]);
    assert_eq!(world.client(other).messages.len(), sent as usize);
}

/// L-65: frames reach those who asked, here and on other shards, each under their own number of the track.
#[test]
fn l_65_data_track_packets_reach_those_who_asked() {
    let mut world = world(2);
    let (publisher, far) = show(&mut world, 0, 1);
    let (near, bored) = (world.join("near", 0), world.join("bored", 1));
    world.run(SECOND);
    let first = world.publish_data(publisher, 7, "first");
    let second = world.publish_data(publisher, 8, "second");
    for (client, tracks) in [(far, vec![&first, &second]), (near, vec![&second])] {
        tracks.into_iter().for_each(|track| world.data_subscription(client, track, true));
    }
    for number in 0..20u8 {
        assert!(world.client(publisher).send_frame(7, &[number]) && world.client(publisher).send_frame(8, &[number]));
        world.run(SECOND / 50);
    }
    world.run(SECOND / 4);
    let got = |world: &mut World, client: ClientId, handle: u16| {
        let frames = world.client(client).frames.iter().filter(|(_, frame)| frame[..2] == handle.to_be_bytes());
        frames.map(|(_, frame)| frame[2]).collect::<Vec<_>>()
    };
    let all = (0..20).collect::<Vec<u8>>();
    assert_eq!((got(&mut world, far, 1), got(&mut world, far, 2)), (all.clone(), all.clone()));
    assert_eq!((got(&mut world, near, 1), got(&mut world, near, 2)), (all, vec![]));
    assert!(world.client(bored).frames.is_empty() && world.client(publisher).frames.is_empty());
    world.data_subscription(far, &first, false);
    world.client(far).frames.clear();
    assert!(world.client(publisher).send_frame(7, &[1]) && world.client(publisher).send_frame(8, &[2]));
    assert!(!world.client(publisher).send_frame(7, &[0; 70_000]), "too large for anybody");
    world.run(SECOND / 4);
    assert_eq!((got(&mut world, far, 1), got(&mut world, far, 2)), (vec![], vec![2]));
}

/// L-65: a track may be named by its publisher alone.
#[test]
fn l_65_frames_of_a_handle_that_was_not_published_go_nowhere() {
    let mut world = world(1);
    let (publisher, subscriber) = show(&mut world, 0, 0);
    let track = world.publish_data(publisher, 7, "mine");
    world.data_subscription(subscriber, &track, true);
    assert!(world.client(subscriber).send_frame(7, b"forged") && world.client(publisher).send_frame(9, b"unknown"));
    world.run(SECOND / 4);
    assert!(world.client(subscriber).frames.is_empty());
    assert_eq!(world.shard(0).stats().data_refused, 2);
}

/// L-65: what answers a call of the server's is for the server alone; what answers another's call goes on.
#[test]
fn l_65_answers_to_the_servers_calls_are_its_own() {
    let mut world = world(1);
    let (publisher, subscriber) = show(&mut world, 0, 0);
    world.order(subscriber, |session| MediaCommand::Call { session, id: "c".into(), packet: numbered(9).into() });
    world.run(SECOND / 4);
    assert_eq!(world.client(subscriber).messages, [numbered(9)]);
    let answer = |sequence, id: &str| [&numbered(sequence), &b"answer "[..], id.as_bytes()].concat();
    for (sequence, id) in [(1, "d"), (2, "c"), (3, "c")] {
        assert!(world.client(subscriber).send_message(true, &answer(sequence, id)));
    }
    world.run(SECOND / 4);
    let answers = world.media_events.iter().filter_map(|event| match event {
        MediaEvent::CallAnswered { id, packet, .. } => Some((id.clone(), packet.to_vec())),
        _ => None,
    });
    assert_eq!(answers.collect::<Vec<_>>(), [("c".to_owned(), answer(2, "c"))]);
    assert_eq!(world.client(publisher).messages, [answer(1, "d"), answer(3, "c")]);
}
