//! What a trap means, in words for people who write no WebAssembly.
//!
//! The engine's own words stay in parentheses, for those who do.

use wasmtime::Trap;

/// What the engine says when a call passes more than it may. Its type is private to it.
const PASSED_TOO_MUCH: &str = "too much data is being copied between the host and the guest";

/// What the engine says, by a part of it, and what that means.
const MEANINGS: &[(&str, &str)] = &[
    ("unknown handle index", "it used a handle that it does not hold"),
    ("is not a resource", "it used a handle that it does not hold"),
    ("used with the wrong type", "it used a handle as something that it is not"),
    ("while borrowed", "it gave away a handle that it was lending"),
    ("store handle limit exceeded", "it holds or lends too many handles"),
    ("resource table has no free keys", "it holds or lends too many handles"),
    ("utf", "it passed a text that is no Unicode"),
    ("realloc return", "it made no room for what the host gives"),
    ("out of bounds of memory", "it passed what lies outside of its memory"),
    ("pointer out of bounds", "it passed what lies outside of its memory"),
    ("pointer size overflow", "it passed what lies outside of its memory"),
    ("size overflow", "it passed what lies outside of its memory"),
    ("not aligned", "it passed what lies across its memory's words"),
    ("discriminant", "it passed a value that is of no kind"),
];

/// Whether a call passed more to the host than it may.
pub(crate) fn passed_too_much(error: &wasmtime::Error) -> bool {
    error.root_cause().to_string().starts_with(PASSED_TOO_MUCH)
}

/// Why a guest crashed.
pub(crate) fn reason(error: &wasmtime::Error) -> String {
    let trap = error.downcast_ref::<Trap>();
    let said = trap.map_or_else(|| format!("{:#}", error.root_cause()), Trap::to_string);
    let meant = match trap {
        Some(Trap::StackOverflow) => Some("its functions called each other without end"),
        Some(Trap::MemoryOutOfBounds) => Some("it reached outside of its memory"),
        Some(Trap::UnreachableCodeReached) => Some("it gave up"),
        Some(Trap::CannotLeaveComponent) => Some("it called the host while the host called it"),
        _ => MEANINGS.iter().find_map(|(part, meant)| said.contains(part).then_some(*meant)),
    };
    match meant {
        Some(meant) => format!("{meant} ({said})"),
        None => said,
    }
}
