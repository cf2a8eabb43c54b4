//! Cases 25 to 30: shapes, bytes and numbers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use berth_hostile::Hostile;
use berth_sandbox::{GuestError, Plugin, RunLimits, SandboxError, Value};
use berth_tests::host::text;

use super::{Arena, Case, Guest, NAME, Outcome};

/// The guest, loaded with the right to nothing.
fn load(arena: &Arena) -> Arc<Plugin> {
    arena.load(RunLimits::default()).unwrap()
}

/// What the guest gets to hear.
pub fn refusal(arena: &Arena, guest: &Arc<Plugin>, inputs: Vec<(&str, Value)>) -> SandboxError {
    let shown = format!("{inputs:?}");
    let Err(error) = arena.run_in(guest, inputs, arena.host.context()) else {
        panic!("{shown} is let pass")
    };
    assert_eq!(error.plugin(), Some(NAME), "{shown}: {error:?}");
    assert!(error.to_string().len() < 1000, "{shown}: {error}");
    error
}

/// The guest is told that an argument of its own is wrong.
pub fn invalid(arena: &Arena, guest: &Arc<Plugin>, inputs: Vec<(&str, Value)>) -> SandboxError {
    let error = refusal(arena, guest, inputs);
    let SandboxError::Guest { error: GuestError::InvalidArgument(_), .. } = &error else {
        panic!("{error:?}")
    };
    error
}

fn way(name: &str) -> Vec<(&'static str, Value)> {
    vec![("way", text(name))]
}

/// Shapes with more elements than a number can count.
pub struct Overflows;

impl Case for Overflows {
    const GUEST: Guest = Guest::Node(Hostile::Overflow);

    fn provoke(arena: &Arena) -> Outcome {
        let guest = load(arena);
        for name in ["from-bytes", "full", "upload", "normal", "uniform", "reshape", "broadcast"] {
            invalid(arena, &guest, way(name));
        }
        for name in ["resize", "pad", "transposed", "bytes", "wrapped", "behind-zero"] {
            invalid(arena, &guest, way(name));
        }
        Outcome::Refused(invalid(arena, &guest, way("full")))
    }
}

/// A million dimensions, and dimensions of nothing.
pub struct Ranks;

impl Case for Ranks {
    const GUEST: Guest = Guest::Node(Hostile::Ranks);

    fn provoke(arena: &Arena) -> Outcome {
        let guest = load(arena);
        for name in ["from-bytes", "full", "upload", "normal", "uniform", "reshape", "broadcast"] {
            invalid(arena, &guest, way(name));
        }
        for name in ["reduce", "pad", "axis", "flip", "concat", "permute"] {
            invalid(arena, &guest, way(name));
        }
        // No elements are a tensor like any other.
        arena.run_in(&guest, way("empty"), arena.host.context()).unwrap();
        Outcome::Refused(invalid(arena, &guest, way("full")))
    }
}

/// Data of another length than the shape's.
pub struct Lengths;

impl Case for Lengths {
    const GUEST: Guest = Guest::Node(Hostile::Lengths);

    fn provoke(arena: &Arena) -> Outcome {
        let guest = load(arena);
        for name in ["short", "long", "none", "half-a-block"] {
            invalid(arena, &guest, way(name));
        }
        for name in ["past-the-end", "from-afar", "behind", "after-the-end"] {
            invalid(arena, &guest, way(name));
        }
        Outcome::Refused(invalid(arena, &guest, way("finished-twice")))
    }
}

/// Reading where the tensor is not.
pub struct ReadsOutside;

impl Case for ReadsOutside {
    const GUEST: Guest = Guest::Node(Hostile::Outside);

    fn provoke(arena: &Arena) -> Outcome {
        let guest = load(arena);
        let range = |offset: u64, length: u32| {
            vec![
                ("offset", Value::Integer(offset.into())),
                ("length", Value::Integer(length.into())),
            ]
        };
        for (offset, length) in [(0, 100), (99, 1), (100, 0), (0, 0)] {
            arena.run_in(&guest, range(offset, length), arena.host.context()).unwrap();
        }
        for (offset, length) in [
            (0, 101),
            (100, 1),
            (101, 0),
            (1 << 32, 1),
            (0, u32::MAX),
            (u64::MAX, 0),
            (u64::MAX - 3, 4),
        ] {
            invalid(arena, &guest, range(offset, length));
        }
        Outcome::Refused(invalid(arena, &guest, range(u64::MAX, u32::MAX)))
    }
}

/// NaN and infinities, and indices of nothing.
pub struct Poison;

impl Case for Poison {
    const GUEST: Guest = Guest::Node(Hostile::Poison);

    fn provoke(arena: &Arena) -> Outcome {
        let guest = load(arena);
        let inputs = |name: &str, index: i64| {
            vec![("way", text(name)), ("index", Value::Integer(index.into()))]
        };
        for name in ["numbers", "arguments"] {
            arena.run_in(&guest, inputs(name, 0), arena.host.context()).unwrap();
        }
        let lies_outside = |name: &str, index: i64| {
            let error = invalid(arena, &guest, inputs(name, index));
            assert!(error.to_string().contains("does not lie in an axis"), "{name}: {error}");
            error
        };
        for name in ["gather", "gather-across", "select", "embedding"] {
            arena.run_in(&guest, inputs(name, 2), arena.host.context()).unwrap();
            for index in [4, -1, i64::MAX, i64::MIN, i64::from(u32::MAX), 1 << 32] {
                lies_outside(name, index);
            }
            for index in [4, i64::from(u32::MAX)] {
                lies_outside(&format!("{name}-u32"), index);
            }
        }
        lies_outside("select-nothing", 0);
        lies_outside("embedding-nothing", 0);
        Outcome::Refused(lies_outside("gather-nothing", 0))
    }
}

/// What others computed must not show in a tensor that is new.
pub struct Peeks;

impl Case for Peeks {
    const GUEST: Guest = Guest::Node(Hostile::Peek);

    fn provoke(arena: &Arena) -> Outcome {
        // Exact in `f32`, and nothing that the guest computes.
        let (secret, inverted) = (0.273_437_5f32, 0.726_562_5f32);
        let secrets = format!("{secret},{inverted}");
        let guest = load(arena);
        let over = AtomicBool::new(false);
        let leave_behind = || {
            for side in [8usize, 16, 32, 64] {
                let shape = [1, side, side, 3];
                let image = arena.host.tensor(&shape, &vec![secret; 3 * side * side]);
                // What another plugin computes, and drops.
                arena.host.run("ImageInvert", vec![("image", image)]);
            }
        };
        std::thread::scope(|threads| {
            threads.spawn(|| {
                while !over.load(Ordering::Acquire) {
                    leave_behind();
                }
            });
            for _ in 0..3 {
                leave_behind();
                let inputs = vec![("secrets", text(&secrets))];
                let looked = arena.run_in(&guest, inputs, arena.host.context());
                if looked.is_err() {
                    over.store(true, Ordering::Release);
                }
                looked.unwrap();
            }
            over.store(true, Ordering::Release);
        });
        Outcome::Coped
    }
}
