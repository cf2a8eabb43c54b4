//! What handles hold, and what it costs whom.

use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;

use super::fake::*;
use crate::offload::OffloadModeName::{Balanced, None as KeepAll, Sequential};
use crate::{Cancel, MemoryError, Residency, Source, Tier};

#[test]
fn the_same_range_of_the_same_source_is_one_allocation_whoever_asks() {
    let memory = memory(100, 100, Balanced);
    let (a, b) = (memory.account("a"), memory.account("b"));
    let source: Arc<dyn Source> = weights(1);
    let first = memory.clean(&a, source.clone(), 8, 10, 0);
    let second = memory.clean(&b, source.clone(), 8, 10, 0);
    assert_eq!(first.id(), second.id());
    assert_eq!(used(&memory), tiers(0, 0, 0));
    assert_eq!(memory.charge(&a), tiers(0, 0, 0));
    assert_eq!(memory.charge(&b), tiers(0, 0, 0));
    for other in [
        memory.clean(&a, source.clone(), 9, 10, 0),
        memory.clean(&a, source.clone(), 8, 11, 0),
        memory.clean(&a, source.clone(), 8, 10, 1),
        memory.clean(&a, weights(1), 8, 10, 0),
    ] {
        assert_ne!(other.id(), first.id());
    }
    touch(&memory, &a, &[&first, &second]).unwrap();
    assert_eq!(used(&memory), tiers(10, 0, 0));
    assert_eq!(bytes_of(&second), pattern(1, 8, 10));
    drop((first, second));
    check_empty(&memory);
    // What was forgotten is a new allocation, not the old one's remains.
    let again = memory.clean(&a, source, 8, 10, 0);
    assert_eq!(bytes_of(&again), pattern(1, 8, 10));
}

#[test]
fn every_holder_is_charged_in_full_on_every_tier_and_pays_nothing_after_its_last_handle() {
    let memory = memory(100, 100, Balanced);
    let (a, b) = (memory.account("a"), memory.account("b"));
    let held = memory.upload(&a, pattern(1, 0, 10), 0).unwrap();
    let clone = held.clone();
    let shared = held.for_account(&b);
    let twice = shared.for_account(&b);
    assert_eq!((held.id(), held.account()), (shared.id(), &a));
    touch(&memory, &a, &[&held]).unwrap();
    for account in [&a, &b] {
        assert_eq!(memory.charge(account), tiers(10, 10, 0));
    }
    assert_eq!(used(&memory), tiers(10, 10, 0));
    drop(held);
    drop(shared);
    assert_eq!(memory.charge(&a), tiers(10, 10, 0));
    assert_eq!(memory.charge(&b), tiers(10, 10, 0));
    drop(clone);
    assert_eq!(memory.charge(&a), tiers(0, 0, 0));
    assert_eq!(bytes_of(&twice), pattern(1, 0, 10));
    drop(twice);
    check_empty(&memory);
}

#[test]
fn a_lease_charges_what_it_reserves_and_what_it_borrows_from_others() {
    let memory = memory(100, 100, Balanced);
    let (a, b) = (memory.account("a"), memory.account("b"));
    let held = memory.upload(&a, pattern(1, 0, 10), 0).unwrap();
    let lease = memory.lease(&b, &[&held], &[(7, 0), (5, 0)], 3, &Cancel::new()).unwrap();
    assert_eq!(memory.charge(&b), tiers(25, 10, 0));
    assert_eq!(memory.charge(&a), tiers(10, 10, 0));
    assert_eq!(used(&memory), tiers(25, 10, 0));
    // The lease keeps its inputs even when nobody else does.
    drop(held);
    assert_eq!(memory.charge(&a), tiers(0, 0, 0));
    assert_eq!(lease.input(0).unwrap().bytes, pattern(1, 0, 10));
    assert!(lease.input(1).is_none());
    let outputs = [7, 5].map(|bytes| memory.device().buffer(pattern(2, 0, bytes)));
    let outputs = lease.finish(outputs.into()).unwrap();
    assert_eq!(memory.charge(&b), tiers(12, 0, 0));
    assert_eq!(used(&memory), tiers(12, 0, 0));
    assert_eq!(bytes_of(&outputs[1]), pattern(2, 0, 5));
    assert_eq!(outputs[1].account(), &b);
    drop(outputs);
    check_empty(&memory);
}

