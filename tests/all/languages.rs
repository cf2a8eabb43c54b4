//! The same two nodes in every language give the same bits, wherever their bytes were.
//!
//! Each test builds its language's example from nothing, with tools that are installed by the
//! command that authors are told. The first four languages are tested with every change, the others
//! by `BERTH_LANGUAGES=all cargo test --workspace languages`.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use berth_memory::{Cancel, OffloadModeName};
use berth_sandbox::{Folders, GuestError, RunContext, SandboxError, Value};
use berth_tests::host::{Heard, Host, Options, text};
use berth_tests::languages::{Example, FIRST, SECOND, UPSCALER, pictures};
use berth_workflow::Settings;

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

fn same_as_rust(language: &str) {
    let Some(example) = Example::of(language) else { return };
    let built = example.project.build().unwrap();
    println!("{language}: {} kB in {:.1?}", built.size / 1000, built.time);
    fits(&example);
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
    let place = |name: &str| example.folder().join(name);
    let mut settings = Settings::new(Folders {
        output: place("output"),
        temporary: place("temporary"),
        input: place("input"),
    });
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/compiled-for-tests");
    settings.compiled_cache = Some(target);
    let checked = example.project.check(&settings).unwrap();
    assert!(checked.findings.is_empty(), "{:?}", checked.findings);
    let nodes = checked.inspected.plugin.unwrap().node_types().to_vec();
    let described = format!("{nodes:#?}");
    for part in ["Sharpen", "Upscale", "image/filters", "image/upscaling", "upscale_models"] {
        assert!(described.contains(part), "{part} is not in {described}");
    }
}

fn second_tier(language: &str) {
    if std::env::var("BERTH_LANGUAGES").is_ok_and(|languages| languages == "all") {
        same_as_rust(language);
    } else {
        println!("{language}: skipped; BERTH_LANGUAGES=all tests it");
    }
}

#[test]
fn rust() {
    same_as_rust("rust");
}

#[test]
fn c() {
    same_as_rust("c");
}

#[test]
fn python() {
    same_as_rust("python");
}

#[test]
fn javascript() {
    same_as_rust("javascript");
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
