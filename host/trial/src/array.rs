//! A tensor's elements, out of the memory that moves: what files hold and figures are made of.

use std::fmt;

use berth_compute::{Compute, ComputeError, DType, Scope, Tensor};
use half::{bf16, f16};

/// Every element type, by the contract's names.
const DTYPES: [DType; 22] = [
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
    DType::Q4_1,
    DType::Q5_0,
    DType::Q5_1,
    DType::Q8_0,
    DType::Q8_1,
    DType::Q2K,
    DType::Q3K,
    DType::Q4K,
    DType::Q5K,
    DType::Q6K,
    DType::Q8K,
];

/// The largest whole number up to which a float of 64 bits has every one: 2⁵³.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// The elements of a tensor, row-major and little-endian.
#[derive(Clone, PartialEq, Eq)]
pub struct Array {
    /// The element type.
    pub dtype: DType,
    /// The dimensions, outermost first.
    pub shape: Vec<usize>,
    /// The elements.
    pub bytes: Vec<u8>,
}

/// What the elements of an array are like. NaN is counted, and in none of the others.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figures {
    /// The least element.
    pub min: f64,
    /// The greatest.
    pub max: f64,
    /// Their mean.
    pub mean: f64,
    /// How many are no numbers.
    pub nan: usize,
}

impl Array {
    /// The elements of a tensor.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn of(tensor: &Tensor) -> Result<Self, ComputeError> {
        // A tensor's size fits, or it would not be.
        let mut bytes = vec![0; usize::try_from(tensor.bytes()).unwrap_or_default()];
        tensor.read(0, &mut bytes)?;
        Ok(Self { dtype: tensor.dtype(), shape: tensor.shape().to_vec(), bytes })
    }

    /// These numbers as elements of a type, or which of them is none of it.
    pub(crate) fn of_numbers(dtype: DType, shape: &[usize], data: &[f64]) -> Result<Self, String> {
        let mut bytes = Vec::new();
        for &number in data {
            check_number(dtype, number)?;
            match dtype {
                DType::U8 => bytes.push(number as u8),
                DType::U32 => bytes.extend((number as u32).to_le_bytes()),
                DType::I32 => bytes.extend((number as i32).to_le_bytes()),
                DType::I64 => bytes.extend((number as i64).to_le_bytes()),
                DType::F16 => bytes.extend(f16::from_f64(number).to_le_bytes()),
                DType::BF16 => bytes.extend(bf16::from_f64(number).to_le_bytes()),
                DType::F64 => bytes.extend(number.to_le_bytes()),
                _ => bytes.extend((number as f32).to_le_bytes()),
            }
        }
        Ok(Self { dtype, shape: shape.to_vec(), bytes })
    }

    /// The tensor of these elements.
    pub(crate) fn tensor(self, compute: &Compute, scope: &Scope) -> Result<Tensor, ComputeError> {
        let Self { dtype, shape, bytes } = self;
        compute.from_bytes(scope, dtype, &shape, bytes)
    }

    /// The elements as numbers; `None` where a type has none of its own (`f8`, `q*`).
    #[must_use]
    pub fn numbers(&self) -> Option<Box<dyn Iterator<Item = f64> + '_>> {
        let bytes = self.bytes.as_slice();
        macro_rules! each {
            ($size:literal, $value:expr) => {
                Some(Box::new(bytes.as_chunks::<$size>().0.iter().copied().map($value)))
            };
        }
        match self.dtype {
            DType::U8 => Some(Box::new(bytes.iter().copied().map(f64::from))),
            DType::U32 => each!(4, |b| f64::from(u32::from_le_bytes(b))),
            DType::I32 => each!(4, |b| f64::from(i32::from_le_bytes(b))),
            DType::I64 => each!(8, |b| i64::from_le_bytes(b) as f64),
            DType::F16 => each!(2, |b| f16::from_le_bytes(b).to_f64()),
            DType::BF16 => each!(2, |b| bf16::from_le_bytes(b).to_f64()),
            DType::F32 => each!(4, |b| f64::from(f32::from_le_bytes(b))),
            DType::F64 => each!(8, f64::from_le_bytes),
            _ => None,
        }
    }

    /// What its elements are like; `None` where there is none, or none has a value of its own.
    #[must_use]
    pub fn figures(&self) -> Option<Figures> {
        let (mut min, mut max, mut sum) = (f64::INFINITY, f64::NEG_INFINITY, 0.0);
        let (mut count, mut nan) = (0_usize, 0_usize);
        for number in self.numbers()? {
            if number.is_nan() {
                nan = nan.saturating_add(1);
                continue;
            }
            (min, max, sum) = (min.min(number), max.max(number), sum + number);
            count = count.saturating_add(1);
        }
        match (count, nan) {
            (0, 0) => None,
            (0, nan) => Some(Figures { min: f64::NAN, max: f64::NAN, mean: f64::NAN, nan }),
            _ => Some(Figures { min, max, mean: sum / count as f64, nan }),
        }
    }

    /// BLAKE3, in hexadecimal, of a line and the elements. The line is the dtype, a space and the
    /// shape as in `[1, 2, 3]`, then a newline; the elements are row-major and little-endian.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        hasher.update(format!("{self}\n").as_bytes()).update(&self.bytes);
        hasher.finalize().to_hex().to_string()
    }
}

