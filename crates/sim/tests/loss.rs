//! The loss matrix: what viewers see through networks that lose packets, one by one or in bursts, both ways, at
//! both ends.
//!
//! Twelve cells run with every test; `make soak` runs all, and prints the table.

mod common;

use common::{SECOND, begin};
use room::settings::{TrackSettings, WantedPicture};
use room::track::TrackKind;
use sim::{Decoder, LinkConfig, World, WorldConfig};
use std::time::Duration;

/// Frames a second of the simulated camera.
const FPS: usize = 25;
/// How long packets are lost.
const STORM: Duration = Duration::from_secs(20);
/// Packets that one burst takes on average.
const BURST: f32 = 4.0;

/// One cell of the matrix.
#[derive(Clone, Copy, Debug)]
struct Cell {
    /// Percent of all datagrams, on each way of each client.
    loss: u32,
    bursts: bool,
    /// Round trip of each client, ms.
    rtt: u64,
    /// Of a camera of three layers: 0.1, 0.5 or 1.7 Mbit/s.
    layer: u8,
    at: End,
}

/// Whose network loses packets; the other's has the same round trip.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum End {
    Publisher,
    Viewer,
}

/// What came of it.
#[derive(Clone, Copy, Debug)]
struct Outcome {
    /// Percent of the storm's frames that were decoded.
    decoded: f64,
    /// Longest time without a new frame in the storm.
    freeze: Duration,
    /// From the end of the storm until all frames of the wanted layer come.
    recovered: Option<Duration>,
    alive: bool,
}

impl Cell {
    fn link(self, loss: u32) -> LinkConfig {
        let burst = if self.bursts { BURST } else { 0.0 };
        LinkConfig {
            delay: Duration::from_millis(self.rtt / 2),
            loss: loss as f32 / 100.0,
            burst,
            ..LinkConfig::default()
        }
    }

    /// Media is lost in bursts; requests and reports, which are few, one by one: a burst of those would last for seconds.
    fn strike(self, world: &mut World, struck: usize) {
        let alone = Cell { bursts: false, ..self };
        let (up, down) = match self.at {
            End::Publisher => (self, alone),
            End::Viewer => (alone, self),
        };
        world.change_up(struck, up.link(self.loss));
        world.change_down(struck, down.link(self.loss));
    }

    /// What a viewer waits for: a repair may take a round trip on each side, and be lost itself.
    fn patience(self) -> Duration {
        Duration::from_millis(400 + 4 * self.rtt)
    }

    fn run(self) -> Outcome {
        let config =
            WorldConfig { link: self.link(0), seed: 7 + self.rtt + u64::from(self.loss), ..WorldConfig::default() };
        let mut world = World::new(config, begin());
        let publisher = world.join("publisher", 0);
        let viewer = world.join("viewer", 0);
        world.run(SECOND * 2);
        world.publish(publisher, TrackKind::Video, &["q", "h", "f"]);
        world.client(publisher).film_in_hd();
        world.run(SECOND * 2);
        let track = world.tracks("publisher")[0].clone();
        let picture = WantedPicture::Quality(i32::from(self.layer));
        world.settings(viewer, &track, TrackSettings { picture, ..TrackSettings::default() });
        let mut decoder = Decoder::new(self.patience(), world.now);
        let mut watch = |world: &mut World, until| {
            while world.now < until {
                world.step();
                let now = world.now;
                decoder.watch(now, world.client(viewer), &track);
            }
        };
        let calm = world.now + SECOND * 2;
        watch(&mut world, calm);
        let struck = if self.at == End::Publisher { publisher } else { viewer };
        self.strike(&mut world, struck);
        let (from, to) = (world.now, world.now + STORM);
        watch(&mut world, to);
        world.change_up(struck, self.link(0));
        world.change_down(struck, self.link(0));
        watch(&mut world, to + SECOND * 12);
        let frames: Vec<_> = decoder.decoded.iter().filter(|frame| frame.at >= from && frame.at < to).collect();
        let times = [from].into_iter().chain(frames.iter().map(|frame| frame.at)).chain([to]).collect::<Vec<_>>();
        let whole = |at: Duration| {
            let second = to + at..to + at + SECOND;
            let shown = decoder.decoded.iter().filter(|frame| second.contains(&frame.at) && frame.layer == self.layer);
            shown.count() >= FPS - 1
        };
        let recovered = (0..110).map(|tenth| Duration::from_millis(100 * tenth)).find(|at| whole(*at));
        Outcome {
            decoded: frames.len() as f64 * 100.0 / (STORM.as_secs() as usize * FPS) as f64,
            freeze: times.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or_default(),
            recovered,
            alive: world.names().len() == 2,
        }
    }

