//! The expected ids were computed with the `tokenizers` library (0.23) from CLIP's vocabulary.

use super::*;
use crate::oracle::{self, Oracle};
use crate::prompt::{self, Token, Vector};

/// Texts and their ids in CLIP's vocabulary.
const KNOWN: &[(&str, &[u16])] = &[
    (
        "a red handwritten seven on a black background",
        &[320, 736, 35192, 5757, 525, 320, 1449, 5994],
    ),
    ("", &[]),
    ("   ", &[]),
    ("Hello, World!!", &[3306, 267, 1002, 748]),
    ("it's don't we'll I'VE", &[585, 568, 847, 713, 649, 1342, 328, 1200]),
    (
        "\u{ff21}\u{ff22}\u{ff23} \u{5168}\u{89d2} \u{fb01}",
        &[171, 121, 223, 171, 121, 224, 171, 121, 481, 34314, 101, 164, 100, 496, 171, 105, 479],
    ),
    ("cafe\u{301} caf\u{e9}", &[15304, 15304]),
    (
        "\u{130}stanbul \u{3a3}\u{391}\u{3a3} \u{3c2}",
        &[328, 16384, 11231, 139, 225, 138, 109, 139, 481, 139, 480],
    ),
    (
        "\u{1f642}\u{1f469}\u{200d}\u{1f469}\u{200d}\u{1f467} emoji",
        &[32006, 26304, 26304, 964, 356, 16327],
    ),
    ("12345 3.14", &[272, 273, 274, 275, 276, 274, 269, 272, 275]),
    ("a\tb\nc\u{3000}d\u{a0}e", &[320, 321, 322, 323, 324]),
    ("<|endoftext|>", &[49407]),
    ("x<|startoftext|>y", &[343, 49406, 344]),
    ("<|ENDOFTEXT|>", &[27, 347, 40786, 4160, 91, 285]),
    (
        "\u{65e5}\u{672c}\u{8a9e}\u{306e}\u{30c6}\u{30ad}\u{30b9}\u{30c8}",
        &[39121, 44353, 34002, 252, 21575, 2429, 228, 47121, 32421, 486],
    ),
    (
        "\u{915}\u{94d}\u{937}\u{924}\u{94d}\u{930}\u{93f}\u{92f}",
        &[22067, 19389, 3124, 115, 27263, 19389, 19052, 26721, 37299],
    ),
    (
        "((masterpiece)), best_quality:1.2",
        &[13796, 12066, 8, 2361, 949, 318, 3027, 281, 272, 269, 273],
    ),
    (
        "supercalifragilisticexpialidocious antidisestablishmentarianism",
        &[
            1642, 2857, 13093, 2076, 5868, 26850, 835, 639, 38466, 3120, 4262, 7726, 12658, 1585,
            44351,
        ],
    ),
    ("\u{0}\u{1}\u{7f}", &[188, 189, 477]),
    ("''s '''", &[8445, 338, 6, 8445]),
    ("\u{2167} \u{b2} \u{bd} \u{663}", &[158, 227, 371, 41175, 33613, 149, 352]),
    ("photo-realistic/8k", &[1125, 268, 16157, 270, 279, 330]),
    (
        "na\u{ef}ve co\u{f6}perate \u{c5}ngstr\u{f6}m",
        &[1097, 35689, 563, 622, 7255, 703, 671, 23176, 10352, 807, 7255, 332],
    ),
    ("\u{fdfa}", &[171, 115, 374]),
    ("the the the", &[518, 518, 518]),
    ("\u{df} \u{152}UVRE \u{1c5}", &[127, 509, 129, 241, 84, 17501, 131, 484]),
    ("e\u{301}\u{327} \u{1100}\u{1161}", &[132, 358, 136, 479, 21122, 478]),
];

#[test]
fn texts_have_the_ids_that_clip_gives_them() -> Result<()> {
    let tokenizer = Tokenizer::new(clip())?;
    for (text, ids) in KNOWN {
        assert_eq!(&tokenizer.encode(text), ids, "{text:?}");
    }
    Ok(())
}

#[test]
fn clip_s_special_ids_are_the_last_two_and_the_end_pads() -> Result<()> {
    let special = Tokenizer::new(clip())?.special();
    assert_eq!(special, Special { start: 49406, end: 49407, padding: 49407, count: 49408 });
    Ok(())
}

