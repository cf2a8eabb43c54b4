//! Pixels as PNG files.

use std::ops::Range;

use png::{BitDepth, ColorType, Compression, Encoder, EncodingError};

/// Bytes of pixels that are there at once, about: a call of the host costs little beside them.
const BAND: usize = 1 << 18;

/// What a keyword of a PNG's text can be long.
const LONGEST_KEYWORD: usize = 79;

/// An image that is to be written.
#[derive(Clone, Copy, Debug)]
pub struct Format {
    pub width: usize,
    pub height: usize,
    /// 1 is gray, 3 RGB and 4 RGBA.
    pub channels: usize,
    pub compression: Compression,
}

/// Why there is no PNG.
#[derive(Debug, thiserror::Error)]
pub enum Failure<E> {
    /// An image of another number of channels.
    #[error("an image has 1, 3 or 4 channels, not {0}")]
    Channels(usize),
    /// An image without pixels, or with more than a PNG can have.
    #[error("an image of {width}×{height} cannot be a PNG")]
    Size {
        /// Pixels.
        width: usize,
        /// Pixels.
        height: usize,
    },
    /// The encoder refused it.
    #[error(transparent)]
    Encoding(#[from] EncodingError),
    /// There were no pixels.
    #[error("{0}")]
    Pixels(E),
}

/// Whether a PNG can carry a text under this keyword.
pub fn is_keyword(name: &str) -> bool {
    let printable = |letter: char| matches!(letter, ' '..='~' | '\u{a1}'..='\u{ff}');
    (1..=LONGEST_KEYWORD).contains(&name.chars().count()) && name.chars().all(printable)
}

/// The PNG of the pixels that `rows` gives for each range of rows, from the first to the last,
/// with these texts.
pub fn png<E>(
    format: Format,
    texts: &[(String, String)],
    mut rows: impl FnMut(Range<usize>) -> Result<Vec<u8>, E>,
) -> Result<Vec<u8>, Failure<E>> {
    let Format { width, height, channels, compression } = format;
    let color = match channels {
        1 => ColorType::Grayscale,
        3 => ColorType::Rgb,
        4 => ColorType::Rgba,
        _ => return Err(Failure::Channels(channels)),
    };
    let too_large = Failure::Size { width, height };
    let (Ok(wide), Ok(high), Some(row)) =
        (u32::try_from(width), u32::try_from(height), width.checked_mul(channels))
    else {
        return Err(too_large);
    };
    if row == 0 || high == 0 {
        return Err(too_large);
    }

    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, wide, high);
    encoder.set_color(color);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_compression(compression);
    for (keyword, text) in texts {
        encoder.add_text_chunk(keyword.clone(), text.clone())?;
    }
    let mut writer = encoder.write_header()?;
    let mut stream = writer.stream_writer()?;
    let band = (BAND / row).max(1);
    for start in (0..height).step_by(band) {
        let pixels = rows(start..height.min(start + band)).map_err(Failure::Pixels)?;
        std::io::Write::write_all(&mut stream, &pixels).map_err(EncodingError::from)?;
    }
    stream.finish()?;
    writer.finish()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(width: usize, height: usize, channels: usize) -> Format {
        Format { width, height, channels, compression: Compression::Balanced }
    }

    fn gradient(format: Format) -> Vec<u8> {
        (0..format.width * format.height * format.channels).map(|i| (i * 7 % 251) as u8).collect()
    }

    #[test]
    fn what_is_written_in_bands_is_read_whole() {
        for format in [format(700, 300, 3), format(3, 2, 1), format(5, 4, 4)] {
            let pixels = gradient(format);
            let row = format.width * format.channels;
            let mut bands = 0;
            let file = png(format, &[], |rows| {
                bands += 1;
                Ok::<_, ()>(pixels[rows.start * row..rows.end * row].to_vec())
            });
            let read = image::load_from_memory(&file.unwrap()).unwrap();
            assert_eq!(read.as_bytes(), pixels);
            assert_eq!(bands, pixels.len().div_ceil(BAND));
        }
    }

    #[test]
    fn texts_are_found_in_the_file() {
        let texts = [("prompt".to_owned(), r#"{"3":{}}"#.to_owned())];
        let file = png(format(1, 1, 3), &texts, |_| Ok::<_, ()>(vec![0; 3])).unwrap();
        let reader = png::Decoder::new(std::io::Cursor::new(file)).read_info().unwrap();
        let found = &reader.info().uncompressed_latin1_text;
        assert_eq!((found[0].keyword.as_str(), found[0].text.as_str()), ("prompt", r#"{"3":{}}"#));
    }

    #[test]
    fn what_no_png_can_be_is_refused() {
        let refusal = |format| png(format, &[], |_| Ok::<_, u8>(vec![])).unwrap_err().to_string();
        assert_eq!(refusal(format(1, 1, 2)), "an image has 1, 3 or 4 channels, not 2");
        assert_eq!(refusal(format(0, 1, 3)), "an image of 0×1 cannot be a PNG");
        assert!(refusal(format(usize::MAX, 1, 3)).contains("cannot be a PNG"));
        let failed = png(format(1, 1, 3), &[], |_| Err("host")).unwrap_err();
        assert_eq!(failed.to_string(), "host");
    }

    #[test]
    fn too_few_pixels_are_an_error() {
        assert!(png(format(2, 2, 3), &[], |_| Ok::<_, u8>(vec![0; 3])).is_err());
    }

    #[test]
    fn keywords_are_short_and_printable() {
        assert!(is_keyword("workflow"));
        for wrong in ["", "a\0b", "красный", &"x".repeat(80)] {
            assert!(!is_keyword(wrong), "{wrong:?}");
        }
    }
}
