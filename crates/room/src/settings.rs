//! What a subscriber wants of a track (L-37, L-38; livekit.md 2.7), and what that means for the track's layers.

use crate::track::{Layer, TrackSource};

/// LiveKit's `VideoQuality::OFF`.
const QUALITY_OFF: i32 = 3;
/// The highest layer: LiveKit's `VideoQuality::HIGH`.
pub const HIGHEST_LAYER: u8 = 2;
/// A picture may be stretched so far: a layer of nine tenths of what was asked for is as good (the reference's
/// tolerance; without it an element one pixel higher than a layer would cost four times the bits).
const SIZE_TOLERANCE: f32 = 0.9;
/// Heights that stand in for layers which nobody announced: LiveKit's presets of LOW and MEDIUM.
const PRESET_HEIGHTS: [u32; 2] = [180, 360];
/// Of pictures that nobody gave a priority: the reference's defaults.
const SCREEN_PRIORITY: u8 = 255;
const DEFAULT_PRIORITY: u8 = 1;

/// How large a picture is wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WantedPicture {
    /// LiveKit's `VideoQuality`: 0 LOW, 1 MEDIUM, 2 HIGH, 3 OFF.
    Quality(i32),
    /// Pixels that it is shown in: width, height.
    Size(u32, u32),
}

/// A client's settings for a track that it receives. LiveKit: `UpdateTrackSettings`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TrackSettings {
    /// Nothing is to be sent.
    pub disabled: bool,
    /// Of video.
    pub picture: WantedPicture,
    /// Frames a second; 0: all.
    pub fps: u32,
    /// Who is served first when bandwidth is short: 255 before 1; 0: by what the track shows.
    pub priority: u32,
}

impl Default for TrackSettings {
    /// Everything.
    fn default() -> Self {
        Self { disabled: false, picture: WantedPicture::Quality(i32::from(HIGHEST_LAYER)), fps: 0, priority: 0 }
    }
}

/// The same for a shard, which knows layers by number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReceiveSettings {
    /// The highest layer that is wanted, 0 low … 2 high; `None`: nothing.
    pub layer: Option<u8>,
    /// Frames a second; 0: all.
    pub fps: u32,
    /// 255 is served before 1.
    pub priority: u8,
}

impl Default for ReceiveSettings {
    fn default() -> Self {
        Self { layer: Some(HIGHEST_LAYER), fps: 0, priority: DEFAULT_PRIORITY }
    }
}

impl TrackSettings {
    /// What they mean for a track with these announced layers.
    pub fn resolve(&self, source: TrackSource, height: u32, layers: &[Layer]) -> ReceiveSettings {
        let layer = match self.picture {
            _ if self.disabled => None,
            WantedPicture::Quality(QUALITY_OFF) => None,
            WantedPicture::Quality(quality) => Some(quality.clamp(0, i32::from(HIGHEST_LAYER)) as u8),
            WantedPicture::Size(_, wanted) => Some(smallest_sufficient(wanted, height, layers)),
        };
        let by_source = if source == TrackSource::ScreenShare { SCREEN_PRIORITY } else { DEFAULT_PRIORITY };
        let priority = u8::try_from(self.priority).unwrap_or(u8::MAX);
        ReceiveSettings { layer, fps: self.fps, priority: if priority == 0 { by_source } else { priority } }
    }
}

/// LiveKit's rule: the smallest layer that is at least as high as what is wanted; of layers of one height the best.
fn smallest_sufficient(wanted: u32, height: u32, layers: &[Layer]) -> u8 {
    let mut heights: Vec<_> = layers.iter().map(|layer| layer.height).collect();
    if heights.is_empty() {
        heights.extend(PRESET_HEIGHTS.into_iter().chain([height]));
    }
    heights.sort_unstable();
    let wanted = (wanted as f32 * SIZE_TOLERANCE) as u32;
    let suffices = |at: usize| heights[at] >= wanted && heights.get(at + 1) != Some(&heights[at]);
    let found = (0..heights.len()).find(|at| suffices(*at)).unwrap_or(heights.len() - 1);
    (found as u8).min(HIGHEST_LAYER)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(picture: WantedPicture) -> Option<u8> {
        let layer = |quality, height| Layer { quality, height, width: height * 16 / 9, ..Layer::default() };
        // livekit-client announces from high to low for SVC, from low to high for simulcast: the order says nothing.
        let layers = [layer(2, 720), layer(0, 180), layer(1, 360)];
        TrackSettings { picture, ..TrackSettings::default() }.resolve(TrackSource::Camera, 720, &layers).layer
    }

    #[test]
    fn l_38_a_quality_is_a_layer() {
        for (quality, layer) in [(0, Some(0)), (1, Some(1)), (2, Some(2)), (3, None), (-7, Some(0)), (99, Some(2))] {
            assert_eq!(resolved(WantedPicture::Quality(quality)), layer, "{quality}");
        }
    }

    #[test]
    fn l_39_a_size_is_the_smallest_layer_that_fills_it() {
        for (height, layer) in [(0, 0), (90, 0), (180, 0), (200, 0), (202, 1), (400, 1), (402, 2), (2160, 2)] {
            assert_eq!(resolved(WantedPicture::Size(height * 16 / 9, height)), Some(layer), "{height}");
        }
    }

    #[test]
    fn l_39_of_layers_of_one_size_the_best_is_taken_and_presets_stand_in_for_none() {
        let settings = TrackSettings { picture: WantedPicture::Size(320, 180), ..TrackSettings::default() };
        let same = [180, 180, 720].map(|height| Layer { height, ..Layer::default() });
        assert_eq!(settings.resolve(TrackSource::Camera, 720, &same).layer, Some(1));
        assert_eq!(settings.resolve(TrackSource::Camera, 720, &[]).layer, Some(0));
        assert_eq!(settings.resolve(TrackSource::Camera, 100, &[]).layer, Some(1), "the layers of a tiny picture");
    }

    #[test]
    fn l_37_l_39_disabled_is_nothing_and_screens_come_first() {
        let settings = TrackSettings { disabled: true, ..TrackSettings::default() };
        assert_eq!(settings.resolve(TrackSource::Camera, 720, &[]).layer, None);
        let priority = |priority, source| {
            TrackSettings { priority, ..TrackSettings::default() }.resolve(source, 720, &[]).priority
        };
        assert_eq!(priority(0, TrackSource::ScreenShare), 255);
        assert_eq!(priority(0, TrackSource::Camera), 1);
        assert_eq!([priority(7, TrackSource::Camera), priority(9999, TrackSource::Camera)], [7, 255]);
    }
}
