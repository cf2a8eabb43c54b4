//! What inputs are given, as values.
//!
//! Who writes it is not exact about types, so `"64"` is an integer and `1` a number, but only what
//! loses nothing is converted, as in a workflow.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use berth_sandbox::text::{enumerate, nearest, plain};
use berth_sandbox::{Choices, Input, List, NodeType, Object, Port, Value};
use berth_workflow::{Inputs, NodeProvider};

use crate::array::Array;
use crate::bench::Bench;
use crate::error::Error;
use crate::fault::Fault;
use crate::files::{self, KINDS, Kind};
use crate::takes;
use crate::trial::Trial;
use crate::wire;

/// The integers that an input takes when it sets no bounds: those of 64 bits, signed or unsigned.
const INTEGERS: (i128, i128) = (i64::MIN as i128, u64::MAX as i128);

/// A plain value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Plain {
    Boolean(bool),
    Integer(i128),
    Number(f64),
    Text(String),
}

/// What an input is given: what is on a wire, before it is anybody's.
#[derive(Debug, Clone)]
pub(crate) enum Given {
    Plain(Plain),
    /// A tensor, which becomes what its wire has.
    Array(Array),
    /// An image file's pixels, which may become a mask.
    Image(Array),
    Object(String, Vec<(String, Given)>),
    Items(Vec<Given>),
}

impl fmt::Display for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean(value) => write!(f, "{value}"),
            Self::Integer(value) => write!(f, "{value}"),
            Self::Number(value) => write!(f, "{value}"),
            Self::Text(text) => write!(f, "{:?}", plain(text)),
        }
    }
}

impl Plain {
    fn value(&self) -> Value {
        match self {
            Self::Boolean(value) => Value::Boolean(*value),
            Self::Integer(value) => Value::Integer(*value),
            Self::Number(value) => Value::Number(*value),
            Self::Text(text) => Value::Text(text.as_str().into()),
        }
    }

    fn boolean(&self) -> Option<bool> {
        match self {
            Self::Boolean(value) => Some(*value),
            Self::Text(text) => text.trim().to_ascii_lowercase().parse().ok(),
            Self::Integer(_) | Self::Number(_) => None,
        }
    }

    fn integer(&self) -> Option<i128> {
        match self {
            Self::Integer(value) => Some(*value),
            Self::Text(text) => text.trim().parse().ok(),
            // Beyond 2⁵³ a float does not say which integer is meant.
            Self::Number(value) => {
                (value.fract() == 0.0 && value.abs() <= 2f64.powi(53)).then_some(*value as i128)
            }
            Self::Boolean(_) => None,
        }
    }

    fn number(&self) -> Option<f64> {
        let number = match self {
            Self::Integer(value) => *value as f64,
            Self::Number(value) => *value,
            Self::Text(text) => text.trim().parse().ok()?,
            Self::Boolean(_) => return None,
        };
        number.is_finite().then_some(number)
    }
}

/// A plain value as an input takes it. Options of a choice are checked where they are known.
pub(crate) fn plain_value(
    input: &Input,
    given: &Plain,
    options: Option<&[String]>,
) -> Result<Value, Fault> {
    let name = plain(&input.name);
    let wrong = || {
        let takes = takes::port(&input.port, &|_| options.unwrap_or_default().to_vec());
        Fault::new(format!("`{name}` takes {takes}, not {given}"))
    };
    match &input.port {
        Port::Boolean { .. } => given.boolean().map(Value::Boolean).ok_or_else(wrong),
        Port::Integer { min, max, seed, .. } => {
            let least = if *seed { 0 } else { INTEGERS.0 };
            let range = min.unwrap_or(least)..=max.unwrap_or(INTEGERS.1);
            let value = given.integer().filter(|value| range.contains(value));
            value.map(Value::Integer).ok_or_else(wrong)
        }
        Port::Number { min, max, .. } => {
            let range = min.unwrap_or(f64::MIN)..=max.unwrap_or(f64::MAX);
            let value = given.number().filter(|value| range.contains(value));
            value.map(Value::Number).ok_or_else(wrong)
        }
        Port::Text { .. } => Ok(Value::Text(match given {
            Plain::Text(text) => text.as_str().into(),
            other => other.to_string().into(),
        })),
        Port::Choice { .. } => {
            let Plain::Text(text) = given else { return Err(wrong()) };
            match options {
                Some(options) if !options.contains(text) => Err(no_option(&name, text, options)),
                _ => Ok(Value::Text(text.as_str().into())),
            }
        }
        Port::Socket { types } => on_wire(types, given).ok_or_else(|| {
            let takes = types.join(" or ");
            let fault = Fault::new(format!("`{name}` takes {takes}, not {given}"));
            if wire::carries_tensors(types) {
                fault.hint(format!("give it {KINDS}"))
            } else {
                fault
            }
        }),
    }
}

