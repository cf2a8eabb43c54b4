//! Plugins of each language's SDK, built from nothing as their authors would, and what an SDK's
//! folder has that is generated.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};

use berth_authoring::{Error, Project, create};
use berth_sandbox::{Manifest, Plugin};

use crate::host::{Host, text};

/// Those that every change is tested with: they need minutes, and the others more.
pub const FIRST: [&str; 4] = ["rust", "c", "python", "javascript"];

/// The others: `BERTH_LANGUAGES=all`.
pub const SECOND: [&str; 3] = ["cpp", "zig", "go"];

/// The upscaler that `tests/scripts/upscaler.py` makes.
pub const UPSCALER: &str = "tiny-upscaler.safetensors";

/// A project in a folder of its own: an example, or another plugin.
pub struct Example {
    folder: tempfile::TempDir,
    /// The project.
    pub project: Project,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

impl Example {
    /// A copy of a language's example, with the tools that it asks for. `None` when this machine has
    /// no Python or npm to install those with and nobody requires it.
    #[must_use]
    pub fn of(language: &str) -> Option<Self> {
        Self::copied(language, "example")
    }

    /// The same of another project in the folder of a language's SDK.
    #[must_use]
    pub fn copied(language: &str, path: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("pictures");
        copy(&root().join("plugin-sdk").join(language).join(path), &place);
        let project = Project::open(&place).unwrap();
        Self { folder, project }.equipped(language)
    }

    /// The same of the project that an author begins with.
    #[must_use]
    pub fn created(language: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let (project, _) = create(&folder.path().join("begun"), "my-nodes", language).unwrap();
        Self { folder, project }.equipped(language)
    }

    /// Itself, with its tools.
    fn equipped(self, language: &str) -> Option<Self> {
        for missing in self.project.missing_tools() {
            let Error::Missing { missing, install, .. } = &missing else { panic!("{missing}") };
            let installer = if install.starts_with("npm") { "npm" } else { "python3" };
            if !there_is(installer, language) {
                return None;
            }
            println!("{language}: {missing} by {install}");
            provide(self.project.folder(), install);
        }
        let missing = self.project.missing_tools();
        assert!(missing.is_empty(), "{language}: {missing:?}");
        Some(self)
    }

    /// Its folder, which goes with it.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Loads it as it was built, with what it requests.
    pub fn load(&self, host: &mut Host) -> Arc<Plugin> {
        let component = std::fs::read(self.project.component()).unwrap();
        let manifest = Manifest::read(&self.project.built().join("plugin.toml")).unwrap();
        host.load_granted(&manifest.name, &component, &manifest.requests).unwrap()
    }
}

/// Installs a tool by the very command that an author is told, once for all tests, and links it
/// where the author would have it.
fn provide(project: &Path, install: &str) {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    // Another version is another command, and so another folder.
    let name = install.replace(|c: char| !c.is_ascii_alphanumeric() && c != '.', "-");
    let folder = root().join("target/toolchains").join(name);
    let done = folder.join("installed");
    if !done.exists() {
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        for file in ["package.json", "package-lock.json", "requirements.txt"] {
            if project.join(file).exists() {
                std::fs::copy(project.join(file), folder.join(file)).unwrap();
            }
        }
        let end = Command::new("sh").args(["-ec", install]).current_dir(&folder).status().unwrap();
        assert!(end.success(), "{install}");
        std::fs::write(&done, "").unwrap();
    }
    for made in [".venv", "node_modules"] {
        let (tool, own) = (folder.join(made), project.join(made));
        if tool.exists() && !own.exists() {
            std::os::unix::fs::symlink(tool.canonicalize().unwrap(), own).unwrap();
        }
    }
}

/// Whether there is a program that a language's tests need; it is an error if they are required.
fn there_is(program: &str, language: &str) -> bool {
    let output = Command::new(program).arg("--version").output();
    let there = output.is_ok_and(|output| output.status.success());
    let required = std::env::var_os("BERTH_REQUIRE_LANGUAGES").is_some();
    assert!(there || !required, "{language} is required, and there is no {program}");
    if !there {
        println!("{language}: skipped, for want of {program}");
    }
    there
}

/// What of an SDK is generated and committed: by which commands, in its folder, and which files. What
/// an SDK tests by itself is tested by the way.
fn generated(language: &str) -> (&'static [&'static str], &'static [&'static str]) {
    const REFERENCE: &str = "REFERENCE.md";
    match language {
        "c" | "cpp" => (&["python3 reference.py"], &[REFERENCE]),
        "python" => {
            (&["python3 reference.py", "python3 -m unittest discover --quiet tests"], &[REFERENCE])
        }
        "javascript" => (&["node reference.mjs"], &[REFERENCE]),
        "go" => (&["go run ./tools/reference > REFERENCE.md"], &[REFERENCE]),
        "zig" => (
            &["python3 translate.py python-zig", "python3 reference.py > REFERENCE.md"],
            &["src/bindings.zig", REFERENCE],
        ),
        _ => (&[], &[]),
    }
}

