//! Real threads, all at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::thread;

use super::fake::*;
use crate::offload::OffloadModeName::{self, None as KeepAll};
use crate::{Account, Cancel, Handle, Memory, MemoryError, Source, Tier};

/// A generator that needs nothing and repeats itself.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// Holds some allocations, each with the seed of its bytes, and does things with them.
fn work(
    memory: &Memory<Fake>,
    account: &Account,
    source: &Arc<dyn Source>,
    dice: &mut Dice,
    failures: &AtomicU64,
) {
    let mut held: Vec<(Handle<Fake>, Vec<u8>)> = Vec::new();
    let never = Cancel::new();
    for _ in 0..400 {
        let size = 1 + dice.roll(24);
        let failed = match dice.roll(10) {
            0 => {
                let offset = dice.roll(4) * 24;
                let handle = memory.clean(account, source.clone(), offset, 24, 0);
                held.push((handle, pattern(1, offset, 24)));
                None
            }
            1 => match memory.upload(account, pattern(size, 0, size), 0) {
                Ok(handle) => {
                    held.push((handle, pattern(size, 0, size)));
                    None
                }
                Err(error) => Some(error),
            },
            2 if !held.is_empty() => {
                drop(held.swap_remove(dice.roll(held.len() as u64) as usize));
                None
            }
            3 if !held.is_empty() => {
                let index = dice.roll(held.len() as u64) as usize;
                memory.offload(&[&held[index].0]).err()
            }
            4 if !held.is_empty() => {
                let index = dice.roll(held.len() as u64) as usize;
                memory.restore(account, &[&held[index].0], &never).err()
            }
            5 if !held.is_empty() => {
                let index = dice.roll(held.len() as u64) as usize;
                assert_eq!(bytes_of(&held[index].0), held[index].1);
                None
            }
            6 => {
                let quota = (dice.roll(3) == 0).then_some(100);
                memory.set_quota(account, Tier::Device, quota);
                None
            }
            _ => {
                let inputs: Vec<_> =
                    (0..held.len().min(2)).map(|_| dice.roll(held.len() as u64) as usize).collect();
                let handles: Vec<_> = inputs.iter().map(|&index| &held[index].0).collect();
                match memory.lease(account, &handles, &[(size, 0)], dice.roll(8), &never) {
                    Ok(lease) => {
                        for (place, &index) in inputs.iter().enumerate() {
                            assert_eq!(lease.input(place).unwrap().bytes, held[index].1);
                        }
                        let output = memory.device().buffer(pattern(size, 0, size));
                        let mut outputs = lease.finish(vec![output]).unwrap();
                        held.push((outputs.remove(0), pattern(size, 0, size)));
                        None
                    }
                    Err(error) => Some(error),
                }
            }
        };
        if let Some(error) = failed {
            assert!(
                matches!(
                    error,
                    MemoryError::OutOfMemory { .. } | MemoryError::QuotaExceeded { .. }
                ),
                "{error}"
            );
            failures.fetch_add(1, SeqCst);
            held.clear();
        }
        if held.len() > 8 {
            held.remove(0);
        }
    }
}

#[test]
fn threads_that_share_a_small_machine_get_their_bytes_and_leave_nothing() {
    for &mode in OffloadModeName::all() {
        for (device, host) in [(200, 4000), (120, 150)] {
            let memory = memory(if mode == KeepAll { 4000 } else { device }, host, mode);
            let source: Arc<dyn Source> = weights(1);
            let failures = AtomicU64::new(0);
            thread::scope(|scope| {
                for thread in 0..4 {
                    let (memory, source, failures) = (&memory, &source, &failures);
                    scope.spawn(move || {
                        let account = memory.account("worker");
                        let mut dice = Dice(0x9E37_79B9 + thread);
                        for _ in 0..10 {
                            work(memory, &account, source, &mut dice, failures);
                        }
                    });
                }
            });
            check_empty(&memory);
            let failures = failures.load(SeqCst);
            // With enough on the host nothing fails, whatever the quota, if anything may leave.
            let may_fail = host < 1000 || mode == KeepAll;
            assert!(may_fail || failures == 0, "{failures} operations failed in {mode}");
        }
    }
}
