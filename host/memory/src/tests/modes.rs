//! What each mode keeps on the device.

use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;

use super::fake::*;
use crate::offload::OffloadModeName::{self, Balanced, None as KeepAll, Sequential};
use crate::{Handle, Memory, Source};

/// Ten weights of 10 bytes, used one after the other as a sampler does, `steps` times.
fn walk(memory: &Memory<Fake>, steps: usize) -> Vec<Handle<Fake>> {
    let a = memory.account("a");
    let source: Arc<dyn Source> = weights(1);
    let weights: Vec<_> =
        (0..10).map(|index| memory.clean(&a, source.clone(), index * 10, 10, 0)).collect();
    for _ in 0..steps {
        for (index, weight) in weights.iter().enumerate() {
            let lease = memory.lease(&a, &[weight], &[(1, 0)], 4, &crate::Cancel::new()).unwrap();
            assert_eq!(lease.input(0).unwrap().bytes, pattern(1, index as u64 * 10, 10));
        }
        check(memory);
    }
    weights
}

#[test]
fn everything_stays_when_nothing_may_leave() {
    let memory = memory(105, 100, KeepAll);
    let weights = walk(&memory, 3);
    assert!(weights.iter().all(|weight| weight.residency().device));
    let stats = memory.stats();
    assert_eq!((stats.evictions, stats.moved.to_device, stats.moved.from_disk), (0, 100, 100));
}

#[test]
fn in_sequence_only_what_the_running_operation_leases_is_on_the_device() {
    let memory = memory(1000, 0, Sequential);
    let weights = walk(&memory, 3);
    assert_eq!(used(&memory), tiers(0, 0, 0));
    assert!(weights.iter().all(|weight| !weight.residency().device));
    let stats = memory.stats();
    assert_eq!(stats.tiers.device.peak, 15);
    assert_eq!((stats.evictions, stats.moved.from_disk), (30, 300));
}

#[test]
fn in_sequence_an_input_that_another_operation_uses_leaves_after_that() {
    let memory = memory(1000, 1000, Sequential);
    let a = memory.account("a");
    let held = make(&memory, &a, 10, 1);
    assert!(held.residency().device, "an output stays until it was an input");
    let lease = |input| memory.lease(&a, &[input, input], &[], 0, &crate::Cancel::new()).unwrap();
    let (first, second) = (lease(&held), lease(&held));
    drop(first);
    assert!(held.residency().device);
    drop(second);
    assert_eq!(used(&memory), tiers(0, 10, 0));
    assert_eq!(bytes_of(&held), pattern(1, 0, 10));
}

#[test]
fn in_sequence_dirty_bytes_without_a_place_on_the_host_stay() {
    let memory = memory(1000, 9, Sequential);
    let a = memory.account("a");
    let held = make(&memory, &a, 10, 1);
    touch(&memory, &a, &[&held]).unwrap();
    assert_eq!(used(&memory), tiers(10, 0, 0));
}

#[test]
fn balanced_acts_above_the_high_watermark_and_goes_down_to_the_low_one() {
    let memory = memory(100, 100, Balanced);
    let a = memory.account("a");
    let held: Vec<_> = (0..7).map(|seed| make(&memory, &a, 10, seed)).collect();
    drop(memory.lease(&a, &[], &[], 5, &crate::Cancel::new()).unwrap());
    assert_eq!(used(&memory).device, 70);
    drop(memory.lease(&a, &[], &[], 6, &crate::Cancel::new()).unwrap());
    assert_eq!(used(&memory), tiers(20, 50, 0));
    assert!(held[6].residency().device, "of dirty ones the last used stays");
    check(&memory);
}

