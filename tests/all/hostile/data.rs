//! Cases 21 to 24: what guests pass by value.

use std::sync::Arc;
use std::time::Duration;

use berth_hostile::Hostile;
use berth_sandbox::{Plugin, RunLimits, SandboxError, Value};
use berth_tests::host::text;

use super::arena::NAME;
use super::text::Module;
use super::{Arena, Case, Guest, Outcome, crashed};
use crate::alone::{alone, growth};

const MIB: u64 = 1 << 20;

/// A list that is longer than a call may pass.
pub struct PassesMuch;

impl Case for PassesMuch {
    const GUEST: Guest = Guest::Node(Hostile::PassMuch);

    fn provoke(arena: &Arena) -> Outcome {
        if !alone("hostile::case_21_a_list_over_the_limit_of_a_host_call") {
            return Outcome::Coped;
        }
        let limits = RunLimits { host_call: MIB, ..RunLimits::default() };
        let plugin = arena.load(limits).unwrap();
        let run = |bytes: u64, how| {
            let inputs = vec![("bytes", Value::Integer(bytes.into())), ("how", text(how))];
            arena.run_in(&plugin, inputs, arena.host.context())
        };
        let mut last = None;
        for how in ["tensor", "text", "output"] {
            run(MIB / 2, how).unwrap();
            let grown = growth(|| last = Some(run(64 * MIB, how).unwrap_err()));
            // What the guest itself has of it, and no copy.
            assert!(grown < 96 * MIB, "{how}: {grown}");
            let Some(SandboxError::TooMuchAtOnce { limit: MIB, .. }) = last else {
                panic!("{how}: {last:?}")
            };
        }
        Outcome::Refused(last.unwrap())
    }
}

/// Many values that are nothing in the guest, and something in the host.
pub struct PassesMany;

/// Eight million empty strings, of which each is eight bytes of zeros in the guest.
fn empty_strings() -> Module {
    Module {
        pages: 1024,
        more: r#"(data (i32.const 40) "\00\00\01\00\00\12\7a\00")"#,
        needs: "(i32.const 32)",
        ..Module::default()
    }
}

impl Case for PassesMany {
    const GUEST: Guest = Guest::Bytes(|| empty_strings().component());

    fn provoke(arena: &Arena) -> Outcome {
        if !alone("hostile::case_22_eight_million_empty_strings") {
            return Outcome::Coped;
        }
        let limit = RunLimits::default().host_call;
        let plugin = arena.load(RunLimits::default()).unwrap();
        let mut error = None;
        let grown = growth(|| {
            error = plugin.needs("Attack", Vec::new(), arena.host.context()).err();
        });
        assert!(grown < 32 * MIB, "{grown}");
        assert!(matches!(error, Some(SandboxError::TooMuchAtOnce { .. })), "{error:?}");
        drop(plugin);

        // As many fields of an object as the limit lets pass: what becomes of them is bounded too.
        let fields = Module {
            imports: r#"(import "berth:node/values@0.2.0" "[static]object.create"
                (func $create (param i32 i32 i32 i32 i32)))"#,
            pages: 1500,
            run: "(call $create
                    (i32.const 64) (i32.const 0) (i32.const 4096) (i32.const 2900000) (i32.const 32))
                (i32.const 32)",
            ..Module::default()
        };
        let plugin = arena.load_bytes(&fields.component(), RunLimits::default()).unwrap();
        let grown = growth(|| {
            error = arena.run_in(&plugin, vec![], arena.host.context()).err();
        });
        println!("{grown} {error:?}");
        assert!(grown < 4 * limit, "{grown}");
        Outcome::Refused(error.unwrap())
    }
}

/// What imports are called that take texts, lists and handles.
const IMPORTS: &str = r#"
    (import "berth:node/context@0.2.0" "log" (func $log (param i32 i32 i32)))
    (import "berth:node/tensors@0.2.0" "from-bytes"
        (func $from_bytes (param i32 i32 i32 i32 i32 i32)))
    (import "berth:node/tensors@0.2.0" "full" (func $full (param i32 i32 i32 f64 i32)))"#;

/// Two bytes at 64 that begin no character.
const NO_TEXT: &str = r#"(data (i32.const 64) "\ff\fe")"#;

/// Texts that are none, and pointers to what is not there.
pub struct PointsAstray;

impl Case for PointsAstray {
    const GUEST: Guest = Guest::Bytes(|| {
        let run = "(call $log (i32.const 2) (i32.const 64) (i32.const 2)) (i32.const 16)";
        Module { imports: IMPORTS, more: NO_TEXT, run, ..Module::default() }.component()
    });

