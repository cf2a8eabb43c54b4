//! Reads a generated picture of a handwritten digit: which digit, in what ink,
//! on what background.
//!
//! The quality test needs a reader that owes nothing to the model under test.
//! Colours are told apart in the picture itself: the frame shows the
//! background, what differs most from it is ink, and both settle on the nearest
//! of the eight colours that prompts name. The digit is a vote of the five
//! nearest real handwritten digits (`data/digits`, made and checked by
//! `scripts/digit_templates.py`), compared by where the ink is around its
//! centre of mass. There is nothing to train and nothing to tune.

use std::error::Error;
use std::path::Path;

use safetensors::SafeTensors;
use safetensors::tensor::TensorView;

/// The colours that the demo model knows, by the names its prompts use.
pub const COLOURS: [(&str, [u8; 3]); 8] = [
    ("black", [16, 16, 16]),
    ("white", [244, 244, 244]),
    ("red", [208, 32, 38]),
    ("green", [34, 150, 60]),
    ("blue", [36, 72, 200]),
    ("yellow", [246, 208, 40]),
    ("purple", [128, 44, 160]),
    ("orange", [240, 126, 24]),
];

/// The file of the templates.
const TEMPLATES: &str = "templates.safetensors";
/// A coverage map has this many cells a side.
const CELLS: usize = 8;
/// The side of the pictures that the templates were drawn in, and of their cells.
const TEMPLATE_SIDE: usize = 64;
const TEMPLATE_CELL: usize = 6;
/// How many templates vote.
const NEAREST: usize = 5;

/// How much ink is in each cell around the ink's centre of mass, 0…255.
type CoverageMap = [u8; CELLS * CELLS];
type Colour = [f32; 3];

/// What a picture shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// The digit, 0…9.
    pub digit: usize,
    /// Name of the ink's colour. In a picture of one colour it is the
    /// background's, which no prompt asks for.
    pub ink: &'static str,
    /// Name of the background's colour.
    pub background: &'static str,
}

/// The templates.
#[derive(Debug)]
pub struct Judge {
    templates: Vec<(CoverageMap, u8)>,
}

impl Judge {
    /// Reads the templates from the folder `data/digits`.
    ///
    /// # Errors
    /// When their file is missing or is not what the script writes.
    pub fn load(folder: &Path) -> Result<Self, Box<dyn Error>> {
        let path = folder.join(TEMPLATES);
        let bytes = std::fs::read(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        let file = SafeTensors::deserialize(&bytes)?;
        let templates = labelled(&file.tensor("templates")?, &file.tensor("template_digits")?)?;
        Ok(Self { templates })
    }

    /// Reads a square picture, given as rows of 8-bit RGB.
    pub fn read(&self, rgb: &[u8], width: usize, height: usize) -> Reading {
        let pixels: Vec<Colour> =
            rgb.as_chunks::<3>().0.iter().map(|pixel| pixel.map(f32::from)).collect();
        let (ink, background) = ink_and_background(&pixels, width, height);
        let coverage = coverage(&pixels, ink, background);
        let map = coverage_map(&coverage, width, height);
        Reading {
            digit: usize::from(self.digit(&map)),
            ink: name(ink),
            background: name(background),
        }
    }

    fn digit(&self, map: &CoverageMap) -> u8 {
        let mut distances: Vec<(u32, u8)> = self
            .templates
            .iter()
            .map(|(template, digit)| (distance_of_maps(template, map), *digit))
            .collect();
        distances.sort();
        let nearest: Vec<_> = distances.into_iter().take(NEAREST).collect();
        let votes = |digit: u8| -> f64 {
            let of_digit = nearest.iter().filter(|(_, d)| *d == digit);
            of_digit.map(|(distance, _)| 1.0 / (1.0 + f64::from(*distance))).sum()
        };
        (0..10).max_by(|a, b| votes(*a).total_cmp(&votes(*b))).unwrap_or_default()
    }
}

/// Pairs maps with the digits they show.
fn labelled(
    maps: &TensorView<'_>,
    digits: &TensorView<'_>,
) -> Result<Vec<(CoverageMap, u8)>, Box<dyn Error>> {
    let (maps, rest) = maps.data().as_chunks::<{ CELLS * CELLS }>();
    if !rest.is_empty() || maps.len() != digits.data().len() {
        return Err(format!("{} maps for {} digits", maps.len(), digits.data().len()).into());
    }
    Ok(maps.iter().copied().zip(digits.data().iter().copied()).collect())
}

fn distance_of_maps(a: &CoverageMap, b: &CoverageMap) -> u32 {
    a.iter().zip(b).map(|(a, b)| u32::from(a.abs_diff(*b)).pow(2)).sum()
}

fn distance(a: Colour, b: Colour) -> f32 {
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f32>().sqrt()
}

/// The palette's name for a colour.
fn name(colour: Colour) -> &'static str {
    let distance = |rgb: [u8; 3]| distance(colour, rgb.map(f32::from));
    COLOURS
        .iter()
        .min_by(|a, b| distance(a.1).total_cmp(&distance(b.1)))
        .map_or("", |(name, _)| name)
}