#[test]
fn the_same_handle_may_be_an_input_several_times() {
    let memory = memory(10, 100, Balanced);
    let a = memory.account("a");
    let held = memory.upload(&a, pattern(1, 0, 10), 0).unwrap();
    for _ in 0..2 {
        let other = held.for_account(&memory.account("b"));
        let inputs = [&held, &other, &held];
        let lease = memory.lease(&a, &inputs, &[], 0, &Cancel::new()).unwrap();
        for index in 0..3 {
            assert_eq!(lease.input(index).unwrap().bytes, pattern(1, 0, 10));
        }
        drop(lease);
        assert_eq!(used(&memory), tiers(10, 10, 0));
    }
    drop(held);
    check_empty(&memory);
}

#[test]
fn bytes_are_read_from_wherever_they_are() {
    let memory = memory(100, 100, Sequential);
    let a = memory.account("a");
    let source = weights(3);
    let clean = memory.clean(&a, source.clone(), 5, 20, 0);
    let mut into = [0; 4];
    clean.read(16, &mut into).unwrap();
    assert_eq!(into[..], pattern(3, 21, 4));
    assert_eq!(memory.stats().moved.from_disk, 4);
    assert_eq!(clean.residency(), Residency { disk: false, ..Residency::default() });

    let made = make(&memory, &a, 20, 7);
    assert_eq!(made.residency(), Residency { device: true, ..Residency::default() });
    made.read(16, &mut into).unwrap();
    assert_eq!(into[..], pattern(7, 16, 4));
    touch(&memory, &a, &[&made]).unwrap();
    assert_eq!(made.residency(), Residency { host: true, ..Residency::default() });
    made.read(16, &mut into).unwrap();
    assert_eq!(into[..], pattern(7, 16, 4));
    made.read(20, &mut []).unwrap();
    let reads = source.reads.load(SeqCst);
    touch(&memory, &a, &[&clean]).unwrap();
    assert_eq!(source.reads.load(SeqCst), reads + 1, "straight into the buffer, once");
}

#[test]
fn a_read_outside_of_an_allocation_is_refused_with_its_figures() {
    let memory = memory(100, 100, KeepAll);
    let held = memory.upload(&memory.account("a"), vec![0; 10], 0).unwrap();
    for (offset, length) in [(8, 3), (11, 0), (u64::MAX, 1)] {
        let error = held.read(offset, &mut vec![0; length]).unwrap_err();
        assert!(matches!(error, MemoryError::OutOfRange { bytes: 10, .. }), "{error}");
    }
}

#[test]
fn another_memorys_handles_are_refused() {
    let (here, there) = (memory(100, 100, KeepAll), memory(100, 100, KeepAll));
    let account = there.account("a");
    let held = there.upload(&account, vec![0; 10], 0).unwrap();
    let refused = |result: Result<u64, MemoryError>| {
        assert!(matches!(result, Err(MemoryError::Foreign { allocation: 0 })));
    };
    refused(touch(&here, &account, &[&held]).map(|()| 0));
    refused(here.offload(&[&held]));
    refused(here.restore(&account, &[&held], &Cancel::new()));
}

#[test]
fn an_account_of_another_memory_has_its_own_books_in_each() {
    let (here, there) = (memory(100, 100, KeepAll), memory(100, 100, KeepAll));
    let account = there.account("a");
    let _other = here.account("b");
    let held = here.upload(&account, vec![0; 10], 0).unwrap();
    assert_eq!(here.charge(&account), tiers(0, 10, 0));
    assert_eq!(there.charge(&account), tiers(0, 0, 0));
    drop(held);
    check_empty(&here);
}

#[test]
fn finishing_with_the_wrong_number_of_outputs_gives_everything_back() {
    let memory = memory(100, 100, KeepAll);
    let a = memory.account("a");
    let lease = memory.lease(&a, &[], &[(10, 0), (10, 0)], 5, &Cancel::new()).unwrap();
    let error = lease.finish(vec![memory.device().buffer(vec![0; 10])]).unwrap_err();
    assert!(matches!(error, MemoryError::WrongOutputs { reserved: 2, given: 1 }));
    check_empty(&memory);
}

