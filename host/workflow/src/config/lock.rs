//! `berth.lock`: which plugins were installed, and exactly which components they are.
//!
//! `berth plugin install` writes it beside `berth.toml`, and it counts whenever plugins are loaded:
//! a plugin in it is found by its path, and no other component runs under its name. It pins twice.
//! The manifest's digest is what a registry is asked for, so that a tag which moved changes nothing;
//! the component's is what the host checks on every start. What the operator writes in `berth.toml`
//! stands over it: a path there is another file, which the lock says nothing of.
//!
//! Who clones a project gets its lock too, so it is not trusted further than a plugin is: it leads to
//! nothing outside of its own folder, and has a bounded length.

use std::collections::HashSet;
use std::fmt;
use std::io;
use std::path::{Component, Path, PathBuf};

use berth_sandbox::reading::{self, Misread, mistake};
use berth_sandbox::text::is_escaped;
use berth_sandbox::{Digest, Policy, whole};
use serde::de::{Deserializer, Error, Visitor};
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::ConfigError;
use crate::host::{Decided, Settings};
use crate::text::plain;

/// The file beside `berth.toml`.
pub const LOCK: &str = "berth.lock";

/// The version of the format that is read and written.
const VERSION: u32 = 1;

/// Most bytes of a lock: two thousand plugins.
const LONGEST: u64 = 1 << 20;

/// What `berth.lock` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lock {
    version: u32,
    /// The plugins, by name.
    #[serde(rename = "plugin")]
    pub plugins: Vec<Locked>,
}

/// A plugin that was installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Locked {
    /// Who it is.
    pub name: String,
    /// Its version, by its own word.
    pub version: String,
    /// The reference that it was installed by: `registry/repository:tag`, or `@sha256:…`.
    pub source: String,
    /// The digest of its manifest in the registry: `sha256:…`.
    pub manifest: String,
    /// Its component.
    pub digest: Digest,
    /// Where it is, seen from the lock's own folder.
    pub path: PathBuf,
}

impl Default for Lock {
    fn default() -> Self {
        Self { version: VERSION, plugins: Vec::new() }
    }
}

impl Lock {
    /// The lock of a file, with paths as they are written. None if there is no such file.
    ///
    /// # Errors
    /// `Read`, `Content`.
    pub fn read(path: &Path) -> Result<Option<Self>, ConfigError> {
        match whole::text(path, LONGEST) {
            Ok(text) => Self::parse(&path.display().to_string(), text).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(ConfigError::Read { path: path.to_owned(), source }),
        }
    }

    /// The lock that a text of this name is.
    ///
    /// # Errors
    /// `Content`.
    pub fn parse(name: &str, text: String) -> Result<Self, ConfigError> {
        let Written { version, plugins } = reading::read(name, text.clone(), |_| None)?;
        let mut names = HashSet::new();
        for entry in &plugins {
            if !names.insert(entry.name.get_ref()) {
                let message = format!("plugin `{}` is there already", plain(entry.name.get_ref()));
                let hint = Some("leave one of the two out".into());
                let at = entry.name.span();
                return Err(Box::new(Misread::at(name, text, at, message, hint)).into());
            }
        }
        let plugins = plugins.into_iter().map(Entry::locked).collect();
        Ok(Self { version, plugins })
    }

    /// What the lock beside a configuration pins, its paths seen from where the configuration's is.
    pub(super) fn beside(config: &Path) -> Result<Vec<Locked>, ConfigError> {
        let folder = config.parent().unwrap_or(Path::new(""));
        let lock = Self::read(&folder.join(LOCK))?.unwrap_or_default();
        let mut plugins = lock.plugins;
        for locked in &mut plugins {
            locked.path = folder.join(&locked.path);
        }
        Ok(plugins)
    }
}

/// Puts what is locked into settings that have all of the configuration already.
pub(super) fn decide(plugins: Vec<Locked>, settings: &mut Settings) -> Result<(), ConfigError> {
    for Locked { name, digest, path, .. } in plugins {
        let limits = settings.limits_of_runs.clone();
        let decided = settings.decided.entry(name.clone()).or_insert_with(|| Decided {
            policy: Policy { limits, ..Policy::default() },
            ..Decided::default()
        });
        // A file of the operator's own is not what was installed.
        if decided.path.as_deref().is_some_and(|own| !same(own, &path)) {
            continue;
        }
        if let Some(configured) = decided.policy.digest.filter(|own| *own != digest) {
            let plugin = plain(&name).into_owned();
            return Err(ConfigError::LockContradicts { plugin, configured, locked: digest });
        }
        decided.path = Some(path);
        decided.policy.digest = Some(digest);
        decided.locked = true;
    }
    Ok(())
}

