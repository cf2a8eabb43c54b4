//! What a run has of the world: its rights, as a WASI context.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use wasmtime_wasi::{Deterministic, FsPerms, WasiCtx, WasiCtxBuilder};

use super::clocks::Slept;
use super::network::Network;
use super::{Tail, Wasi};
use crate::error::{Failure, GuestError, SandboxError};
use crate::plugin::Plugin;
use crate::rights::{Folder, Right};

/// Most random bytes that one call gives.
const MOST_RANDOM: u64 = 16 << 20;

impl Wasi {
    /// What a plugin's run may use.
    ///
    /// # Errors
    /// When a folder that it was granted is gone.
    pub(crate) fn new(plugin: &Arc<Plugin>, output: &Tail) -> Result<Self, SandboxError> {
        let rehearsal = plugin.sandbox().compute().is_rehearsal();
        let mut builder = WasiCtx::builder();
        builder.stdout(output.clone()).stderr(output.clone()).max_random_size(MOST_RANDOM);
        let (mut clock, mut random, mut endpoints) = (false, false, Vec::new());
        for (right, verdict) in plugin.rights().settled() {
            match (right, verdict) {
                (_, Err(_)) => {}
                (Right::Clock, Ok(())) => clock = true,
                (Right::Randomness, Ok(())) => random = true,
                (Right::Environment(name), Ok(())) => {
                    if let Ok(value) = std::env::var(&name) {
                        builder.env(name, value);
                    }
                }
                (Right::Network(endpoint), Ok(())) if !rehearsal => endpoints.push(endpoint),
                _ => {}
            }
        }
        if !random {
            // Whoever asks for randomness without the right to it gets the same bytes
            // each time: hash maps work, and results stay reproducible.
            let unchanging = || Deterministic::new((0..64).collect());
            builder.secure_random(unchanging()).insecure_random(unchanging());
            builder.insecure_random_seed(0);
        }
        let slept = (!clock).then(|| Slept::new(!endpoints.is_empty()));
        if let Some(slept) = &slept {
            builder.wall_clock(slept.clone()).monotonic_clock(slept.clone());
        }
        open_folders(&mut builder, plugin, rehearsal)?;
        let network = Arc::new(Network::new(plugin.clone(), endpoints));
        // A socket by itself does nothing, and what it is to connect to is noted.
        builder.allow_tcp(true).allow_udp(false).allow_ip_name_lookup(network.is_there());
        let asked = network.clone();
        builder.socket_addr_check(move |address, usage| {
            let allowed = asked.allows(address, usage);
            Box::pin(async move { allowed })
        });
        Ok(Self {
            context: builder.build(),
            slept,
            network,
            lookups: HashMap::new(),
            writes_file: HashSet::new(),
            open: 0,
        })
    }
}

/// The granted folders, each under its label. A rehearsal only reads.
fn open_folders(
    builder: &mut WasiCtxBuilder,
    plugin: &Plugin,
    rehearsal: bool,
) -> Result<(), SandboxError> {
    for (label, path, access) in plugin.rights().folders() {
        let perms = match access {
            Folder::Write if !rehearsal => FsPerms::ReadWrite,
            Folder::Write | Folder::Read => FsPerms::ReadOnly,
        };
        builder.preopened_dir(path, format!("/{label}"), perms).map_err(|error| {
            SandboxError::Guest {
                plugin: plugin.name().to_owned(),
                error: GuestError::Failed(Box::new(Failure {
                    code: "folder".into(),
                    message: format!(
                        "the folder {} that plugin `{}` is granted as `{label}` cannot be \
                         opened: {}",
                        path.display(),
                        plugin.name(),
                        error.root_cause()
                    ),
                    hint: "make the folder, or grant another".into(),
                })),
            }
        })?;
    }
    Ok(())
}
