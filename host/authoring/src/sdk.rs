//! The SDKs and the contract, which the program carries inside of it.
//!
//! So a project can be made and built with nothing but `berth` and the language's own tools, and
//! its bindings are those of the contract that this very host speaks.

use rust_embed::{Embed, EmbeddedFile};

/// The contract's files.
#[derive(Embed)]
#[folder = "../../wit"]
struct Wit;

/// The contract as one text.
#[must_use]
pub fn contract() -> String {
    let mut package = String::new();
    for name in Wit::iter() {
        let text = Wit::get(&name).map(|EmbeddedFile { data, .. }| data).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        // The package is named once in a text, and once in each file.
        match text.split_once('\n') {
            Some((head, rest)) if !package.is_empty() && head.starts_with("package ") => {
                package.push_str(rest);
            }
            _ => package.push_str(&text),
        }
    }
    package
}
