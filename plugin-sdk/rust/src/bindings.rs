//! What `wit-bindgen` makes of `wit/`. Public only because the code that
//! `plugin!` expands to names it from the plugin's crate.
//!
//! The world is the widest there is. A component imports only what its code calls, so one that
//! never uses `memory` does not ask for it.

wit_bindgen::generate!({
    path: "../../wit",
    world: "berth:node/memory-node",
    pub_export_macro: true,
    default_bindings_module: "berth_sdk::bindings",
});
