//! Time, randomness, the environment, output and the end.

use std::io::Write;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use berth_sdk::prelude::*;

use crate::told;

/// Reads both clocks, a microsecond or more apart: seconds of the one, and whether the other moves.
#[node(category = "explorer")]
pub fn look_at_clocks() -> Result<String> {
    let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_millis(5) {}
    Ok(format!("{}", wall.as_secs()))
}

/// Sleeps, and says how many milliseconds that took as far as it can tell.
#[node(category = "explorer")]
pub fn nap(#[input(default = 1, min = 0)] milliseconds: usize) -> Result<i64> {
    let begin = Instant::now();
    std::thread::sleep(Duration::from_millis(milliseconds as u64));
    Ok(begin.elapsed().as_millis() as i64)
}

/// Gets random bytes.
#[node(category = "explorer")]
pub fn roll() -> Result<String> {
    let (low, high) = wasip2::random::insecure_seed::insecure_seed();
    let bytes = wasip2::random::random::get_random_bytes(16);
    let fast = wasip2::random::insecure::get_insecure_random_u64();
    Ok(format!("{bytes:?} {fast} {low} {high}"))
}

/// The value of a variable, or the names of all.
#[node(category = "explorer")]
pub fn variable(#[input(default = "")] name: String) -> Result<String> {
    if name.is_empty() {
        let mut names: Vec<_> = std::env::vars().map(|(name, _)| name).collect();
        names.sort();
        return Ok(names.join(" "));
    }
    told(std::env::var(name).map_err(std::io::Error::other))
}

/// Prints without end, and then ends itself.
#[node(category = "explorer", output_node)]
pub fn flood(#[input(default = 1, min = 0)] mebibytes: usize) -> Result<()> {
    let line = [b'x'; 1 << 12];
    for _ in 0..mebibytes << 8 {
        std::io::stdout().write_all(&line).unwrap();
    }
    panic!("the last words");
}

/// Ends itself.
#[node(category = "explorer", output_node)]
pub fn leave(#[input(default = 0, min = 0)] status: usize) -> Result<()> {
    std::process::exit(status as i32);
}
