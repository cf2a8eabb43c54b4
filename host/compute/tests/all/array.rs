//! What the tests compare with: arrays of `f64`, indexed by hand.

use berth_compute::{Compute, ComputeError, DType, Scope, Tensor};
use berth_memory::offload::mode;
use berth_memory::{Cancel, Limits, OffloadModeName};
use half::{bf16, f16};

/// Operations, and for whom they work.
pub struct Bench {
    pub compute: Compute,
    pub scope: Scope,
}

/// Room for everything.
pub fn bench() -> Bench {
    limited(1 << 32)
}

/// So much room on the device.
pub fn limited(device: u64) -> Bench {
    let compute = Compute::new(Limits { device, host: 1 << 32 }, mode(OffloadModeName::None));
    let account = compute.memory().account("test");
    Bench { compute, scope: Scope { account, cancel: Cancel::new(), call: None } }
}

impl Bench {
    /// An array as a tensor, each element rounded to `dtype`.
    pub fn tensor(&self, dtype: DType, array: &Array) -> Tensor {
        let bytes = array.data.iter().flat_map(|&value| encode(dtype, value)).collect();
        self.compute.from_bytes(&self.scope, dtype, &array.shape, bytes).unwrap()
    }

    pub fn f32(&self, array: &Array) -> Tensor {
        self.tensor(DType::F32, array)
    }
}

fn encode(dtype: DType, value: f64) -> Vec<u8> {
    match dtype {
        DType::U8 => vec![value as u8],
        DType::U32 => (value as u32).to_le_bytes().into(),
        DType::I32 => (value as i32).to_le_bytes().into(),
        DType::I64 => (value as i64).to_le_bytes().into(),
        DType::F16 => f16::from_f64(value).to_le_bytes().into(),
        DType::BF16 => bf16::from_f64(value).to_le_bytes().into(),
        DType::F32 => (value as f32).to_le_bytes().into(),
        DType::F64 => value.to_le_bytes().into(),
        other => panic!("no test writes {other}"),
    }
}

/// A tensor's elements.
pub fn read(tensor: &Tensor) -> Array {
    let mut bytes = vec![0; tensor.bytes() as usize];
    tensor.read(0, &mut bytes).unwrap();
    let (_, size) = tensor.dtype().block();
    let data = bytes.chunks_exact(size).map(|bytes| decode(tensor.dtype(), bytes)).collect();
    Array { shape: tensor.shape().into(), data }
}

fn decode(dtype: DType, bytes: &[u8]) -> f64 {
    match dtype {
        DType::U8 => bytes[0].into(),
        DType::U32 => u32::from_le_bytes(bytes.try_into().unwrap()).into(),
        DType::I32 => i32::from_le_bytes(bytes.try_into().unwrap()).into(),
        DType::I64 => i64::from_le_bytes(bytes.try_into().unwrap()) as f64,
        DType::F16 => f16::from_le_bytes(bytes.try_into().unwrap()).into(),
        DType::BF16 => bf16::from_le_bytes(bytes.try_into().unwrap()).into(),
        DType::F32 => f32::from_le_bytes(bytes.try_into().unwrap()).into(),
        DType::F64 => f64::from_le_bytes(bytes.try_into().unwrap()),
        other => panic!("no test reads {other}"),
    }
}

/// A row-major array.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    pub shape: Vec<usize>,
    pub data: Vec<f64>,
}

impl Array {
    /// Each element from its index.
    pub fn from_fn(shape: &[usize], mut value: impl FnMut(&[usize]) -> f64) -> Self {
        let count: usize = shape.iter().product();
        let mut index = vec![0; shape.len()];
        let mut data = Vec::with_capacity(count);
        for _ in 0..count {
            data.push(value(&index));
            for axis in (0..shape.len()).rev() {
                index[axis] += 1;
                if index[axis] < shape[axis] {
                    break;
                }
                index[axis] = 0;
            }
        }
        Self { shape: shape.into(), data }
    }

    /// Values in (−1, 1) that look random and are exact in `bf16`.
    pub fn noise(shape: &[usize], seed: u64) -> Self {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        Self::from_fn(shape, |_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            ((state >> 57) as f64 - 63.5) / 64.0
        })
    }

    pub fn at(&self, index: &[usize]) -> f64 {
        assert_eq!(index.len(), self.shape.len());
        let flat = index.iter().zip(&self.shape).fold(0, |flat, (&i, &dim)| {
            assert!(i < dim);
            flat * dim + i
        });
        self.data[flat]
    }

    /// The element that broadcasting finds at an index.
    pub fn broadcast(&self, index: &[usize]) -> f64 {
        let own = &index[index.len() - self.shape.len()..];
        let own: Vec<usize> =
            own.iter().zip(&self.shape).map(|(&i, &dim)| if dim == 1 { 0 } else { i }).collect();
        self.at(&own)
    }

    pub fn map(&self, function: impl Fn(f64) -> f64) -> Self {
        Self { shape: self.shape.clone(), data: self.data.iter().map(|&x| function(x)).collect() }
    }
}

/// Every float type that is computed in, and how far a result may be off, relative
/// to the largest one.
pub const FLOATS: [(DType, f64); 4] =
    [(DType::F32, 3e-6), (DType::F64, 1e-13), (DType::F16, 1e-3), (DType::BF16, 8e-3)];

/// Checks a result against its definition.
#[track_caller]
pub fn close(got: &Tensor, want: &Array, tolerance: f64) {
    let got = read(got);
    assert_eq!(got.shape, want.shape);
    let scale = want
        .data
        .iter()
        .fold(1e-3, |scale: f64, x| if x.is_finite() { scale.max(x.abs()) } else { scale });
    for (i, (got, want)) in got.data.iter().zip(&want.data).enumerate() {
        let same = got == want || (got.is_nan() && want.is_nan());
        assert!(
            same || (got - want).abs() <= tolerance * scale,
            "element {i} is {got}, but {want} is right (within {tolerance} of {scale})"
        );
    }
}

/// Checks that an operation refuses its arguments, and says which.
#[track_caller]
pub fn refused(result: Result<Tensor, ComputeError>, says: &str) {
    match result {
        Err(error @ ComputeError::InvalidArgument { .. }) => {
            assert!(error.to_string().contains(says), "{error}");
        }
        other => panic!("expected a refusal that says {says:?}, not {other:?}"),
    }
}

/// Checks that an operation has no kernel for a dtype.
#[track_caller]
pub fn unsupported(result: Result<Tensor, ComputeError>) {
    assert!(matches!(result, Err(ComputeError::Unsupported { .. })), "{result:?}");
}