    fn provoke(arena: &Arena) -> Outcome {
        let outside = "lies outside of its memory";
        let across = "across its memory's words";
        for (run, words) in [
            // A text past the end, one that is longer than there are addresses.
            ("(call $log (i32.const 2) (i32.const -16) (i32.const 256)) (i32.const 16)", outside),
            ("(call $log (i32.const 2) (i32.const 64) (i32.const -1)) (i32.const 16)", outside),
            // Bytes past the end, a shape past the end, a shape between two words.
            (
                "(call $from_bytes (i32.const 0) (i32.const 16) (i32.const 1)
                    (i32.const 131071) (i32.const 2) (i32.const 32)) (i32.const 16)",
                outside,
            ),
            (
                "(call $from_bytes (i32.const 0) (i32.const 16) (i32.const 0x40000000)
                    (i32.const 16) (i32.const 0) (i32.const 32)) (i32.const 16)",
                outside,
            ),
            (
                "(call $from_bytes (i32.const 0) (i32.const 17) (i32.const 1)
                    (i32.const 16) (i32.const 0) (i32.const 32)) (i32.const 16)",
                across,
            ),
            // No such dtype; no such level.
            (
                "(call $from_bytes (i32.const 99) (i32.const 16) (i32.const 0)
                    (i32.const 16) (i32.const 0) (i32.const 32)) (i32.const 16)",
                "of no kind",
            ),
            ("(call $log (i32.const 77) (i32.const 64) (i32.const 0)) (i32.const 16)", "of no kind"),
            // An answer that would go past the end, or between two words.
            (
                "(call $full (i32.const 0) (i32.const 16) (i32.const 0) (f64.const 0)
                    (i32.const 131064)) (i32.const 16)",
                outside,
            ),
            (
                "(call $full (i32.const 0) (i32.const 16) (i32.const 0) (f64.const 0)
                    (i32.const 33)) (i32.const 16)",
                across,
            ),
            // A result past the end, between two words, of no kind, with a text that is none.
            ("(i32.const -8)", outside),
            ("(i32.const 131064)", outside),
            ("(i32.const 20)", across),
            ("(i32.store8 (i32.const 32) (i32.const 7)) (i32.const 32)", "of no kind"),
            (
                "(i32.store8 (i32.const 32) (i32.const 1)) (i32.store8 (i32.const 40) (i32.const 8))
                    (i32.store (i32.const 48) (i32.const 64)) (i32.store (i32.const 52) (i32.const 2))
                    (i32.const 32)",
                "no Unicode",
            ),
        ] {
            let module = Module { imports: IMPORTS, more: NO_TEXT, run, ..Module::default() };
            let plugin = arena.load_bytes(&module.component(), RunLimits::default()).unwrap();
            let error = arena.run_in(&plugin, vec![], arena.host.context()).unwrap_err();
            println!("{run}: {error}");
            crashed(&error, words);
        }
        let module = Module { describe: "(i32.const -4)", ..Module::default() };
        let error = arena.load_bytes(&module.component(), RunLimits::default()).unwrap_err();
        crashed(&error, outside);
        let error = arena.run(vec![], RunLimits::default()).unwrap_err();
        crashed(&error, "no Unicode");
        Outcome::Refused(error)
    }
}

/// A `realloc` that makes no room, or makes it elsewhere.
pub struct MakesNoRoom;

impl Case for MakesNoRoom {
    const GUEST: Guest =
        Guest::Bytes(|| Module { realloc: "(i32.const -8)", ..Module::default() }.component());

    fn provoke(arena: &Arena) -> Outcome {
        let limits = || RunLimits {
            run_time: Some(Duration::from_millis(200)),
            linear_memory: 32 << 20,
            ..RunLimits::default()
        };
        let run = |plugin: &Arc<Plugin>| {
            let inputs = vec![("x", Value::Integer(7)), ("y", text("a text"))];
            arena.run_in(plugin, inputs, arena.host.context())
        };
        let no_room = "it made no room for what the host gives";
        for (realloc, words) in [
            // The last bytes that are there, and one less than is needed.
            ("(i32.sub (i32.const 131073) (local.get $size))", no_room),
            ("(i32.const 131072)", no_room),
            // Between two words.
            ("(i32.const 4097)", no_room),
            ("unreachable", "it gave up"),
            (
                "(call $log (i32.const 2) (i32.const 64) (i32.const 0)) (i32.const 4096)",
                "it called the host while the host called it",
            ),
        ] {
            let module = Module { imports: IMPORTS, realloc, ..Module::default() };
            let plugin = arena.load_bytes(&module.component(), limits()).unwrap();
            let error = run(&plugin).unwrap_err();
            println!("{realloc}: {error}");
            crashed(&error, words);
        }
        // Over what it has already, and the same for everything: that is its own memory to spoil.
        for realloc in ["(i32.const 0)", "(i32.const 4096)"] {
            let module = Module { realloc, ..Module::default() };
            let plugin = arena.load_bytes(&module.component(), limits()).unwrap();
            if let Err(error) = run(&plugin) {
                assert_eq!(error.plugin(), Some(NAME), "{error:?}");
            }
        }
        let module = Module { realloc: "(loop $l (br $l)) unreachable", ..Module::default() };
        let plugin = arena.load_bytes(&module.component(), limits()).unwrap();
        let error = run(&plugin).unwrap_err();
        assert!(matches!(error, SandboxError::TimedOut { .. }), "{error:?}");
        drop(plugin);
        let module = Module {
            realloc: "(loop $l
                (br_if $l (i32.ge_s (memory.grow (i32.const 16)) (i32.const 0))))
                unreachable",
            ..Module::default()
        };
        let plugin = arena.load_bytes(&module.component(), limits()).unwrap();
        let error = run(&plugin).unwrap_err();
        assert!(matches!(error, SandboxError::GuestMemory { .. }), "{error:?}");
        drop(plugin);
        let error = run(&arena.load(limits()).unwrap()).unwrap_err();
        crashed(&error, no_room);
        Outcome::Refused(error)
    }
}
