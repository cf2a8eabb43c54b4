//! Every language's SDK: what it gives, and that it is whole.
//!
//! The same two nodes in every language give the same bits, wherever their bytes were, and take no
//! pixel into the guest. The project that an author begins with builds and passes its tests. The
//! plugin that calls everything of the SDK finds nothing wrong. What is generated is fresh.
//!
//! Each plugin is built from nothing, with tools that are installed by the command that authors are
//! told. The first four languages are tested with every change, the others by
//! `BERTH_LANGUAGES=all cargo test --workspace languages`.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use berth_compute::DType;
use berth_memory::{Cancel, MemoryError, OffloadModeName, Source};
use berth_sandbox::rights::Grants;
use berth_sandbox::{
    Folders, GuestError, Manifest, Policy, RunContext, RunLimits, SandboxError, Value,
};
use berth_tests::host::{Heard, Host, Options, text};
use berth_tests::languages::{Example, FIRST, SECOND, UPSCALER, is_fresh, pictures};
use berth_tests::oracle::data;
use berth_trial::suite;
use berth_workflow::{Decided, Event, Run, Settings, Workflow, runtime};

/// The picture that the nodes work on.
const SIZE: (usize, usize) = (48, 64);

/// A device that the network's largest layer fits and its run does not.
const ROOM: u64 = 768 << 10;

/// What Rust's nodes make of the picture.
fn wanted() -> &'static [Vec<u32>; 2] {
    static WANTED: OnceLock<[Vec<u32>; 2]> = OnceLock::new();
    WANTED.get_or_init(|| {
        let example = Example::of("rust").unwrap();
        example.project.build().unwrap();
        let mut host = Host::empty(Options::default());
        example.load(&mut host);
        pictures(&host, SIZE.0, SIZE.1)
    })
}

/// Everything that is asked of a language.
fn is_whole(language: &str) {
    let Some(example) = Example::of(language) else { return };
    same_as_rust(language, &example);
    takes_no_pixel(language, &example);
    begins_well(language, &example);
    does_everything(language);
    is_fresh(language, &example.project);
}

fn same_as_rust(language: &str, example: &Example) {
    let built = example.project.build().unwrap();
    println!("{language}: {} kB in {:.1?}", built.size / 1000, built.time);
    fits(example);
    let wanted = wanted();
    assert!(wanted[0].len() == SIZE.0 * SIZE.1 * 3 && wanted[1].len() == 4 * wanted[0].len());
    let is_wanted = |host: &Host, how: &str| {
        assert!(pictures(host, SIZE.0, SIZE.1) == *wanted, "{language} differs from Rust {how}");
    };
    let mut roomy = Host::empty(Options::default());
    let plugin = example.load(&mut roomy);
    is_wanted(&roomy, "with all the room there is");
    assert_eq!(roomy.stats().evictions, 0);
    let all = roomy.stats().tier(berth_memory::Tier::Device).peak;
    assert!(all > ROOM, "{all} bytes fit the small device at once");
    for mode in [OffloadModeName::Sequential, OffloadModeName::Planned] {
        let mut small = Host::empty(Options { device: ROOM, mode, ..Options::default() });
        example.load(&mut small);
        is_wanted(&small, &format!("on a small device, {mode}"));
        assert!(small.stats().evictions > 0, "nothing left the device in {mode}");
    }
    let mut limited = Host::empty(Options::default());
    example.load(&mut limited);
    limited.device_quota("pictures", ROOM);
    is_wanted(&limited, "under a quota");
    assert!(limited.stats().evictions > 0, "nothing left the device under the quota");

    // What it says while it runs, and what it says is wrong.
    let heard = Arc::new(Heard::default());
    let context = RunContext::new(Cancel::new(), heard.clone());
    let image = roomy.tensor(&[1, 2, 2, 3], &[0.5; 12]);
    let inputs =
        |image: Value| vec![("image".to_owned(), image), ("model_name".to_owned(), text(UPSCALER))];
    plugin.run("Upscale", inputs(image), &context).unwrap();
    assert_eq!(*heard.0.lock().unwrap(), ["1/3", "2/3", "3/3"], "{language}");
    let grey = roomy.tensor(&[1, 2, 2, 1], &[0.5; 4]);
    let error = plugin.run("Upscale", inputs(grey), &context).unwrap_err();
    let SandboxError::Guest { error, .. } = error else { panic!("{language}: {error}") };
    assert!(matches!(error, GuestError::InvalidArgument(_)), "{language}: {error}");
    let flat = roomy.tensor(&[2, 2], &[0.5; 4]);
    let error = plugin.run("Sharpen", vec![("image".into(), flat)], &context).unwrap_err();
    let SandboxError::Guest { error, .. } = error else { panic!("{language}: {error}") };
    assert!(matches!(error, GuestError::InvalidArgument(_)), "{language}: {error}");
}

