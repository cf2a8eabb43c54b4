//! The third tier: where dirty bytes go when the host is full.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use super::fake::*;
use crate::offload::OffloadModeName::{self, Balanced, Model, Planned, Sequential};
use crate::{
    Cancel, Gauge, Handle, Limits, Memory, MemoryError, Setup, Source, SpillSettings, Tier,
};

const BLOCK: u64 = 4096;

#[test]
fn dirty_bytes_go_to_disk_when_the_host_is_short_and_come_back_the_same() {
    for mode in [Model, Sequential, Balanced, Planned] {
        for host in [0, 5000, 20_000] {
            let memory = spilling(12_000, host, 1 << 20, mode);
            let a = memory.account("a");
            let held: Vec<_> = (0..20).map(|seed| make(&memory, &a, 3000, seed)).collect();
            let spilled = used(&memory).disk;
            assert!(spilled > 0 && spilled.is_multiple_of(BLOCK), "{mode} {host}: {spilled}");
            for (seed, handle) in held.iter().enumerate() {
                assert_eq!(bytes_of(handle), pattern(seed as u64, 0, 3000));
            }
            for _ in 0..2 {
                for (seed, handle) in held.iter().enumerate() {
                    let lease = memory.lease(&a, &[handle], &[], 0, &Cancel::new()).unwrap();
                    assert_eq!(lease.input(0).unwrap().bytes, pattern(seed as u64, 0, 3000));
                }
                check(&memory);
            }
            let stats = memory.stats();
            assert!(stats.moved.to_spill > 0 && stats.moved.from_spill > 0);
            drop(held);
            check_empty(&memory);
        }
    }
}

#[test]
fn clean_bytes_are_never_written() {
    let memory = spilling(12_000, 3000, 1 << 20, Planned);
    let a = memory.account("a");
    let source: Arc<dyn Source> = weights(1);
    let weights: Vec<_> =
        (0..20).map(|index| memory.clean(&a, source.clone(), index * 3000, 3000, 0)).collect();
    for _ in 0..3 {
        for weight in &weights {
            touch(&memory, &a, &[weight]).unwrap();
        }
    }
    assert_eq!((memory.stats().moved.to_spill, used(&memory).disk), (0, 0));
}

#[test]
fn an_upload_spills_what_was_uploaded_before() {
    let memory = spilling(10_000, 10_000, 1 << 20, Planned);
    let a = memory.account("a");
    let held: Vec<_> =
        (0..9).map(|seed| memory.upload(&a, pattern(seed, 0, 4000), 0).unwrap()).collect();
    assert!(used(&memory).host <= 10_000 && used(&memory).disk == 7 * BLOCK);
    for (seed, handle) in held.iter().enumerate() {
        assert_eq!(bytes_of(handle), pattern(seed as u64, 0, 4000));
    }
    drop(held);
    check_empty(&memory);
}

#[test]
fn a_spilled_copy_stays_valid_so_leaving_again_is_a_drop() {
    let memory = spilling(8000, 0, 1 << 20, Planned);
    let a = memory.account("a");
    let held: Vec<_> = (0..4).map(|seed| make(&memory, &a, 4000, seed)).collect();
    for _ in 0..10 {
        for handle in &held {
            touch(&memory, &a, &[handle]).unwrap();
        }
    }
    assert!(memory.stats().moved.to_spill <= 4 * 4000, "each was written once at most");
}

#[test]
fn the_spill_limit_is_a_limit_and_second_copies_make_room_below_it() {
    let memory = spilling(8000, 0, 2 * BLOCK, Planned);
    let a = memory.account("a");
    let first: Vec<_> = (0..4).map(|seed| make(&memory, &a, 4000, seed)).collect();
    // Two are on disk, two on the device.
    let error = memory.lease(&a, &[], &[(4000, 0)], 0, &Cancel::new()).unwrap_err();
    assert!(matches!(error, MemoryError::OutOfMemory { tier: Tier::Disk, .. }), "{error}");
    assert!(error.to_string().contains("a ("), "{error}");
    drop(first);
    let second: Vec<_> = (0..3).map(|seed| make(&memory, &a, 4000, seed)).collect();
    touch(&memory, &a, &[&second[0]]).unwrap();
    touch(&memory, &a, &[&second[1]]).unwrap();
    touch(&memory, &a, &[&second[2]]).unwrap();
    let fourth = make(&memory, &a, 4000, 3);
    for (seed, handle) in second.iter().chain([&fourth]).enumerate() {
        assert_eq!(bytes_of(handle), pattern(seed as u64, 0, 4000));
    }
}

