use std::path::Path;
use std::sync::Arc;

use berth_compute::{DType, Generator};
use berth_memory::{MemoryError, Source};
use safetensors::SafeTensors;

use crate::array::{Array, bench, close, read, refused, unsupported};

#[test]
fn tensors_are_made_of_exactly_their_bytes() {
    let bench = bench();
    let make = |dtype, shape: &[usize], bytes| {
        bench.compute.from_bytes(&bench.scope, dtype, shape, vec![0; bytes])
    };
    assert_eq!(make(DType::F32, &[2, 3], 24).unwrap().shape(), [2, 3]);
    assert_eq!(make(DType::F32, &[], 4).unwrap().bytes(), 4);
    assert_eq!(make(DType::F16, &[0, 3], 0).unwrap().elements(), 0);
    refused(make(DType::F32, &[2, 3], 23), "24 bytes");
    refused(make(DType::F32, &[usize::MAX, 3], 0), "more elements");
    refused(make(DType::F32, &[1; 9], 4), "at most 8");
    refused(make(DType::Q4_0, &[2, 3], 0), "multiple of 32");
    assert_eq!(bench.compute.checked_bytes(DType::Q6K, &[2, 256]).unwrap(), 420);
    assert!(bench.compute.checked_bytes(DType::F64, &[1 << 61]).is_err());
}

#[test]
fn numbers_become_tensors_of_any_type() {
    let bench = bench();
    for dtype in [
        DType::U8,
        DType::U32,
        DType::I32,
        DType::I64,
        DType::F16,
        DType::BF16,
        DType::F32,
        DType::F64,
    ] {
        let full = bench.compute.full(&bench.scope, dtype, &[2, 3], 3.0).unwrap();
        close(&full, &Array::from_fn(&[2, 3], |_| 3.0), 0.0);
        let range = bench.compute.arange(&bench.scope, dtype, 3.0, 2.0, 5).unwrap();
        assert_eq!(read(&range), Array { shape: vec![5], data: vec![3.0, 5.0, 7.0, 9.0, 11.0] });
    }
    let full = bench.compute.full(&bench.scope, DType::U8, &[1], -1e300).unwrap();
    assert_eq!(read(&full).data, [0.0]);
    let range = bench.compute.arange(&bench.scope, DType::F32, 0.0, 0.1, 4).unwrap();
    assert_eq!(read(&range).data[3], f64::from((3.0 * 0.1) as f32));
    unsupported(bench.compute.full(&bench.scope, DType::Q8_0, &[32], 0.0));
    unsupported(bench.compute.arange(&bench.scope, DType::F8E5M2, 0.0, 1.0, 1));
    refused(bench.compute.arange(&bench.scope, DType::F32, 0.0, 1.0, usize::MAX), "more elements");
}

#[derive(Debug)]
struct Counting;

impl Source for Counting {
    fn read(&self, offset: u64, into: &mut [u8]) -> Result<(), MemoryError> {
        for (i, byte) in into.iter_mut().enumerate() {
            *byte = (offset as usize + i) as u8;
        }
        Ok(())
    }

    fn describe(&self) -> String {
        "bytes that count".into()
    }
}

#[test]
fn weights_stand_in_their_source_until_they_are_used() {
    let bench = bench();
    let source: Arc<dyn Source> = Arc::new(Counting);
    let weight = |offset, dtype, shape: &[usize]| {
        bench.compute.weight(&bench.scope, source.clone(), offset, dtype, shape)
    };
    let tensor = weight(10, DType::U8, &[2, 3]).unwrap();
    assert_eq!(bench.compute.memory().stats().tiers.device.used, 0);
    assert_eq!(read(&tensor).data, [10.0, 11.0, 12.0, 13.0, 14.0, 15.0]);
    let turned = bench.compute.permute(&bench.scope, &tensor, &[1, 0]).unwrap();
    assert_eq!(read(&turned).data, [10.0, 13.0, 11.0, 14.0, 12.0, 15.0]);
    let again = weight(10, DType::U8, &[2, 3]).unwrap();
    assert_eq!(again.handle().id(), tensor.handle().id());
    refused(weight(0, DType::F32, &[usize::MAX, 2]), "more elements");
}

fn uniforms(generator: &mut Generator, count: usize) -> Vec<f64> {
    let bench = bench();
    read(&bench.compute.uniform(&bench.scope, generator, &[count]).unwrap()).data
}

