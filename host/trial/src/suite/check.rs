//! A project's tests against its nodes: what can be known to be wrong before anything runs.

use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use berth_sandbox::reading::Misread;
use berth_sandbox::text::{nearest, plain};
use berth_sandbox::{Choices, Input, NodeType, Port};
use toml::Spanned;

use super::format::{Expected, From, Test, Written, read};
use crate::array::check_number;
use crate::bench::Bench;
use crate::error::Error;
use crate::fault::Fault;
use crate::files::{self, KINDS, bounded};
use crate::given::{missing, plain_value};
use crate::project::entries;
use crate::trial::Trial;
use crate::{takes, wire};

/// The folder of a project's tests.
const FOLDER: &str = "tests";

/// Most files of tests.
const MOST_FILES: usize = 256;

/// Longest file of tests, in bytes.
const LONGEST: u64 = 1 << 20;

/// A test, and the file that it stands in.
pub(super) struct Case {
    pub(super) file: String,
    pub(super) test: Test,
}

/// The files of a project's tests, as they were read.
pub(super) struct Files {
    pub(super) folder: PathBuf,
    files: Vec<(String, String, Vec<Test>)>,
}

impl Files {
    /// Reads all tests of a project.
    ///
    /// # Errors
    /// `NoTests`, `TooManyFiles`, `Read`, and `Misread` for what is none and for a name that is there twice.
    pub(super) fn read(project: &Path) -> Result<Self, Error> {
        let folder = project.join(FOLDER);
        let paths = match entries(&folder, "toml") {
            Ok(paths) => paths,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(source) => return Err(Error::Read { path: folder, source }),
        };
        let mut files = Vec::new();
        let mut names: HashMap<String, String> = HashMap::new();
        if paths.len() > MOST_FILES {
            return Err(Error::TooManyFiles { folder, found: paths.len(), most: MOST_FILES });
        }
        for path in &paths {
            let failed = |source| Error::Read { path: path.clone(), source };
            let text = bounded(path, LONGEST).map_err(failed)?;
            let text = String::from_utf8(text)
                .map_err(|_| Error::of_file(path, Fault::new("it is no text in UTF-8")))?;
            let origin = plain(&path.display().to_string()).into_owned();
            let file = read(&origin, text.clone())?;
            for test in &file.test {
                let name = test.name.get_ref();
                if let Some(first) = names.insert(name.clone(), origin.clone()) {
                    let message = format!("a test of {first} has this name already");
                    let hint = Some("a name says what one test shows, and no other".to_owned());
                    let place = test.name.span();
                    return Err(Box::new(Misread::at(&origin, text, place, message, hint)).into());
                }
            }
            files.push((origin, text, file.test));
        }
        if files.iter().all(|(.., tests)| tests.is_empty()) {
            return Err(Error::NoTests { folder });
        }
        Ok(Self { folder, files })
    }

    /// Checks all tests against the nodes of a plugin.
    ///
    /// # Errors
    /// `Misread`, for the first thing that is wrong.
    pub(super) fn check(self, trial: &Trial, bench: &Bench) -> Result<Vec<Case>, Error> {
        let mut cases = Vec::new();
        for (origin, text, tests) in self.files {
            for test in tests {
                check(trial, bench, &test).map_err(|(place, Fault { message, hint })| {
                    Box::new(Misread::at(&origin, text.clone(), place, message, hint))
                })?;
                let file = Path::new(&origin).file_name().unwrap_or_default();
                let file = file.to_string_lossy().into_owned();
                cases.push(Case { file, test });
            }
        }
        Ok(cases)
    }
}

/// Where something is wrong, and what.
type Wrong = (Range<usize>, Fault);

fn check(trial: &Trial, bench: &Bench, test: &Test) -> Result<(), Wrong> {
    let at_node = |fault| (test.node.span(), fault);
    let node = trial.node(test.node.get_ref()).map_err(|error| {
        let fault = Fault::new(error.to_string());
        at_node(match error.hint() {
            Some(hint) => fault.hint(hint),
            None => fault,
        })
    })?;
    let options = |choices: &Choices| match choices {
        Choices::Fixed(options) => options.clone(),
        _ => Vec::new(),
    };
    let takes = || takes::node(node, &options);
    for (name, written) in &test.inputs.0 {
        let Some(input) = node.input(name.get_ref()) else {
            let known = node.inputs.iter().map(|input| input.name.as_str());
            let near =
                nearest(name.get_ref(), known).map(|near| format!("did you mean `{near}`?\n"));
            let fault = Fault::new(format!("node `{}` has no such input", node.name));
            return Err((name.span(), fault.hint(near.unwrap_or_default() + &takes())));
        };
        check_input(bench, input, written.get_ref()).map_err(|fault| (written.span(), fault))?;
    }
    let is_given = |name: &str| test.inputs.0.iter().any(|(given, _)| given.get_ref() == name);
    if let [first, ..] = *missing(node, is_given) {
        let fault = Fault::new(format!("node `{}` needs the input `{first}`", node.name));
        return Err(at_node(fault.hint(takes())));
    }
    if let (Some(error), false) = (&test.error, test.outputs.is_empty()) {
        let fault = Fault::new("a node that fails gives no outputs");
        return Err((error.span(), fault.hint("leave out `error` or `outputs`")));
    }
    for (index, expected) in test.outputs.iter().enumerate() {
        if index >= node.outputs.len() {
            let most = node.outputs.len();
            let fault = Fault::new(format!("node `{}` has {most} outputs", node.name));
            return Err((expected.span(), fault.hint("leave this one out")));
        }
        check_expected(bench, test, node, expected.get_ref())
            .map_err(|fault| (expected.span(), fault))?;
    }
    // Of a node without outputs, it is something that it ends well.
    let says = !test.outputs.is_empty() || test.error.is_some() || test.progress.is_some();
    if !says && !node.outputs.is_empty() {
        let fault = Fault::new("this test expects nothing, so whatever the node gives would pass");
        let hint = "say what it gives, such as outputs = [{ shape = [1, 8, 8, 3] }], or that it \
                    fails: error = \"part of the message\"";
        return Err((test.name.span(), fault.hint(hint)));
    }
    Ok(())
}

