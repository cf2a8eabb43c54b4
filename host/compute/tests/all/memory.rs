use std::sync::Arc;

use berth_compute::{Binary, Compute, ComputeError, DType, Scope, Tensor, Unary, Walk};
use berth_memory::offload::mode;
use berth_memory::{Cancel, Limits, MemoryError, OffloadModeName, Source, Tier};

use crate::array::{Array, Bench, bench, limited, read, refused};

fn used(bench: &Bench) -> u64 {
    bench.compute.memory().stats().tiers.device.used
}

#[test]
fn views_share_their_allocation_and_cost_nothing() {
    let bench = bench();
    let x = bench.compute.arange(&bench.scope, DType::F32, 0.0, 1.0, 24).unwrap();
    let before = used(&bench);
    let shaped = bench.compute.reshape(&bench.scope, &x, &[4, 3, 2]).unwrap();
    let rows = bench.compute.slice(&bench.scope, &shaped, 0, 1, 3, 1).unwrap();
    let inner = bench.compute.slice(&bench.scope, &rows, 0, 1, 2, 1).unwrap();
    let column = bench.compute.slice(&bench.scope, &inner, 1, 2, 3, 1).unwrap();
    let same = bench.compute.permute(&bench.scope, &inner, &[1, 0, 2]).unwrap();
    let cast = bench.compute.cast(&bench.scope, &rows, DType::F32).unwrap();
    for view in [&shaped, &rows, &inner, &column, &same, &cast] {
        assert_eq!(view.handle().id(), x.handle().id());
    }
    assert_eq!(used(&bench), before);
    assert_eq!(read(&rows).data, (6..18).map(f64::from).collect::<Vec<_>>());
    assert_eq!(read(&column).data, [16.0, 17.0]);
    assert_eq!(read(&same).shape, [3, 1, 2]);
    // Operations see a view as any other tensor.
    let doubled = bench.compute.combine(&bench.scope, &column, &column, Binary::Add).unwrap();
    assert_eq!(read(&doubled).data, [32.0, 34.0]);
    drop(x);
    assert_eq!(
        read(&inner).data,
        [12.0, 13.0, 14.0, 15.0, 16.0, 17.0],
        "a view keeps its allocation"
    );
    drop((shaped, rows, inner, column, same, cast, doubled));
    assert_eq!(used(&bench), 0);
}

#[test]
fn a_view_is_read_within_its_own_bytes() {
    let bench = bench();
    let x = bench.compute.arange(&bench.scope, DType::U8, 0.0, 1.0, 10).unwrap();
    let view = bench.compute.slice(&bench.scope, &x, 0, 4, 7, 1).unwrap();
    let mut bytes = [0; 2];
    view.read(1, &mut bytes).unwrap();
    assert_eq!(bytes, [5, 6]);
    for offset in [2, 4, u64::MAX] {
        let error = view.read(offset, &mut bytes).unwrap_err();
        assert!(matches!(error, ComputeError::Memory(MemoryError::OutOfRange { .. })), "{error}");
    }
    refused(bench.compute.reshape(&bench.scope, &view, &[4]), "3 elements");
    refused(bench.compute.reshape(&bench.scope, &view, &[usize::MAX, 0, 2]), "more elements");
}

#[test]
fn the_peak_is_inputs_and_outputs_where_nothing_else_is_needed() {
    let bench = bench();
    let x = bench.compute.full(&bench.scope, DType::F32, &[100, 100], 1.0).unwrap();
    let y = bench.compute.combine(&bench.scope, &x, &x, Binary::Mul).unwrap();
    assert_eq!(bench.compute.memory().stats().tiers.device.peak, 80_000);
    drop(bench.compute.map(&bench.scope, &y, Unary::Silu).unwrap());
    let device = bench.compute.memory().stats().tiers.device;
    assert_eq!((device.used, device.peak), (80_000, 120_000));
}

#[test]
fn what_is_widened_meanwhile_counts() {
    let bench = bench();
    let x = bench.tensor(DType::F16, &Array::noise(&[2, 4, 16, 16], 1));
    let weight = bench.tensor(DType::F16, &Array::noise(&[4, 4, 1, 1], 1));
    let walk = Walk::default();
    let y = bench.compute.conv2d(&bench.scope, &x, &weight, None, walk).unwrap();
    let halves = x.bytes() + weight.bytes() + y.bytes();
    let peak = bench.compute.memory().stats().tiers.device.peak;
    assert!(peak >= halves + 2 * (x.bytes() + y.bytes()), "{peak}");
    assert_eq!(used(&bench), halves);
}

#[test]
fn an_operation_that_does_not_fit_says_so_and_changes_nothing() {
    // x and its square fit, a third does not.
    let bench = limited(2 * 4096);
    let x = bench.compute.full(&bench.scope, DType::F32, &[1024], 2.0).unwrap();
    let y = bench.compute.combine(&bench.scope, &x, &x, Binary::Mul).unwrap();
    let error = bench.compute.combine(&bench.scope, &x, &y, Binary::Add).unwrap_err();
    let ComputeError::Memory(MemoryError::OutOfMemory { tier, requested, limit, .. }) = error
    else {
        panic!("{error}");
    };
    assert_eq!((tier, requested, limit), (Tier::Device, 3 * 4096, 2 * 4096));
    drop(x);
    assert_eq!(read(&y).data, [4.0; 1024]);
    let huge = bench.compute.full(&bench.scope, DType::U8, &[1 << 50], 0.0).unwrap_err();
    assert!(matches!(huge, ComputeError::Memory(MemoryError::OutOfMemory { .. })), "{huge}");
}

