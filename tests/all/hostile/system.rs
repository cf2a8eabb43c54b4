//! Cases 9, 38, 39 and 42: what a component asks of the system, and of the compiler.

use std::sync::Arc;
use std::time::{Duration, Instant};

use berth_compute::Compute;
use berth_memory::{Limits, OffloadModeName, Setup, offload};
use berth_sandbox::rights::{Grants, Requests};
use berth_sandbox::{
    CompileLimits, Compiler, Folders, ModelFolders, Plugin, Policy, RunLimits, Sandbox,
    SandboxError, Settings,
};
use berth_tests::EXPLORER;
use berth_tests::bombs::{deep_types, enormous_body, many_functions};
use berth_tests::host::manifest;

use super::{Arena, Case, Guest, NAME, Outcome};
use crate::wasi::{Ask, Maze, as_text, demand, escapes_fail, nothing_is_reached};

fn explorer() -> Vec<u8> {
    EXPLORER.to_vec()
}

/// What the plugin's nodes say, with the right to nothing else than it was loaded with.
fn asking(arena: &Arena, plugin: &Arc<Plugin>, act: impl FnOnce(Ask<'_>)) {
    act(&|node, inputs| {
        let inputs = inputs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        as_text(plugin.run(node, inputs, arena.host.context()).unwrap().remove(0))
    });
}

/// Polls what is ready at once, for ever.
pub struct Polls;

impl Case for Polls {
    const GUEST: Guest = Guest::Bytes(explorer);

    fn provoke(arena: &Arena) -> Outcome {
        let limit = Duration::from_millis(200);
        let limits = RunLimits { run_time: Some(limit), ..RunLimits::default() };
        let plugin = arena.load(limits).unwrap();
        let begin = Instant::now();
        let inputs = demand("spin").into_iter().map(|(name, value)| (name.to_owned(), value));
        let error = plugin.run("Demand", inputs.collect(), arena.host.context()).unwrap_err();
        assert!(matches!(error, SandboxError::TimedOut { .. }), "{error:?}");
        assert!(begin.elapsed() < Duration::from_secs(5));
        Outcome::Refused(error)
    }
}

/// Leaves a folder that it may write to by every way there is.
pub struct Escapes;

impl Case for Escapes {
    const GUEST: Guest = Guest::Bytes(explorer);

    fn provoke(arena: &Arena) -> Outcome {
        let maze = Maze::new();
        let mut rights = Requests::default();
        let mut grants = Grants::default();
        for (label, path, access) in maze.granted() {
            rights.folders.insert(label.into(), access);
            grants.paths.insert(label.into(), path.into());
        }
        grants.allowed = rights.clone();
        let policy = Policy { grants, ..Policy::default() };
        let manifest = manifest(NAME, &rights);
        let plugin = arena.host.sandbox().load(NAME, EXPLORER, Some(manifest), &policy).unwrap();
        asking(arena, &plugin, |ask| escapes_fail(&maze, ask));
        Outcome::Coped
    }
}

/// Tries sockets, names and variables without a right to any.
pub struct Reaches;

impl Case for Reaches {
    const GUEST: Guest = Guest::Bytes(explorer);

    fn provoke(arena: &Arena) -> Outcome {
        let plugin = arena.load(RunLimits::default()).unwrap();
        asking(arena, &plugin, nothing_is_reached);
        Outcome::Coped
    }
}

/// Is hard to compile.
pub struct Bombs;

impl Case for Bombs {
    const GUEST: Guest = Guest::Bytes(many_functions);

    fn provoke(arena: &Arena) -> Outcome {
        let place = tempfile::tempdir().unwrap();
        let path = |name: &str| place.path().join(name);
        let folders = Folders { output: path("o"), temporary: path("t"), input: path("i") };
        let mode = offload::mode(OffloadModeName::Planned);
        let compute = Compute::with(Setup::new(Limits { device: 1 << 20, host: 1 << 20 }, mode));
        let limits = CompileLimits { time: Duration::from_secs(1), memory: 256 << 20 };
        let program = env!("CARGO_BIN_EXE_compiler").into();
        let compiler = Compiler::Child { program, arguments: Vec::new(), limits };
        let settings = Settings { compiler, ..Settings::default() };
        let models = ModelFolders::new(Vec::new());
        let sandbox = Sandbox::new(compute, models, folders, settings).unwrap();
        let begin = Instant::now();
        let load = |bytes: &[u8]| sandbox.load(NAME, bytes, None, &Policy::default()).unwrap_err();
        let ended = |error: &SandboxError| {
            matches!(
                error,
                SandboxError::CompileTimedOut { .. } | SandboxError::CompileMemory { .. }
            )
        };
        let error = load(&arena.guest.bytes());
        assert!(ended(&error), "{error:?}");
        let body = load(&enormous_body(2000, 2000));
        assert!(ended(&body), "{body:?}");
        // What is no type is not compiled at all.
        let types = load(&deep_types());
        assert!(matches!(types, SandboxError::NotAComponent { .. }), "{types:?}");
        assert!(begin.elapsed() < Duration::from_secs(20));
        Outcome::Refused(error)
    }
}
