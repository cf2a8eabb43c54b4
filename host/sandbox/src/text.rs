//! Untrusted texts in messages.
//!
//! Names, ids, titles and values come from guests and from files that somebody else wrote, and end
//! up in a terminal. What is shown of them is of bounded length, and has no character that a
//! terminal obeys or that makes it show something else than is there.

use std::borrow::Cow;

/// Longest excerpt of a value in a message, in characters: about a line.
const EXCERPT: usize = 80;

/// Longest text of a guest's that is passed on, in bytes: a page, not a book.
const LONGEST_TEXT: usize = 16 * 1024;

/// Longest text that is compared with others to find the nearest; the comparison
/// takes the product of both lengths.
const LONGEST_COMPARED: usize = 256;

/// How alike two texts must be to suggest one for the other (Jaro–Winkler, 0…1);
/// below this, suggestions are guesses.
const ALIKE: f64 = 0.8;

/// Whether a character is escaped: controls, and those that turn the direction of
/// writing or break lines without being controls.
#[must_use]
pub fn is_escaped(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        )
}

/// The text without control characters, cut to a line.
#[must_use]
pub fn plain(text: &str) -> Cow<'_, str> {
    let long = text.chars().nth(EXCERPT).is_some();
    if !long && !text.chars().any(is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::new();
    for character in text.chars().take(EXCERPT) {
        if is_escaped(character) {
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

/// A text of several lines, made safe to show: all but newlines and tabs is as in [`plain`],
/// and what is longer than a page is cut.
pub(crate) fn page(text: &str) -> String {
    escape(text, |character| matches!(character, '\n' | '\t'))
}

/// A text made safe to show on one line: newlines are escaped too, so that it cannot look like
/// somebody else's next line.
#[must_use]
pub fn line(text: &str) -> String {
    escape(text, |_| false)
}

fn escape(text: &str, stays: impl Fn(char) -> bool) -> String {
    let mut clean = String::with_capacity(text.len().min(LONGEST_TEXT));
    for character in text.chars() {
        if clean.len() >= LONGEST_TEXT {
            clean.push('…');
            break;
        }
        if is_escaped(character) && !stays(character) {
            clean.extend(character.escape_default());
        } else {
            clean.push(character);
        }
    }
    clean
}

/// The candidate most like `text`, if one is alike at all.
#[must_use]
pub fn nearest<'a>(text: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
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
#[must_use]
pub fn enumerate<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
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

    #[test]
    fn an_escape_sequence_reaches_no_terminal() {
        assert_eq!(page("a\u{1b}[31mb\r\n"), "a\\u{1b}[31mb\\r\n");
        assert_eq!(line("a\nERROR b\t"), "a\\nERROR b\\t");
        assert_eq!(plain("a\u{202e}b\u{2028}"), "a\\u{202e}b\\u{2028}");
    }

    #[test]
    fn a_flood_is_cut() {
        let cut = page(&"x".repeat(10 * LONGEST_TEXT));
        assert_eq!(cut.chars().count(), LONGEST_TEXT + 1);
    }
}
