//! Settings that are written as a text or a number, whichever is natural: `"6GiB"`, `0.75`, `0`.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error, Visitor};

use super::size::{NotAnAmount, Size};

/// A value that is parsed from what was written.
struct Written<T>(T);

impl<'de, T: FromStr<Err: fmt::Display>> Deserialize<'de> for Written<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AsText(PhantomData)).map(Self)
    }
}

/// Turns a scalar back into its text, and parses that.
struct AsText<T>(PhantomData<T>);

impl<T: FromStr<Err: fmt::Display>> Visitor<'_> for AsText<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a number")
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(Error::custom)
    }
}

/// One value.
///
/// # Errors
/// What the parser of the value says.
pub fn one<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: fmt::Display>,
{
    Written::deserialize(deserializer).map(|Written(value)| Some(value))
}

/// A list of values.
///
/// # Errors
/// What the parser of a value says.
pub fn list<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: fmt::Display>,
{
    let written = Vec::<Written<T>>::deserialize(deserializer)?;
    Ok(written.into_iter().map(|Written(value)| value).collect())
}

/// A size of at least one byte.
///
/// # Errors
/// What is no size, and 0.
pub fn positive<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Size>, D::Error> {
    match one(deserializer)? {
        Some(Size(0)) => Err(Error::custom(NotAnAmount::Nothing)),
        size => Ok(size),
    }
}
