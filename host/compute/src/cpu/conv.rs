//! Convolutions, as matrix products whose right operand is unfolded tile by tile.
//!
//! A convolution is, for each output, a sum over channels and *taps*: the places of the
//! input that the kernel's elements fall on. The taps of a transposed convolution differ
//! with the output's remainder by the stride and are otherwise the same, so it is
//! computed as one [`Pass`] for each remainder, without multiplying by the zeros that
//! lie between its inputs. Unfolding the whole input would take kernel-area times its
//! memory; a task unfolds [`tile::DEPTH`] × [`tile::COLUMNS`] of it.

#![expect(clippy::indexing_slicing, reason = "the caller checked the lengths against the shape")]

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::parallel::{Output, for_each_task, part, tasks_wanted, workers};
use super::tile::{self, COLUMNS, Line, Product, ROWS, WIDTH};
use super::{Floats, arch};

/// The shape of a convolution. One of a single dimension has height 1.
/// When it is transposed, `channels` are still the input's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Conv2d {
    pub batch: usize,
    pub channels: usize,
    pub height: usize,
    pub width: usize,
    pub out_channels: usize,
    pub out_height: usize,
    pub out_width: usize,
    pub kernel: (usize, usize),
    pub stride: (usize, usize),
    pub padding: (usize, usize),
    pub dilation: (usize, usize),
    pub groups: usize,
}

impl Conv2d {
    /// The most bytes that [`conv2d`] allocates.
    pub(crate) fn workspace(&self) -> u64 {
        Pass::forward(self).workspace()
    }

    /// The most bytes that [`conv_transpose2d`] allocates.
    pub(crate) fn transpose_workspace(&self) -> u64 {
        let mut most = 0;
        for phase in self.phases() {
            most = most.max(Pass::transposed(self, phase).workspace());
        }
        most
    }

    /// The remainders of an output's place by the stride.
    /// How many places of its kernel a convolution looks at before it computes anything; none
    /// of them need be bytes of a tensor, which may have no channels.
    pub(crate) fn places(&self, transposed: bool) -> usize {
        let taps = self.kernel.0.saturating_mul(self.kernel.1);
        if !transposed {
            return taps;
        }
        let phases = |stride: usize, out: usize| stride.min(out);
        taps.saturating_mul(phases(self.stride.0, self.out_height))
            .saturating_mul(phases(self.stride.1, self.out_width))
    }

    fn phases(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let (rows, columns) =
            (self.stride.0.min(self.out_height), self.stride.1.min(self.out_width));
        (0..rows).flat_map(move |y| (0..columns).map(move |x| (y, x)))
    }
}

/// x [n, c, h, w] with weight [out, c / groups, kh, kw].
pub(crate) fn conv2d(
    conv: &Conv2d,
    x: &[f32],
    weight: Floats<'_>,
    bias: Option<Floats<'_>>,
    out: &mut [f32],
) {
    Pass::forward(conv).run(&Operands { x, weight, bias, out: Output::new(out) });
}

/// The transpose: x [n, c, h, w] with weight [c, out / groups, kh, kw].
pub(crate) fn conv_transpose2d(
    conv: &Conv2d,
    x: &[f32],
    weight: Floats<'_>,
    bias: Option<Floats<'_>>,
    out: &mut [f32],
) {
    let operands = Operands { x, weight, bias, out: Output::new(out) };
    for phase in conv.phases() {
        Pass::transposed(conv, phase).run(&operands);
    }
}

struct Operands<'a> {
    x: &'a [f32],
    weight: Floats<'a>,
    bias: Option<Floats<'a>>,
    out: Output<'a>,
}

/// An element of the kernel, and where it falls relative to an output's base.
#[derive(Clone, Copy)]
struct Tap {
    y: isize,
    x: isize,
    index: usize,
}

/// A convolution of a lattice of outputs that all have the same taps.
struct Pass {
    conv: Conv2d,
    transposed: bool,
    taps: Vec<Tap>,
    /// The least and the most of the taps' places.
    reach: [(isize, isize); 2],
    /// Outputs of the lattice, per image.
    lattice: (usize, usize),
    /// From one output's base to the next in the input.
    input_step: (usize, usize),
    /// The lattice's first output, and the step to its next, in the output.
    origin: (usize, usize),
    output_step: (usize, usize),
    /// Images, rows and columns of the lattice that a task unfolds.
    chunk: [usize; 3],
    row_parts: usize,
}

