//! Everything at once, or nothing: what fits, what never can, and what waits.

use std::sync::Mutex;
use std::thread;

use super::fake::*;
use crate::offload::OffloadModeName::{self, Balanced, None as KeepAll, Sequential};
use crate::{Cancel, MemoryError, Tier};

/// A lease of 10 bytes of a clean and 10 of a dirty input, 10 of outputs and 10 of workspace.
fn lease_of_forty(limit: u64, mode: OffloadModeName) -> Result<(), MemoryError> {
    let memory = memory(limit, 1000, mode);
    let (a, b) = (memory.account("a"), memory.account("b"));
    let others: Vec<_> = (0..3).map(|seed| make(&memory, &b, 10, seed)).collect();
    let clean = memory.clean(&a, weights(1), 0, 10, 0);
    let dirty = memory.upload(&a, pattern(4, 0, 10), 0).unwrap();
    let lease =
        memory.lease(&a, &[&clean, &dirty, &clean], &[(6, 0), (4, 0)], 10, &Cancel::new())?;
    check(&memory);
    assert_eq!(used(&memory).device, 40, "all others had to leave");
    for (seed, other) in others.iter().enumerate() {
        assert_eq!(bytes_of(other), pattern(seed as u64, 0, 10));
    }
    drop(lease);
    check(&memory);
    Ok(())
}

#[test]
fn a_lease_succeeds_in_exactly_the_room_that_it_needs_and_not_in_one_byte_less() {
    for mode in [Sequential, Balanced] {
        lease_of_forty(40, mode).unwrap();
        let error = lease_of_forty(39, mode).unwrap_err();
        let MemoryError::OutOfMemory { tier, requested, limit, used, holders } = error else {
            panic!("{error}");
        };
        assert_eq!((tier, requested, limit), (Tier::Device, 40, 39));
        assert!(used <= 39);
        assert!(holders.iter().all(|(name, bytes)| name == "b" && *bytes == used));
    }
}

#[test]
fn a_quota_is_enough_in_exactly_the_room_that_is_needed_and_not_in_one_byte_less() {
    for mode in OffloadModeName::all() {
        let memory = memory(1000, 1000, *mode);
        let a = memory.account("a");
        let clean = memory.clean(&a, weights(1), 0, 10, 0);
        let dirty = memory.upload(&a, pattern(4, 0, 10), 0).unwrap();
        let lease = |quota| {
            memory.set_quota(&a, Tier::Device, Some(quota));
            memory.lease(&a, &[&clean, &dirty], &[(10, 0)], 10, &Cancel::new()).map(drop)
        };
        let MemoryError::QuotaExceeded { plugin, tier, requested, limit, used } =
            lease(39).unwrap_err()
        else {
            panic!("another error");
        };
        assert_eq!((plugin.as_str(), tier), ("a", Tier::Device));
        assert_eq!((requested, limit, used), (40, 39, 0));
        lease(40).unwrap();
        check(&memory);
    }
}

#[test]
fn what_others_hold_and_cannot_leave_is_an_error_at_once_that_names_them() {
    let memory = memory(100, 100, KeepAll);
    let (a, b) = (memory.account("a"), memory.account("b"));
    let _held = [make(&memory, &b, 50, 0), make(&memory, &a, 20, 0)];
    let error = memory.lease(&a, &[], &[(20, 0)], 11, &Cancel::new()).err().unwrap();
    let MemoryError::OutOfMemory {
        tier: Tier::Device,
        requested: 31,
        limit: 100,
        used: 70,
        holders,
    } = &error
    else {
        panic!("{error}");
    };
    assert_eq!(holders[..], [("b".to_owned(), 50), ("a".to_owned(), 20)]);
    assert!(error.to_string().contains("held by b (50), a (20)"), "{error}");

    // Also while an operation runs whose end would not help.
    let _running = memory.lease(&b, &[], &[], 30, &Cancel::new()).unwrap();
    let error = memory.lease(&a, &[], &[(31, 0)], 0, &Cancel::new()).err().unwrap();
    assert!(matches!(error, MemoryError::OutOfMemory { requested: 31, used: 100, .. }), "{error}");
}

