//! What becomes of components that are made to be hard to load.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use berth_compute::Compute;
use berth_memory::{Limits, OffloadModeName, Setup, offload};
use berth_sandbox::rights::{Grants, Requests};
use berth_sandbox::{
    CompileLimits, Compiler, Folders, ModelFolders, Plugin, Policy, Sandbox, SandboxError, Settings,
};
use berth_tests::GUESTS;
use berth_tests::bombs::{component, deep_types, doubling_types, enormous_body, many_functions};
use berth_tests::host::manifest;
use wasm_encoder::Encode;

/// A host without plugins that compiles in another process.
struct Dock {
    sandbox: Arc<Sandbox>,
    cache: tempfile::TempDir,
}

impl Dock {
    fn new(limits: CompileLimits) -> Self {
        let program = PathBuf::from(env!("CARGO_BIN_EXE_compiler"));
        Self::with(Compiler::Child { program, arguments: Vec::new(), limits })
    }

    fn with(compiler: Compiler) -> Self {
        let cache = tempfile::tempdir().unwrap();
        let place = |name: &str| cache.path().join(name);
        let folders =
            Folders { output: place("out"), temporary: place("temporary"), input: place("in") };
        let mode = offload::mode(OffloadModeName::Planned);
        let compute = Compute::with(Setup::new(Limits { device: 1 << 30, host: 1 << 30 }, mode));
        let settings =
            Settings { compiled_cache: Some(place("cache")), compiler, ..Settings::default() };
        let sandbox =
            Sandbox::new(compute, ModelFolders::new(Vec::new()), folders, settings).unwrap();
        Self { sandbox, cache }
    }

    fn load(&self, name: &str, component: &[u8]) -> Result<Arc<Plugin>, SandboxError> {
        let models = vec!["*/*".parse().unwrap()];
        let folders = [("output".into(), berth_sandbox::rights::Folder::Write)].into();
        let rights = Requests { models, folders, ..Requests::default() };
        let grants = Grants { allowed: rights.clone(), ..Grants::default() };
        let policy = Policy { grants, ..Policy::default() };
        self.sandbox.load(name, component, Some(manifest(name, &rights)), &policy)
    }
}

fn limits(seconds: u64, memory: u64) -> CompileLimits {
    CompileLimits { time: Duration::from_secs(seconds), memory }
}

#[test]
fn a_plugin_that_another_process_compiled_loads_and_is_kept() {
    let dock = Dock::new(CompileLimits::default());
    let plugin = dock.load("guests", GUESTS).unwrap();
    assert!(plugin.node_types().iter().any(|node| node.name == "Spin"));
    drop(plugin);
    // From the cache it loads even where no compiler starts.
    let nowhere = Compiler::Child {
        program: "/nonexistent".into(),
        arguments: Vec::new(),
        limits: CompileLimits::default(),
    };
    let other = Dock::with(nowhere);
    let error = other.load("guests", GUESTS).unwrap_err();
    assert!(matches!(error, SandboxError::CompileFailed { .. }), "{error}");
    let entries = |dock: &Dock| dock.cache.path().join("cache/compiled-v2");
    for entry in std::fs::read_dir(entries(&dock)).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), entries(&other).join(entry.file_name())).unwrap();
    }
    other.load("guests", GUESTS).unwrap();
}

#[test]
fn what_the_compiler_refuses_is_refused_in_its_words_wherever_it_runs() {
    let module_with_a_stray_end = component(1, b"\0asm\x01\0\0\0\x0a\x01\x01");
    for dock in [Dock::new(CompileLimits::default()), Dock::with(Compiler::InProcess)] {
        for bytes in [&module_with_a_stray_end[..], &doubling_types(), &deep_types()] {
            let error = dock.load("odd", bytes).unwrap_err();
            assert!(matches!(error, SandboxError::NotAComponent { .. }), "{error}");
            assert_eq!(error.plugin(), Some("odd"));
            println!("{error}");
        }
    }
}