#[test]
fn a_cancelled_scope_does_nothing_more() {
    let bench = bench();
    let x = bench.compute.full(&bench.scope, DType::F32, &[4], 2.0).unwrap();
    bench.scope.cancel.cancel();
    let results: [Result<Tensor, ComputeError>; 4] = [
        bench.compute.map(&bench.scope, &x, Unary::Exp),
        bench.compute.reshape(&bench.scope, &x, &[2, 2]),
        bench.compute.cast(&bench.scope, &x, DType::F16),
        bench.compute.from_bytes(&bench.scope, DType::U8, &[1], vec![0]),
    ];
    for result in results {
        assert!(matches!(result, Err(ComputeError::Memory(MemoryError::Cancelled))));
    }
}

#[test]
fn a_tensor_for_another_account_is_charged_to_both() {
    let bench = bench();
    let memory = bench.compute.memory();
    let x = bench.compute.full(&bench.scope, DType::F32, &[256], 2.0).unwrap();
    let other = memory.account("other");
    let shared = x.for_account(&other);
    assert_eq!(memory.charge(&other).device, 1024);
    drop(x);
    assert_eq!(memory.charge(&bench.scope.account).device, 0);
    assert_eq!(read(&shared).data, [2.0; 256]);
    assert_eq!(format!("{shared:?}"), "Tensor(f32 [256])");
}

/// Bytes as a model file would have them.
#[derive(Debug)]
struct File(Vec<u8>);

impl Source for File {
    fn read(&self, offset: u64, into: &mut [u8]) -> Result<(), MemoryError> {
        into.copy_from_slice(&self.0[offset as usize..][..into.len()]);
        Ok(())
    }

    fn describe(&self) -> String {
        "a file".into()
    }
}

/// Eight layers of one type, called three times: the bits of the result.
fn layers(dtype: DType, device: u64, name: OffloadModeName) -> Vec<u64> {
    const WIDTH: usize = 64;
    let compute = Compute::new(Limits { device, host: 1 << 14 }, mode(name));
    let account = compute.memory().account("layers");
    let scope = Scope { account: account.clone(), cancel: Cancel::new(), call: None };
    let bench = Bench { compute, scope };
    let bytes = bench.compute.checked_bytes(dtype, &[WIDTH, WIDTH]).unwrap();
    // 1 in half precision, and 2⁻⁷ in the others.
    let data = (0..bytes * 8).map(|i| if i % 2 == 0 { 0 } else { 0x3c }).collect();
    let file: Arc<dyn Source> = Arc::new(File(data));
    let weights: Vec<Tensor> = (0..8)
        .map(|layer| {
            let (file, at) = (file.clone(), layer * bytes);
            bench.compute.weight(&bench.scope, file, at, dtype, &[WIDTH, WIDTH]).unwrap()
        })
        .collect();
    let site = bench.compute.memory().site(&account, "layers");
    let mut x = bench.compute.arange(&bench.scope, DType::F32, -1.0, 0.01, 2 * WIDTH).unwrap();
    x = bench.compute.reshape(&bench.scope, &x, &[2, WIDTH]).unwrap();
    for _ in 0..3 {
        let scope = Scope { call: Some(site.call()), ..bench.scope.clone() };
        for weight in &weights {
            let y = bench.compute.linear(&scope, &x, weight, None).unwrap();
            x = bench.compute.map(&scope, &y, Unary::Tanh).unwrap();
        }
    }
    assert!(bench.compute.memory().stats().tiers.device.peak <= device);
    read(&x).data.iter().map(|value| value.to_bits()).collect()
}

#[test]
fn dense_weights_move_and_compute_the_same_bits_in_every_mode() {
    for dtype in [DType::F32, DType::F16, DType::BF16] {
        let reference = layers(dtype, 1 << 30, OffloadModeName::None);
        assert!(reference.iter().any(|bits| f64::from_bits(*bits) != 0.0));
        for &name in OffloadModeName::all() {
            if name != OffloadModeName::None {
                assert_eq!(layers(dtype, 40 << 10, name), reference, "{dtype} in {name}");
            }
        }
    }
}

#[test]
fn quantized_weights_move_as_any_bytes_do() {
    for dtype in [DType::Q4_0, DType::Q8_0] {
        for &name in OffloadModeName::all() {
            let room = if name == OffloadModeName::None { 1 << 20 } else { 6000 };
            let compute = Compute::new(Limits { device: room, host: 8000 }, mode(name));
            let account = compute.memory().account("layers");
            let cancel = Cancel::new();
            let scope = Scope { account: account.clone(), cancel: cancel.clone(), call: None };
            let bytes = compute.checked_bytes(dtype, &[64, 64]).unwrap();
            let data: Vec<u8> = (0..bytes * 8).map(|i| (i * 31 % 251) as u8).collect();
            let file: Arc<dyn Source> = Arc::new(File(data.clone()));
            let weight = |layer: u64| {
                compute.weight(&scope, file.clone(), layer * bytes, dtype, &[64, 64]).unwrap()
            };
            let weights: Vec<Tensor> = (0..8).map(weight).collect();
            let site = compute.memory().site(&account, "layers");
            for _ in 0..3 {
                let call = site.call();
                for (weight, expected) in weights.iter().zip(data.chunks(bytes as usize)) {
                    let inputs = [weight.handle()];
                    let memory = compute.memory();
                    drop(
                        memory
                            .lease_for(Some(&call), &account, &inputs, &[], 500, &cancel)
                            .unwrap(),
                    );
                    let mut read = vec![0; expected.len()];
                    weight.read(0, &mut read).unwrap();
                    assert!(read == expected, "{dtype} in {name}");
                }
            }
            assert!(compute.memory().stats().tiers.device.peak <= room);
        }
    }
}
