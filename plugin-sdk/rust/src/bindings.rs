//! What `wit-bindgen` makes of `wit/`. Public only because the code that
//! `plugin!` expands to names it from the plugin's crate.

wit_bindgen::generate!({
    path: "../../wit",
    world: "berth:node/node",
    pub_export_macro: true,
    default_bindings_module: "berth_sdk::bindings",
});
