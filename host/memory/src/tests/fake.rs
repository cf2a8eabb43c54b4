//! A device and a source that count, check and fail on request.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};

use crate::offload::{Amount, OffloadMode, OffloadModeName, Watermarks, mode_with};
use crate::state::Shared;
use crate::{
    Account, Cancel, Device, Handle, Limits, Memory, MemoryError, PerTier, Setup, Source,
    SpillSettings, Tier,
};

/// What to do at the next call.
#[derive(Debug, Default)]
pub(super) struct Fault {
    pub(super) fail: AtomicBool,
    pub(super) panic: AtomicBool,
}

impl Fault {
    fn strike(&self, operation: &'static str) -> Result<(), MemoryError> {
        assert!(!self.panic.load(SeqCst), "a panic that was asked for");
        if self.fail.load(SeqCst) {
            return Err(MemoryError::Device { operation, reason: "asked to fail".to_owned() });
        }
        Ok(())
    }
}

/// Bytes that buffers have, as the device itself would measure them.
#[derive(Debug, Default)]
pub(super) struct Meter {
    pub(super) live: AtomicU64,
    pub(super) peak: AtomicU64,
}

#[derive(Debug, Default)]
pub(super) struct Fake {
    pub(super) meter: Arc<Meter>,
    pub(super) create: Fault,
    pub(super) read: Fault,
    pub(super) in_dram: AtomicBool,
    /// What others left of the device, in bytes and one; 0 if it does not say.
    pub(super) left: AtomicU64,
}

#[derive(Debug)]
pub(super) struct Buffer {
    pub(super) bytes: Vec<u8>,
    meter: Arc<Meter>,
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.meter.live.fetch_sub(self.bytes.len() as u64, SeqCst);
    }
}

impl Fake {
    /// What a kernel does for an output.
    pub(super) fn buffer(&self, bytes: Vec<u8>) -> Buffer {
        let live = self.meter.live.fetch_add(bytes.len() as u64, SeqCst) + bytes.len() as u64;
        self.meter.peak.fetch_max(live, SeqCst);
        Buffer { bytes, meter: self.meter.clone() }
    }
}

impl Device for Fake {
    type Buffer = Buffer;
    type Format = u8;

    fn available(&self) -> Option<u64> {
        self.left.load(SeqCst).checked_sub(1)
    }

    fn is_in_dram(&self) -> bool {
        self.in_dram.load(SeqCst)
    }

    fn create(
        &self,
        bytes: u64,
        _format: u8,
        fill: &mut dyn FnMut(&mut [u8]) -> Result<(), MemoryError>,
    ) -> Result<Buffer, MemoryError> {
        self.create.strike("create a buffer")?;
        let mut buffer = self.buffer(vec![0; bytes as usize]);
        fill(&mut buffer.bytes)?;
        Ok(buffer)
    }

    fn read(&self, buffer: &Buffer, offset: u64, into: &mut [u8]) -> Result<(), MemoryError> {
        self.read.strike("read a buffer")?;
        into.copy_from_slice(&buffer.bytes[offset as usize..][..into.len()]);
        Ok(())
    }
}

/// The bytes at a place of a source, which differ from place to place.
pub(super) fn pattern(seed: u64, offset: u64, length: u64) -> Vec<u8> {
    (0..length)
        .map(|index| offset.wrapping_add(index))
        .map(|at| (at.wrapping_mul(31) ^ seed.wrapping_mul(167)) as u8)
        .collect()
}

#[derive(Debug, Default)]
pub(super) struct Weights {
    pub(super) seed: u64,
    pub(super) fault: Fault,
    pub(super) reads: AtomicU64,
}

impl Source for Weights {
    fn read(&self, offset: u64, into: &mut [u8]) -> Result<(), MemoryError> {
        self.reads.fetch_add(1, SeqCst);
        self.fault.strike("read weights")?;
        into.copy_from_slice(&pattern(self.seed, offset, into.len() as u64));
        Ok(())
    }

    fn describe(&self) -> String {
        format!("weights {}", self.seed)
    }
}

pub(super) fn memory(device: u64, host: u64, name: OffloadModeName) -> Memory<Fake> {
    Memory::new(Fake::default(), Limits { device, host }, small(name))
}

