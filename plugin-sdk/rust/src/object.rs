//! Values made of values, held by the host, where every tensor in them can be seen
//! and moved. Both are immutable.

use crate::bindings::berth::node::values;
use crate::fields::{missing, typed};
use crate::tensor::dimension;
use crate::{Fields, FromValue, Result, Value};

/// Named values under a type name. Cloning it makes a second handle.
#[derive(Debug)]
pub struct Object {
    pub(crate) raw: values::Object,
}

impl Clone for Object {
    fn clone(&self) -> Self {
        self.raw.share().into()
    }
}

impl From<values::Object> for Object {
    fn from(raw: values::Object) -> Self {
        Self { raw }
    }
}

impl Object {
    /// An object of these fields.
    ///
    /// # Errors
    /// What the host has no room for.
    pub fn create(type_name: &str, fields: Fields) -> Result<Self> {
        Ok(values::Object::create(type_name, fields.into())?.into())
    }

    /// The type name.
    pub fn type_name(&self) -> String {
        self.raw.type_name()
    }

    /// The names of the fields, in the order they were given.
    pub fn field_names(&self) -> Vec<String> {
        self.raw.field_names()
    }

    /// One field.
    ///
    /// # Errors
    /// `InvalidArgument` that names the type and the field, when it is missing or of another type.
    pub fn get<T: FromValue>(&self, name: &str) -> Result<T> {
        self.get_optional(name)?.ok_or_else(|| missing(name).at(self.type_name()))
    }

    /// One field, if there is one of this name.
    ///
    /// # Errors
    /// `InvalidArgument` that names the type and the field, when it is of another type.
    pub fn get_optional<T: FromValue>(&self, name: &str) -> Result<Option<T>> {
        let found = self.raw.get(name);
        found
            .map(|value| {
                typed(name, Value::from(value)).map_err(|error| error.at(self.type_name()))
            })
            .transpose()
    }

    /// A copy in which these fields are set, and all others as they were.
    ///
    /// # Errors
    /// What the host has no room for.
    pub fn replace(&self, fields: Fields) -> Result<Self> {
        Ok(self.raw.replace(fields.into())?.into())
    }
}

/// Values in order. Cloning it makes a second handle.
#[derive(Debug)]
pub struct Items {
    pub(crate) raw: values::ValueList,
}

impl Clone for Items {
    fn clone(&self) -> Self {
        self.raw.share().into()
    }
}

impl From<values::ValueList> for Items {
    fn from(raw: values::ValueList) -> Self {
        Self { raw }
    }
}

impl Items {
    /// A list of these values.
    ///
    /// # Errors
    /// What the host has no room for.
    pub fn create<T: Into<Value>>(items: impl IntoIterator<Item = T>) -> Result<Self> {
        let items = items.into_iter().map(|item| item.into().into()).collect();
        Ok(values::ValueList::create(items)?.into())
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.raw.length() as usize
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One of them.
    ///
    /// # Errors
    /// `NotFound` past the end, `InvalidArgument` that names the index when it is of another type.
    pub fn get<T: FromValue>(&self, index: usize) -> Result<T> {
        let value = Value::from(self.raw.get(dimension(index)?)?);
        T::from_value(value).map_err(|error| error.at(format_args!("item {index}")))
    }

    /// All of them, in order.
    ///
    /// # Errors
    /// As [`Items::get`].
    pub fn to_vec<T: FromValue>(&self) -> Result<Vec<T>> {
        (0..self.len()).map(|index| self.get(index)).collect()
    }
}
