//! Latents in and out of batches.

use berth_sdk::prelude::*;

use crate::upscale::{Method, resize};

/// The field of a LATENT that says which number in a batch each latent had.
const BATCH_INDEX: &str = "batch-index";

/// Takes some latents out of a batch.
#[node(
    display_name = "Get Latent From Batch",
    category = "model/latent/batch",
    aliases("pick latent", "select from batch")
)]
pub fn latent_from_batch(
    samples: Latent,
    /// The first latent to take; −1 is the last one of the batch.
    #[input(default = 0, min = -16384, max = 16384)]
    batch_index: i64,
    /// How many latents to take, at most.
    #[input(default = 1, min = 1, max = 64)]
    length: usize,
) -> Result<Latent> {
    let latents = samples.samples()?;
    let batch = latents.dim(0)?;
    let (start, end) = part(batch, batch_index, length)?;
    let indices = match indices(&samples)? {
        Some(known) => known.into_iter().take(end).skip(start).collect(),
        None => numbers(start, end),
    };
    let masks = match samples.noise_mask()? {
        Some(masks) if masks.dim(0)? > 1 => Some(fit(&masks, batch)?.slice(0, start..end)?),
        one_for_all => one_for_all,
    };
    let fields = Fields::new()
        .with("samples", latents.slice(0, start..end)?)
        .with(BATCH_INDEX, Items::create(indices)?)
        .with_some("noise-mask", masks);
    samples.replace(fields)
}

/// Repeats a batch of latents, each with noise of its own.
#[node(category = "model/latent/batch", aliases("duplicate latent", "clone latent"))]
pub fn repeat_latent_batch(
    samples: Latent,
    /// How often the batch comes.
    #[input(default = 1, min = 1, max = 64)]
    amount: usize,
) -> Result<Latent> {
    let latents = samples.samples()?;
    let masks = match samples.noise_mask()? {
        Some(masks) if masks.dim(0)? > 1 => Some(repeat(&fit(&masks, latents.dim(0)?)?, amount)?),
        one_for_all => one_for_all,
    };
    let indices = indices(&samples)?.map(|known| Items::create(repeated(&known, amount)));
    let fields = Fields::new()
        .with("samples", repeat(&latents, amount)?)
        .with_some("noise-mask", masks)
        .with_some(BATCH_INDEX, indices.transpose()?);
    samples.replace(fields)
}

/// Makes one batch of two. The second is scaled to the size of the first.
#[node(
    display_name = "Batch Latents",
    category = "model/latent/batch",
    aliases("combine latents", "merge latents", "join latents"),
    deprecated
)]
pub fn latent_batch(samples1: Latent, samples2: Latent) -> Result<Latent> {
    let (first, mut second) = (samples1.samples()?, samples2.samples()?);
    let ([count1, _, height, width], [count2, _, height2, width2]) =
        (first.dims()?, second.dims()?);
    if (height, width) != (height2, width2) {
        let cropped = second.crop_to_aspect(height, width)?;
        second = resize(&cropped, height, width, Method::Bilinear)?;
    }
    let mut all = indices(&samples1)?.unwrap_or_else(|| numbers(0, count1));
    all.extend(indices(&samples2)?.unwrap_or_else(|| numbers(0, count2)));
    let fields = Fields::new()
        .with("samples", Tensor::concat(&[&first, &second], 0)?)
        .with(BATCH_INDEX, Items::create(all)?);
    samples1.replace(fields)
}

/// Which number in a batch each latent had, where that is known.
fn indices(latent: &Latent) -> Result<Option<Vec<i64>>> {
    let items = latent.object().get_optional::<Items>(BATCH_INDEX)?;
    items.map(|items| items.to_vec().map_err(|error| error.at("LATENT `batch-index`"))).transpose()
}

fn numbers(start: usize, end: usize) -> Vec<i64> {
    (start..end).map(|number| i64::try_from(number).unwrap_or(i64::MAX)).collect()
}

/// From where to where `length` latents of a batch are taken: at least one, and none past its end.
fn part(batch: usize, index: i64, length: usize) -> Result<(usize, usize)> {
    let Some(last) = batch.checked_sub(1) else {
        return Err(Error::invalid("there is no latent in the batch"));
    };
    let distance = usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX);
    let start = if index < 0 { batch.saturating_sub(distance) } else { distance.min(last) };
    Ok((start, start.saturating_add(length.max(1)).min(batch)))
}

/// The numbers of a batch that comes `amount` times: each time it goes on after the last.
fn repeated(known: &[i64], amount: usize) -> Vec<i64> {
    let largest = known.iter().copied().max().unwrap_or(0);
    let smallest = known.iter().copied().min().unwrap_or(0);
    let offset = largest.saturating_sub(smallest).saturating_add(1);
    let turns = (0..amount).map(|turn| i64::try_from(turn).unwrap_or(i64::MAX));
    turns
        .map(|turn| offset.saturating_mul(turn))
        .flat_map(|shift| known.iter().map(move |number| number.saturating_add(shift)))
        .collect()
}

fn repeat(tensor: &Tensor, amount: usize) -> Result<Tensor> {
    Tensor::concat(&vec![tensor; amount], 0)
}

/// As many masks as latents, by beginning again where there are too few.
fn fit(masks: &Tensor, batch: usize) -> Result<Tensor> {
    let count = masks.dim(0)?;
    if count >= batch || count == 0 {
        return Ok(masks.clone());
    }
    repeat(masks, batch.div_ceil(count))?.slice(0, ..batch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_lies_inside_the_batch() {
        assert_eq!(part(4, 1, 2), Ok((1, 3)));
        assert_eq!(part(4, 9, 2), Ok((3, 4)));
        assert_eq!(part(4, 2, 64), Ok((2, 4)));
        assert_eq!(part(4, 0, usize::MAX), Ok((0, 4)));
        assert!(part(0, 0, 1).is_err());
    }

    #[test]
    fn a_negative_index_counts_from_the_end() {
        assert_eq!(part(4, -1, 2), Ok((3, 4)));
        assert_eq!(part(4, -3, 2), Ok((1, 3)));
        assert_eq!(part(4, i64::MIN, 1), Ok((0, 1)));
    }

    #[test]
    fn a_repeated_batch_goes_on_with_its_numbers() {
        assert_eq!(repeated(&[0, 1], 3), [0, 1, 2, 3, 4, 5]);
        assert_eq!(repeated(&[5], 2), [5, 6]);
        assert_eq!(repeated(&[i64::MAX, 0], 2)[2], i64::MAX);
        assert!(repeated(&[], 2).is_empty());
    }
}
