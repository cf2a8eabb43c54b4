//! Random sequences of operations and of what moves tensors about, on a device with hardly any
//! room, against [`reference`](crate::reference).
//!
//! Whatever was evicted, spilled, shelved or refused meanwhile: each tensor has its bits, and when
//! the last one is gone nothing is charged and nothing is in use.

use std::sync::Arc;

use arbitrary::{Arbitrary, Unstructured};
use berth_compute::{
    Binary, Comparison, Compute, ComputeError, DType, Padding, Reduction, Scope, Tensor, Unary,
};
use berth_memory::offload::mode;
use berth_memory::{
    Account, Cancel, Limits, MemoryError, OffloadModeName, Setup, Source, SpillSettings, Tier,
};

use crate::reference::{Array, value};

/// Most steps of a sequence.
const STEPS: usize = 64;
/// Most tensors at a time.
const TENSORS: usize = 12;
/// Most elements of one.
const ELEMENTS: usize = 1024;
/// The reductions that sort; the odd ones descending.
const SORTS: std::ops::Range<u8> = 96..128;

from_bytes! {
    enum Step {
        Bytes { dtype: u8, shape: [u8; 3], rank: u8, seed: u64 },
        Weight { dtype: u8, shape: [u8; 3], rank: u8, offset: u16 },
        Full { dtype: u8, shape: [u8; 3], value: i16 },
        Reshape { of: u8, shape: [u8; 3], rank: u8 },
        Permute { of: u8, turn: u8 },
        Slice { of: u8, axis: i8, start: u8, length: u8, step: u8 },
        Broadcast { of: u8, front: u8 },
        Flip { of: u8, axis: i8 },
        Concat { a: u8, b: u8, axis: i8 },
        Pad { of: u8, before: u8, after: u8 },
        Select { of: u8, axis: i8, indices: Vec<u8> },
        Choose { a: u8, b: u8, comparison: u8 },
        Combine { a: u8, b: u8, function: u8 },
        Cast { of: u8, dtype: u8 },
        Map { of: u8, function: u8 },
        Reduce { of: u8, axis: i8, reduction: u8 },
        Matmul { a: u8, b: u8 },
        Drop { of: u8 },
        Shelve { of: u8 },
        Offload { of: u8 },
        Stow { of: u8 },
        Restore { of: u8 },
        MakeFree { host: bool, bytes: u16 },
        Check { of: u8 },
    }
}

const DTYPES: [DType; 9] = [
    DType::U8,
    DType::U32,
    DType::I32,
    DType::I64,
    DType::F16,
    DType::BF16,
    DType::F32,
    DType::F64,
    DType::F8E4M3,
];

/// Runs a sequence.
pub fn run(bytes: &[u8]) {
    // The device has multiples of 256 bytes, the host of 1 KiB.
    let Some((&[device, host, kind], steps)) = bytes.split_first_chunk() else { return };
    let Ok(steps) = Vec::<Step>::arbitrary_take_rest(Unstructured::new(steps)) else { return };
    let limits =
        Limits { device: 256 * (1 + u64::from(device)), host: 1024 * (1 + u64::from(host)) };
    let modes = OffloadModeName::all();
    let mut setup = Setup::new(limits, mode(modes[usize::from(kind) % modes.len()]));
    if kind >= 192 {
        setup.spill = Some(SpillSettings { folder: std::env::temp_dir(), limit: 64 << 10 });
    }
    let compute = Compute::with(setup);
    let account = compute.memory().account("fuzzing");
    let scope = Scope { account: account.clone(), cancel: Cancel::new(), call: None };
    let mut bench = Bench { compute, scope, source: Arc::new(Noise), made: Vec::new() };
    for step in steps.iter().take(STEPS) {
        bench.take(step);
        let stats = bench.compute.memory().stats();
        assert!(stats.tiers.device.used <= limits.device, "{step:?}: {stats:?}");
        assert!(stats.tiers.host.used <= limits.host, "{step:?}: {stats:?}");
    }
    bench.end(&account);
}

struct Bench {
    compute: Compute,
    scope: Scope,
    source: Arc<dyn Source>,
    made: Vec<(Tensor, Array)>,
}

/// A tensor, or why there is none, and what it should be if there is one.
type Made = (Result<Tensor, ComputeError>, Option<Array>);

