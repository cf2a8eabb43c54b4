//! Plugins as packages: packed, sent to a registry, installed from it, pinned.
//!
//! Everything goes through a registry in this process, which can also misbehave, and what is right
//! through a real one too: Debian's `docker-registry`, if it is there. `BERTH_REQUIRE_REGISTRY=1`
//! makes it a failure that it is not.

mod registry;

use std::collections::BTreeMap;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use berth_sandbox::Digest;
use berth_sandbox::manifest::{embed, embedded};
use serde_json::json;
use tempfile::TempDir;

use self::registry::{PASSWORD, Registry, Trick, USER};
use crate::{Desk, fails};

const VARIABLE: &str = "BERTH_REGISTRY_PASSWORD";

/// All that a failure must leave as it is.
type State = BTreeMap<String, Vec<u8>>;

/// A desk where plugins are packed and installed.
struct Shop(Desk);

impl Shop {
    fn new() -> Self {
        Self(Desk::new())
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.0.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.0.path(name)).unwrap()
    }

    fn lock(&self) -> String {
        String::from_utf8(self.read("berth.lock")).unwrap()
    }

    /// `berth plugin …`, with nothing that this machine knows of registries.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.0.berth(&[&["plugin"], arguments].concat());
        command.env("DOCKER_CONFIG", self.0.path("docker")).env_remove(VARIABLE);
        for proxy in ["http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"] {
            command.env_remove(proxy);
        }
        command
    }

    fn plugin(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn does(&self, arguments: &[&str]) -> String {
        said(&self.plugin(arguments))
    }

    /// A project whose component is built.
    fn project(&self, folder: &str, name: &str, version: &str, more: &str) {
        let manifest = format!(
            "# of its author\nname = {name:?}\nversion = {version:?}\ncontract = \"0.2.0\"\n\
             description = \"Does what no plugin should.\"\n{more}\n[build]\nlanguage = \"rust\"\n"
        );
        self.write(&format!("{folder}/plugin.toml"), manifest);
        self.write(&format!("{folder}/build/{name}/{name}.wasm"), berth_tests::GUESTS);
    }

    /// A packed plugin.
    fn packed(&self, name: &str, version: &str, more: &str) -> String {
        self.project("project", name, version, more);
        let file = format!("{name}-{version}.wasm");
        self.does(&["pack", "project", "-o", &file]);
        file
    }

    fn publish(&self, registry: &str, version: &str, tag: &str) -> String {
        let file = self.packed("guests", version, "");
        let reference = format!("{registry}/plugins/guests:{tag}");
        self.does(&["publish", &file, &reference]);
        reference
    }

    /// Runs the node `Idle` of the plugin, which has to be found without a word about it.
    fn runs(&self) -> Output {
        let workflow = json!({ "1": { "class_type": "Idle", "inputs": {} } });
        self.write("idle.json", workflow.to_string());
        self.0.run(&self.0.path("idle.json"), &[])
    }

    /// The lock, and every file of the plugin folder.
    fn state(&self) -> State {
        let mut state = State::new();
        if let Ok(entries) = std::fs::read_dir(self.0.path("plugins")) {
            for entry in entries {
                let path = entry.unwrap().path();
                state.insert(path.display().to_string(), std::fs::read(path).unwrap());
            }
        }
        if let Ok(lock) = std::fs::read(self.0.path("berth.lock")) {
            state.insert("lock".into(), lock);
        }
        state
    }
}

fn said(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    println!("{text}");
    text
}

fn has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is missing in:\n{text}");
    }
}

#[test]
fn packing_twice_gives_the_same_bytes_and_they_run() {
    let shop = Shop::new();
    shop.project("one", "guests", "1.0.0", "[requests]\nclock = true");
    let text = shop.does(&["pack", "one"]);
    let packed = shop.read("guests.wasm");
    let digest = Digest::of(&packed).to_string();
    has(&text, &["guests", "1.0.0", "KiB", &digest, "guests.wasm"]);
    shop.project("elsewhere/two", "guests", "1.0.0", "[requests]\nclock = true");
    // The same manifest, written otherwise; a component that was packed already.
    let manifest = "contract = '0.2.0'\nname='guests'\nversion = '1.0.0'\n\
                    description = 'Does what no plugin should.'\nrequests.clock = true";
    shop.write("folder/plugin.toml", manifest);
    shop.write("folder/any.wasm", &packed);
    for project in ["elsewhere/two", "folder"] {
        shop.does(&["pack", project, "-o", "again.wasm"]);
        assert!(shop.read("again.wasm") == packed, "{project}");
    }
    let manifest = embedded(&packed).unwrap().unwrap();
    has(&manifest, &["guests", "clock"]);
    assert!(!manifest.contains("build") && !manifest.contains("author"), "{manifest}");

    shop.write("berth.toml", "[plugins.guests]\npath = 'guests.wasm'");
    said(&shop.runs());
}

