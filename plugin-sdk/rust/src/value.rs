//! Values: what travels on a wire, in an object's fields, and in and out of functions.
//!
//! A value's case is its type, and nothing is converted on the way: a number is not
//! an integer, even where it has no fraction. A node that wants one says so by its
//! parameter's type, and gets an error that names the input instead of a rounding.

use crate::bindings::berth::node::{types::WideInteger, values};
use crate::{Error, Function, Items, ModelFile, Object, Result, Tensor};

/// One value. Cloning it makes second handles and copies plain data.
#[derive(Clone, Debug)]
pub enum Value {
    /// `true` or `false`.
    Boolean(bool),
    /// Any signed or unsigned 64-bit integer.
    Integer(Integer),
    /// A double.
    Number(f64),
    /// A text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A tensor, by handle.
    Tensor(Tensor),
    /// An open model file, by handle.
    Model(ModelFile),
    /// A function of some plugin.
    Function(Function),
    /// Named values under a type name.
    Object(Object),
    /// Values in order.
    Items(Items),
}

impl Value {
    /// What an error calls this value.
    pub(crate) fn kind(&self) -> String {
        match self {
            Self::Boolean(_) => "a boolean".into(),
            Self::Integer(_) => "an integer".into(),
            Self::Number(_) => "a number".into(),
            Self::Text(_) => "a text".into(),
            Self::Bytes(_) => "bytes".into(),
            Self::Tensor(tensor) => format!("a {} tensor of {:?}", tensor.dtype(), tensor.shape()),
            Self::Model(_) => "a model file".into(),
            Self::Function(_) => "a function".into(),
            Self::Object(object) => format!("a {}", object.type_name()),
            Self::Items(_) => "a list".into(),
        }
    }
}

/// An integer between −(2⁶⁴ − 1) and 2⁶⁴ − 1: every signed and unsigned 64-bit number.
/// It crosses to the host in sign and magnitude, so that languages whose numbers
/// are doubles lose nothing either.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Integer(i128);

impl Integer {
    /// The integer.
    pub fn get(self) -> i128 {
        self.0
    }
}

impl std::fmt::Display for Integer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl From<WideInteger> for Integer {
    fn from(wide: WideInteger) -> Self {
        let magnitude = i128::from(u64::from(wide.high) << 32 | u64::from(wide.low));
        Self(if wide.negative { -magnitude } else { magnitude })
    }
}

impl From<Integer> for WideInteger {
    fn from(integer: Integer) -> Self {
        let magnitude = integer.0.unsigned_abs();
        Self {
            negative: integer.0 < 0,
            high: (magnitude >> 32) as u32,
            low: (magnitude & u128::from(u32::MAX)) as u32,
        }
    }
}

/// A type that a value can be taken as.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not something that a value can be taken as",
    note = "take a `Value` and look into it, or implement `FromValue`"
)]
pub trait FromValue: Sized {
    /// The value as this type.
    ///
    /// # Errors
    /// `InvalidArgument` that says what was expected and what came.
    fn from_value(value: Value) -> Result<Self>;
}

/// The error of a value that is not what was expected.
pub(crate) fn mismatch(expected: &str, value: &Value) -> Error {
    Error::invalid(format!("expected {expected}, got {}", value.kind()))
}

impl FromValue for Value {
    fn from_value(value: Value) -> Result<Self> {
        Ok(value)
    }
}

macro_rules! cases {
    ($($rust:ty = $case:ident, $expected:literal;)*) => {
        $(impl From<$rust> for Value {
            fn from(value: $rust) -> Self {
                Self::$case(value)
            }
        }

        impl FromValue for $rust {
            fn from_value(value: Value) -> Result<Self> {
                match value {
                    Value::$case(value) => Ok(value),
                    other => Err(mismatch($expected, &other)),
                }
            }
        })*
    };
}

cases! {
    bool = Boolean, "a boolean";
    Integer = Integer, "an integer";
    f64 = Number, "a number";
    String = Text, "a text";
    Vec<u8> = Bytes, "bytes";
    Tensor = Tensor, "a tensor";
    ModelFile = Model, "a model file";
    Function = Function, "a function";
    Object = Object, "an object";
    Items = Items, "a list";
}