fn normals(generator: &mut Generator, shape: &[usize]) -> Vec<f64> {
    let bench = bench();
    read(&bench.compute.normal(&bench.scope, generator, shape).unwrap()).data
}

#[test]
fn the_generator_is_the_mersenne_twister() {
    // The reference implementation's outputs for seed 5489: the first, and the 10,000th,
    // which is what C++ demands of std::mt19937.
    let mut generator = Generator::seeded(5489);
    let drawn = uniforms(&mut generator, 10_000);
    let uniform = |word: u32| f64::from(word & 0xff_ffff) / 16_777_216.0;
    assert_eq!(drawn[0], uniform(3_499_211_612));
    assert_eq!(drawn[9_999], uniform(4_123_659_995));
    // Of a longer seed, 32 bits count.
    assert_eq!(uniforms(&mut Generator::seeded(5489 | 7 << 32), 3), drawn[..3]);
}

/// The distance in units of the last place, for numbers of the size of `b`.
fn units(a: f64, b: f64) -> f64 {
    (a - b).abs() / 2f64.powi((b.abs().log2().floor() as i32).max(-20) - 23)
}

#[test]
fn many_normals_are_those_of_pytorch() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/data/tiny-sd-digits/oracle.safetensors");
    let bytes = std::fs::read(path).unwrap();
    let oracle = SafeTensors::deserialize(&bytes).unwrap();
    let mut worst = 0.0f64;
    for (key, seed) in [("noise", 42), ("noise_252_seed123456789", 123_456_789)] {
        let view = oracle.tensor(key).unwrap();
        let want: Vec<f64> = view
            .data()
            .chunks_exact(4)
            .map(|b| f32::from_le_bytes(b.try_into().unwrap()).into())
            .collect();
        let got = normals(&mut Generator::seeded(seed), view.shape());
        assert_eq!(got.len(), want.len());
        for (got, want) in got.iter().zip(&want) {
            worst = worst.max(units(*got, *want));
        }
    }
    assert!(worst <= 2.0, "{worst} units in the last place");
}

/// As many places as PyTorch prints.
fn printed(values: &[f64]) -> Vec<f64> {
    values.iter().map(|x| (x * 1e4).round() / 1e4).collect()
}

#[test]
fn uniforms_and_few_normals_are_those_of_pytorch() {
    // What `torch.manual_seed(seed)` with `torch.rand(5)` and `torch.randn(5)` prints.
    for (seed, uniform, normal) in [
        (0, [0.4963, 0.7682, 0.0885, 0.1320, 0.3074], [1.5410, -0.2934, -2.1788, 0.5684, -1.0845]),
        (42, [0.8823, 0.9150, 0.3829, 0.9593, 0.3904], [0.3367, 0.1288, 0.2345, 0.2303, -1.1229]),
    ] {
        assert_eq!(printed(&uniforms(&mut Generator::seeded(seed), 5)), uniform);
        assert_eq!(printed(&normals(&mut Generator::seeded(seed), &[5])), normal);
    }
}

#[test]
fn the_second_of_a_pair_waits_for_the_next_call() {
    let mut generator = Generator::seeded(7);
    let parts = [
        normals(&mut generator, &[3]),
        normals(&mut generator, &[0]),
        normals(&mut generator, &[2]),
    ];
    let all = normals(&mut Generator::seeded(7), &[5]);
    assert_eq!(parts.concat(), all);
    // 16 at once are drawn in another way, and leave the one that waits alone.
    let mut generator = Generator::seeded(7);
    assert_eq!(normals(&mut generator, &[1]), all[..1]);
    let many = normals(&mut generator, &[16]);
    assert_eq!(normals(&mut generator, &[1]), all[1..2]);
    let mut words = Generator::seeded(7);
    uniforms(&mut words, 4);
    assert_eq!(normals(&mut words, &[16]), many);
}

#[test]
fn a_failed_draw_does_not_advance_the_generator() {
    let bench = bench();
    let mut generator = Generator::seeded(1);
    refused(bench.compute.normal(&bench.scope, &mut generator, &[usize::MAX, 2]), "more elements");
    assert!(bench.compute.uniform(&bench.scope, &mut generator, &[1 << 40]).is_err());
    assert_eq!(normals(&mut generator, &[20]), normals(&mut Generator::seeded(1), &[20]));
}
