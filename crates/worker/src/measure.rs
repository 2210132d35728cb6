//! What a picture looks like: its mean colour, its brightness, and how much has moved since the last one of its source.

use image::RgbImage;
use image::imageops::{FilterType, resize};

/// The picture is made so small before it is measured: noise goes, movement stays.
const WIDTH: u32 = 32;
/// See [`WIDTH`].
const HEIGHT: u32 = 24;

/// A change of one small pixel that counts as movement, of 255: above a camera's noise.
const MOVED: u8 = 16;

/// What was seen in a picture.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Measures {
    /// Red, green, blue, 0 to 255.
    pub colour: [u8; 3],
    /// Luma (Rec. 601), 0 to 1.
    pub brightness: f32,
    /// Share of the picture that has changed since the last one, 0 to 1; `None`: it is the first.
    pub motion: Option<f32>,
}

/// The last picture of a source, as far as movement needs it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Memory(Vec<u8>);

/// Measures a picture, and remembers it for the next one.
pub fn measure(picture: &RgbImage, last: Option<&Memory>) -> (Measures, Memory) {
    let small = resize(picture, WIDTH, HEIGHT, FilterType::Triangle);
    let count = (WIDTH * HEIGHT) as f32;
    let sums = small.pixels().fold([0_u32; 3], |sums, pixel| {
        let [red, green, blue] = pixel.0.map(u32::from);
        [sums[0] + red, sums[1] + green, sums[2] + blue]
    });
    let colour = sums.map(|sum| (sum as f32 / count).round() as u8);
    let lumas: Vec<u8> = small.pixels().map(|pixel| luma(pixel.0)).collect();
    let brightness = lumas.iter().map(|luma| f32::from(*luma)).sum::<f32>() / count / 255.0;
    let memory = Memory(lumas);
    let motion = last.map(|last| moved(last, &memory));
    (Measures { colour, brightness, motion }, memory)
}

fn luma([red, green, blue]: [u8; 3]) -> u8 {
    ((299 * u32::from(red) + 587 * u32::from(green) + 114 * u32::from(blue)) / 1000) as u8
}

fn moved(last: &Memory, now: &Memory) -> f32 {
    let changed = last.0.iter().zip(&now.0).filter(|(a, b)| a.abs_diff(**b) >= MOVED).count();
    changed as f32 / now.0.len().max(1) as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;

    #[test]
    fn e_37_colour_and_brightness_are_means() {
        // E-37
        let half = RgbImage::from_fn(150, 120, |x, _| if x < 75 { Rgb([255, 0, 0]) } else { Rgb([0, 0, 0]) });
        let (measures, _) = measure(&half, None);
        assert!(measures.colour[0].abs_diff(128) < 4 && measures.colour[1] == 0, "{measures:?}");
        assert!((measures.brightness - 0.149).abs() < 0.01, "{measures:?}");
        assert_eq!(measures.motion, None, "it is the first");
        let white = RgbImage::from_pixel(10, 10, Rgb([255; 3]));
        assert!((measure(&white, None).0.brightness - 1.0).abs() < 0.01);
    }

    #[test]
    fn e_37_motion_is_the_share_that_has_changed_whatever_its_size() {
        // E-37
        let room = |left: u8| RgbImage::from_fn(160, 120, |x, _| Rgb([if x < 40 { left } else { 90 }; 3]));
        let (_, memory) = measure(&room(90), None);
        let (still, _) = measure(&room(92), Some(&memory));
        assert_eq!(still.motion, Some(0.0), "noise is none");
        let (moved, _) = measure(&room(200), Some(&memory));
        assert!((moved.motion.unwrap() - 0.25).abs() < 0.05, "{moved:?}");
        let large = RgbImage::from_pixel(640, 480, Rgb([90; 3]));
        assert_eq!(measure(&large, Some(&memory)).0.motion, Some(0.0));
    }
}
