//! Cases 1 to 10: time, memory and the stack.

use std::time::{Duration, Instant};

use berth_hostile::Hostile;
use berth_sandbox::{RunLimits, SandboxError, Value};
use berth_tests::host::text;

use super::text::Module;
use super::{Arena, Case, Guest, Outcome, crashed};

/// How long a run may take that would take for ever.
const SHORT: Duration = Duration::from_millis(200);

/// Limits with that.
fn short() -> RunLimits {
    RunLimits { run_time: Some(SHORT), ..RunLimits::default() }
}

/// It ended at its limit, or soon after on a machine that has more to do.
fn timed_out(begin: Instant, error: &SandboxError) {
    assert!(matches!(error, SandboxError::TimedOut { limit: SHORT, .. }), "{error:?}");
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
}

/// A run that never ends.
pub struct SpinsInRun;

impl Case for SpinsInRun {
    const GUEST: Guest = Guest::Node(Hostile::Spin);

    fn provoke(arena: &Arena) -> Outcome {
        let begin = Instant::now();
        let error = arena.run(vec![], short()).unwrap_err();
        timed_out(begin, &error);
        Outcome::Refused(error)
    }
}

/// A description that never ends.
pub struct SpinsInDescribe;

impl Case for SpinsInDescribe {
    const GUEST: Guest = Guest::Bytes(|| {
        Module { describe: "(loop $for_ever (br $for_ever)) unreachable", ..Module::default() }
            .component()
    });

    fn provoke(arena: &Arena) -> Outcome {
        let begin = Instant::now();
        let error = arena.load(short()).unwrap_err();
        timed_out(begin, &error);
        Outcome::Refused(error)
    }
}

/// A function that calls itself without end.
pub struct Descends;

impl Case for Descends {
    const GUEST: Guest = Guest::Node(Hostile::Descend);

    fn provoke(arena: &Arena) -> Outcome {
        let error = arena.run(vec![], RunLimits::default()).unwrap_err();
        crashed(&error, "called each other without end");
        Outcome::Refused(error)
    }
}

/// A panic.
pub struct Panics;

impl Case for Panics {
    const GUEST: Guest = Guest::Node(Hostile::Panic);

    fn provoke(arena: &Arena) -> Outcome {
        let inputs = vec![("message", text("no such luck"))];
        let error = arena.run(inputs, RunLimits::default()).unwrap_err();
        crashed(&error, "it gave up");
        let SandboxError::Trapped { stderr, .. } = &error else { unreachable!() };
        assert!(stderr.contains("no such luck"), "{stderr}");
        assert!(error.hint().unwrap().contains("no such luck"));
        Outcome::Refused(error)
    }
}

/// Linear memory for small guests.
fn small() -> RunLimits {
    RunLimits { linear_memory: 32 << 20, ..RunLimits::default() }
}

/// It met its own limit of linear memory, and not the host's.
fn grew_too_far(error: &SandboxError) {
    assert!(matches!(error, SandboxError::GuestMemory { limit: 0x200_0000, .. }), "{error:?}");
}

/// One memory that grows past the limit.
pub struct Grows;

impl Case for Grows {
    const GUEST: Guest = Guest::Node(Hostile::Grow);

    fn provoke(arena: &Arena) -> Outcome {
        let mebibytes = |count| vec![("mebibytes", Value::Integer(count))];
        arena.run(mebibytes(16), small()).unwrap();
        let error = arena.run(mebibytes(64), small()).unwrap_err();
        grew_too_far(&error);
        Outcome::Refused(error)
    }
}

/// Memories that are each under the limit, and together over it.
pub struct GrowsInManyMemories;

impl Case for GrowsInManyMemories {
    /// It grows them when it runs.
    const GUEST: Guest = Guest::Bytes(|| {
        let run = "
            (if (i32.lt_s (memory.grow $a (i32.const 200)) (i32.const 0)) (then unreachable))
            (if (i32.lt_s (memory.grow $b (i32.const 200)) (i32.const 0)) (then unreachable))
            (if (i32.lt_s (memory.grow $c (i32.const 200)) (i32.const 0)) (then unreachable))
            (i32.const 16)";
        let more = "(memory $a 0) (memory $b 0) (memory $c 0)";
        Module { more, run, ..Module::default() }.component()
    });

    fn provoke(arena: &Arena) -> Outcome {
        arena.run(vec![], RunLimits::default()).unwrap();
        let error = arena.run(vec![], small()).unwrap_err();
        grew_too_far(&error);
        // Or it has them from the start.
        let more = "(memory $a 200) (memory $b 200) (memory $c 200)";
        let large = Module { more, ..Module::default() }.component();
        grew_too_far(&arena.load_bytes(&large, small()).unwrap_err());
        // More than any component needs do not get as far as that.
        let many =
            Module { more: "(memory 1) (memory 1) (memory 1) (memory 1)", ..Module::default() };
        let refused = arena.load_bytes(&many.component(), small()).unwrap_err();
        assert!(matches!(refused, SandboxError::NotAComponent { .. }), "{refused:?}");
        Outcome::Refused(error)
    }
}

/// Tables that are huge from the start, or become so.
pub struct GrowsTables;

impl Case for GrowsTables {
    const GUEST: Guest = Guest::Bytes(|| {
        let run = "
            (loop $more
                (br_if $more (i32.ge_s
                    (table.grow $t (ref.null func) (i32.const 100)) (i32.const 0))))
            unreachable";
        Module { more: "(table $t 0 funcref)", run, ..Module::default() }.component()
    });

    fn provoke(arena: &Arena) -> Outcome {
        let limits = || RunLimits { table_elements: 1000, ..RunLimits::default() };
        let exceeded = |error: &SandboxError| {
            assert!(matches!(error, SandboxError::GuestTables { limit: 1000, .. }), "{error:?}");
        };
        let error = arena.run(vec![], limits()).unwrap_err();
        exceeded(&error);
        let large = Module { more: "(table 2000 funcref)", ..Module::default() }.component();
        exceeded(&arena.load_bytes(&large, limits()).unwrap_err());
        let huge = Module { more: "(table 100000000 funcref)", ..Module::default() }.component();
        let refused = arena.load_bytes(&huge, limits()).unwrap_err();
        assert!(matches!(refused, SandboxError::NotAComponent { .. }), "{refused:?}");
        Outcome::Refused(error)
    }
}

/// One operation that would take the host a minute.
pub struct Multiplies;

impl Case for Multiplies {
    const GUEST: Guest = Guest::Node(Hostile::Multiply);

    fn provoke(arena: &Arena) -> Outcome {
        let begin = Instant::now();
        let error = arena.run(vec![("side", Value::Integer(6144))], short()).unwrap_err();
        timed_out(begin, &error);
        Outcome::Refused(error)
    }
}

/// Copies of half a memory into the other half without end: few instructions, each of them long.
pub struct Copies;

impl Case for Copies {
    const GUEST: Guest = Guest::Bytes(|| {
        let run = "
            (loop $for_ever
                (memory.copy (i32.const 67108864) (i32.const 0) (i32.const 67108864))
                (br $for_ever))
            unreachable";
        Module { pages: 2048, run, ..Module::default() }.component()
    });

    fn provoke(arena: &Arena) -> Outcome {
        let plugin = arena.load(short()).unwrap();
        let begin = Instant::now();
        let error = arena.run_in(&plugin, vec![], arena.host.context()).unwrap_err();
        timed_out(begin, &error);
        Outcome::Refused(error)
    }
}