impl Pass {
    fn forward(conv: &Conv2d) -> Self {
        let mut taps = Vec::with_capacity(conv.kernel.0 * conv.kernel.1);
        for y in 0..conv.kernel.0 {
            for x in 0..conv.kernel.1 {
                taps.push(Tap {
                    y: (y * conv.dilation.0) as isize - conv.padding.0 as isize,
                    x: (x * conv.dilation.1) as isize - conv.padding.1 as isize,
                    index: y * conv.kernel.1 + x,
                });
            }
        }
        let lattice = (conv.out_height, conv.out_width);
        Self::new(*conv, false, taps, lattice, conv.stride, (0, 0), (1, 1))
    }

    fn transposed(conv: &Conv2d, phase: (usize, usize)) -> Self {
        let mut taps = Vec::with_capacity(conv.kernel.0 * conv.kernel.1);
        for ky in 0..conv.kernel.0 {
            for kx in 0..conv.kernel.1 {
                let y = (phase.0 + conv.padding.0) as isize - (ky * conv.dilation.0) as isize;
                let x = (phase.1 + conv.padding.1) as isize - (kx * conv.dilation.1) as isize;
                let (sy, sx) = (conv.stride.0 as isize, conv.stride.1 as isize);
                if y % sy == 0 && x % sx == 0 {
                    taps.push(Tap { y: y / sy, x: x / sx, index: ky * conv.kernel.1 + kx });
                }
            }
        }
        let lattice = (
            (conv.out_height - phase.0).div_ceil(conv.stride.0),
            (conv.out_width - phase.1).div_ceil(conv.stride.1),
        );
        Self::new(*conv, true, taps, lattice, (1, 1), phase, conv.stride)
    }

    fn new(
        conv: Conv2d,
        transposed: bool,
        taps: Vec<Tap>,
        lattice: (usize, usize),
        input_step: (usize, usize),
        origin: (usize, usize),
        output_step: (usize, usize),
    ) -> Self {
        let reach = |place: fn(&Tap) -> isize| {
            let places = || taps.iter().map(place);
            (places().min().unwrap_or(0), places().max().unwrap_or(0))
        };
        let reach = [reach(|tap| tap.y), reach(|tap| tap.x)];
        let even =
            |total: usize, most: usize| total.div_ceil(total.div_ceil(most.max(1)).max(1)).max(1);
        let image = lattice.0 * lattice.1;
        let chunk = if image > 0 && 2 * image <= COLUMNS {
            [even(conv.batch, COLUMNS / image), lattice.0, lattice.1]
        } else if lattice.1 <= COLUMNS {
            [1, even(lattice.0, COLUMNS / lattice.1.max(1)), lattice.1.max(1)]
        } else {
            [1, 1, even(lattice.1, COLUMNS)]
        };
        let mut pass = Self {
            conv,
            transposed,
            taps,
            reach,
            lattice,
            input_step,
            origin,
            output_step,
            chunk,
            row_parts: 1,
        };
        // Where there are few chunks, the output's channels are divided too.
        let wanted = tasks_wanted(pass.cost());
        let rows = pass.group_outputs();
        pass.row_parts =
            wanted.div_ceil(pass.tasks().max(1)).clamp(1, rows.div_ceil(4 * ROWS).max(1));
        pass
    }

    fn group_channels(&self) -> usize {
        self.conv.channels / self.conv.groups.max(1)
    }

    fn group_outputs(&self) -> usize {
        self.conv.out_channels / self.conv.groups.max(1)
    }

    fn depth(&self) -> usize {
        self.group_channels() * self.taps.len()
    }

    /// Chunks along the images, the rows and the columns.
    fn chunks(&self) -> [usize; 3] {
        let [images, rows, columns] = self.chunk;
        [
            self.conv.batch.div_ceil(images),
            self.lattice.0.div_ceil(rows),
            self.lattice.1.div_ceil(columns),
        ]
    }

    fn tasks(&self) -> usize {
        self.conv.groups * self.chunks().iter().product::<usize>() * self.row_parts
    }

