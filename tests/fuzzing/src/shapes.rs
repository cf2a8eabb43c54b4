//! Shapes, strides and offsets: operations with arguments of any size, on a device that computes
//! nothing, against the same arithmetic in 128 bits.

use std::sync::Arc;

use arbitrary::{Arbitrary, Unstructured};
use berth_compute::{
    Binary, Compute, ComputeError, DType, Padding, Reduction, Sampling, Scope, Tensor, Walk,
};
use berth_memory::offload::mode;
use berth_memory::{Cancel, Limits, MemoryError, OffloadModeName, Setup, Source};

/// Most tensors that one input makes.
const STEPS: usize = 24;

/// Makes tensors out of tensors as the bytes say.
pub fn run(bytes: &[u8]) {
    let Ok(steps) = Vec::<Step>::arbitrary_take_rest(Unstructured::new(bytes)) else { return };
    let limits = Limits { device: 1 << 62, host: 1 << 62 };
    let compute = Compute::rehearsal(Setup::new(limits, mode(OffloadModeName::None)));
    let account = compute.memory().account("fuzzing");
    let mut bench = Bench {
        scope: Scope { account, cancel: Cancel::new(), call: None },
        compute,
        made: vec![],
    };
    for step in steps.into_iter().take(STEPS) {
        bench.take(&step);
    }
    let Bench { compute, made, scope } = bench;
    drop(made);
    assert_eq!(compute.memory().charge(&scope.account).device, 0);
}

from_bytes! {
    enum Step {
        Weight { dtype: u8, shape: Vec<Dim>, offset: Dim },
        Full { dtype: u8, shape: Vec<Dim> },
        Reshape { of: u8, shape: Vec<Dim> },
        Permute { of: u8, axes: Vec<u8> },
        Slice { of: u8, axis: i8, start: Dim, end: Dim, step: Dim },
        Broadcast { of: u8, shape: Vec<Dim> },
        Flip { of: u8, axis: i8 },
        Concat { of: Vec<u8>, axis: i8 },
        Pad { of: u8, amounts: Vec<(Dim, Dim)>, how: u8 },
        Reduce { of: u8, axes: Vec<i8>, keep: bool },
        Combine { a: u8, b: u8 },
        Matmul { a: u8, b: u8 },
        Select { of: u8, axis: i8, count: Dim },
        Convolve { x: u8, weight: u8, walk: [Dim; 4], transposed: Option<Dim> },
        Resize { of: u8, height: Dim, width: Dim, how: u8 },
    }
}

/// A size: small ones, round ones, and those around which arithmetic breaks.
#[derive(Debug, Clone, Copy)]
struct Dim(usize);

impl<'a> Arbitrary<'a> for Dim {
    fn arbitrary(from: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        let byte = from.arbitrary::<u8>()?;
        let power = 1_usize << (byte & 63);
        Ok(Self(match byte >> 6 {
            0 => usize::from(byte & 7),
            1 => power,
            2 => power - 1,
            _ => match byte & 3 {
                0 => usize::MAX - usize::from(byte >> 2 & 15),
                1 => usize::from(from.arbitrary::<u16>()?),
                2 => isize::MAX as usize / 16 - usize::from(byte >> 2 & 1),
                _ => from.arbitrary()?,
            },
        }))
    }
}

fn dims(shape: &[Dim]) -> Vec<usize> {
    shape.iter().map(|dim| dim.0).collect()
}

const DTYPES: [DType; 14] = [
    DType::U8,
    DType::U32,
    DType::I32,
    DType::I64,
    DType::F16,
    DType::BF16,
    DType::F32,
    DType::F64,
    DType::F8E4M3,
    DType::F8E5M2,
    DType::Q4_0,
    DType::Q8_1,
    DType::Q2K,
    DType::Q8K,
];

fn dtype(index: u8) -> DType {
    DTYPES[usize::from(index) % DTYPES.len()]
}

/// Zeros without end.
#[derive(Debug)]
struct Zeros;

impl Source for Zeros {
    fn read(&self, offset: u64, into: &mut [u8]) -> Result<(), MemoryError> {
        assert!(offset.checked_add(into.len() as u64).is_some());
        into.fill(0);
        Ok(())
    }

    fn describe(&self) -> String {
        "zeros".into()
    }
}

/// What a tensor of a type and shape takes, if there can be one.
fn size(dtype: DType, shape: &[usize]) -> Option<u64> {
    let bound = shape.iter().try_fold(1_u128, |bound, &dim| {
        bound.checked_mul(dim.max(1) as u128).filter(|&bound| bound <= isize::MAX as u128 / 16)
    })?;
    let (block, bytes) = dtype.block();
    let rows = shape.last().copied().unwrap_or(1);
    let whole = block == 1 || (!shape.is_empty() && rows % block == 0);
    let count = if shape.contains(&0) { 0 } else { bound };
    let bytes = count / block as u128 * bytes as u128;
    (shape.len() <= 8 && whole && bytes <= isize::MAX as u128).then_some(bytes as u64)
}

