//! Components that no SDK makes: a core module as text, wrapped in the contract.
//!
//! [`Module`] is a component that does nothing and does it right. A case puts its own text in the
//! place of one part.

use std::path::Path;

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// The parts of a core module. Bodies of functions find their parameters under the names that
/// [`Module::component`] gives them.
pub struct Module {
    /// Imports from the host.
    pub imports: &'static str,
    /// Pages of the memory that is shared with the host.
    pub pages: u32,
    /// More memories, tables and data.
    pub more: &'static str,
    /// What makes room for what the host passes.
    pub realloc: &'static str,
    /// What describes the nodes.
    pub describe: &'static str,
    /// What runs one.
    pub run: &'static str,
    /// What says which lazy inputs it needs.
    pub needs: &'static str,
}

/// Where zeros are, which are an empty list, and also the success that has one.
pub const NOTHING: &str = "(i32.const 16)";

impl Default for Module {
    fn default() -> Self {
        Self {
            imports: "",
            pages: 2,
            more: "",
            realloc: "
                (local $room i32)
                (local.set $room (i32.and
                    (i32.add (global.get $top) (i32.sub (local.get $align) (i32.const 1)))
                    (i32.sub (i32.const 0) (local.get $align))))
                (global.set $top (i32.add (local.get $room) (local.get $size)))
                (local.get $room)",
            describe: NOTHING,
            run: NOTHING,
            needs: NOTHING,
        }
    }
}

impl Module {
    /// The component.
    pub fn component(&self) -> Vec<u8> {
        let Self { imports, pages, more, realloc, describe, run, needs } = self;
        let checks = "(param $node i32) (param $letters i32) (param $inputs i32) (param $count i32)
            (result i32)";
        let text = format!(
            r#"(module
                {imports}
                (memory (export "memory") {pages})
                (global $top (mut i32) (i32.const 4096))
                {more}
                (func (export "cabi_realloc") (param $old i32) (param $old_size i32)
                    (param $align i32) (param $size i32) (result i32) {realloc})
                (func (export "berth:node/nodes@0.2.0#describe") (result i32) {describe})
                (func (export "berth:node/nodes@0.2.0#run") {checks} {run})
                (func (export "berth:node/nodes@0.2.0#needs") {checks} {needs})
                (func (export "berth:node/nodes@0.2.0#fingerprint") {checks} {NOTHING})
                (func (export "berth:node/nodes@0.2.0#validate") {checks} {NOTHING})
                (func (export "berth:node/nodes@0.2.0#call")
                    (param i32 i32 i32 i32 i32 i32) (result i32) {NOTHING}))"#
        );
        let mut module = wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}"));
        let mut contract = Resolve::default();
        let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit");
        let (package, _) = contract.push_dir(wit).unwrap();
        let world = contract.select_world(&[package], Some("node")).unwrap();
        embed_component_metadata(&mut module, &contract, world, StringEncoding::UTF8).unwrap();
        ComponentEncoder::default().module(&module).unwrap().encode().unwrap()
    }
}

#[test]
fn a_component_of_text_with_nothing_replaced_is_harmless() {
    use berth_sandbox::Value;
    use berth_tests::host::{Host, Options};

    let mut host = Host::empty(Options::default());
    let plugin = host.load("hostile", &Module::default().component()).unwrap();
    let inputs = || vec![("x".to_owned(), Value::Integer(7))];
    assert!(plugin.run("Attack", inputs(), host.context()).unwrap().is_empty());
    assert!(plugin.needs("Attack", inputs(), host.context()).unwrap().is_empty());
}
