//! Manifests, good and bad. How mistakes are shown is in `tests/cli/manifests`.

use std::path::PathBuf;

use proptest::prelude::*;

use super::*;
use crate::rights::Right;

/// Everything that can be in a manifest.
const FULL: &str = include_str!("../../../../tests/cli/manifests/good/full.toml");

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

#[test]
fn everything_in_a_manifest_is_read() {
    let manifest = Manifest::parse("plugin.toml", FULL).unwrap();
    assert_eq!(manifest.name, "my-nodes");
    assert_eq!(manifest.version, Version::parse("1.2.3-beta.1").unwrap());
    let rights: Vec<String> = manifest.requests.rights().iter().map(Right::to_string).collect();
    let all = [
        "memory",
        "clock",
        "randomness",
        "environment:LANG",
        "network:api.example.com:443",
        "models:checkpoints/*",
        "read:input",
        "read:luts",
        "write:output",
    ];
    assert_eq!(rights, all);
    assert_eq!(manifest.limits.handles, Some(1000));
    assert!(manifest.requests.check().is_ok());
}

#[test]
fn the_manifests_of_the_stock_plugins_and_of_the_guide_are_good() {
    let mut stock = 0;
    for plugin in std::fs::read_dir(repository("plugins")).unwrap() {
        let path = plugin.unwrap().path().join(MANIFEST);
        if path.exists() {
            let manifest = Manifest::read(&path).unwrap();
            assert!(path.parent().unwrap().ends_with(&manifest.name), "{}", path.display());
            stock += 1;
        }
    }
    assert!(stock >= 4, "{stock}");
    let guide = std::fs::read_to_string(repository("plugin-sdk/rust/README.md")).unwrap();
    let start = guide.find("name = \"my-nodes\"\nversion = \"1.0.0\"").unwrap();
    let example = guide[start..].split("```").next().unwrap();
    assert!(Manifest::parse("README.md", example).unwrap().requests.rights().len() >= 8);
}

#[test]
fn another_contract_is_refused_and_a_later_correction_is_not() {
    let with = |contract: &str| {
        let text = format!("name = 'a'\nversion = '1.0.0'\ncontract = '{contract}'");
        Manifest::parse("m", &text).map(drop).map_err(|error| error.to_string())
    };
    for contract in ["0.1.0", "0.1.7", "0.1.0+build", "0.2.0"] {
        assert_eq!(with(contract), Ok(()));
    }
    for contract in ["0.3.0", "0.0.9", "1.1.0", "0.1.0-rc.1"] {
        assert!(with(contract).unwrap_err().contains("this host speaks 0.1.0"), "{contract}");
    }
}

#[test]
fn a_manifest_that_is_no_file_or_too_long_is_refused_by_its_path() {
    let folder = tempfile::tempdir().unwrap();
    let says = |name: &str, part: &str| {
        let error = Manifest::read(&folder.path().join(name)).unwrap_err();
        assert!(error.to_string().contains(name), "{error}");
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(source.contains(part), "{source}");
    };
    says("absent.toml", "No such file");
    std::fs::create_dir(folder.path().join("folder.toml")).unwrap();
    says("folder.toml", "no file");
    std::fs::write(folder.path().join("long.toml"), vec![b'#'; LONGEST_MANIFEST + 1]).unwrap();
    says("long.toml", "more than 65536 bytes");
    std::fs::write(folder.path().join("binary.toml"), [0xff; 9]).unwrap();
    says("binary.toml", "UTF-8");
    let path = folder.path().join("fine.toml");
    std::fs::write(&path, FULL).unwrap();
    assert_eq!(Manifest::read(&path).unwrap(), Manifest::parse("", FULL).unwrap());
    let error = Manifest::parse("m", &"#".repeat(LONGEST_MANIFEST + 1)).unwrap_err();
    assert!(error.to_string().contains("65537 bytes"), "{error}");
}

/// Both come from the same structures; the file is what editors and other tools get.
/// `BERTH_BLESS=1 cargo test` writes it anew.
#[test]
fn the_schema_in_the_repository_is_that_of_the_structures() {
    let path = repository("plugin-sdk/plugin.schema.json");
    let schema = format!("{:#}\n", Manifest::schema());
    if std::env::var_os("BERTH_BLESS").is_some() {
        std::fs::write(&path, &schema).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == schema, "it is stale: BERTH_BLESS=1 cargo test --workspace --lib schema");
}

#[test]
fn the_schema_knows_no_other_settings_than_the_parser() {
    let schema = Manifest::schema();
    let tables = [&schema, &schema["$defs"]["Requests"], &schema["$defs"]["LimitSettings"]];
    for table in tables {
        assert_eq!(table["additionalProperties"], false, "{table:#}");
    }
    assert_eq!(schema["required"], serde_json::json!(["name", "version", "contract"]));
}

/// What must not happen, whatever is written.
fn holds(text: &str) {
    let Err(error) = Manifest::parse("plugin.toml", text) else { return };
    assert!(error.text.get(error.span.clone()).is_some(), "{error:?}");
    assert!(error.hint.is_some(), "{error:?}");
    assert!(error.message.chars().count() < 500, "{error:?}");
    assert!(!error.message.contains(|c: char| c.is_control()), "{error:?}");
    let lines = text.matches('\n').count() + 1;
    assert!((1..=lines).contains(&error.line), "{error:?}");
}

proptest! {
    #[test]
    fn any_text_is_read_or_told_with_its_place(text in any::<String>()) {
        holds(&text);
    }

    #[test]
    fn any_change_of_a_manifest_is_read_or_told_with_its_place(
        changes in prop::collection::vec(
            (any::<prop::sample::Index>(), 0..20_usize, change()),
            1..6,
        ),
    ) {
        let mut text: Vec<char> = FULL.chars().collect();
        for (at, length, insert) in changes {
            let start = at.index(text.len() + 1);
            let end = (start + length).min(text.len());
            text.splice(start..end, insert.chars());
        }
        holds(&text.into_iter().collect::<String>());
    }
}

/// Pieces of TOML, and what is none.
fn change() -> impl Strategy<Value = String> {
    const PIECES: [&str; 30] = [
        "",
        "\n",
        "[",
        "]",
        "{",
        "}",
        "=",
        ",",
        ".",
        "\"",
        "'",
        "\"\"\"",
        "#",
        "-1",
        "1e400",
        "nan",
        "true",
        "[[requests]]",
        "[requests]",
        "[limits]",
        "name = 1\n",
        "requests = []\n",
        "\u{1b}",
        "\u{202e}",
        "é",
        "\r",
        "1979-05-27",
        "99999999999999999999",
        "a.b.c = 1\n",
        "\\u0000",
    ];
    prop_oneof![prop::sample::select(&PIECES[..]).prop_map(str::to_owned), any::<String>()]
}
