//! What the macros make of functions, read from the descriptions that a host would get.

use crate::bindings::berth::node::types::WideInteger;
use crate::bindings::exports::berth::node::nodes::Guest;
use crate::plugin::{Checks, Choices, Hidden, Input, Node, NodeType, Plugin, Port};
use crate::prelude::*;

#[derive(Clone, Copy, Debug, PartialEq, Choice)]
enum Blend {
    Normal,
    SoftLight,
    #[choice("1:1")]
    Same,
}

fn still_needs(inputs: &Fields) -> Result<Vec<String>> {
    Ok(if inputs.contains("mask") { vec![] } else { vec!["mask".into()] })
}

fn digest(inputs: &Fields) -> Result<String> {
    inputs.get("file")
}

fn wrong(inputs: &Fields) -> Result<Option<String>> {
    Ok((inputs.get::<u32>("width")? == 1).then(|| "`width` is 1".into()))
}

/// Blends two
/// images.
///
/// Slowly.
///
/// # Errors
/// None.
#[node(
    name = "BlendAll",
    category = "image/blend",
    outputs("IMAGE" = "Blended.", "count"),
    aliases("mix"),
    output_node,
    experimental,
    needs = still_needs,
    fingerprint = digest,
    validate = wrong
)]
fn blend_all_of_it(
    image: Image,
    /// Where.
    #[input(lazy)]
    mask: Option<Mask>,
    #[input(default = Blend::SoftLight)] mode: Blend,
    #[input(default = 512, min = 1, max = 16384, step = 8)] width: u32,
    #[input(seed)] seed: u64,
    #[input(default = 0.5, step = 0.01)] factor: f64,
    #[input(default = true)] again: bool,
    #[input(multiline, default = "x")] text: String,
    #[input(images)] file: String,
    #[input(default = "b", choices = ["a", "b"])] letter: String,
    #[input(name = "ckpt-name", models = "checkpoints")] checkpoint: Option<String>,
    id: UniqueId,
    extra: Option<ExtraPngInfo>,
) -> Result<(Image, i64)> {
    let _ = (mask, mode, width, seed, factor, again, text, file, letter, checkpoint, id, extra);
    Ok((image, 1))
}

/// Counts.
#[node(category = "test")]
fn count_up(to: i64, mode: Option<Blend>, r#type: Option<i64>) -> Result<i64> {
    Ok(to + r#type.unwrap_or(1) + i64::from(mode == Some(Blend::Same)))
}

#[node(category = "test", outputs("same"), passes("same" = "it"))]
fn pass_on(it: Any) -> Result<Any> {
    Ok(it)
}

#[node(category = "test", deprecated)]
fn nothing() -> Result<()> {
    Ok(())
}

fn add(captures: Fields, arguments: Fields) -> Result<Fields> {
    let sum = captures.get::<i64>("a")? + arguments.get::<i64>("b")?;
    Ok(Fields::new().with("sum", sum))
}

crate::plugin! {
    nodes: [blend_all_of_it, count_up, nothing, pass_on],
    functions: [add, self::add as "plus"],
}

fn input<'a>(node: &'a NodeType, name: &str) -> &'a Input {
    node.inputs.iter().find(|input| input.name == name).unwrap()
}

fn wide(low: u32) -> Option<WideInteger> {
    Some(WideInteger { negative: false, high: 0, low })
}

#[test]
fn a_function_s_names_and_comments_describe_its_node() {
    let node = blend_all_of_it::describe();
    assert_eq!(node.name, "BlendAll");
    assert_eq!(node.display_name, "Blend All Of It");
    assert_eq!(node.category, "image/blend");
    assert_eq!(node.description, "Blends two images.\n\nSlowly.");
    assert_eq!(node.search_aliases, ["mix"]);
    assert_eq!(input(&node, "mask").tooltip, "Where.");
    assert!(node.output_node && node.experimental && !node.deprecated);
    assert!(nothing::describe().deprecated);
    assert_eq!(count_up::describe().name, "CountUp");
}

#[test]
fn types_and_options_make_ports() {
    let node = blend_all_of_it::describe();
    assert!(matches!(&input(&node, "image").port, Port::Socket(wire) if wire == "IMAGE"));
    let Port::Integer(width) = &input(&node, "width").port else { panic!("no integer") };
    let integers = [width.default, width.min, width.max];
    for (found, expected) in integers.into_iter().zip([512, 1, 16384]) {
        assert_eq!(found.map(|wide| wide.low), wide(expected).map(|wide| wide.low));
    }
    assert_eq!(width.step, Some(8));
    let Port::Integer(seed) = &input(&node, "seed").port else { panic!("no integer") };
    assert!(seed.seed);
    let Port::Number(factor) = &input(&node, "factor").port else { panic!("no number") };
    assert_eq!((factor.default, factor.min, factor.step), (Some(0.5), None, Some(0.01)));
    let Port::Text(text) = &input(&node, "text").port else { panic!("no text") };
    assert!(text.multiline && text.default.as_deref() == Some("x"));
    let Port::Boolean(again) = &input(&node, "again").port else { panic!("no boolean") };
    assert_eq!(again.default, Some(true));
}