macro_rules! integers {
    ($($rust:ty),*) => {
        $(impl From<$rust> for Integer {
            fn from(value: $rust) -> Self {
                Self(i128::from(value))
            }
        }

        impl From<$rust> for Value {
            fn from(value: $rust) -> Self {
                Self::Integer(value.into())
            }
        }

        impl FromValue for $rust {
            fn from_value(value: Value) -> Result<Self> {
                let integer = Integer::from_value(value)?.get();
                Self::try_from(integer).map_err(|_| {
                    let (low, high) = (Self::MIN, Self::MAX);
                    Error::invalid(format!("{integer} is not between {low} and {high}"))
                })
            }
        })*
    };
}

integers!(u32, i32, u64, i64);

impl From<usize> for Integer {
    fn from(value: usize) -> Self {
        // No Rust target has a pointer of more than 64 bits.
        Self::from(value as u64)
    }
}

impl From<usize> for Value {
    fn from(value: usize) -> Self {
        Self::Integer(value.into())
    }
}

impl FromValue for usize {
    fn from_value(value: Value) -> Result<Self> {
        let integer = u64::from_value(value)?;
        Self::try_from(integer)
            .map_err(|_| Error::invalid(format!("{integer} is larger than a plugin can count")))
    }
}

impl From<f32> for Value {
    fn from(value: f32) -> Self {
        Self::Number(f64::from(value))
    }
}

impl FromValue for f32 {
    fn from_value(value: Value) -> Result<Self> {
        Ok(f64::from_value(value)? as f32)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.into())
    }
}

impl From<&Tensor> for Value {
    fn from(value: &Tensor) -> Self {
        Self::Tensor(value.clone())
    }
}

impl From<values::Value> for Value {
    fn from(value: values::Value) -> Self {
        match value {
            values::Value::Boolean(value) => Self::Boolean(value),
            values::Value::Integer(value) => Self::Integer(value.into()),
            values::Value::Number(value) => Self::Number(value),
            values::Value::Text(value) => Self::Text(value),
            values::Value::Bytes(value) => Self::Bytes(value),
            values::Value::Tensor(raw) => Self::Tensor(raw.into()),
            values::Value::Model(raw) => Self::Model(raw.into()),
            values::Value::Function(raw) => Self::Function(raw.into()),
            values::Value::Object(raw) => Self::Object(raw.into()),
            values::Value::Items(raw) => Self::Items(raw.into()),
        }
    }
}

impl From<Value> for values::Value {
    fn from(value: Value) -> Self {
        match value {
            Value::Boolean(value) => Self::Boolean(value),
            Value::Integer(value) => Self::Integer(value.into()),
            Value::Number(value) => Self::Number(value),
            Value::Text(value) => Self::Text(value),
            Value::Bytes(value) => Self::Bytes(value),
            Value::Tensor(tensor) => Self::Tensor(tensor.raw),
            Value::Model(model) => Self::Model(model.raw),
            Value::Function(function) => Self::Function(function.raw),
            Value::Object(object) => Self::Object(object.raw),
            Value::Items(items) => Self::Items(items.raw),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there_and_back(integer: Integer) -> Integer {
        WideInteger::from(integer).into()
    }

    #[test]
    fn every_64_bit_integer_crosses_unchanged() {
        for value in [0, 1, 0xffff_ffff, 0x1_0000_0000, u64::MAX] {
            assert_eq!(there_and_back(value.into()), value.into());
        }
        for value in [i64::MIN, -1, i64::MAX] {
            assert_eq!(there_and_back(value.into()), value.into());
        }
    }

    #[test]
    fn a_negative_zero_is_zero() {
        let zero = Integer::from(WideInteger { negative: true, high: 0, low: 0 });
        assert_eq!(zero, Integer::from(0));
    }

    #[test]
    fn a_number_is_not_taken_for_an_integer() {
        let error = i64::from_value(Value::Number(3.0)).unwrap_err();
        assert_eq!(error, Error::invalid("expected an integer, got a number"));
    }

    #[test]
    fn an_integer_out_of_the_type_s_range_is_refused() {
        let error = u32::from_value(Value::from(-1)).unwrap_err();
        assert_eq!(error, Error::invalid("-1 is not between 0 and 4294967295"));
        assert!(i64::from_value(Value::from(u64::MAX)).is_err());
        assert_eq!(u64::from_value(Value::from(u64::MAX)), Ok(u64::MAX));
    }
}
