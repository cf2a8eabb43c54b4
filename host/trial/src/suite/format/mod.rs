//! `tests/*.toml`: what is given to a node, and what is expected of it.

mod elements;
mod expected;
mod written;

use std::fmt;
use std::str::FromStr;

use berth_memory::OffloadModeName;
use berth_sandbox::reading::{self, Misread, Size, mistake};
use berth_sandbox::rights::Grant;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use toml::Spanned;

pub(crate) use self::expected::Expected;
pub(crate) use self::written::{From, Written};

/// Most entries of a table with names of the author's own, and of a list that is given: more than
/// anybody writes by hand. How many tests a file has, its length bounds.
const MOST: usize = 1000;

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

fn grants<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<Grant>>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    let grants = texts.iter().map(|text| Grant::from_str(text).map_err(Error::custom));
    grants.collect::<Result<_, _>>().map(Some)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::given::Plain;

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
  { items = [{ value = 1 }, { type = "tensor" }] },
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
