//! From JSON to what an input takes.
//!
//! Clients are not exact about types, and ComfyUI is not strict, so `"64"` is an
//! integer and `1` a number. But only conversions that lose nothing are made: 20.5 is
//! no integer, and the text `"false"` is not true.

use std::fmt;
use std::sync::Arc;

use berth_sandbox::{Choices, List, Port, Value};
use serde_json::Value as Json;

use crate::problem::{Problem, ProblemKind};
use crate::text::{article, enumerate, excerpt, nearest};

/// The integers that an input takes when it sets no bounds: those of 64 bits, signed
/// or unsigned.
const INTEGERS: (i128, i128) = (i64::MIN as i128, u64::MAX as i128);

/// A value that stands in the workflow.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Constant {
    Boolean(bool),
    Integer(i128),
    Number(f64),
    Text(Arc<str>),
    List(Vec<Constant>),
}

impl Constant {
    /// The value that a node gets.
    pub(crate) fn to_value(&self) -> Value {
        match self {
            Self::Boolean(value) => Value::Boolean(*value),
            Self::Integer(value) => Value::Integer(*value),
            Self::Number(value) => Value::Number(*value),
            Self::Text(text) => Value::Text(text.clone()),
            Self::List(items) => {
                let items = items.iter().map(Self::to_value).collect();
                Value::Items(Arc::new(List::new(items)))
            }
        }
    }
}

/// An integer as JSON, exact as far as JSON numbers are.
pub(crate) fn integer_to_json(value: i128) -> Json {
    match (u64::try_from(value), i64::try_from(value)) {
        (Ok(value), _) => value.into(),
        (_, Ok(value)) => value.into(),
        _ => (value as f64).into(),
    }
}

/// What a port takes, as the name of a wire's type.
pub(crate) fn port_type(port: &Port) -> String {
    match port {
        Port::Boolean { .. } => "BOOLEAN".into(),
        Port::Integer { .. } => "INT".into(),
        Port::Number { .. } => "FLOAT".into(),
        Port::Text { .. } => "STRING".into(),
        Port::Choice { .. } => "COMBO".into(),
        Port::Socket { types } => types.join(","),
    }
}

/// Converts what an input named `name` is given.
///
/// # Errors
/// The problem, without what is known of the input beside it.
pub(crate) fn coerce(
    name: &str,
    port: &Port,
    given: &Json,
    options: &[String],
) -> Result<Constant, Problem> {
    let wrong = |wanted: &str| {
        Problem::new(
            ProblemKind::InvalidInputType,
            format!("{name} takes {wanted}, not {}", described(given)),
            name,
        )
    };
    match port {
        Port::Boolean { .. } => {
            boolean(given).map(Constant::Boolean).ok_or_else(|| wrong("true or false"))
        }
        Port::Integer { min, max, seed, .. } => {
            let wanted =
                if *seed { "an integer from 0 to 18446744073709551615" } else { "an integer" };
            let value = integer(given).ok_or_else(|| wrong(wanted))?;
            let lowest = if *seed { 0 } else { INTEGERS.0 };
            within(name, value, min.unwrap_or(lowest), max.unwrap_or(INTEGERS.1))?;
            Ok(Constant::Integer(value))
        }
        Port::Number { min, max, .. } => {
            let value = number(given).ok_or_else(|| wrong("a finite number"))?;
            within(name, value, min.unwrap_or(f64::MIN), max.unwrap_or(f64::MAX))?;
            Ok(Constant::Number(value))
        }
        Port::Text { .. } => text(given).map(Constant::Text).ok_or_else(|| wrong("a text")),
        Port::Choice { choices, .. } => match given {
            Json::String(value) if options.contains(value) => {
                Ok(Constant::Text(value.as_str().into()))
            }
            _ => Err(not_an_option(name, given, choices, options)),
        },
        Port::Socket { types } => {
            let takes = |wanted: &str| types.iter().any(|name| name == wanted || name == "*");
            literal(given, &takes)
                .ok_or_else(|| wrong(&format!("a link to {}", types.join(" or "))))
        }
    }
}

fn within<T: PartialOrd + fmt::Display>(
    name: &str,
    value: T,
    min: T,
    max: T,
) -> Result<(), Problem> {
    if value < min {
        let message = format!("{name} is {value}, below its minimum of {min}");
        return Err(Problem::new(ProblemKind::ValueSmallerThanMin, message, name));
    }
    if value > max {
        let message = format!("{name} is {value}, above its maximum of {max}");
        return Err(Problem::new(ProblemKind::ValueBiggerThanMax, message, name));
    }
    Ok(())
}

