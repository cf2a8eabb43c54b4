//! Cases 11 to 20: handles.

use std::sync::{Arc, Mutex};

use berth_compute::Compute;
use berth_hostile::Hostile;
use berth_memory::{Account, Cancel, OffloadModeName, Tier};
use berth_sandbox::rights::Requests;
use berth_sandbox::{NodeEvents, RunContext, RunLimits, SandboxError, Value};
use berth_tests::host::{DEMO, Options, text};

use super::{Arena, Case, Guest, Outcome, crashed};

/// As many handles as a table has room for.
pub struct Hoards;

impl Case for Hoards {
    const GUEST: Guest = Guest::Node(Hostile::Hoard);

    fn provoke(arena: &Arena) -> Outcome {
        let limits = || RunLimits { handles: 1000, ..RunLimits::default() };
        let shared = |shared| vec![("shared", Value::Boolean(shared))];
        // Where the contract has an error to return, it is returned.
        let refused = arena.run(shared(false), limits()).unwrap_err();
        assert!(matches!(refused, SandboxError::Guest { .. }), "{refused:?}");
        assert!(refused.to_string().contains("too many handles"), "{refused}");
        let error = arena.run(shared(true), limits()).unwrap_err();
        crashed(&error, "it holds or lends too many handles");
        Outcome::Refused(error)
    }
}

/// A quota that is full when the guest crashes.
pub struct FillsItsQuota;

impl Case for FillsItsQuota {
    const GUEST: Guest = Guest::Node(Hostile::FillAndPanic);

    fn provoke(arena: &Arena) -> Outcome {
        let plugin = arena.load(RunLimits::default()).unwrap();
        let memory = arena.host.compute().memory();
        memory.set_quota(plugin.account(), Tier::Device, Some(8 << 20));
        memory.set_quota(plugin.account(), Tier::Host, Some(8 << 20));
        let error = arena.run_in(&plugin, vec![], arena.host.context()).unwrap_err();
        crashed(&error, "it gave up");
        let SandboxError::Trapped { stderr, .. } = &error else { unreachable!() };
        assert!(stderr.contains("with 16 tensors in hand"), "{stderr}");
        Outcome::Refused(error)
    }
}

/// One handle, lent a million times in one call.
pub struct LendsOften;

impl Case for LendsOften {
    const GUEST: Guest = Guest::Node(Hostile::LendOften);

    fn provoke(arena: &Arena) -> Outcome {
        let times = |times| vec![("times", Value::Integer(times))];
        let outputs = arena.run(times(1000), RunLimits::default()).unwrap();
        let Value::Tensor(joined) = &outputs[0] else { panic!("a tensor") };
        let mut read = vec![0; 1000];
        joined.read(0, &mut read).unwrap();
        assert_eq!(read, [7; 1000]);
        drop(outputs);
        let error = arena.run(times(1_000_000), RunLimits::default()).unwrap_err();
        crashed(&error, "it holds or lends too many handles");
        Outcome::Refused(error)
    }
}

/// A tensor that is used, or dropped, after it was dropped.
pub struct UsesDropped;

impl Case for UsesDropped {
    const GUEST: Guest = Guest::Node(Hostile::UseDropped);

    fn provoke(arena: &Arena) -> Outcome {
        let run = |again| {
            let again = vec![("again", Value::Boolean(again))];
            let error = arena.run(again, RunLimits::default()).unwrap_err();
            crashed(&error, "it used a handle that it does not hold");
            error
        };
        run(true);
        Outcome::Refused(run(false))
    }
}

/// A handle that is nothing but a number.
pub struct Forges;

impl Case for Forges {
    const GUEST: Guest = Guest::Node(Hostile::Forge);

    fn provoke(arena: &Arena) -> Outcome {
        let plugin = arena.load(RunLimits::default()).unwrap();
        let run = |index: u32| {
            let index = vec![("index", Value::Integer(index.into()))];
            let error = arena.run_in(&plugin, index, arena.host.context()).unwrap_err();
            crashed(&error, "it used a handle that it does not hold");
            error
        };
        for index in [0, 1, 2, 3, 0xffff, 1 << 28, i32::MAX as u32] {
            run(index);
        }
        Outcome::Refused(run(u32::MAX))
    }
}

/// A model where a tensor is expected.
pub struct Confuses;

impl Case for Confuses {
    const GUEST: Guest = Guest::Node(Hostile::Confuse);