    /// Nanoseconds on one core, about.
    fn cost(&self) -> u64 {
        let outputs = (self.conv.batch * self.lattice.0 * self.lattice.1) as u64;
        let products = outputs.saturating_mul((self.conv.out_channels * self.depth()) as u64);
        (products / 40).saturating_add(outputs.saturating_mul(self.depth() as u64) / 8)
    }

    /// How many images, rows and columns of the input a chunk reaches.
    fn window(&self) -> [usize; 3] {
        let [(top, bottom), (left, right)] = self.reach;
        [
            self.chunk[0],
            (self.chunk[1].max(1) - 1) * self.input_step.0 + (bottom - top) as usize + 1,
            (self.chunk[2].max(1) - 1) * self.input_step.1 + (right - left) as usize + 1,
        ]
    }

    /// Whether all of the rows and columns that these outputs need are in the input.
    fn inside(&self, rows: &Range<usize>, columns: &Range<usize>) -> bool {
        let within = |outputs: &Range<usize>, step: usize, reach: (isize, isize), size: usize| {
            let first = (outputs.start * step) as isize + reach.0;
            let last = (outputs.end.max(1) - 1) as isize * step as isize + reach.1;
            first >= 0 && last < size as isize
        };
        within(rows, self.input_step.0, self.reach[0], self.conv.height)
            && within(columns, self.input_step.1, self.reach[1], self.conv.width)
    }

    /// Elements of the copy of a window that has a border of zeros; 0 when none has.
    fn bordered(&self) -> usize {
        if self.depth() == 0 || self.inside(&(0..self.lattice.0), &(0..self.lattice.1)) {
            return 0;
        }
        let taps = self.taps.len();
        let channels = ((tile::block(self.depth()) + taps).saturating_sub(2) / taps + 1)
            .min(self.group_channels());
        // Dilation and padding reach as far as a guest says, so this may be more than there can be.
        self.window().iter().fold(channels, |product, &size| product.saturating_mul(size))
    }

    fn lines(&self) -> usize {
        tile::lines(self.chunk.iter().product(), self.depth())
    }

    fn workspace(&self) -> u64 {
        let lines = self.lines().saturating_mul(size_of::<Line>());
        let worker = lines.saturating_add(self.bordered().saturating_mul(size_of::<f32>()));
        let taps = self.taps.capacity() * size_of::<Tap>();
        workers(self.tasks(), self.cost()).saturating_mul(worker).saturating_add(taps) as u64
    }

    fn run(&self, operands: &Operands<'_>) {
        let workspace = || (vec![Line([0.0; WIDTH]); self.lines()], vec![0.0f32; self.bordered()]);
        for_each_task(self.tasks(), self.cost(), workspace, |(lines, bordered), task| {
            let [_, chunk_rows, chunk_columns] = self.chunks();
            // A group's tasks lie together, its chunks' parts of rows innermost.
            let (rest, row_part) = (task / self.row_parts, task % self.row_parts);
            let (rest, column) = (rest / chunk_columns, rest % chunk_columns);
            let (rest, row) = (rest / chunk_rows, rest % chunk_rows);
            let images = self.chunks()[0];
            let (group, image) = (rest / images, rest % images);
            let span = |index: usize, size: usize, total: usize| {
                index * size..((index + 1) * size).min(total)
            };
            let (top, bottom) = part(self.group_outputs(), self.row_parts, row_part);
            arch().dispatch(Task {
                pass: self,
                operands,
                group,
                outputs: top..bottom,
                images: span(image, self.chunk[0], self.conv.batch),
                rows: span(row, self.chunk[1], self.lattice.0),
                columns: span(column, self.chunk[2], self.lattice.1),
                lines,
                bordered,
            });
        });
    }
}

/// Some of a group's output channels, at some places.
struct Task<'a> {
    pass: &'a Pass,
    operands: &'a Operands<'a>,
    group: usize,
    outputs: Range<usize>,
    images: Range<usize>,
    rows: Range<usize>,
    columns: Range<usize>,
    lines: &'a mut [Line],
    bordered: &'a mut [f32],
}

