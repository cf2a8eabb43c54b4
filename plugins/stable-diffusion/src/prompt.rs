//! Prompts as their authors write them: weights in parentheses, embeddings by name, any length.
//!
//! The syntax is that of ComfyUI's `CLIPTextEncode`, because that is what prompts in the wild are
//! written for: `(word:1.2)` sets a weight, `(word)` multiplies it by 1.1, parentheses nest,
//! `\(` and `\)` are themselves, and `embedding:NAME` stands for learned vectors.

use crate::tokenizer::Special;

/// What parentheses without a number multiply a weight by.
const EMPHASIS: f64 = 1.1;
/// A group of tokens shorter than this is not divided between two chunks.
const LONG_GROUP: usize = 8;
/// What the name of an embedding follows.
const EMBEDDING: &str = "embedding:";

/// A stretch of a prompt whose tokens have one weight.
#[derive(Clone, Debug, PartialEq)]
pub struct Segment {
    /// Its text, without the syntax.
    pub text: String,
    /// How strongly it counts; 1 is as it is.
    pub weight: f32,
}

/// A prompt's segments, in order. Parentheses that do not match are text.
pub fn segments(prompt: &str) -> Vec<Segment> {
    let mut segments = Vec::new();
    // What is yet to be looked into, the next one last: a prompt's depth is not the stack's.
    let mut items: Vec<_> = divide(prompt).into_iter().rev().map(|item| (item, 1.0)).collect();
    while let Some((item, weight)) = items.pop() {
        match unwrap_group(item, weight) {
            Some((inner, weight)) => {
                items.extend(divide(inner).into_iter().rev().map(|item| (item, weight)));
            }
            None => {
                let text = item.replace("\\)", ")").replace("\\(", "(");
                segments.push(Segment { text, weight: weight as f32 });
            }
        }
    }
    segments
}

/// The outermost groups of a text and what stands between them. A group goes from a `(` that no
/// other one encloses to where as many were closed as opened.
fn divide(text: &str) -> Vec<&str> {
    let mut items = Vec::new();
    let (mut start, mut depth, mut escaped) = (0, 0_i64, false);
    let mut push = |from: usize, to: usize| {
        items.extend(text.get(from..to).filter(|item| !item.is_empty()));
    };
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'(' if !escaped => {
                if depth == 0 {
                    push(start, at);
                    start = at;
                }
                depth += 1;
            }
            b')' if !escaped => {
                depth -= 1;
                if depth == 0 {
                    push(start, at + 1);
                    start = at + 1;
                }
            }
            _ => {}
        }
        escaped = byte == b'\\';
    }
    push(start, text.len());
    items
}

/// What is inside of a group, and its weight; nothing when the item is no group.
fn unwrap_group(item: &str, weight: f64) -> Option<(&str, f64)> {
    let inner = item.strip_prefix('(')?.strip_suffix(')').filter(|inner| !inner.ends_with('\\'))?;
    let set =
        inner.rsplit_once(':').filter(|(text, _)| !text.is_empty()).and_then(|(text, set)| {
            let set = set.trim().parse::<f64>().ok().filter(|set| set.is_finite())?;
            Some((text, set))
        });
    Some(set.unwrap_or((inner, weight * EMPHASIS)))
}

/// A part of a segment's text.
#[derive(Clone, Debug, PartialEq)]
pub enum Part<'a> {
    /// Words.
    Text(&'a str),
    /// The vectors of this name, then more text.
    Embedding(&'a str, &'a str),
}

/// Finds the embeddings that a text names: at its beginning, or after a space or a line's end.
pub fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let next = rest
            .match_indices(EMBEDDING)
            .map(|(at, _)| at)
            .filter_map(|at| at.checked_sub(1))
            .find(|&before| matches!(rest.as_bytes().get(before), Some(b' ' | b'\n')));
        let (part, after) = match next.and_then(|at| rest.split_at_checked(at)) {
            Some((part, after)) => (part, after.get(1..).unwrap_or_default()),
            None => (rest, ""),
        };
        rest = after;
        match part.strip_prefix(EMBEDDING).map(str::trim_start) {
            Some(named) if !named.is_empty() => {
                let (name, text) = named.split_once(char::is_whitespace).unwrap_or((named, ""));
                parts.push(Part::Embedding(name, text));
            }
            _ if part.is_empty() => {}
            _ => parts.push(Part::Text(part)),
        }
    }
    parts
}