impl Bench {
    fn take(&mut self, step: &Step) {
        if self.moves(step) {
            return;
        }
        let Some((result, expected)) = self.computes(step) else { return };
        match (result, expected) {
            (Ok(tensor), Some(expected)) => {
                let expected = same(&tensor, expected, step);
                if self.made.len() == TENSORS {
                    self.made.remove(0);
                }
                self.made.push((tensor, expected));
            }
            (Err(ComputeError::Memory(error)), _) => lacks_room(&error, step),
            (
                Err(ComputeError::InvalidArgument { .. } | ComputeError::Unsupported { .. }),
                None,
            ) => {}
            (result, expected) => panic!("{step:?} gave {result:?} instead of {expected:?}"),
        }
    }

    /// What makes no tensor. Whether it was such a step.
    fn moves(&mut self, step: &Step) -> bool {
        let at = |of: u8| usize::from(of) % self.made.len().max(1);
        let moved = match *step {
            Step::Drop { of } | Step::Shelve { of } if !self.made.is_empty() => {
                let (tensor, array) = self.made.remove(at(of));
                if matches!(step, Step::Shelve { .. }) {
                    let shelved = tensor.shelve();
                    drop(tensor);
                    // Others may need its room meanwhile, and take it.
                    let mode = Step::Full { dtype: 0, shape: [of, 31, 31], value: 1 };
                    self.take(&mode);
                    if let Some(tensor) = shelved.take() {
                        self.made.truncate(TENSORS - 1);
                        self.made.push((tensor, array));
                    }
                }
                return true;
            }
            Step::MakeFree { host, bytes } => {
                let tier = if host { Tier::Host } else { Tier::Device };
                self.compute.memory().make_free(tier, bytes.into())
            }
            Step::Offload { of }
            | Step::Stow { of }
            | Step::Restore { of }
            | Step::Check { of } => {
                let Some((tensor, array)) = self.made.get(at(of)) else { return true };
                let (memory, handles) = (self.compute.memory(), [tensor.handle()]);
                match step {
                    Step::Offload { .. } => memory.offload(&handles),
                    Step::Stow { .. } => memory.stow(&handles),
                    Step::Restore { .. } => {
                        memory.restore(&self.scope.account, &handles, &self.scope.cancel)
                    }
                    _ => {
                        same(tensor, array.clone(), step);
                        return true;
                    }
                }
            }
            Step::Drop { .. } | Step::Shelve { .. } => return true,
            _ => return false,
        };
        if let Err(error) = moved {
            lacks_room(&error, step);
        }
        true
    }

    fn get(&self, of: u8) -> Option<&(Tensor, Array)> {
        self.made.get(usize::from(of) % self.made.len().max(1))
    }

