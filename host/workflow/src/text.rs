//! Values of a workflow's in messages.

pub(crate) use berth_sandbox::text::{enumerate, nearest, plain};
use serde_json::Value as Json;

/// A JSON value as it is written, cut to a line.
pub(crate) fn excerpt(value: &Json) -> String {
    plain(&value.to_string()).into_owned()
}

/// What kind of JSON value it is, with its article.
pub(crate) fn article(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "a boolean",
        Json::Number(_) => "a number",
        Json::String(_) => "a text",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    }
}