#[test]
fn a_plugin_folder_takes_what_is_packed_as_it_is_called() {
    let shop = Shop::new();
    shop.project("project", "my-c", "1.0.0", "");
    std::fs::create_dir(shop.0.path("dist")).unwrap();
    said(&shop.command(&["pack", "../project"]).current_dir(shop.0.path("dist")).output().unwrap());
    let output = shop.0.berth(&["nodes", "Idle", "--plugins", "dist"]).output().unwrap();
    has(&said(&output), &["Idle", "my-c"]);
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));

    // The component that is packed is not replaced by that.
    shop.write("own/plugin.toml", shop.read("project/plugin.toml"));
    shop.write("own/my-c.wasm", berth_tests::GUESTS);
    let output = shop.command(&["pack"]).current_dir(shop.0.path("own")).output().unwrap();
    fails(&output, 1, &["my-c.wasm is what is packed", "-o"]);
    assert!(shop.read("own/my-c.wasm") == berth_tests::GUESTS);
}

#[test]
fn what_would_be_refused_is_not_packed() {
    let shop = Shop::new();
    let packs = |says: &[&str]| {
        fails(&shop.plugin(&["pack", "project", "-o", "packed.wasm"]), 1, says);
        assert!(!shop.0.path("packed.wasm").exists());
    };
    fails(&shop.plugin(&["pack", "nowhere"]), 1, &["nothing to pack in nowhere", "no plugin.toml"]);
    shop.project("project", "guests", "1.0.0", "");
    shop.write("project/build/guests/guests.wasm", b"\0asm\x01\0\0\0");
    packs(&["would be refused", "core module"]);
    shop.write("project/build/guests/guests.wasm", &berth_tests::GUESTS[..1000]);
    packs(&["project/build/guests/guests.wasm", "no usable component"]);
    std::fs::remove_dir_all(shop.0.path("project/build")).unwrap();
    packs(&["there is neither build/", "berth plugin build"]);
    shop.write("project/a.wasm", berth_tests::GUESTS);
    shop.write("project/b.wasm", berth_tests::GUESTS);
    packs(&["2 components"]);
    shop.write("project/plugin.toml", "name = 'guests'\nversion = '1'\ncontract = '0.2.0'");
    fails(&shop.plugin(&["pack", "project"]), 2, &["line 2", "is no version"]);
    // It imports what it does not request.
    let memory = berth_stock_plugins::components().iter().find(|(name, ..)| *name == "memory");
    shop.project("project", "tidy", "1.0.0", "");
    shop.write("project/build/tidy/tidy.wasm", memory.unwrap().2);
    packs(&["would be refused", "does not request"]);
    shop.project("project", "tidy", "1.0.0", "[requests]\nmemory = true");
    shop.write("project/build/tidy/tidy.wasm", memory.unwrap().2);
    shop.does(&["pack", "project", "-o", "packed.wasm"]);
}

/// The plugin, but not as it was packed.
fn other(component: &[u8]) -> Vec<u8> {
    let manifest = embedded(component).unwrap().unwrap();
    embed(berth_tests::GUESTS, &manifest)
}

