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

pub mod manifest;
pub mod model_header;
pub mod operations;
mod reference;
pub mod shapes;
pub mod workflow;

/// What is done with some bytes.
pub type Target = fn(&[u8]);

/// Every target, and the name of its corpus.
pub const TARGETS: [(&str, Target); 5] = [
    ("manifest", manifest::run),
    ("model_header", model_header::run),
    ("operations", operations::run),
    ("shapes", shapes::run),
    ("workflow", workflow::run),
];

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

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

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
