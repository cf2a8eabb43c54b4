//! A text that somebody else wrote, as it may be shown beside a message.
//!
//! The line that is wrong is shown as it is written, and who wrote it may want the terminal to
//! do something, or to look like another message.

use std::ops::Range;

use crate::text::is_escaped;

/// Longest line that is shown as a whole, in characters.
const LONGEST_LINE: usize = 200;

/// What is shown of a longer line on both sides of the place that is meant, in bytes.
const AROUND: usize = 60;

/// Stands for a character that is not shown.
const HIDDEN: char = '\u{fffd}';

/// Stands for the rest of a line.
const CUT: char = '…';

/// The text without what a terminal obeys, lines cut where they are long, and where the place is
/// in it, up to the end of a line. Lines keep their numbers.
pub(super) fn shown(text: String, place: Range<usize>) -> (String, Range<usize>) {
    let mut clean = String::with_capacity(text.len());
    let (mut start, mut end) = (None, None);
    let (mut column, mut cut) = (0_usize, false);
    let mut characters = text.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        if at >= place.start {
            start.get_or_insert(clean.len());
        }
        if at >= place.end {
            end.get_or_insert(clean.len());
        }
        if character == '\n' {
            (column, cut) = (0, false);
            clean.push(character);
            continue;
        }
        column = column.saturating_add(1);
        if column > LONGEST_LINE && at.abs_diff(place.start) > AROUND {
            if !cut {
                clean.push(CUT);
            }
            cut = true;
            continue;
        }
        cut = false;
        let ends_line = character == '\r' && characters.peek().is_some_and(|(_, c)| *c == '\n');
        let stays = !is_escaped(character) || character == '\t' || ends_line;
        clean.push(if stays { character } else { HIDDEN });
    }
    let length = clean.len();
    let start = start.unwrap_or(length);
    let end = end.unwrap_or(length).max(start);
    let line = clean.get(start..end).and_then(|place| place.lines().next()).map_or(0, str::len);
    (clean, start..start.saturating_add(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_not_shown_and_the_place_stays() {
        let text = "a = 1\nb = \"\u{1b}[2J\u{202e}\" # é\r\nc = x\n".to_owned();
        let place = text.find('x').unwrap();
        let (clean, place) = shown(text, place..place + 1);
        assert_eq!(clean, "a = 1\nb = \"\u{fffd}[2J\u{fffd}\" # é\r\nc = x\n");
        assert_eq!(&clean[place], "x");
    }

    #[test]
    fn a_long_line_is_cut_around_the_place() {
        let text = format!("{}!{}\nend", "x".repeat(5000), "é".repeat(5000));
        let (clean, place) = shown(text, 5000..5001);
        assert_eq!(&clean[place], "!");
        assert!(clean.len() < 500 && clean.ends_with("…\nend"), "{clean}");
    }

    #[test]
    fn a_place_of_many_lines_is_its_first() {
        assert_eq!(shown("a = [\r\n1]".into(), 4..9).1, 4..5);
        assert_eq!(shown("a = \n".into(), 4..5).1, 4..4);
    }

    #[test]
    fn a_place_that_is_not_there_is_the_end() {
        assert_eq!(shown("é".into(), 1..1), ("é".into(), 2..2));
        assert_eq!(shown(String::new(), 5..9), (String::new(), 0..0));
        let backwards = Range { start: 2, end: 1 };
        assert_eq!(shown("abc".into(), backwards), ("abc".into(), 2..2));
    }
}