/// Everything that is right, with any registry.
fn round_trip(address: &str) {
    let (author, shop) = (Shop::new(), Shop::new());
    let file = author.packed("guests", "1.0.0", "[requests]\nmodels = ['vae/*']\nclock = true");
    let reference = format!("{address}/plugins/guests:1");
    let first = author.does(&["publish", &file, &reference]);
    has(&first, &["published guests 1.0.0", &reference, "sha256:"]);
    // Sent again, it is the same.
    assert_eq!(first, author.does(&["publish", &file, &reference]));

    let text = shop.does(&["install", &reference]);
    has(
        &text,
        &[
            "guests 1.0.0: installed as plugins/guests.wasm",
            "Does what no plugin should.",
            "--grant guests=models:vae/*",
            "[plugins.guests.grants]",
            "clock = true",
            "pinned in berth.lock",
        ],
    );
    let component = author.read(&file);
    assert!(shop.read("plugins/guests.wasm") == component);
    let mode = std::fs::metadata(shop.0.path("plugins/guests.wasm")).unwrap().permissions().mode();
    assert_eq!(mode & 0o644, 0o644);
    let manifest = first.lines().find_map(|line| line.strip_prefix("manifest  ")).unwrap();
    let digest = Digest::of(&component).to_string();
    let lock = shop.lock();
    has(
        &lock,
        &[
            "version = 1\n",
            "[[plugin]]\nname = \"guests\"\nversion = \"1.0.0\"\n",
            &format!("source = {reference:?}"),
            &format!("manifest = {manifest:?}"),
            &format!("digest = {digest:?}"),
            "path = \"plugins/guests.wasm\"",
        ],
    );
    said(&shop.runs());
    // What it requests is not granted by that.
    let inspected = shop.plugin(&["inspect", "plugins/guests.wasm"]);
    has(&String::from_utf8_lossy(&inspected.stdout), &["no, grant is missing"]);

    // The tag moves. What is locked stays what it is, also where it has to be got again.
    author.publish(address, "1.1.0", "1");
    has(&shop.does(&["install"]), &["guests 1.0.0: is there"]);
    std::fs::remove_dir_all(shop.0.path("plugins")).unwrap();
    fails(&shop.runs(), 2, &["`guests` is in berth.lock", "berth plugin install"]);
    has(&shop.does(&["install"]), &["guests 1.0.0: installed again"]);
    assert!(shop.read("plugins/guests.wasm") == component && shop.lock() == lock);

    // A file that somebody changed does not run.
    let tampered = other(&component);
    shop.write("plugins/guests.wasm", &tampered);
    let found = Digest::of(&tampered).to_string();
    fails(
        &shop.runs(),
        2,
        &["another component than berth.lock pins", &digest, &found, "berth plugin install"],
    );
    has(&shop.does(&["install"]), &["installed again"]);
    said(&shop.runs());

    // Another desk with this lock gets the same, by the digest.
    let other = Shop::new();
    other.write("berth.lock", &lock);
    other.does(&["install"]);
    assert!(other.state()["lock"] == shop.state()["lock"]);
    assert!(other.read("plugins/guests.wasm") == component);

    let text = shop.does(&["install", "--update"]);
    has(&text, &["guests 1.0.0 → 1.1.0", &format!("{digest} → "), &format!("{manifest} → ")]);
    has(&shop.lock(), &["version = \"1.1.0\""]);
    assert!(shop.read("plugins/guests.wasm") == author.read("guests-1.1.0.wasm"));
    has(&shop.does(&["install", "--update"]), &["guests 1.1.0: is there"]);

    // By its digest, the first is still to be had.
    let pinned = format!("{address}/plugins/guests@{manifest}");
    has(&shop.does(&["install", &pinned]), &["guests 1.1.0 → 1.0.0"]);
    has(&shop.does(&["install", "--update"]), &["guests 1.0.0: is there"]);
    fails(&author.plugin(&["publish", &file, &pinned]), 1, &["is no reference", "name a tag"]);
    let nothing = format!("{address}/plugins/guests:none");
    fails(&shop.plugin(&["install", &nothing]), 1, &["answers 404", "check the repository"]);
}

#[test]
fn a_plugin_goes_through_a_registry_as_it_is() {
    round_trip(&Registry::new().address);
}

