//! A quota slows its account down, and touches nobody else.

use std::sync::Arc;

use super::fake::*;
use crate::offload::OffloadModeName::{Balanced, None as KeepAll, Sequential};
use crate::{Cancel, MemoryError, Source, Tier};

#[test]
fn over_its_quota_an_account_loses_its_own_allocations_and_keeps_their_bytes() {
    let memory = memory(1000, 1000, Balanced);
    let (a, b) = (memory.account("a"), memory.account("b"));
    let neighbour = [make(&memory, &b, 30, 8), memory.clean(&b, weights(9), 0, 30, 0)];
    touch(&memory, &b, &[&neighbour[1]]).unwrap();
    memory.set_quota(&a, Tier::Device, Some(50));
    let held: Vec<_> = (0..5).map(|seed| make(&memory, &a, 20, seed)).collect();
    assert_eq!(memory.charge(&a), tiers(40, 60, 0));
    for (seed, handle) in held.iter().enumerate() {
        assert_eq!(bytes_of(handle), pattern(seed as u64, 0, 20));
        touch(&memory, &a, &[handle]).unwrap();
        assert!(memory.charge(&a).device <= 50);
    }
    assert!(neighbour.iter().all(|handle| handle.residency().device));
    assert_eq!(memory.charge(&b).device, 60);
    check(&memory);
}

#[test]
fn what_is_shared_leaves_for_a_quota_only_after_everything_that_is_not() {
    let memory = memory(1000, 1000, Balanced);
    let (a, b) = (memory.account("a"), memory.account("b"));
    let source: Arc<dyn Source> = weights(1);
    let shared = memory.clean(&a, source.clone(), 0, 20, 0);
    let of_b = memory.clean(&b, source, 0, 20, 0);
    let own = [memory.clean(&a, weights(2), 0, 20, 0), make(&memory, &a, 20, 3)];
    touch(&memory, &a, &[&own[0], &shared]).unwrap();
    memory.set_quota(&a, Tier::Device, Some(60));
    let on_device = || [&own[0], &own[1], &shared].map(|handle| handle.residency().device);
    assert_eq!(on_device(), [true, true, true]);
    drop(memory.lease(&a, &[], &[], 20, &Cancel::new()).unwrap());
    assert_eq!(on_device(), [false, true, true]);
    drop(memory.lease(&a, &[], &[], 40, &Cancel::new()).unwrap());
    assert_eq!(on_device(), [false, false, true]);
    // The operation could not run otherwise.
    drop(memory.lease(&a, &[], &[], 60, &Cancel::new()).unwrap());
    assert_eq!(on_device(), [false, false, false]);
    assert_eq!(bytes_of(&of_b), pattern(1, 0, 20));
}

#[test]
fn what_a_neighbour_uses_does_not_leave_for_anothers_quota() {
    let memory = memory(1000, 1000, Balanced);
    let (a, b) = (memory.account("a"), memory.account("b"));
    let shared = make(&memory, &a, 20, 1);
    let of_b = shared.for_account(&b);
    let in_use = memory.lease(&b, &[&of_b], &[], 0, &Cancel::new()).unwrap();
    memory.set_quota(&a, Tier::Device, Some(30));
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| memory.lease(&a, &[], &[], 30, &Cancel::new()).map(drop));
        until(|| waiting(&memory) == 1);
        assert_eq!(in_use.input(0).unwrap().bytes, pattern(1, 0, 20));
        drop(in_use);
        waiter.join().unwrap().unwrap();
    });
    assert_eq!(bytes_of(&of_b), pattern(1, 0, 20));
}

#[test]
fn a_smaller_quota_holds_at_once_and_a_larger_one_frees_who_waits() {
    let memory = memory(1000, 1000, Balanced);
    let a = memory.account("a");
    let held = [make(&memory, &a, 20, 1), make(&memory, &a, 20, 2)];
    memory.set_quota(&a, Tier::Device, Some(25));
    assert_eq!(memory.charge(&a), tiers(20, 20, 0));
    let running = memory.lease(&a, &[&held[1]], &[], 0, &Cancel::new()).unwrap();
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| memory.lease(&a, &[], &[], 25, &Cancel::new()).map(drop));
        until(|| waiting(&memory) == 1);
        memory.set_quota(&a, Tier::Device, None);
        waiter.join().unwrap().unwrap();
    });
    drop(running);
    check(&memory);
}

