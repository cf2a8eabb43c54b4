//! Whether a value is what is expected, and if not, in which way.

use std::path::Path;

use berth_sandbox::text::plain;
use berth_sandbox::{SandboxError, Value};

use super::format::Expected;
use crate::array::{Array, Figures};
use crate::bench::Bench;
use crate::error::Error;
use crate::files::{self, Kind};
use crate::given::Plain;
use crate::wire;

/// How far numbers may be from what is expected, where nothing else is said.
const TOLERANCE: f64 = 1e-6;

/// The same where it stands in an image file: half a step of its bytes, and a little.
const OF_BYTES: f64 = 0.5 / 255.0 + TOLERANCE;

/// Most differences that are told of one test.
const MOST: usize = 12;

/// Compares values with what is expected of them.
pub(super) struct Judge<'a> {
    pub(super) bench: &'a Bench,
    /// The folder of the tests.
    pub(super) folder: &'a Path,
    /// What the node was given.
    pub(super) inputs: &'a [(String, Value)],
    /// What is wrong so far.
    pub(super) problems: Vec<String>,
}

impl Judge<'_> {
    fn note(&mut self, place: &str, what: impl Into<String>) {
        if self.problems.len() < MOST {
            self.problems.push(format!("{place}: {}", what.into()));
        }
    }

    fn note_pair(&mut self, place: &str, expected: impl ToString, found: impl ToString) {
        let (expected, found) = (expected.to_string(), found.to_string());
        self.note(place, format!("expected {expected}, found {found}"));
    }

    /// Looks at one value.
    pub(super) fn value(&mut self, place: &str, expected: &Expected, value: &Value) {
        if let Some(name) = &expected.type_name {
            let found = match value {
                Value::Object(object) => plain(&object.type_name).into_owned(),
                other => other.kind().to_owned(),
            };
            if found != *name {
                self.note_pair(place, name, found);
            }
        }
        if let Some(wanted) = &expected.value {
            self.plain(place, wanted, value, expected.tolerance);
        }
        if let Some(origin) = &expected.same_as {
            self.same(place, origin, value);
        }
        if expected.wants_tensor() {
            match value {
                Value::Tensor(tensor) => match Array::of(tensor) {
                    Ok(array) => self.tensor(place, expected, &array),
                    Err(error) => self.note(place, error.to_string()),
                },
                other => self.note_pair(place, "a tensor", wire::kind(other)),
            }
        }
        if !expected.fields.0.is_empty() {
            self.fields(place, expected, value);
        }
        if let Some(wanted) = &expected.items {
            match value {
                Value::Items(list) if list.items.len() == wanted.len() => {
                    for (index, (wanted, item)) in wanted.iter().zip(&list.items).enumerate() {
                        self.value(&format!("{place} item {index}"), wanted, item);
                    }
                }
                other => {
                    let expected = format!("a list of {}", wanted.len());
                    self.note_pair(place, expected, wire::kind(other));
                }
            }
        }
    }

    fn fields(&mut self, place: &str, expected: &Expected, value: &Value) {
        let Value::Object(object) = value else {
            return self.note_pair(place, "an object", wire::kind(value));
        };
        for (name, wanted) in &expected.fields.0 {
            let name = name.get_ref();
            match object.get(name) {
                Some(field) => {
                    self.value(&format!("{place} field `{}`", plain(name)), wanted, field)
                }
                None => {
                    let known = object.fields.iter().map(|(name, _)| name.as_str());
                    let known = berth_sandbox::text::enumerate(known);
                    self.note(place, format!("it has no field `{}`; it has {known}", plain(name)));
                }
            }
        }
    }

    fn plain(&mut self, place: &str, wanted: &Plain, value: &Value, tolerance: Option<f64>) {
        let near = |a: f64, b: f64| within(a, b, tolerance.unwrap_or(TOLERANCE));
        let same = match (wanted, value) {
            (Plain::Boolean(wanted), Value::Boolean(found)) => wanted == found,
            (Plain::Integer(wanted), Value::Integer(found)) => wanted == found,
            (Plain::Integer(wanted), Value::Number(found)) => near(*wanted as f64, *found),
            (Plain::Number(wanted), Value::Number(found)) => near(*wanted, *found),
            (Plain::Text(wanted), Value::Text(found)) => wanted.as_str() == &**found,
            _ => false,
        };
        if !same {
            self.note_pair(place, wanted, wire::kind(value));
        }
    }

    fn tensor(&mut self, place: &str, expected: &Expected, array: &Array) {
        if let Some(dtype) = expected.dtype
            && dtype != array.dtype
        {
            self.note_pair(place, dtype, array.dtype);
        }
        if let Some(shape) = &expected.shape
            && *shape != array.shape
        {
            self.note_pair(place, format!("{shape:?}"), format!("{:?}", array.shape));
        }
        if let Some(digest) = &expected.digest {
            let found = array.digest();
            if *digest != found {
                self.note_pair(&format!("{place}: digest"), digest, found);
            }
        }
        let tolerance = expected.tolerance.unwrap_or(TOLERANCE);
        let dense = match self.bench.dense(array) {
            Ok(dense) => dense,
            Err(error) => return self.note(place, error.to_string()),
        };
        self.figures(place, expected, dense.figures(), tolerance);
        if let Some(data) = &expected.data {
            self.elements(place, data.iter().copied(), data.len(), &dense, tolerance);
        }
        if let Some(file) = &expected.file {
            match self.file(file) {
                Ok((wanted, kind)) => {
                    let default = if kind == Kind::Image { OF_BYTES } else { TOLERANCE };
                    let tolerance = expected.tolerance.unwrap_or(default);
                    self.array(&format!("{place}: {file}"), &wanted, array, &dense, tolerance);
                }
                Err(error) => self.note(place, told(&error)),
            }
        }
    }

    fn file(&self, name: &str) -> Result<(Array, Kind), Error> {
        // That the name is one was checked before.
        let (path, kind) = files::named(name).unwrap_or_else(|| (name.into(), Kind::Npy));
        Ok((files::read(self.bench, &self.folder.join(path), &kind)?, kind))
    }

    fn figures(&mut self, place: &str, expected: &Expected, found: Option<Figures>, near: f64) {
        let Expected { min, max, mean, .. } = expected;
        let wanted = [("min", *min), ("max", *max), ("mean", *mean)];
        if wanted.iter().all(|(_, wanted)| wanted.is_none()) {
            return;
        }
        let Some(found) = found else { return self.note(place, "it has no elements") };
        if found.nan > 0 {
            self.note(place, format!("{} elements are NaN", found.nan));
        }
        let found = [found.min, found.max, found.mean];
        for ((name, wanted), found) in wanted.into_iter().zip(found) {
            if let Some(wanted) = wanted
                && !within(wanted, found, near)
            {
                let wanted = format!("{} ± {}", digits(wanted), short(near));
                self.note_pair(&format!("{place}: {name}"), wanted, digits(found));
            }
        }
    }

    fn array(&mut self, place: &str, wanted: &Array, array: &Array, dense: &Array, near: f64) {
        if (wanted.dtype, &wanted.shape) != (array.dtype, &array.shape) {
            return self.note_pair(place, wanted, array);
        }
        match self.bench.dense(wanted) {
            Ok(wanted) => {
                if let Some(numbers) = wanted.numbers() {
                    let count = wanted.shape.iter().product();
                    self.elements(place, numbers, count, dense, near);
                }
            }
            Err(error) => self.note(place, error.to_string()),
        }
    }

    fn elements(
        &mut self,
        place: &str,
        wanted: impl Iterator<Item = f64>,
        count: usize,
        found: &Array,
        near: f64,
    ) {
        let all: usize = found.shape.iter().product();
        if count != all {
            return self.note_pair(place, format!("{count} elements"), all);
        }
        let Some(numbers) = found.numbers() else { return };
        let (mut first, mut different, mut largest) = (None, 0_usize, 0.0_f64);
        for (index, (wanted, found)) in wanted.zip(numbers).enumerate() {
            if !within(wanted, found, near) {
                first = first.or(Some((index, wanted, found)));
                different = different.saturating_add(1);
                largest = largest.max((wanted - found).abs());
            }
        }
        if let Some((index, wanted, number)) = first {
            let at = position(index, &found.shape);
            let near = if near > 0.0 { format!(" ± {}", short(near)) } else { String::new() };
            let largest = short(largest);
            let (wanted, number) = (digits(wanted), digits(number));
            self.note(
                place,
                format!(
                    "expected {wanted}{near} at {at:?}, found {number}; {different} of {all} \
                     elements differ, by {largest} at most"
                ),
            );
        }
    }

    fn same(&mut self, place: &str, origin: &str, value: &Value) {
        let (name, field) = origin.split_once('.').map_or((origin, None), |(a, b)| (a, Some(b)));
        let input = self.inputs.iter().find(|(input, _)| input == name).map(|(_, value)| value);
        let wanted = match (input, field) {
            (Some(Value::Object(object)), Some(field)) => object.get(field),
            (input, None) => input,
            _ => None,
        };
        let place = format!("{place}: same as `{origin}`");
        match wanted {
            Some(wanted) => self.identical(&place, wanted, value),
            None => self.note(&place, "there is no such input"),
        }
    }

    /// What was given has an end, so this has.
    fn identical(&mut self, place: &str, wanted: &Value, found: &Value) {
        let same = match (wanted, found) {
            (Value::Tensor(a), Value::Tensor(b)) => {
                return match (Array::of(a), Array::of(b)) {
                    (Ok(a), Ok(b)) => self.bits(place, &a, &b),
                    (Err(error), _) | (_, Err(error)) => self.note(place, error.to_string()),
                };
            }
            (Value::Object(a), Value::Object(b)) => {
                let names = |fields: &[(String, Value)]| {
                    fields.iter().map(|(name, _)| plain(name).into_owned()).collect::<Vec<_>>()
                };
                let same = a.type_name == b.type_name && names(&a.fields) == names(&b.fields);
                if same {
                    for ((name, a), (_, b)) in a.fields.iter().zip(&b.fields) {
                        self.identical(&format!("{place} field `{}`", plain(name)), a, b);
                    }
                }
                same
            }
            (Value::Items(a), Value::Items(b)) => {
                let same = a.items.len() == b.items.len();
                if same {
                    for (index, (a, b)) in a.items.iter().zip(&b.items).enumerate() {
                        self.identical(&format!("{place} item {index}"), a, b);
                    }
                }
                same
            }
            (Value::Boolean(a), Value::Boolean(b)) => a == b,
            (Value::Integer(a), Value::Integer(b)) => a == b,
            (Value::Number(a), Value::Number(b)) => a.to_bits() == b.to_bits(),
            (Value::Text(a), Value::Text(b)) => a == b,
            _ => false,
        };
        if !same {
            self.note_pair(place, wire::kind(wanted), wire::kind(found));
        }
    }

    fn bits(&mut self, place: &str, wanted: &Array, found: &Array) {
        if wanted == found {
            return;
        }
        if (wanted.dtype, &wanted.shape) != (found.dtype, &found.shape) {
            return self.note_pair(place, wanted, found);
        }
        match (wanted.numbers(), self.bench.dense(found)) {
            (Some(numbers), Ok(dense)) => {
                let before = self.problems.len();
                let count = wanted.shape.iter().product();
                self.elements(place, numbers, count, &dense, 0.0);
                if self.problems.len() == before {
                    self.note(place, "the bits of zeros or of NaN differ");
                }
            }
            _ => self.note(place, "its bytes differ"),
        }
    }
}