#[test]
fn whatever_a_registry_does_wrong_changes_nothing() {
    let registry = Registry::new();
    let author = Shop::new();
    let reference = author.publish(&registry.address, "1.0.0", "1");
    let (empty, full) = (Shop::new(), Shop::new());
    full.does(&["install", &reference]);
    author.publish(&registry.address, "1.1.0", "1");
    for (trick, says) in [
        (Trick::OtherBytes, &["gives another component than it should", "do not trust"][..]),
        (Trick::FewerBytes, &["gives another component than it should", "bytes instead of"]),
        (Trick::CutOff, &["cannot get the plugin from"]),
        (Trick::EndlessLayer, &["gives a component of more than"]),
        (Trick::OtherManifest, &["gives another manifest than it should"]),
        (Trick::EndlessManifest, &["gives a manifest of more than 262144 bytes"]),
        (Trick::LongManifest, &["gives a manifest of 1000000000000 bytes"]),
        (Trick::Fails, &["answers 500 (a\\u{1b}", "[2Jb\\u{202e})", "try again later"]),
        (Trick::FailsEndlessly, &["answers 500"]),
        (Trick::Refuses, &["answers 401", "docker login", VARIABLE]),
        (Trick::Loops, &["sends from place to place"]),
        (Trick::EndlessToken, &["gives a token of more than"]),
        (Trick::NoRealm, &["gives no token"]),
    ] {
        registry.play(trick);
        println!("{trick:?}");
        for (shop, arguments) in [
            (&empty, &["install", &reference][..]),
            (&full, &["install", &reference]),
            (&full, &["install", "--update"]),
        ] {
            let before = shop.state();
            let began = Instant::now();
            let output = shop.plugin(arguments);
            fails(&output, 1, says);
            assert!(!output.stderr.contains(&0x1b), "{trick:?}");
            assert!(began.elapsed() < Duration::from_secs(20), "{trick:?}");
            assert!(shop.state() == before, "{trick:?}");
        }
        assert!(!empty.0.path("plugins").exists(), "{trick:?}");
    }
    // What is locked is got by its digest, so nothing else is taken for it either.
    let before = full.state();
    let manifest = full.lock();
    let manifest = manifest.lines().find_map(|line| line.strip_prefix("manifest = ")).unwrap();
    registry.play(Trick::None);
    registry.put(manifest.trim_matches('"'), &registry.manifest("1").to_string());
    let altered = other(&full.read("plugins/guests.wasm"));
    full.write("plugins/guests.wasm", &altered);
    fails(&full.plugin(&["install"]), 1, &["gives another manifest than it should"]);
    assert!(full.read("plugins/guests.wasm") == altered);
    assert!(full.state()["lock"] == before["lock"]);
}

#[test]
fn what_is_no_plugin_is_not_installed() {
    let registry = Registry::new();
    let (author, shop) = (Shop::new(), Shop::new());
    let reference = author.publish(&registry.address, "1.0.0", "1");
    let at = |tag: &str| reference.replace(":1", &format!(":{tag}"));
    let reference = at("odd");
    let good = registry.manifest("1").to_string();
    let size = registry.manifest("1")["layers"][0]["size"].to_string();
    for (manifest, says) in [
        (String::new(), "its manifest is none"),
        ("{\"manifests\": []}".into(), "index of several images"),
        (good.replace("vnd.wasm.config", "vnd.oci.image.config"), "not WebAssembly"),
        (good.replace(&format!("\"size\":{size}"), "\"size\":1000000000000"), "more than 67108864"),
    ] {
        registry.put("odd", &manifest);
        fails(&shop.plugin(&["install", &reference]), 1, &["is no plugin", says]);
    }
    let manifest = |name: &str, more: &str| {
        let head = "version = \"1.0.0\"\ncontract = \"0.2.0\"";
        format!("name = {name:?}\n{head}\n{more}")
    };
    let memory = berth_stock_plugins::components().iter().find(|(name, ..)| *name == "memory");
    for (layer, says) in [
        (berth_tests::GUESTS.to_vec(), &["has no manifest inside"][..]),
        (b"\0asm\x01\0\0\0".to_vec(), &["core module"]),
        (b"hello".to_vec(), &["first bytes are not a component's"]),
        (embed(berth_tests::GUESTS, &manifest("../guests", "")), &["no name of a plugin"]),
        (embed(berth_tests::GUESTS, &manifest("guests", "x = 1")), &["no setting `x`"]),
        (embed(memory.unwrap().2, &manifest("tidy", "")), &["would be refused", "not request"]),
        (embed(&berth_tests::bombs::doubling_types(), &manifest("a", "")), &["would be refused"]),
        (embed(berth_tests::GUESTS, &manifest("memory", "")), &["comes with Berth", "--name"]),
    ] {
        registry.put_layer("odd", "1", &layer);
        let output = shop.plugin(&["install", &reference]);
        let code = output.status.code().unwrap();
        assert!(code == 1 || code == 2);
        fails(&output, code, says);
        assert!(!output.stderr.contains(&0x1b));
    }
    assert!(shop.state().is_empty() && !shop.0.path("plugins").exists());
    for odd in ["guests", "guests:1", "me/guests:1", "localhost:1/guests"] {
        fails(&shop.plugin(&["install", odd]), 1, &["is no reference", "ghcr.io"]);
    }
    fails(&shop.plugin(&["install"]), 1, &["nothing is locked", "berth.lock"]);
    author.write("bare.wasm", berth_tests::GUESTS);
    let publish = |file: &str| author.plugin(&["publish", file, &at("2")]);
    fails(&publish("bare.wasm"), 1, &["has no manifest inside", "berth plugin pack"]);
    fails(&publish("none.wasm"), 1, &["cannot read none.wasm"]);
}

