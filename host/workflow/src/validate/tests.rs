use serde_json::json;

use super::*;
use crate::testing::{Pack, node, shown, workflow};

fn registry() -> Registry {
    let loader = node("Loader").choice("name", &["a", "b"]).output("MODEL").output("CLIP");
    let encode = node("Encode").text("text").socket("clip", "CLIP").output("CONDITIONING");
    let sampler = node("Sampler")
        .socket("model", "MODEL")
        .socket("positive", "CONDITIONING")
        .integer("steps", Some(1), Some(100))
        .optional_socket("mask", "MASK,IMAGE")
        .output("LATENT");
    let save = node("Save").socket("images", "*").text("prefix").output_node();
    let pack = Pack::new("pack").with(loader).with(encode).with(sampler).with(save);
    let checked =
        node("Checked").integer("odd", None, None).checks(|checks| checks.validate = true);
    let pack =
        pack.with(checked.output("INT").output_node()).validates("Checked", |inputs| match inputs
            .as_slice()
        {
            [(_, berth_sandbox::Value::Integer(13))] => Err(SandboxError::Trapped {
                plugin: "pack".into(),
                reason: "unreachable".into(),
                stderr: String::new(),
            }),
            [(_, berth_sandbox::Value::Integer(value))] if value % 2 == 0 => {
                Ok(Some(format!("{} is even", shown(&inputs[0]))))
            }
            _ => Ok(None),
        });
    let mut registry = Registry::new();
    registry.add(pack.build()).unwrap();
    registry
}

fn check(workflow: &Workflow) -> Result<Plan, Box<Invalid>> {
    validate(&registry(), workflow, None, &Cancel::new())
}

fn invalid(json: Json) -> Json {
    let Err(invalid) = check(&workflow(json)) else { panic!("valid") };
    serde_json::to_value(invalid).unwrap()
}

fn good() -> Json {
    json!({
        "1": {"class_type": "Loader", "inputs": {"name": "a"}},
        "2": {"class_type": "Encode", "inputs": {"text": "x", "clip": ["1", 1]}},
        "3": {"class_type": "Sampler", "inputs": {"model": ["1", 0], "positive": ["2", 0], "steps": 5}},
        "4": {"class_type": "Save", "inputs": {"images": ["3", 0], "prefix": "p"}, "_meta": {"title": "Keep"}},
        "9": {"class_type": "Loader", "inputs": {}},
    })
}

/// The workflow with one input changed.
fn with(node: &str, input: &str, value: Json) -> Json {
    let mut json = good();
    json[node]["inputs"][input] = value;
    json
}

fn error_of(json: Json, node: &str) -> Json {
    let answer = invalid(json);
    assert_eq!(answer["error"]["type"], "prompt_outputs_failed_validation");
    assert_eq!(answer["node_errors"][node]["dependent_outputs"], json!(["4"]));
    answer["node_errors"][node]["errors"][0].clone()
}

#[test]
fn a_valid_workflow_is_planned_without_what_no_output_needs() {
    let plan = check(&workflow(good())).unwrap();
    let ids: Vec<&str> = plan.nodes().map(|node| node.id).collect();
    assert_eq!(ids, ["1", "2", "3", "4"]);
    let last = plan.nodes().last().unwrap();
    assert_eq!((last.label().as_str(), last.plugin), ("4 “Keep” (Save)", "pack"));
    assert!(last.is_output && plan.node_errors().is_empty());
    assert_eq!(plan.steps[2].upstream, [0, 1]);
}

#[test]
fn a_workflow_without_outputs_says_so() {
    let answer = invalid(json!({"1": {"class_type": "Loader", "inputs": {"name": "a"}}}));
    assert_eq!(answer["error"]["type"], "prompt_no_outputs");
    assert_eq!(answer["node_errors"], json!({}));
    let workflow = workflow(good());
    let targets = ["3".to_owned()];
    let Err(invalid) = validate(&registry(), &workflow, Some(&targets), &Cancel::new()) else {
        panic!()
    };
    assert_eq!(invalid.error.kind, ProblemKind::PromptNoOutputs);
}

#[test]
fn every_unknown_type_is_told_with_a_suggestion() {
    let mut json = good();
    json["9"]["class_type"] = "Samplr".into();
    json["1"]["class_type"] = "Frobnicate".into();
    json["3"]["inputs"]["steps"] = 0.into();
    let answer = invalid(json);
    assert_eq!(answer["error"]["type"], "missing_node_type");
    assert_eq!(answer["error"]["extra_info"]["node_id"], "1");
    assert_eq!(answer["error"]["extra_info"]["class_type"], "Frobnicate");
    let hint = &answer["node_errors"]["9"]["errors"][0]["extra_info"]["hint"];
    assert_eq!(hint, "did you mean `Sampler`?");
    assert_eq!(answer["node_errors"]["1"]["dependent_outputs"], json!(["4"]));
    assert_eq!(answer["node_errors"]["3"]["errors"][0]["type"], "value_smaller_than_min");
    assert!(answer["node_errors"].get("2").is_none());
}