impl WithSimd for Task<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { pass, operands, group, outputs, images, rows, columns, lines, bordered } = self;
        let conv = &pass.conv;
        let [(top, bottom), (left, right)] = pass.reach;
        let inside = pass.inside(&rows, &columns);
        let window = Window {
            top: (rows.start * pass.input_step.0) as isize + top,
            left: (columns.start * pass.input_step.1) as isize + left,
            height: (rows.len() - 1) * pass.input_step.0 + (bottom - top) as usize + 1,
            width: (columns.len() - 1) * pass.input_step.1 + (right - left) as usize + 1,
        };
        let strides = if inside {
            Strides {
                image: conv.channels * conv.height * conv.width,
                channel: conv.height * conv.width,
                row: conv.width,
            }
        } else {
            let channel = window.height * window.width;
            Strides {
                image: bordered.len() / images.len() / channel * channel,
                channel,
                row: window.width,
            }
        };
        let mut offsets = [0; COLUMNS];
        let mut count = 0;
        for image in 0..images.len() {
            for row in 0..rows.len() {
                for column in 0..columns.len() {
                    offsets[count] = image * strides.image
                        + row * pass.input_step.0 * strides.row
                        + column * pass.input_step.1;
                    count += 1;
                }
            }
        }
        let run = run_length(&offsets[..count]);
        let mut product = Patches {
            pass,
            operands,
            group,
            images,
            rows,
            columns,
            window,
            strides,
            offsets: &offsets[..count],
            run,
            bordered: if inside { None } else { Some(bordered) },
        };
        tile::compute(simd, &mut product, outputs, count, lines);
    }
}

/// The part of an image that a task needs; it may reach beyond the image.
struct Window {
    top: isize,
    left: isize,
    height: usize,
    width: usize,
}

struct Strides {
    image: usize,
    channel: usize,
    row: usize,
}

/// The longest of some lengths such that every run of so many columns lies together.
fn run_length(offsets: &[usize]) -> usize {
    let together = |run: &[usize]| run.windows(2).all(|pair| pair[1] == pair[0].wrapping_add(1));
    for length in [WIDTH, 16, 8, 4] {
        if offsets.len().is_multiple_of(length) && offsets.chunks(length).all(together) {
            return length;
        }
    }
    1
}

struct Patches<'a> {
    pass: &'a Pass,
    operands: &'a Operands<'a>,
    group: usize,
    images: Range<usize>,
    rows: Range<usize>,
    columns: Range<usize>,
    window: Window,
    strides: Strides,
    /// Where each column's base lies in the window.
    offsets: &'a [usize],
    run: usize,
    /// Room for a copy of the window, where it reaches beyond the image.
    bordered: Option<&'a mut [f32]>,
}

impl Patches<'_> {
    /// Copies channels of the window, zero outside of the image.
    #[inline(always)]
    fn copy_window(&mut self, channels: Range<usize>) {
        let conv = &self.pass.conv;
        let Some(bordered) = self.bordered.as_deref_mut() else { return };
        let Window { top, left, height, width } = self.window;
        let plane = conv.height * conv.width;
        let clip = |start: isize, len: usize, size: usize| {
            let first = (-start).clamp(0, len as isize) as usize;
            let last = (size as isize - start).clamp(first as isize, len as isize) as usize;
            first..last
        };
        let (inner_rows, inner_columns) =
            (clip(top, height, conv.height), clip(left, width, conv.width));
        for (index, image) in self.images.clone().enumerate() {
            let into =
                &mut bordered[index * self.strides.image..][..channels.len() * height * width];
            into.fill(0.0);
            if inner_columns.is_empty() {
                continue;
            }
            for (channel, into) in channels.clone().zip(into.chunks_exact_mut(height * width)) {
                let from = &self.operands.x[(image * conv.channels + channel) * plane..][..plane];
                for row in inner_rows.clone() {
                    let y = (row as isize + top) as usize;
                    let x = (inner_columns.start as isize + left) as usize;
                    let from = &from[y * conv.width + x..][..inner_columns.len()];
                    into[row * width + inner_columns.start..][..from.len()].copy_from_slice(from);
                }
            }
        }
    }

    /// Fills lines from `source`, whose first element is the window's first one in the
    /// channel of the product's row `start`; `R` columns at a time lie together.
    #[inline(always)]
    fn unfold<const R: usize>(
        &self,
        source: &[f32],
        start: usize,
        depth: usize,
        lines: &mut [Line],
    ) {
        let taps = &self.pass.taps;
        let [(top, _), (left, _)] = self.pass.reach;
        for (panel, offsets) in self.offsets.chunks(WIDTH).enumerate() {
            let mut channel = 0;
            let mut tap = start % taps.len();
            for line in &mut lines[panel * depth..][..depth] {
                let Tap { y, x, .. } = taps[tap];
                let place = channel * self.strides.channel
                    + (y - top) as usize * self.strides.row
                    + (x - left) as usize;
                let source = &source[place..];
                for (into, from) in line.0.chunks_exact_mut(R).zip(offsets.iter().step_by(R)) {
                    into.copy_from_slice(&source[*from..][..R]);
                }
                tap += 1;
                if tap == taps.len() {
                    tap = 0;
                    channel += 1;
                }
            }
        }
    }
}

