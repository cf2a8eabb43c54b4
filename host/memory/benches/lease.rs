//! What a lease costs when everything is on the device already: `cargo bench -p berth-memory`.
//!
//! It must not grow with the number of live allocations, nor with that of the functions that
//! use them. What is compared is measured in turns, so that a noisy machine is noisy for all;
//! the ratios are of medians.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a benchmark that goes wrong should stop"
)]

use std::time::{Duration, Instant};

use berth_memory::offload::{OffloadModeName, mode};
use berth_memory::{Account, Cancel, Device, Handle, Limits, Memory, MemoryError, Site};
use divan::Bencher;

fn main() {
    if std::env::args().any(|argument| argument == "--bench") {
        table();
    }
    divan::main();
}

/// A device without bytes, so that only the bookkeeping is measured.
struct Nothing;

impl Device for Nothing {
    type Buffer = ();
    type Format = ();

    fn create(
        &self,
        _bytes: u64,
        _format: (),
        _fill: &mut dyn FnMut(&mut [u8]) -> Result<(), MemoryError>,
    ) -> Result<(), MemoryError> {
        Ok(())
    }

    fn read(&self, _buffer: &(), _offset: u64, _into: &mut [u8]) -> Result<(), MemoryError> {
        Ok(())
    }
}

/// A memory in which everything is on the device.
struct Filled {
    memory: Memory<Nothing>,
    account: Account,
    handles: Vec<Handle<Nothing>>,
    sites: Vec<Site<Nothing>>,
    cancel: Cancel,
    next: usize,
}

impl Filled {
    /// So many allocations, each of which one of so many sites has used.
    fn new(live: usize, sites: usize) -> Self {
        let limits = Limits { device: u64::MAX / 2, host: 0 };
        let memory = Memory::new(Nothing, limits, mode(OffloadModeName::Planned));
        let account = memory.account("bench");
        let sites = (0..sites).map(|_| memory.site(&account, "model")).collect();
        let cancel = Cancel::new();
        let mut filled = Self { memory, account, handles: Vec::new(), sites, cancel, next: 0 };
        for _ in 0..live {
            let output = filled.output(&[]);
            filled.handles.push(output);
        }
        for site in 0..filled.sites.len() {
            let call = filled.sites[site].call();
            for part in filled.part(site).chunks(100) {
                let inputs: Vec<_> = part.iter().collect();
                let Self { memory, account, cancel, .. } = &filled;
                memory.lease_for(Some(&call), account, &inputs, &[], 0, cancel).unwrap();
            }
        }
        filled
    }

    fn output(&self, inputs: &[&Handle<Nothing>]) -> Handle<Nothing> {
        let Self { memory, account, cancel, .. } = self;
        let lease = memory.lease(account, inputs, &[(64, ())], 64, cancel).unwrap();
        lease.finish(vec![()]).unwrap().remove(0)
    }

    /// The allocations that a site uses.
    fn part(&self, site: usize) -> &[Handle<Nothing>] {
        let each = self.handles.len() / self.sites.len();
        &self.handles[site * each..][..each]
    }

    fn three(&self) -> [&Handle<Nothing>; 3] {
        [0, 1, 2].map(|i| &self.handles[self.next + i])
    }

    /// Three inputs and a workspace: a lease taken and given back.
    fn lease(&mut self, stride: usize) {
        let Self { memory, account, cancel, .. } = &*self;
        drop(memory.lease(account, &self.three(), &[], 64, cancel).unwrap());
        self.next = (self.next + stride) % (self.handles.len() - 2);
    }

    fn in_order(&mut self) {
        self.lease(3);
    }

    /// So far from the last that no cache has them, where there are many.
    fn far_apart(&mut self) {
        self.lease(7919);
    }

    /// The same with an output that becomes an allocation, and is dropped.
    fn finish(&mut self) {
        drop(self.output(&self.three()));
        self.next = (self.next + 3) % (self.handles.len() - 2);
    }

    /// A call of the next site that leases three of its allocations, ten times.
    fn call(&mut self) {
        self.next = (self.next + 1) % self.sites.len();
        let Self { memory, account, cancel, .. } = &*self;
        let call = self.sites[self.next].call();
        for inputs in self.part(self.next).chunks_exact(3).take(10) {
            let inputs = [&inputs[0], &inputs[1], &inputs[2]];
            drop(memory.lease_for(Some(&call), account, &inputs, &[], 64, cancel).unwrap());
        }
    }
}

/// What is measured.
type Run = fn(&mut Filled);

/// Runs of it that are measured as one, since a look at the clock costs as much as a lease.
const BATCH: u32 = 2000;

/// What one run of each takes, as the median of batches in turns.
fn in_turns<const N: usize>(filled: [&mut Filled; N], run: Run) -> [Duration; N] {
    let mut times = [const { Vec::new() }; N];
    for round in 0..34 {
        // Who comes first differs, since the caches are those of whoever came before.
        for turn in 0..N {
            let which = (round + turn) % N;
            let begin = Instant::now();
            (0..BATCH).for_each(|_| run(filled[which]));
            if round >= 3 {
                times[which].push(begin.elapsed() / BATCH);
            }
        }
    }
    times.map(|mut times: Vec<Duration>| {
        times.sort();
        times[times.len() / 2]
    })
}

fn table() {
    let rows: [(&str, Run); 4] = [
        ("lease and release of three inputs, in order", Filled::in_order),
        ("the same, far apart in memory", Filled::far_apart),
        ("in order, with an output that is dropped", Filled::finish),
        ("a call of ten leases of three inputs", Filled::call),
    ];
    let (few, many) = (&mut Filled::new(10_000, 1), &mut Filled::new(1_000_000, 1));
    println!("| what | 10⁴ allocations | 10⁶ allocations | ratio |\n|---|---|---|---|");
    for (what, run) in rows {
        row(what, in_turns([few, many], run));
    }
    let crowded = &mut Filled::new(10_000, 200);
    println!("\n| what | 1 site | 200 sites | ratio |\n|---|---|---|---|");
    for (what, run) in rows {
        row(what, in_turns([few, crowded], run));
    }
    println!();
}

fn row(what: &str, [one, other]: [Duration; 2]) {
    let ratio = other.as_secs_f64() / one.as_secs_f64();
    println!("| {what} | {} ns | {} ns | {ratio:.2} |", one.as_nanos(), other.as_nanos());
}

const LIVE: [usize; 3] = [100, 10_000, 1_000_000];

#[divan::bench(args = LIVE)]
fn lease_three_inputs(bencher: Bencher<'_, '_>, live: usize) {
    let mut filled = Filled::new(live, 1);
    bencher.bench_local(|| filled.far_apart());
}

#[divan::bench(args = LIVE)]
fn lease_and_finish_one_output(bencher: Bencher<'_, '_>, live: usize) {
    let mut filled = Filled::new(live, 1);
    bencher.bench_local(|| filled.finish());
}