#[test]
fn a_name_belongs_to_who_has_it() {
    let registry = Registry::new();
    let (author, shop) = (Shop::new(), Shop::new());
    let reference = author.publish(&registry.address, "1.0.0", "1");
    let elsewhere = reference.replace("plugins/guests", "plugins/guests/fork");

    shop.write("plugins/guests.wasm", "mine");
    let before = shop.state();
    let taken = &["was not installed", "guests.wasm", "--replace"];
    fails(&shop.plugin(&["install", &reference]), 1, taken);
    assert!(shop.state() == before);
    shop.does(&["install", &reference, "--replace"]);

    author.publish(&registry.address, "1.1.0", "1");
    let before = shop.state();
    let says = ["is installed from", "plugins/guests/fork", "--replace", "--name"];
    fails(&shop.plugin(&["install", &elsewhere]), 1, &says);
    assert!(shop.state() == before);
    let text = shop.does(&["install", &elsewhere, "--replace"]);
    has(&text, &["guests 1.0.0 → 1.1.0", &format!("{reference} → {elsewhere}")]);

    // Under another name it is another plugin, with a manifest that says so.
    fails(&shop.plugin(&["install", &reference, "--name", "No/Name"]), 2, &["no name of a plugin"]);
    has(&shop.does(&["install", &reference, "--name", "calm"]), &["calm 1.1.0: installed as"]);
    let calm = shop.read("plugins/calm.wasm");
    has(&embedded(&calm).unwrap().unwrap(), &["name = \"calm\""]);
    let names: Vec<String> =
        shop.lock().lines().filter(|l| l.starts_with("name")).map(Into::into).collect();
    assert_eq!(names, ["name = \"calm\"", "name = \"guests\""]);
    std::fs::remove_file(shop.0.path("plugins/calm.wasm")).unwrap();
    shop.does(&["install"]);
    assert!(shop.read("plugins/calm.wasm") == calm);
    has(&shop.does(&["install", "--update"]), &["calm 1.1.0: is there", "guests 1.1.0: is there"]);

    // What the configuration says stands over the lock.
    let digest = Digest::of(&calm);
    shop.write("berth.toml", format!("[plugins.guests]\ndigest = '{digest}'"));
    fails(&shop.runs(), 2, &["`guests` is pinned twice", "take `digest` out"]);
    fails(&shop.plugin(&["install", &elsewhere]), 1, &["pins plugin `guests`", "take `digest`"]);
    shop.write("berth.toml", "[plugins.guests]\npath = 'own.wasm'");
    fails(&shop.plugin(&["install", &elsewhere]), 1, &["own.wasm", "would not count"]);
    // A plugin folder that has the file already does not make two of it.
    shop.write("berth.toml", "plugin-folders = ['plugins']");
    std::fs::remove_file(shop.0.path("plugins/calm.wasm")).unwrap();
    let lock = shop.lock();
    let second = lock.match_indices("[[plugin]]").nth(1).unwrap().0;
    shop.write("berth.lock", format!("version = 1\n{}", &lock[second..]));
    said(&shop.runs());
}

