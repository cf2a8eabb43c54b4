use std::path::Path;
use std::sync::Arc;

use berth_compute::{Compute, ComputeError, DType, Generator, Reduction, Scope, Tensor, Unary};
use berth_memory::offload::mode;
use berth_memory::{
    Cancel, Limits, MemoryError, OffloadModeName, Setup, Source, SpillSettings, Stats,
};

use crate::array::{Array, Bench, read};

fn stage(make: fn(Setup) -> Compute, device: u64, name: OffloadModeName) -> Bench {
    let compute = make(Setup::new(Limits { device, host: 1 << 36 }, mode(name)));
    let account = compute.memory().account("test");
    Bench { compute, scope: Scope { account, cancel: Cancel::new(), call: None } }
}

fn rehearsal(device: u64) -> Bench {
    stage(Compute::rehearsal, device, OffloadModeName::Balanced)
}

/// Weights of ones, which are read for real.
#[derive(Debug)]
struct Ones;

impl Source for Ones {
    fn describe(&self) -> String {
        "ones".into()
    }

    fn read(&self, _: u64, into: &mut [u8]) -> Result<(), MemoryError> {
        into.fill(1);
        Ok(())
    }
}

/// Weights that must not be read.
#[derive(Debug)]
struct Unreadable;

impl Source for Unreadable {
    fn describe(&self) -> String {
        "what must not be read".into()
    }

    fn read(&self, _: u64, _: &mut [u8]) -> Result<(), MemoryError> {
        panic!("a large weight is read in a rehearsal");
    }
}

fn weight(bench: &Bench, source: Arc<dyn Source>, shape: &[usize]) -> Tensor {
    bench.compute.weight(&bench.scope, source, 0, DType::U8, shape).unwrap()
}

#[test]
fn small_tensors_of_small_tensors_are_real() {
    let Bench { compute, scope } = rehearsal(1 << 30);
    let schedule = compute.arange(&scope, DType::F32, 1.0, 1.0, 1000).unwrap();
    let doubled = compute.combine(&scope, &schedule, &schedule, berth_compute::Binary::Add);
    assert_eq!(read(&doubled.unwrap()).data[999], 2000.0);
    let bench = Bench { compute, scope };
    let small = weight(&bench, Arc::new(Ones), &[16]);
    let wide = bench.compute.cast(&bench.scope, &small, DType::F32).unwrap();
    assert_eq!(read(&wide).data, [1.0; 16]);
}

#[test]
fn what_is_large_or_made_of_it_is_read_as_zeros() {
    let bench = rehearsal(1 << 30);
    let Bench { compute, scope } = &bench;
    let large = compute.full(scope, DType::F32, &[100, 1000], 1.0).unwrap();
    assert_eq!(read(&large).data[99_999], 0.0);
    let sum = compute.reduce(scope, &large, Reduction::Sum, &[0, 1], false).unwrap();
    assert_eq!(read(&sum).data, [0.0]);
    let given = bench.f32(&Array { shape: vec![20_000], data: vec![1.0; 20_000] });
    assert_eq!(read(&given).data[0], 0.0);
    let noise = compute.normal(scope, &mut Generator::seeded(1), &[20_000]).unwrap();
    assert_eq!(read(&noise).data[0], 0.0);
}

#[test]
fn a_large_weight_is_used_without_being_read() {
    let bench = rehearsal(1 << 42);
    let huge = weight(&bench, Arc::new(Unreadable), &[1 << 20, 1 << 20]);
    let wide = bench.compute.cast(&bench.scope, &huge, DType::F16).unwrap();
    assert_eq!(wide.shape(), [1 << 20, 1 << 20]);
    assert_eq!(bench.compute.memory().stats().moved.to_device, 1 << 40);
}