fn same(a: &Path, b: &Path) -> bool {
    match (a.canonicalize(), b.canonicalize()) {
        (Ok(a), Ok(b)) => a == b,
        _ => a == b,
    }
}

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(deserialize_with = "version")]
    version: u32,
    #[serde(default, rename = "plugin")]
    plugins: Vec<Entry>,
}

/// A plugin as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: Spanned<String>,
    version: String,
    source: String,
    #[serde(deserialize_with = "manifest")]
    manifest: String,
    digest: Digest,
    #[serde(deserialize_with = "below")]
    path: PathBuf,
}

impl Entry {
    fn locked(self) -> Locked {
        let Self { name, version, source, manifest, digest, path } = self;
        Locked { name: name.into_inner(), version, source, manifest, digest, path }
    }
}

fn version<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    struct Known;

    impl Visitor<'_> for Known {
        type Value = u32;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "the number {VERSION}")
        }

        fn visit_i64<E: Error>(self, number: i64) -> Result<u32, E> {
            if number == i64::from(VERSION) {
                return Ok(VERSION);
            }
            Err(mistake(
                format_args!("this is a lock of version {number}, and version {VERSION} is read"),
                "use the Berth that wrote it, or remove the file and install again",
            ))
        }
    }

    deserializer.deserialize_i64(Known)
}

fn manifest<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    struct Sha256;

    impl Visitor<'_> for Sha256 {
        type Value = String;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a digest such as `sha256:…`")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<String, E> {
            let hex = text.strip_prefix("sha256:").unwrap_or_default();
            let lower = |digit: u8| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
            if hex.len() == 64 && hex.bytes().all(lower) {
                return Ok(text.to_owned());
            }
            Err(mistake(
                format_args!("`{}` is no digest of a manifest", plain(text)),
                "it is `sha256:` and 64 digits, as `berth plugin install` writes it",
            ))
        }
    }

    deserializer.deserialize_str(Sha256)
}

/// A path to a component below the lock's folder. Symbolic links on the way to it are looked for
/// before anything is written.
fn below<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
    struct Below;

    impl Visitor<'_> for Below {
        type Value = PathBuf;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a path such as `plugins/NAME.wasm`")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<PathBuf, E> {
            let path = Path::new(text);
            let is_below = path.components().all(|part| matches!(part, Component::Normal(_)));
            let is_component = path.extension().is_some_and(|ending| ending == "wasm");
            if is_below && is_component && !text.contains(is_escaped) {
                return Ok(path.to_owned());
            }
            Err(mistake(
                format_args!("`{}` is no path of an installed plugin", plain(text)),
                "it is seen from the lock's folder, stays in it and ends in `.wasm`; \
                 `[plugins.NAME]` in berth.toml can name any other",
            ))
        }
    }

    deserializer.deserialize_str(Below)
}

#[cfg(test)]
mod tests {
    use berth_sandbox::Folders;

    use super::*;
    use crate::config::Config;
    use crate::error::WorkflowError;
    use crate::sources::Sources;

    const HEX: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    fn entry(name: &str) -> String {
        format!(
            "[[plugin]]\nname = \"{name}\"\nversion = \"1.2.0\"\nsource = \"r.io/{name}:1\"\n\
             manifest = \"sha256:{HEX}\"\ndigest = \"{HEX}\"\npath = \"plugins/{name}.wasm\"\n"
        )
    }

    fn settings(config: Config) -> Result<Settings, ConfigError> {
        let folders = Folders { input: "i".into(), output: "o".into(), temporary: "t".into() };
        let mut settings = Settings::new(folders);
        config.apply(&mut settings)?;
        Ok(settings)
    }

