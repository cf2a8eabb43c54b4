//! Standard output: results, one line each.
//!
//! `println!` panics when the reader goes away, as `| head` does; these do not.

use std::io::{self, Write};

/// Writes a line.
pub(crate) fn line(text: impl std::fmt::Display) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{text}")
}
