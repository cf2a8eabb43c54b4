//! What to do about mistakes that many make in a manifest.

use crate::contract::CONTRACT;
use crate::reading::Misread;

/// Settings that belong into `[requests]`.
const REQUESTS: [&str; 7] =
    ["memory", "clock", "randomness", "environment", "network", "models", "folders"];

/// Settings that belong into `[limits]`.
const LIMITS: [&str; 7] = [
    "linear-memory",
    "table-elements",
    "handles",
    "host-call",
    "run-time",
    "output",
    "concurrency",
];

/// Settings that stand before any table.
const TOP: [&str; 4] = ["name", "version", "contract", "description"];

/// A mistake with what to do about it, by where it is.
pub(super) fn advised(mut misread: Box<Misread>) -> Box<Misread> {
    let path: Vec<&str> = misread.path.iter().map(String::as_str).collect();
    let hint = match (misplaced(&path), &misread.hint) {
        (Some(meant), _) => meant,
        (None, Some(hint)) => hint.clone(),
        (None, None) => example(&path).unwrap_or_else(|| of_the_whole(&misread.message)),
    };
    misread.hint = Some(hint);
    misread
}

/// What to do where the place says nothing.
fn of_the_whole(message: &str) -> String {
    let missing = message.split('`').nth(1).filter(|_| message.ends_with("is missing"));
    match missing.and_then(|key| example(&[key])) {
        Some(example) => format!("write it at the top; {example}"),
        None => "a manifest is a text in TOML; `berth plugin schema` says what can be in it".into(),
    }
}

/// What is meant by a key that is not known where it stands.
fn misplaced(path: &[&str]) -> Option<String> {
    let below = |table| format!("write it below `[{table}]`");
    match *path {
        [
            "capabilities" | "capability" | "permissions" | "permission" | "rights" | "right"
            | "grants" | "grant" | "request" | "imports",
            ..,
        ] => Some("what a plugin asks for stands in `[requests]`".into()),
        ["plugin" | "package" | "manifest", ..] => Some(
            "the settings `name`, `version` and `contract` stand at the top, without a table"
                .into(),
        ),
        ["limit" | "quota" | "quotas", ..] => {
            Some("the limits that are enough for it stand in `[limits]`".into())
        }
        [key, ..] if REQUESTS.contains(&key) => Some(below("requests")),
        [key, ..] if LIMITS.contains(&key) => Some(below("limits")),
        ["requests" | "limits", key, ..] if TOP.contains(&key) => {
            Some("write it at the top, before the first table".into())
        }
        ["requests", key, ..] if LIMITS.contains(&key) => Some(below("limits")),
        ["limits", key, ..] if REQUESTS.contains(&key) => Some(below("requests")),
        ["requests", "input" | "output" | "files" | "directories" | "dirs" | "paths", ..] => Some(
            "folders are asked for by label: folders = { input = \"read\", output = \"write\" }"
                .into(),
        ),
        ["requests", "hosts" | "net" | "http" | "sockets", ..] => {
            Some("hosts are asked for as: network = [\"api.example.com:443\"]".into())
        }
        ["requests", "env" | "variables", ..] => {
            Some("variables are asked for as: environment = [\"LANG\"]".into())
        }
        ["requests", "time" | "wall-clock", ..] => {
            Some("the time is asked for as: clock = true".into())
        }
        ["requests", "random", ..] => Some("it is asked for as: randomness = true".into()),
        _ => None,
    }
}

/// How it is written.
fn example(path: &[&str]) -> Option<String> {
    let written = match *path {
        ["name"] => "name = \"my-nodes\"",
        ["version"] => "version = \"1.0.0\"",
        ["contract"] => return Some(format!("for example: contract = \"{CONTRACT}\"")),
        ["description"] => "description = \"Blurs images.\"",
        ["requests", "environment"] => "environment = [\"LANG\"]",
        ["requests", "network"] => "network = [\"api.example.com:443\"]",
        ["requests", "models"] => "models = [\"checkpoints/*\"]",
        ["requests", "folders"] => "folders = { input = \"read\", luts = \"read\" }",
        ["limits", "linear-memory"] => "linear-memory = \"512MiB\"",
        ["limits", "host-call"] => "host-call = \"64MiB\"",
        ["limits", "output"] => "output = \"1GiB\"",
        ["limits", "run-time"] => "run-time = \"5m\"",
        ["limits", "table-elements"] => "table-elements = 10000",
        ["limits", "handles"] => "handles = 1000",
        ["limits", "concurrency"] => "concurrency = 2",
        _ => return in_words(path).map(str::to_owned),
    };
    Some(format!("for example: {written}"))
}

fn in_words(path: &[&str]) -> Option<&'static str> {
    Some(match *path {
        ["requests"] => {
            "write `[requests]` on a line of its own, and below it what is asked for, such as \
             `memory = true`"
        }
        ["limits"] => {
            "write `[limits]` on a line of its own, and below it the limits, such as \
             `linear-memory = \"512MiB\"`"
        }
        ["requests", "memory" | "clock" | "randomness"] => {
            "write `true` to ask for it, or leave it out"
        }
        ["requests", "folders", ..] => {
            "a plugin asks for a folder by label, as in luts = \"read\"; where it is, the \
             operator says"
        }
        _ => return None,
    })
}
