//! A plugin that uses files, the network, time and the rest of the system as any program would, by
//! Rust's standard library, and says what came of it: `tests/all/wasi.rs` runs it with and
//! without rights. A text that begins with `!` is an error's kind.

mod files;
mod network;
mod raw;
mod system;

use berth_sdk::prelude::*;

use files::{change, list_folder, open_many, read_file, write_file};
use network::{connect_many, hear, listen, resolve, send_datagram, talk};
use raw::demand;
use system::{flood, leave, look_at_clocks, nap, roll, variable};

/// What came of something, as a text.
fn told<T: ToString>(result: std::io::Result<T>) -> Result<String> {
    Ok(result
        .map_or_else(|error| format!("!{:?}: {error}", error.kind()), |value| value.to_string()))
}

plugin! {
    nodes: [
        change,
        connect_many,
        demand,
        flood,
        hear,
        leave,
        list_folder,
        listen,
        look_at_clocks,
        nap,
        open_many,
        read_file,
        resolve,
        roll,
        send_datagram,
        talk,
        variable,
        write_file,
    ],
}
