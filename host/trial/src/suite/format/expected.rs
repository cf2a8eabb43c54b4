//! What is expected of a value.

use berth_compute::DType;
use berth_sandbox::reading::mistake;
use serde::de::{Deserialize, Deserializer};

use super::elements::{dimensions, element_type, numbers};
use super::{Named, Written};
use crate::given::Plain;

/// What is expected of a value.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Expected {
    /// An object's type name, or the kind of any other value.
    #[serde(rename = "type")]
    pub(crate) type_name: Option<String>,
    #[serde(default, deserialize_with = "dimensions")]
    pub(crate) shape: Option<Vec<usize>>,
    #[serde(default, deserialize_with = "element_type")]
    pub(crate) dtype: Option<DType>,
    pub(crate) min: Option<f64>,
    pub(crate) max: Option<f64>,
    pub(crate) mean: Option<f64>,
    /// How far numbers may be from what is expected.
    pub(crate) tolerance: Option<f64>,
    #[serde(default, deserialize_with = "numbers")]
    pub(crate) data: Option<Vec<f64>>,
    /// A file with the elements, beside the tests.
    pub(crate) file: Option<String>,
    /// The input, or a field of one, that it is bit for bit.
    pub(crate) same_as: Option<String>,
    #[serde(default, deserialize_with = "digest")]
    pub(crate) digest: Option<String>,
    #[serde(default, deserialize_with = "plain_value")]
    pub(crate) value: Option<Plain>,
    #[serde(default)]
    pub(crate) fields: Named<Expected>,
    #[serde(default)]
    pub(crate) items: Option<Vec<Expected>>,
}

impl Expected {
    /// Whether it says something that only a tensor can be.
    pub(crate) fn wants_tensor(&self) -> bool {
        let Self { shape, dtype, min, max, mean, data, file, digest, .. } = self;
        shape.is_some()
            || dtype.is_some()
            || min.or(*max).or(*mean).is_some()
            || data.is_some()
            || file.is_some()
            || digest.is_some()
    }

    /// Whether it says nothing, so that every value is what is expected.
    pub(crate) fn is_empty(&self) -> bool {
        let Self { type_name, value, same_as, fields, items, .. } = self;
        let says = type_name.is_some() || value.is_some() || same_as.is_some() || items.is_some();
        !says && fields.0.is_empty() && !self.wants_tensor()
    }
}

fn digest<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.len() == 64 && text.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f')) {
        return Ok(Some(text));
    }
    let hint = "it is 64 hexadecimal digits; a test that fails shows the one that it found";
    Err(mistake("this is no digest", hint))
}

fn plain_value<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Plain>, D::Error> {
    match Written::deserialize(deserializer)? {
        Written::Plain(plain) => Ok(Some(plain)),
        _ => Err(mistake("a value is a boolean, a number or a text", "use `fields` or `items`")),
    }
}