#[test]
fn an_upload_over_the_host_quota_is_refused_with_its_figures() {
    let memory = memory(1000, 1000, Sequential);
    let (a, b) = (memory.account("a"), memory.account("b"));
    memory.set_quota(&a, Tier::Host, Some(50));
    let _neighbour = memory.upload(&b, vec![0; 100], 0).unwrap();
    // A copy on the host of a weight that came back gives way to it.
    let weight = memory.clean(&a, weights(1), 0, 30, 0);
    touch(&memory, &a, &[&weight]).unwrap();
    touch(&memory, &a, &[&weight]).unwrap();
    assert_eq!(memory.charge(&a).host, 30);
    let _held = memory.upload(&a, vec![0; 50], 0).unwrap();
    assert_eq!(memory.charge(&a), tiers(0, 50, 0));
    let MemoryError::QuotaExceeded { plugin, tier, requested, limit, used } =
        memory.upload(&a, vec![0; 1], 0).unwrap_err()
    else {
        panic!("another error");
    };
    assert_eq!((plugin.as_str(), tier), ("a", Tier::Host));
    assert_eq!((requested, limit, used), (1, 50, 50));
    touch(&memory, &a, &[&weight]).unwrap();
    touch(&memory, &a, &[&weight]).unwrap();
    assert_eq!(memory.charge(&a).host, 50, "and no cache is kept over the quota");
}

#[test]
fn dirty_bytes_do_not_go_to_a_host_where_their_account_has_no_room() {
    let memory = memory(100, 1000, Balanced);
    let a = memory.account("a");
    memory.set_quota(&a, Tier::Host, Some(10));
    let held = make(&memory, &a, 60, 1);
    let error = memory.lease(&a, &[], &[], 50, &Cancel::new()).err().unwrap();
    assert!(
        matches!(
            error,
            MemoryError::QuotaExceeded { tier: Tier::Host, requested: 60, limit: 10, used: 0, .. }
        ),
        "{error}"
    );
    // For somebody else it is simply in the way.
    let b = memory.account("b");
    let error = memory.lease(&b, &[], &[], 50, &Cancel::new()).err().unwrap();
    assert!(
        matches!(
            error,
            MemoryError::OutOfMemory {
                tier: Tier::Device,
                requested: 50,
                limit: 100,
                used: 60,
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(bytes_of(&held), pattern(1, 0, 60));
}

#[test]
fn without_eviction_a_quota_is_an_error() {
    let memory = memory(1000, 1000, KeepAll);
    let a = memory.account("a");
    memory.set_quota(&a, Tier::Device, Some(50));
    let held = make(&memory, &a, 30, 1);
    let error = memory.lease(&a, &[], &[], 21, &Cancel::new()).err().unwrap();
    assert!(
        matches!(
            error,
            MemoryError::QuotaExceeded {
                tier: Tier::Device,
                requested: 21,
                limit: 50,
                used: 30,
                ..
            }
        ),
        "{error}"
    );
    assert!(held.residency().device);
}

#[test]
fn charges_appear_in_the_statistics_by_account() {
    let memory = memory(1000, 1000, KeepAll);
    let (a, b) = (memory.account("a"), memory.account("b"));
    memory.set_quota(&b, Tier::Host, Some(9));
    let _held = make(&memory, &a, 30, 1);
    drop(memory.account("gone"));
    let stats = memory.stats();
    let names: Vec<_> = stats.accounts.iter().map(|account| account.name.as_str()).collect();
    assert_eq!(names, ["a", "b"]);
    assert_eq!(stats.accounts[0].charge, tiers(30, 0, 0));
    assert_eq!(stats.accounts[1].quota.host, Some(9));
    assert_eq!(stats.accounts[1].id, b.id());
}
