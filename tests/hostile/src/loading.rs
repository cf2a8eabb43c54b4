//! Labels that are paths, files that are no models, and a plugin that lies of itself.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU32, Ordering};

use berth_sdk::bindings::exports::berth::node::nodes::{
    ChoicePort, Choices, Input, IntegerPort, NodeType, NumberPort, Output, Port,
};
use berth_sdk::plugin::{Description, Node};
use berth_sdk::prelude::*;

/// Reaches for what a name leads to.
#[node(category = "hostile", output_node)]
pub fn reach(way: String, category: String, name: String) -> Result<()> {
    match way.as_str() {
        "model" => drop(ModelFile::open(&category, &name)?),
        "save" => drop(context::save(context::Place::Temporary, "files", &name, "txt", b"mine")?),
        "output" => drop(context::save(context::Place::Output, "files", &name, "txt", b"mine")?),
        "kind" => drop(context::save(context::Place::Temporary, &name, "a", "txt", b"mine")?),
        "extension" => {
            drop(context::save(context::Place::Temporary, "files", "a", &name, b"mine")?);
        }
        "input" => drop(context::read_input(&name)?),
        "fingerprint" => drop(context::input_fingerprint(&name)?),
        other => return Err(Error::NotFound(format!("the way {other:?}"))),
    }
    Ok(())
}

/// Opens a model, and uses each of its weights after the host was told that it begins.
#[node(category = "hostile", output_node)]
pub fn load(label: String) -> Result<()> {
    let model = ModelFile::open("checkpoints", &label)?;
    for key in model.keys() {
        context::progress(1, 2);
        let weight = model.weight(&key)?;
        (&weight + &weight)?.to_f32()?;
    }
    Ok(())
}

/// How the liar describes itself: the tests write another word over it.
static LIE: [u8; 32] = *b"LIE:an-honest-description.......";

/// Which lie is told.
fn lie() -> String {
    // The compiler must not take what stands there for what will.
    let bytes = std::hint::black_box(&LIE);
    String::from_utf8_lossy(bytes).trim_start_matches("LIE:").trim_end_matches('.').to_owned()
}

/// A node that describes itself as it likes.
#[expect(non_camel_case_types, reason = "as the macro would call it")]
pub struct liar;

/// A second one, for lies that take two.
#[expect(non_camel_case_types, reason = "as the macro would call it")]
pub struct twin;

fn input(name: &str, port: Port) -> Input {
    Input { name: name.into(), port, optional: true, lazy: false, tooltip: String::new() }
}

fn output(name: &str, passes: Option<&str>) -> Output {
    let passes = passes.map(Into::into);
    Output { name: name.into(), type_name: "X".into(), tooltip: String::new(), passes }
}

fn integers(min: i64, max: i64) -> Port {
    let wide = |number: i64| Some(berth_sdk::Integer::from(number).into());
    Port::Integer(IntegerPort {
        default: None,
        min: wide(min),
        max: wide(max),
        step: None,
        seed: false,
    })
}

fn describe(name: &str) -> NodeType {
    let mut node = Description::new(name, name, "hostile", "Tells what is not so.").finish();
    let socket = || Port::Socket("X".into());
    match lie().as_str() {
        "million-inputs" => {
            node.inputs = (0..1_000_000).map(|i| input(&i.to_string(), socket())).collect();
        }
        "million-outputs" => node.outputs = (0..1_000_000).map(|_| output("o", None)).collect(),
        "million-choices" => {
            let choices = Choices::Fixed(vec![String::new(); 1_000_000]);
            node.inputs = vec![input("a", Port::Choice(ChoicePort { choices, default: None }))];
        }
        "million-aliases" => node.search_aliases = vec!["x".into(); 1_000_000],
        "million-types" => {
            node.inputs = vec![input("a", Port::Socket("X,".repeat(1_000_000) + "X"))];
        }
        "twins" => node.name = "Liar".into(),
        "same-inputs" => node.inputs = vec![input("a", socket()), input("a", socket())],
        "no-name" => node.name = String::new(),
        "blank-input" => node.inputs = vec![input(" \t", socket())],
        "long-name" => node.name = "x".repeat(1 << 20),
        "escape" => node.name = "\u{1b}[2J".into(),
        "bidi" => node.name = "\u{202e}rail".into(),
        "passes-nothing" => node.outputs = vec![output("o", Some("nothing"))],
        "passes-itself" => node.outputs = vec![output("o", Some("o"))],
        "bounds" => node.inputs = vec![input("a", integers(1, -1))],
        "nan" => {
            let port = NumberPort { default: None, min: Some(f64::NAN), max: None, step: None };
            node.inputs = vec![input("a", Port::Number(port))];
        }
        "number-bounds" => {
            let (min, max) = (Some(1.0), Some(-1.0));
            let port = NumberPort { default: None, min, max, step: None };
            node.inputs = vec![input("a", Port::Number(port))];
        }
        "long-texts" => {
            node.description = "\u{1b}[2J".repeat(1 << 20);
            node.display_name = node.description.clone();
        }
        "unstable" => {
            // Whatever differs from one call to the next in an honest world.
            static CALLS: AtomicU32 = AtomicU32::new(0);
            let calls = CALLS.fetch_add(1, Ordering::Relaxed);
            let chance = RandomState::new().hash_one(calls);
            node.name = format!("Liar-{calls}-{chance}");
        }
        _ => {}
    }
    node
}

impl Node for liar {
    const NAME: &'static str = "Liar";

    fn describe() -> NodeType {
        describe(Self::NAME)
    }

    fn run(_: Fields) -> Result<Vec<Value>> {
        Ok(Vec::new())
    }
}

impl Node for twin {
    const NAME: &'static str = "Twin";

    fn describe() -> NodeType {
        match lie().as_str() {
            "twins" => describe(Self::NAME),
            _ => Description::new(Self::NAME, "Twin", "hostile", "Looks like another.").finish(),
        }
    }

    /// Gives more than it said that it would.
    fn run(_: Fields) -> Result<Vec<Value>> {
        Ok(vec![Value::from("not mine to give")])
    }
}