/// Where an axis is that may be counted from the back.
fn index(axis: i8, rank: usize) -> Option<usize> {
    let index = if axis < 0 { isize::from(axis) + rank as isize } else { axis.into() };
    usize::try_from(index).ok().filter(|&index| index < rank)
}

fn broadcast(a: &[usize], b: &[usize]) -> Option<Vec<usize>> {
    let rank = a.len().max(b.len());
    let wide = |shape: &[usize]| [vec![1; rank - shape.len()], shape.to_vec()].concat();
    let pairs = wide(a).into_iter().zip(wide(b));
    pairs
        .map(|(a, b)| match (a, b) {
            _ if a == b => Some(a),
            (1, other) | (other, 1) => Some(other),
            _ => None,
        })
        .collect()
}

struct Bench {
    compute: Compute,
    scope: Scope,
    made: Vec<Tensor>,
}

/// What an operation should do.
enum Expected {
    /// Make a tensor of this shape, or none.
    Shape(DType, Option<Vec<usize>>),
    /// Whether it can do that is not looked at here.
    AtMost(DType, Vec<usize>),
}

impl Bench {
    fn get(&self, index: u8) -> Option<&Tensor> {
        self.made.get(usize::from(index) % self.made.len().max(1))
    }

    fn take(&mut self, step: &Step) {
        let Some((expected, result)) = self.done(step) else { return };
        let result = match result {
            Err(error @ ComputeError::Internal { .. }) => panic!("{step:?}: {error}"),
            other => other,
        };
        let (dtype, shape, must) = match expected {
            Expected::Shape(dtype, shape) => {
                (dtype, shape.filter(|shape| size(dtype, shape).is_some()), true)
            }
            Expected::AtMost(dtype, shape) => (dtype, Some(shape), false),
        };
        match (result, shape) {
            (Ok(tensor), Some(shape)) => {
                assert_eq!((tensor.dtype(), tensor.shape()), (dtype, &*shape), "{step:?}");
                self.check(&tensor);
                self.made.push(tensor);
            }
            (Ok(tensor), None) => panic!("{step:?} made {tensor:?}, which cannot be"),
            (Err(ComputeError::Memory(MemoryError::OutOfMemory { .. })), Some(_))
            | (Err(_), None) => {}
            (Err(error), Some(shape)) => {
                assert!(!must, "{step:?} did not make {dtype} {shape:?}: {error}");
            }
        }
    }

    /// A tensor is read within its own bytes, to the last one.
    fn check(&self, tensor: &Tensor) {
        let bytes = size(tensor.dtype(), tensor.shape()).unwrap();
        assert_eq!(tensor.bytes(), bytes);
        assert_eq!(self.compute.checked_bytes(tensor.dtype(), tensor.shape()).unwrap(), bytes);
        tensor.read(bytes, &mut []).unwrap();
        tensor.read(bytes, &mut [0]).unwrap_err();
        if let Some(last) = bytes.checked_sub(1) {
            tensor.read(last, &mut [0]).unwrap();
            tensor.read(0, &mut [0]).unwrap();
        }
    }

