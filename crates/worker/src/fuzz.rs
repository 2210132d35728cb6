//! What fuzz targets and sweeps run.

use crate::limits::MAX_PIXELS;
use crate::measure::measure;
use crate::picture::data_url;

/// A picture's data URL: whatever is in it, it is refused, or decoded within limits and measured.
pub fn picture(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(picture) = data_url(text) else { return };
    let Ok(decoded) = picture.decode() else { return };
    assert!(u64::from(decoded.width()) * u64::from(decoded.height()) <= MAX_PIXELS);
    let (measures, _) = measure(&decoded, None);
    assert!((0.0..=1.0).contains(&measures.brightness));
}