#[test]
fn plugins_go_where_they_are_told() {
    let registry = Registry::new();
    let (author, shop) = (Shop::new(), Shop::new());
    let reference = author.publish(&registry.address, "1.0.0", "1");
    shop.write("site/berth.toml", "");
    let arguments = ["install", &reference, "--config", "site/berth.toml"];
    shop.does(&arguments);
    assert!(shop.0.path("site/plugins/guests.wasm").exists());
    let lock = String::from_utf8(shop.read("site/berth.lock")).unwrap();
    has(&lock, &["path = \"plugins/guests.wasm\""]);
    author.publish(&registry.address, "1.1.0", "1");
    shop.does(&[&arguments[..], &["--to", "site/own/place"]].concat());
    let moved = String::from_utf8(shop.read("site/berth.lock")).unwrap();
    has(&moved, &["path = \"own/place/guests.wasm\""]);
    assert!(!shop.0.path("site/plugins/guests.wasm").exists());
    // Elsewhere, the lock could not say where it is.
    std::os::unix::fs::symlink("own", shop.0.path("site/link")).unwrap();
    for to in ["elsewhere", "site/../elsewhere", "site/link/place"] {
        let output = shop.plugin(&[&arguments[..], &["--to", to]].concat());
        fails(&output, 1, &["is not below the folder of berth.lock", "--to"]);
    }
    assert!(!shop.0.path("elsewhere").exists());
    shop.write("own/plugin.toml", "");
    fails(
        &shop.plugin(&[&arguments[..], &["--to", "own"]].concat()),
        1,
        &["own has a plugin.toml", "--to"],
    );
    let output = shop.0.berth(&["nodes", "Idle", "--config", "site/berth.toml"]).output().unwrap();
    has(&said(&output), &["Idle"]);
}

#[test]
fn a_mistake_in_the_lock_is_shown_with_its_line() {
    let shop = Shop::new();
    shop.write("berth.lock", "version = 1\n[[plugin]]\nname = 'a'\ndigest = 'abc'");
    for output in [shop.runs(), shop.plugin(&["install"]), shop.plugin(&["install", "r.io/a:1"])] {
        fails(&output, 2, &["berth.lock, line 4", "64 hexadecimal digits", "digest = 'abc'"]);
    }
    shop.write("berth.lock", "version = 2");
    fails(&shop.runs(), 2, &["a lock of version 2", "install again"]);
}

