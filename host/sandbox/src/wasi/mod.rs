//! WASI 0.2, as far as languages' runtimes ask for it: linked for every plugin, and inert.
//!
//! A component may import all of `wasi:cli`, `io`, `clocks`, `random`, `filesystem` and `sockets`
//! that wasmtime-wasi knows; Python asks for sockets and Go for clocks before any of the plugin's
//! own code runs. What works behind an import is a matter of rights, settled when a run begins:
//!
//! - Nothing: no argument, an empty standard input; outputs go nowhere but their [`tail`].
//! - Without `clock`, time is what the run sleeps ([`clocks`]); without `randomness`, random bytes
//!   are the same each time; without `environment:NAME`, there is no such variable.
//! - Without `read:LABEL` or `write:LABEL`, there is no folder ([`files`]).
//! - Without `network:HOST:PORT`, no packet leaves ([`network`]).
//!
//! wasmtime-wasi does the work. What is put over it here is what it does not promise: that every
//! call which waits ends within a few [`TICK`]s of the run's end ([`wait`]), that what a run has
//! open at a time is bounded, and that names are looked up only where they may be.
//!
//! [`TICK`]: crate::engine::TICK

mod clocks;
mod context;
mod exit;
mod files;
mod io;
mod network;
mod tail;
mod wait;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use wasmtime::component::{HasSelf, Linker};
use wasmtime_wasi::filesystem::Descriptor;
use wasmtime_wasi::p2::bindings::filesystem::types::DirectoryEntryStream;
use wasmtime_wasi::p2::bindings::{cli, clocks as clock_bindings, sockets, sync};
use wasmtime_wasi::p2::{self, DynInputStream, DynOutputStream, TcpSocket};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_io::bindings::wasi::io::error;

use self::clocks::Slept;
use self::network::Network;
use crate::state::State;

pub(crate) use self::tail::Tail;

/// Files, folders, listings, sockets and streams that a run has open at a time.
const MOST_OPEN: usize = 256;

/// Folders' listings among them: each holds its names.
const MOST_LISTINGS: usize = 16;

/// A run's side of WASI.
pub(crate) struct Wasi {
    context: WasiCtx,
    /// The time of those who have no right to the real one.
    slept: Option<Slept>,
    network: Arc<Network>,
    /// The names that are being looked up, by the resource that gives the addresses.
    lookups: HashMap<u32, String>,
    /// The output streams that write to files.
    writes_file: HashSet<u32>,
    /// How much is open, at the most.
    open: usize,
}

/// The interfaces that are linked.
const OFFERED: [(&str, &[&str]); 6] = [
    (
        "wasi:cli",
        &[
            "environment",
            "exit",
            "stderr",
            "stdin",
            "stdout",
            "terminal-input",
            "terminal-output",
            "terminal-stderr",
            "terminal-stdin",
            "terminal-stdout",
        ],
    ),
    ("wasi:clocks", &["monotonic-clock", "wall-clock"]),
    ("wasi:filesystem", &["preopens", "types"]),
    ("wasi:io", &["error", "poll", "streams"]),
    ("wasi:random", &["insecure", "insecure-seed", "random"]),
    (
        "wasi:sockets",
        &[
            "instance-network",
            "ip-name-lookup",
            "network",
            "tcp",
            "tcp-create-socket",
            "udp",
            "udp-create-socket",
        ],
    ),
];

/// Whether an import is linked for every plugin.
pub(crate) fn offers(package: &str, interface: &str, version: &str) -> bool {
    version.starts_with("0.2.")
        && OFFERED.iter().any(|(known, names)| *known == package && names.contains(&interface))
}

/// Links everything of wasmtime-wasi, and over it what differs here.
pub(crate) fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    type Own = HasSelf<State>;
    p2::add_to_linker_sync(linker)?;
    linker.allow_shadowing(true);
    cli::exit::add_to_linker::<State, Own>(linker, |state| state)?;
    clock_bindings::monotonic_clock::add_to_linker::<State, Own>(linker, |state| state)?;
    error::add_to_linker::<State, Own>(linker, |state| state)?;
    sync::io::poll::add_to_linker::<State, Own>(linker, |state| state)?;
    sync::io::streams::add_to_linker::<State, Own>(linker, |state| state)?;
    sync::filesystem::types::add_to_linker::<State, Own>(linker, |state| state)?;
    sockets::ip_name_lookup::add_to_linker::<State, Own>(linker, |state| state)?;
    sockets::tcp_create_socket::add_to_linker::<State, Own>(linker, |state| state)?;
    linker.allow_shadowing(false);
    Ok(())
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi.context, table: &mut self.table }
    }
}

impl State {
    /// Whether one more thing may be opened. What was closed since is only counted again when
    /// there seems to be no room.
    fn may_open(&mut self) -> bool {
        if self.wasi.open >= MOST_OPEN {
            self.wasi.open = self
                .table
                .iter_mut()
                .filter(|entry| {
                    entry.is::<Descriptor>()
                        || entry.is::<DirectoryEntryStream>()
                        || entry.is::<TcpSocket>()
                        || entry.is::<DynInputStream>()
                        || entry.is::<DynOutputStream>()
                })
                .count();
        }
        let may = self.wasi.open < MOST_OPEN;
        self.wasi.open = self.wasi.open.saturating_add(usize::from(may));
        may
    }

    /// Whether one more folder may be listed.
    fn may_list(&mut self) -> bool {
        let listings = self.table.iter_mut().filter(|entry| entry.is::<DirectoryEntryStream>());
        listings.count() < MOST_LISTINGS && self.may_open()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_languages_import_is_offered_and_nothing_else() {
        assert!(offers("wasi:cli", "stderr", "0.2.6"));
        assert!(offers("wasi:sockets", "ip-name-lookup", "0.2.0"));
        for (package, interface, version) in [
            ("wasi:http", "outgoing-handler", "0.2.6"),
            ("wasi:cli", "stderr", "0.3.0"),
            ("wasi:cli", "stderr", ""),
            ("wasi:clocks", "timezone", "0.2.6"),
            ("evil:cli", "stderr", "0.2.6"),
        ] {
            assert!(!offers(package, interface, version), "{package}/{interface}@{version}");
        }
    }

    #[test]
    fn what_is_offered_is_linked() {
        let engine = wasmtime::Engine::default();
        let mut linker = Linker::new(&engine);
        add_to_linker(&mut linker).unwrap();
        linker.allow_shadowing(false);
        // A name that is taken cannot be taken again.
        assert!(p2::add_to_linker_sync(&mut linker).is_err());
    }
}