    #[test]
    fn what_is_locked_is_found_by_its_path_and_pinned() {
        let folder = tempfile::tempdir().unwrap();
        let lock = format!("version = 1\n\n{}\n{}", entry("a"), entry("b"));
        std::fs::write(folder.path().join(LOCK), lock).unwrap();
        let config = folder.path().join("berth.toml");
        std::fs::write(&config, "[limits]\nhandles = 5\n[plugins.a]\nweight = 2").unwrap();
        let settings = settings(Config::read(&config).unwrap()).unwrap();
        for name in ["a", "b"] {
            let decided = &settings.decided[name];
            let path = folder.path().join(format!("plugins/{name}.wasm"));
            assert_eq!(decided.path, Some(path));
            assert_eq!(decided.policy.digest.unwrap().to_string(), HEX);
            assert!(decided.locked);
            assert_eq!(decided.policy.limits.handles, 5);
        }
        assert_eq!(settings.decided["a"].share.weight, Some(2));

        // They are not there, which is told of each, and keeps nothing else from running.
        let sources = Sources::find(&[], &settings.decided).unwrap();
        assert!(sources.found.is_empty());
        for broken in &sources.broken {
            assert!(matches!(broken.error, WorkflowError::NotInstalled { .. }), "{broken:?}");
        }
        assert_eq!(sources.broken.len(), 2);
    }

    #[test]
    fn the_configuration_wins_or_agrees() {
        let config = |text: &str| {
            let mut config: Config = toml::from_str(text).unwrap();
            let text = format!("version = 1\n{}", entry("a"));
            config.locked = Lock::parse(LOCK, text).unwrap().plugins;
            settings(config)
        };
        let own = config("[plugins.a]\npath = '/own/a.wasm'").unwrap();
        let own = &own.decided["a"];
        assert_eq!((own.path.as_deref(), own.locked), (Some(Path::new("/own/a.wasm")), false));
        assert_eq!(own.policy.digest, None);
        let agrees = config(&format!("[plugins.a]\ndigest = '{HEX}'")).unwrap();
        assert!(agrees.decided["a"].locked);
        let error = config(&format!("[plugins.a]\ndigest = '{}'", HEX.replace('0', "1")));
        let error = error.unwrap_err();
        let says = error.to_string();
        assert!(says.contains("`a` is pinned twice") && says.contains(HEX), "{says}");
        assert!(error.hint().unwrap().contains("[plugins.a]"));
    }

    #[test]
    fn a_component_that_is_not_the_pinned_one_is_told_with_both_digests() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.wasm");
        std::fs::write(&path, "x").unwrap();
        let source = crate::sources::Source::at(&path).unwrap();
        let (locked, found) = (Digest::of(b"y"), Digest::of(b"x"));
        source.check_lock(found, found).unwrap();
        let error = source.check_lock(locked, found).unwrap_err();
        for part in [locked.to_string(), found.to_string(), "`a`".into()] {
            assert!(error.to_string().contains(&part), "{part} is missing in {error}");
        }
        assert!(error.hint().unwrap().contains("berth plugin install"));
    }

    #[test]
    fn a_mistake_in_a_lock_is_told_with_its_line() {
        let one = entry("a");
        let at = |path: &str| format!("version = 1\n{}", one.replace("plugins/a.wasm", path));
        for (text, says, at) in [
            (String::new(), "line 1: the setting `version` is missing", ""),
            ("version = 2".into(), "line 1: this is a lock of version 2", "2"),
            ("version = '1'".into(), "line 1: the number 1 is expected here", "'1'"),
            (format!("version = 1\n{one}x = 1"), "line 9: there is no setting `x` here", "x"),
            (format!("version = 1\n{one}{one}"), "line 10: plugin `a` is there already", "\"a\""),
            (
                format!("version = 1\n{}", one.replace("sha256:0", "sha256:G")),
                "line 6: `sha256:G123",
                "",
            ),
            (
                format!("version = 1\n{}", one.replace("digest = \"0", "digest = \"")),
                "line 7: a digest is 64 hexadecimal digits",
                "",
            ),
            ("version = 1\nplugin = 3".into(), "line 2: ", "3"),
            (at("../victim.wasm"), "line 8: `../victim.wasm` is no path of", "\"../victim.wasm\""),
            (at("/etc/victim.wasm"), "line 8: `/etc/victim.wasm` is no path of", ""),
            (at("plugins/../../a.wasm"), "is no path of an installed plugin", ""),
            (at(".git/config"), "is no path of an installed plugin", ""),
            (at("plugins/\\u001b[2J.wasm"), "`plugins/\\u{1b}[2J.wasm` is no path", ""),
        ] {
            let error = Lock::parse("berth.lock", text).unwrap_err();
            assert!(error.to_string().contains(says), "{error}");
            let ConfigError::Content(misread) = error else { panic!() };
            if !at.is_empty() {
                assert_eq!(&misread.text[misread.span.clone()], at, "{says}");
            }
        }
    }
}