#[test]
fn a_host_full_of_dirty_bytes_is_an_error_of_the_host() {
    let memory = memory(100, 30, Balanced);
    let (a, b) = (memory.account("a"), memory.account("b"));
    let on_host = memory.upload(&b, vec![0; 25], 0).unwrap();
    let on_device = [make(&memory, &b, 40, 1), make(&memory, &b, 30, 2)];
    let check_error = |error: MemoryError| {
        let MemoryError::OutOfMemory { tier, requested, limit, used, holders } = error else {
            panic!("{error}");
        };
        assert_eq!((tier, requested, limit, used), (Tier::Host, 30, 30, 25));
        assert_eq!(holders, [("b".to_owned(), 25)]);
    };
    check_error(memory.lease(&a, &[], &[(31, 0)], 0, &Cancel::new()).err().unwrap());
    // Also while an operation runs whose end would not help.
    let running = memory.lease(&b, &[], &[], 10, &Cancel::new()).unwrap();
    check_error(memory.lease(&a, &[], &[(60, 0)], 0, &Cancel::new()).err().unwrap());
    drop(running);
    check_error(memory.offload(&[&on_device[1]]).map(drop).unwrap_err());
    drop(on_host);
    drop(memory.lease(&a, &[], &[(60, 0)], 0, &Cancel::new()).unwrap());
    assert_eq!(used(&memory), tiers(40, 30, 0));
    assert_eq!(bytes_of(&on_device[1]), pattern(2, 0, 30));
    check(&memory);
}

#[test]
fn an_upload_takes_the_room_of_what_can_be_had_again_and_no_more() {
    let memory = memory(100, 50, Sequential);
    let (a, b) = (memory.account("a"), memory.account("b"));
    // A weight that came back has a copy on the host, and so has a dirty one that came back.
    let weight = memory.clean(&b, weights(1), 0, 20, 0);
    touch(&memory, &b, &[&weight]).unwrap();
    touch(&memory, &b, &[&weight]).unwrap();
    let dirty = memory.upload(&b, pattern(5, 0, 20), 0).unwrap();
    let lease = memory.lease(&b, &[&weight, &dirty], &[], 0, &Cancel::new()).unwrap();
    assert_eq!(used(&memory), tiers(40, 40, 0));
    let first = memory.upload(&a, vec![1; 30], 0).unwrap();
    assert_eq!(used(&memory).host, 50, "the clean copy went");
    let second = memory.upload(&a, vec![2; 20], 0).unwrap();
    assert_eq!(used(&memory).host, 50, "the second copy went, though it is in use");
    let error = memory.upload(&a, vec![3; 1], 0).unwrap_err();
    assert!(
        matches!(
            error,
            MemoryError::OutOfMemory { tier: Tier::Host, requested: 1, limit: 50, used: 50, .. }
        ),
        "{error}"
    );
    drop(lease);
    drop(first);
    touch(&memory, &b, &[&dirty]).unwrap();
    assert_eq!(bytes_of(&dirty), pattern(5, 0, 20));
    drop((dirty, second, weight));
    check_empty(&memory);
}

#[test]
fn an_operation_waits_until_others_end_and_holds_nothing_meanwhile() {
    let memory = memory(100, 100, Balanced);
    let (a, b) = (memory.account("a"), memory.account("b"));
    let input = memory.upload(&b, pattern(1, 0, 20), 0).unwrap();
    let running = memory.lease(&a, &[], &[(10, 0)], 80, &Cancel::new()).unwrap();
    thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            let lease = memory.lease(&b, &[&input], &[(10, 0)], 0, &Cancel::new()).unwrap();
            assert_eq!(lease.input(0).unwrap().bytes, pattern(1, 0, 20));
            lease.finish(vec![memory.device().buffer(vec![7; 10])]).unwrap()
        });
        until(|| waiting(&memory) == 1);
        assert_eq!(memory.charge(&b), tiers(0, 20, 0));
        assert_eq!(memory.stats().leases, 1);
        drop(running);
        assert_eq!(bytes_of(&waiter.join().unwrap()[0]), [7; 10]);
    });
    assert_eq!((memory.stats().waits, waiting(&memory)), (1, 0));
    drop(input);
    check_empty(&memory);
}

