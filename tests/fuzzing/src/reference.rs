//! Tensors as plainly as they can be: the bits of each element in a list, and every operation by
//! its definition, index by index.

use berth_compute::{Binary, Comparison, DType, Reduction, Unary};
use half::{bf16, f16};

/// A row-major array of elements, each by its bits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Array {
    pub dtype: DType,
    pub shape: Vec<usize>,
    pub bits: Vec<u64>,
}

/// An element by its value.
#[derive(Debug, Clone, Copy)]
pub enum Number {
    Integer(i64),
    Float(f64),
}

/// The number that bits stand for. An `f8` has none here: it is only moved about.
pub fn number(dtype: DType, bits: u64) -> Number {
    match dtype {
        DType::I32 => Number::Integer((bits as u32 as i32).into()),
        DType::F16 => Number::Float(f16::from_bits(bits as u16).to_f64()),
        DType::BF16 => Number::Float(bf16::from_bits(bits as u16).to_f64()),
        DType::F32 => Number::Float(f32::from_bits(bits as u32).into()),
        DType::F64 => Number::Float(f64::from_bits(bits)),
        _ => Number::Integer(bits as i64),
    }
}

/// The value as a float.
pub fn value(dtype: DType, bits: u64) -> f64 {
    match number(dtype, bits) {
        Number::Integer(value) => value as f64,
        Number::Float(value) => value,
    }
}

/// The bits of an integer that wraps.
fn wrapped(dtype: DType, value: i128) -> u64 {
    match dtype {
        DType::U8 => u64::from(value as u8),
        DType::U32 | DType::I32 => u64::from(value as u32),
        _ => value as u64,
    }
}

/// The bits of a float that was computed in `f64`, or exactly.
fn rounded(dtype: DType, value: f64) -> u64 {
    match dtype {
        DType::F16 => f16::from_f64(value).to_bits().into(),
        DType::BF16 => bf16::from_f64(value).to_bits().into(),
        DType::F32 => (value as f32).to_bits().into(),
        _ => value.to_bits(),
    }
}

/// The bits of a float that was computed in its own type, or in `f32` if it is narrower.
fn native(dtype: DType, narrow: impl Fn() -> f32, wide: impl Fn() -> f64) -> u64 {
    match dtype {
        DType::F16 => f16::from_f32(narrow()).to_bits().into(),
        DType::BF16 => bf16::from_f32(narrow()).to_bits().into(),
        DType::F32 => narrow().to_bits().into(),
        _ => wide().to_bits(),
    }
}

impl Array {
    /// Elements by their indices.
    pub fn from_fn(dtype: DType, shape: &[usize], mut at: impl FnMut(&[usize]) -> u64) -> Self {
        let count: usize = shape.iter().product();
        let mut index = vec![0; shape.len()];
        let mut bits = Vec::with_capacity(count);
        for _ in 0..count {
            bits.push(at(&index));
            for axis in (0..shape.len()).rev() {
                index[axis] += 1;
                if index[axis] < shape[axis] {
                    break;
                }
                index[axis] = 0;
            }
        }
        Self { dtype, shape: shape.into(), bits }
    }

    /// What a tensor's bytes stand for.
    pub fn from_bytes(dtype: DType, shape: &[usize], bytes: &[u8]) -> Self {
        let element = |bytes: &[u8]| {
            bytes.iter().rev().fold(0, |bits: u64, &byte| bits << 8 | u64::from(byte))
        };
        let bits = bytes.chunks_exact(dtype.block().1).map(element).collect();
        Self { dtype, shape: shape.into(), bits }
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        let size = self.dtype.block().1;
        self.bits.iter().flat_map(|bits| bits.to_le_bytes().into_iter().take(size)).collect()
    }

    pub fn at(&self, index: &[usize]) -> u64 {
        let flat = index.iter().zip(&self.shape).fold(0, |flat, (&at, &dim)| flat * dim + at);
        self.bits[flat]
    }

    /// The element that broadcasting finds at an index.
    fn broadcast_at(&self, index: &[usize]) -> u64 {
        let own = &index[index.len() - self.shape.len()..];
        let own: Vec<usize> =
            own.iter().zip(&self.shape).map(|(&at, &dim)| if dim == 1 { 0 } else { at }).collect();
        self.at(&own)
    }