impl Product for Patches<'_> {
    #[inline(always)]
    fn depth(&self) -> usize {
        self.pass.depth()
    }

    #[inline(always)]
    fn left(&self, row: usize, start: usize, into: &mut [f32]) {
        let pass = self.pass;
        let depth = pass.depth();
        if !pass.transposed {
            let output = self.group * pass.group_outputs() + row;
            self.operands.weight.widen(output * depth + start, into);
            return;
        }
        let area = pass.conv.kernel.0 * pass.conv.kernel.1;
        for (index, into) in (start..).zip(into) {
            let (channel, tap) = (index / pass.taps.len(), index % pass.taps.len());
            let input = self.group * pass.group_channels() + channel;
            let kernel = input * pass.group_outputs() + row;
            *into = self.operands.weight.at(kernel * area + pass.taps[tap].index);
        }
    }

    #[inline(always)]
    fn pack(&mut self, start: usize, depth: usize, lines: &mut [Line]) {
        if depth == 0 {
            return;
        }
        let pass = self.pass;
        let taps = pass.taps.len();
        let group = self.group * pass.group_channels();
        let (first, last) = (start / taps, (start + depth - 1) / taps);
        self.copy_window(group + first..group + last + 1);
        let source = match &self.bordered {
            Some(bordered) => bordered,
            None => {
                let channel = self.images.start * pass.conv.channels + group + first;
                let place = self.window.top as usize * pass.conv.width + self.window.left as usize;
                &self.operands.x[channel * self.strides.channel + place..]
            }
        };
        match self.run {
            WIDTH => self.unfold::<WIDTH>(source, start, depth, lines),
            16 => self.unfold::<16>(source, start, depth, lines),
            8 => self.unfold::<8>(source, start, depth, lines),
            4 => self.unfold::<4>(source, start, depth, lines),
            _ => self.unfold::<1>(source, start, depth, lines),
        }
    }

    #[inline(always)]
    fn store(&mut self, row: usize, column: usize, sums: &[f32], first: bool) {
        let pass = self.pass;
        let conv = &pass.conv;
        let output = self.group * pass.group_outputs() + row;
        let bias = self.operands.bias.map_or(0.0, |bias| bias.at(output));
        let image_columns = self.rows.len() * self.columns.len();
        let mut column = column;
        let mut sums = sums;
        while !sums.is_empty() {
            let (image, place) = (column / image_columns, column % image_columns);
            let plane = ((self.images.start + image) * conv.out_channels + output)
                * conv.out_height
                * conv.out_width;
            // Outputs lie together up to the image's end, or one by one on a lattice.
            let count = if pass.transposed { 1 } else { sums.len().min(image_columns - place) };
            let (these, rest) = sums.split_at(count);
            let y = (self.rows.start + place / self.columns.len()) * pass.output_step.0;
            let x = (self.columns.start + place % self.columns.len()) * pass.output_step.1;
            let start = plane + (pass.origin.0 + y) * conv.out_width + pass.origin.1 + x;
            // SAFETY: a task has its own places of its own channels.
            let out = unsafe { self.operands.out.slice(start, count) };
            if first {
                tile::set(out, these, bias);
            } else {
                tile::add(out, these);
            }
            column += count;
            sums = rest;
        }
    }
}