#[test]
fn a_broken_plugin_is_named_where_its_node_is_missing() {
    let mut registry = registry();
    registry.add_broken("fancy");
    let workflow = workflow(json!({"1": {"class_type": "Zzz", "inputs": {}}}));
    let Err(invalid) = validate(&registry, &workflow, None, &Cancel::new()) else { panic!() };
    assert!(invalid.error.hint().unwrap().ends_with("may provide it: fancy"));
}

#[test]
fn each_kind_of_problem_names_node_input_and_value() {
    let error = error_of(with("3", "steps", json!(0)), "3");
    assert_eq!(error["type"], "value_smaller_than_min");
    assert_eq!(error["extra_info"]["input_name"], "steps");
    assert_eq!(error["extra_info"]["received_value"], 0);
    assert_eq!(error["extra_info"]["input_config"], json!(["INT", {"min": 1, "max": 100}]));

    let kind = |node: &str, input: &str, value: Json| {
        error_of(with(node, input, value), node)["type"].as_str().unwrap().to_owned()
    };
    assert_eq!(kind("3", "steps", json!(101)), "value_bigger_than_max");
    assert_eq!(kind("3", "steps", json!("many")), "invalid_input_type");
    assert_eq!(kind("3", "model", json!(5)), "invalid_input_type");
    assert_eq!(kind("3", "model", json!(["1"])), "bad_linked_input");
    assert_eq!(kind("3", "model", json!(["77", 0])), "bad_linked_input");
    assert_eq!(kind("3", "model", json!(["1", 2])), "bad_linked_input");
    assert_eq!(kind("3", "model", json!(["1", 1])), "return_type_mismatch");
    assert_eq!(kind("3", "steps", json!(["1", 1])), "return_type_mismatch");
    assert_eq!(kind("1", "name", json!("c")), "value_not_in_list");

    let mismatch = error_of(with("3", "model", json!(["1", 1])), "3");
    assert_eq!(mismatch["extra_info"]["received_type"], "CLIP");
    assert_eq!(mismatch["extra_info"]["linked_node"], json!(["1", 1]));
    assert_eq!(mismatch["extra_info"]["hint"], "output 0 of the same node is MODEL");
}

#[test]
fn a_missing_input_is_told_unless_it_is_optional() {
    let mut json = good();
    json["3"]["inputs"].as_object_mut().unwrap().remove("positive");
    let error = error_of(json, "3");
    assert_eq!(error["type"], "required_input_missing");
    assert_eq!(error["extra_info"]["input_name"], "positive");
    assert!(check(&workflow(with("3", "mask", Json::Null))).is_ok());
}

#[test]
fn all_problems_of_all_nodes_are_told_at_once() {
    let mut json = good();
    json["1"]["inputs"]["name"] = "c".into();
    json["3"]["inputs"] = json!({"steps": 0, "model": ["1", 0]});
    let answer = invalid(json);
    assert_eq!(answer["node_errors"]["1"]["errors"].as_array().unwrap().len(), 1);
    assert_eq!(answer["node_errors"]["3"]["errors"].as_array().unwrap().len(), 2);
    let details = answer["error"]["details"].as_str().unwrap();
    assert!(details.contains("* Sampler 3:\n  - input positive is missing"), "{details}");
}

#[test]
fn values_are_coerced_and_unknown_inputs_ignored() {
    let mut json = with("3", "steps", json!("7"));
    json["3"]["inputs"]["no_such"] = 1.into();
    let plan = check(&workflow(json)).unwrap();
    let steps = plan.steps[2].inputs.iter().find(|input| input.name == "steps").unwrap();
    assert!(matches!(steps.source, Source::Constant(Constant::Integer(7))));
    assert_eq!(plan.steps[2].inputs.len(), 3);
}

#[test]
fn a_type_fits_when_one_of_its_names_does() {
    let any = node("Any").output("*").output("IMAGE,LATENT").output("STRING");
    let mut registry = registry();
    registry.add(Pack::new("other").with(any).build()).unwrap();
    let fits = |input: &str, slot: u32| {
        let mut json = with("3", input, json!(["8", slot]));
        json["8"] = json!({"class_type": "Any", "inputs": {}});
        validate(&registry, &workflow(json), None, &Cancel::new()).is_ok()
    };
    assert!(fits("model", 0) && fits("steps", 0) && fits("mask", 1));
    assert!(!fits("model", 1) && !fits("steps", 2));
}