/// A plain value on a wire that carries such.
fn on_wire(types: &[String], given: &Plain) -> Option<Value> {
    let takes = |wanted: &str| types.iter().any(|name| name == wanted || name == "*");
    match given {
        Plain::Boolean(_) if takes("BOOLEAN") => Some(given.value()),
        Plain::Integer(_) if takes("INT") => Some(given.value()),
        Plain::Integer(_) | Plain::Number(_) if takes("FLOAT") => given.number().map(Value::Number),
        Plain::Text(_) if takes("STRING") || takes("COMBO") => Some(given.value()),
        _ => None,
    }
}

fn no_option(name: &str, text: &str, options: &[String]) -> Fault {
    let all = || options.iter().map(String::as_str);
    let fault = Fault::new(format!("`{name}` has no option `{}`", plain(text)));
    match nearest(text, all()) {
        Some(near) => fault.hint(format!("did you mean `{}`?", plain(near))),
        None => fault.hint(format!("there are: {}", enumerate(all()))),
    }
}

/// What is given to an input, on its wire in a trial.
pub(crate) fn value(trial: &Trial, input: &Input, given: Given) -> Result<Value, Error> {
    match given {
        Given::Plain(given) => {
            let options = options(trial, &input.port, &given)?;
            plain_value(input, &given, options.as_deref()).map_err(Error::of_input)
        }
        given => {
            let Port::Socket { types } = &input.port else {
                let takes = takes::port(&input.port, &|choices| trial.plugin().options(choices));
                let name = plain(&input.name);
                return Err(Error::of_input(Fault::new(format!("`{name}` takes {takes}"))));
            };
            wired(trial, types, given).map_err(|error| match error {
                Error::Input { message, hint } => {
                    let message = format!("`{}`: {message}", plain(&input.name));
                    Error::Input { message, hint }
                }
                other => other,
            })
        }
    }
}

/// The options of a choice, as far as there are any now. Images are looked for by name, since
/// the folder that they are in may hold everything.
fn options(trial: &Trial, port: &Port, given: &Plain) -> Result<Option<Vec<String>>, Error> {
    let Port::Choice { choices, .. } = port else { return Ok(None) };
    if *choices != Choices::Images {
        return Ok(Some(trial.plugin().options(choices)));
    }
    let path = match given {
        Plain::Text(text) => trial.folders().input.join(text),
        _ => return Ok(None),
    };
    match path.metadata() {
        Ok(_) => Ok(None),
        Err(source) => Err(Error::Read { path, source }),
    }
}

fn wired(trial: &Trial, types: &[String], given: Given) -> Result<Value, Error> {
    let tensor = |array: Array| {
        let wire = wire::fit(types, array.dtype, &array.shape).map_err(Error::of_input)?;
        Ok(wire::value(wire, array, trial.compute(), trial.scope())?)
    };
    match given {
        Given::Image(image) => tensor(wire::of_image(types, image).map_err(Error::of_input)?),
        Given::Array(array) => tensor(array),
        Given::Plain(given) => Ok(given.value()),
        Given::Object(type_name, fields) => {
            let field = |(name, given)| Ok((name, within(trial, given)?));
            let fields = fields.into_iter().map(field).collect::<Result<_, Error>>()?;
            Ok(Value::Object(Arc::new(Object::new(type_name, fields))))
        }
        Given::Items(items) => {
            let items = items.into_iter().map(|given| within(trial, given));
            Ok(Value::Items(Arc::new(List::new(items.collect::<Result<_, _>>()?))))
        }
    }
}

