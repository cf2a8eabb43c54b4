//! A plugin's own tests: the files `tests/*.toml` of its project.
//!
//! Each names a node, what it is given, and what is expected of it. All are read and checked first:
//! a test with a mistake in it is no test that failed. Then each runs in a host of its own, with the
//! rights that the manifest requests, unless it says otherwise.

mod check;
mod expect;
mod format;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use berth_memory::{Cancel, OffloadModeName};
use berth_sandbox::reading::Size;
use berth_sandbox::rights::{Folder, Grant, Grants, INPUT, OUTPUT};
use berth_sandbox::{Compiler, Folders, Value};
use berth_workflow::{Event, Observer, RunError};

use self::check::{Case, Files};
use self::expect::{Judge, told};
pub(crate) use self::format::read;
use self::format::{From, Written};
use crate::array::Array;
use crate::bench::{Bench, lock};
use crate::error::Error;
use crate::files;
use crate::given::{self, Given, of_file};
use crate::project::Project;
use crate::trial::{Settings, Trial};
use crate::wire;

/// Most lines of what a node said that are kept for one that failed.
const MOST_SAID: usize = 20;

/// How tests are run.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Only tests with this in their names run.
    pub filter: Option<String>,
    /// Stops them.
    pub cancel: Cancel,
    /// The folder for compiled code; without it, code is kept as long as the tests run.
    pub compiled_cache: Option<PathBuf>,
    /// Where plugins are compiled.
    pub compiler: Compiler,
}

/// What is about to run.
#[derive(Debug, Clone, Copy)]
pub struct Begun<'a> {
    /// The plugin.
    pub plugin: &'a str,
    /// How many tests run.
    pub tests: usize,
    /// How many were left out by the filter.
    pub left_out: usize,
}

/// A test that ran.
#[derive(Debug, Clone, Copy)]
pub struct Ended<'a> {
    /// The name of its file.
    pub file: &'a str,
    /// Its name.
    pub name: &'a str,
    /// The node that ran.
    pub node: &'a str,
    /// What was expected and found instead; nothing, if it passed.
    pub problems: &'a [String],
    /// What the node said meanwhile.
    pub said: &'a [String],
    /// How long it took.
    pub seconds: f64,
}

/// What came of all tests.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Summary {
    /// How many passed.
    pub passed: usize,
    /// How many did not.
    pub failed: usize,
    /// How many were left out by the filter.
    pub left_out: usize,
    /// How long they took.
    pub seconds: f64,
}

impl Summary {
    /// Whether all passed.
    ///
    /// # Errors
    /// `Failed`, if not.
    pub fn verdict(&self) -> Result<(), Error> {
        let Self { passed, failed, .. } = *self;
        if failed == 0 {
            Ok(())
        } else {
            Err(Error::Failed { failed, all: passed.saturating_add(failed) })
        }
    }
}