#[test]
fn an_endless_word_takes_no_time() -> Result<()> {
    let tokenizer = Tokenizer::new(clip())?;
    let ids = tokenizer.encode(&"ab".repeat(200_000));
    assert!(ids.len() > 1000);
    Ok(())
}

/// A vocabulary of the 256 bytes and a few merges, as a `tokenizer.json`.
fn small(model: &str, others: &str) -> String {
    let inside = table::letters().map(|(_, letter)| letter.to_string());
    let last = table::letters().map(|(_, letter)| format!("{letter}</w>"));
    let merged = ["ab", "abc</w>", "<|startoftext|>", "<|endoftext|>"].map(str::to_owned);
    let vocab: serde_json::Map<_, _> =
        inside.chain(last).chain(merged).zip((0..).map(serde_json::Value::from)).collect();
    let vocab = serde_json::Value::Object(vocab);
    format!(r#"{{"model": {{"type": "BPE", "vocab": {vocab}, {model}}}{others}}}"#)
}

const MERGES: &str = r#""end_of_word_suffix": "</w>", "merges": ["a b", ["ab", "c</w>"]]"#;

#[test]
fn merges_are_read_as_pairs_and_as_texts() -> Result<()> {
    let table = compile(&small(MERGES, ""))?;
    let tokenizer = Tokenizer::new(&table)?;
    assert_eq!(tokenizer.encode("abc ab"), [513, 64, 321]);
    let special = Special { start: 514, end: 515, padding: 515, count: 516 };
    assert_eq!(tokenizer.special(), special);
    Ok(())
}

#[test]
fn an_added_token_is_found_before_the_text_is_split_and_raises_the_number_of_ids() -> Result<()> {
    let added = r#", "padding": {"pad_id": 0},
        "added_tokens": [{"id": 516, "content": "<Cat>"}, {"id": 517, "content": "<Cat>s"}]"#;
    let table = compile(&small(MERGES, added))?;
    let tokenizer = Tokenizer::new(&table)?;
    assert_eq!(
        tokenizer.encode("abc<Cat>sabc<Cat> <cat>"),
        [513, 517, 513, 516, 283, 66, 64, 339, 285]
    );
    let special = Special { start: 514, end: 515, padding: 0, count: 518 };
    assert_eq!(tokenizer.special(), special);
    Ok(())
}

#[test]
fn a_tokenizer_that_is_no_clip_says_so() {
    let words = small(r#""merges": []"#, "");
    let error = compile(&words).unwrap_err().to_string();
    assert!(error.contains("end of a word"), "{error}");
    let lacking = small(r#""end_of_word_suffix": "</w>", "merges": ["x y"]"#, "");
    let error = compile(&lacking).unwrap_err().to_string();
    assert!(error.contains("no token \"xy\""), "{error}");
    assert!(compile("{").unwrap_err().to_string().contains("tokenizer.json"));
    let wide = small(MERGES, r#", "added_tokens": [{"id": 65536, "content": "x"}]"#);
    assert!(compile(&wide).unwrap_err().to_string().contains("65536"));
}

#[test]
fn a_damaged_table_is_an_error() {
    let table = clip();
    for end in [0, 5, 1000, 1030, table.len() - 1] {
        assert!(Tokenizer::new(&table[..end]).is_err(), "{end}");
    }
}

#[test]
fn the_oracle_s_prompts_have_the_oracle_s_ids() -> Result<()> {
    let oracle = Oracle::open();
    let own = compile(&oracle::checkpoint().1["tokenizer.json"])?;
    let prompts = [("pos", "a red handwritten seven on a black background"), ("neg", "")];
    for (table, suffix) in [(own.as_slice(), ""), (clip(), "_full_vocab")] {
        let tokenizer = Tokenizer::new(table)?;
        for (name, text) in prompts {
            let words = tokenizer.encode(text).into_iter();
            let words = words.map(|id| Token { vector: Vector::Id(id), weight: 1.0 }).collect();
            let [chunk] = &prompt::chunks(&[words], tokenizer.special(), 77)[..] else { panic!() };
            let ids: Vec<i64> = chunk
                .iter()
                .map(|token| match token.vector {
                    Vector::Id(id) => i64::from(id),
                    Vector::Learned { .. } => -1,
                })
                .collect();
            assert_eq!(ids, oracle.ids(&format!("ids_{name}{suffix}")), "{name}{suffix}");
        }
    }
    Ok(())
}
