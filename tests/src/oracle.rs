//! What PyTorch computed from the demo model's weights, and how far we are from it.

use std::path::{Path, PathBuf};

use berth_sandbox::Value;
use safetensors::{Dtype, SafeTensors};

use crate::host::Host;

/// The folder of the tests' data.
pub fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data")
}

/// The tensors that were recorded (`data/README.md`).
pub struct Oracle {
    bytes: Vec<u8>,
}

/// Numbers in a shape.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    /// The dimensions, outermost first.
    pub shape: Vec<usize>,
    /// The elements, row-major.
    pub data: Vec<f32>,
}

impl Array {
    /// Part `index` of the first axis.
    pub fn row(&self, index: usize) -> Self {
        let shape = self.shape[1..].to_vec();
        let size: usize = shape.iter().product();
        Self { data: self.data[index * size..(index + 1) * size].to_vec(), shape }
    }

    /// Channels last: [b, c, h, w] → [b, h, w, c].
    pub fn channels_last(&self) -> Self {
        let &[b, c, h, w] = self.shape.as_slice() else { panic!("{:?}", self.shape) };
        let mut data = Vec::with_capacity(self.data.len());
        for image in 0..b {
            for pixel in 0..h * w {
                data.extend((0..c).map(|channel| self.data[(image * c + channel) * h * w + pixel]));
            }
        }
        Self { shape: vec![b, h, w, c], data }
    }

    /// The elements mapped.
    pub fn map(&self, function: impl Fn(f32) -> f32) -> Self {
        Self { shape: self.shape.clone(), data: self.data.iter().map(|&x| function(x)).collect() }
    }

    /// ‖self − reference‖ / ‖reference‖.
    pub fn error(&self, reference: &Self) -> f64 {
        assert_eq!(self.shape, reference.shape);
        let square = |x: f64| x * x;
        let pairs = self.data.iter().zip(&reference.data);
        let distance: f64 = pairs.map(|(a, b)| square(f64::from(*a) - f64::from(*b))).sum();
        let norm: f64 = reference.data.iter().map(|b| square(f64::from(*b))).sum();
        (distance / norm).sqrt()
    }

    /// The mean of |self − reference|.
    pub fn mean_distance(&self, reference: &Self) -> f64 {
        assert_eq!(self.shape, reference.shape);
        let pairs = self.data.iter().zip(&reference.data);
        let sum: f64 = pairs.map(|(a, b)| f64::from((a - b).abs())).sum();
        sum / self.data.len() as f64
    }

    /// As a tensor of the host.
    pub fn value(&self, host: &Host) -> Value {
        host.tensor(&self.shape, &self.data)
    }
}

impl Oracle {
    /// The demo model's.
    pub fn load() -> Self {
        let path = data().join("tiny-sd-digits/oracle.safetensors");
        Self { bytes: std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display())) }
    }

    /// An `f32` tensor.
    pub fn get(&self, key: &str) -> Array {
        let file = SafeTensors::deserialize(&self.bytes).unwrap();
        let view = file.tensor(key).unwrap_or_else(|e| panic!("{key}: {e}"));
        assert_eq!(view.dtype(), Dtype::F32, "{key}");
        let data = view.data().chunks_exact(4);
        let data = data.map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
        Array { shape: view.shape().to_vec(), data }
    }
}