#[test]
fn all_imports_that_no_plugin_is_given_are_named_at_once() {
    let names = ["wasi:http/types@0.2.0", "made:up/interface@1.0.0"];
    let mut imports = vec![2];
    for name in names {
        // A plain name, of an instance of the only type.
        imports.push(0);
        name.encode(&mut imports);
        imports.extend([5, 0]);
    }
    // The type of an instance with nothing in it, and then the imports.
    let mut bytes = component(7, &[1, 0x42, 0]);
    bytes.extend(&component(10, &imports)[8..]);
    let error = Dock::with(Compiler::InProcess).load("greedy", &bytes).unwrap_err();
    assert!(matches!(error, SandboxError::UnknownImport { .. }), "{error}");
    for name in names {
        assert!(error.to_string().contains(name), "{error}");
    }
}

#[test]
fn a_compiler_that_takes_too_long_is_ended() {
    let dock = Dock::new(limits(1, 4 << 30));
    let bomb = enormous_body(2000, 300);
    let begin = Instant::now();
    let error = dock.load("bomb", &bomb).unwrap_err();
    println!("{error}, {:?} with {} bytes", begin.elapsed(), bomb.len());
    assert!(matches!(error, SandboxError::CompileTimedOut { .. }), "{error}");
    assert_eq!(error.plugin(), Some("bomb"));
    assert!(error.hint().is_some() && begin.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_compiler_that_takes_too_much_memory_is_ended() {
    let dock = Dock::new(limits(60, 128 << 20));
    let bomb = enormous_body(2000, 2000);
    let begin = Instant::now();
    let error = dock.load("bomb", &bomb).unwrap_err();
    println!("{error}, {:?} with {} bytes", begin.elapsed(), bomb.len());
    assert!(matches!(error, SandboxError::CompileMemory { .. }), "{error}");
    assert_eq!(error.plugin(), Some("bomb"));
}

/// Says that this process has nothing else to do than one test.
const ALONE: &str = "BERTH_TEST_ALONE";

#[test]
fn compile_bombs_leave_the_host_as_it_was() {
    if std::env::var_os(ALONE).is_none() {
        // What a process takes says something only where no other test runs.
        let this = "loading::compile_bombs_leave_the_host_as_it_was";
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args([this, "--exact", "--nocapture"])
            .env(ALONE, "1")
            .output()
            .unwrap();
        println!("{}", String::from_utf8_lossy(&output.stdout));
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        return;
    }
    let bombs = [many_functions(), enormous_body(2000, 2000), doubling_types(), deep_types()];
    let dock = Dock::new(limits(4, 1 << 30));
    dock.load("guests", GUESTS).unwrap();
    let before = this_process();
    for bomb in &bombs {
        let begin = Instant::now();
        let error = dock.load("bomb", bomb).unwrap_err();
        let took = begin.elapsed();
        println!("{} bytes, {took:?}: {error}", bomb.len());
        assert_eq!(error.plugin(), Some("bomb"));
        assert!(took < Duration::from_secs(30));
    }
    // A thread that was waited for is counted for a moment longer.
    std::thread::sleep(Duration::from_millis(200));
    let after = this_process();
    println!("before {before:?}, after {after:?}");
    assert!(after.peak < before.peak + (64 << 20));
    assert_eq!((after.files, after.threads, after.children), (before.files, before.threads, 0));
    dock.load("guests", GUESTS).unwrap();
}

#[derive(Debug)]
struct Process {
    /// The most bytes of memory that it ever had.
    peak: u64,
    files: usize,
    threads: usize,
    /// Its children, dead ones that nobody waited for included.
    children: usize,
}

fn this_process() -> Process {
    let folder = Path::new("/proc/self");
    let status = std::fs::read_to_string(folder.join("status")).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let count = |what: &str| std::fs::read_dir(folder.join(what)).unwrap().count();
    let parent = format!("PPid:\t{}\n", std::process::id());
    let children = std::fs::read_dir("/proc").unwrap().filter(|entry| {
        let status = entry.as_ref().unwrap().path().join("status");
        std::fs::read_to_string(status).is_ok_and(|status| status.contains(&parent))
    });
    Process {
        peak: peak.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10,
        files: count("fd"),
        threads: count("task"),
        children: children.count(),
    }
}