/// The median of each channel: strays at the edges of strokes do not move it.
fn median(pixels: impl Iterator<Item = Colour> + Clone) -> Colour {
    [0, 1, 2].map(|channel| {
        let mut values: Vec<f32> =
            pixels.clone().filter_map(|pixel| pixel.get(channel).copied()).collect();
        let middle = values.len() / 2;
        if values.is_empty() {
            return 0.0;
        }
        *values.select_nth_unstable_by(middle, f32::total_cmp).1
    })
}

/// Two-means over the colours, begun with the frame as background and the 7% of
/// the pixels that differ most from it as ink.
fn ink_and_background(pixels: &[Colour], width: usize, height: usize) -> (Colour, Colour) {
    let frame = |index: usize| {
        let (row, column) = (index / width.max(1), index % width.max(1));
        row < 2 || column < 2 || row + 2 >= height || column + 2 >= width
    };
    let framing = pixels.iter().enumerate().filter(|(index, _)| frame(*index)).map(|(_, p)| *p);
    let mut background = median(framing);
    let mut by_distance: Vec<(f32, Colour)> =
        pixels.iter().map(|pixel| (distance(*pixel, background), *pixel)).collect();
    by_distance.sort_by(|a, b| b.0.total_cmp(&a.0));
    let farthest = by_distance.into_iter().take(pixels.len() * 7 / 100);
    let mut ink = median(farthest.map(|(_, pixel)| pixel));

    for _ in 0..5 {
        let (inked, blank): (Vec<Colour>, Vec<Colour>) =
            pixels.iter().partition(|p| distance(**p, ink) < distance(**p, background));
        // A side of a few strays is not a colour.
        if inked.len().min(blank.len()) < 20 {
            break;
        }
        (ink, background) = (median(inked.into_iter()), median(blank.into_iter()));
    }
    (ink, background)
}

/// Where each pixel stands between background (0) and ink (1).
fn coverage(pixels: &[Colour], ink: Colour, background: Colour) -> Vec<f32> {
    let dot = |a: Colour, b: Colour| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    let minus = |[r, g, b]: Colour, [x, y, z]: Colour| [r - x, g - y, b - z];
    let axis = minus(ink, background);
    let length = dot(axis, axis).max(1e-6);
    pixels.iter().map(|p| (dot(minus(*p, background), axis) / length).clamp(0.0, 1.0)).collect()
}

