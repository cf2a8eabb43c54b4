//! Cases 37 to 46: what may be loaded, opened and reached, and what is no plugin and no model.
//!
//! A component with another description or another import is the hostile component with other
//! bytes of the same number in their place; it is a component still.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime};

use berth_hostile::Hostile;
use berth_memory::{Cancel, Tier};
use berth_sandbox::rights::{Folder, Grants, Requests, Right};
use berth_sandbox::{
    Digest, GuestError, NodeEvents, Plugin, Policy, RunContext, RunLimits, SandboxError, Value,
};
use berth_tests::HOSTILE;
use berth_tests::host::{DEMO, Options, manifest, text};
use berth_tests::oracle::data;
use wasmtime::Engine;

use super::tensors::{invalid, refusal};
use super::{Arena, Case, Guest, NAME, Outcome};

/// The bytes with each occurrence of some replaced by as many others.
fn replaced(bytes: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    assert_eq!(old.len(), new.len());
    let mut bytes = bytes.to_vec();
    let mut at = 0;
    let mut times = 0;
    while let Some(found) = bytes[at..].windows(old.len()).position(|window| window == old) {
        at += found;
        bytes[at..at + old.len()].copy_from_slice(new);
        at += old.len();
        times += 1;
    }
    assert!(times > 0, "{} is not there", String::from_utf8_lossy(old));
    bytes
}

/// The stock plugin that manages memory, as somebody else's: another digest.
fn memory_plugin() -> Vec<u8> {
    let (_, _, bytes) =
        berth_stock_plugins::components().iter().find(|(name, ..)| *name == "memory").unwrap();
    // A custom section of the name `x`, which means nothing to anybody.
    [*bytes, &[0, 2, 1, b'x']].concat()
}

/// Imports that nobody granted, that nobody requested, and that there are not.
pub struct Imports;

impl Case for Imports {
    const GUEST: Guest = Guest::Bytes(memory_plugin);

    fn provoke(arena: &Arena) -> Outcome {
        let memory = Requests { memory: true, ..Requests::default() };
        let load = |bytes: &[u8], requests: &Requests, allowed: &Requests| {
            let grants = Grants { allowed: allowed.clone(), ..Grants::default() };
            let policy = Policy { grants, ..Policy::default() };
            arena.host.sandbox().load(NAME, bytes, Some(manifest(NAME, requests)), &policy)
        };
        let bytes = arena.guest.bytes();
        // The operator alone, and nobody at all.
        for allowed in [&memory, &Requests::default()] {
            let error = load(&bytes, &Requests::default(), allowed).unwrap_err();
            let SandboxError::NotRequested { right: Right::Memory, .. } = &error else {
                panic!("{error:?}")
            };
            assert_eq!(error.plugin(), Some(NAME));
        }
        let error = load(&bytes, &memory, &Requests::default()).unwrap_err();
        let SandboxError::NotGranted { right: Right::Memory, .. } = &error else {
            panic!("{error:?}")
        };
        assert_eq!(error.plugin(), Some(NAME));
        // Without a manifest nothing is requested.
        let error = arena.host.sandbox().load(NAME, &bytes, None, &Policy::default());
        assert!(matches!(error, Err(SandboxError::NotRequested { .. })), "{error:?}");
        // All rights there are open no door that is not there.
        let unknown = replaced(&bytes, b"berth:node/memory@", b"berth:evil/memory@");
        let error = load(&unknown, &memory, &memory).unwrap_err();
        let SandboxError::UnknownImport { imports, .. } = &error else { panic!("{error:?}") };
        assert!(imports.starts_with("berth:evil/memory@"), "{imports}");
        drop(load(&bytes, &memory, &memory).unwrap());
        Outcome::Refused(error)
    }
}

/// Labels, prefixes and names of files that are paths.
pub struct Paths;

impl Case for Paths {
    const GUEST: Guest = Guest::Node(Hostile::Reach);