/// Is told what happens.
pub trait Reporter {
    /// All tests are fine as they are written, and the first is about to run.
    fn begins(&self, begun: Begun<'_>);
    /// A test is about to run.
    fn runs(&self, _name: &str) {}
    /// A test has run.
    fn ended(&self, ended: Ended<'_>);
}

/// Runs the tests of the project in a folder.
///
/// # Errors
/// `NoTests`, `NoSuchTest`, `Misread`, `Interrupted`, and what is wrong with the plugin. That tests did not
/// pass is no error here: [`Summary::verdict`] makes it one.
pub fn run(folder: &Path, options: &Options, reporter: &dyn Reporter) -> Result<Summary, Error> {
    let begun = Instant::now();
    let files = Files::read(folder)?;
    let project = Project::find(folder)?;
    let temporary = tempfile::Builder::new()
        .prefix("berth-")
        .tempdir()
        .map_err(|source| Error::System { what: "make a temporary folder", source })?;
    let cache = || temporary.path().join("compiled");
    let suite = Suite {
        bench: Bench::new(
            options.compiled_cache.clone().or_else(|| Some(cache())),
            options.compiler.clone(),
        ),
        compiled_cache: options.compiled_cache.clone().unwrap_or_else(cache),
        compiler: options.compiler.clone(),
        cancel: options.cancel.clone(),
        tests: files.folder.clone(),
        temporary: temporary.path().to_owned(),
        project,
    };
    let mut first = suite.settings("check");
    if let Some(grants) = &mut first.grants {
        // Only what it says of its nodes is asked here; what it lacks is told where it runs.
        make_folders(grants)?;
        grants.paths.retain(|_, path| path.is_dir());
    }
    let cases = files.check(&Trial::open(&suite.project, &first)?, &suite.bench)?;
    let all = cases.len();
    let is_meant = |case: &Case| {
        options.filter.as_ref().is_none_or(|part| case.test.name.get_ref().contains(part.as_str()))
    };
    let chosen: Vec<Case> = cases.into_iter().filter(is_meant).collect();
    if let (true, Some(filter)) = (chosen.is_empty(), &options.filter) {
        let filter = berth_sandbox::text::plain(filter).into_owned();
        return Err(Error::NoSuchTest { filter, all });
    }
    let left_out = all.saturating_sub(chosen.len());
    reporter.begins(Begun { plugin: &suite.project.name, tests: chosen.len(), left_out });
    let mut summary = Summary { left_out, ..Summary::default() };
    for (index, case) in chosen.iter().enumerate() {
        reporter.runs(case.test.name.get_ref());
        let (since, heard) = (Instant::now(), Arc::new(Heard::default()));
        let problems = match suite.case(index, case, &heard) {
            Ok(problems) => problems,
            Err(Error::Interrupted) => return Err(Error::Interrupted),
            Err(error) => vec![told(&error)],
        };
        let count = if problems.is_empty() { &mut summary.passed } else { &mut summary.failed };
        *count = count.saturating_add(1);
        let heard = lock(&heard.0);
        reporter.ended(Ended {
            file: &case.file,
            name: case.test.name.get_ref(),
            node: case.test.node.get_ref(),
            problems: &problems,
            said: &heard.said,
            seconds: since.elapsed().as_secs_f64(),
        });
    }
    summary.seconds = begun.elapsed().as_secs_f64();
    Ok(summary)
}

/// What all tests of a project share: nothing that a node of it can see.
struct Suite {
    project: Project,
    bench: Bench,
    /// The folder of the tests.
    tests: PathBuf,
    temporary: PathBuf,
    compiled_cache: PathBuf,
    compiler: Compiler,
    cancel: Cancel,
}

impl Suite {
    /// Settings for a host whose nodes leave files in a folder of its own.
    fn settings(&self, own: &str) -> Settings {
        let own = self.temporary.join(own);
        let folders = Folders {
            output: own.join("output"),
            temporary: own.join("temporary"),
            input: self.tests.clone(),
        };
        Settings {
            compiled_cache: Some(self.compiled_cache.clone()),
            compiler: self.compiler.clone(),
            grants: Some(self.everything(&own)),
            ..Settings::new(folders)
        }
    }

    /// All that the manifest requests. A folder of the plugin's own that it reads is the one of its
    /// label beside the tests; one that it writes to is empty, and goes with the test.
    fn everything(&self, own: &Path) -> Grants {
        let manifest = self.project.manifest.as_ref();
        let allowed = manifest.map(|manifest| manifest.requests.clone()).unwrap_or_default();
        let theirs = |label: &str| label != INPUT && label != OUTPUT;
        let path = |(label, access): (&String, &Folder)| {
            let root = if *access == Folder::Write { own } else { &self.tests };
            theirs(label).then(|| (label.clone(), root.join(label)))
        };
        let paths = allowed.folders.iter().filter_map(path).collect();
        Grants { allowed, paths }
    }

    /// What a test grants. Folders are relative to the project.
    fn granted(&self, rights: &[Grant]) -> Result<Grants, Error> {
        let absolute = |grant: &Grant| Grant {
            right: grant.right.clone(),
            path: grant.path.as_ref().map(|path| self.project.folder.join(path)),
        };
        Settings::grants(rights.iter().map(absolute).collect())
    }

    /// Runs one test, and says in which way it did not do what is expected.
    fn case(&self, index: usize, case: &Case, heard: &Arc<Heard>) -> Result<Vec<String>, Error> {
        let test = &case.test;
        let mut settings = self.settings(&index.to_string());
        settings.vram = test.vram.map(|Size(bytes)| bytes);
        settings.quota = test.quota.map(|Size(bytes)| bytes);
        settings.offload = test.offload.unwrap_or(OffloadModeName::Planned);
        if let Some(models) = &test.models {
            let path = self.project.folder.join(models);
            if !path.is_dir() {
                let source = std::io::Error::from(std::io::ErrorKind::NotADirectory);
                return Err(Error::Read { path, source });
            }
            settings.models.push(path);
        }
        if let Some(rights) = &test.grant {
            settings.grants = Some(self.granted(rights)?);
        }
        if let Some(grants) = &settings.grants {
            make_folders(grants)?;
        }
        let expects_error = test.error.as_ref().map(|error| error.get_ref().as_str());
        let ended = self.run(test, &settings, heard);
        if let (Some(part), Err(error)) = (expects_error, &ended) {
            if matches!(error, Error::Interrupted) {
                return Err(Error::Interrupted);
            }
            let said = told(error);
            return Ok(match said.contains(part) {
                true => Vec::new(),
                false => vec![format!("error: expected {part:?}, found {said:?}")],
            });
        }
        let (trial, inputs, outputs) = ended?;
        let mut judge = Judge {
            bench: &self.bench,
            folder: &self.tests,
            inputs: &inputs,
            problems: Vec::new(),
        };
        if let Some(part) = expects_error {
            judge.problems.push(format!("error: expected {part:?}, and nothing failed"));
        }
        let node = trial.node(test.node.get_ref())?;
        for (index, (output, value)) in node.outputs.iter().zip(&outputs).enumerate() {
            let name = berth_sandbox::text::plain(&output.name);
            let place = format!("output {index} `{name}`");
            if let Err(reason) = wire::check(&output.type_name, value) {
                judge.problems.push(format!("{place}: {reason}"));
            }
            if let Some(expected) = test.outputs.get(index) {
                judge.value(&place, expected.get_ref(), value);
            }
        }
        let Judge { mut problems, .. } = judge;
        if let Some(steps) = test.progress {
            let reported = lock(&heard.0).progress;
            match reported {
                Some((value, _)) if value == steps => {}
                Some((value, total)) => {
                    problems.push(format!("progress: expected {steps}, found {value} of {total}"));
                }
                None => problems.push(format!("progress: expected {steps}, and none was reported")),
            }
        }
        Ok(problems)
    }

    /// The trial, what the node was given, and what it gave.
    #[expect(clippy::type_complexity, reason = "what one run is made of, named where it is used")]
    fn run(
        &self,
        test: &format::Test,
        settings: &Settings,
        heard: &Arc<Heard>,
    ) -> Result<(Trial, Vec<(String, Value)>, Vec<Value>), Error> {
        let trial = Trial::open(&self.project, settings)?;
        let node = trial.node(test.node.get_ref())?;
        let mut inputs = Vec::new();
        for (name, written) in &test.inputs.0 {
            let Some(input) = node.input(name.get_ref()) else { continue };
            let given = self.given(written.get_ref())?;
            inputs.push((name.get_ref().clone(), given::value(&trial, input, given)?));
        }
        let inputs = given::complete(node, inputs);
        let ready = trial.prepare(test.node.get_ref(), inputs.clone())?;
        let outputs = ready.run("test".into(), self.cancel.clone(), heard.clone());
        let outputs = outputs.map_err(|error| match error {
            RunError::Node(failed) => failed_node(failed.error),
            RunError::Interrupted => Error::Interrupted,
            RunError::Host(reason) => Error::Host(reason),
        })?;
        Ok((trial, inputs, outputs))
    }

    /// What an input is given, made.
    fn given(&self, written: &Written) -> Result<Given, Error> {
        Ok(match written {
            Written::Plain(plain) => Given::Plain(plain.clone()),
            Written::Tensor { from, shape, dtype } => {
                let array = match from {
                    From::Full(value) => self.bench.full(*dtype, shape, *value)?,
                    From::Data(data) => Array::of_numbers(*dtype, shape, data)
                        .map_err(|reason| Error::of_input(crate::fault::Fault::new(reason)))?,
                    From::Normal(seed) => self.bench.normal(*seed, shape)?,
                    From::Uniform(seed) => self.bench.uniform(*seed, shape)?,
                };
                Given::Array(self.bench.cast(&array, *dtype)?)
            }
            Written::File(name) => {
                let path = PathBuf::from(name);
                let (path, kind) =
                    files::named(name).ok_or_else(|| Error::NoPlugin { path: path.clone() })?;
                of_file(&self.bench, &self.tests.join(path), &kind)?
            }
            Written::Object { type_name, fields } => {
                let field = |(name, written): &(toml::Spanned<String>, Written)| {
                    Ok::<_, Error>((name.get_ref().clone(), self.given(written)?))
                };
                let fields = fields.0.iter().map(field).collect::<Result<_, _>>()?;
                Given::Object(type_name.clone(), fields)
            }
            Written::Items(items) => {
                Given::Items(items.iter().map(|item| self.given(item)).collect::<Result<_, _>>()?)
            }
        })
    }
}

/// What a node failed of, as an error of a test.
fn failed_node(error: berth_workflow::WorkflowError) -> Error {
    match error {
        berth_workflow::WorkflowError::Sandbox(error) => Error::Sandbox(error),
        other => Error::Host(other.to_string()),
    }
}

/// Folders that a plugin may write to are made, where a test begins with none.
fn make_folders(grants: &Grants) -> Result<(), Error> {
    for (label, path) in &grants.paths {
        if grants.allowed.folders.get(label) == Some(&Folder::Write) {
            std::fs::create_dir_all(path)
                .map_err(|source| Error::Write { path: path.clone(), source })?;
        }
    }
    Ok(())
}

/// Remembers what a node reports and says.
#[derive(Default)]
struct Heard(Mutex<Said>);

#[derive(Default)]
struct Said {
    progress: Option<(u32, u32)>,
    said: Vec<String>,
}

impl Observer for Heard {
    fn event(&self, event: Event) {
        let mut heard = lock(&self.0);
        match event {
            Event::Progress { value, max, .. } => heard.progress = Some((value, max)),
            Event::Log { level, message, .. } if heard.said.len() < MOST_SAID => {
                heard.said.push(format!("{level:?}: {message}").to_lowercase());
            }
            _ => {}
        }
    }
}