/// One place of a sequence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Token {
    /// What stands there.
    pub vector: Vector,
    /// How strongly it counts; 1 is as it is.
    pub weight: f32,
}

/// Where a token's vector comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vector {
    /// A row of the text encoder's token embedding.
    Id(u16),
    /// A row of one of the prompt's own embeddings.
    Learned {
        /// Which embedding.
        embedding: usize,
        /// Which of its rows.
        row: usize,
    },
}

/// Lays groups of tokens out in sequences of `length`, each between a start and an end token, the
/// last filled up with padding. There is always one. A short group goes whole into the next
/// sequence where it does not fit; a long one is divided. `length` is at least 3.
pub fn chunks(groups: &[Vec<Token>], special: Special, length: usize) -> Vec<Vec<Token>> {
    let plain = |id| Token { vector: Vector::Id(id), weight: 1.0 };
    // Room for words in a sequence: all but the start and the end token.
    let room = length.saturating_sub(2).max(1);
    let mut bodies: Vec<Vec<Token>> = vec![Vec::new()];
    for group in groups {
        let long = group.len() >= LONG_GROUP;
        let mut rest = group.as_slice();
        while !rest.is_empty() {
            let Some(body) = bodies.last_mut() else { break };
            let free = room - body.len();
            let taken = match rest.len() <= free {
                true => rest.len(),
                false if long || rest.len() > room => free,
                false => 0,
            };
            let (fits, after) = rest.split_at(taken);
            body.extend_from_slice(fits);
            rest = after;
            if !rest.is_empty() {
                bodies.push(Vec::new());
            }
        }
    }
    bodies
        .into_iter()
        .map(|body| {
            let mut chunk = vec![plain(special.start)];
            chunk.extend(body);
            chunk.push(plain(special.end));
            chunk.resize(length.max(chunk.len()), plain(special.padding));
            chunk
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPECIAL: Special = Special { start: 100, end: 101, padding: 102, count: 103 };

    fn weights(prompt: &str) -> Vec<(String, f32)> {
        segments(prompt).into_iter().map(|segment| (segment.text, segment.weight)).collect()
    }

    fn owned(expected: &[(&str, f32)]) -> Vec<(String, f32)> {
        expected.iter().map(|&(text, weight)| (text.into(), weight)).collect()
    }

    #[test]
    fn text_without_parentheses_is_one_segment() {
        assert_eq!(weights("a cat: 2"), owned(&[("a cat: 2", 1.0)]));
        assert!(weights("").is_empty());
    }

    #[test]
    fn a_number_sets_the_weight_and_parentheses_alone_raise_it() {
        let expected = [("a ", 1.0), ("red", 1.3), (" ", 1.0), ("cat", 1.1)];
        assert_eq!(weights("a (red:1.3) (cat)"), owned(&expected));
        assert_eq!(weights("(red: .5 )"), owned(&[("red", 0.5)]));
        assert_eq!(weights("(a:b:-2)"), owned(&[("a:b", -2.0)]));
    }

    #[test]
    fn nested_parentheses_multiply_and_a_number_inside_replaces() {
        let weight = (1.1_f64 * 1.1) as f32;
        assert_eq!(weights("((cat))"), owned(&[("cat", weight)]));
        assert_eq!(weights("(a (b:0.5) c)"), owned(&[("a ", 1.1), ("b", 0.5), (" c", 1.1)]));
        let inner = (1.5_f64 * 1.1) as f32;
        assert_eq!(weights("(a (b):1.5)"), owned(&[("a ", 1.5), ("b", inner)]));
    }

    #[test]
    fn what_is_no_number_is_text() {
        assert_eq!(weights("(a:x)"), owned(&[("a:x", 1.1)]));
        assert_eq!(weights("(:2)"), owned(&[(":2", 1.1)]));
        assert_eq!(weights("(a:nan)(b:inf)"), owned(&[("a:nan", 1.1), ("b:inf", 1.1)]));
        assert!(weights("()").is_empty());
    }

    #[test]
    fn escaped_parentheses_are_themselves() {
        assert_eq!(weights(r"cat \(animal\)"), owned(&[("cat (animal)", 1.0)]));
        assert_eq!(weights(r"(\(x\):2)"), owned(&[("(x)", 2.0)]));
        assert_eq!(weights(r"(a\)"), owned(&[("(a)", 1.0)]));
        assert_eq!(weights(r"a\b"), owned(&[(r"a\b", 1.0)]));
    }

    #[test]
    fn parentheses_that_do_not_match_are_text() {
        assert_eq!(weights("a (b"), owned(&[("a ", 1.0), ("(b", 1.0)]));
        assert_eq!(weights("a) b (c"), owned(&[("a) b (c", 1.0)]));
        assert_eq!(weights("((a)"), owned(&[("(a", 1.1)]));
        assert_eq!(weights("a)((b)"), owned(&[("a)(", 1.0), ("b", 1.1)]));
    }

    #[test]
    fn a_prompt_s_depth_is_not_the_stack_s() {
        let depth = 3000;
        let segments = segments(&format!("{}x{}", "(".repeat(depth), ")".repeat(depth)));
        assert_eq!(segments.len(), 1);
    }

    #[test]
    fn embeddings_are_found_at_the_beginning_and_after_spaces() {
        use Part::{Embedding, Text};
        let text = "embedding:one a\nembedding:two embedding:three, b xembedding:no";
        let expected =
            [Embedding("one", "a"), Embedding("two", ""), Embedding("three,", "b xembedding:no")];
        assert_eq!(parts(text), expected);
        assert_eq!(parts("a cat"), [Text("a cat")]);
        assert_eq!(parts("embedding: "), [Text("embedding: ")]);
    }

    fn group(ids: std::ops::Range<u16>) -> Vec<Token> {
        ids.map(|id| Token { vector: Vector::Id(id), weight: 2.0 }).collect()
    }

    fn ids(chunk: &[Token]) -> Vec<u16> {
        let id = |token: &Token| match token.vector {
            Vector::Id(id) => id,
            Vector::Learned { .. } => u16::MAX,
        };
        chunk.iter().map(id).collect()
    }

    #[test]
    fn an_empty_prompt_is_one_sequence_of_padding() {
        let chunks = chunks(&[], SPECIAL, 5);
        assert_eq!(
            chunks.iter().map(|chunk| ids(chunk)).collect::<Vec<_>>(),
            [[100, 101, 102, 102, 102]]
        );
        assert!(chunks[0].iter().all(|token| token.weight == 1.0));
    }

    #[test]
    fn seventy_five_tokens_fill_one_sequence_and_one_more_begins_another() {
        let full = chunks(&[group(0..75)], SPECIAL, 77);
        assert_eq!((full.len(), full[0].len(), ids(&full[0])[76]), (1, 77, 101));
        let more = chunks(&[group(0..76)], SPECIAL, 77);
        assert_eq!(more.len(), 2);
        assert_eq!(ids(&more[1])[..4], [100, 75, 101, 102]);
        assert_eq!(more[1].len(), 77);
    }

    #[test]
    fn a_short_group_is_not_divided_and_a_long_one_is() {
        let short = chunks(&[group(0..10), group(10..15)], SPECIAL, 14);
        assert_eq!(ids(&short[0])[10..], [9, 101, 102, 102]);
        assert_eq!(ids(&short[1])[..6], [100, 10, 11, 12, 13, 14]);
        let long = chunks(&[group(0..10), group(10..18)], SPECIAL, 14);
        assert_eq!(ids(&long[0])[10..], [9, 10, 11, 101]);
        assert_eq!(ids(&long[1])[..8], [100, 12, 13, 14, 15, 16, 17, 101]);
    }

    #[test]
    fn a_group_longer_than_any_sequence_is_divided_however_short() {
        let chunks = chunks(&[group(0..5)], SPECIAL, 4);
        let all: Vec<_> = chunks.iter().map(|chunk| ids(chunk)).collect();
        assert_eq!(all, [[100, 0, 1, 101], [100, 2, 3, 101], [100, 4, 101, 102]]);
    }
}