/// There is nothing to mend, and the nodes are described as they should be.
fn fits(example: &Example) {
    let checked = example.project.check(&settings(example)).unwrap();
    assert!(checked.findings.is_empty(), "{:?}", checked.findings);
    let nodes = checked.inspected.plugin.unwrap().node_types().to_vec();
    let described = format!("{nodes:#?}");
    for part in ["Sharpen", "Upscale", "image/filters", "image/upscaling", "upscale_models"] {
        assert!(described.contains(part), "{part} is not in {described}");
    }
}

/// A host's settings, whose folders go with the example.
fn settings(example: &Example) -> Settings {
    let place = |name: &str| example.folder().join(name);
    let folders =
        Folders { output: place("output"), temporary: place("temporary"), input: place("input") };
    Settings { compiled_cache: Some(compiled()), ..Settings::new(folders) }
}

fn compiled() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/compiled-for-tests")
}

/// An image that counts how many bytes of it are read.
#[derive(Debug)]
struct Watched {
    bytes: Vec<u8>,
    read: AtomicU64,
}

impl Source for Watched {
    fn read(&self, offset: u64, into: &mut [u8]) -> Result<(), MemoryError> {
        into.copy_from_slice(&self.bytes[offset as usize..][..into.len()]);
        self.read.fetch_add(into.len() as u64, Ordering::Relaxed);
        Ok(())
    }

    fn describe(&self) -> String {
        "a watched image".into()
    }
}

/// No pixel enters the guest, and none leaves it.
///
/// The image stays on no tier, for want of room on the host: who reads it reads its source. Both
/// nodes have it permuted by the host, which reads it once; a guest that reads it is one more. Of
/// what the host makes of it such reads are not counted, but a guest that gave back what it made
/// itself would have to pass more than one call may.
fn takes_no_pixel(language: &str, example: &Example) {
    let limits = RunLimits { host_call: 16 << 10, ..RunLimits::default() };
    let mode = OffloadModeName::Sequential;
    let room = Options { host: 32 << 10, spill: 1 << 30, ..Options::default() };
    let mut host = Host::empty(Options { mode, limits, ..room });
    example.load(&mut host);
    let shape = [1, SIZE.0, SIZE.1, 3];
    let bytes = bytemuck::cast_slice(&vec![0.5f32; shape.iter().product()]).to_vec();
    let all = bytes.len() as u64;
    assert!(all > 32 << 10);
    let source = Arc::new(Watched { bytes, read: AtomicU64::new(0) });
    let read = || source.read.swap(0, Ordering::Relaxed);
    let image = host.compute().weight(host.scope(), source.clone(), 0, DType::F32, &shape);
    let image = Value::Tensor(image.unwrap());
    let amount = ("amount", Value::Number(1.5));
    host.run("Sharpen", vec![("image", image.clone()), amount]);
    assert_eq!(read(), all, "{language}: Sharpen read its image");
    host.run("Upscale", vec![("image", image.clone()), ("model_name", text(UPSCALER))]);
    assert_eq!(read(), all, "{language}: Upscale read its image");
    // This is what a guest's `read` comes to: it would be seen.
    let Value::Tensor(image) = &image else { unreachable!() };
    image.read(0, &mut [0; 4]).unwrap();
    assert_eq!(read(), 4);
}