    pub fn reshaped(&self, shape: &[usize]) -> Self {
        Self { shape: shape.into(), ..self.clone() }
    }

    pub fn permuted(&self, axes: &[usize]) -> Self {
        let shape: Vec<usize> = axes.iter().map(|&axis| self.shape[axis]).collect();
        Self::from_fn(self.dtype, &shape, |index| {
            let mut from = vec![0; axes.len()];
            for (&axis, &at) in axes.iter().zip(index) {
                from[axis] = at;
            }
            self.at(&from)
        })
    }

    pub fn sliced(&self, axis: usize, start: usize, end: usize, step: usize) -> Self {
        let mut shape = self.shape.clone();
        shape[axis] = (end - start).div_ceil(step);
        self.along(&shape, axis, |at| start + at * step)
    }

    pub fn flipped(&self, axis: usize) -> Self {
        self.along(&self.shape, axis, |at| self.shape[axis] - 1 - at)
    }

    pub fn selected(&self, axis: usize, indices: &[usize]) -> Self {
        let mut shape = self.shape.clone();
        shape[axis] = indices.len();
        self.along(&shape, axis, |at| indices[at])
    }

    fn along(&self, shape: &[usize], axis: usize, from: impl Fn(usize) -> usize) -> Self {
        Self::from_fn(self.dtype, shape, |index| {
            let mut index = index.to_vec();
            index[axis] = from(index[axis]);
            self.at(&index)
        })
    }

    pub fn broadcast(&self, shape: &[usize]) -> Self {
        Self::from_fn(self.dtype, shape, |index| self.broadcast_at(index))
    }

    pub fn joined(arrays: &[&Self], axis: usize) -> Self {
        let mut shape = arrays[0].shape.clone();
        shape[axis] = arrays.iter().map(|array| array.shape[axis]).sum();
        Self::from_fn(arrays[0].dtype, &shape, |index| {
            let mut index = index.to_vec();
            for array in arrays {
                if index[axis] < array.shape[axis] {
                    return array.at(&index);
                }
                index[axis] -= array.shape[axis];
            }
            unreachable!("an index lies in one of them")
        })
    }

    pub fn padded(&self, amounts: &[(usize, usize)]) -> Self {
        let sizes = self.shape.iter().zip(amounts);
        let shape: Vec<usize> = sizes.map(|(dim, (before, after))| before + dim + after).collect();
        Self::from_fn(self.dtype, &shape, |index| {
            let inside: Option<Vec<usize>> = index
                .iter()
                .zip(amounts)
                .zip(&self.shape)
                .map(|((&at, &(before, _)), &dim)| at.checked_sub(before).filter(|at| *at < dim))
                .collect();
            inside.map_or(0, |inside| self.at(&inside))
        })
    }

    pub fn chosen(&self, a: &Self, b: &Self, shape: &[usize]) -> Self {
        Self::from_fn(a.dtype, shape, |index| {
            if self.broadcast_at(index) != 0 {
                a.broadcast_at(index)
            } else {
                b.broadcast_at(index)
            }
        })
    }

    pub fn combined(&self, other: &Self, function: Binary, shape: &[usize]) -> Self {
        Self::from_fn(self.dtype, shape, |index| {
            let (a, b) = (self.broadcast_at(index), other.broadcast_at(index));
            combine(self.dtype, a, b, function)
        })
    }

    pub fn compared(&self, other: &Self, comparison: Comparison, shape: &[usize]) -> Self {
        Self::from_fn(DType::U8, shape, |index| {
            let (a, b) = (self.broadcast_at(index), other.broadcast_at(index));
            let order = match (number(self.dtype, a), number(self.dtype, b)) {
                (Number::Integer(a), Number::Integer(b)) => Some(a.cmp(&b)),
                (Number::Float(a), Number::Float(b)) => a.partial_cmp(&b),
                _ => unreachable!("both are of one type"),
            };
            u64::from(match comparison {
                Comparison::Eq => order.is_some_and(|order| order.is_eq()),
                Comparison::Ne => !order.is_some_and(|order| order.is_eq()),
                Comparison::Lt => order.is_some_and(|order| order.is_lt()),
                Comparison::Le => order.is_some_and(|order| order.is_le()),
                Comparison::Gt => order.is_some_and(|order| order.is_gt()),
                Comparison::Ge => order.is_some_and(|order| order.is_ge()),
            })
        })
    }