#[test]
fn a_cycle_is_told_at_each_of_its_nodes_and_costs_no_stack() {
    let pass = node("Pass").socket("x", "*").output("X");
    let mut registry = registry();
    let join = node("Join").socket("a", "*").socket("b", "*").output("X");
    registry.add(Pack::new("other").with(pass).with(join).build()).unwrap();
    let check = |json: Json| validate(&registry, &workflow(json), None, &Cancel::new());
    let pass = |from: &str| json!({"class_type": "Pass", "inputs": {"x": [from, 0]}});
    let save = json!({"class_type": "Save", "inputs": {"images": ["a", 0], "prefix": ""}});
    let Err(invalid) = check(json!({"a": pass("b"), "b": pass("c"), "c": pass("a"), "s": save}))
    else {
        panic!("a cycle is valid")
    };
    let answer = serde_json::to_value(invalid).unwrap();
    for id in ["a", "b", "c"] {
        let error = &answer["node_errors"][id]["errors"][0];
        assert_eq!(error["type"], "dependency_cycle");
        assert_eq!(error["details"], "c → b → a → c");
        assert_eq!(answer["node_errors"][id]["dependent_outputs"], json!(["s"]));
    }
    assert!(answer["node_errors"].get("s").is_none());
    let Err(invalid) = check(json!({"a": pass("a"), "s": save})) else { panic!() };
    assert_eq!(invalid.node_errors["a"].errors[0].details, "a → a");

    let mut chain = serde_json::Map::new();
    chain.insert("s".into(), save);
    chain.insert("a".into(), pass("0"));
    for index in 0..50_000 {
        chain.insert(index.to_string(), pass(&(index + 1).to_string()));
    }
    chain.insert("50000".into(), json!({"class_type": "Loader", "inputs": {"name": "a"}}));
    assert_eq!(check(chain.clone().into()).unwrap().steps.len(), 50_003);
    chain.insert("50000".into(), pass("0"));
    assert!(check(chain.into()).is_err());
    // Every node is linked to the one before it and back to the first: as many cycles as nodes.
    let join =
        |a: &str, b: &str| json!({"class_type": "Join", "inputs": {"a": [a, 0], "b": [b, 0]}});
    let mut knot = serde_json::Map::new();
    knot.insert("a".into(), pass("5000"));
    knot.insert(
        "s".into(),
        json!({"class_type": "Save", "inputs": {"images": ["a", 0], "prefix": ""}}),
    );
    for index in 1..=5000 {
        knot.insert(index.to_string(), join(&(index - 1).to_string(), "a"));
    }
    knot.insert("0".into(), pass("5000"));
    assert!(check(knot.into()).is_err());
}

#[test]
fn an_output_without_problems_runs_beside_one_that_has_some() {
    let mut json = good();
    json["5"] = json!({"class_type": "Save", "inputs": {"images": ["9", 0], "prefix": "q"}});
    let plan = check(&workflow(json)).unwrap();
    assert_eq!(plan.nodes().filter(|node| node.is_output).count(), 1);
    let problems = &plan.node_errors()["9"];
    assert_eq!(problems.dependent_outputs, ["5"]);
    assert_eq!(problems.errors[0].kind, ProblemKind::RequiredInputMissing);
}

#[test]
fn targets_leave_other_outputs_out() {
    let mut json = good();
    json["5"] = json!({"class_type": "Save", "inputs": {"images": ["1", 0], "prefix": "q"}});
    let targets = ["5".to_owned()];
    let plan = validate(&registry(), &workflow(json), Some(&targets), &Cancel::new()).unwrap();
    assert_eq!(plan.nodes().map(|node| node.id).collect::<Vec<_>>(), ["1", "5"]);
}

#[test]
fn a_nodes_own_check_is_asked_when_nothing_else_is_wrong() {
    let odd = |value: Json| json!({"1": {"class_type": "Checked", "inputs": {"odd": value}}});
    assert!(check(&workflow(odd(json!(3)))).is_ok());
    let error = invalid(odd(json!(4)))["node_errors"]["1"]["errors"][0].clone();
    assert_eq!(error["type"], "custom_validation_failed");
    assert_eq!(error["message"], "odd=4 is even");
    let error = invalid(odd(json!(13)))["node_errors"]["1"]["errors"][0].clone();
    assert_eq!(error["type"], "exception_during_validation");
    assert!(error["message"].as_str().unwrap().contains("plugin `pack` crashed"));
    let errors = invalid(odd(json!("x")))["node_errors"]["1"]["errors"].clone();
    assert_eq!(errors.as_array().unwrap().len(), 1);
}
