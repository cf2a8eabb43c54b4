//! Admission under many interleavings of its threads, searched by a scheduler. A wake-up
//! that is missing shows as a deadlock, since time does not pass there.

use std::sync::Arc;

use super::fake::*;
use crate::offload::OffloadModeName::{self, Balanced, Model, Planned, Sequential};
use crate::sync::scheduled::explore;
use crate::{Cancel, MemoryError, Source, Tier, ahead};

const SCHEDULES: usize = 2000;

#[test]
fn operations_that_do_not_fit_together_all_run_in_the_end() {
    for mode in [Sequential, Balanced] {
        explore(SCHEDULES, move || {
            let memory = memory(50, 200, mode);
            let source: Arc<dyn Source> = weights(1);
            let threads: Vec<_> = (0..3)
                .map(|thread| {
                    let (memory, source) = (memory.clone(), source.clone());
                    shuttle::thread::spawn(move || {
                        let account = memory.account("worker");
                        let shared = memory.clean(&account, source, 0, 20, 0);
                        let own = memory.upload(&account, pattern(thread, 0, 10), 0).unwrap();
                        let inputs = [&shared, &own];
                        let lease = memory
                            .lease(&account, &inputs, &[(10, 0)], 10, &Cancel::new())
                            .unwrap();
                        assert_eq!(lease.input(0).unwrap().bytes, pattern(1, 0, 20));
                        assert_eq!(lease.input(1).unwrap().bytes, pattern(thread, 0, 10));
                        check(&memory);
                        let output = memory.device().buffer(pattern(thread, 5, 10));
                        let made = lease.finish(vec![output]).unwrap().remove(0);
                        assert_eq!(bytes_of(&made), pattern(thread, 5, 10));
                    })
                })
                .collect();
            for thread in threads {
                thread.join().unwrap();
            }
            check_empty(&memory);
        });
    }
}

#[test]
fn quotas_and_limits_together_hold_nobody_up_for_ever() {
    explore(SCHEDULES, || {
        let memory = memory(40, 200, Balanced);
        let shared = memory.account("two threads");
        memory.set_quota(&shared, Tier::Device, Some(25));
        let accounts = [shared.clone(), shared, memory.account("a neighbour")];
        let threads = accounts.map(|account| {
            let memory = memory.clone();
            shuttle::thread::spawn(move || {
                let mut held = Vec::new();
                for seed in 0..2 {
                    let lease = memory.lease(&account, &[], &[(8, 0)], 12, &Cancel::new()).unwrap();
                    let output = memory.device().buffer(pattern(seed, 0, 8));
                    held.extend(lease.finish(vec![output]).unwrap());
                }
                for (seed, handle) in held.iter().enumerate() {
                    assert_eq!(bytes_of(handle), pattern(seed as u64, 0, 8));
                }
            })
        });
        for thread in threads {
            thread.join().unwrap();
        }
        check_empty(&memory);
    });
}

#[test]
fn handles_that_go_while_their_bytes_move_leave_nothing() {
    explore(SCHEDULES, || {
        let memory = memory(30, 60, Balanced);
        let account = memory.account("a");
        let source: Arc<dyn Source> = weights(1);
        let clean = memory.clean(&account, source.clone(), 0, 20, 0);
        let dirty = make(&memory, &account, 10, 3);
        let movers = [clean.clone(), dirty.clone()].map(|handle| {
            let (memory, account) = (memory.clone(), account.clone());
            shuttle::thread::spawn(move || {
                memory.restore(&account, &[&handle], &Cancel::new()).unwrap();
                memory.offload(&[&handle]).unwrap();
            })
        });
        let reader = shuttle::thread::spawn({
            let (clean, dirty) = (clean.clone(), dirty.clone());
            move || {
                assert_eq!(bytes_of(&clean), pattern(1, 0, 20));
                assert_eq!(bytes_of(&dirty), pattern(3, 0, 10));
            }
        });
        drop((clean, dirty));
        // Somebody else asks for the range that may be on its way out.
        let again = memory.clean(&account, source, 0, 20, 0);
        touch(&memory, &account, &[&again]).unwrap();
        assert_eq!(bytes_of(&again), pattern(1, 0, 20));
        drop(again);
        for mover in movers {
            mover.join().unwrap();
        }
        reader.join().unwrap();
        check_empty(&memory);
    });
}