    fn done(&self, step: &Step) -> Option<(Expected, Result<Tensor, ComputeError>)> {
        let Self { compute, scope, .. } = self;
        Some(match step {
            Step::Weight { dtype: kind, shape, offset } => {
                let (dtype, shape) = (dtype(*kind), dims(shape));
                // A file has no more bytes than this.
                let offset = offset.0 as u64 >> 1;
                let made = compute.weight(scope, Arc::new(Zeros), offset, dtype, &shape);
                (Expected::Shape(dtype, Some(shape)), made)
            }
            Step::Full { dtype: kind, shape } => {
                let (dtype, shape) = (dtype(*kind), dims(shape));
                let made = compute.full(scope, dtype, &shape, 1.0);
                let computed = dtype.is_float() || dtype.is_integer();
                (Expected::Shape(dtype, computed.then_some(shape)), made)
            }
            Step::Reshape { of, shape } => {
                let (x, to) = (self.get(*of)?, dims(shape));
                let made = compute.reshape(scope, x, &to);
                let count: Option<u128> =
                    to.iter().try_fold(1, |count: u128, &dim| count.checked_mul(dim as u128));
                let same = count == Some(x.elements() as u128);
                (Expected::Shape(x.dtype(), same.then_some(to)), made)
            }
            Step::Permute { of, axes } => {
                let x = self.get(*of)?;
                let rank = x.shape().len();
                let axes: Vec<usize> =
                    axes.iter().map(|&axis| usize::from(axis) % (rank + 1)).collect();
                let made = compute.permute(scope, x, &axes);
                let mut sorted = axes.clone();
                sorted.sort_unstable();
                let shape = sorted
                    .into_iter()
                    .eq(0..rank)
                    .then(|| axes.iter().map(|&axis| x.shape()[axis]).collect());
                (dense(x, shape), made)
            }
            Step::Slice { of, axis, start, end, step } => {
                let x = self.get(*of)?;
                let (start, end, step) = (start.0, end.0, step.0);
                let made = compute.slice(scope, x, i32::from(*axis), start, end, step);
                let shape = index(*axis, x.shape().len()).and_then(|axis| {
                    let mut shape = x.shape().to_vec();
                    let fits = step > 0 && start <= end && end <= shape[axis];
                    shape[axis] = end.saturating_sub(start).div_ceil(step.max(1));
                    fits.then_some(shape)
                });
                (dense(x, shape), made)
            }
            Step::Broadcast { of, shape } => {
                let (x, to) = (self.get(*of)?, dims(shape));
                let made = compute.broadcast(scope, x, &to);
                let fits = broadcast(x.shape(), &to).as_ref() == Some(&to);
                (dense(x, fits.then_some(to)), made)
            }
            Step::Flip { of, axis } => {
                let x = self.get(*of)?;
                let made = compute.flip(scope, x, i32::from(*axis));
                (dense(x, index(*axis, x.shape().len()).map(|_| x.shape().to_vec())), made)
            }
            Step::Concat { of, axis } => {
                let xs: Option<Vec<&Tensor>> = of.iter().map(|&of| self.get(of)).collect();
                let xs = xs?;
                let made = compute.concat(scope, &xs, i32::from(*axis));
                let first = *xs.first()?;
                let shape = index(*axis, first.shape().len()).and_then(|axis| {
                    let mut shape = first.shape().to_vec();
                    for x in &xs[1..] {
                        let mut same = x.shape().to_vec();
                        *same.get_mut(axis)? = first.shape()[axis];
                        let fits = same == first.shape() && x.dtype() == first.dtype();
                        let sum = shape[axis].checked_add(x.shape()[axis]);
                        shape[axis] = sum.filter(|_| fits)?;
                    }
                    Some(shape)
                });
                (dense(first, shape), made)
            }
            Step::Pad { of, amounts, how } => {
                let x = self.get(*of)?;
                let amounts: Vec<_> = amounts.iter().map(|(a, b)| (a.0, b.0)).collect();
                let kinds =
                    [Padding::Constant(0.0), Padding::Edge, Padding::Reflect, Padding::Wrap];
                let padding = kinds[usize::from(*how) % 4];
                let made = compute.pad(scope, x, &amounts, padding);
                let shape = (amounts.len() == x.shape().len()).then(|| {
                    x.shape().iter().zip(&amounts).map(|(&dim, &(before, after))| {
                        let most = match padding {
                            Padding::Edge if dim == 0 => 0,
                            Padding::Constant(_) | Padding::Edge => usize::MAX,
                            Padding::Reflect => dim.saturating_sub(1),
                            Padding::Wrap => dim,
                        };
                        let sum = dim.checked_add(before)?.checked_add(after)?;
                        (before.max(after) <= most).then_some(sum)
                    })
                });
                (dense(x, shape.and_then(Iterator::collect)), made)
            }
            Step::Reduce { of, axes, keep } => {
                let x = self.get(*of)?;
                let given: Vec<i32> = axes.iter().map(|&axis| axis.into()).collect();
                let made = compute.reduce(scope, x, Reduction::Sum, &given, *keep);
                let rank = x.shape().len();
                let found: Option<Vec<usize>> = axes.iter().map(|&at| index(at, rank)).collect();
                let number = x.dtype().is_float() || x.dtype().is_integer();
                let shape = found.filter(|_| number).and_then(|found| {
                    let mut once = found.clone();
                    once.sort_unstable();
                    once.dedup();
                    let gone = |axis: usize| axes.is_empty() || found.contains(&axis);
                    let all = x.shape().iter().enumerate();
                    let shape =
                        all.filter_map(
                            |(axis, &dim)| {
                                if gone(axis) { keep.then_some(1) } else { Some(dim) }
                            },
                        );
                    (once.len() == found.len()).then(|| shape.collect())
                });
                (Expected::Shape(x.dtype(), shape), made)
            }
            Step::Combine { a, b } => {
                let (a, b) = (self.get(*a)?, self.get(*b)?);
                let made = compute.combine(scope, a, b, Binary::Add);
                let number = a.dtype().is_float() || a.dtype().is_integer();
                let fits = number && a.dtype() == b.dtype();
                let shape = broadcast(a.shape(), b.shape()).filter(|_| fits);
                (Expected::Shape(a.dtype(), shape), made)
            }
            Step::Matmul { a, b } => {
                let (a, b) = (self.get(*a)?, self.get(*b)?);
                let made = compute.matmul(scope, a, b);
                let shape = match (a.shape(), b.shape()) {
                    ([a_batch @ .., m, k], [b_batch @ .., rows, n]) if k == rows => {
                        broadcast(a_batch, b_batch).map(|batch| [batch, vec![*m, *n]].concat())
                    }
                    _ => None,
                };
                let fits = a.dtype().is_float() && a.dtype() == b.dtype();
                (Expected::Shape(a.dtype(), shape.filter(|_| fits)), made)
            }
            Step::Select { of, axis, count } => {
                let x = self.get(*of)?;
                let indices = compute.full(scope, DType::U32, &[count.0], 0.0).ok()?;
                let made = compute.index_select(scope, x, i32::from(*axis), &indices);
                let mut shape = x.shape().to_vec();
                let axis = index(*axis, shape.len());
                if let Some(axis) = axis {
                    shape[axis] = count.0;
                }
                let fits = axis.is_some() && !x.dtype().is_quantized();
                // Whether there is an element of that index is only known where it is looked at.
                let expected = if fits && size(x.dtype(), &shape).is_some() {
                    Expected::AtMost(x.dtype(), shape)
                } else {
                    Expected::Shape(x.dtype(), None)
                };
                (expected, made)
            }
            Step::Convolve { x, weight, walk: [stride, padding, dilation, groups], transposed } => {
                let (x, weight) = (self.get(*x)?, self.get(*weight)?);
                let (stride, padding, dilation) = (stride.0, padding.0, dilation.0);
                let walk = Walk { stride, padding, dilation, groups: groups.0 };
                let made = match transposed {
                    Some(more) => compute.conv_transpose2d(scope, x, weight, None, walk, more.0),
                    None => compute.conv2d(scope, x, weight, None, walk),
                };
                let ([n, _, height, width], [rows, depth, kh, kw]) = (x.shape(), weight.shape())
                else {
                    return Some((Expected::Shape(x.dtype(), None), made));
                };
                let extent = |length: usize, kernel: usize| {
                    let [length, kernel, stride, padding, dilation] =
                        [length, kernel, stride, padding, dilation].map(|size| size as i128);
                    let reach = dilation.checked_mul(kernel - 1)?;
                    let extent = match transposed {
                        Some(more) => {
                            (length - 1).checked_mul(stride)? - 2 * padding
                                + reach
                                + more.0 as i128
                                + 1
                        }
                        None => (length + 2 * padding - reach - 1).checked_div(stride)? + 1,
                    };
                    usize::try_from(extent).ok()
                };
                let out =
                    if transposed.is_some() { depth.checked_mul(groups.0) } else { Some(*rows) };
                let sizes = [Some(*n), out, extent(*height, *kh), extent(*width, *kw)];
                let shape: Option<Vec<usize>> = sizes.into_iter().collect();
                let shape = shape.filter(|shape| size(x.dtype(), shape).is_some());
                match shape {
                    Some(shape) => (Expected::AtMost(x.dtype(), shape), made),
                    None => (Expected::Shape(x.dtype(), None), made),
                }
            }
            Step::Resize { of, height, width, how } => {
                let x = self.get(*of)?;
                let kinds = [
                    Sampling::Nearest,
                    Sampling::NearestExact,
                    Sampling::Bilinear,
                    Sampling::Bicubic,
                    Sampling::Area,
                    Sampling::Lanczos,
                ];
                let sampling = kinds[usize::from(*how) % kinds.len()];
                let made = compute.interpolate(scope, x, height.0, width.0, sampling);
                let [n, channels, ..] = x.shape() else {
                    return Some((Expected::Shape(x.dtype(), None), made));
                };
                (Expected::AtMost(x.dtype(), vec![*n, *channels, height.0, width.0]), made)
            }
        })
    }
}

/// What an operation makes of a tensor that must be dense, unless its result is a view.
fn dense(x: &Tensor, shape: Option<Vec<usize>>) -> Expected {
    match shape {
        Some(shape) if x.dtype().is_quantized() => Expected::AtMost(x.dtype(), shape),
        shape => Expected::Shape(x.dtype(), shape),
    }
}
