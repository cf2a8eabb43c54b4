//! Named values in order: a node's inputs, a function's captures, arguments and
//! results, an object's fields.

use crate::bindings::berth::node::values;
use crate::{Error, FromValue, Result, Value};

/// Named values, in the order they were given. Names are unique.
///
/// ```
/// use berth_sdk::Fields;
///
/// let mut fields = Fields::new().with("timestep", 3.0).with("text", "a lighthouse");
/// assert_eq!(fields.take::<f64>("timestep")?, 3.0);
/// assert!(fields.take::<f64>("timestep").is_err(), "it was taken");
/// # Ok::<_, berth_sdk::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Fields {
    entries: Vec<(String, Value)>,
}

impl Fields {
    /// No fields.
    pub fn new() -> Self {
        Self::default()
    }

    /// With this field beside the others, in the place of one of the same name.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.set(name, value);
        self
    }

    /// With this field if there is a value, otherwise as it was.
    #[must_use]
    pub fn with_some(self, name: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Adds a field, in the place of one of the same name.
    pub fn set(&mut self, name: &str, value: impl Into<Value>) {
        let value = value.into();
        match self.entries.iter_mut().find(|(known, _)| known == name) {
            Some((_, place)) => *place = value,
            None => self.entries.push((name.into(), value)),
        }
    }

    /// Takes a field out.
    ///
    /// # Errors
    /// `InvalidArgument` that names the field, when it is missing or of another type.
    pub fn take<T: FromValue>(&mut self, name: &str) -> Result<T> {
        self.take_optional(name)?.ok_or_else(|| missing(name))
    }

    /// Takes a field out, if there is one of this name.
    ///
    /// # Errors
    /// `InvalidArgument` that names the field, when it is of another type.
    pub fn take_optional<T: FromValue>(&mut self, name: &str) -> Result<Option<T>> {
        let Some(place) = self.entries.iter().position(|(known, _)| known == name) else {
            return Ok(None);
        };
        typed(name, self.entries.remove(place).1).map(Some)
    }

    /// A second handle to a field, or a copy of its plain data.
    ///
    /// # Errors
    /// As [`Fields::take`].
    pub fn get<T: FromValue>(&self, name: &str) -> Result<T> {
        self.get_optional(name)?.ok_or_else(|| missing(name))
    }

    /// A second handle to a field, or a copy of its plain data, if there is one of this name.
    ///
    /// # Errors
    /// As [`Fields::take_optional`].
    pub fn get_optional<T: FromValue>(&self, name: &str) -> Result<Option<T>> {
        let found = self.entries.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| typed(name, value.clone())).transpose()
    }

    /// Whether there is a field of this name.
    pub fn contains(&self, name: &str) -> bool {
        self.entries.iter().any(|(known, _)| known == name)
    }

    /// The names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|(name, _)| name.as_str())
    }
}

/// The error of a field that is not there.
pub(crate) fn missing(name: &str) -> Error {
    Error::invalid(format!("`{name}` is missing"))
}

/// A field's value as `T`, or an error that names the field.
pub(crate) fn typed<T: FromValue>(name: &str, value: Value) -> Result<T> {
    T::from_value(value).map_err(|error| error.at(format_args!("`{name}`")))
}

impl From<Vec<values::NamedValue>> for Fields {
    fn from(named: Vec<values::NamedValue>) -> Self {
        Self { entries: named.into_iter().map(|field| (field.name, field.value.into())).collect() }
    }
}

impl From<Fields> for Vec<values::NamedValue> {
    fn from(fields: Fields) -> Self {
        fields
            .entries
            .into_iter()
            .map(|(name, value)| values::NamedValue { name, value: value.into() })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_field_is_named() {
        let error = Fields::new().take::<bool>("tiled").unwrap_err();
        assert_eq!(error, Error::invalid("`tiled` is missing"));
    }

    #[test]
    fn a_field_of_another_type_is_named() {
        let error = Fields::new().with("steps", 2.5).take::<i64>("steps").unwrap_err();
        assert_eq!(error, Error::invalid("`steps`: expected an integer, got a number"));
    }

    #[test]
    fn a_field_that_is_set_again_keeps_its_place() {
        let fields = Fields::new().with("a", 1).with("b", 2).with("a", 3);
        assert_eq!(fields.names().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(fields.get::<i64>("a"), Ok(3));
    }

    #[test]
    fn getting_leaves_a_field_and_taking_removes_it() {
        let mut fields = Fields::new().with("text", "x");
        assert_eq!(fields.get::<String>("text").as_deref(), Ok("x"));
        assert_eq!(fields.take_optional::<String>("text"), Ok(Some("x".into())));
        assert!(!fields.contains("text"));
        assert_eq!(fields.take_optional::<String>("text"), Ok(None));
    }
}
