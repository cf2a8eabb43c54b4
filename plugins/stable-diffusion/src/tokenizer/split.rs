//! CLIP's division of a normalized text into words.

use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

/// English endings that CLIP keeps apart from the word before them.
const ENDINGS: [&str; 7] = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"];

/// What decides where a word ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Space,
    Letter,
    Number,
    Other,
}

fn kind(character: char) -> Kind {
    if character.is_whitespace() {
        return Kind::Space;
    }
    match character.general_category_group() {
        GeneralCategoryGroup::Letter => Kind::Letter,
        GeneralCategoryGroup::Number => Kind::Number,
        _ => Kind::Other,
    }
}

/// The words of a text in lower case: an English ending, a run of letters, one digit, or a run of
/// anything else but white space.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = rest.trim_start();
        let first = kind(rest.chars().next()?);
        let ending = ENDINGS.iter().find(|ending| rest.starts_with(**ending));
        let length = match (ending, first) {
            (Some(ending), _) => ending.len(),
            (None, Kind::Number) => rest.chars().next().map_or(0, char::len_utf8),
            (None, run) => rest.find(|c| kind(c) != run).unwrap_or(rest.len()),
        };
        let (word, after) = rest.split_at_checked(length)?;
        rest = after;
        Some(word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<&str> {
        words(text).collect()
    }

    #[test]
    fn letters_digits_and_other_characters_are_words_of_their_own() {
        assert_eq!(split("abc 12,3!!  x"), ["abc", "1", "2", ",", "3", "!!", "x"]);
    }

    #[test]
    fn an_english_ending_is_its_own_word_but_not_inside_a_run_of_punctuation() {
        assert_eq!(split("don't they'll 'em"), ["don", "'t", "they", "'ll", "'", "em"]);
        assert_eq!(split("''s"), ["''", "s"]);
        assert_eq!(split("'sun"), ["'s", "un"]);
    }

    #[test]
    fn letters_of_any_script_are_letters_and_marks_are_not() {
        assert_eq!(split("日本語２かな"), ["日本語", "２", "かな"]);
        assert_eq!(split("क्ष"), ["क", "्", "ष"]);
        assert_eq!(split("Ⅷ"), ["Ⅷ"]);
    }

    #[test]
    fn white_space_of_any_kind_separates_and_is_dropped() {
        assert_eq!(split("\u{3000}a\u{a0}\t\nb\u{2028}"), ["a", "b"]);
        assert!(split(" \n").is_empty());
    }
}
