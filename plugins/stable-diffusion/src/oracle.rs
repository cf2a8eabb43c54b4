//! Reads what PyTorch and diffusers computed for the test model.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use safetensors::SafeTensors;

fn read(path: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data").join(path)).unwrap()
}

/// The oracle's tensors, flat.
pub struct Oracle {
    bytes: Vec<u8>,
}

impl Oracle {
    pub fn open() -> Self {
        Self { bytes: read("tiny-sd-digits/oracle.safetensors") }
    }

    pub fn floats(&self, name: &str) -> Vec<f32> {
        self.elements(name, f32::from_le_bytes)
    }

    pub fn ids(&self, name: &str) -> Vec<i64> {
        self.elements(name, i64::from_le_bytes)
    }

    fn elements<const N: usize, T>(&self, name: &str, element: fn([u8; N]) -> T) -> Vec<T> {
        let tensors = SafeTensors::deserialize(&self.bytes).unwrap();
        let (elements, []) = tensors.tensor(name).unwrap().data().as_chunks() else {
            panic!("{name}")
        };
        elements.iter().copied().map(element).collect()
    }

    /// The first dimension's elements, each flat.
    pub fn rows(&self, name: &str, count: usize) -> Vec<Vec<f32>> {
        let all = self.floats(name);
        all.chunks(all.len() / count).map(<[f32]>::to_vec).collect()
    }
}

/// The header of the test model's checkpoint.
pub fn checkpoint() -> (HashMap<String, Vec<usize>>, HashMap<String, String>) {
    let bytes = read("models/checkpoints/tiny-sd-digits.safetensors");
    let (_, metadata) = SafeTensors::read_metadata(&bytes).unwrap();
    let shapes = metadata.tensors().into_iter().map(|(key, info)| (key, info.shape.clone()));
    (shapes.collect(), metadata.metadata().clone().unwrap())
}

/// ‖found − expected‖ / ‖expected‖.
pub fn distance(found: &[f32], expected: &[f32]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let square = |number: f64| number * number;
    let pairs = found.iter().zip(expected);
    let off: f64 = pairs.map(|(a, b)| square(f64::from(*a) - f64::from(*b))).sum();
    let all: f64 = expected.iter().map(|b| square(f64::from(*b))).sum();
    (off / all).sqrt()
}
