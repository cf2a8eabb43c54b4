//! Image files as pixels.

use std::io::Cursor;

use image::codecs::gif::GifDecoder;
use image::codecs::webp::WebPDecoder;
use image::{
    AnimationDecoder, DynamicImage, ImageDecoder as _, ImageError, ImageFormat, ImageReader, Limits,
};

/// The longest side of an image that is loaded: that of the largest image a workflow can ask for.
const LONGEST_SIDE: u32 = 16384;

/// Most bytes that an image takes as its file's pixels: a file of some kilobytes can be one of
/// gigabytes, and this is a quarter of what a guest can address.
const MOST_BYTES: u64 = 1 << 30;

/// One image of a file: rows of RGB or RGBA bytes.
#[derive(Debug, PartialEq, Eq)]
pub struct Frame {
    pub width: usize,
    pub height: usize,
    /// 3 or 4.
    pub channels: usize,
    pub pixels: Vec<u8>,
}

/// What a file's images say of their transparency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alpha {
    /// There is none: what an alpha channel may hold means nothing.
    None,
    /// It is in the images' fourth channel.
    Channel,
}

/// Hands the images of a file to `take` one by one, upright, so that never two are there. A GIF or
/// an animated WebP has one for each of its frames, any other file one.
pub fn frames<E: From<ImageError>>(
    file: &[u8],
    mut take: impl FnMut(Frame) -> Result<(), E>,
) -> Result<Alpha, E> {
    let mut reader =
        ImageReader::new(Cursor::new(file)).with_guessed_format().map_err(ImageError::from)?;
    reader.limits(limits());
    match reader.format() {
        Some(ImageFormat::Gif) => {
            let mut decoder = GifDecoder::new(Cursor::new(file))?;
            decoder.set_limits(limits())?;
            return animation(decoder, take);
        }
        Some(ImageFormat::WebP) => {
            let mut decoder = WebPDecoder::new(Cursor::new(file))?;
            decoder.set_limits(limits())?;
            if decoder.has_animation() {
                return animation(decoder, take);
            }
        }
        _ => (),
    }
    let mut decoder = reader.into_decoder()?;
    // The decoder's own limits are for what it needs beside the pixels.
    limits().reserve(decoder.total_bytes())?;
    let orientation = decoder.orientation()?;
    let mut image = DynamicImage::from_decoder(decoder)?;
    image.apply_orientation(orientation);
    let has_alpha = image.color().has_alpha();
    take(frame(image))?;
    Ok(if has_alpha { Alpha::Channel } else { Alpha::None })
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_image_width = Some(LONGEST_SIDE);
    limits.max_image_height = Some(LONGEST_SIDE);
    limits.max_alloc = Some(MOST_BYTES);
    limits
}

/// The frames of an animation. Decoders give all of them an alpha channel, so there is
/// transparency where some pixel has any.
fn animation<'a, E: From<ImageError>>(
    decoder: impl AnimationDecoder<'a>,
    mut take: impl FnMut(Frame) -> Result<(), E>,
) -> Result<Alpha, E> {
    let mut alpha = Alpha::None;
    for decoded in decoder.into_frames() {
        let decoded = decoded?.into_buffer();
        if decoded.pixels().any(|pixel| pixel.0.last() != Some(&u8::MAX)) {
            alpha = Alpha::Channel;
        }
        take(frame(DynamicImage::ImageRgba8(decoded)))?;
    }
    Ok(alpha)
}

fn frame(image: DynamicImage) -> Frame {
    let (width, height) = (image.width() as usize, image.height() as usize);
    let (channels, pixels) = if image.color().has_alpha() {
        (4, image.into_rgba8().into_raw())
    } else {
        (3, image.into_rgb8().into_raw())
    };
    Frame { width, height, channels, pixels }
}

#[cfg(test)]
mod tests {
    use image::codecs::gif::GifEncoder;
    use image::{ExtendedColorType, ImageEncoder as _, Rgb, RgbImage, Rgba, RgbaImage};

    use super::*;

    const RED: [u8; 3] = [255, 0, 0];
    const GREEN: [u8; 3] = [0, 255, 0];

    fn decode(file: &[u8]) -> Result<(Vec<Frame>, Alpha), ImageError> {
        let mut all = Vec::new();
        let alpha = frames(file, |frame| {
            all.push(frame);
            Ok::<_, ImageError>(())
        })?;
        Ok((all, alpha))
    }

    fn two_pixels() -> RgbImage {
        RgbImage::from_fn(2, 1, |x, _| Rgb(if x == 0 { RED } else { GREEN }))
    }

    fn written(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
        let mut file = Cursor::new(Vec::new());
        image.into().write_to(&mut file, format).unwrap();
        file.into_inner()
    }

    #[test]
    fn files_without_transparency_give_rgb() {
        for format in [ImageFormat::Png, ImageFormat::Bmp, ImageFormat::WebP] {
            let (frames, alpha) = decode(&written(two_pixels(), format)).unwrap();
            let pixels = [RED, GREEN].concat();
            assert_eq!(frames, [Frame { width: 2, height: 1, channels: 3, pixels }], "{format:?}");
            assert_eq!(alpha, Alpha::None);
        }
    }