#[test]
fn clean_bytes_leave_before_dirty_ones_and_the_last_used_of_them_first() {
    let memory = memory(100, 100, Balanced);
    let a = memory.account("a");
    let source: Arc<dyn Source> = weights(1);
    let weights: Vec<_> =
        (0..5).map(|index| memory.clean(&a, source.clone(), index * 10, 10, 0)).collect();
    let dirty = make(&memory, &a, 10, 1);
    for weight in &weights {
        touch(&memory, &a, &[weight]).unwrap();
    }
    drop(memory.lease(&a, &[&weights[4]], &[], 40, &crate::Cancel::new()).unwrap());
    let on_device: Vec<_> = weights.iter().map(|weight| weight.residency().device).collect();
    assert_eq!(on_device, [false, false, false, false, true]);
    assert_eq!(used(&memory), tiers(20, 0, 0));
    assert!(dirty.residency().device);

    for weight in &weights[..3] {
        touch(&memory, &a, &[weight]).unwrap();
    }
    memory.set_quota(&a, crate::Tier::Device, Some(40));
    let on_device: Vec<_> = weights.iter().map(|weight| weight.residency().device).collect();
    assert_eq!(on_device, [true, true, false, false, true], "the last used left");
}

#[test]
fn a_sampler_that_does_not_fit_moves_less_than_all_of_its_weights_at_each_step() {
    let memory = memory(80, 1000, Balanced);
    let weights = walk(&memory, 2);
    let before = memory.stats().moved.to_device;
    let steps = 10;
    let a = memory.account("a");
    for _ in 0..steps {
        for weight in &weights {
            drop(memory.lease(&a, &[weight], &[(1, 0)], 4, &crate::Cancel::new()).unwrap());
        }
    }
    let per_step = (memory.stats().moved.to_device - before) / steps;
    assert!(per_step < 100, "{per_step} bytes of 100 were moved at each step");
}

#[test]
fn a_weight_that_had_to_come_back_is_kept_on_a_host_with_room_to_spare() {
    let memory = memory(1000, 35, Sequential);
    let a = memory.account("a");
    let source = weights(1);
    let first = memory.clean(&a, source.clone(), 0, 20, 0);
    let second = memory.clean(&a, source.clone(), 20, 20, 0);
    touch(&memory, &a, &[&first]).unwrap();
    assert_eq!(used(&memory).host, 0, "most models fit, and need no second copy");
    for _ in 0..3 {
        touch(&memory, &a, &[&first, &second]).unwrap();
    }
    assert_eq!(used(&memory), tiers(0, 20, 0), "there is no room for both");
    assert_eq!(source.reads.load(SeqCst), 2 + 3);
    let mut into = [0; 20];
    first.read(0, &mut into).unwrap();
    assert_eq!(into[..], pattern(1, 0, 20));
    assert_eq!(source.reads.load(SeqCst), 2 + 3);
    // It is a cache: what exists nowhere else takes its room.
    let _dirty = memory.upload(&a, vec![0; 20], 0).unwrap();
    assert_eq!(used(&memory).host, 20);
    touch(&memory, &a, &[&first]).unwrap();
    check(&memory);
}

#[test]
fn dirty_bytes_that_left_have_the_same_bytes_in_every_clone() {
    for &mode in &[Sequential, Balanced] {
        let memory = memory(30, 1000, mode);
        let (a, b) = (memory.account("a"), memory.account("b"));
        let held: Vec<_> = (0..9).map(|seed| make(&memory, &a, 10, seed)).collect();
        let clones: Vec<_> = held.iter().map(|handle| handle.for_account(&b)).collect();
        for _ in 0..2 {
            for (seed, clone) in clones.iter().enumerate() {
                assert_eq!(bytes_of(clone), pattern(seed as u64, 0, 10));
                let lease =
                    memory.lease(&b, &[clone], &[(10, 0)], 10, &crate::Cancel::new()).unwrap();
                assert_eq!(lease.input(0).unwrap().bytes, pattern(seed as u64, 0, 10));
            }
        }
        drop(held);
        assert_eq!(bytes_of(&clones[0]), pattern(0, 0, 10));
        drop(clones);
        check_empty(&memory);
    }
}

#[test]
fn every_mode_gives_the_same_bytes_in_every_room() {
    for &mode in OffloadModeName::all() {
        for room in [25, 40, 80, 1000] {
            if mode == KeepAll && room < 1000 {
                continue;
            }
            let memory = memory(room, 1000, mode);
            walk(&memory, 3);
            check_empty(&memory);
        }
    }
}
