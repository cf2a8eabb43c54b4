//! `tests/*.toml`: what is given to a node, and what is expected of it.

use std::fmt;
use std::str::FromStr;

use berth_compute::DType;
use berth_memory::OffloadModeName;
use berth_sandbox::reading::{self, Misread, Size, mistake};
use berth_sandbox::rights::Grant;
use berth_sandbox::text::{nearest, plain};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use toml::Spanned;

use crate::array::{dtype, dtype_names};
use crate::given::Plain;

/// Most tests of a file, and entries of one: more than anybody writes by hand.
const MOST: usize = 1000;

/// Most numbers of one `data`.
const MOST_NUMBERS: usize = 1 << 16;

/// Most that lists and objects lie inside of one another.
const DEEPEST: usize = 8;

/// A file of tests.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    #[serde(default)]
    pub(crate) test: Vec<Test>,
}

/// One test.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Test {
    /// What it shows, in a sentence.
    pub(crate) name: Spanned<String>,
    /// The node that runs.
    pub(crate) node: Spanned<String>,
    /// What it is given.
    #[serde(default)]
    pub(crate) inputs: Named<Spanned<Written>>,
    /// What each of its outputs is, in their order.
    #[serde(default)]
    pub(crate) outputs: Vec<Spanned<Expected>>,
    /// It fails, and its message says this.
    pub(crate) error: Option<Spanned<String>>,
    /// The step that it reports last.
    pub(crate) progress: Option<u32>,
    /// A folder of models, in the project.
    pub(crate) models: Option<String>,
    /// The most that tensors may take on the device.
    #[serde(default, deserialize_with = "reading::scalar::positive")]
    pub(crate) vram: Option<Size>,
    /// The most that the plugin may take of it.
    #[serde(default, deserialize_with = "reading::scalar::positive")]
    pub(crate) quota: Option<Size>,
    /// What stays on the device.
    #[serde(default, deserialize_with = "reading::scalar::one")]
    pub(crate) offload: Option<OffloadModeName>,
    /// What it is granted, instead of all that it requests.
    #[serde(default, deserialize_with = "grants")]
    pub(crate) grant: Option<Vec<Grant>>,
}

/// Named entries in the order in which they stand.
#[derive(Debug)]
pub(crate) struct Named<T>(pub(crate) Vec<(Spanned<String>, T)>);

impl<T> Default for Named<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

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

/// Reads a file of tests.
///
/// # Errors
/// [`Misread`], with its place.
pub(crate) fn read(name: &str, text: String) -> Result<File, Box<Misread>> {
    let advise = |unknown: &str| match unknown {
        "tests" | "case" | "cases" => Some("each test stands below a line `[[test]]`".to_owned()),
        "input" => Some("inputs = { image = { full = 0.5, shape = [1, 2, 3, 3] } }".into()),
        "output" | "expect" | "expected" => Some("outputs = [{ shape = [1, 2, 3, 3] }]".into()),
        "random" | "noise" | "rand" | "randn" => {
            Some("write `uniform = SEED` or `normal = SEED`".into())
        }
        _ => None,
    };
    let mut misread = match reading::read::<File>(name, text, advise) {
        Ok(file) => return Ok(file),
        Err(misread) => misread,
    };
    if misread.hint.is_none() {
        misread.hint = Some(
            "a test has a `name`, a `node`, its `inputs` as a table, and what is expected of its \
             `outputs` as a list of tables"
                .into(),
        );
    }
    Err(misread)
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Table<T>(std::marker::PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Table<T> {
            type Value = Named<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Named<T>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    if entries.len() == MOST {
                        return Err(too_many(MOST));
                    }
                    entries.push(entry);
                }
                Ok(Named(entries))
            }
        }

        deserializer.deserialize_map(Table(std::marker::PhantomData))
    }
}

fn too_many<E: Error>(most: usize) -> E {
    mistake(format_args!("there are more than {most} entries"), "leave out what is not needed")
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

fn numbers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<f64>>, D::Error> {
    let numbers = Vec::<f64>::deserialize(deserializer)?;
    if numbers.len() > MOST_NUMBERS {
        let message = format!("there are {} numbers, more than {MOST_NUMBERS}", numbers.len());
        return Err(mistake(message, "put them into a file: file = \"x.npy\""));
    }
    Ok(Some(numbers))
}

/// What is too large for this machine is too large for any: the shape is refused by its product.
fn dimensions<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<usize>>, D::Error> {
    let shape = Vec::<u64>::deserialize(deserializer)?;
    Ok(Some(shape.into_iter().map(|dim| usize::try_from(dim).unwrap_or(usize::MAX)).collect()))
}

fn seed<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    u64::deserialize(deserializer).map(Some)
}