#[test]
fn leaving_by_hand_saves_dirty_bytes_and_drops_clean_ones() {
    let memory = memory(100, 100, KeepAll);
    let a = memory.account("a");
    let clean = memory.clean(&a, weights(1), 0, 20, 0);
    let dirty = make(&memory, &a, 30, 2);
    let leased = make(&memory, &a, 5, 3);
    touch(&memory, &a, &[&clean]).unwrap();
    let lease = memory.lease(&a, &[&leased], &[], 0, &Cancel::new()).unwrap();
    assert_eq!(memory.offload(&[&clean, &dirty, &leased, &dirty]).unwrap(), 50);
    assert_eq!(used(&memory), tiers(5, 30, 0));
    assert_eq!(memory.stats().moved.to_host, 30);
    assert_eq!(memory.stats().evictions, 0, "it was asked for, not forced");
    drop(lease);
    assert_eq!(memory.restore(&a, &[&clean, &dirty, &leased], &Cancel::new()).unwrap(), 50);
    assert_eq!(bytes_of(&dirty), pattern(2, 0, 30));
    assert_eq!(memory.offload(&[&dirty]).unwrap(), 30, "a drop this time");
    assert_eq!(memory.stats().moved.to_host, 30);
    check(&memory);
}

#[test]
fn coming_back_takes_only_room_that_is_there() {
    let memory = memory(100, 1000, Balanced);
    let (a, b) = (memory.account("a"), memory.account("b"));
    let _there = make(&memory, &b, 50, 0);
    let large = memory.upload(&a, pattern(1, 0, 60), 0).unwrap();
    let small = memory.upload(&a, pattern(2, 0, 40), 0).unwrap();
    let cancel = Cancel::new();
    assert_eq!(memory.restore(&a, &[&large, &small], &cancel).unwrap(), 40);
    assert_eq!(memory.stats().evictions, 0);
    memory.offload(&[&small]).unwrap();
    memory.set_quota(&a, Tier::Device, Some(39));
    assert_eq!(memory.restore(&a, &[&large, &small], &cancel).unwrap(), 0);
    cancel.cancel();
    assert!(matches!(memory.restore(&a, &[&small], &cancel), Err(MemoryError::Cancelled)));
}

#[test]
fn empty_and_absurd_sizes_do_no_harm() {
    let memory = memory(100, 100, Balanced);
    let a = memory.account("a");
    let empty = memory.upload(&a, vec![], 0).unwrap();
    let made = make(&memory, &a, 0, 0);
    touch(&memory, &a, &[&empty, &made]).unwrap();
    assert_eq!(bytes_of(&made), b"");
    let absurd: Vec<_> = (0..3).map(|at| memory.clean(&a, weights(1), at, u64::MAX, 0)).collect();
    let refs: Vec<_> = absurd.iter().collect();
    let error = touch(&memory, &a, &refs).unwrap_err();
    assert!(matches!(error, MemoryError::OutOfMemory { requested: u64::MAX, limit: 100, .. }));
    let error = memory.lease(&a, &[], &[(u64::MAX, 0), (9, 0)], u64::MAX, &Cancel::new());
    assert!(matches!(error, Err(MemoryError::OutOfMemory { requested: u64::MAX, .. })));
    let mut into = [0];
    absurd[2].read(u64::MAX - 1, &mut into).unwrap();
    drop((absurd, empty, made));
    check_empty(&memory);

    let endless = super::fake::memory(u64::MAX, u64::MAX, KeepAll);
    let a = endless.account("a");
    let much = || endless.lease(&a, &[], &[(1 << 61, 0)], 0, &Cancel::new());
    let leases: Vec<_> = (0..2).map(|_| much().unwrap()).collect();
    let error = endless.lease(&a, &[], &[(u64::MAX, 0)], 0, &Cancel::new()).unwrap_err();
    assert!(matches!(error, MemoryError::OutOfMemory { requested: u64::MAX, .. }));
    drop(leases);
    check_empty(&endless);
}

#[test]
fn a_source_may_hold_handles_of_the_same_memory() {
    /// The bytes of another allocation.
    #[derive(Debug)]
    struct Echo(crate::Handle<Fake>);

    impl Source for Echo {
        fn read(&self, offset: u64, into: &mut [u8]) -> Result<(), MemoryError> {
            self.0.read(offset, into)
        }

        fn describe(&self) -> String {
            "another allocation".to_owned()
        }
    }

    let memory = memory(100, 100, Sequential);
    let a = memory.account("a");
    let held = memory.upload(&a, pattern(1, 0, 10), 0).unwrap();
    let echo = memory.clean(&a, Arc::new(Echo(held)), 0, 10, 0);
    touch(&memory, &a, &[&echo]).unwrap();
    assert_eq!(bytes_of(&echo), pattern(1, 0, 10));
    drop(echo);
    check_empty(&memory);
}