/// The coverage in cells around its centre of mass.
fn coverage_map(coverage: &[f32], width: usize, height: usize) -> CoverageMap {
    let cell = (width.min(height) * TEMPLATE_CELL / TEMPLATE_SIDE).max(1);
    let at = |index: usize| (index / width.max(1), index % width.max(1));
    let (mut total, mut rows, mut columns) = (1e-6, 0.0, 0.0);
    for (index, amount) in coverage.iter().enumerate() {
        let (row, column) = at(index);
        total += amount;
        rows += amount * row as f32;
        columns += amount * column as f32;
    }
    let half = (CELLS * cell) as f32 / 2.0;
    let first = |sum: f32| (sum / total - half + 1.0).floor() as isize;
    let (top, left) = (first(rows), first(columns));

    let mut cells = [0.0; CELLS * CELLS];
    for (index, amount) in coverage.iter().enumerate() {
        let (row, column) = at(index);
        let within = |position: usize, start: isize| {
            position.checked_add_signed(-start).map(|p| p / cell).filter(|p| *p < CELLS)
        };
        if let (Some(row), Some(column)) = (within(row, top), within(column, left))
            && let Some(sum) = cells.get_mut(row * CELLS + column)
        {
            *sum += amount;
        }
    }
    cells.map(|sum| (sum / (cell * cell) as f32 * 255.0).round() as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIDE: usize = TEMPLATE_SIDE;

    fn digits() -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("data/digits")
    }

    /// Real digits that are not among the templates: 8×8, ink 0…16.
    fn unseen() -> Vec<([u8; 64], u8)> {
        let bytes = std::fs::read(digits().join(TEMPLATES)).unwrap();
        let file = SafeTensors::deserialize(&bytes).unwrap();
        labelled(&file.tensor("unseen").unwrap(), &file.tensor("unseen_digits").unwrap()).unwrap()
    }

    /// Catmull-Rom weights of the four samples around a point between two.
    fn weights(t: f32) -> [f32; 4] {
        [
            ((2.0 - t) * t - 1.0) * t / 2.0,
            ((3.0 * t - 5.0) * t * t + 2.0) / 2.0,
            ((4.0 - 3.0 * t) * t + 1.0) * t / 2.0,
            (t - 1.0) * t * t / 2.0,
        ]
    }

    /// Enlarges a digit smoothly to 50 pixels in the middle of a picture.
    fn draw(digit: &[u8; 64], ink: [u8; 3], background: [u8; 3]) -> Vec<u8> {
        let at = |row: isize, column: isize| {
            let inside = (0..8).contains(&row) && (0..8).contains(&column);
            if inside { f32::from(digit[(row * 8 + column) as usize]) / 16.0 } else { 0.0 }
        };
        let middle = (SIDE - 1) as f32 / 2.0;
        let mut rgb = Vec::new();
        for pixel in 0..SIDE * SIDE {
            let y = ((pixel / SIDE) as f32 - middle) / 6.25 + 3.5;
            let x = ((pixel % SIDE) as f32 - middle) / 6.25 + 3.5;
            let mut value = 0.0;
            for (row, down) in (y.floor() as isize - 1..).zip(weights(y - y.floor())) {
                for (column, right) in (x.floor() as isize - 1..).zip(weights(x - x.floor())) {
                    value += at(row, column) * down * right;
                }
            }
            let coverage = ((value - 0.46) / 0.32 + 0.5).clamp(0.0, 1.0);
            rgb.extend([0, 1, 2].map(|channel| {
                let (from, to) = (f32::from(background[channel]), f32::from(ink[channel]));
                (from + (to - from) * coverage).round() as u8
            }));
        }
        rgb
    }

    #[test]
    fn unseen_digits_of_every_pair_of_colours_are_read() {
        let judge = Judge::load(&digits()).unwrap();
        let unseen = unseen();
        let mut wrong = Vec::new();
        for (index, (digit, truth)) in unseen.iter().enumerate() {
            let ink = index % 8;
            let background = (ink + 1 + index / 8 % 7) % 8;
            let rgb = draw(digit, COLOURS[ink].1, COLOURS[background].1);
            let expected = Reading {
                digit: usize::from(*truth),
                ink: COLOURS[ink].0,
                background: COLOURS[background].0,
            };
            let reading = judge.read(&rgb, SIDE, SIDE);
            if reading != expected {
                wrong.push((expected, reading));
            }
        }
        assert!(wrong.len() * 50 <= unseen.len(), "{} of {}: {wrong:?}", wrong.len(), unseen.len());
    }

    #[test]
    fn a_picture_of_one_colour_has_no_ink_of_its_own() {
        let judge = Judge::load(&digits()).unwrap();
        let reading = judge.read(&[208, 32, 38].repeat(SIDE * SIDE), SIDE, SIDE);
        assert_eq!((reading.ink, reading.background), ("red", "red"));
    }

    #[test]
    fn a_file_that_is_not_the_templates_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Judge::load(folder.path()).is_err());
        std::fs::write(folder.path().join(TEMPLATES), b"not safetensors").unwrap();
        assert!(Judge::load(folder.path()).is_err());
    }
}