    fn provoke(arena: &Arena) -> Outcome {
        let host = &arena.host;
        let folders =
            [("input".to_owned(), Folder::Read), ("output".to_owned(), Folder::Write)].into();
        let models = vec!["checkpoints/*".parse().unwrap()];
        let rights = Requests { models, folders, ..Requests::default() };
        let guest = arena.load_with(&rights, RunLimits::default()).unwrap();
        let inputs = |way: &str, category: &str, name: &str| {
            vec![("way", text(way)), ("category", text(category)), ("name", text(name))]
        };
        let secret = host.folder().join("secret.safetensors");
        std::fs::write(&secret, "secret").unwrap();
        let input = host.folder().join("input");
        std::fs::create_dir_all(&input).unwrap();
        std::fs::write(input.join("mine.txt"), "mine").unwrap();
        std::os::unix::fs::symlink(&secret, input.join("link.txt")).unwrap();
        let long = "x".repeat(5000);
        let names = [
            "../../etc/passwd",
            "../secret.safetensors",
            "/etc/passwd",
            "a/../../secret.safetensors",
            "a\0.safetensors",
            "a\n.safetensors",
            "\u{1b}[2J.safetensors",
            "",
            ".",
            "..",
        ];
        for name in names {
            for way in ["model", "save", "output", "kind", "extension"] {
                invalid(arena, &guest, inputs(way, "checkpoints", name));
            }
            for way in ["input", "fingerprint"] {
                refusal(arena, &guest, inputs(way, "", name));
            }
            invalid(arena, &guest, inputs("model", name, DEMO));
        }
        let secret = secret.to_string_lossy();
        for way in ["input", "fingerprint"] {
            for name in ["link.txt", "mine.txt/", "../input/../secret.safetensors", &secret] {
                refusal(arena, &guest, inputs(way, "", name));
            }
            arena.run_in(&guest, inputs(way, "", "mine.txt"), host.context()).unwrap();
        }
        for way in ["model", "save", "input", "extension", "kind"] {
            refusal(arena, &guest, inputs(way, "checkpoints", &format!("{long}.safetensors")));
            refusal(arena, &guest, inputs(way, "checkpoints", &long));
        }
        arena.run_in(&guest, inputs("model", "checkpoints", DEMO), host.context()).unwrap();
        drop(guest);
        // Files that were written lie where they should, and nowhere else.
        let entries = std::fs::read_dir(host.folder()).unwrap();
        let mut entries: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        entries.retain(|name| name.to_str().is_none_or(|name| !name.starts_with("berth")));
        entries.sort();
        println!("{entries:?}");
        assert!(entries.iter().all(|name| {
            ["input", "output", "temporary", "secret.safetensors"].iter().any(|known| name == known)
        }));
        Outcome::Refused(one_key(arena, &rights))
    }
}

/// Models beside those that are requested and granted: the missing key is named.
fn one_key(arena: &Arena, rights: &Requests) -> SandboxError {
    let denied = |requests: &Requests, allowed: &Requests, category: &str| {
        let grants = Grants { allowed: allowed.clone(), ..Grants::default() };
        let policy = Policy { grants, ..Policy::default() };
        let manifest = Some(manifest(NAME, requests));
        let guest = arena.host.sandbox().load(NAME, HOSTILE, manifest, &policy).unwrap();
        let inputs = vec![
            ("way", text("model")),
            ("category", text(category)),
            ("name", text("other.safetensors")),
        ];
        let error = refusal(arena, &guest, inputs);
        let SandboxError::Guest { error: GuestError::AccessDenied(said), .. } = &error else {
            panic!("{error:?}")
        };
        let right = format!("models:{category}/other.safetensors");
        assert!(said.contains(&right), "{said}");
        (said.clone(), error)
    };
    let (said, _) = denied(rights, rights, "vae");
    assert!(said.contains("does not request"), "{said}");
    let (said, _) = denied(&Requests::default(), rights, "checkpoints");
    assert!(said.contains("does not request"), "{said}");
    let (said, error) = denied(rights, &Requests::default(), "checkpoints");
    assert!(said.contains("is not granted"), "{said}");
    error
}

/// Bytes that are no component.
pub struct OddBytes;

impl Case for OddBytes {
    const GUEST: Guest = Guest::Bytes(|| b"not wasm".to_vec());

