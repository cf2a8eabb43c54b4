//! What is told about files that are wrong.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::*;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct File {
    #[serde(deserialize_with = "table")]
    part: Part,
    #[serde(deserialize_with = "few")]
    list: Vec<String>,
    #[serde(deserialize_with = "variables")]
    names: Vec<String>,
    #[serde(deserialize_with = "labelled")]
    labels: BTreeMap<String, bool>,
    #[serde(deserialize_with = "scalar::list")]
    sizes: Vec<Size>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Part {
    flag: bool,
    count: u32,
    text: String,
    kind: Option<Kind>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Large,
    Small,
}

/// What is told, and the text that it is about.
fn told(text: &str) -> (String, String) {
    let error = read::<File>("f", text.to_owned(), |_| None).unwrap_err();
    let place = error.text[error.span.clone()].to_owned();
    (format!("{}: {}", error.path.join("."), error.message), place)
}

#[test]
fn what_is_expected_is_told_in_plain_words_where_it_is() {
    for (text, says, place) in [
        ("part = [true]", "part: a table is expected here, not a list", "[true]"),
        ("part = 1979-05-27", "part: a table is expected here, not a date", "1979-05-27"),
        ("part = true", "part: a table is expected here, not true", "true"),
        ("[part]\nflag = 1", "part.flag: true or false is expected here, not 1", "1"),
        (
            "part.flag = 'no'",
            "part.flag: true or false is expected here, not the text \"no\"",
            "'no'",
        ),
        (
            "part.count = -1",
            "part.count: a whole number from 0 to 4294967295 is expected here, not -1",
            "-1",
        ),
        (
            "part.count = 0.5",
            "part.count: a whole number from 0 to 4294967295 is expected here, not 0.5",
            "0.5",
        ),
        ("part.text = 7", "part.text: a text is expected here, not 7", "7"),
        ("part.text = []", "part.text: a text is expected here, not a list", "[]"),
        ("part.kind = 'smal'", "part.kind: `smal` is not possible here", "'smal'"),
        ("list = 'a'", "list: a list is expected here, not the text \"a\"", "'a'"),
        ("list = ['a', 2]", "list: a text is expected here, not 2", "2"),
        ("labels = []", "labels: a table is expected here, not a list", "[]"),
        (
            "sizes = [1, 'x']",
            "sizes: a size is a number and a unit, such as 512MiB, 2GB or 1.5GiB",
            "'x'",
        ),
        ("list = []\nlist = []", ": this is there already", "list"),
        ("[part]\nflga = true", "part.flga: there is no setting `flga` here", "flga"),
    ] {
        assert_eq!(told(text), (says.into(), place.into()), "{text}");
    }
    let (says, place) = told("labels = { a = true, '../b' = true }");
    assert!(says.contains("label has 1 to 64") && place == "'../b'", "{says} {place}");
    let (says, place) = told("names = ['A', 'B=C']");
    assert!(says.contains("name has 1 to 250") && place == "'B=C'", "{says} {place}");
}

#[test]
fn lists_and_tables_end() {
    let list = |count| format!("list = {:?}", vec!["a"; count]);
    read::<File>("f", list(MOST), |_| None).unwrap();
    assert!(told(&list(MOST + 1)).0.contains("more than 64 entries"));
    let mut labels = String::from("[labels]\n");
    (0..=MOST).for_each(|index| labels.push_str(&format!("l{index} = true\n")));
    assert!(told(&labels).0.contains("more than 64 entries"));
}

#[test]
fn depth_and_length_are_bounded() {
    for text in [
        "[".repeat(50_000),
        format!("a{} = 1", ".a".repeat(30_000)),
        format!("list = {}", "[".repeat(50_000)),
        format!("part = {}", "{a=".repeat(20_000)),
        format!("[a{}]", ".a".repeat(30_000)),
        (0..2000).map(|index| format!("[a{}]\n", ".a".repeat(index % 70))).collect(),
    ] {
        let (says, _) = told(&text);
        assert!(says.len() < 400, "{says}");
    }
    let (says, _) = told(&format!("part.kind = '{}'", "x".repeat(10_000)));
    assert!(says.len() < 400, "{says}");
    let (says, _) = told(&format!("part.flag = '{}'", "x".repeat(10_000)));
    assert!(says.len() < 400, "{says}");
}

#[test]
fn what_is_wrong_cannot_write_to_the_terminal() {
    let text = "part.text = \"\u{1b}[2J\"";
    let error = read::<File>("f", text.into(), |_| None).unwrap_err();
    assert!(!error.text.contains('\u{1b}') && !error.message.contains('\u{1b}'));
    let error = read::<File>("f", "part.\"\\u001b[2J\" = 1".into(), |_| None).unwrap_err();
    assert!(!error.message.contains('\u{1b}'), "{error}");
}