#[test]
fn choices_come_from_enums_lists_models_and_images() {
    let node = blend_all_of_it::describe();
    let choice = |name: &str| match &input(&node, name).port {
        Port::Choice(port) => port.clone(),
        _ => panic!("no choice"),
    };
    let mode = choice("mode");
    assert!(matches!(mode.choices, Choices::Fixed(all) if all == ["normal", "soft_light", "1:1"]));
    assert_eq!(mode.default.as_deref(), Some("soft_light"));
    assert!(matches!(choice("file").choices, Choices::Images));
    assert_eq!(choice("letter").default.as_deref(), Some("b"));
    assert!(matches!(choice("ckpt-name").choices, Choices::Models(all) if all == "checkpoints"));
}

#[test]
fn options_of_an_input_are_of_its_type() {
    let node = blend_all_of_it::describe();
    let optional: Vec<_> = node.inputs.iter().filter(|input| input.optional).collect();
    assert_eq!(optional.iter().map(|input| &input.name).collect::<Vec<_>>(), ["mask", "ckpt-name"]);
    assert!(input(&node, "mask").lazy);
    assert_eq!(node.hidden, [Hidden::UniqueId, Hidden::ExtraPnginfo]);
}

#[test]
fn outputs_without_a_name_are_called_by_their_type() {
    let outputs = |node: NodeType| -> Vec<_> {
        node.outputs.into_iter().map(|output| (output.name, output.type_name)).collect()
    };
    let named = [("IMAGE".into(), "IMAGE".into()), ("count".into(), "INT".into())];
    assert_eq!(outputs(blend_all_of_it::describe()), named);
    assert_eq!(outputs(count_up::describe()), [("INT".into(), "INT".into())]);
    assert_eq!(outputs(nothing::describe()), []);
}

#[test]
fn an_output_says_which_input_it_passes_on() {
    assert_eq!(pass_on::describe().outputs[0].passes.as_deref(), Some("it"));
    assert_eq!(count_up::describe().outputs[0].passes, None);
}

#[test]
fn a_node_takes_its_inputs_by_name_and_gives_its_outputs_in_order() {
    let run = |inputs| count_up::run(inputs).map(|mut outputs| i64::from_value(outputs.remove(0)));
    assert_eq!(run(Fields::new().with("to", 1)), Ok(Ok(2)));
    let all = Fields::new().with("to", 1).with("type", 5).with("mode", Blend::Same);
    assert_eq!(run(all), Ok(Ok(7)));
}

#[test]
fn a_wrong_input_names_the_node_the_input_and_what_there_is() {
    let refusal = |inputs| count_up::run(inputs).unwrap_err();
    assert_eq!(refusal(Fields::new()), Error::invalid("CountUp: `to` is missing"));
    let typed = refusal(Fields::new().with("to", "1"));
    assert_eq!(typed, Error::invalid("CountUp: `to`: expected an integer, got a text"));
    let option = refusal(Fields::new().with("to", 1).with("mode", "x"));
    let text = "CountUp: `mode`: `x` is not one of normal, soft_light, 1:1";
    assert_eq!(option, Error::invalid(text));
}

#[test]
fn checks_are_announced_and_answered() {
    let node = blend_all_of_it::describe();
    assert!(node.checks == Checks::NEEDS | Checks::FINGERPRINT | Checks::VALIDATE);
    assert!(count_up::describe().checks == Checks::empty());
    assert_eq!(blend_all_of_it::needs(&Fields::new()), Ok(vec!["mask".into()]));
    let inputs = Fields::new().with("file", "a.png").with("width", 1);
    assert_eq!(blend_all_of_it::fingerprint(&inputs), Ok("a.png".into()));
    assert_eq!(blend_all_of_it::validate(&inputs), Ok(Some("`width` is 1".into())));
}

#[test]
fn a_component_finds_its_nodes_and_functions_by_name() {
    let named: Vec<_> = Component::describe().into_iter().map(|node| node.name).collect();
    assert_eq!(named, ["BlendAll", "CountUp", "Nothing", "PassOn"]);
    assert!(Component::node("Blur").is_err());
    assert_eq!(Component::FUNCTIONS.len(), 2);
    let plus = Component::FUNCTIONS.iter().find(|function| function.name == "plus").unwrap();
    let sum = (plus.body)(Fields::new().with("a", 1), Fields::new().with("b", 2)).unwrap();
    assert_eq!(sum.get::<i64>("sum"), Ok(3));
}
