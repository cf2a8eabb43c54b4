//! Calls that no library makes.

use berth_sdk::prelude::*;
use wasip2::clocks::monotonic_clock::subscribe_duration;
use wasip2::io::poll::poll;

/// Asks for too much of one thing.
#[node(category = "explorer")]
pub fn demand(what: String, #[input(default = "")] path: String) -> Result<String> {
    let out = wasip2::cli::stdout::get_stdout();
    Ok(match what.as_str() {
        "zeroes" => format!("{:?}", out.write_zeroes(u64::MAX)),
        "zeroes-blocking" => format!("{:?}", out.blocking_write_zeroes_and_flush(u64::MAX)),
        "write" => format!("{:?}", out.write(&vec![1; 32 << 20])),
        "read" => format!("{:?}", wasip2::cli::stdin::get_stdin().blocking_read(u64::MAX)),
        "random" => wasip2::random::random::get_random_bytes(u64::MAX).len().to_string(),
        "polls" => {
            let one = subscribe_duration(0);
            poll(&vec![&one; 1_000_000]).len().to_string()
        }
        "spin" => {
            let now = subscribe_duration(0);
            loop {
                poll(&[&now]);
            }
        }
        "timers" => {
            let mut timers = Vec::new();
            loop {
                timers.push(subscribe_duration(u64::MAX));
            }
        }
        "forever" => loop {
            subscribe_duration(u64::MAX).block();
        },
        "path" => format!("{:?}", std::fs::metadata(path + &"/.".repeat(1 << 20)).map(|_| ())),
        "listings" => {
            let folder = wasip2::filesystem::preopens::get_directories().remove(0).0;
            let open: Vec<_> = (0..1000).map_while(|_| folder.read_directory().ok()).collect();
            open.len().to_string()
        }
        _ => return Err(Error::invalid(format!("no demand {what}"))),
    })
}