    fn computes(&self, step: &Step) -> Option<Made> {
        let Self { compute, scope, .. } = self;
        Some(match step {
            Step::Bytes { dtype, shape, rank, seed } => {
                let (dtype, shape) = (DTYPES[usize::from(*dtype) % 9], dims(*shape, *rank)?);
                let mut state = *seed;
                let array = Array::from_fn(dtype, &shape, |_| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(*seed | 1);
                    noise(dtype, state >> 17)
                });
                let bytes = array.to_bytes();
                (compute.from_bytes(scope, dtype, &shape, bytes), Some(array))
            }
            Step::Weight { dtype, shape, rank, offset } => {
                let (dtype, shape) = (DTYPES[usize::from(*dtype) % 9], dims(*shape, *rank)?);
                let size = dtype.block().1;
                let mut bytes = vec![0; shape.iter().product::<usize>() * size];
                // Aligned, so that an element is the same wherever it is read from.
                let offset = u64::from(*offset) & !7;
                Noise.read(offset, &mut bytes).ok()?;
                let array = Array::from_bytes(dtype, &shape, &bytes);
                let source = self.source.clone();
                (compute.weight(scope, source, offset, dtype, &shape), Some(array))
            }
            Step::Full { dtype, shape, value } => {
                let (dtype, shape) = (DTYPES[usize::from(*dtype) % 8], dims(*shape, 2)?);
                let one = Array { dtype: DType::I64, shape: vec![], bits: vec![*value as u64] };
                let made = compute.full(scope, dtype, &shape, f64::from(*value));
                (made, Some(one.cast(dtype).broadcast(&shape)))
            }
            Step::Reshape { of, shape, rank } => {
                let (x, array) = self.get(*of)?;
                let mut shape = dims(*shape, *rank)?;
                let known: usize = shape.iter().product();
                // Mostly one that fits.
                if known > 0 && array.bits.len() % known == 0 {
                    shape.push(array.bits.len() / known);
                }
                let fits = shape.iter().product::<usize>() == array.bits.len();
                (compute.reshape(scope, x, &shape), fits.then(|| array.reshaped(&shape)))
            }
            Step::Permute { of, turn } => {
                let (x, array) = self.get(*of)?;
                let mut axes: Vec<usize> = (0..array.shape.len()).collect();
                if !axes.is_empty() {
                    let turn = usize::from(*turn);
                    axes.rotate_left(turn % array.shape.len());
                    axes.swap(0, turn / 8 % array.shape.len());
                }
                (compute.permute(scope, x, &axes), Some(array.permuted(&axes)))
            }
            Step::Slice { of, axis, start, length, step } => {
                let (x, array) = self.get(*of)?;
                let (start, step) = (usize::from(*start) % 33, usize::from(*step) % 5);
                let end = start + usize::from(*length) % 33;
                let made = compute.slice(scope, x, i32::from(*axis), start, end, step);
                let expected = index(*axis, array)
                    .filter(|&axis| step > 0 && end <= array.shape[axis])
                    .map(|axis| array.sliced(axis, start, end, step));
                (made, expected)
            }
            Step::Broadcast { of, front } => {
                let (x, array) = self.get(*of)?;
                let wide = |&dim: &usize| if dim == 1 { usize::from(front % 7) } else { dim };
                let mut shape = vec![usize::from(front % 3)];
                shape.extend(array.shape.iter().map(wide));
                small(&shape)?;
                let expected = (shape.len() <= 8).then(|| array.broadcast(&shape));
                (compute.broadcast(scope, x, &shape), expected)
            }
            Step::Flip { of, axis } => {
                let (x, array) = self.get(*of)?;
                let expected = index(*axis, array).map(|axis| array.flipped(axis));
                (compute.flip(scope, x, i32::from(*axis)), expected)
            }
            Step::Concat { a, b, axis } => {
                let ((x, a), (y, b)) = (self.get(*a)?, self.get(*b)?);
                let beside = |axis: usize, array: &Array| {
                    let mut shape = array.shape.clone();
                    shape.get_mut(axis).map(|dim| *dim = 0).map(|()| shape)
                };
                let fits = |&axis: &usize| {
                    a.dtype == b.dtype
                        && beside(axis, a).is_some()
                        && beside(axis, a) == beside(axis, b)
                };
                let axis_is = index(*axis, a).filter(fits);
                if a.bits.len() + b.bits.len() > ELEMENTS {
                    return None;
                }
                let made = compute.concat(scope, &[x, y], i32::from(*axis));
                (made, axis_is.map(|axis| Array::joined(&[a, b], axis)))
            }
            Step::Pad { of, before, after } => {
                let (x, array) = self.get(*of)?;
                let amount = (usize::from(before % 4), usize::from(after % 4));
                let mut amounts = vec![(0, 0); array.shape.len()];
                let last = amounts.last_mut();
                if let Some(last) = last {
                    *last = amount;
                }
                let made = compute.pad(scope, x, &amounts, Padding::Constant(0.0));
                (made, Some(array.padded(&amounts)))
            }
            Step::Select { of, axis, indices } => {
                let (x, array) = self.get(*of)?;
                let indices: Vec<usize> =
                    indices.iter().take(8).map(|&at| usize::from(at % 16)).collect();
                let bytes = indices.iter().flat_map(|&at| (at as u32).to_le_bytes()).collect();
                let made = compute
                    .from_bytes(scope, DType::U32, &[indices.len()], bytes)
                    .and_then(|tensor| compute.index_select(scope, x, i32::from(*axis), &tensor));
                let expected = index(*axis, array).and_then(|axis| {
                    let mut shape = array.shape.clone();
                    shape[axis] = indices.len();
                    // Nothing is looked up where the result has no elements.
                    let inside = indices.iter().all(|&at| at < array.shape[axis]);
                    if shape.contains(&0) {
                        Some(Array { dtype: array.dtype, shape, bits: vec![] })
                    } else {
                        inside.then(|| array.selected(axis, &indices))
                    }
                });
                (made, expected)
            }
            Step::Choose { a, b, comparison } => {
                let ((x, a), (y, b)) = (self.get(*a)?, self.get(*b)?);
                const ALL: [Comparison; 6] = [
                    Comparison::Eq,
                    Comparison::Ne,
                    Comparison::Lt,
                    Comparison::Le,
                    Comparison::Gt,
                    Comparison::Ge,
                ];
                let comparison = ALL[usize::from(*comparison) % 6];
                let made = compute
                    .compare(scope, x, y, comparison)
                    .and_then(|flags| compute.choose(scope, &flags, x, y));
                let shape = fits(a, b);
                small(shape.as_deref().unwrap_or_default())?;
                let expected =
                    shape.map(|shape| a.compared(b, comparison, &shape).chosen(a, b, &shape));
                (made, expected)
            }
            Step::Combine { a, b, function } => {
                let ((x, a), (y, b)) = (self.get(*a)?, self.get(*b)?);
                const ALL: [Binary; 6] = [
                    Binary::Add,
                    Binary::Sub,
                    Binary::Mul,
                    Binary::Div,
                    Binary::Minimum,
                    Binary::Maximum,
                ];
                let function = ALL[usize::from(*function) % 6];
                let made = compute.combine(scope, x, y, function);
                let shape = fits(a, b);
                small(shape.as_deref().unwrap_or_default())?;
                let by_zero = |shape: &Vec<usize>| {
                    let divides = function == Binary::Div && a.dtype.is_integer();
                    divides && b.bits.contains(&0) && !shape.contains(&0)
                };
                let shape = shape.filter(|shape| !by_zero(shape));
                (made, shape.map(|shape| a.combined(b, function, &shape)))
            }
            Step::Cast { of, dtype } => {
                let (x, array) = self.get(*of)?;
                let dtype = DTYPES[usize::from(*dtype) % 8];
                if array.dtype == DType::F8E4M3 {
                    return None;
                }
                let expected = if dtype == array.dtype { array.clone() } else { array.cast(dtype) };
                (compute.cast(scope, x, dtype), Some(expected))
            }
            Step::Map { of, function } => {
                let (x, array) = self.get(*of)?;
                let function = Unary::ALL[usize::from(*function) % Unary::ALL.len()];
                let float = array.dtype.is_float();
                let expected = if float { Some(array.mapped(function)?) } else { None };
                (compute.map(scope, x, function), expected)
            }
            Step::Reduce { of, axis, reduction } => {
                const ALL: [Reduction; 6] = [
                    Reduction::Sum,
                    Reduction::Mean,
                    Reduction::Max,
                    Reduction::Min,
                    Reduction::Argmax,
                    Reduction::Argmin,
                ];
                let (x, array) = self.get(*of)?;
                // Sorting has the bytes of a reduction that no file of the corpus depends on: with
                // a kind of its own, all of them would mean something else.
                if SORTS.contains(reduction) {
                    let descending = reduction % 2 == 1;
                    let made = compute.argsort(scope, x, i32::from(*axis), descending);
                    let number = array.dtype.is_integer() || array.dtype.is_float();
                    let axis = index(*axis, array).filter(|_| number);
                    return Some((made, axis.map(|axis| array.argsorted(axis, descending))));
                }
                let reduction = ALL[usize::from(*reduction) % 6];
                let given = [i32::from(*axis)];
                let made = compute.reduce(scope, x, reduction, &given, false);
                let number = array.dtype.is_integer() || array.dtype.is_float();
                let mean = reduction != Reduction::Mean || array.dtype.is_float();
                let axis = index(*axis, array).filter(|_| number && mean);
                let sums = matches!(reduction, Reduction::Sum | Reduction::Mean);
                let some = |&axis: &usize| {
                    let mut rest = array.shape.clone();
                    rest.remove(axis);
                    sums || array.shape[axis] > 0 || rest.contains(&0)
                };
                // Which of several NaN is the largest, nobody asks.
                let is_nan = |&bits: &u64| value(array.dtype, bits).is_nan();
                if array.dtype.is_float() && array.bits.iter().any(is_nan) {
                    return None;
                }
                let axis = axis.filter(some);
                if let (true, true, Some(axis)) = (sums, array.dtype.is_float(), axis) {
                    return sum(made, array, (axis, reduction), step);
                }
                (made, axis.map(|axis| array.reduced(axis, reduction)))
            }
            Step::Matmul { a, b } => {
                let ((x, a), (y, b)) = (self.get(*a)?, self.get(*b)?);
                let made = compute.matmul(scope, x, y);
                let ([m, k], [rows, n]) = (a.shape.as_slice(), b.shape.as_slice()) else {
                    return None;
                };
                let fits = k == rows && a.dtype == b.dtype && a.dtype.is_float();
                if !fits {
                    return Some((made, None));
                }
                small(&[*m, *n])?;
                return product(made, (a, b), step).map(|(made, array)| (made, Some(array)));
            }
            _ => return None,
        })
    }

    /// Every tensor has its bits, and leaves nothing behind.
    fn end(self, account: &Account) {
        let Self { compute, scope, source, made } = self;
        for (tensor, array) in made {
            same(&tensor, array, &"the end");
        }
        drop((scope, source));
        let stats = compute.memory().stats();
        assert_eq!(stats.allocations, 0, "{stats:?}");
        assert_eq!(compute.memory().charge(account), Default::default());
        let used = (stats.tiers.device.used, stats.tiers.host.used, stats.tiers.disk.used);
        assert_eq!(used, (0, 0, 0), "{stats:?}");
    }
}