#[test]
fn a_quota_on_disk_keeps_its_account_from_spilling_and_nobody_else() {
    let memory = spilling(8000, 0, 1 << 20, Planned);
    let (a, b) = (memory.account("a"), memory.account("b"));
    memory.set_quota(&a, Tier::Disk, Some(BLOCK));
    let _held: Vec<_> = (0..3).map(|seed| make(&memory, &a, 4000, seed)).collect();
    let error = memory.lease(&a, &[], &[(4000, 0)], 0, &Cancel::new()).unwrap_err();
    assert!(matches!(error, MemoryError::OutOfMemory { .. } | MemoryError::QuotaExceeded { .. }));
    assert_eq!(memory.charge(&a).disk, BLOCK);
    assert_eq!(memory.charge(&b).disk, 0);
}

#[test]
fn a_spill_folder_that_is_not_there_is_an_error_that_names_it_and_loses_nothing() {
    let spill = SpillSettings { folder: "/nowhere/spill".into(), limit: 1 << 20 };
    let memory = set_up(8000, 0, Planned, |setup| setup.spill = Some(spill));
    let a = memory.account("a");
    let held: Vec<_> = (0..2).map(|seed| make(&memory, &a, 4000, seed)).collect();
    let error = memory.lease(&a, &[], &[(4000, 0)], 0, &Cancel::new()).unwrap_err();
    assert!(error.to_string().contains("/nowhere/spill"), "{error}");
    for (seed, handle) in held.iter().enumerate() {
        assert_eq!(bytes_of(handle), pattern(seed as u64, 0, 4000));
    }
    drop(held);
    check_empty(&memory);
}

#[test]
fn a_cached_result_is_lost_before_anybody_fails() {
    for mode in [Balanced, Planned] {
        let memory = by_hand(10_000, 4000, mode);
        let a = memory.account("a");
        let cached: Vec<_> = (0..3).map(|seed| make(&memory, &a, 4000, seed).shelve()).collect();
        let held = make(&memory, &a, 9000, 9);
        let lost = cached.iter().filter(|cached| cached.is_lost()).count();
        assert!(lost >= 1 && memory.stats().lost == 4000 * lost as u64);
        for (seed, cached) in cached.iter().enumerate() {
            match cached.take() {
                Some(handle) => assert_eq!(bytes_of(&handle), pattern(seed as u64, 0, 4000)),
                None => assert!(cached.is_lost()),
            }
        }
        assert_eq!(bytes_of(&held), pattern(9, 0, 9000));
        drop((cached, held));
        check_empty(&memory);
    }
}

#[test]
fn what_a_handle_holds_is_never_lost() {
    let memory = by_hand(10_000, 0, Planned);
    let a = memory.account("a");
    let held = make(&memory, &a, 6000, 1);
    let (shelf, other) = (held.shelve(), memory.account("b"));
    drop(held);
    let held = shelf.take().unwrap().for_account(&other);
    assert!(memory.lease(&a, &[], &[], 9000, &Cancel::new()).is_err());
    drop(held);
    assert!(!shelf.is_lost());
    drop(memory.lease(&a, &[], &[], 9000, &Cancel::new()).unwrap());
    assert!(shelf.is_lost() && shelf.take().is_none());
    assert_eq!((memory.charge(&a), memory.stats().shelved), (tiers(0, 0, 0), 0));
    drop(shelf);
    check_empty(&memory);
}

/// A machine whose memory others take.
#[derive(Clone, Default)]
struct Machine(Arc<AtomicU64>);

impl Gauge for Machine {
    fn available(&self) -> Option<u64> {
        Some(self.0.load(SeqCst))
    }
}

