//! Temporary: core.wasm component.wasm
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let world = if args.get(3).is_some() { berth_authoring::componentize::World::MemoryNode } else { berth_authoring::componentize::World::Node };
    let bytes = berth_authoring::componentize::componentize(std::fs::read(&args[1]).unwrap(), world).unwrap();
    std::fs::write(&args[2], bytes).unwrap();
}