fn not_an_option(name: &str, given: &Json, choices: &Choices, options: &[String]) -> Problem {
    let message = format!("{name} has no option {}", excerpt(given));
    let details = format!("{name}: {}", enumerate(options.iter().map(String::as_str)));
    let near = given.as_str().and_then(|given| nearest(given, options.iter().map(String::as_str)));
    let hint = match (near, choices) {
        (Some(near), _) => Some(format!("did you mean `{near}`?")),
        (None, Choices::Models(category)) if options.is_empty() => Some(format!(
            "there is no model of category `{category}`: put one into the folder `{category}` of \
             your models"
        )),
        (None, Choices::Images) if options.is_empty() => {
            Some("there is no image in the input folder".into())
        }
        (None, _) if options.is_empty() => None,
        (None, _) => Some(format!("choose from {}", enumerate(options.iter().map(String::as_str)))),
    };
    Problem::new(ProblemKind::ValueNotInList, message, details).hint_at(hint)
}

fn described(given: &Json) -> String {
    match given {
        Json::Null => "null".into(),
        other => format!("{} {}", article(other), excerpt(other)),
    }
}

fn boolean(given: &Json) -> Option<bool> {
    match given {
        Json::Bool(value) => Some(*value),
        Json::Number(number) => match number.as_f64()? {
            0.0 => Some(false),
            1.0 => Some(true),
            _ => None,
        },
        Json::String(text) if text.trim().eq_ignore_ascii_case("true") => Some(true),
        Json::String(text) if text.trim().eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

fn integer(given: &Json) -> Option<i128> {
    match given {
        Json::Bool(value) => Some((*value).into()),
        Json::Number(number) => (number.as_u64().map(i128::from))
            .or_else(|| number.as_i64().map(i128::from))
            .or_else(|| whole(number.as_f64()?)),
        Json::String(text) => text.trim().parse().ok().or_else(|| whole(text.trim().parse().ok()?)),
        _ => None,
    }
}

/// The integer that a floating-point number is, if it is one.
fn whole(number: f64) -> Option<i128> {
    // Outside of ±2¹²⁶ the conversion would saturate.
    (number.fract() == 0.0 && number.abs() < 2f64.powi(126)).then_some(number as i128)
}

fn number(given: &Json) -> Option<f64> {
    let number = match given {
        Json::Bool(value) => f64::from(u8::from(*value)),
        Json::Number(number) => number.as_f64()?,
        Json::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    number.is_finite().then_some(number)
}

fn text(given: &Json) -> Option<Arc<str>> {
    match given {
        Json::String(text) => Some(text.as_str().into()),
        Json::Bool(_) | Json::Number(_) => Some(given.to_string().into()),
        _ => None,
    }
}

/// Whether an input takes a wire of this type. Types may be lists with commas, and one
/// in common is enough, as ComfyUI has it.
pub(crate) fn takes(port: &Port, received: &str) -> bool {
    let received: Vec<&str> = received.split(',').map(str::trim).collect();
    let fits = |wanted: &str| wanted == "*" || received.iter().any(|r| *r == wanted || *r == "*");
    match port {
        Port::Socket { types } => types.iter().any(|wanted| fits(wanted)),
        Port::Choice { .. } => fits("COMBO") || fits("STRING"),
        other => fits(&port_type(other)),
    }
}

/// Whether a value can be on a wire that a port takes, as far as the contract says what
/// is on it: a wire of another plugin's own can carry anything.
pub(crate) fn carries(port: &Port, value: &Value) -> bool {
    let is_tensor = |rank| matches!(value, Value::Tensor(tensor) if tensor.shape().len() == rank);
    port_type(port).split(',').map(str::trim).any(|wanted| match wanted {
        "BOOLEAN" => matches!(value, Value::Boolean(_)),
        "INT" => matches!(value, Value::Integer(_)),
        "FLOAT" => matches!(value, Value::Number(_)),
        "STRING" | "COMBO" => matches!(value, Value::Text(_)),
        "IMAGE" => is_tensor(4),
        "MASK" => is_tensor(3),
        "LATENT" | "CONDITIONING" | "MODEL" | "CLIP" | "VAE" => {
            matches!(value, Value::Object(object) if object.type_name == wanted)
        }
        _ => true,
    })
}

/// The type of a wire that would carry a constant given in place of a link of any type.
pub(crate) fn literal_type(given: &Json) -> &'static str {
    match literal(given, &|_| true) {
        Some(Constant::Boolean(_)) => "BOOLEAN",
        Some(Constant::Integer(_)) => "INT",
        Some(Constant::Number(_)) => "FLOAT",
        Some(Constant::Text(_)) => "STRING",
        Some(Constant::List(_)) | None => "*",
    }
}

/// A constant where a link is usual, if the input takes its type.
fn literal(given: &Json, takes: &dyn Fn(&str) -> bool) -> Option<Constant> {
    match given {
        Json::Bool(value) if takes("BOOLEAN") => Some(Constant::Boolean(*value)),
        Json::Number(number) if !number.is_f64() && takes("INT") => {
            integer(given).map(Constant::Integer)
        }
        Json::Number(_) if takes("FLOAT") => number(given).map(Constant::Number),
        Json::Number(_) if takes("INT") => integer(given).map(Constant::Integer),
        Json::String(text) if takes("STRING") || takes("COMBO") => {
            Some(Constant::Text(text.as_str().into()))
        }
        Json::Array(items) if takes("*") => {
            items.iter().map(|item| literal(item, takes)).collect::<Option<_>>().map(Constant::List)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const BOOLEAN: Port = Port::Boolean { default: None };
    const TEXT: Port = Port::Text { default: None, multiline: false };

    fn integers(min: Option<i128>, max: Option<i128>) -> Port {
        Port::Integer { default: None, min, max, step: None, seed: false }
    }

    fn seed() -> Port {
        Port::Integer { default: None, min: None, max: None, step: None, seed: true }
    }

    fn numbers(min: Option<f64>, max: Option<f64>) -> Port {
        Port::Number { default: None, min, max, step: None }
    }

    fn socket(types: &[&str]) -> Port {
        Port::Socket { types: types.iter().map(|name| (*name).to_owned()).collect() }
    }

    fn get(port: &Port, given: Json) -> Result<Constant, ProblemKind> {
        coerce("x", port, &given, &[]).map_err(|problem| problem.kind)
    }

    #[test]
    fn conversions_that_lose_nothing_are_made() {
        let port = integers(None, None);
        for given in [json!(64), json!("64"), json!(" 64 "), json!(64.0), json!("64.0")] {
            assert_eq!(get(&port, given), Ok(Constant::Integer(64)));
        }
        assert_eq!(get(&port, json!(true)), Ok(Constant::Integer(1)));
        let port = numbers(None, None);
        for given in [json!(1), json!(1.0), json!("1"), json!("1e0"), json!(true)] {
            assert_eq!(get(&port, given), Ok(Constant::Number(1.0)));
        }
        for given in [json!(true), json!("true"), json!("True"), json!(1), json!(1.0)] {
            assert_eq!(get(&BOOLEAN, given), Ok(Constant::Boolean(true)));
        }
        assert_eq!(get(&BOOLEAN, json!("false")), Ok(Constant::Boolean(false)));
        assert_eq!(get(&TEXT, json!(42)), Ok(Constant::Text("42".into())));
        assert_eq!(get(&TEXT, json!("")), Ok(Constant::Text("".into())));
    }

    #[test]
    fn conversions_that_lose_something_are_refused() {
        let refused = Err(ProblemKind::InvalidInputType);
        for given in [json!(20.5), json!("20.5"), json!("x"), json!(""), json!(null), json!({})] {
            assert_eq!(get(&integers(None, None), given), refused);
        }
        for given in [json!("x"), json!("NaN"), json!("inf"), json!("-Infinity"), json!([])] {
            assert_eq!(get(&numbers(None, None), given), refused);
        }
        for given in [json!("yes"), json!(2), json!(null)] {
            assert_eq!(get(&BOOLEAN, given), refused);
        }
        for given in [json!(null), json!([]), json!({})] {
            assert_eq!(get(&TEXT, given), refused);
        }
    }

    #[test]
    fn a_seed_has_64_bits_and_no_sign() {
        assert_eq!(get(&seed(), json!(u64::MAX)), Ok(Constant::Integer(u64::MAX.into())));
        assert_eq!(
            get(&seed(), json!("18446744073709551615")),
            Ok(Constant::Integer(u64::MAX.into()))
        );
        assert_eq!(get(&seed(), json!(-1)), Err(ProblemKind::ValueSmallerThanMin));
        let too_large: Json = serde_json::from_str("18446744073709551616").unwrap();
        assert_eq!(get(&seed(), too_large), Err(ProblemKind::ValueBiggerThanMax));
        assert_eq!(
            get(&seed(), json!("18446744073709551616")),
            Err(ProblemKind::ValueBiggerThanMax)
        );
        assert_eq!(get(&seed(), json!(1.5)), Err(ProblemKind::InvalidInputType));
        assert_eq!(get(&seed(), json!("random")), Err(ProblemKind::InvalidInputType));
        assert_eq!(get(&seed(), json!(1e300)), Err(ProblemKind::InvalidInputType));
    }

    #[test]
    fn bounds_are_inclusive() {
        let port = integers(Some(1), Some(3));
        assert!(get(&port, json!(1)).is_ok() && get(&port, json!(3)).is_ok());
        assert_eq!(get(&port, json!(0)), Err(ProblemKind::ValueSmallerThanMin));
        assert_eq!(get(&port, json!(4)), Err(ProblemKind::ValueBiggerThanMax));
        let port = numbers(Some(0.0), Some(1.0));
        assert!(get(&port, json!(0)).is_ok() && get(&port, json!(1)).is_ok());
        assert_eq!(get(&port, json!(-0.1)), Err(ProblemKind::ValueSmallerThanMin));
        assert_eq!(get(&port, json!(1.1)), Err(ProblemKind::ValueBiggerThanMax));
    }

    #[test]
    fn a_wrong_choice_suggests_the_nearest_option() {
        let options = ["euler".to_owned(), "heun".to_owned()];
        let port = Port::Choice { choices: Choices::Fixed(options.to_vec()), default: None };
        assert!(coerce("sampler", &port, &json!("euler"), &options).is_ok());
        let problem = coerce("sampler", &port, &json!("eulr"), &options).unwrap_err();
        assert_eq!(problem.kind, ProblemKind::ValueNotInList);
        assert_eq!(problem.message, "sampler has no option \"eulr\"");
        assert_eq!(problem.details, "sampler: euler, heun");
        assert_eq!(problem.hint(), Some("did you mean `euler`?"));
        let problem = coerce("sampler", &port, &json!(5), &options).unwrap_err();
        assert_eq!(problem.hint(), Some("choose from euler, heun"));
        let none = Port::Choice { choices: Choices::Models("vae".into()), default: None };
        let problem = coerce("vae_name", &none, &json!("a"), &[]).unwrap_err();
        assert!(problem.hint().unwrap().contains("no model of category `vae`"));
    }

    #[test]
    fn a_socket_takes_constants_only_of_its_types() {
        let image = socket(&["IMAGE"]);
        assert_eq!(get(&image, json!(1)), Err(ProblemKind::InvalidInputType));
        let union = socket(&["INT", "FLOAT"]);
        assert_eq!(get(&union, json!(1)), Ok(Constant::Integer(1)));
        assert_eq!(get(&union, json!(1.5)), Ok(Constant::Number(1.5)));
        assert_eq!(get(&union, json!("a")), Err(ProblemKind::InvalidInputType));
        let any = socket(&["*"]);
        let list = Constant::List(vec![Constant::Integer(1), Constant::Text("a".into())]);
        assert_eq!(get(&any, json!([1, "a"])), Ok(list));
        assert_eq!(get(&any, json!({})), Err(ProblemKind::InvalidInputType));
        assert_eq!(get(&any, json!([null])), Err(ProblemKind::InvalidInputType));
        assert_eq!(get(&socket(&["INT"]), json!(2.0)), Ok(Constant::Integer(2)));
    }

    #[test]
    fn a_message_says_what_came_and_what_is_taken() {
        let message =
            |port: &Port, given: Json| coerce("x", port, &given, &[]).unwrap_err().message;
        assert_eq!(
            message(&integers(None, None), json!("a")),
            "x takes an integer, not a text \"a\""
        );
        assert_eq!(message(&integers(Some(1), None), json!(0)), "x is 0, below its minimum of 1");
        assert_eq!(
            message(&socket(&["IMAGE", "MASK"]), json!(null)),
            "x takes a link to IMAGE or MASK, not null"
        );
    }

    proptest! {
        #[test]
        fn every_integer_of_64_bits_stays_exact(signed in any::<i64>(), unsigned in any::<u64>()) {
            let port = integers(None, None);
            for (given, exact) in [(json!(signed), i128::from(signed)), (json!(unsigned), i128::from(unsigned))] {
                prop_assert_eq!(get(&port, given.clone()), Ok(Constant::Integer(exact)));
                prop_assert_eq!(get(&port, json!(given.to_string())), Ok(Constant::Integer(exact)));
                prop_assert_eq!(integer_to_json(exact), given);
            }
        }
    }
}
