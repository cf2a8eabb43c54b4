//! Two real nodes: a filter, and a small network.

use berth_sdk::prelude::*;

/// Makes the edges of an image clearer, by what a slight blur takes away.
#[node(name = "Sharpen", category = "image/filters")]
fn sharpen(
    /// The image to sharpen.
    image: Image,
    /// 0 leaves it as it is.
    #[input(default = 1.0, min = 0.0, max = 5.0, step = 0.01)]
    amount: f64,
) -> Result<Image> {
    let [_, _, _, channels] = image.size()?;
    let x = image.permute(&[0, 3, 1, 2])?;
    // Pascal's fifth row, in both directions: the binomial blur.
    let row = [1.0, 4.0, 6.0, 4.0, 1.0f32];
    let taps: Vec<f32> = row.iter().flat_map(|a| row.map(|b| a * b / 256.0)).collect();
    let kernel = Tensor::from_f32(&[1, 1, 5, 5], &taps)?.broadcast(&[channels, 1, 5, 5])?;
    let padded = x.pad(&[(0, 0), (0, 0), (2, 2), (2, 2)], Padding::Edge)?;
    let walk = Walk { groups: channels as u32, ..Walk::default() };
    let blurred = padded.conv2d(&kernel, None, walk)?;
    let sharp = (&x + ((&x - &blurred)? * amount)?)?;
    Image::new(sharp.permute(&[0, 2, 3, 1])?.clamp(0.0, 1.0)?)
}

/// Enlarges an image by a network of convolutions whose last one gives several pixels for each
/// (Shi et al. 2016).
#[node(name = "Upscale", category = "image/upscaling")]
fn upscale(
    /// The image to enlarge.
    image: Image,
    /// The network: convolutions `0`, `1`, … with `weight` and `bias`.
    #[input(models = "upscale_models")]
    model_name: String,
) -> Result<Image> {
    let model = ModelFile::open("upscale_models", &model_name)?;
    let keys = model.keys();
    let layers = (0..).take_while(|i| keys.contains(&format!("{i}.weight"))).count();
    let [batch, height, width, channels] = image.size()?;
    let mut x = image.permute(&[0, 3, 1, 2])?;
    for i in 0..layers {
        let weight = model.weight(&format!("{i}.weight"))?;
        let bias = model.weight(&format!("{i}.bias"))?;
        let padding = weight.shape()[2] as u32 / 2;
        x = x.conv2d(&weight, Some(&bias), Walk { padding, ..Walk::default() })?;
        if i + 1 < layers {
            x = x.relu()?;
        }
        context::progress(i + 1, layers);
    }
    let made = x.shape()[1];
    let Some(factor) = (1..=made).find(|r| r * r * channels == made).filter(|_| layers > 0) else {
        return Err(Error::failed(
            "not-an-upscaler",
            &format!("`{model_name}` is no network that enlarges images of {channels} channels"),
            "choose a model with the tensors 0.weight, 0.bias, 1.weight, …",
        ));
    };
    let pixels = x
        .reshape(&[batch, channels, factor, factor, height, width])?
        .permute(&[0, 1, 4, 2, 5, 3])?
        .reshape(&[batch, channels, height * factor, width * factor])?;
    Image::new(pixels.permute(&[0, 2, 3, 1])?.clamp(0.0, 1.0)?)
}

plugin! { nodes: [sharpen, upscale] }