/// What lies inside of an object or a list, where any tensor is as it is.
fn within(trial: &Trial, given: Given) -> Result<Value, Error> {
    wired(trial, &["*".into()], given)
}

/// What a text of a command line gives an input.
fn of_text(bench: &Bench, input: &Input, text: &str) -> Result<Given, Error> {
    let Port::Socket { types } = &input.port else {
        return Ok(Given::Plain(Plain::Text(text.to_owned())));
    };
    if wire::carries_tensors(types)
        && let Some((path, kind)) = files::named(text)
    {
        return of_file(bench, &path, &kind);
    }
    let takes = |wanted: &str| types.iter().any(|name| name == wanted || name == "*");
    let written = Plain::Text(text.to_owned());
    let plain = match (written.boolean(), written.integer(), written.number()) {
        (Some(value), ..) if takes("BOOLEAN") => Plain::Boolean(value),
        (_, Some(value), _) if takes("INT") => Plain::Integer(value),
        (_, _, Some(value)) if takes("FLOAT") => Plain::Number(value),
        _ => written,
    };
    Ok(Given::Plain(plain))
}

/// What a file gives.
pub(crate) fn of_file(bench: &Bench, path: &Path, kind: &Kind) -> Result<Given, Error> {
    let array = files::read(bench, path, kind)?;
    Ok(if *kind == Kind::Image { Given::Image(array) } else { Given::Array(array) })
}

/// What a node takes that has a default, where nothing is given.
fn default(port: &Port) -> Option<Value> {
    match port {
        Port::Boolean { default } => default.map(Value::Boolean),
        Port::Integer { default, .. } => default.map(Value::Integer),
        Port::Number { default, .. } => default.map(Value::Number),
        Port::Text { default, .. } | Port::Choice { default, .. } => {
            default.as_deref().map(|text| Value::Text(text.into()))
        }
        Port::Socket { .. } => None,
    }
}

/// The inputs of a node, with the defaults of those that are missing.
pub(crate) fn complete(node: &NodeType, mut inputs: Inputs) -> Inputs {
    for input in &node.inputs {
        if !inputs.iter().any(|(name, _)| *name == input.name)
            && let Some(value) = default(&input.port)
        {
            inputs.push((input.name.clone(), value));
        }
    }
    inputs
}

impl Trial {
    /// The inputs of a node from texts, as a command line has them.
    ///
    /// # Errors
    /// `UnknownNode`, `UnknownInput`, `InputTwice`, `MissingInputs`, `Input`, and what is wrong with
    /// a file.
    pub fn inputs(
        &self,
        bench: &Bench,
        node: &str,
        texts: &[(String, String)],
    ) -> Result<Inputs, Error> {
        let node = self.node(node)?;
        let takes = || takes::node(node, &|choices| self.plugin().options(choices));
        let mut inputs: Inputs = Vec::new();
        for (index, (name, _)) in texts.iter().enumerate() {
            if node.input(name).is_none() {
                let known = node.inputs.iter().map(|input| input.name.as_str());
                return Err(Error::UnknownInput {
                    node: node.name.clone(),
                    input: plain(name).into(),
                    nearest: nearest(name, known).map(str::to_owned),
                    takes: takes(),
                });
            }
            if texts.iter().take(index).any(|(other, _)| other == name) {
                return Err(Error::InputTwice { input: name.clone() });
            }
        }
        let missing: Vec<&str> = missing(node, |name| texts.iter().any(|(n, _)| n == name));
        if !missing.is_empty() {
            let missing = format!("`{}`", missing.join("`, `"));
            return Err(Error::MissingInputs { node: node.name.clone(), missing, takes: takes() });
        }
        for (name, text) in texts {
            let Some(input) = node.input(name) else { continue };
            let given = of_text(bench, input, text)?;
            inputs.push((name.clone(), value(self, input, given)?));
        }
        Ok(complete(node, inputs))
    }
}

