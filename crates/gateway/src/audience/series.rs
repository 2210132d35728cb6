//! A room's audience in points of ten seconds: how many people were seen, how bright it was, how much moved.

use indexmap::IndexMap;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::sync::Arc;
use worker::{Measures, Source};

/// A point's length.
pub(super) const POINT_MS: i64 = 10_000;

/// Rooms of which a point is open: as many as have a live audience.
const MAX_ROOMS: usize = 1_000;

/// Points that are being made.
#[derive(Debug, Default)]
pub(super) struct Series(IndexMap<Arc<str>, Open>);

/// One that is not over.
#[derive(Debug, Default)]
struct Open {
    from_ms: i64,
    cameras: HashSet<Arc<str>>,
    pictures: f64,
    brightness: f64,
    colour: [f64; 3],
    motions: f64,
    motion: f64,
}

/// One that is over.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Point {
    /// Its beginning, Unix milliseconds.
    pub(super) at_ms: i64,
    /// Cameras that sent pictures.
    pub(super) people: usize,
    /// Mean, 0 to 1.
    pub(super) brightness: f64,
    /// Mean of those that had a picture before, 0 to 1.
    pub(super) motion: Option<f64>,
    /// Mean: red, green, blue.
    pub(super) colour: [u8; 3],
}

impl Series {
    /// A picture was seen.
    pub(super) fn put(&mut self, now_ms: i64, source: Source, measures: &Measures) {
        if self.0.len() >= MAX_ROOMS && !self.0.contains_key(&source.room) {
            return;
        }
        let from_ms = now_ms - now_ms.rem_euclid(POINT_MS);
        let open = self.0.entry(source.room).or_insert_with(|| Open { from_ms, ..Open::default() });
        open.cameras.insert(source.camera);
        open.pictures += 1.0;
        open.brightness += f64::from(measures.brightness);
        for (sum, part) in open.colour.iter_mut().zip(measures.colour) {
            *sum += f64::from(part);
        }
        if let Some(motion) = measures.motion {
            open.motions += 1.0;
            open.motion += f64::from(motion);
        }
    }

    /// The points that are over by now.
    pub(super) fn take_over(&mut self, now_ms: i64) -> Vec<(Arc<str>, Point)> {
        let over = |open: &Open| now_ms >= open.from_ms + POINT_MS;
        let rooms: Vec<_> = self.0.iter().filter(|(_, open)| over(open)).map(|(room, _)| room.clone()).collect();
        let take = |room: Arc<str>| self.0.swap_remove(&room).map(|open| (room, open.close()));
        rooms.into_iter().filter_map(take).collect()
    }
}

impl Open {
    fn close(self) -> Point {
        let mean = |sum: f64| sum / self.pictures.max(1.0);
        Point {
            at_ms: self.from_ms,
            people: self.cameras.len(),
            brightness: rounded(mean(self.brightness)),
            motion: (self.motions > 0.0).then(|| rounded(self.motion / self.motions)),
            colour: self.colour.map(|sum| mean(sum).round() as u8),
        }
    }
}

/// To a thousandth: more is noise.
fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

impl Point {
    /// As it is stored and told. Faces are not counted yet.
    pub(super) fn json(&self) -> Value {
        let [red, green, blue] = self.colour;
        json!({
            "at": self.at_ms,
            "people": self.people,
            "faces": null,
            "brightness": self.brightness,
            "motion": self.motion,
            "colour": format!("#{red:02x}{green:02x}{blue:02x}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(camera: &str) -> Source {
        Source { room: "residence".into(), camera: camera.into() }
    }

    fn measures(brightness: f32, motion: Option<f32>) -> Measures {
        Measures { colour: [200, 100, 0], brightness, motion }
    }

    #[test]
    fn e_37_a_point_is_ten_seconds_of_everybodys_pictures() {
        // E-37
        let mut series = Series::default();
        series.put(1_000_500, seen("a"), &measures(0.2, None));
        series.put(1_001_500, seen("a"), &measures(0.4, Some(0.5)));
        series.put(1_009_900, seen("b"), &measures(0.6, Some(0.0)));
        assert_eq!(series.take_over(1_009_999), [], "it is not over");
        let points = series.take_over(1_010_000);
        let expected =
            Point { at_ms: 1_000_000, people: 2, brightness: 0.4, motion: Some(0.25), colour: [200, 100, 0] };
        assert_eq!(points, [("residence".into(), expected)]);
        assert_eq!(points[0].1.json()["colour"], "#c86400");
        assert_eq!(points[0].1.json()["faces"], Value::Null);
        assert_eq!(series.take_over(i64::MAX / 2), [], "once");
    }

    #[test]
    fn e_37_rooms_are_bounded() {
        // E-37
        let mut series = Series::default();
        for number in 0..2 * MAX_ROOMS {
            series.put(0, Source { room: number.to_string().into(), camera: "a".into() }, &measures(0.5, None));
        }
        assert_eq!(series.0.len(), MAX_ROOMS);
    }
}