    #[test]
    fn a_jpeg_is_read() {
        let (frames, _) = decode(&written(two_pixels(), ImageFormat::Jpeg)).unwrap();
        assert_eq!((frames[0].width, frames[0].height, frames[0].channels), (2, 1, 3));
    }

    #[test]
    fn an_alpha_channel_stays_even_where_it_is_opaque() {
        let image = RgbaImage::from_pixel(1, 1, Rgba([1, 2, 3, 255]));
        let (frames, alpha) = decode(&written(image, ImageFormat::Png)).unwrap();
        assert_eq!(frames[0].pixels, [1, 2, 3, 255]);
        assert_eq!(alpha, Alpha::Channel);
    }

    #[test]
    fn gray_and_wide_pixels_become_bytes() {
        let gray = image::GrayImage::from_pixel(1, 1, image::Luma([7]));
        assert_eq!(decode(&written(gray, ImageFormat::Png)).unwrap().0[0].pixels, [7, 7, 7]);
        let wide = image::ImageBuffer::from_pixel(1, 1, Rgb([0xffff_u16, 0, 0x0101]));
        assert_eq!(decode(&written(wide, ImageFormat::Png)).unwrap().0[0].pixels, [255, 0, 1]);
    }

    #[test]
    fn each_frame_of_an_animation_is_an_image() {
        let mut file = Vec::new();
        let mut encoder = GifEncoder::new(&mut file);
        for color in [[255, 0, 0, 255], [0, 255, 0, 255]] {
            encoder.encode(&color, 1, 1, ExtendedColorType::Rgba8).unwrap();
        }
        drop(encoder);
        let (frames, alpha) = decode(&file).unwrap();
        assert_eq!(frames.iter().map(|frame| &frame.pixels[..3]).collect::<Vec<_>>(), [RED, GREEN]);
        assert_eq!(alpha, Alpha::None);
    }

    #[test]
    fn a_photograph_is_turned_upright() {
        // Exif, big-endian: one directory of one entry, orientation (0x0112) = 6, a quarter turn.
        let exif =
            [b"MM\0\x2a\0\0\0\x08\0\x01".as_slice(), b"\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"];
        let mut file = Vec::new();
        let mut encoder = image::codecs::jpeg::JpegEncoder::new(&mut file);
        encoder.set_exif_metadata(exif.concat()).unwrap();
        encoder.write_image(&two_pixels(), 2, 1, ExtendedColorType::Rgb8).unwrap();
        let (frames, _) = decode(&file).unwrap();
        assert_eq!((frames[0].width, frames[0].height), (1, 2));
    }

    #[test]
    fn what_is_no_image_is_an_error() {
        assert!(decode(b"").is_err());
        assert!(decode(b"GIF89a").is_err());
        assert!(decode(b"not an image at all").is_err());
        let mut cut = written(two_pixels(), ImageFormat::Png);
        cut.truncate(40);
        assert!(decode(&cut).is_err());
    }

    /// A PNG of one pixel that claims to be another, checksums and all.
    fn claiming(width: u32, height: u32, (depth, kind): (u8, u8)) -> Vec<u8> {
        let mut file = written(RgbImage::new(1, 1), ImageFormat::Png);
        file[16..20].copy_from_slice(&width.to_be_bytes());
        file[20..24].copy_from_slice(&height.to_be_bytes());
        (file[24], file[25]) = (depth, kind);
        let sum = file[12..29].iter().fold(u32::MAX, |sum, byte| {
            let low = (0..8).fold((sum ^ u32::from(*byte)) & 0xff, |low, _| {
                if low & 1 == 1 { (low >> 1) ^ 0xedb8_8320 } else { low >> 1 }
            });
            (sum >> 8) ^ low
        });
        file[29..33].copy_from_slice(&(!sum).to_be_bytes());
        file
    }

    #[test]
    fn an_image_of_more_bytes_than_a_guest_has_is_refused_before_it_is_decoded() {
        assert!(decode(&claiming(1, 1, (8, 2))).is_ok(), "the checksum is right");
        // 16 bits each of red, green, blue and alpha: 2 GiB.
        let error = decode(&claiming(LONGEST_SIDE, LONGEST_SIDE, (16, 6))).unwrap_err();
        assert!(matches!(error, ImageError::Limits(_)), "{error}");
        for (width, height) in [(u32::MAX >> 1, 1), (1, LONGEST_SIDE + 1)] {
            let error = decode(&claiming(width, height, (8, 2))).unwrap_err();
            assert!(matches!(error, ImageError::Limits(_)), "{error}");
        }
    }

    #[test]
    fn an_image_that_is_too_long_is_refused_before_it_is_decoded() {
        let mut png = written(RgbImage::new(1, 1), ImageFormat::Png);
        png[16..20].copy_from_slice(&(LONGEST_SIDE + 1).to_be_bytes());
        assert!(decode(&png).is_err());
    }
}