    fn provoke(arena: &Arena) -> Outcome {
        const MODULE: &[u8] = b"\0asm\x01\0\0\0";
        const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";
        let load = |bytes: &[u8]| {
            let error = arena
                .host
                .sandbox()
                .load(NAME, bytes, None, &Policy::default())
                .expect_err("it is no plugin");
            let SandboxError::NotAComponent { reason, .. } = &error else { panic!("{error:?}") };
            assert!(reason.len() < 2000, "{reason}");
            (reason.clone(), error)
        };
        // Compiled code is native code: nothing checks what it does.
        let engine = Engine::default();
        for compiled in [engine.precompile_component(COMPONENT), engine.precompile_module(MODULE)] {
            let (reason, _) = load(&compiled.unwrap());
            assert!(reason.contains("it is compiled code"), "{reason}");
        }
        assert!(load(MODULE).0.contains("core module"));
        assert!(load(&[MODULE, HOSTILE].concat()).0.contains("core module"));
        for garbage in [&b""[..], b"\0", b"\0asm", b"\x7fELF", b"(component)", &[0xff; 4096][..]] {
            load(garbage);
        }
        load(COMPONENT);
        load(&[COMPONENT, &[0xff; 4096][..]].concat());
        load(&[COMPONENT, HOSTILE].concat());
        for length in (1..32).map(|part| HOSTILE.len() * part / 32).chain(0..16) {
            load(&HOSTILE[..length]);
        }
        load(&HOSTILE[..HOSTILE.len() - 1]);
        // Larger than any plugin, and refused for its size alone.
        let large = [COMPONENT, &vec![0; 64 << 20][..]].concat();
        let (reason, error) = load(&large);
        assert!(reason.contains("more than"), "{reason}");
        Outcome::Refused(error)
    }
}

/// A component in the place of another, and one with another's name.
pub struct Impostors;

impl Case for Impostors {
    const GUEST: Guest = Guest::Bytes(|| HOSTILE.to_vec());

    fn provoke(arena: &Arena) -> Outcome {
        let load = |digest: Option<Digest>, claims: &str| {
            let policy = Policy { digest, ..Policy::default() };
            let manifest = manifest(claims, &Requests::default());
            arena.host.sandbox().load(NAME, HOSTILE, Some(manifest), &policy)
        };
        let other = Digest::of(b"what the operator saw");
        let error = load(Some(other), NAME).unwrap_err();
        let SandboxError::WrongDigest { pinned, found, .. } = &error else { panic!("{error:?}") };
        assert_eq!((*pinned, *found), (other, Digest::of(HOSTILE)));
        assert_eq!(error.plugin(), Some(NAME));
        // A stock plugin's name in the manifest opens nothing of the stock plugin's.
        let error = load(None, "image").unwrap_err();
        let SandboxError::WrongName { claims, .. } = &error else { panic!("{error:?}") };
        assert_eq!(claims, "image");
        assert_eq!(arena.host.plugin("image").account().name(), "image");
        drop(load(Some(Digest::of(HOSTILE)), NAME).unwrap());
        Outcome::Refused(error)
    }
}

/// The hostile component, telling this lie of itself.
fn lying(lie: &str) -> Vec<u8> {
    let word = |lie: &str| format!("{:.<32}", format!("LIE:{lie}"));
    replaced(HOSTILE, word("an-honest-description").as_bytes(), word(lie).as_bytes())
}

/// Descriptions that are absurd, or of something else.
pub struct Lies;

impl Case for Lies {
    const GUEST: Guest = Guest::Node(Hostile::Liar);

    fn provoke(arena: &Arena) -> Outcome {
        let load = |lie: &str| {
            let policy = Policy::default();
            let manifest = Some(manifest(NAME, &Requests::default()));
            arena.host.sandbox().load(NAME, &lying(lie), manifest, &policy)
        };
        let mut last = None;
        for (lie, reason) in [
            ("million-inputs", "1000000 inputs"),
            ("million-outputs", "1000000 outputs"),
            ("million-choices", "1000000 choices"),
            ("million-aliases", "1000000 search aliases"),
            ("million-types", "1000001 types"),
            ("twins", "two node types are called `Liar`"),
            ("same-inputs", "two inputs are called `a`"),
            ("no-name", "is no name"),
            ("blank-input", "is no name"),
            ("long-name", "is no name"),
            ("escape", "is no name"),
            ("bidi", "is no name"),
            ("passes-nothing", "passes on `nothing`"),
            ("passes-itself", "passes on `o`"),
            ("bounds", "is over its greatest"),
            ("number-bounds", "is over its greatest"),
            ("nan", "no finite number"),
        ] {
            let error = load(lie).expect_err(lie);
            let SandboxError::BadDescription { reason: said, .. } = &error else {
                panic!("{lie}: {error:?}")
            };
            println!("{lie}: {said}");
            assert!(said.contains(reason), "{lie}: {said}");
            assert!(said.len() < 1000 && !said.contains(char::is_control), "{lie}: {said}");
            last = Some(error);
        }
        let long = load("long-texts").unwrap();
        let liar = long.node_types().iter().find(|kind| kind.name == "Liar").unwrap();
        assert!(liar.description.len() < 20_000 && !liar.description.contains('\u{1b}'));
        drop(long);
        // It is asked once, and has nothing to tell one asking from another by.
        let first = load("unstable").unwrap();
        let types = first.node_types().to_vec();
        assert!(types.iter().any(|kind| kind.name.starts_with("Liar-0-")));
        assert_eq!(load("unstable").unwrap().node_types(), types);
        drop(first);
        // What it gives is held against what it said.
        let guest = load("an-honest-description").unwrap();
        let error = guest.run("Twin", vec![], arena.host.context()).unwrap_err();
        let SandboxError::WrongOutputs { got: 1, expected: 0, .. } = &error else {
            panic!("{error:?}")
        };
        assert_eq!(error.plugin(), Some(NAME));
        Outcome::Refused(last.unwrap())
    }
}