#[test]
fn a_lock_that_somebody_else_wrote_replaces_no_file() {
    let registry = Registry::new();
    let (author, shop) = (Shop::new(), Shop::new());
    let reference = author.publish(&registry.address, "1.0.0", "1");
    shop.does(&["install", &reference]);
    let lock = shop.lock();
    author.publish(&registry.address, "1.1.0", "1");
    let at = |path: &str| lock.replace("plugins/guests.wasm", path);
    std::fs::create_dir_all(shop.0.path("elsewhere")).unwrap();
    let link = |to: &str, name: &str| {
        std::os::unix::fs::symlink(shop.0.path(to), shop.0.path(name)).unwrap();
    };
    std::fs::create_dir_all(shop.0.path("clone")).unwrap();
    link("elsewhere", "clone/link");
    link("elsewhere/victim.wasm", "clone/last.wasm");
    shop.write("clone/own.wasm", "mine");
    shop.write("clone/other.wasm", embed(berth_tests::GUESTS, "name = 'other'"));
    shop.write("clone/bare.wasm", berth_tests::GUESTS);
    let absolute = shop.0.path("elsewhere/victim.wasm").display().to_string();
    for (path, code, says) in [
        ("../elsewhere/victim.wasm", 2, "is no path of an installed plugin"),
        (&absolute, 2, "is no path of an installed plugin"),
        ("notes.txt", 2, "is no path of an installed plugin"),
        ("link/victim.wasm", 1, "behind a symbolic link"),
        ("last.wasm", 1, "behind a symbolic link"),
        ("own.wasm", 1, "own.wasm is not the plugin `guests`"),
        ("other.wasm", 1, "other.wasm is not the plugin `guests`"),
        ("bare.wasm", 1, "bare.wasm is not the plugin `guests`"),
    ] {
        for victim in ["elsewhere/victim.wasm", "clone/notes.txt"] {
            shop.write(victim, "victim");
        }
        shop.write("clone/berth.lock", at(path));
        let before = path_if_there(&shop, path);
        for more in [&[][..], &["--update"]] {
            let arguments = [&["install"], more].concat();
            let mut command = shop.command(&arguments);
            let output = command.current_dir(shop.0.path("clone")).output().unwrap();
            // What moved goes to a file of the plugin's name, beside what the lock says.
            if !output.status.success() {
                fails(&output, code, &[says]);
            } else {
                assert!(!more.is_empty() && path.ends_with(".wasm") && code == 1, "{path}");
            }
            assert!(path_if_there(&shop, path) == before, "{path}");
        }
        for victim in ["elsewhere/victim.wasm", "clone/notes.txt"] {
            assert_eq!(shop.read(victim), b"victim", "{path}");
        }
        assert!(!shop.0.path("elsewhere/guests.wasm").exists(), "{path}");
        let _ = std::fs::remove_file(shop.0.path("clone/guests.wasm"));
    }
    // What never ends is not read, and what a terminal obeys is not shown.
    std::fs::remove_file(shop.0.path("clone/berth.lock")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", shop.0.path("clone/berth.lock")).unwrap();
    let install = || {
        let mut command = shop.command(&["install"]);
        command.current_dir(shop.0.path("clone")).output().unwrap()
    };
    fails(&install(), 2, &["berth.lock", "it is no file"]);
    std::fs::remove_file(shop.0.path("clone/berth.lock")).unwrap();
    shop.write("clone/berth.lock", at("\\u001b[2J.wasm"));
    let output = install();
    fails(&output, 2, &["\\u{1b}[2J.wasm` is no path"]);
    assert!(!output.stderr.contains(&0x1b) && output.stdout.is_empty());
}

/// What is at a path of the clone's, if it is in there.
fn path_if_there(shop: &Shop, path: &str) -> Option<Vec<u8>> {
    std::fs::read(shop.0.path("clone").join(path)).ok()
}

#[test]
fn what_is_locked_is_checked_as_what_is_installed_is() {
    let registry = Registry::new();
    let (author, shop) = (Shop::new(), Shop::new());
    let reference = author.publish(&registry.address, "1.0.0", "1");
    shop.does(&["install", &reference]);
    let memory = berth_stock_plugins::components().iter().find(|(name, ..)| *name == "memory");
    let manifest = "name = 'guests'\nversion = '1.0.0'\ncontract = '0.2.0'";
    let component = embed(memory.unwrap().2, manifest);
    registry.put_layer("odd", "1", &component);
    let manifest = registry.manifest("odd").to_string();
    let pinned = berth_packages::sha256(manifest.as_bytes());
    registry.put(&pinned, &manifest);
    let lock: Vec<String> = shop
        .lock()
        .lines()
        .map(|line| match line.split_once(" = ") {
            Some(("manifest", _)) => format!("manifest = {pinned:?}"),
            Some(("digest", _)) => format!("digest = \"{}\"", Digest::of(&component)),
            _ => line.to_owned(),
        })
        .collect();
    shop.write("berth.lock", lock.join("\n"));
    let before = shop.state();
    fails(&shop.plugin(&["install"]), 1, &["would be refused", "not request"]);
    assert!(shop.state() == before);
}

#[test]
fn a_password_goes_to_one_registry() {
    let registry = Registry::new();
    let shop = Shop::new();
    let file = shop.packed("guests", "1.0.0", "");
    let reference = format!("{}/plugins/guests:1", registry.address);
    shop.does(&["publish", &file, &reference]);
    shop.does(&["install", &reference]);
    // A lock may name several.
    for (more, says) in [(&[][..], "<REFERENCE>"), (&["--update"], "cannot be used with")] {
        let arguments = [&["install", "--username", USER], more].concat();
        let mut command = shop.command(&arguments);
        fails(&command.env(VARIABLE, PASSWORD).output().unwrap(), 2, &["--username", says]);
    }
    registry.play(Trick::TokensElsewhere);
    let mut command = shop.command(&["install", &reference, "--username", USER]);
    let output = command.env(VARIABLE, PASSWORD).output().unwrap();
    fails(&output, 1, &["it wants the password sent to 127.0.0.1, without TLS"]);
}

#[test]
fn one_logs_in_with_a_variable_or_as_docker_did() {
    let registry = Registry::new();
    let shop = Shop::new();
    let file = shop.packed("guests", "1.0.0", "");
    for (trick, tag) in [(Trick::Basic, "1"), (Trick::Tokens, "2")] {
        registry.play(trick);
        let reference = format!("{}/plugins/guests:{tag}", registry.address);
        let arguments = ["publish", &file, &reference];
        fails(&shop.plugin(&arguments), 1, &["answers 401", "docker login"]);
        let named = [&arguments[..], &["--username", USER]].concat();
        fails(&shop.plugin(&named), 1, &["no password for the user `ada`", VARIABLE]);
        let mut wrong = shop.command(&named);
        let output = wrong.env(VARIABLE, "wrong horse").output().unwrap();
        fails(&output, 1, &["answers 401"]);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!error.contains("wrong horse"), "{error}");
        let mut right = shop.command(&named);
        said(&right.env(VARIABLE, PASSWORD).output().unwrap());

        // As `docker login` writes it: the user and the password in Base64.
        let docker = json!({ "auths": {
            &registry.address: { "auth": "YWRhOmNvcnJlY3QgaG9yc2U=" },
        } });
        shop.write("docker/config.json", docker.to_string());
        shop.does(&["install", &reference]);
        shop.write("docker/config.json", "{ \"auths\": 5 }");
        fails(&shop.plugin(&["install", &reference]), 1, &["Docker's credentials for localhost"]);
        std::fs::remove_file(shop.0.path("docker/config.json")).unwrap();
    }
}