#[test]
fn when_others_take_the_machines_memory_the_host_gives_way_at_its_next_allocation() {
    let machine = Machine(Arc::new(AtomicU64::new(100_000)));
    let gauge = machine.clone();
    let memory = set_up(50_000, 100_000, Planned, |setup| {
        setup.gauge = Some(Box::new(gauge));
        setup.headroom = 10_000;
        setup.spill = Some(SpillSettings { folder: std::env::temp_dir(), limit: 1 << 20 });
    });
    let a = memory.account("a");
    let held: Vec<Handle<Fake>> =
        (0..5).map(|seed| memory.upload(&a, pattern(seed, 0, 4000), 0).unwrap()).collect();
    assert_eq!(used(&memory), tiers(0, 20_000, 0));
    // Another process takes so much that 9 KB of the headroom are gone.
    machine.0.store(1_000, SeqCst);
    drop(memory.lease(&a, &[], &[], 10, &Cancel::new()).unwrap());
    assert!(used(&memory).host <= 12_000, "{:?}", used(&memory));
    assert_eq!(used(&memory).disk, 3 * BLOCK);
    for (seed, handle) in held.iter().enumerate() {
        assert_eq!(bytes_of(handle), pattern(seed as u64, 0, 4000));
    }
    machine.0.store(0, SeqCst);
    let more = memory.upload(&a, pattern(9, 0, 4000), 0).unwrap();
    assert_eq!(bytes_of(&more), pattern(9, 0, 4000), "nothing fails for it");
}

#[test]
fn a_memory_that_may_not_spill_has_no_third_tier() {
    let mode: OffloadModeName = Planned;
    let limits = Limits { device: 100, host: 100 };
    let memory = Memory::with(Fake::default(), Setup::new(limits, crate::offload::mode(mode)));
    assert_eq!(memory.stats().tiers.disk.limit, Some(0));
}

#[test]
fn an_upload_that_is_larger_than_the_host_begins_on_disk() {
    let memory = spilling(10_000, 1000, 2 * BLOCK, Planned);
    let a = memory.account("a");
    let held = memory.upload(&a, pattern(1, 0, 5000), 0).unwrap();
    assert_eq!(used(&memory), tiers(0, 0, 2 * BLOCK));
    assert_eq!(bytes_of(&held), pattern(1, 0, 5000));
    touch(&memory, &a, &[&held]).unwrap();
    assert!(held.residency().device);
    assert!(memory.upload(&a, vec![0; 9000], 0).is_err(), "it is larger than the disk, too");
    drop(held);
    check_empty(&memory);

    let spill = SpillSettings { folder: "/nowhere/spill".into(), limit: 1 << 20 };
    let memory = set_up(8000, 0, Planned, |setup| setup.spill = Some(spill));
    let error = memory.upload(&memory.account("a"), vec![0; 10], 0).unwrap_err();
    assert!(error.to_string().contains("/nowhere/spill"), "{error}");
    check_empty(&memory);
}

#[test]
fn a_device_in_dram_gives_way_by_drops_before_anything_is_spilled() {
    let machine = Machine(Arc::new(AtomicU64::new(100_000)));
    let gauge = machine.clone();
    let memory = set_up(50_000, 100_000, Planned, |setup| {
        setup.gauge = Some(Box::new(gauge));
        setup.headroom = 10_000;
    });
    let a = memory.account("a");
    let source: Arc<dyn Source> = weights(1);
    let weight = memory.clean(&a, source, 0, 20_000, 0);
    touch(&memory, &a, &[&weight]).unwrap();
    let dirty = memory.upload(&a, pattern(1, 0, 5000), 0).unwrap();
    machine.0.store(0, SeqCst);
    touch(&memory, &a, &[]).unwrap();
    assert!(weight.residency().device, "this device has a memory of its own");
    memory.device().in_dram.store(true, SeqCst);
    touch(&memory, &a, &[]).unwrap();
    assert!(!weight.residency().device && dirty.residency().host);
    touch(&memory, &a, &[&weight]).unwrap();
}

#[test]
fn what_is_cached_on_disk_is_lost_before_an_upload_fails() {
    let memory = spilling(8000, 4000, 2 * BLOCK, Planned);
    let a = memory.account("a");
    let cached: Vec<_> = (0..2).map(|seed| make(&memory, &a, 4000, seed).shelve()).collect();
    assert_eq!(memory.make_free(Tier::Device, 8000).unwrap(), 8000);
    let held: Vec<_> =
        (0..3).map(|seed| memory.upload(&a, pattern(seed, 0, 4000), 0).unwrap()).collect();
    assert!(cached.iter().all(|cached| cached.is_lost()));
    for (seed, handle) in held.iter().enumerate() {
        assert_eq!(bytes_of(handle), pattern(seed as u64, 0, 4000));
    }
    drop((cached, held));
    check_empty(&memory);
}