#[test]
fn waiting_ends_when_it_is_cancelled() {
    let memory = memory(100, 100, Balanced);
    let a = memory.account("a");
    let running = memory.lease(&a, &[], &[], 80, &Cancel::new()).unwrap();
    let cancel = Cancel::new();
    let waiter_cancel = cancel.child();
    thread::scope(|scope| {
        let waiter = scope.spawn(|| memory.lease(&a, &[], &[], 30, &waiter_cancel).map(drop));
        until(|| waiting(&memory) == 1);
        cancel.cancel();
        assert!(matches!(waiter.join().unwrap(), Err(MemoryError::Cancelled)));
    });
    assert_eq!(waiting(&memory), 0);
    drop(running);
    assert!(matches!(memory.lease(&a, &[], &[], 0, &cancel), Err(MemoryError::Cancelled)));
    check_empty(&memory);
}

#[test]
fn small_operations_do_not_overtake_a_large_one_for_ever() {
    let memory = memory(100, 100, Balanced);
    let accounts = ["a", "b", "c"].map(|name| memory.account(name));
    let order = Mutex::new(Vec::new());
    let first = memory.lease(&accounts[0], &[], &[], 50, &Cancel::new()).unwrap();
    thread::scope(|scope| {
        let (memory, order, accounts) = (&memory, &order, &accounts);
        scope.spawn(move || {
            let _lease = memory.lease(&accounts[1], &[], &[], 60, &Cancel::new()).unwrap();
            order.lock().unwrap().push("large");
        });
        until(|| waiting(memory) == 1);
        // There would be room for this one, but the large one came first.
        scope.spawn(move || {
            let _lease = memory.lease(&accounts[2], &[], &[], 50, &Cancel::new()).unwrap();
            order.lock().unwrap().push("small");
        });
        until(|| waiting(memory) == 2);
        drop(first);
    });
    assert_eq!(*order.lock().unwrap(), ["large", "small"]);
    assert_eq!(memory.stats().waits, 2);
}

#[test]
fn who_waits_for_its_own_quota_does_not_hold_up_its_neighbours() {
    let memory = memory(100, 100, Balanced);
    let (a, b) = (memory.account("a"), memory.account("b"));
    memory.set_quota(&a, Tier::Device, Some(50));
    let running = memory.lease(&a, &[], &[], 40, &Cancel::new()).unwrap();
    thread::scope(|scope| {
        let waiter = scope.spawn(|| memory.lease(&a, &[], &[], 20, &Cancel::new()).map(drop));
        until(|| waiting(&memory) == 1);
        drop(memory.lease(&b, &[], &[], 60, &Cancel::new()).unwrap());
        drop(running);
        waiter.join().unwrap().unwrap();
    });
    check_empty(&memory);
}

#[test]
fn a_thousand_leases_that_were_dropped_or_cancelled_leave_nothing() {
    for mode in OffloadModeName::all() {
        let memory = memory(100, 1000, *mode);
        let a = memory.account("a");
        let cancelled = Cancel::new();
        cancelled.cancel();
        for round in 0..1000 {
            let clean = memory.clean(&a, weights(round), 0, 20, 0);
            let dirty = memory.upload(&a, vec![1; 20], 0).unwrap();
            let cancel = if round % 3 == 0 { &cancelled } else { &Cancel::new() };
            match memory.lease(&a, &[&clean, &dirty], &[(20, 0)], 20, cancel) {
                Ok(lease) if round % 3 == 1 => drop(lease),
                Ok(lease) => drop(lease.finish(vec![memory.device().buffer(vec![0; 20])])),
                Err(error) => assert!(matches!(error, MemoryError::Cancelled)),
            }
        }
        check_empty(&memory);
    }
}