/// A folder of models that are none, for as long as the tests run.
static MODELS: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hostile-models");
    std::fs::create_dir_all(folder.join("checkpoints")).unwrap();
    folder
});

fn model_path(label: &str) -> PathBuf {
    MODELS.join("checkpoints").join(label)
}

fn resize(path: &Path, length: u64) {
    File::options().write(true).open(path).unwrap().set_len(length).unwrap();
}

/// A model file: what its header says, and so many bytes after it.
fn model(header: &str, bytes: usize) -> Vec<u8> {
    let length = (header.len() as u64).to_le_bytes();
    [&length[..], header.as_bytes(), &vec![1; bytes][..]].concat()
}

/// Does something to the model when the guest begins to use it.
struct Meddles<F>(F);

impl<F: Fn() + Send + Sync> NodeEvents for Meddles<F> {
    fn progress(&self, _: u32, _: u32) {
        (self.0)();
    }
}

/// Headers that lie, and files that change while they are used.
pub struct Models;

impl Case for Models {
    const GUEST: Guest = Guest::Node(Hostile::Load);

    fn options() -> Options {
        Options { models: vec![data().join("models"), MODELS.clone()], ..Options::default() }
    }

    fn provoke(arena: &Arena) -> Outcome {
        let models = vec!["checkpoints/*".parse().unwrap()];
        let rights = Requests { models, ..Requests::default() };
        let guest = arena.load_with(&rights, RunLimits::default()).unwrap();
        let tensor = |dtype: &str, shape: &str, from: u64, to: u64| {
            format!(r#"{{"dtype":"{dtype}","shape":{shape},"data_offsets":[{from},{to}]}}"#)
        };
        let one = |tensor: String| format!(r#"{{"a":{tensor}}}"#);
        let two = |a: String, b: String| format!(r#"{{"a":{a},"b":{b}}}"#);
        let deep = format!(r#"{{"__metadata__":{}1{}}}"#, "[".repeat(1 << 20), "]".repeat(1 << 20));
        let label = "odd.safetensors";
        for bytes in [
            vec![],
            vec![1; 7],
            vec![0xff; 8],
            [&u64::MAX.to_le_bytes()[..], b"{}"].concat(),
            [&(u64::MAX - 7).to_le_bytes()[..], b"{}"].concat(),
            [&(1u64 << 40).to_le_bytes()[..], b"{}"].concat(),
            model("", 0),
            model("not json", 0),
            model("[]", 0),
            model(&deep, 0),
            model("\u{0}", 0),
            model(&one(tensor("F32", "[8589934592,2147483648]", 0, 4)), 4),
            model(&one(tensor("F32", "[18446744073709551615]", 0, 4)), 4),
            model(&one(tensor("F32", "[2]", 0, 4)), 4),
            model(&one(tensor("F32", "[1]", 4, 0)), 4),
            model(&one(tensor("F32", "[1]", 4, 8)), 8),
            model(&one(tensor("F32", "[0]", u64::MAX, u64::MAX)), 4),
            model(&one(tensor("F32", "[4]", 0, 16)), 8),
            model(&one(tensor("F32", "[1]", 0, 4)), 8),
            model(&one(tensor("F99", "[1]", 0, 4)), 4),
            model(&one(tensor("F32", "[-1]", 0, 4)), 4),
            model(&two(tensor("F32", "[1]", 0, 4), tensor("F32", "[1]", 2, 6)), 6),
            model(&two(tensor("F32", "[1]", 0, 4), tensor("F32", "[1]", 0, 4)), 4),
            model(&two(tensor("F32", "[1]", 0, 4), tensor("F32", "[1]", 8, 12)), 12),
        ] {
            std::fs::write(model_path(label), bytes).unwrap();
            let error = invalid(arena, &guest, vec![("label", text(label))]);
            assert!(error.to_string().contains(label), "{error}");
        }
        let error = lost(arena, &guest, "shrinks.safetensors", |path| resize(path, 100));
        lost(arena, &guest, "emptied.safetensors", |path| resize(path, 0));
        lost(arena, &guest, "grows.safetensors", |path| resize(path, 1 << 20));
        lost(arena, &guest, "rewritten.safetensors", |path| {
            let later = SystemTime::now() + Duration::from_secs(9);
            File::options().write(true).open(path).unwrap().set_modified(later).unwrap();
        });
        // What is replaced is read to its end as it was opened.
        load_model(arena, &guest, &model_path("replaced.safetensors"), |path| {
            let new = path.with_extension("new");
            std::fs::write(&new, "another").unwrap();
            std::fs::rename(&new, path).unwrap();
        })
        .unwrap();
        Outcome::Refused(error)
    }
}

/// A model of two tensors, larger than a page and than what is read ahead.
fn write_model(path: &Path) {
    let header = r#"{"a":{"dtype":"F32","shape":[65536],"data_offsets":[0,262144]},"b":{"dtype":"F32","shape":[65536],"data_offsets":[262144,524288]}}"#;
    std::fs::write(path, model(header, 524_288)).unwrap();
}

/// Has the guest use a model, while something is done to its file.
fn load_model(
    arena: &Arena,
    guest: &Arc<Plugin>,
    path: &Path,
    harm: impl Fn(&Path) + Send + Sync + 'static,
) -> Result<Vec<Value>, SandboxError> {
    write_model(path);
    let label = path.file_name().unwrap().to_str().unwrap();
    let file = path.to_owned();
    let events = Arc::new(Meddles(move || harm(&file)));
    let context = RunContext::new(Cancel::new(), events);
    arena.run_in(guest, vec![("label", text(label))], &context)
}

/// What the guest gets to hear of a model that is not what it was any more: which file it is.
fn lost(arena: &Arena, guest: &Arc<Plugin>, name: &str, harm: fn(&Path)) -> SandboxError {
    let error = load_model(arena, guest, &model_path(name), harm).expect_err(name);
    let SandboxError::Guest { error: GuestError::Failed(failure), .. } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(failure.code, "model-file", "{error}");
    assert!(failure.message.contains(name) && !failure.hint.is_empty(), "{failure:?}");
    error
}

/// One takes all there is; whoever comes after it must not pay for that.
pub struct Greedy;

/// The device, which the guest's tensors fill to the last byte.
const DEVICE: u64 = 24 << 20;

impl Case for Greedy {
    const GUEST: Guest = Guest::Node(Hostile::Greedy);

    fn options() -> Options {
        Options { device: DEVICE, host: 256 << 20, ..Options::default() }
    }

    fn provoke(arena: &Arena) -> Outcome {
        let guest = arena.load(RunLimits::default()).unwrap();
        let inputs = |mebibytes: i128| vec![("mebibytes", Value::Integer(mebibytes))];
        let out_of_memory = |mebibytes| {
            // The neighbour runs beside it all the while; here it also runs between.
            let error = refusal(arena, &guest, inputs(mebibytes));
            let SandboxError::Guest { error: GuestError::OutOfMemory(short), .. } = &error else {
                panic!("{error:?}")
            };
            assert!(short.requested > 0 && short.limit > 0, "{short:?}");
            error
        };
        for _ in 0..3 {
            // As many inputs as the device has bytes, and an output as large again.
            out_of_memory(24);
            let image = arena.host.tensor(&[1, 64, 64, 3], &[0.5; 64 * 64 * 3]);
            arena.host.run("ImageInvert", vec![("image", image)]);
        }
        // Two of them at once, each of which wants everything.
        std::thread::scope(|threads| {
            for _ in 0..2 {
                threads.spawn(|| out_of_memory(24));
            }
        });
        let error = out_of_memory(24);
        let charge = arena.host.compute().memory().charge(guest.account());
        assert_eq!((charge.device, charge.host), (0, 0));
        assert_eq!(arena.host.stats().tier(Tier::Device).limit, Some(DEVICE));
        Outcome::Refused(error)
    }
}