/// A mode for a device of some bytes, which keeps a part as one of many gigabytes does.
fn small(name: OffloadModeName) -> Box<dyn OffloadMode> {
    let low = Some(Amount::Fraction(0.2));
    mode_with(name, Watermarks { low, ..Watermarks::default() })
}

/// A memory without a copy worker: tests do its work when they want it done.
pub(super) fn by_hand(device: u64, host: u64, name: OffloadModeName) -> Memory<Fake> {
    set_up(device, host, name, |_| {})
}

/// The same, with more that an operator decides.
pub(super) fn set_up(
    device: u64,
    host: u64,
    name: OffloadModeName,
    change: impl FnOnce(&mut Setup),
) -> Memory<Fake> {
    let mut setup = Setup::new(Limits { device, host }, small(name));
    change(&mut setup);
    Memory(Arc::new(Shared::new(Fake::default(), setup, None)))
}

/// A memory that spills.
pub(super) fn spilling(device: u64, host: u64, disk: u64, name: OffloadModeName) -> Memory<Fake> {
    let spill = SpillSettings { folder: std::env::temp_dir(), limit: disk };
    set_up(device, host, name, |setup| setup.spill = Some(spill))
}

pub(super) fn weights(seed: u64) -> Arc<Weights> {
    Arc::new(Weights { seed, ..Weights::default() })
}

pub(super) fn bytes_of(handle: &Handle<Fake>) -> Vec<u8> {
    let mut into = vec![0; handle.bytes() as usize];
    handle.read(0, &mut into).unwrap();
    into
}

/// An operation that makes one output of a pattern.
pub(super) fn make(
    memory: &Memory<Fake>,
    account: &Account,
    bytes: u64,
    seed: u64,
) -> Handle<Fake> {
    let lease = memory.lease(account, &[], &[(bytes, 0)], 0, &Cancel::new()).unwrap();
    let output = memory.device().buffer(pattern(seed, 0, bytes));
    lease.finish(vec![output]).unwrap().remove(0)
}

/// An operation that only reads its inputs.
pub(super) fn touch(
    memory: &Memory<Fake>,
    account: &Account,
    inputs: &[&Handle<Fake>],
) -> Result<(), MemoryError> {
    memory.lease(account, inputs, &[], 0, &Cancel::new()).map(drop)
}

pub(super) fn used(memory: &Memory<Fake>) -> PerTier<u64> {
    let stats = memory.stats();
    PerTier {
        device: stats.tier(Tier::Device).used,
        host: stats.tier(Tier::Host).used,
        disk: stats.tier(Tier::Disk).used,
    }
}

pub(super) fn tiers(device: u64, host: u64, disk: u64) -> PerTier<u64> {
    PerTier { device, host, disk }
}

/// Whether the books agree with the device, and the limits held.
pub(super) fn check(memory: &Memory<Fake>) {
    let stats = memory.stats();
    let meter = &memory.device().meter;
    let device = stats.tier(Tier::Device);
    assert!(meter.live.load(SeqCst) <= device.used, "more is on the device than is counted");
    assert!(meter.peak.load(SeqCst) <= device.peak, "the peak was higher than was counted");
    assert!(device.peak <= memory.limits().device);
    assert!(stats.tier(Tier::Host).peak <= memory.limits().host);
    if stats.leases == 0 {
        assert_eq!(meter.live.load(SeqCst), device.used, "no lease reserves anything");
    }
}

/// Whether nothing is left of anything.
pub(super) fn check_empty(memory: &Memory<Fake>) {
    check(memory);
    let stats = memory.stats();
    assert_eq!(used(memory), PerTier::default());
    assert_eq!((stats.allocations, stats.leases), (0, 0));
    assert_eq!(memory.device().meter.live.load(SeqCst), 0);
    for account in stats.accounts {
        assert_eq!(account.charge, PerTier::default(), "{} is still charged", account.name);
    }
}

/// Waits until another thread has come as far as it can without help.
pub(super) fn until(condition: impl Fn() -> bool) {
    let start = std::time::Instant::now();
    while !condition() {
        assert!(start.elapsed().as_secs() < 20, "it did not come to that");
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}

/// How many wait for memory.
pub(super) fn waiting(memory: &Memory<Fake>) -> usize {
    memory.0.lock().line.len()
}