#[test]
fn a_disk_that_fails_costs_cached_results_and_wishes_but_no_operation() {
    let spill = || SpillSettings { folder: "/nowhere/spill".into(), limit: 1 << 20 };
    let memory = set_up(8000, 0, Planned, |setup| setup.spill = Some(spill()));
    let a = memory.account("a");
    let cached = make(&memory, &a, 4000, 1).shelve();
    drop(memory.lease(&a, &[], &[], 8000, &Cancel::new()).unwrap());
    assert!(cached.is_lost());

    let machine = Machine(Arc::new(AtomicU64::new(0)));
    let memory = set_up(8000, 8000, Planned, |setup| {
        setup.spill = Some(spill());
        setup.gauge = Some(Box::new(machine));
        setup.headroom = 4000;
    });
    let a = memory.account("a");
    let held = memory.upload(&a, pattern(1, 0, 4000), 0).unwrap();
    drop(memory.lease(&a, &[], &[], 8000, &Cancel::new()).unwrap());
    assert_eq!(bytes_of(&held), pattern(1, 0, 4000), "it could not give way");
}

#[test]
fn making_free_goes_on_after_making_room_below() {
    let memory = by_hand(8000, 8000, Planned);
    let a = memory.account("a");
    let source: Arc<dyn Source> = weights(1);
    let weight = memory.clean(&a, source, 0, 8000, 0);
    touch(&memory, &a, &[&weight]).unwrap();
    memory.stow(&[&weight]).unwrap();
    let held: Vec<_> = (0..2).map(|seed| make(&memory, &a, 4000, seed)).collect();
    assert_eq!(used(&memory), tiers(8000, 8000, 0));
    assert_eq!(memory.make_free(Tier::Device, 8000).unwrap(), 8000);
    assert_eq!(used(&memory), tiers(0, 8000, 0));
    assert_eq!(bytes_of(&held[1]), pattern(1, 0, 4000));
}

#[test]
fn what_is_stowed_together_does_not_push_itself_out() {
    let memory = by_hand(9000, 6000, Planned);
    let a = memory.account("a");
    let source: Arc<dyn Source> = weights(1);
    let weights: Vec<_> =
        (0..3).map(|index| memory.clean(&a, source.clone(), index * 3000, 3000, 0)).collect();
    let all: Vec<&Handle<Fake>> = weights.iter().collect();
    touch(&memory, &a, &all).unwrap();
    let error = memory.stow(&all).unwrap_err();
    assert!(matches!(error, MemoryError::OutOfMemory { tier: Tier::Host, .. }), "{error}");
    assert_eq!(used(&memory), tiers(3000, 6000, 0));
    // It is not kept there for ever.
    let _dirty = memory.upload(&a, vec![0; 6000], 0).unwrap();
}

#[test]
fn the_copy_worker_brings_nothing_back_while_others_need_the_memory() {
    let machine = Machine(Arc::new(AtomicU64::new(1 << 20)));
    let gauge = machine.clone();
    let memory = set_up(1000, 0, Planned, |setup| {
        setup.gauge = Some(Box::new(gauge));
        setup.headroom = 500;
    });
    memory.device().in_dram.store(true, SeqCst);
    let a = memory.account("a");
    let source: Arc<dyn Source> = weights(1);
    let weights: Vec<_> =
        (0..10).map(|index| memory.clean(&a, source.clone(), index * 100, 100, 0)).collect();
    let site = memory.site(&a, "a");
    let call = || {
        let call = site.call();
        for weight in &weights {
            while crate::ahead::bring_one(&memory.0) {}
            drop(memory.lease_for(Some(&call), &a, &[weight], &[], 0, &Cancel::new()).unwrap());
        }
    };
    call();
    assert_eq!(used(&memory).device, 1000);
    machine.0.store(0, SeqCst);
    call();
    assert!(used(&memory).device <= 500, "{:?}", used(&memory));
}

#[test]
fn when_others_take_the_devices_memory_its_use_gives_way() {
    let memory = by_hand(1000, 1 << 20, Planned);
    let a = memory.account("a");
    let held: Vec<_> = (0..5).map(|seed| make(&memory, &a, 100, seed)).collect();
    memory.device().left.store(1 + 500, SeqCst);
    touch(&memory, &a, &[]).unwrap();
    assert_eq!(used(&memory), tiers(500, 0, 0), "there is as much again");
    memory.device().left.store(1, SeqCst);
    drop(memory.lease(&a, &[], &[], 200, &Cancel::new()).unwrap());
    assert_eq!(used(&memory), tiers(300, 200, 0));
    for (seed, handle) in held.iter().enumerate() {
        assert_eq!(bytes_of(handle), pattern(seed as u64, 0, 100));
    }
}
