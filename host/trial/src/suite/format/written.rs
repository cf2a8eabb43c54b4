//! What an input is given: a plain value, or a table that says how one is made.

use std::fmt;

use berth_compute::DType;
use berth_sandbox::reading::mistake;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::elements::{dimensions, element_type, numbers};
use super::{MOST, Named, too_many};
use crate::given::Plain;

/// Most that lists and objects lie inside of one another.
const DEEPEST: usize = 8;

/// What an input is given, as it is written.
#[derive(Debug)]
pub(crate) enum Written {
    Plain(Plain),
    Tensor { from: From, shape: Vec<usize>, dtype: DType },
    File(String),
    Object { type_name: String, fields: Named<Written> },
    Items(Vec<Written>),
}

/// What a tensor's elements come from.
#[derive(Debug)]
pub(crate) enum From {
    Full(f64),
    Data(Vec<f64>),
    Normal(u64),
    Uniform(u64),
}

/// A table that makes a value.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Making {
    full: Option<f64>,
    #[serde(default, deserialize_with = "numbers")]
    data: Option<Vec<f64>>,
    #[serde(default, deserialize_with = "seed")]
    normal: Option<u64>,
    #[serde(default, deserialize_with = "seed")]
    uniform: Option<u64>,
    file: Option<String>,
    #[serde(default, deserialize_with = "dimensions")]
    shape: Option<Vec<usize>>,
    #[serde(default, deserialize_with = "element_type")]
    dtype: Option<DType>,
    #[serde(rename = "type")]
    type_name: Option<String>,
    fields: Option<Named<Written>>,
}

impl Making {
    fn made<E: Error>(self) -> Result<Written, E> {
        let Self { full, data, normal, uniform, file, shape, dtype, type_name, fields } = self;
        let ways = [
            ("full", full.is_some()),
            ("data", data.is_some()),
            ("normal", normal.is_some()),
            ("uniform", uniform.is_some()),
            ("file", file.is_some()),
            ("fields", fields.is_some()),
        ];
        let given: Vec<&str> =
            ways.into_iter().filter(|(_, given)| *given).map(|(name, _)| name).collect();
        let [way] = *given else {
            let message = match *given {
                [] => "nothing says what the elements are".to_owned(),
                _ => format!("`{}` cannot stand together", given.join("`, `")),
            };
            let hint = "a tensor is one of full = 0.5, data = […], normal = SEED, uniform = SEED, \
                        with a shape, or file = \"photo.png\"; an object has fields = {…}";
            return Err(mistake(message, hint));
        };
        if (type_name.is_some()) != (way == "fields") {
            let hint = "an object is { type = \"CONDITIONING\", fields = { … } }";
            return Err(mistake("`type` and `fields` stand together, for an object", hint));
        }
        if let (Some(fields), Some(type_name)) = (fields, type_name) {
            if shape.is_some() || dtype.is_some() {
                return Err(mistake("an object has no shape", "leave `shape` and `dtype` out"));
            }
            return Ok(Written::Object { type_name, fields });
        }
        if let Some(file) = file {
            if shape.is_some() || dtype.is_some() {
                return Err(mistake("a file has its own shape", "leave `shape` and `dtype` out"));
            }
            return Ok(Written::File(file));
        }
        let Some(shape) = shape else {
            return Err(mistake("the shape is missing", "for example: shape = [1, 8, 8, 3]"));
        };
        let from = match (full, data, normal, uniform) {
            (Some(value), ..) => From::Full(value),
            (_, Some(data), ..) => From::Data(data),
            (_, _, Some(seed), _) => From::Normal(seed),
            (.., Some(seed)) => From::Uniform(seed),
            _ => return Err(mistake("nothing says what the elements are", "full = 0.5")),
        };
        let dtype = dtype.unwrap_or(DType::F32);
        if !(dtype.is_float() || dtype.is_integer()) {
            let hint = "use u8, u32, i32, i64, f16, bf16, f32 or f64";
            return Err(mistake(format_args!("{dtype} is not made here"), hint));
        }
        if matches!(from, From::Normal(_) | From::Uniform(_)) && !dtype.is_float() {
            return Err(mistake("noise is made of floats", "use f16, bf16, f32 or f64"));
        }
        Ok(Written::Tensor { from, shape, dtype })
    }
}

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl<'de> Visitor<'de> for Any {
            type Value = Written;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value, or a table that makes a tensor")
            }

            fn visit_bool<E: Error>(self, value: bool) -> Result<Written, E> {
                Ok(Written::Plain(Plain::Boolean(value)))
            }

            fn visit_i64<E: Error>(self, value: i64) -> Result<Written, E> {
                self.visit_i128(value.into())
            }

            fn visit_u64<E: Error>(self, value: u64) -> Result<Written, E> {
                self.visit_i128(value.into())
            }

            fn visit_i128<E: Error>(self, value: i128) -> Result<Written, E> {
                Ok(Written::Plain(Plain::Integer(value)))
            }

            fn visit_f64<E: Error>(self, value: f64) -> Result<Written, E> {
                Ok(Written::Plain(Plain::Number(value)))
            }

            fn visit_str<E: Error>(self, value: &str) -> Result<Written, E> {
                Ok(Written::Plain(Plain::Text(value.to_owned())))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Written, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element()? {
                    if items.len() == MOST {
                        return Err(too_many(MOST));
                    }
                    items.push(item);
                }
                check_depth(Written::Items(items))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Written, A::Error> {
                check_depth(Making::deserialize(MapAccessDeserializer::new(map))?.made()?)
            }
        }

        deserializer.deserialize_any(Any)
    }
}

fn check_depth<E: Error>(written: Written) -> Result<Written, E> {
    fn depth(written: &Written) -> usize {
        let below = match written {
            Written::Items(items) => items.iter().map(depth).max(),
            Written::Object { fields, .. } => fields.0.iter().map(|(_, field)| depth(field)).max(),
            _ => return 0,
        };
        below.unwrap_or(0).saturating_add(1)
    }
    if depth(&written) > DEEPEST {
        let message = format!("lists and objects lie more than {DEEPEST} deep");
        return Err(mistake(message, "make it flatter"));
    }
    Ok(written)
}

fn seed<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    u64::deserialize(deserializer).map(Some)
}