/// Debian's registry, in a folder of its own.
struct Real {
    process: Child,
    address: String,
    _folder: TempDir,
}

impl Drop for Real {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Real {
    /// Starts it; none where it is not and does not have to be.
    fn start(users: Option<&str>) -> Option<Self> {
        let program = ["docker-registry", "registry"].into_iter().find(|program| {
            let found = Command::new(program).arg("--version").stdout(Stdio::null()).status();
            found.is_ok_and(|status| status.success())
        });
        let Some(program) = program else {
            let required = std::env::var("BERTH_REQUIRE_REGISTRY").is_ok_and(|value| value == "1");
            assert!(!required, "there is no docker-registry on PATH");
            println!("skipped: there is no docker-registry on PATH");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        // A port that is free now, and most likely in a moment.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let auth = users.map_or_else(String::new, |users| {
            std::fs::write(path("users"), users).unwrap();
            let file = path("users").display().to_string();
            format!("auth: {{ htpasswd: {{ realm: here, path: {file:?} }} }}\n")
        });
        let root = path("root").display().to_string();
        let config = format!(
            "version: 0.1\nlog: {{ level: error }}\n{auth}\
             storage: {{ filesystem: {{ rootdirectory: {root:?} }} }}\n\
             http: {{ addr: \"127.0.0.1:{port}\" }}\n"
        );
        std::fs::write(path("config.yml"), config).unwrap();
        let process = Command::new(program)
            .args([Path::new("serve"), &path("config.yml")])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let real = Self { process, address: format!("localhost:{port}"), _folder: folder };
        let until = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < until, "the registry does not start");
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(real)
    }
}

#[test]
fn a_plugin_goes_through_a_real_registry_as_it_is() {
    if let Some(real) = Real::start(None) {
        round_trip(&real.address);
    }
}

#[test]
fn a_real_registry_is_logged_in_to() {
    // `ada:correct horse`, by bcrypt.
    let users = "ada:$2b$04$afZeBc2Teg5Tttdn9E6B4O2fiZ0xjjjuWRw.FH.5S/BLjpk3536gS\n";
    let Some(real) = Real::start(Some(users)) else { return };
    let shop = Shop::new();
    let file = shop.packed("guests", "1.0.0", "");
    let reference = format!("{}/plugins/guests:1", real.address);
    fails(&shop.plugin(&["publish", &file, &reference]), 1, &["answers 401"]);
    let mut publish = shop.command(&["publish", &file, &reference, "--username", USER]);
    said(&publish.env(VARIABLE, PASSWORD).output().unwrap());
    fails(&shop.plugin(&["install", &reference]), 1, &["answers 401"]);
    let mut install = shop.command(&["install", &reference, "--username", USER]);
    said(&install.env(VARIABLE, PASSWORD).output().unwrap());
    assert!(shop.read("plugins/guests.wasm") == shop.read(&file));
}