fn check_input(bench: &Bench, input: &Input, written: &Written) -> Result<(), Fault> {
    let name = plain(&input.name);
    let about = |fault: Fault| {
        let message = format!("`{name}`: {}", fault.message);
        Fault { message, ..fault }
    };
    match (written, &input.port) {
        (Written::Plain(given), Port::Choice { choices: Choices::Fixed(options), .. }) => {
            plain_value(input, given, Some(options)).map(|_| ())
        }
        (Written::Plain(given), _) => plain_value(input, given, None).map(|_| ()),
        (Written::Tensor { shape, dtype, .. }, Port::Socket { types }) => {
            check_tensors(bench, written).map_err(about)?;
            wire::fit(types, *dtype, shape).map(|_| ()).map_err(about)
        }
        (Written::Object { type_name, .. }, Port::Socket { types })
            if !types.iter().any(|name| name == type_name || name == "*") =>
        {
            let (takes, given) = (types.join(" or "), plain(type_name));
            Err(Fault::new(format!("`{name}` takes {takes}, not an object {given}")))
        }
        (Written::Items(_), Port::Socket { types }) if types.iter().all(|t| wire::is_known(t)) => {
            Err(Fault::new(format!("`{name}` takes {}, not a list", types.join(" or "))))
        }
        (written, Port::Socket { types }) if wire::carries_tensors(types) => {
            check_tensors(bench, written).map_err(about)
        }
        (_, port) => {
            let options = |choices: &Choices| match choices {
                Choices::Fixed(options) => options.clone(),
                _ => Vec::new(),
            };
            Err(Fault::new(format!("`{name}` takes {}", takes::port(port, &options))))
        }
    }
}

/// Whether the tensors in a value can be made.
fn check_tensors(bench: &Bench, written: &Written) -> Result<(), Fault> {
    match written {
        Written::Plain(_) => Ok(()),
        Written::Tensor { from, shape, dtype } => {
            bench.check_shape(*dtype, shape)?;
            match from {
                From::Full(value) => check_number(*dtype, *value).map_err(Fault::new),
                From::Data(data) => {
                    let all: usize = shape.iter().product();
                    if data.len() != all {
                        let (given, message) = (data.len(), "the shape");
                        return Err(Fault::new(format!(
                            "`data` has {given} numbers, and {message} {shape:?} takes {all}"
                        )));
                    }
                    data.iter().try_for_each(|n| check_number(*dtype, *n)).map_err(Fault::new)
                }
                From::Normal(_) | From::Uniform(_) => Ok(()),
            }
        }
        Written::File(name) => check_file(name),
        Written::Object { fields, .. } => {
            fields.0.iter().try_for_each(|(_, field)| check_tensors(bench, field))
        }
        Written::Items(items) => items.iter().try_for_each(|item| check_tensors(bench, item)),
    }
}

fn check_file(name: &str) -> Result<(), Fault> {
    match files::named(name) {
        Some(_) => Ok(()),
        None => Err(Fault::new(format!("`{}` is no file that is read", plain(name)))
            .hint(format!("name {KINDS}, relative to the folder of the tests"))),
    }
}

fn check_expected(
    bench: &Bench,
    test: &Test,
    node: &NodeType,
    expected: &Expected,
) -> Result<(), Fault> {
    if expected.is_empty() {
        let hint = "say what the value is, such as { shape = [1, 8, 8, 3] } or { value = 7 }; \
                    what may be any tensor is { type = \"tensor\" }";
        return Err(Fault::new("nothing is expected here, so every value would pass").hint(hint));
    }
    if let Some(shape) = &expected.shape {
        let dtype = expected.dtype.unwrap_or(berth_compute::DType::U8);
        bench.compute().checked_bytes(dtype, shape).map_err(|e| Fault::new(e.to_string()))?;
    }
    if expected.tolerance.is_some_and(|tolerance| tolerance.is_nan() || tolerance < 0.0) {
        return Err(Fault::new("a tolerance is a number from 0"));
    }
    if let Some(file) = &expected.file {
        check_file(file)?;
    }
    if let Some(origin) = &expected.same_as {
        let name = origin.split('.').next().unwrap_or_default();
        let given = || test.inputs.0.iter().map(|(name, _)| name).map(Spanned::get_ref);
        let default = || node.input(name).is_some_and(|input| !takes::is_needed(input));
        if !given().any(|given| given == name) && !default() {
            let fault = Fault::new(format!("`same-as` names no input: `{}`", plain(name)));
            return Err(match nearest(name, given().map(String::as_str)) {
                Some(near) => fault.hint(format!("did you mean `{near}`?")),
                None => fault.hint("it names an input of the test, or INPUT.FIELD"),
            });
        }
    }
    expected.fields.0.iter().try_for_each(|(_, field)| check_expected(bench, test, node, field))?;
    let items = expected.items.as_deref().unwrap_or_default();
    items.iter().try_for_each(|item| check_expected(bench, test, node, item))
}
