//! How fast bytes move between the tiers, beside memcpy on the same machine in the same run:
//! `cargo bench -p berth-tests --bench copies`.
//!
//! What is compared is measured in turns; the rates are of medians. Files come from the page
//! cache and go to it, as they do where a model was read before: what the disk does then is not the
//! host's doing.

mod measure;

use std::hint::black_box;
use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use berth_compute::{Compute, DType, Scope, Tensor};
use berth_memory::offload::mode;
use berth_memory::{Cancel, Limits, ModelFile, OffloadModeName, Setup, SpillSettings, Tier};

use crate::measure::{keep_freed_pages, median};

fn main() {
    keep_freed_pages();
    println!("| GB/s (÷ memcpy) | 64 KiB | 1 MiB | 64 MiB |\n|---|---|---|---|");
    let columns = [(64 << 10, 401), (1 << 20, 101), (64 << 20, 11)].map(|(bytes, rounds)| {
        let bench = Bench::new(bytes);
        let times = bench.in_turns(rounds);
        times.map(|time| bytes as f64 / time.as_secs_f64() / 1e9)
    });
    for (row, name) in NAMES.iter().enumerate() {
        let cells =
            columns.map(|rates| format!("{:.1} ({:.2})", rates[row], rates[row] / rates[0]));
        println!("| {name} | {} |", cells.join(" | "));
    }
}

const NAMES: [&str; 6] = [
    "memcpy",
    "host → device",
    "device → host",
    "file → device",
    "device → spill file",
    "spill file → device",
];

/// One size, and memories to copy it in.
struct Bench {
    bytes: usize,
    /// With room for everything.
    ample: (Compute, Scope),
    /// Without any for tensors in DRAM.
    spilling: (Compute, Scope),
    model: Arc<ModelFile>,
    _folder: tempfile::TempDir,
}

impl Bench {
    fn new(bytes: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let memory = |host| {
            let limits = Limits { device: 1 << 30, host };
            let spill = SpillSettings { folder: folder.path().into(), limit: 1 << 30 };
            let setup = Setup::new(limits, mode(OffloadModeName::Balanced));
            let compute = Compute::with(Setup { spill: Some(spill), ..setup });
            let account = compute.memory().account("bench");
            (compute, Scope { account, cancel: Cancel::new(), call: None })
        };
        let mut file = tempfile::NamedTempFile::new_in(folder.path()).unwrap();
        file.write_all(&vec![1; bytes]).unwrap();
        let model = Arc::new(ModelFile::open(file.path()).unwrap());
        Self { bytes, ample: memory(1 << 30), spilling: memory(0), model, _folder: folder }
    }

    /// The medians, in the order of [`NAMES`].
    fn in_turns(&self, rounds: usize) -> [Duration; 6] {
        let source = vec![1_u8; self.bytes];
        let mut target = vec![2_u8; self.bytes];
        let mut times = [const { Vec::new() }; 6];
        for round in 0..rounds + 3 {
            let memcpy = timed(|| {
                target.copy_from_slice(black_box(&source));
                black_box(&mut target);
            });
            let round_times = [
                memcpy,
                self.host_to_device(source.clone()),
                self.device_to_host(),
                self.file_to_device(),
            ];
            let spilled = self.device_to_spill_and_back();
            if round >= 3 {
                for (times, time) in times.iter_mut().zip(round_times.into_iter().chain(spilled)) {
                    times.push(time);
                }
            }
        }
        times.map(median)
    }

    fn host_to_device(&self, bytes: Vec<u8>) -> Duration {
        let (compute, scope) = &self.ample;
        let tensor = compute.from_bytes(scope, DType::U8, &[self.bytes], bytes).unwrap();
        self.restore(&self.ample, &tensor)
    }

    fn device_to_host(&self) -> Duration {
        let (compute, scope) = &self.ample;
        let tensor = compute.full(scope, DType::U8, &[self.bytes], 1.0).unwrap();
        self.offload(&self.ample, &tensor, Tier::Host)
    }

    fn file_to_device(&self) -> Duration {
        let (compute, scope) = &self.ample;
        let tensor =
            compute.weight(scope, self.model.clone(), 0, DType::U8, &[self.bytes]).unwrap();
        self.restore(&self.ample, &tensor)
    }

    fn device_to_spill_and_back(&self) -> [Duration; 2] {
        let (compute, scope) = &self.spilling;
        let tensor = compute.full(scope, DType::U8, &[self.bytes], 1.0).unwrap();
        let there = self.offload(&self.spilling, &tensor, Tier::Disk);
        [there, self.restore(&self.spilling, &tensor)]
    }

    fn restore(&self, (compute, scope): &(Compute, Scope), tensor: &Tensor) -> Duration {
        let mut came = 0;
        let time = timed(|| {
            let handles = [tensor.handle()];
            came = compute.memory().restore(&scope.account, &handles, &scope.cancel).unwrap();
        });
        assert_eq!(came, self.bytes as u64);
        time
    }

    fn offload(&self, (compute, _): &(Compute, Scope), tensor: &Tensor, to: Tier) -> Duration {
        let time = timed(|| {
            compute.memory().offload(&[tensor.handle()]).unwrap();
        });
        let residency = tensor.handle().residency();
        assert!(!residency.device && *residency.get(to));
        time
    }
}

fn timed(run: impl FnOnce()) -> Duration {
    let begin = Instant::now();
    run();
    begin.elapsed()
}
