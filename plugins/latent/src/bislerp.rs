//! Bilinear resampling along great circles.
//!
//! A latent's channels at one place are a vector, and a mean of two vectors is shorter than
//! either: bilinear resampling washes a latent out. Here the direction is interpolated on the
//! sphere (slerp, Shoemake 1985) and the length linearly, first along rows, then along columns.
//! The host has no such operation, so this runs in the guest, on one latent at a time.
#![expect(
    clippy::indexing_slicing,
    reason = "every index is a product of bounds checked once in `bislerp`"
)]

/// From here on, two directions count as one.
const PARALLEL: f32 = 1.0 - 1e-5;

/// One latent [channels, height, width] in another height and width. Gives zeros
/// where `latent` is not of its shape, or a dimension is 0.
pub fn bislerp(latent: &[f32], old: [usize; 3], new: [usize; 3]) -> Vec<f32> {
    let ([channels, height, width], [_, new_height, new_width]) = (old, new);
    if latent.len() != channels * height * width || latent.is_empty() {
        return vec![0.0; channels * new_height * new_width];
    }
    let rows = Lines { channels, outer: height, length: width, inner: 1 };
    let wide = rows.resample(latent, new_width);
    let columns = Lines { channels, outer: 1, length: height, inner: new_width };
    columns.resample(&wide, new_height)
}

/// All lines along one axis of [channels, outer, length, inner].
#[derive(Clone, Copy)]
struct Lines {
    channels: usize,
    outer: usize,
    length: usize,
    inner: usize,
}

impl Lines {
    /// Where the first channel of a place is.
    fn at(self, outer: usize, along: usize, inner: usize) -> usize {
        (outer * self.length + along) * self.inner + inner
    }

    /// From one channel to the next.
    fn stride(self) -> usize {
        self.outer * self.length * self.inner
    }

    /// The channels at one place.
    fn vector(self, data: &[f32], place: usize, vector: &mut [f32]) {
        for (value, from) in vector.iter_mut().zip(data[place..].iter().step_by(self.stride())) {
            *value = *from;
        }
    }

    /// The lines with `length` elements.
    fn resample(self, data: &[f32], length: usize) -> Vec<f32> {
        let result = Self { length, ..self };
        let mut resampled = vec![0.0; self.channels * result.stride()];
        let (mut a, mut b) = (vec![0.0; self.channels], vec![0.0; self.channels]);
        for along in 0..length {
            let tap = Tap::of(along, self.length, length);
            for (outer, inner) in (0..self.outer).flat_map(|o| (0..self.inner).map(move |i| (o, i)))
            {
                self.vector(data, self.at(outer, tap.left, inner), &mut a);
                self.vector(data, self.at(outer, tap.right, inner), &mut b);
                slerp(&mut a, &b, tap.share);
                let place = result.at(outer, along, inner);
                let channels = resampled[place..].iter_mut().step_by(result.stride());
                for (to, value) in channels.zip(&a) {
                    *to = *value;
                }
            }
        }
        resampled
    }
}

/// Two neighbours, and the second one's share of what is between them.
struct Tap {
    left: usize,
    right: usize,
    share: f32,
}

impl Tap {
    /// The neighbours, among `old` elements, of the centre of element `index` of `new`.
    fn of(index: usize, old: usize, new: usize) -> Self {
        let last = old - 1;
        let centre = (index as f32 + 0.5) * (old as f32 / new as f32) - 0.5;
        let centre = centre.clamp(0.0, last as f32);
        let left = (centre.floor() as usize).min(last);
        Self { left, right: (left + 1).min(last), share: centre - centre.floor() }
    }
}

fn length(vector: &[f32]) -> f32 {
    vector.iter().map(|value| value * value).sum::<f32>().sqrt()
}

/// Turns `a` towards `b` by `share` of the angle between them.
fn slerp(a: &mut [f32], b: &[f32], share: f32) {
    let (length_a, length_b) = (length(a), length(b));
    let product: f32 = a.iter().zip(b).map(|(a, b)| a * b).sum();
    // A vector without length has no direction, and stands at a right angle to all.
    let cosine = if length_a * length_b > 0.0 { product / length_a / length_b } else { 0.0 };
    if cosine > PARALLEL {
        return;
    }
    let (from, to) = if cosine < -PARALLEL {
        (1.0 - share, share)
    } else {
        let angle = cosine.acos();
        let mean = length_a * (1.0 - share) + length_b * share;
        let part = |share: f32, length: f32| {
            if length > 0.0 { (share * angle).sin() / angle.sin() * mean / length } else { 0.0 }
        };
        (part(1.0 - share, length_a), part(share, length_b))
    };
    for (a, b) in a.iter_mut().zip(b) {
        *a = *a * from + b * to;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: &[f32], expected: &[f32]) {
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-5, "{found} is not {expected}");
        }
    }

    #[test]
    fn the_same_size_changes_nothing() {
        let latent: Vec<_> = (0..24).map(|value| (value as f32 * 0.7).sin()).collect();
        close(&bislerp(&latent, [2, 3, 4], [2, 3, 4]), &latent);
    }

    #[test]
    fn the_middle_of_a_right_angle_keeps_the_length() {
        let mut a = [1.0, 0.0];
        slerp(&mut a, &[0.0, 1.0], 0.5);
        let half = 0.5f32.sqrt();
        close(&a, &[half, half]);
    }

    #[test]
    fn lengths_are_interpolated_linearly() {
        let mut a = [2.0, 0.0];
        slerp(&mut a, &[0.0, 4.0], 0.25);
        close(&[length(&a)], &[2.5]);
    }

    #[test]
    fn opposite_vectors_are_interpolated_linearly_and_equal_ones_stay() {
        let mut a = [1.0, 0.0];
        slerp(&mut a, &[-3.0, 0.0], 0.5);
        close(&a, &[-1.0, 0.0]);
        let mut a = [1.0, 1.0];
        slerp(&mut a, &[2.0, 2.0], 0.5);
        close(&a, &[1.0, 1.0]);
    }

    #[test]
    fn a_vector_without_length_gives_finite_numbers() {
        let mut a = [0.0, 0.0];
        slerp(&mut a, &[0.0, 1.0], 0.5);
        close(&a, &[0.0, 0.5 * std::f32::consts::FRAC_PI_4.sin()]);
    }

    #[test]
    fn rows_and_columns_are_resampled_alike() {
        let latent: Vec<_> = (0..32).map(|value| (value as f32 * 1.3).cos()).collect();
        let wide = bislerp(&latent, [2, 4, 4], [2, 4, 7]);
        let transposed: Vec<_> = (0..2)
            .flat_map(|c| (0..16).map(move |i| (c, i)))
            .map(|(c, i)| latent[c * 16 + i % 4 * 4 + i / 4])
            .collect();
        let high = bislerp(&transposed, [2, 4, 4], [2, 7, 4]);
        for (c, y, x) in (0..56).map(|i| (i / 28, i / 7 % 4, i % 7)) {
            close(&[wide[c * 28 + y * 7 + x]], &[high[c * 28 + x * 4 + y]]);
        }
    }

    #[test]
    fn a_latent_that_is_not_of_its_shape_gives_zeros() {
        assert_eq!(bislerp(&[1.0], [1, 2, 2], [1, 1, 2]), [0.0, 0.0]);
        assert_eq!(bislerp(&[], [1, 0, 0], [1, 1, 1]), [0.0]);
    }
}
