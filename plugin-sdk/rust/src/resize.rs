//! Resizing to another aspect ratio: how a side that is not given follows the other, and what
//! a "center" crop cuts off first. Image and latent nodes offer the same choices.

use crate::{Choice, Result, Tensor};

/// What happens to what another aspect ratio has no place for.
#[derive(Clone, Copy, Debug, PartialEq, Choice)]
pub enum Crop {
    /// It stays, stretched.
    Disabled,
    /// It is cut off, equally from both sides.
    Center,
}

/// How long a side of `old` elements becomes, when the other goes from `other_old` to `other`
/// and the aspect ratio stays: rounded, ties to even.
pub fn keep_aspect(old: usize, other_old: usize, other: usize) -> usize {
    let exact = old as f64 * other as f64 / (other_old as f64).max(1.0);
    exact.round_ties_even() as usize
}

impl Tensor {
    /// The middle of [.., h, w] that has the aspect ratio of `height` × `width`: what is left when
    /// as little as possible is cut off, equally from both sides.
    ///
    /// # Errors
    /// `InvalidArgument` when there are no two dimensions; what the host has no room for.
    pub fn crop_to_aspect(&self, height: usize, width: usize) -> Result<Tensor> {
        let (old_height, old_width) = (self.dim(-2)?, self.dim(-1)?);
        let (above, left) = margins((old_height, old_width), (height, width));
        if (above, left) == (0, 0) {
            return Ok(self.clone());
        }
        self.slice(-2, above..old_height - above)?.slice(-1, left..old_width - left)
    }
}

/// What to cut off above and below, and left and right, of (height, width). At least one row and
/// one column stay.
fn margins(old: (usize, usize), new: (usize, usize)) -> (usize, usize) {
    let ratio = |(height, width): (usize, usize)| width as f64 / height as f64;
    let (old_ratio, new_ratio) = (ratio(old), ratio(new));
    let margin = |length: usize, share: f64| {
        let cut = (length as f64 - length as f64 * share) / 2.0;
        // A cast of a float saturates, and makes 0 of NaN.
        (cut.round_ties_even() as usize).min(length.saturating_sub(1) / 2)
    };
    if old_ratio > new_ratio {
        (0, margin(old.1, new_ratio / old_ratio))
    } else if old_ratio < new_ratio {
        (margin(old.0, old_ratio / new_ratio), 0)
    } else {
        (0, 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longer_side_is_cut() {
        assert_eq!(margins((100, 200), (50, 50)), (0, 50));
        assert_eq!(margins((200, 100), (64, 64)), (50, 0));
        assert_eq!(margins((60, 80), (30, 40)), (0, 0));
    }

    #[test]
    fn half_a_pixel_is_rounded_to_even() {
        assert_eq!(margins((10, 13), (10, 10)), (0, 2));
        assert_eq!(margins((10, 15), (10, 10)), (0, 2));
    }

    #[test]
    fn something_is_left_of_every_size() {
        assert_eq!(margins((1, 4), (16384, 1)), (0, 1));
        assert_eq!(margins((4, 1), (1, 16384)), (1, 0));
        assert_eq!(margins((0, 0), (1, 1)), (0, 0));
        assert_eq!(margins((4, 4), (0, 0)), (0, 0));
    }
}