/// A sum of floats depends on the order of its terms, which nobody promises, and is right within
/// what rounding makes of it.
fn sum(
    made: Result<Tensor, ComputeError>,
    array: &Array,
    (axis, reduction): (usize, Reduction),
    step: &Step,
) -> Option<Made> {
    let expected = array.reduced(axis, reduction);
    let Ok(tensor) = made else { return Some((made, Some(expected))) };
    let got = read(&tensor)?;
    assert_eq!(got.shape, expected.shape, "{step:?}");
    let scale = array.magnitudes().reduced(axis, reduction);
    // Half of the least number that there is.
    let least = match array.dtype {
        DType::F8E4M3 => 1e-3,
        DType::F64 => 1e-300,
        _ => 1e-6,
    };
    let all = got.bits.iter().zip(&expected.bits).zip(&scale.bits);
    for ((&got, &expected), &scale) in all {
        let [a, b] = [got, expected].map(|bits| value(array.dtype, bits));
        let scale = f64::from_bits(scale);
        // What leaves the type's range on its way is not looked at.
        if scale < 1e4 || (array.dtype == DType::F64 && scale.is_finite()) {
            let most = tolerance(array.dtype) * scale + least;
            assert!((a - b).abs() <= most, "{step:?}: {a}, not {b}");
        }
    }
    Some((Ok(tensor), Some(got)))
}