    fn provoke(arena: &Arena) -> Outcome {
        let models = vec!["checkpoints/*".parse().unwrap()];
        let rights = Requests { models, ..Requests::default() };
        let plugin = arena.load_with(&rights, RunLimits::default()).unwrap();
        let run = |output| {
            let inputs = vec![("label", text(DEMO)), ("output", Value::Boolean(output))];
            let error = arena.run_in(&plugin, inputs, arena.host.context()).unwrap_err();
            crashed(&error, "it used a handle as something that it is not");
            error
        };
        run(true);
        Outcome::Refused(run(false))
    }
}

/// A handle that is given away while the call that borrows it is not over.
pub struct LendsAndGives;

impl Case for LendsAndGives {
    const GUEST: Guest = Guest::Node(Hostile::LendAndGive);

    fn provoke(arena: &Arena) -> Outcome {
        let error = arena.run(vec![], RunLimits::default()).unwrap_err();
        crashed(&error, "it gave away a handle that it was lending");
        Outcome::Refused(error)
    }
}

/// One tensor as two outputs.
pub struct ReturnsTwice;

impl Case for ReturnsTwice {
    const GUEST: Guest = Guest::Node(Hostile::Twice);

    fn provoke(arena: &Arena) -> Outcome {
        let plugin = arena.load(RunLimits::default()).unwrap();
        let run = |shared| {
            let shared = vec![("shared", Value::Boolean(shared))];
            arena.run_in(&plugin, shared, arena.host.context())
        };
        // By a second handle that the host made, that is nothing special.
        let outputs = run(true).unwrap();
        assert_eq!(outputs.len(), 2);
        let charge = arena.host.compute().memory().charge(plugin.account());
        assert_eq!((charge.device, charge.host), (1 << 20, 0));
        drop(outputs);
        let error = run(false).unwrap_err();
        crashed(&error, "it used a handle that it does not hold");
        Outcome::Refused(error)
    }
}

/// A million handles of one tensor, which is charged once.
pub struct ClonesOften;

/// Looks at the charge whenever the guest says something.
struct Watches {
    compute: Compute,
    account: Account,
    seen: Mutex<Vec<u64>>,
}

impl NodeEvents for Watches {
    fn progress(&self, _: u32, _: u32) {
        let charge = self.compute.memory().charge(&self.account);
        self.seen.lock().unwrap().push(charge.device + charge.host);
    }
}

impl Case for ClonesOften {
    const GUEST: Guest = Guest::Node(Hostile::CloneOften);

    fn provoke(arena: &Arena) -> Outcome {
        let limits = RunLimits { handles: 1_000_001, ..RunLimits::default() };
        let plugin = arena.load(limits).unwrap();
        let (compute, account) = (arena.host.compute().clone(), plugin.account().clone());
        let watches = Arc::new(Watches { compute, account, seen: Mutex::default() });
        let context = RunContext::new(Cancel::new(), watches.clone());
        arena.run_in(&plugin, vec![("times", Value::Integer(1_000_000))], &context).unwrap();
        assert_eq!(*watches.seen.lock().unwrap(), [1 << 20]);
        Outcome::Coped
    }
}

/// A tensor that others drop, and that is moved, while a run reads it.
pub struct ReadsOften;

impl Case for ReadsOften {
    const GUEST: Guest = Guest::Node(Hostile::ReadOften);

    /// A device that two of the tensors below do not fit on at once.
    fn options() -> Options {
        Options { device: 24 << 20, mode: OffloadModeName::Planned, ..Options::default() }
    }

    fn provoke(arena: &Arena) -> Outcome {
        let plugin = arena.load(RunLimits::default()).unwrap();
        let ramp: Vec<f32> = (0..1 << 18).map(|i| i as f32).collect();
        let memory = arena.host.compute().memory();
        for _ in 0..3 {
            let tensor = arena.host.tensor(&[1 << 18], &ramp);
            let read = |tensor, times| {
                let inputs = vec![("tensor", tensor), ("times", Value::Integer(times))];
                let outputs = arena.run_in(&plugin, inputs, arena.host.context()).unwrap();
                assert!(matches!(outputs[..], [Value::Boolean(true)]), "{outputs:?}");
            };
            std::thread::scope(|threads| {
                // One of them drops it while the other reads on, and nobody else has it then.
                let (early, late) = (tensor.clone(), tensor);
                let runs = [threads.spawn(|| read(early, 2)), threads.spawn(|| read(late, 20))];
                while runs.iter().any(|run| !run.is_finished()) {
                    memory.make_free(Tier::Device, 24 << 20).unwrap();
                    std::thread::yield_now();
                }
            });
        }
        Outcome::Coped
    }
}
