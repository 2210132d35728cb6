//! A picture from outside: JPEG, PNG or WebP in a data URL (RFC 2397), as a browser's canvas writes it.

use crate::limits::{MAX_DATA_URL_BYTES, MAX_DECODING_BYTES, MAX_PIXELS};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::{ImageFormat, ImageReader, Limits, RgbImage};
use std::io::Cursor;

/// Why there is no picture.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PictureError {
    /// No `data:image/jpeg;base64,…`, nor png, nor webp.
    #[error("a picture is expected as data:image/jpeg;base64, png or webp")]
    NoDataUrl,
    /// Over [`MAX_DATA_URL_BYTES`] or [`MAX_PIXELS`].
    #[error("the picture is too large")]
    TooLarge,
    /// It says so, and is none.
    #[error("the picture can't be decoded")]
    Malformed,
}

/// Bytes of a picture that have not been decoded yet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Picture {
    format: ImageFormat,
    bytes: Vec<u8>,
}

/// Reads a data URL.
///
/// # Errors
/// See [`PictureError`].
pub fn data_url(text: &str) -> Result<Picture, PictureError> {
    if text.len() > MAX_DATA_URL_BYTES {
        return Err(PictureError::TooLarge);
    }
    let (head, data) = text.split_once(',').ok_or(PictureError::NoDataUrl)?;
    let format = match head.to_ascii_lowercase().as_str() {
        "data:image/jpeg;base64" | "data:image/jpg;base64" => ImageFormat::Jpeg,
        "data:image/png;base64" => ImageFormat::Png,
        "data:image/webp;base64" => ImageFormat::WebP,
        _ => return Err(PictureError::NoDataUrl),
    };
    let bytes = STANDARD.decode(data.trim()).map_err(|_| PictureError::Malformed)?;
    Ok(Picture { format, bytes })
}

impl Picture {
    /// What it weighs while it waits.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Decodes it. Its size is looked at first: a bomb costs nothing.
    ///
    /// # Errors
    /// See [`PictureError`].
    pub fn decode(&self) -> Result<RgbImage, PictureError> {
        let (width, height) = self.reader().into_dimensions().map_err(|_| PictureError::Malformed)?;
        let pixels = u64::from(width) * u64::from(height);
        if pixels > MAX_PIXELS {
            return Err(PictureError::TooLarge);
        }
        let decoded = self.reader().decode().map_err(|_| PictureError::Malformed)?;
        if pixels == 0 { Err(PictureError::Malformed) } else { Ok(decoded.into_rgb8()) }
    }

    fn reader(&self) -> ImageReader<Cursor<&[u8]>> {
        let mut reader = ImageReader::with_format(Cursor::new(&*self.bytes), self.format);
        let mut limits = Limits::default();
        limits.max_alloc = Some(MAX_DECODING_BYTES);
        reader.limits(limits);
        reader
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use image::Rgb;

    /// A picture of one colour, as a canvas would send it.
    pub(crate) fn plain(format: ImageFormat, width: u32, height: u32, colour: [u8; 3]) -> String {
        let image = RgbImage::from_pixel(width, height, Rgb(colour));
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, format).unwrap();
        let kind = if format == ImageFormat::Png { "png" } else { "jpeg" };
        format!("data:image/{kind};base64,{}", STANDARD.encode(bytes.into_inner()))
    }

    #[test]
    fn e_37_jpeg_and_png_are_decoded() {
        // E-37
        for format in [ImageFormat::Jpeg, ImageFormat::Png] {
            let decoded = data_url(&plain(format, 150, 120, [200, 40, 40])).unwrap().decode().unwrap();
            assert_eq!(decoded.dimensions(), (150, 120));
            assert!(decoded.get_pixel(75, 60).0[0] > 180);
        }
    }

    #[test]
    fn e_37_what_is_no_picture_is_refused_by_name() {
        // E-37
        for (text, expected) in [
            ("", PictureError::NoDataUrl),
            ("data:text/html;base64,PGI+", PictureError::NoDataUrl),
            ("data:image/svg+xml;base64,PHN2Zz4=", PictureError::NoDataUrl),
            ("data:image/jpeg;base64,!!!", PictureError::Malformed),
        ] {
            assert_eq!(data_url(text), Err(expected), "{text}");
        }
        let nonsense = data_url("data:image/jpeg;base64,AAAA").unwrap();
        assert_eq!(nonsense.decode().unwrap_err(), PictureError::Malformed);
        let long = format!("data:image/jpeg;base64,{}", "A".repeat(MAX_DATA_URL_BYTES));
        assert_eq!(data_url(&long), Err(PictureError::TooLarge));
    }

    #[test]
    fn e_37_a_picture_of_too_many_pixels_is_not_decoded() {
        // E-37: a header that promises a gigapixel, in a hundred bytes.
        let mut png = STANDARD.decode(plain(ImageFormat::Png, 1, 1, [0; 3]).split_once(',').unwrap().1).unwrap();
        png[16..24].copy_from_slice(&[0, 0, 0x80, 0, 0, 0, 0x80, 0]);
        let crc = crc32(&png[12..29]);
        png[29..33].copy_from_slice(&crc.to_be_bytes());
        let picture = data_url(&format!("data:image/png;base64,{}", STANDARD.encode(png))).unwrap();
        assert_eq!(picture.decode().unwrap_err(), PictureError::TooLarge);
        let large = data_url(&plain(ImageFormat::Png, 2_100, 2_000, [1, 2, 3])).unwrap();
        assert_eq!(large.decode().unwrap_err(), PictureError::TooLarge);
    }

    fn crc32(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0_u32, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 })
        })
    }

    #[test]
    fn q_6_a_picture_with_any_byte_changed_is_refused_or_decoded() {
        //
        for format in [ImageFormat::Png, ImageFormat::Jpeg] {
            let url = plain(format, 9, 7, [200, 100, 50]);
            let (head, data) = url.split_once(',').unwrap();
            let bytes = STANDARD.decode(data).unwrap();
            for index in 0..bytes.len() {
                let mut changed = bytes.clone();
                changed[index] ^= 0x81;
                changed.truncate(bytes.len() - index % 3);
                crate::fuzz::picture(format!("{head},{}", STANDARD.encode(changed)).as_bytes());
            }
        }
    }
}