    pub fn cast(&self, dtype: DType) -> Self {
        let convert = |&bits: &u64| match (number(self.dtype, bits), dtype) {
            (Number::Integer(value), DType::U8) => wrapped(dtype, value.clamp(0, 255).into()),
            (Number::Integer(value), DType::U32) => {
                wrapped(dtype, value.clamp(0, u32::MAX.into()).into())
            }
            (Number::Integer(value), DType::I32) => {
                wrapped(dtype, value.clamp(i32::MIN.into(), i32::MAX.into()).into())
            }
            (Number::Integer(value), DType::I64) => value as u64,
            (Number::Integer(value), DType::F32) => (value as f32).to_bits().into(),
            (Number::Integer(value), _) => rounded(dtype, value as f64),
            (Number::Float(value), DType::U8) => wrapped(dtype, (value as u8).into()),
            (Number::Float(value), DType::U32) => wrapped(dtype, (value as u32).into()),
            (Number::Float(value), DType::I32) => wrapped(dtype, (value as i32).into()),
            (Number::Float(value), DType::I64) => (value as i64) as u64,
            (Number::Float(value), _) => rounded(dtype, value),
        };
        Self { dtype, shape: self.shape.clone(), bits: self.bits.iter().map(convert).collect() }
    }

    /// A function of each element that is exact, or rounded once; `None` for any other.
    pub fn mapped(&self, function: Unary) -> Option<Self> {
        let narrow: fn(f32) -> f32 = match function {
            Unary::Neg => |x| -x,
            Unary::Abs => f32::abs,
            Unary::Recip => |x| 1.0 / x,
            Unary::Sqrt => f32::sqrt,
            Unary::Floor => f32::floor,
            Unary::Ceil => f32::ceil,
            Unary::Round => f32::round_ties_even,
            Unary::Relu => |x| if x < 0.0 { 0.0 } else { x },
            _ => return None,
        };
        let wide: fn(f64) -> f64 = match function {
            Unary::Neg => |x| -x,
            Unary::Abs => f64::abs,
            Unary::Recip => |x| 1.0 / x,
            Unary::Sqrt => f64::sqrt,
            Unary::Floor => f64::floor,
            Unary::Ceil => f64::ceil,
            Unary::Round => f64::round_ties_even,
            _ => |x| if x < 0.0 { 0.0 } else { x },
        };
        let each = |&bits: &u64| {
            let x = value(self.dtype, bits);
            native(self.dtype, || narrow(x as f32), || wide(x))
        };
        Some(Self { bits: self.bits.iter().map(each).collect(), ..self.clone() })
    }

    /// How large its elements are, as doubles.
    pub fn magnitudes(&self) -> Self {
        let size = |&bits: &u64| value(self.dtype, bits).abs().to_bits();
        let bits = self.bits.iter().map(size).collect();
        Self { dtype: DType::F64, shape: self.shape.clone(), bits }
    }

    /// Reduces one axis, which goes. Sums of floats are in `f64`, in order.
    pub fn reduced(&self, axis: usize, reduction: Reduction) -> Self {
        let mut shape = self.shape.clone();
        let length = shape.remove(axis);
        let positions = matches!(reduction, Reduction::Argmax | Reduction::Argmin);
        let dtype = if positions { DType::U32 } else { self.dtype };
        Self::from_fn(dtype, &shape, |index| {
            let mut index = index.to_vec();
            index.insert(axis, 0);
            let run: Vec<u64> = (0..length)
                .map(|at| {
                    index[axis] = at;
                    self.at(&index)
                })
                .collect();
            reduce(self.dtype, &run, reduction)
        })
    }

    /// For each place the index of the element that belongs there, counted: those that come before
    /// an element are the smaller ones (or larger, descending) and equal ones at lower indices.
    pub fn argsorted(&self, axis: usize, descending: bool) -> Self {
        let length = self.shape[axis];
        let mut sorted = Self { dtype: DType::U32, ..self.clone() };
        let stride: usize = self.shape[axis + 1..].iter().product();
        for flat in 0..self.bits.len() {
            let (own, start) = (flat / stride % length, flat - flat / stride % length * stride);
            let of = |at: usize| number(self.dtype, self.bits[start + at * stride]);
            let before = (0..length).filter(|&other| {
                let order = ordered(of(other), of(own));
                let order = if descending { order.reverse() } else { order };
                order.then(other.cmp(&own)).is_lt()
            });
            let place = before.count();
            sorted.bits[start + place * stride] = own as u64;
        }
        sorted
    }
}