#[test]
fn a_failure_of_one_operation_wakes_those_that_wait_for_it() {
    explore(SCHEDULES, || {
        let memory = memory(30, 60, Balanced);
        let account = memory.account("a");
        let bad = weights(1);
        bad.fault.fail.store(true, std::sync::atomic::Ordering::SeqCst);
        let clean = memory.clean(&account, bad, 0, 20, 0);
        let threads = [0, 1].map(|_| {
            let (memory, account, clean) = (memory.clone(), account.clone(), clean.clone());
            shuttle::thread::spawn(move || {
                let error = touch(&memory, &account, &[&clean]).unwrap_err();
                assert!(matches!(error, MemoryError::Device { .. }), "{error}");
            })
        });
        drop(memory.lease(&account, &[], &[(15, 0)], 15, &Cancel::new()).unwrap());
        for thread in threads {
            thread.join().unwrap();
        }
        drop(clean);
        check_empty(&memory);
    });
}

#[test]
fn what_cannot_fit_fails_in_every_interleaving() {
    explore(SCHEDULES, || {
        let memory = memory(30, 60, OffloadModeName::None);
        let (a, b) = (memory.account("a"), memory.account("b"));
        let held = make(&memory, &b, 15, 1);
        let other = shuttle::thread::spawn({
            let memory = memory.clone();
            move || drop(memory.lease(&b, &[&held], &[], 10, &Cancel::new()).unwrap())
        });
        let _ = memory.lease(&a, &[], &[(20, 0)], 0, &Cancel::new()).map(drop);
        other.join().unwrap();
        check_empty(&memory);
    });
}

#[test]
fn calls_and_their_copy_worker_never_wait_for_each_other_for_ever() {
    for mode in [Model, Planned] {
        explore(SCHEDULES / 2, move || {
            let memory = by_hand(45, 100, mode);
            let account = memory.account("a");
            let source: Arc<dyn Source> = weights(1);
            let weights: Vec<_> = (0..4)
                .map(|index| memory.clean(&account, source.clone(), index * 10, 10, 0))
                .collect();
            let site = memory.site(&account, "a");
            let call = |times: usize| {
                for _ in 0..times {
                    let call = site.call();
                    for (index, weight) in weights.iter().enumerate() {
                        let lease = memory
                            .lease_for(Some(&call), &account, &[weight], &[], 15, &Cancel::new())
                            .unwrap();
                        let expected = pattern(1, index as u64 * 10, 10);
                        assert_eq!(lease.input(0).unwrap().bytes, expected);
                    }
                }
            };
            call(1);
            let worker = shuttle::thread::spawn({
                let memory = memory.clone();
                move || {
                    for _ in 0..6 {
                        let _ = ahead::bring_one(&memory.0);
                        within_limits(&memory);
                    }
                }
            });
            call(2);
            worker.join().unwrap();
            drop((weights, site));
            check_empty(&memory);
        });
    }
}

#[test]
fn spilling_and_losing_keep_the_books_in_every_interleaving() {
    explore(SCHEDULES / 2, || {
        let memory = spilling(9000, 5000, 3 * 4096, Planned);
        let account = memory.account("a");
        let cached = make(&memory, &account, 4000, 7).shelve();
        let threads = [0, 1].map(|thread| {
            let (memory, account) = (memory.clone(), account.clone());
            shuttle::thread::spawn(move || {
                let made = make(&memory, &account, 4000, thread);
                let sent = memory.upload(&account, pattern(thread, 9, 3000), 0);
                if let Ok(sent) = &sent {
                    touch(&memory, &account, &[sent]).unwrap();
                    assert_eq!(bytes_of(sent), pattern(thread, 9, 3000));
                }
                within_limits(&memory);
                assert_eq!(bytes_of(&made), pattern(thread, 0, 4000));
            })
        });
        let taken = cached.take();
        assert_eq!(taken.is_none(), cached.is_lost());
        if let Some(handle) = taken {
            assert_eq!(bytes_of(&handle), pattern(7, 0, 4000));
        }
        for thread in threads {
            thread.join().unwrap();
        }
        drop(cached);
        check_empty(&memory);
    });
}

#[test]
fn a_shelf_that_goes_while_its_bytes_are_lost_leaves_nothing() {
    explore(SCHEDULES, || {
        let memory = by_hand(30, 0, Planned);
        let account = memory.account("a");
        let shelves = [1, 2].map(|seed| make(&memory, &account, 10, seed).shelve());
        let second = shelves[1].take().map(|handle| handle.shelve());
        let losing = shuttle::thread::spawn({
            let (memory, account) = (memory.clone(), account.clone());
            move || drop(memory.lease(&account, &[], &[(10, 0)], 20, &Cancel::new()).unwrap())
        });
        drop(shelves);
        losing.join().unwrap();
        drop(second);
        assert_eq!(memory.stats().shelved, 0);
        check_empty(&memory);
    });
}

/// What holds at every moment, also while bytes move.
fn within_limits(memory: &crate::Memory<Fake>) {
    let meter = &memory.device().meter;
    let peak = meter.peak.load(std::sync::atomic::Ordering::SeqCst);
    assert!(peak <= memory.limits().device);
    assert!(memory.stats().tiers.host.peak <= memory.limits().host);
}