/// Generates in a copy of a language's SDK what is generated there, with the tools of this project,
/// and compares it with what is committed.
pub fn is_fresh(language: &str, tools: &Project) {
    let (commands, files) = generated(language);
    if commands.is_empty() {
        return;
    }
    let program = |command: &&str| command.split(' ').next().unwrap().to_owned();
    let own = |program: &str| matches!(program, "go" | "python-zig");
    let mut programs = commands.iter().map(program);
    if !programs.all(|program| own(&program) || there_is(&program, language)) {
        return;
    }
    let sdks = root().join("plugin-sdk");
    let folder = tempfile::tempdir().unwrap();
    for name in ["c", language] {
        copy(&sdks.join(name), &folder.path().join(name));
    }
    // The project's own tools are found first, as they are when it is built.
    let own = tools.folder().canonicalize().unwrap().join(".venv/bin");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths([own].into_iter().chain(std::env::split_paths(&path))).unwrap();
    for file in files {
        std::fs::remove_file(folder.path().join(language).join(file)).unwrap();
    }
    for command in commands {
        let end = Command::new("sh")
            .args(["-ec", command])
            .current_dir(folder.path().join(language))
            .envs([("GOFLAGS", "-buildvcs=false"), ("GOPROXY", "off"), ("GOTOOLCHAIN", "local")])
            .env("PATH", &path)
            .status()
            .unwrap();
        assert!(end.success(), "{language}: {command}");
    }
    for file in files {
        let made = std::fs::read(folder.path().join(language).join(file)).unwrap();
        let path = sdks.join(language).join(file);
        assert!(
            std::fs::read(&path).unwrap() == made,
            "{} is not what is made today, in its SDK's folder: {commands:?}",
            path.display()
        );
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (name, path) = (entry.file_name(), entry.path());
        let made = [".berth", "build", "target", "node_modules", ".venv", "__pycache__"];
        if made.iter().any(|made| name == *made) {
            continue;
        }
        if path.is_dir() {
            copy(&path, &to.join(name));
        } else {
            std::fs::copy(&path, to.join(name)).unwrap();
        }
    }
}

/// The bits of what the two nodes make of a picture of this height and width.
pub fn pictures(host: &Host, height: usize, width: usize) -> [Vec<u32>; 2] {
    let wave = |i: usize| 0.5 + 0.5 * (i as f32 * 0.37).sin() * (i as f32 * 0.011).cos();
    let pixels: Vec<f32> = (0..height * width * 3).map(wave).collect();
    let image = host.tensor(&[1, height, width, 3], &pixels);
    let bits = |values: Vec<berth_sandbox::Value>| {
        host.read(&values[0]).data.into_iter().map(f32::to_bits).collect()
    };
    let amount = berth_sandbox::Value::Number(1.5);
    let sharp = host.run("Sharpen", vec![("image", image.clone()), ("amount", amount)]);
    let large = host.run("Upscale", vec![("image", image), ("model_name", text(UPSCALER))]);
    [bits(sharp), bits(large)]
}