/// What it is, without its elements.
impl fmt::Display for Array {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.dtype, self.shape)
    }
}

impl fmt::Debug for Array {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Array({self})")
    }
}

/// Whether a number is one of a type.
pub(crate) fn check_number(dtype: DType, number: f64) -> Result<(), String> {
    let range = match dtype {
        DType::U8 => (0.0, f64::from(u8::MAX)),
        DType::U32 => (0.0, f64::from(u32::MAX)),
        DType::I32 => (f64::from(i32::MIN), f64::from(i32::MAX)),
        DType::I64 => (-EXACT, EXACT),
        _ => return Ok(()),
    };
    if number.fract() == 0.0 && (range.0..=range.1).contains(&number) {
        Ok(())
    } else {
        Err(format!("{number} is no {dtype} (whole numbers from {} to {})", range.0, range.1))
    }
}

/// The element type of this name.
pub(crate) fn dtype(name: &str) -> Option<DType> {
    DTYPES.into_iter().find(|dtype| dtype.name() == name)
}

/// The names of all element types.
pub(crate) fn dtype_names() -> impl Iterator<Item = &'static str> {
    DTYPES.iter().map(|dtype| dtype.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_type_come_back() {
        for dtype in ["u8", "u32", "i32", "i64", "f16", "bf16", "f32", "f64"] {
            let array = Array::of_numbers(super::dtype(dtype).unwrap(), &[3], &[0.0, 1.0, 96.0]);
            let numbers: Vec<f64> = array.unwrap().numbers().unwrap().collect();
            assert_eq!(numbers, [0.0, 1.0, 96.0], "{dtype}");
        }
    }

    #[test]
    fn what_is_no_number_of_a_type_is_refused() {
        for (dtype, number) in [
            (DType::U8, 256.0),
            (DType::U8, 0.5),
            (DType::I32, -3e9),
            (DType::U32, -1.0),
            (DType::I64, 1e19),
            (DType::I64, f64::NAN),
        ] {
            let error = Array::of_numbers(dtype, &[1], &[number]).unwrap_err();
            assert!(error.contains("whole numbers from"), "{error}");
        }
    }

    #[test]
    fn figures_leave_out_what_is_no_number() {
        let array = |data: &[f64]| Array::of_numbers(DType::F32, &[data.len()], data).unwrap();
        let figures = array(&[1.0, f64::NAN, 2.0]).figures().unwrap();
        assert_eq!(figures, Figures { min: 1.0, max: 2.0, mean: 1.5, nan: 1 });
        assert_eq!(array(&[f64::NAN]).figures().unwrap().nan, 1);
        assert_eq!(array(&[]).figures(), None);
    }

    #[test]
    fn a_digest_is_of_type_shape_and_elements() {
        let array = Array::of_numbers(DType::F32, &[1, 2], &[0.0, 1.0]).unwrap();
        let mut bytes = b"f32 [1, 2]\n".to_vec();
        bytes.extend([0, 0, 0, 0, 0, 0, 0x80, 0x3f]);
        assert_eq!(array.digest(), blake3::hash(&bytes).to_hex().to_string());
        let other = Array { shape: vec![2, 1], ..array.clone() };
        assert_ne!(array.digest(), other.digest());
    }
}