/// What rounding makes of a sum of terms, as a part of how large they are together.
fn tolerance(dtype: DType) -> f64 {
    match dtype {
        DType::F8E4M3 => 0.13,
        DType::F16 => 2e-3,
        DType::BF16 => 2e-2,
        DType::F32 => 1e-5,
        _ => 1e-12,
    }
}

/// A product is right within what rounding makes of it; from then on it is what it is.
fn product(
    made: Result<Tensor, ComputeError>,
    (a, b): (&Array, &Array),
    step: &Step,
) -> Option<(Result<Tensor, ComputeError>, Array)> {
    let shape = [a.shape[0], b.shape[1]];
    let Ok(tensor) = made else {
        return Some((made, Array { dtype: a.dtype, shape: shape.into(), bits: vec![] }));
    };
    let got = read(&tensor)?;
    assert_eq!(got.shape, shape, "{step:?}");
    let tolerance = tolerance(a.dtype);
    for (at, &bits) in got.bits.iter().enumerate() {
        let (row, column) = (at / shape[1], at % shape[1]);
        let terms = (0..a.shape[1])
            .map(|k| value(a.dtype, a.at(&[row, k])) * value(b.dtype, b.at(&[k, column])));
        let (sum, scale) = terms.fold((0.0, 0.0), |(sum, scale), x| (sum + x, scale + x.abs()));
        let got = value(a.dtype, bits);
        // What leaves the type's range on its way is not looked at.
        if scale < 1e4 && !scale.is_nan() {
            assert!((got - sum).abs() <= tolerance * scale + 1e-6, "{step:?}: {got}, not {sum}");
        }
    }
    Some((Ok(tensor), got))
}