/// The project that an author begins with is built, has nothing to mend, and passes its own tests.
fn begins_well(language: &str, example: &Example) {
    let begun = Example::created(language).unwrap();
    // What cargo made of others' crates serves both.
    let made = example.project.folder().join("target");
    if made.exists() {
        std::os::unix::fs::symlink(made, begun.project.folder().join("target")).unwrap();
    }
    begun.project.build().unwrap();
    let checked = begun.project.check(&settings(&begun)).unwrap();
    assert!(checked.findings.is_empty(), "{language}: {:?}", checked.findings);
    let options = suite::Options { compiled_cache: Some(compiled()), ..Default::default() };
    let summary = suite::run(begun.project.folder(), &options, &Said).unwrap();
    assert_eq!((summary.passed, summary.failed), (2, 0), "{language}");
}

/// Prints which tests did not pass, and why.
struct Said;

impl suite::Reporter for Said {
    fn begins(&self, _: suite::Begun<'_>) {}

    fn ended(&self, ended: suite::Ended<'_>) {
        if !ended.problems.is_empty() {
            println!("{}: {:?} {:?}", ended.name, ended.problems, ended.said);
        }
    }
}

/// The plugin that calls everything of an SDK runs its workflow, and finds no problems. Rust's is what
/// the stock plugins and the hostile ones are written with.
fn does_everything(language: &str) {
    let path = match language {
        "c" | "cpp" | "go" | "python" | "zig" => "tests/every",
        "javascript" => "tests/everything",
        _ => return,
    };
    let every = Example::copied(language, path).unwrap();
    every.project.build().unwrap();
    let input = every.folder().join("input");
    std::fs::create_dir_all(&input).unwrap();
    std::fs::copy(data().join("pictures/digits.png"), input.join("x.png")).unwrap();
    let manifest = Manifest::read(&every.project.built().join("plugin.toml")).unwrap();
    let grants = Grants { allowed: manifest.requests.clone(), ..Grants::default() };
    let policy = Policy { grants, ..Policy::default() };
    let settings = Settings {
        plugins: vec![every.project.plugins()],
        models: vec![data().join("models")],
        decided: [(manifest.name, Decided { policy, ..Decided::default() })].into(),
        ..settings(&every)
    };
    let host = berth_workflow::Host::open(settings, berth_stock_plugins::components()).unwrap();
    assert!(host.broken().is_empty(), "{language}: {:?}", host.broken());
    let workflow = std::fs::read(every.project.folder().join("workflow.json")).unwrap();
    let cancel = Cancel::new();
    let plan = host.runner().validate(&Workflow::parse(&workflow).unwrap(), None, &cancel).unwrap();
    let observer = |event: Event| match event {
        Event::Log { node, message, .. } => println!("{node}: {message}"),
        Event::ExecutionError(failure) => println!("{failure:?}"),
        _ => {}
    };
    let run = Run { prompt_id: "every".into(), cancel, observer: Arc::new(observer) };
    let outcome = runtime().unwrap().block_on(host.runner().run(Arc::new(plan), run)).unwrap();
    let texts: Vec<&String> = outcome.results.values().flat_map(|shown| &shown.texts).collect();
    assert!(!texts.is_empty(), "{language}: nothing was shown");
    for text in texts {
        // Where a node collects its problems, it shows them: none, or an empty list.
        let problems =
            ["problems:", "second:"].into_iter().find_map(|head| text.strip_prefix(head));
        let none = problems.is_none_or(|rest| rest.trim_matches(['[', ']', ' ']).is_empty());
        assert!(none, "{language}: {text}");
    }
}

fn second_tier(language: &str) {
    if std::env::var("BERTH_LANGUAGES").is_ok_and(|languages| languages == "all") {
        is_whole(language);
    } else {
        println!("{language}: skipped; BERTH_LANGUAGES=all tests it");
    }
}

#[test]
fn rust() {
    is_whole("rust");
}

#[test]
fn c() {
    is_whole("c");
}

#[test]
fn python() {
    is_whole("python");
}

#[test]
fn javascript() {
    is_whole("javascript");
}

#[test]
fn cpp() {
    second_tier("cpp");
}

#[test]
fn zig() {
    second_tier("zig");
}

#[test]
fn go() {
    second_tier("go");
}

#[test]
fn every_language_is_tested() {
    let mut tested: Vec<&str> = FIRST.into_iter().chain(SECOND).collect();
    tested.sort_unstable();
    assert_eq!(berth_authoring::languages(), tested);
}
