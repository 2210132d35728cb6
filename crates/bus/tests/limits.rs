//! Flood control, new rooms, and the live audience's pictures.

use bus::founding::{Foundings, IDLE, NotFounded};
use bus::gallery::{Galleries, MAX_PICTURE_BYTES, MAX_PICTURES, PATIENCE};
use bus::pace::Pace;
use bytes::Bytes;
use std::sync::Arc;
use std::time::{Duration, Instant};

const SECOND: Duration = Duration::from_secs(1);

/// 60 messages a second sustained, with bursts.
#[test]
fn sixty_a_second_pass_for_ever_and_a_burst_passes_once() {
    let mut now = Instant::now();
    let mut pace = Pace::new(60, now);
    for _ in 0..60 * 60 {
        now += SECOND / 60;
        assert!(pace.admit(200, now + SECOND / 1000));
    }
    let start = now + SECOND * 10;
    let passed = (0..1_000).take_while(|_| pace.admit(100, start)).count();
    assert!((250..=300).contains(&passed), "{passed}");
    assert!(!pace.admit(100, start));
    assert!(pace.admit(100, start + SECOND));
}

/// Bytes count too: whoever sends large messages may send fewer.
#[test]
fn large_messages_cost_more() {
    let start = Instant::now();
    let mut pace = Pace::new(60, start);
    let large = (0..100).take_while(|_| pace.admit(1024 * 1024, start)).count();
    assert!((1..=4).contains(&large), "{large}");
    let mut slow = Pace::new(1, start);
    assert!(slow.admit(1024 * 1024, start), "the first may always be said");
    let mut images = Pace::new(60, start);
    assert!((0..30 * 60).all(|at| images.admit(12_000, start + SECOND * at / 30)));
}

/// E-14: rooms made for each address and minute.
#[test]
fn e_14_an_address_begins_so_many_rooms_a_minute() {
    let start = Instant::now();
    let mut rooms = Foundings::new(10_000);
    let mut begin = |at: Duration, number: u32, founder: u32| {
        rooms.admit(start + at, &Arc::from(format!("room {number}")), founder)
    };
    assert!((0..60).all(|number| begin(Duration::ZERO, number, 1).is_ok()));
    assert_eq!(begin(Duration::ZERO, 60, 1), Err(NotFounded::TooOften));
    assert!((0..60).all(|number| begin(Duration::ZERO, number, 1).is_ok()), "they are there already");
    assert_eq!(begin(Duration::ZERO, 60, 2), Ok(()));
    assert!((100..160).all(|number| begin(SECOND * 60, number, 1).is_ok()));
    assert_eq!(begin(SECOND * 60, 200, 1), Err(NotFounded::TooOften));
}

/// E-14: open rooms in all.
#[test]
fn e_14_the_server_takes_so_many_rooms() {
    let start = Instant::now();
    let mut rooms = Foundings::new(2);
    let [a, b, c] = ["a", "b", "c"].map(Arc::from);
    assert!(rooms.admit(start, &a, 1).is_ok() && rooms.admit(start, &b, 2).is_ok());
    assert_eq!(rooms.admit(start, &c, 3), Err(NotFounded::TooManyRooms));
    assert!(rooms.admit(start + IDLE / 2, &a, 1).is_ok());
    assert_eq!(rooms.admit(start + IDLE, &c, 3), Ok(()), "in b nothing happens any more");
    assert_eq!(rooms.admit(start + IDLE, &b, 2), Err(NotFounded::TooManyRooms));
}

fn image(bytes: usize) -> Bytes {
    vec![b'x'; bytes].into()
}

/// E-11
#[test]
fn e_11_the_live_audience_is_the_newest_picture_of_each() {
    let start = Instant::now();
    let mut galleries = Galleries::default();
    let [room, a, b] = ["r", "a", "b"].map(Arc::from);
    assert!(!galleries.is_on(start, &room));
    assert!(galleries.put(start, &room, &a, Bytes::new()));
    assert!(galleries.is_on(start, &room));
    assert_eq!(galleries.pictures(start, &room), []);
    for size in [1, 2] {
        assert!(galleries.put(start, &room, &a, image(size)));
    }
    assert!(galleries.put(start, &room, &b, image(3)));
    assert!(galleries.put(start, &room, &b, Bytes::new()), "IMAGE_JOIN again keeps the picture");
    let sizes = |galleries: &mut Galleries, at| {
        let pictures = galleries.pictures(at, &room).into_iter();
        pictures.map(|picture| (picture.user.to_string(), picture.image.len())).collect::<Vec<_>>()
    };
    assert_eq!(sizes(&mut galleries, start), [("a".into(), 2), ("b".into(), 3)]);
    galleries.leave(&room, &a);
    assert_eq!(sizes(&mut galleries, start), [("b".into(), 3)]);
    let later = start + PATIENCE;
    assert!(galleries.put(later, &room, &a, image(4)));
    assert_eq!(sizes(&mut galleries, later + SECOND * 30), [("a".into(), 4)], "b's camera has gone silent");
    galleries.clear(&room);
    assert!(!galleries.is_on(later, &room));
}

/// E-11
#[test]
fn e_11_so_many_pictures_and_no_larger_ones() {
    let start = Instant::now();
    let mut galleries = Galleries::default();
    let room = Arc::from("r");
    let user = |number: usize| Arc::from(format!("u{number}"));
    assert!((0..MAX_PICTURES).all(|number| galleries.put(start, &room, &user(number), image(1))));
    assert!(!galleries.put(start, &room, &user(MAX_PICTURES), image(1)));
    assert!(galleries.put(start, &room, &user(0), image(MAX_PICTURE_BYTES)));
    assert!(!galleries.put(start, &room, &user(0), image(MAX_PICTURE_BYTES + 1)));
    let picture = galleries.pictures(start, &room).swap_remove(0);
    assert_eq!(picture.image.len(), MAX_PICTURE_BYTES, "the last that fitted");
}
