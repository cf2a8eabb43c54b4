//! Images from the operator's input folder.

use berth_sdk::prelude::*;
use image::ImageError;

use crate::decode::{self, Alpha, Frame};

/// The side of the empty mask of an image without transparency, which workflows count on.
const EMPTY_MASK: usize = 64;

/// Loads an image of the input folder. Each frame of an animation becomes an image of the batch.
#[node(
    category = "image",
    outputs("IMAGE" = "The image.", "MASK" = "1 where the image is transparent."),
    aliases("open image", "import image", "read image"),
    fingerprint = digest,
    validate = missing
)]
pub fn load_image(#[input(images)] image: String) -> Result<(Image, Mask)> {
    let file = context::read_input(&image)?;
    let mut frames = Vec::new();
    let alpha = decode::frames(&file, |frame| {
        frames.push(upload(&frame)?);
        Ok::<_, Failure>(())
    });
    let alpha = alpha.map_err(|failure| failure.about(&image))?;
    drop(file);

    let pixels = match frames.as_slice() {
        [] => return Err(Error::invalid(format!("there is no image in `{image}`"))),
        [one] => one.clone(),
        all => Tensor::concat(&all.iter().collect::<Vec<_>>(), 0)?,
    };
    drop(frames);
    let [batch, _, _, channels] = pixels.dims()?;
    let values = (pixels.cast(DType::F32)? / 255.0)?;
    if channels < 4 {
        return Ok((Image::new(values)?, empty_mask(batch)?));
    }
    let mask = match alpha {
        Alpha::None => empty_mask(batch)?,
        Alpha::Channel => {
            let [batch, height, width, _] = values.dims()?;
            let alpha = values.slice(-1, 3..4)?.reshape(&[batch, height, width])?;
            Mask::new((1.0 - alpha)?)?
        }
    };
    Ok((Image::new(values.slice(-1, ..3)?)?, mask))
}

fn digest(inputs: &Fields) -> Result<String> {
    context::input_fingerprint(&inputs.get::<String>("image")?)
}

fn missing(inputs: &Fields) -> Result<Option<String>> {
    let Some(image) = inputs.get_optional::<String>("image")? else { return Ok(None) };
    match context::input_fingerprint(&image) {
        Ok(_) => Ok(None),
        Err(Error::NotFound(_) | Error::InvalidArgument(_)) => {
            Ok(Some(format!("the input folder has no image `{image}`")))
        }
        Err(error) => Err(error),
    }
}

fn upload(frame: &Frame) -> Result<Tensor> {
    let shape = [1, frame.height, frame.width, frame.channels];
    Tensor::from_bytes(DType::U8, &shape, &frame.pixels)
}

fn empty_mask(batch: usize) -> Result<Mask> {
    Mask::new(Tensor::zeros(DType::F32, &[batch, EMPTY_MASK, EMPTY_MASK])?)
}

/// Why an image is not there: its file, or the host.
enum Failure {
    File(ImageError),
    Host(Error),
}

impl From<ImageError> for Failure {
    fn from(error: ImageError) -> Self {
        Self::File(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Host(error)
    }
}

impl Failure {
    fn about(self, name: &str) -> Error {
        match self {
            Self::File(error) => Error::invalid(format!("`{name}` cannot be read: {error}")),
            Self::Host(error) => error.at(name),
        }
    }
}
