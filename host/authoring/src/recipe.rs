//! `language.toml`: how projects of a language are built.
//!
//! A language is a folder under `plugin-sdk/`, and this file in it says which tools it needs and
//! what they are called with. So another language is another folder, and no code of the host's.

use std::path::Path;

use globset::GlobBuilder;
use serde::Deserialize;
use walkdir::WalkDir;

use crate::error::Error;

/// How projects of a language are built.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Recipe {
    /// What people call it.
    pub(crate) name: String,
    /// Other names for `--lang`.
    #[serde(default)]
    pub(crate) aliases: Vec<String>,
    /// Other SDKs that this one is built upon.
    #[serde(default)]
    pub(crate) needs: Vec<String>,
    /// Patterns of an author's own files.
    pub(crate) sources: Vec<String>,
    /// Programs that are called.
    #[serde(default, rename = "tool")]
    pub(crate) tools: Vec<Tool>,
    /// Commands that must succeed before anything is built.
    #[serde(default, rename = "probe")]
    pub(crate) probes: Vec<Probe>,
    /// The commands that build, in their order.
    #[serde(rename = "step")]
    pub(crate) steps: Vec<Step>,
    /// What they leave.
    pub(crate) output: Output,
}

/// A program.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tool {
    /// What steps call it.
    pub(crate) name: String,
    /// Its names as a program; the first that there is counts.
    pub(crate) programs: Vec<String>,
    /// The command that installs it.
    pub(crate) install: String,
}

/// What tells whether a tool has all it needs.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Probe {
    /// The command.
    pub(crate) run: Vec<String>,
    /// What is missing when it fails.
    pub(crate) missing: String,
    /// The command that installs that.
    pub(crate) install: String,
}

/// A command.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    /// Program and arguments.
    pub(crate) run: Vec<String>,
    /// Variables of its environment.
    #[serde(default)]
    pub(crate) env: std::collections::BTreeMap<String, String>,
}

/// What the steps leave.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) enum Output {
    /// A core module, of which a component is made.
    Core(String),
    /// A component.
    Component(String),
}

/// Placeholders and what they stand for.
pub(crate) struct Words<'a> {
    /// The project's folder, in which commands run.
    pub(crate) project: &'a Path,
    /// The SDK's folder, from there.
    pub(crate) sdk: String,
    /// Name and meaning of the plain ones.
    pub(crate) plain: Vec<(String, String)>,
}

impl Words<'_> {
    /// The arguments that a template of one stands for: one, or for a pattern as many as there are
    /// files, sorted.
    ///
    /// # Errors
    /// `NoSources` for a pattern that no file has.
    pub(crate) fn arguments(&self, template: &str) -> Result<Vec<String>, Error> {
        let pattern = |prefix: &str| template.strip_prefix(prefix)?.strip_suffix('}');
        if let Some(pattern) = pattern("{files:") {
            return found(self.project, Path::new(""), pattern);
        }
        if let Some(pattern) = pattern("{sdk-files:") {
            return found(self.project, Path::new(&self.sdk), pattern);
        }
        Ok(vec![self.text(template)])
    }

    /// A text without placeholders.
    pub(crate) fn text(&self, template: &str) -> String {
        let mut text = template.replace("{sdk}", &self.sdk);
        for (name, meaning) in &self.plain {
            text = text.replace(&format!("{{{name}}}"), meaning);
        }
        text
    }
}

/// The files under `root` of a folder that a pattern has, from the folder.
fn found(project: &Path, root: &Path, pattern: &str) -> Result<Vec<String>, Error> {
    let bad = |_| Error::NoSources { pattern: pattern.to_owned() };
    let glob = GlobBuilder::new(pattern).literal_separator(true).build().map_err(bad)?;
    let (matcher, base) = (glob.compile_matcher(), project.join(root));
    let mut files: Vec<String> = WalkDir::new(&base)
        .into_iter()
        .flatten()
        .filter(|entry| entry.file_type().is_file())
        .filter_map(|entry| entry.path().strip_prefix(&base).map(Path::to_owned).ok())
        .filter(|path| matcher.is_match(path))
        .map(|path| root.join(path).to_string_lossy().into_owned())
        .collect();
    files.sort();
    if files.is_empty() {
        return Err(Error::NoSources { pattern: pattern.to_owned() });
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_become_arguments_and_patterns_become_files() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["src/b.c", "src/a.c", "src/deep/c.c", "src/a.h", "kit/x.c"] {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let words = Words {
            project: folder.path(),
            sdk: "kit".into(),
            plain: vec![("out".into(), "build".into()), ("cc".into(), "/bin/cc".into())],
        };
        let of = |template: &str| words.arguments(template).unwrap();
        assert_eq!(of("{files:src/**/*.c}"), ["src/a.c", "src/b.c", "src/deep/c.c"]);
        assert_eq!(of("{files:src/*.c}"), ["src/a.c", "src/b.c"]);
        assert_eq!(of("{sdk-files:*.c}"), ["kit/x.c"]);
        assert_eq!(of("-I{sdk}/include:{out}"), ["-Ikit/include:build"]);
        assert_eq!(of("{cc}"), ["/bin/cc"]);
        let error = words.arguments("{files:*.zig}").unwrap_err();
        assert!(error.to_string().contains("*.zig"), "{error}");
    }
}