/// The inputs that a node needs and is not given.
pub(crate) fn missing(node: &NodeType, is_given: impl Fn(&str) -> bool) -> Vec<&str> {
    let needed = node.inputs.iter().filter(|input| takes::is_needed(input));
    needed.map(|input| input.name.as_str()).filter(|name| !is_given(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(port: Port) -> Input {
        Input { name: "x".into(), port, optional: false, lazy: false, tooltip: String::new() }
    }

    fn text(text: &str) -> Plain {
        Plain::Text(text.into())
    }

    fn get(port: &Port, given: &Plain) -> Result<Value, String> {
        plain_value(&input(port.clone()), given, None).map_err(|fault| fault.message)
    }

    fn integer(port: &Port, given: &Plain) -> Option<i128> {
        match get(port, given) {
            Ok(Value::Integer(value)) => Some(value),
            _ => None,
        }
    }

    #[test]
    fn integers_have_full_64_bits() {
        let any = Port::Integer { default: None, min: None, max: None, step: None, seed: false };
        let seed = Port::Integer { default: None, min: None, max: None, step: None, seed: true };
        let most = u64::MAX.to_string();
        assert_eq!(integer(&any, &text(&most)), Some(u64::MAX.into()));
        assert_eq!(integer(&seed, &text(&most)), Some(u64::MAX.into()));
        assert_eq!(integer(&any, &text("-9223372036854775808")), Some(i64::MIN.into()));
        for wrong in ["18446744073709551616", "-1", "1.5", "x", ""] {
            assert_eq!(integer(&seed, &text(wrong)), None, "{wrong}");
        }
        assert_eq!(integer(&any, &Plain::Number(2.0)), Some(2));
        assert_eq!(integer(&any, &Plain::Number(1e300)), None);
        assert_eq!(get(&any, &text("x")).unwrap_err(), "`x` takes an integer, not \"x\"");
    }

    #[test]
    fn bounds_and_types_are_told() {
        let port = Port::Number { default: Some(1.0), min: Some(0.0), max: Some(1.0), step: None };
        assert!(matches!(get(&port, &text("0.5")), Ok(Value::Number(0.5))));
        for wrong in [text("1.5"), text("NaN"), text("a"), Plain::Boolean(true)] {
            let message = get(&port, &wrong).unwrap_err();
            assert!(message.starts_with("`x` takes a number from 0 to 1 [1], not "), "{message}");
        }
        let port = Port::Boolean { default: None };
        assert!(matches!(get(&port, &text("True")), Ok(Value::Boolean(true))));
        assert!(get(&port, &text("yes")).is_err());
    }

    #[test]
    fn a_wrong_choice_suggests_the_nearest() {
        let options = vec!["euler".to_owned(), "heun".to_owned()];
        let choices = Choices::Fixed(options.clone());
        let input = input(Port::Choice { choices, default: None });
        let get = |given: &str| plain_value(&input, &text(given), Some(&options));
        assert!(get("heun").is_ok());
        assert_eq!(get("eulr").unwrap_err().hint.as_deref(), Some("did you mean `euler`?"));
        assert_eq!(get("zzz").unwrap_err().hint.as_deref(), Some("there are: euler, heun"));
    }

    #[test]
    fn a_socket_takes_plain_values_only_of_its_types() {
        let socket = |name: &str| Port::Socket { types: vec![name.into()] };
        assert!(matches!(get(&socket("INT"), &Plain::Integer(3)), Ok(Value::Integer(3))));
        assert!(matches!(get(&socket("FLOAT"), &Plain::Integer(3)), Ok(Value::Number(3.0))));
        assert!(matches!(get(&socket("*"), &text("a")), Ok(Value::Text(_))));
        assert!(get(&socket("IMAGE"), &text("a")).unwrap_err().contains("takes IMAGE"));
    }
}
