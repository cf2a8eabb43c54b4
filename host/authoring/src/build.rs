//! From a project to a component that a host can load.
//!
//! The language's recipe says which commands are called. They run in the project's folder, with
//! paths from there, so that the same project gives the same bytes wherever it lies; what they
//! print is the author's to read, as it comes.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use berth_sandbox::manifest::MANIFEST;
use berth_sandbox::whole;
use berth_workflow::BUILD;

use crate::componentize::componentize;
use crate::error::Error;
use crate::project::Project;
use crate::recipe::{Output, Probe, Words};
use crate::sdk;

/// The folder for what is only made on the way.
const WORK: &str = ".work";

/// What a build gave.
#[derive(Debug, Clone)]
pub struct Built {
    /// The component.
    pub component: PathBuf,
    /// Its bytes.
    pub size: usize,
    /// How long it took.
    pub time: Duration,
}

impl Project {
    /// Builds the component, and puts it with the manifest where a host finds them.
    ///
    /// # Errors
    /// `Missing` for a tool, `Failed` for a command, `NoOutput`, `NoComponent`, `NoSources`,
    /// `Start`, `Write`.
    pub fn build(&self) -> Result<Built, Error> {
        let start = Instant::now();
        let write = |path: &Path, source| Error::Write { path: path.to_owned(), source };
        sdk::install(self.folder(), self.language_folder(), &self.recipe)?;
        let (out, words) = self.words()?;
        let out = self.folder().join(out);
        fs::create_dir_all(&out).map_err(|source| write(&out, source))?;
        for probe in &self.recipe.probes {
            self.probe(probe, &words)?;
        }
        for step in &self.recipe.steps {
            let mut command = self.command(&step.run, &words)?;
            for (name, value) in &step.env {
                command.env(name, words.text(value));
            }
            tracing::debug!(target: "berth::build", "{command:?}");
            let shown = shown(&command);
            let program = command.get_program().to_string_lossy().into_owned();
            let status = command.status().map_err(|source| Error::Start { program, source })?;
            if !status.success() {
                return Err(Error::Failed { command: shown });
            }
        }
        let (Output::Core(left) | Output::Component(left)) = &self.recipe.output;
        let path = self.folder().join(words.text(left));
        let bytes =
            fs::read(&path).map_err(|source| Error::NoOutput { path: path.clone(), source })?;
        let bytes = match &self.recipe.output {
            Output::Component(_) => bytes,
            Output::Core(_) => componentize(bytes, self.world())
                .map_err(|reason| Error::NoComponent { path, reason })?,
        };
        let manifest = self.folder().join(MANIFEST);
        let manifest = fs::read(&manifest).map_err(|source| write(&manifest, source))?;
        fs::create_dir_all(self.built()).map_err(|source| write(&self.built(), source))?;
        place(&self.built().join(MANIFEST), &manifest)?;
        place(&self.component(), &bytes)?;
        self.remove_renamed();
        Ok(Built { component: self.component(), size: bytes.len(), time: start.elapsed() })
    }

    /// Removes what builds left under names that the plugin had before: a host that has the build
    /// folder as a folder of plugins would take them for others.
    fn remove_renamed(&self) {
        let entries = fs::read_dir(self.plugins()).into_iter().flatten().flatten();
        for folder in entries.map(|entry| entry.path()).filter(|path| *path != self.built()) {
            let name = folder.file_name().unwrap_or_default();
            let ours = [folder.join(name).with_added_extension("wasm"), folder.join(MANIFEST)];
            let all = fs::read_dir(&folder).map_or(0, Iterator::count);
            if all == ours.len() && ours.iter().all(|file| file.is_file()) {
                // What cannot be removed is told by the check.
                let _ = fs::remove_dir_all(&folder);
            }
        }
    }

    /// The tools that a build would miss, with how to install them.
    #[must_use]
    pub fn missing_tools(&self) -> Vec<Error> {
        let missing: Vec<Error> = self
            .recipe
            .tools
            .iter()
            .filter(|tool| self.find(&tool.programs).is_none())
            .map(|tool| self.missing(&tool.name, &tool.install))
            .collect();
        match self.words() {
            Ok((out, words)) if missing.is_empty() => {
                // Where it cannot be made, the build will say so.
                let _ = fs::create_dir_all(self.folder().join(out));
                let probes = self.recipe.probes.iter();
                probes.filter_map(|probe| self.probe(probe, &words).err()).collect()
            }
            _ => missing,
        }
    }

    /// What placeholders stand for, with the folder that is worked in.
    fn words(&self) -> Result<(PathBuf, Words<'_>), Error> {
        let out = Path::new(BUILD).join(WORK);
        let name = &self.manifest().name;
        let mut plain = vec![
            ("out".to_owned(), out.to_string_lossy().into_owned()),
            ("wit".to_owned(), format!("{}/wit", sdk::FOLDER)),
            ("name".to_owned(), name.clone()),
            ("crate".to_owned(), name.replace('-', "_")),
            ("world".to_owned(), self.world().name().to_owned()),
        ];
        for tool in &self.recipe.tools {
            let path =
                self.find(&tool.programs).ok_or_else(|| self.missing(&tool.name, &tool.install))?;
            plain.push((tool.name.clone(), path.to_string_lossy().into_owned()));
        }
        let sdk = format!("{}/sdk/{}", sdk::FOLDER, self.language_folder());
        Ok((out, Words { project: self.folder(), sdk, plain }))
    }

    fn missing(&self, name: &str, install: &str) -> Error {
        Error::Missing {
            missing: name.to_owned(),
            language: self.language().to_owned(),
            install: install.to_owned(),
            folder: self.folder().to_owned(),
        }
    }

    /// The first of some programs that the project or the system has.
    fn find(&self, programs: &[String]) -> Option<PathBuf> {
        let own = [".venv/bin", "node_modules/.bin"].map(|folder| self.folder().join(folder));
        let path = env::var_os("PATH").unwrap_or_default();
        let folders: Vec<PathBuf> = own.into_iter().chain(env::split_paths(&path)).collect();
        let found = |program: &String| {
            let mut paths = folders.iter().map(|folder| folder.join(program));
            paths.find(|path| path.is_file())
        };
        // Commands run in the project's folder, where a path from here would lead elsewhere.
        programs.iter().find_map(found).map(|path| std::path::absolute(&path).unwrap_or(path))
    }

    fn probe(&self, probe: &Probe, words: &Words<'_>) -> Result<(), Error> {
        let mut command = self.command(&probe.run, words)?;
        command.stdout(Stdio::null()).stderr(Stdio::null());
        if command.status().is_ok_and(|status| status.success()) {
            return Ok(());
        }
        Err(self.missing(&probe.missing, &probe.install))
    }

    fn command(&self, line: &[String], words: &Words<'_>) -> Result<Command, Error> {
        let arguments: Vec<Vec<String>> =
            line.iter().map(|part| words.arguments(part)).collect::<Result<_, _>>()?;
        let mut arguments = arguments.into_iter().flatten();
        let mut command = Command::new(arguments.next().unwrap_or_default());
        command.args(arguments).current_dir(self.folder()).stdin(Stdio::null());
        Ok(command)
    }
}

/// A command in so many words that one knows which it was: its messages say the rest.
fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default();
    let words = std::iter::once(program).chain(command.get_args().take(1));
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// Writes a file at once: a host that reads it meanwhile sees the old one or the new one.
fn place(path: &Path, data: &[u8]) -> Result<(), Error> {
    whole::write(path, data).map_err(|source| Error::Write { path: path.to_owned(), source })
}