/// What a tensor holds; `None` if there is no room to read it.
fn read(tensor: &Tensor) -> Option<Array> {
    let mut bytes = vec![0; tensor.bytes() as usize];
    match tensor.read(0, &mut bytes) {
        Ok(()) => Some(Array::from_bytes(tensor.dtype(), tensor.shape(), &bytes)),
        Err(ComputeError::Memory(error)) => {
            lacks_room(&error, &"read");
            None
        }
        Err(error) => panic!("reading {tensor:?}: {error}"),
    }
}

/// Checks a tensor, and gives what it holds: of NaN there are many.
fn same(tensor: &Tensor, expected: Array, step: &dyn std::fmt::Debug) -> Array {
    let Some(got) = read(tensor) else { return expected };
    assert_eq!((got.dtype, &got.shape), (expected.dtype, &expected.shape), "{step:?}");
    assert_eq!(got.bits.len(), expected.bits.len(), "{step:?}");
    for (at, (&got, &expected)) in got.bits.iter().zip(&expected.bits).enumerate() {
        let (a, b) = (value(tensor.dtype(), got), value(tensor.dtype(), expected));
        let float = tensor.dtype().is_float();
        let alike = got == expected || (float && (a == b || (a.is_nan() && b.is_nan())));
        assert!(alike, "{step:?}: element {at} of {tensor:?} is {a}, not {b}");
    }
    got
}

/// The only errors that a device with hardly any room may have.
fn lacks_room(error: &MemoryError, step: &dyn std::fmt::Debug) {
    assert!(
        matches!(
            error,
            MemoryError::OutOfMemory { .. }
                | MemoryError::QuotaExceeded { .. }
                | MemoryError::SpillLimit { .. }
                | MemoryError::SpillFull { .. }
        ),
        "{step:?}: {error}"
    );
}

/// The shape that two arrays of one type that is computed in broadcast to.
fn fits(a: &Array, b: &Array) -> Option<Vec<usize>> {
    let rank = a.shape.len().max(b.shape.len());
    let wide = |shape: &[usize]| [vec![1; rank - shape.len()], shape.to_vec()].concat();
    let number = a.dtype.is_float() || a.dtype.is_integer();
    let pairs = wide(&a.shape).into_iter().zip(wide(&b.shape));
    let shape = pairs.map(|pair| match pair {
        (a, b) if a == b => Some(a),
        (1, other) | (other, 1) => Some(other),
        _ => None,
    });
    shape.collect::<Option<_>>().filter(|_| number && a.dtype == b.dtype)
}

fn index(axis: i8, array: &Array) -> Option<usize> {
    let rank = array.shape.len();
    let index = if axis < 0 { isize::from(axis) + rank as isize } else { axis.into() };
    usize::try_from(index).ok().filter(|&index| index < rank)
}

/// Sizes of some dimensions, few enough elements in all.
fn dims(shape: [u8; 3], rank: u8) -> Option<Vec<usize>> {
    let dims: Vec<usize> =
        shape.iter().take(usize::from(rank % 4)).map(|&dim| usize::from(dim % 32)).collect();
    small(&dims).map(|()| dims)
}

fn small(shape: &[usize]) -> Option<()> {
    (shape.iter().product::<usize>() <= ELEMENTS).then_some(())
}

/// Bits that mostly are small numbers, and sometimes any.
fn noise(dtype: DType, random: u64) -> u64 {
    let size = dtype.block().1;
    let mask = u64::MAX >> (64 - 8 * size);
    if random & 15 == 0 || dtype == DType::F8E4M3 {
        return random.wrapping_mul(0x9e37_79b9_7f4a_7c15) & mask;
    }
    let small = (random >> 4 & 63) as i64 - 32;
    Array { dtype: DType::I64, shape: vec![], bits: vec![small as u64] }.cast(dtype).bits[0]
}

/// The file that weights are in: each eight bytes from their offset.
#[derive(Debug)]
struct Noise;

impl Source for Noise {
    fn read(&self, offset: u64, into: &mut [u8]) -> Result<(), MemoryError> {
        for (at, byte) in (offset..).zip(into) {
            let word = (at / 8).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            *byte = word.to_le_bytes()[(at % 8) as usize];
        }
        Ok(())
    }

    fn describe(&self) -> String {
        "noise".into()
    }
}