fn element_type<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DType>, D::Error> {
    let name = String::deserialize(deserializer)?;
    if let Some(dtype) = dtype(&name) {
        return Ok(Some(dtype));
    }
    let message = format!("`{}` is no type of elements", plain(&name));
    let near = match name.as_str() {
        "float32" | "float" => Some("f32"),
        "float16" | "half" => Some("f16"),
        "bfloat16" => Some("bf16"),
        "float64" | "double" => Some("f64"),
        "uint8" | "bool" => Some("u8"),
        "int32" | "int" => Some("i32"),
        "int64" | "long" => Some("i64"),
        other => nearest(other, dtype_names()),
    };
    Err(match near {
        Some(near) => mistake(message, format_args!("did you mean `{near}`?")),
        None => mistake(message, "there are: u8, u32, i32, i64, f16, bf16, f32, f64, …"),
    })
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

fn grants<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<Grant>>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    let grants = texts.iter().map(|text| Grant::from_str(text).map_err(Error::custom));
    grants.collect::<Result<_, _>>().map(Some)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FULL: &str = r#"
[[test]]
name = "everything"
node = "Node"
models = "models"
vram = "1MiB"
offload = "sequential"
quota = "512KiB"
progress = 3
grant = ["models:checkpoints/*", "read:luts=luts"]
outputs = [
  { shape = [1, 2], dtype = "f16", min = 0.0, max = 1, mean = 0.5, tolerance = 0.1 },
  { type = "LATENT", fields = { samples = { same-as = "latent.samples" } } },
  { data = [1.0, nan, inf], file = "x.npy" },
  { value = "text" },
  { items = [{ value = 1 }, {}] },
]

[test.inputs]
image = { uniform = 7, shape = [2, 4, 4, 3] }
noise = { normal = 18446744073709551615, shape = [1], dtype = "f16" }
full = { full = 0.5, shape = [], dtype = "bf16" }
data = { data = [1, 2, 3.5], shape = [3] }
photo = { file = "photo.png" }
seed = 18446744073709551615
low = -9223372036854775808
strength = 0.5
yes = true
words = "abc"
conditioning = { type = "CONDITIONING", fields = { entries = [{ type = "E", fields = { embedding = { full = 0, shape = [1, 77, 64] } } }] } }

[[test]]
name = "an error"
node = "Node"
error = "wrong"
"#;

    #[test]
    fn all_of_the_format_is_read() {
        let file = read("a.toml", FULL.into()).unwrap();
        let [test, error] = &file.test[..] else { panic!("two tests") };
        assert_eq!((test.inputs.0.len(), test.outputs.len()), (11, 5));
        assert_eq!(test.vram, Some(Size(1 << 20)));
        assert_eq!(test.offload, Some(OffloadModeName::Sequential));
        let value = |name: &str| {
            let of = |(key, _): &&(Spanned<String>, _)| key.get_ref() == name;
            test.inputs.0.iter().find(of).unwrap().1.get_ref()
        };
        assert!(
            matches!(value("seed"), Written::Plain(Plain::Integer(seed)) if *seed == u64::MAX.into())
        );
        assert!(matches!(value("noise"), Written::Tensor { from: From::Normal(u64::MAX), .. }));
        assert_eq!(error.error.as_ref().map(|text| text.get_ref().as_str()), Some("wrong"));
        assert!(error.outputs.is_empty() && error.grant.is_none());
    }

    fn wrong(text: &str) -> Misread {
        let text = format!("[[test]]\nname = \"n\"\nnode = \"N\"\n{text}\n");
        *read("t.toml", text).unwrap_err()
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place_and_what_to_do() {
        for (text, says, hint) in [
            ("output = []", "no setting `output`", "outputs = ["),
            ("inputs = { x = { shape = [1] } }", "nothing says", "full = 0.5"),
            ("inputs = { x = { full = 1, data = [1], shape = [1] } }", "cannot stand", "one of"),
            ("inputs = { x = { full = 1 } }", "shape is missing", "shape = ["),
            ("inputs = { x = { ful = 1, shape = [1] } }", "no setting `ful`", "`full`"),
            ("inputs = { x = { full = 1, shape = [1], dtype = 'float32' } }", "`float32`", "`f32`"),
            ("inputs = { x = { full = 1, shape = [1], dtype = 'q4-0' } }", "not made", "f32"),
            ("inputs = { x = { full = 1, shape = [-1] } }", "whole number", "`inputs`"),
            ("inputs = { x = { file = 'a.png', shape = [1] } }", "its own shape", "leave"),
            ("inputs = { x = { uniform = -1, shape = [1] } }", "whole number", "`inputs`"),
            ("inputs = { x = { type = 'X', full = 1, shape = [1] } }", "stand together", "object"),
            ("outputs = { shape = [1] }", "a list is expected", "list of tables"),
            ("outputs = [{ shap = [1] }]", "no setting `shap`", "`shape`"),
            ("outputs = [{ digest = 'abc' }]", "no digest", "64"),
            ("grant = ['everything']", "no right", "`inputs`"),
            ("offload = 'all'", "", ""),
            ("vram = 0", "more than nothing", ""),
        ] {
            let misread = wrong(text);
            assert!(misread.message.contains(says), "{text}: {misread:?}");
            let told = misread.hint.clone().unwrap_or_default();
            assert!(told.contains(hint), "{text}: {told}");
            assert_eq!(misread.line, 4, "{text}: {misread:?}");
        }
        let misread = read("t.toml", "[[tests]]\nname = \"a\"".into()).unwrap_err();
        assert_eq!(misread.hint.as_deref(), Some("each test stands below a line `[[test]]`"));
    }

    #[test]
    fn what_lies_too_deep_is_refused() {
        let deep = format!("inputs = {{ x = {}1{} }}", "[".repeat(20), "]".repeat(20));
        assert!(wrong(&deep).message.contains("deep"));
    }

    proptest! {
        #[test]
        fn no_text_does_harm(at in any::<prop::sample::Index>(), insert in ".{0,8}", cut in 0..9_usize) {
            let mut text: Vec<char> = FULL.chars().collect();
            let start = at.index(text.len());
            let end = (start + cut).min(text.len());
            text.splice(start..end, insert.chars());
            let _ = read("t.toml", text.into_iter().collect());
        }
    }
}
