//! What a lease costs when everything is on the device already, with few and with many
//! live allocations: `cargo bench -p berth-memory`.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a benchmark that goes wrong should stop"
)]

use berth_memory::offload::{OffloadModeName, mode};
use berth_memory::{Account, Cancel, Device, Handle, Limits, Memory, MemoryError};
use divan::Bencher;

fn main() {
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

const LIVE: [usize; 3] = [100, 10_000, 1_000_000];

/// A memory in which so many allocations are on the device.
fn filled(live: usize) -> (Memory<Nothing>, Account, Vec<Handle<Nothing>>) {
    let limits = Limits { device: u64::MAX / 2, host: 0 };
    let memory = Memory::new(Nothing, limits, mode(OffloadModeName::Balanced));
    let account = memory.account("bench");
    let handles = (0..live).map(|_| output(&memory, &account, &[])).collect();
    (memory, account, handles)
}

fn output(
    memory: &Memory<Nothing>,
    account: &Account,
    inputs: &[&Handle<Nothing>],
) -> Handle<Nothing> {
    let lease = memory.lease(account, inputs, &[(64, ())], 64, &Cancel::new()).unwrap();
    lease.finish(vec![()]).unwrap().remove(0)
}

/// Three resident inputs and a workspace: a lease taken and given back.
#[divan::bench(args = LIVE)]
fn lease_three_inputs(bencher: Bencher<'_, '_>, live: usize) {
    let (memory, account, handles) = filled(live);
    let cancel = Cancel::new();
    let mut next = 0;
    bencher.bench_local(|| {
        next = (next + 7919) % (live - 2);
        let inputs = [&handles[next], &handles[next + 1], &handles[next + 2]];
        memory.lease(&account, &inputs, &[], 64, &cancel).unwrap()
    });
}

/// The same with an output that becomes an allocation, and is dropped.
#[divan::bench(args = LIVE)]
fn lease_and_finish_one_output(bencher: Bencher<'_, '_>, live: usize) {
    let (memory, account, handles) = filled(live);
    let cancel = Cancel::new();
    let mut next = 0;
    bencher.bench_local(|| {
        next = (next + 7919) % (live - 2);
        let inputs = [&handles[next], &handles[next + 1], &handles[next + 2]];
        let lease = memory.lease(&account, &inputs, &[(64, ())], 64, &cancel).unwrap();
        lease.finish(vec![()]).unwrap()
    });
}