/// Something of everything: weights, activations that are looked at again, workspace.
fn play(bench: &Bench) -> Result<Stats, ComputeError> {
    let Bench { compute, scope } = bench;
    let source: Arc<dyn Source> = Arc::new(Ones);
    let weights: Vec<Tensor> = (0..4)
        .map(|at| compute.weight(scope, source.clone(), at << 20, DType::F16, &[256, 256]))
        .collect::<Result<_, _>>()?;
    let mut x = compute.full(scope, DType::F32, &[256, 256], 1e-3)?;
    let mut kept = Vec::new();
    for _ in 0..3 {
        for weight in &weights {
            let weight = compute.cast(scope, weight, DType::F32)?;
            x = compute.linear(scope, &x, &weight, None)?;
            kept.push(compute.map(scope, &x, Unary::Tanh)?);
        }
    }
    for kept in &kept {
        x = compute.combine(scope, &x, kept, berth_compute::Binary::Add)?;
    }
    Ok(compute.memory().stats())
}

#[test]
fn a_rehearsal_takes_the_room_that_the_work_takes() {
    for name in [OffloadModeName::None, OffloadModeName::Balanced, OffloadModeName::Sequential] {
        for device in [1 << 30, 3 << 20, 1_400_000, 1 << 20] {
            let real = play(&stage(Compute::with, device, name));
            let ghost = play(&stage(Compute::rehearsal, device, name));
            match (real, ghost) {
                (Ok(real), Ok(ghost)) => {
                    println!("{name} in {device}: {:?}", real.tiers.device);
                    assert_eq!(real.tiers, ghost.tiers, "{name} in {device}");
                    assert_eq!(real.evictions, ghost.evictions, "{name} in {device}");
                    assert_eq!(real.moved, ghost.moved, "{name} in {device}");
                }
                (real, ghost) => {
                    let (real, ghost) = (real.unwrap_err(), ghost.unwrap_err());
                    println!("{name} in {device}: {real}");
                    assert_eq!(real.to_string(), ghost.to_string(), "{name} in {device}");
                }
            }
        }
    }
}

#[test]
fn a_rehearsal_spills_nothing_and_counts_it() {
    let folder = tempfile::tempdir().unwrap();
    let play = |make: fn(Setup) -> Compute, folder: &Path| {
        let limits = Limits { device: 1_400_000, host: 600_000 };
        let spill = Some(SpillSettings { folder: folder.into(), limit: 1 << 30 });
        let setup = Setup { spill, ..Setup::new(limits, mode(OffloadModeName::Balanced)) };
        let compute = make(setup);
        let account = compute.memory().account("test");
        let scope = Scope { account, cancel: Cancel::new(), call: None };
        play(&Bench { compute, scope }).unwrap()
    };
    let real = play(Compute::with, folder.path());
    // A folder that is not there is not missed.
    let ghost = play(Compute::rehearsal, Path::new("/nowhere"));
    assert!(real.moved.to_spill > 0 && real.moved.from_spill > 0, "{real:?}");
    assert_eq!((real.tiers, real.moved), (ghost.tiers, ghost.moved));
}

#[test]
fn a_ghosts_copy_on_the_host_takes_no_memory() {
    fn resident() -> usize {
        let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
        pages.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
    }
    const SIZE: usize = 4 << 30;
    let bench = stage(Compute::rehearsal, 13 << 30, OffloadModeName::Sequential);
    let Bench { compute, scope } = &bench;
    let x = compute.full(scope, DType::U8, &[SIZE], 0.0).unwrap();
    let before = resident();
    let given = compute.from_bytes(scope, DType::U8, &[SIZE], vec![0; SIZE]).unwrap();
    let y = compute.combine(scope, &x, &given, berth_compute::Binary::Add).unwrap();
    let host = compute.memory().stats().tiers.host;
    assert!(host.used >= 2 * SIZE as u64, "{host:?}");
    assert!(!x.handle().residency().device && x.handle().residency().host);
    assert!(y.handle().residency().device);
    assert!(resident() < before + SIZE / 4, "{} bytes more", resident() - before);
}
