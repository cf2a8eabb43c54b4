//! Who loses when there is not enough for all.

use std::sync::Arc;

use super::fake::*;
use crate::offload::OffloadModeName::{Balanced, Planned};
use crate::{Account, Cancel, Handle, Memory, Source, Tier};

fn hold(memory: &Memory<Fake>, account: &Account, count: u64, bytes: u64) -> Vec<Handle<Fake>> {
    (0..count).map(|seed| make(memory, account, bytes, seed)).collect()
}

fn on_device(memory: &Memory<Fake>, account: &Account) -> u64 {
    memory.charge(account).device
}

#[test]
fn a_storm_of_allocations_falls_on_whoever_raised_it() {
    for mode in [Planned, Balanced] {
        let memory = by_hand(1000, 1 << 20, mode);
        let (quiet, loud) = (memory.account("quiet"), memory.account("loud"));
        let kept = hold(&memory, &quiet, 4, 100);
        let mut storm = Vec::new();
        for _ in 0..50 {
            storm.extend(hold(&memory, &loud, 1, 100));
            assert_eq!(on_device(&memory, &quiet), 400, "it has less than its half");
        }
        drop((storm, kept));
        check_empty(&memory);
    }
}

#[test]
fn who_is_most_over_its_share_loses_first_and_only_down_to_it() {
    let memory = by_hand(900, 1 << 20, Planned);
    let accounts = ["a", "b", "c"].map(|name| memory.account(name));
    let _a = hold(&memory, &accounts[0], 5, 100);
    let _b = hold(&memory, &accounts[1], 40, 10);
    // Its share is 300: the others are 200 and 100 over theirs.
    let _c = hold(&memory, &accounts[2], 3, 100);
    assert_eq!(accounts.each_ref().map(|account| on_device(&memory, account)), [300, 300, 300]);
}

#[test]
fn a_weight_is_a_larger_share_and_bytes_are_a_share_of_their_own() {
    let memory = by_hand(1000, 1 << 20, Planned);
    let accounts = ["heavy", "light", "fixed"].map(|name| memory.account(name));
    memory.set_share(&accounts[0], 3, None);
    memory.set_share(&accounts[2], 1, Some(200));
    let held: Vec<_> = accounts.iter().map(|account| hold(&memory, account, 30, 30)).collect();
    let shares: Vec<_> = memory.stats().accounts.iter().map(|account| account.share).collect();
    assert_eq!(shares, [600, 200, 200]);
    drop(held);
    let held: Vec<_> = (0..60)
        .flat_map(|_| accounts.each_ref().map(|account| make(&memory, account, 30, 1)))
        .collect();
    let used = accounts.each_ref().map(|account| on_device(&memory, account));
    for (used, share) in used.into_iter().zip([600, 200, 200]) {
        assert!(used.abs_diff(share) <= 30, "{used} of a share of {share}");
    }
    drop(held);
    check_empty(&memory);
}

#[test]
fn one_large_operation_may_have_what_its_neighbours_do_not_use() {
    let memory = by_hand(1000, 1 << 20, Planned);
    let (a, b) = (memory.account("a"), memory.account("b"));
    let held = hold(&memory, &b, 4, 100);
    // More than its share, and it cannot run with less.
    drop(memory.lease(&a, &[], &[], 900, &Cancel::new()).unwrap());
    assert_eq!(on_device(&memory, &b), 100);
    assert!(held.iter().enumerate().all(|(seed, h)| bytes_of(h) == pattern(seed as u64, 0, 100)));
}

#[test]
fn what_nobody_needs_leaves_before_anybody_loses() {
    let memory = by_hand(1000, 1 << 20, Planned);
    let (a, b) = (memory.account("a"), memory.account("b"));
    let shelved: Vec<_> = hold(&memory, &b, 3, 100).iter().map(Handle::shelve).collect();
    let source: Arc<dyn Source> = weights(1);
    let weight = memory.clean(&a, source, 0, 600, 0);
    touch(&memory, &a, &[&weight]).unwrap();
    let _more = hold(&memory, &a, 4, 100);
    assert!(weight.residency().device);
    assert_eq!(memory.charge(&b), tiers(0, 300, 0));
    assert!(shelved.iter().all(|shelved| !shelved.is_lost()));
}

#[test]
fn what_is_kept_leaves_only_when_an_operation_could_not_run_otherwise() {
    let memory = by_hand(300, 1 << 20, Planned);
    let a = memory.account("a");
    let held = hold(&memory, &a, 2, 100);
    memory.keep(&[&held[0]], Tier::Device, true).unwrap();
    let more = hold(&memory, &a, 3, 100);
    assert!(held[0].residency().device);
    assert_eq!(memory.make_free(Tier::Device, 300).unwrap(), 200);
    assert!(held[0].residency().device);
    drop(memory.lease(&a, &[], &[], 300, &Cancel::new()).unwrap());
    assert!(!held[0].residency().device);
    touch(&memory, &a, &[&held[0]]).unwrap();
    memory.keep_nothing();
    assert_eq!(memory.make_free(Tier::Device, 300).unwrap(), 100);
    drop((held, more));
    check_empty(&memory);
}