    /// Percent of the frames that must be decoded, where it says something.
    fn goal(self) -> f64 {
        match (self.loss, self.rtt) {
            (0..=5, 0..=100) => 99.0,
            (10, _) => 95.0,
            _ => 0.0,
        }
    }

    /// The same, as far as it is reached. str0m asks again for a packet only while it is among the last 100 of its stream:
    /// at 1.7 Mbit/s that is 0.4 s, so few round trips of 100 ms and one of 300. (At the viewer this is the simulated
    /// client's limit; libwebrtc looks back 1,000 packets.)
    fn floor(self) -> f64 {
        match (self.loss, self.rtt, self.layer) {
            (10, 100, 2) => 75.0,
            (10, 100, _) => 90.0,
            (10, 300, _) => 0.0,
            _ => self.goal(),
        }
    }

    fn holds(self, outcome: &Outcome) -> bool {
        let recovered = outcome.recovered.is_some_and(|after| after <= SECOND * 10);
        outcome.alive && recovered && outcome.decoded >= self.floor()
    }
}

impl Outcome {
    fn line(&self, cell: Cell) -> String {
        let kind = if cell.bursts { "burst" } else { "random" };
        let again = self.recovered.map_or("never".to_owned(), |after| format!("{:.1} s", after.as_secs_f64()));
        let short = if self.decoded < cell.goal() { "  short of Q-2" } else { "" };
        let at = format!("{:?}", cell.at);
        let freeze = self.freeze.as_millis();
        let Cell { loss, rtt, layer, .. } = cell;
        format!(
            "{at:<9} {loss:>3}%  {kind:<6} {rtt:>4}  {layer:>5}  {:>6.1}%  {freeze:>5} ms  {again}{short}",
            self.decoded
        )
    }
}

fn every_cell() -> impl Iterator<Item = Cell> {
    let ends = [End::Publisher, End::Viewer].into_iter();
    let losses = ends.flat_map(|at| [0, 1, 2, 5, 10, 20].map(|loss| (at, loss)));
    let kinds = losses.flat_map(|(at, loss)| [false, true].map(|bursts| (at, loss, bursts)));
    let trips = kinds.flat_map(|(at, loss, bursts)| [20, 100, 300].map(|rtt| (at, loss, bursts, rtt)));
    trips.flat_map(|(at, loss, bursts, rtt)| [0, 1, 2].map(|layer| Cell { loss, bursts, rtt, layer, at }))
}

/// all of them, as a table.
#[test]
#[ignore = "make soak runs it"]
fn q_2_every_cell_of_the_loss_matrix() {
    println!("lost at   loss  kind    rtt   layer  decoded  freeze    whole again");
    let mut failed = Vec::new();
    for cell in every_cell() {
        let outcome = cell.run();
        println!("{}", outcome.line(cell));
        if !cell.holds(&outcome) {
            failed.push(outcome.line(cell));
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

/// Twelve cells, a test each, so that they run side by side.
macro_rules! cells {
    ($($name:ident: $loss:literal % $kind:ident, $rtt:literal ms, layer $layer:literal, $at:ident;)*) => {$(
        ///
        #[test]
        fn $name() {
            let bursts = stringify!($kind) == "bursts";
            let cell = Cell { loss: $loss, bursts, rtt: $rtt, layer: $layer, at: End::$at };
            let outcome = cell.run();
            assert!(cell.holds(&outcome), "{}", outcome.line(cell));
        }
    )*};
}

cells! {
    q_2_a_satellite_without_loss: 0 % random, 300 ms, layer 2, Viewer;
    q_2_one_percent_far_away: 1 % random, 100 ms, layer 2, Viewer;
    q_2_two_percent_at_the_publisher: 2 % random, 20 ms, layer 1, Publisher;
    q_2_five_percent_nearby: 5 % random, 20 ms, layer 2, Viewer;
    q_2_five_percent_at_a_publisher_far_away: 5 % random, 100 ms, layer 1, Publisher;
    q_2_five_percent_in_bursts_at_the_publisher: 5 % bursts, 20 ms, layer 2, Publisher;
    q_2_five_percent_in_bursts_far_away: 5 % bursts, 100 ms, layer 0, Viewer;
    q_2_ten_percent_nearby: 10 % random, 20 ms, layer 1, Viewer;
    q_2_ten_percent_in_bursts_at_a_publisher_far_away: 10 % bursts, 100 ms, layer 1, Publisher;
    q_2_ten_percent_in_bursts_nearby: 10 % bursts, 20 ms, layer 2, Viewer;
    q_2_twenty_percent_at_the_publisher_end_nothing: 20 % random, 20 ms, layer 2, Publisher;
    q_2_twenty_percent_in_bursts_on_a_satellite_end_nothing: 20 % bursts, 300 ms, layer 1, Viewer;
}