/// NaN is greater than every number, and no zero less than another.
fn ordered(a: Number, b: Number) -> std::cmp::Ordering {
    match (a, b) {
        (Number::Integer(a), Number::Integer(b)) => a.cmp(&b),
        (Number::Float(a), Number::Float(b)) => {
            a.partial_cmp(&b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
        }
        _ => unreachable!("both are of one type"),
    }
}

fn combine(dtype: DType, a: u64, b: u64, function: Binary) -> u64 {
    match (number(dtype, a), number(dtype, b)) {
        (Number::Integer(x), Number::Integer(y)) => {
            let (x, y) = (i128::from(x), i128::from(y));
            match function {
                Binary::Add => wrapped(dtype, x + y),
                Binary::Sub => wrapped(dtype, x - y),
                Binary::Mul => wrapped(dtype, x * y),
                Binary::Div => wrapped(dtype, x.checked_div(y).unwrap_or(0)),
                Binary::Minimum => wrapped(dtype, x.min(y)),
                Binary::Maximum => wrapped(dtype, x.max(y)),
            }
        }
        (Number::Float(x), Number::Float(y)) => {
            let (p, q) = (x as f32, y as f32);
            match function {
                Binary::Add => native(dtype, || p + q, || x + y),
                Binary::Sub => native(dtype, || p - q, || x - y),
                Binary::Mul => native(dtype, || p * q, || x * y),
                Binary::Div => native(dtype, || p / q, || x / y),
                Binary::Minimum => {
                    if x.is_nan() || x < y {
                        a
                    } else {
                        b
                    }
                }
                Binary::Maximum => {
                    if x.is_nan() || x > y {
                        a
                    } else {
                        b
                    }
                }
            }
        }
        _ => unreachable!("both are of one type"),
    }
}

fn reduce(dtype: DType, run: &[u64], reduction: Reduction) -> u64 {
    let values = run.iter().map(|&bits| value(dtype, bits));
    let best = |better: fn(i64, i64) -> bool, also: fn(f64, f64) -> bool| {
        let wins = |&a: &usize, &b: &usize| match (number(dtype, run[a]), number(dtype, run[b])) {
            (Number::Integer(a), Number::Integer(b)) => better(a, b),
            (Number::Float(a), Number::Float(b)) => also(a, b),
            _ => unreachable!("all are of one type"),
        };
        (1..run.len()).fold(0, |best, at| if wins(&at, &best) { at } else { best })
    };
    match reduction {
        Reduction::Sum if dtype.is_integer() => {
            let integer = |&bits: &u64| match number(dtype, bits) {
                Number::Integer(value) => i128::from(value),
                Number::Float(_) => unreachable!("it is an integer type"),
            };
            wrapped(dtype, run.iter().map(integer).sum())
        }
        Reduction::Sum => rounded(dtype, values.sum()),
        Reduction::Mean => rounded(dtype, values.sum::<f64>() / run.len() as f64),
        Reduction::Max => run[best(|a, b| a > b, |a, b| a > b)],
        Reduction::Min => run[best(|a, b| a < b, |a, b| a < b)],
        Reduction::Argmax => best(|a, b| a > b, |a, b| a > b) as u64,
        Reduction::Argmin => best(|a, b| a < b, |a, b| a < b) as u64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_elements_keep_their_order_and_nan_is_the_greatest() {
        let values = [3.0_f32, f32::NAN, -0.0, 0.0, 1.0, 3.0];
        let bits = values.iter().map(|value| value.to_bits().into()).collect();
        let line = Array { dtype: DType::F32, shape: vec![6], bits };
        assert_eq!(line.argsorted(0, false).bits, [2, 3, 4, 0, 5, 1]);
        assert_eq!(line.argsorted(0, true).bits, [1, 0, 5, 4, 2, 3]);
        let columns = line.reshaped(&[3, 2]).argsorted(0, false);
        assert_eq!((columns.dtype, columns.bits), (DType::U32, vec![1, 1, 2, 2, 0, 0]));
    }
}
