//! What is done with bytes that nobody has reviewed, and what must hold then.
//!
//! Each target takes any bytes and fails only by panicking: by the host's code, or by one of the
//! properties that are stated here. They are called from three places, so that one statement serves
//! all: cargo-fuzz, which searches (`tests/fuzz`); the replay of what it found worth keeping
//! (`tests/fuzz/corpus`); and arbitrary bytes in every run of the tests.

/// An enum whose values are read from bytes: one for the variant, then its fields in order.
///
/// It is what `derive(Arbitrary)` makes, without the features of `syn` that would have every other
/// crate of the workspace built again.
macro_rules! from_bytes {
    (enum $name:ident { $($variant:ident { $($field:ident: $type:ty),* $(,)? },)* }) => {
        #[derive(Debug)]
        enum $name {
            $($variant { $($field: $type),* },)*
        }

        impl<'a> Arbitrary<'a> for $name {
            fn arbitrary(from: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
                let variants = [$(stringify!($variant)),*];
                let name = variants[usize::from(from.arbitrary::<u8>()?) % variants.len()];
                $(if name == stringify!($variant) {
                    return Ok(Self::$variant { $($field: from.arbitrary()?),* });
                })*
                unreachable!("it is one of them")
            }
        }
    };
}

pub mod component;
pub mod lock;
pub mod manifest;
pub mod model_header;
pub mod npy;
pub mod operations;
mod reference;
pub mod shapes;
pub mod suite;
pub mod workflow;

use berth_sandbox::reading::Misread;

/// What is done with some bytes.
pub type Target = fn(&[u8]);

/// Every target, and the name of its corpus.
pub const TARGETS: [(&str, Target); 9] = [
    ("component", component::run),
    ("lock", lock::run),
    ("manifest", manifest::run),
    ("model_header", model_header::run),
    ("npy", npy::run),
    ("operations", operations::run),
    ("shapes", shapes::run),
    ("suite", suite::run),
    ("workflow", workflow::run),
];

/// What must hold of a mistake in a text, whatever it is.
fn tells_where(misread: &Misread, text: &str) {
    // What is shown of it is no longer, and obeyed by no terminal.
    assert!(misread.text.chars().count() <= text.chars().count() + 2, "{misread:?}");
    assert!(!misread.text.contains('\u{1b}'), "{misread:?}");
    assert!(misread.text.get(misread.span.clone()).is_some(), "{misread:?}");
    assert!((1..=text.lines().count() + 1).contains(&misread.line), "{misread:?}");
    assert!(!misread.to_string().is_empty());
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_fuzzing_found_worth_keeping_still_holds() {
        for (name, target) in TARGETS {
            let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(name);
            let mut count = 0;
            for entry in std::fs::read_dir(&corpus).unwrap() {
                let path = entry.unwrap().path();
                println!("{}", path.display());
                target(&std::fs::read(path).unwrap());
                count += 1;
            }
            assert!(count > 0, "{} is empty", corpus.display());
        }
    }

    fn seed(name: &str) -> Vec<u8> {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
        std::fs::read(corpus.join(name)).unwrap()
    }

    /// A target whose seeds are all refused at their first byte would hold whatever is read.
    #[test]
    fn good_files_of_the_corpus_are_read_to_their_end() {
        let text = |name: &str| String::from_utf8(seed(name)).unwrap();
        for name in ["suite/negative", "suite/full"] {
            let read = berth_trial::foreign::read_tests(name, text(name));
            assert_eq!(read.unwrap(), 2, "{name}");
        }
        let lock = berth_workflow::Lock::parse("berth.lock", text("lock/two")).unwrap();
        assert_eq!(lock.plugins.len(), 2);
        for name in ["npy/floats", "npy/scalar", "npy/none", "npy/bytes-version-2"] {
            npy::read(&seed(name)).unwrap();
        }
        for (name, renamed) in [("earlier", true), ("inside", true), ("today", false)] {
            let bytes = seed(&format!("component/{name}"));
            let named = berth_sandbox::under_todays_names(&bytes).unwrap();
            assert_eq!(matches!(named, std::borrow::Cow::Owned(_)), renamed, "{name}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(80 * TARGETS.len() as u32))]

        #[test]
        fn no_bytes_break_a_target(
            which in 0..TARGETS.len(),
            bytes in prop::collection::vec(any::<u8>(), 0..600),
        ) {
            TARGETS[which].1(&bytes);
        }

        #[test]
        fn no_damage_to_a_good_file_breaks_a_target(
            which in 0..TARGETS.len(),
            choice in any::<prop::sample::Index>(),
            damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        ) {
            let (name, target) = TARGETS[which];
            let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(name);
            let mut files: Vec<_> =
                std::fs::read_dir(corpus).unwrap().map(|entry| entry.unwrap().path()).collect();
            files.sort();
            let mut bytes = std::fs::read(choice.get(&files)).unwrap();
            let damage = if bytes.is_empty() { &[][..] } else { &damage };
            for (at, byte) in damage {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            target(&bytes);
        }
    }
}
