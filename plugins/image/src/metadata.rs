//! What a saved image says of the workflow that made it.

use serde_json::{Map, Value};

/// The workflow, and each entry of what the client sent along, as keyword and JSON text.
///
/// A PNG's text is Latin-1. JSON can say everything in ASCII, so that is what is written,
/// as other programs that read these chunks expect.
pub fn texts(
    prompt: Option<&str>,
    extra: Option<&str>,
) -> Result<Vec<(String, String)>, serde_json::Error> {
    let mut texts: Vec<_> =
        prompt.iter().map(|prompt| ("prompt".to_owned(), ascii(prompt))).collect();
    if let Some(extra) = extra {
        let entries: Map<String, Value> = serde_json::from_str(extra)?;
        texts.extend(entries.into_iter().map(|(name, value)| (name, ascii(&value.to_string()))));
    }
    Ok(texts)
}

/// A JSON text in ASCII. Other characters stand only inside of its strings, where they
/// can be escaped.
fn ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        if character.is_ascii() {
            text.push(character);
        } else {
            let mut units = [0; 2];
            let units = character.encode_utf16(&mut units).iter();
            text.extend(units.map(|unit| format!("\\u{unit:04x}")));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_entry_of_what_the_client_sent_is_a_text_of_its_own() {
        let extra = r#"{"workflow": {"nodes": [1, 2.50]}, "note": "a"}"#;
        let texts = texts(Some(r#"{"3": {}}"#), Some(extra)).unwrap();
        let expected =
            [("prompt", r#"{"3": {}}"#), ("workflow", r#"{"nodes":[1,2.5]}"#), ("note", r#""a""#)];
        assert_eq!(texts, expected.map(|(name, text)| (name.to_owned(), text.to_owned())));
    }

    #[test]
    fn what_is_not_ascii_is_escaped_and_means_the_same() {
        let json = r#"{"text":"красный 🚢 \n"}"#;
        let escaped = ascii(json);
        assert!(escaped.is_ascii());
        let parse = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        assert_eq!(parse(&escaped), parse(json));
    }

    #[test]
    fn a_seed_keeps_every_digit() {
        let texts = texts(None, Some(r#"{"seed": 18446744073709551615}"#)).unwrap();
        assert_eq!(texts[0].1, "18446744073709551615");
    }

    #[test]
    fn nothing_sent_is_nothing_written() {
        assert!(texts(None, None).unwrap().is_empty());
        assert!(texts(None, Some("[]")).is_err());
    }
}