/// An error with its causes, and what a plugin that crashed wrote.
pub(super) fn told(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(why) = cause {
        text.push_str(&format!(": {why}"));
        cause = why.source();
    }
    if let Error::Sandbox(SandboxError::Trapped { stderr, .. }) = error
        && !stderr.is_empty()
    {
        text.push_str(&format!("\n{}", stderr.trim_end()));
    }
    text
}

/// A difference in few digits.
fn short(number: f64) -> String {
    if number == 0.0 || number >= 1e-3 { digits(number) } else { format!("{:e}", number as f32) }
}

/// A number in the fewest digits that say which one it is.
fn digits(number: f64) -> String {
    let single = number as f32;
    if f64::from(single) == number { single.to_string() } else { number.to_string() }
}

/// NaN is expected where NaN is written.
fn within(wanted: f64, found: f64, near: f64) -> bool {
    wanted == found || (wanted.is_nan() && found.is_nan()) || (wanted - found).abs() <= near
}

/// Where an element is, by its index.
fn position(mut index: usize, shape: &[usize]) -> Vec<usize> {
    let mut at: Vec<usize> = shape
        .iter()
        .rev()
        .map(|&dim| {
            let dim = dim.max(1);
            let here = index % dim;
            index /= dim;
            here
        })
        .collect();
    at.reverse();
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_counted_from_the_outermost() {
        assert_eq!(position(0, &[2, 3]), [0, 0]);
        assert_eq!(position(5, &[2, 3]), [1, 2]);
        assert_eq!(position(0, &[]), [0_usize; 0]);
    }

    #[test]
    fn numbers_are_told_in_few_digits() {
        assert_eq!(digits(f64::from(0.1_f32)), "0.1");
        assert_eq!(
            (short(0.0), short(1e-6), short(1.25)),
            ("0".into(), "1e-6".into(), "1.25".into())
        );
    }

    #[test]
    fn numbers_are_near_or_both_none() {
        assert!(within(0.5, 0.5 + 1e-7, TOLERANCE) && within(f64::NAN, f64::NAN, 0.0));
        assert!(within(f64::INFINITY, f64::INFINITY, 0.0));
        assert!(!within(0.5, f64::NAN, 1.0) && !within(0.5, 0.6, 0.05));
    }
}
