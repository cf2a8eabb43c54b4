//! Devices and sources that fail or panic leave the books right.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering::SeqCst;

use super::fake::*;
use crate::offload::OffloadModeName::{Balanced, None as KeepAll, Sequential};
use crate::{Cancel, MemoryError};

#[test]
fn a_source_that_fails_gives_its_error_and_everything_back() {
    let memory = memory(100, 100, Balanced);
    let a = memory.account("a");
    let (good, bad) = (weights(1), weights(2));
    bad.fault.fail.store(true, SeqCst);
    let inputs = [
        memory.clean(&a, good, 0, 10, 0),
        memory.clean(&a, bad.clone(), 0, 10, 0),
        memory.clean(&a, weights(3), 0, 10, 0),
    ];
    let refs: Vec<_> = inputs.iter().collect();
    let lease = || memory.lease(&a, &refs, &[(10, 0)], 10, &Cancel::new()).map(drop);
    assert!(matches!(lease(), Err(MemoryError::Device { operation: "read weights", .. })));
    assert_eq!(memory.charge(&a), tiers(10, 0, 0), "what came before has come");
    check(&memory);
    assert!(inputs[1].read(0, &mut [0; 2]).is_err());
    assert!(memory.restore(&a, &refs, &Cancel::new()).is_err());
    bad.fault.fail.store(false, SeqCst);
    lease().unwrap();
    drop(inputs);
    check_empty(&memory);
}

#[test]
fn a_device_that_cannot_create_gives_its_error_and_everything_back() {
    let memory = memory(100, 100, Sequential);
    let a = memory.account("a");
    let clean = memory.clean(&a, weights(1), 0, 10, 0);
    let dirty = memory.upload(&a, pattern(4, 0, 10), 0).unwrap();
    // Once with and once without a copy that is to be kept on the host.
    for _ in 0..2 {
        memory.device().create.fail.store(true, SeqCst);
        for handle in [&clean, &dirty] {
            let host = used(&memory).host;
            let error = touch(&memory, &a, &[handle]).unwrap_err();
            assert!(matches!(error, MemoryError::Device { operation: "create a buffer", .. }));
            assert_eq!(used(&memory), tiers(0, host, 0));
        }
        check(&memory);
        memory.device().create.fail.store(false, SeqCst);
        touch(&memory, &a, &[&clean, &dirty]).unwrap();
    }
    assert_eq!(bytes_of(&dirty), pattern(4, 0, 10));
    drop((clean, dirty));
    check_empty(&memory);
}

#[test]
fn a_device_that_cannot_be_read_keeps_its_dirty_bytes() {
    let memory = memory(100, 100, Balanced);
    let a = memory.account("a");
    let held = make(&memory, &a, 60, 1);
    memory.device().read.fail.store(true, SeqCst);
    let lease = || memory.lease(&a, &[], &[(50, 0)], 0, &Cancel::new()).map(drop);
    assert!(matches!(lease(), Err(MemoryError::Device { operation: "read a buffer", .. })));
    assert!(memory.offload(&[&held]).is_err());
    assert!(held.read(0, &mut [0; 1]).is_err());
    assert_eq!(used(&memory), tiers(60, 0, 0));
    memory.device().read.fail.store(false, SeqCst);
    lease().unwrap();
    assert_eq!(used(&memory), tiers(0, 60, 0));
    assert_eq!(bytes_of(&held), pattern(1, 0, 60));
    drop(held);
    check_empty(&memory);
}

#[test]
fn an_input_that_cannot_leave_after_its_operation_stays_where_it_is() {
    let memory = memory(100, 100, Sequential);
    let a = memory.account("a");
    let held = make(&memory, &a, 10, 1);
    memory.device().read.fail.store(true, SeqCst);
    touch(&memory, &a, &[&held]).unwrap();
    assert_eq!(used(&memory), tiers(10, 0, 0));
    memory.device().read.fail.store(false, SeqCst);
    touch(&memory, &a, &[&held]).unwrap();
    assert_eq!(used(&memory), tiers(0, 10, 0));
}

#[test]
fn a_panic_in_a_device_or_source_leaves_nothing_behind() {
    let memory = memory(100, 100, Balanced);
    let a = memory.account("a");
    let source = weights(1);
    let clean = memory.clean(&a, source.clone(), 0, 10, 0);
    let dirty = make(&memory, &a, 60, 2);
    let panics = |operation: &dyn Fn()| {
        assert!(catch_unwind(AssertUnwindSafe(operation)).is_err());
        assert_eq!(used(&memory), tiers(60, 0, 0));
        assert_eq!(waiting(&memory), 0);
        check(&memory);
    };
    source.fault.panic.store(true, SeqCst);
    panics(&|| drop(touch(&memory, &a, &[&clean])));
    source.fault.panic.store(false, SeqCst);
    memory.device().read.panic.store(true, SeqCst);
    panics(&|| drop(memory.lease(&a, &[], &[], 50, &Cancel::new())));
    panics(&|| drop(dirty.read(0, &mut [0; 1])));
    memory.device().read.panic.store(false, SeqCst);
    memory.device().create.panic.store(true, SeqCst);
    panics(&|| drop(touch(&memory, &a, &[&clean])));
    memory.device().create.panic.store(false, SeqCst);
    touch(&memory, &a, &[&clean, &dirty]).unwrap();
    assert_eq!(bytes_of(&dirty), pattern(2, 0, 60));
    drop((clean, dirty));
    check_empty(&memory);
}

#[test]
fn cancelling_while_inputs_come_gives_everything_back() {
    /// Cancels when it is read.
    #[derive(Debug)]
    struct Cancels(Cancel);

    impl crate::Source for Cancels {
        fn read(&self, _offset: u64, into: &mut [u8]) -> Result<(), MemoryError> {
            self.0.cancel();
            into.fill(1);
            Ok(())
        }

        fn describe(&self) -> String {
            "a source that cancels".to_owned()
        }
    }

    let memory = memory(100, 100, KeepAll);
    let a = memory.account("a");
    let cancel = Cancel::new();
    let first = memory.clean(&a, std::sync::Arc::new(Cancels(cancel.clone())), 0, 10, 0);
    let second = memory.clean(&a, weights(1), 0, 10, 0);
    let error = memory.lease(&a, &[&first, &second], &[(10, 0)], 10, &cancel).err().unwrap();
    assert!(matches!(error, MemoryError::Cancelled));
    assert_eq!(used(&memory), tiers(10, 0, 0));
    drop((first, second));
    check_empty(&memory);
}
