//! Untrusted texts in messages.
//!
//! Ids, titles and values come from files that somebody else wrote and end up in a
//! terminal, so what is shown of them is short and has no control characters.

use std::borrow::Cow;

use serde_json::Value as Json;

/// Longest excerpt of a value in a message, in characters: about a line.
const EXCERPT: usize = 80;

/// Longest text that is compared with others to find the nearest; the comparison
/// takes the product of both lengths.
const LONGEST_COMPARED: usize = 256;

/// How alike two texts must be to suggest one for the other (Jaro–Winkler, 0…1);
/// below this, suggestions are guesses.
const ALIKE: f64 = 0.8;

/// The text without control characters, cut to a line.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    let long = text.chars().nth(EXCERPT).is_some();
    if !long && !text.chars().any(char::is_control) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::new();
    for character in text.chars().take(EXCERPT) {
        if character.is_control() {
            clean.extend(character.escape_default());
        } else {
            clean.push(character);
        }
    }
    if long {
        clean.push('…');
    }
    Cow::Owned(clean)
}

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

/// The candidate most like `text`, if one is alike at all.
pub(crate) fn nearest<'a>(
    text: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    if text.len() > LONGEST_COMPARED {
        return None;
    }
    let text = text.to_lowercase();
    candidates
        .into_iter()
        .filter(|candidate| candidate.len() <= LONGEST_COMPARED)
        .map(|candidate| (strsim::jaro_winkler(&text, &candidate.to_lowercase()), candidate))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

/// Texts as an enumeration, the first few of them.
pub(crate) fn enumerate<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    const SHOWN: usize = 12;
    let mut texts = texts.into_iter();
    let mut shown: Vec<_> =
        texts.by_ref().take(SHOWN).map(|text| plain(text).into_owned()).collect();
    if shown.is_empty() {
        return "none".into();
    }
    let rest = texts.count();
    if rest > 0 {
        shown.push(format!("{rest} more"));
    }
    shown.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_cannot_write_to_the_terminal() {
        assert_eq!(plain("a\u{1b}[2Jb"), "a\\u{1b}[2Jb");
        assert_eq!(plain(&"é".repeat(100)).chars().count(), EXCERPT + 1);
        assert_eq!(plain("as it is"), "as it is");
    }

    #[test]
    fn the_nearest_is_found_despite_case_and_typing_errors() {
        let names = ["KSampler", "SaveImage", "VAEDecode"];
        assert_eq!(nearest("ksamplr", names), Some("KSampler"));
        assert_eq!(nearest("VaeDecoder", names), Some("VAEDecode"));
        assert_eq!(nearest("Frobnicate", names), None);
        assert_eq!(nearest(&"K".repeat(10_000), names), None);
    }

    #[test]
    fn an_enumeration_ends() {
        assert_eq!(enumerate([]), "none");
        assert_eq!(enumerate(["a", "b"]), "a, b");
        assert!(enumerate(["x"; 20]).ends_with(", 8 more"));
    }
}
