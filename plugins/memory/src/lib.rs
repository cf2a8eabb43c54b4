//! Stock nodes that show where memory is and move it by hand.
//!
//! The host moves memory by itself, so no workflow needs these nodes; they are for who knows
//! better when a model is not needed any more, and for workflows that were made with such nodes
//! elsewhere. All of them take an optional `trigger` and give it back as `passthrough`: that is
//! how a workflow says when they run. They work by the right `memory`, and change no result.

mod allocate;
mod cleanup;
mod offload;
mod order;
mod recall;
mod report;

berth_sdk::plugin! {
    nodes: [
        offload::offload_model,
        offload::offload_clip,
        offload::offload_vae,
        recall::load_from_dram,
        recall::clear_dram_cache,
        report::memory_stats,
        cleanup::memory_cleanup,
        allocate::allocate_vram,
    ],
}

#[cfg(test)]
mod tests {
    use berth_sdk::bindings::exports::berth::node::nodes::Guest as _;
    use berth_sdk::plugin::{Checks, NodeEntry, Plugin as _};

    use super::Component;

    #[test]
    fn every_node_is_known_by_its_name_in_workflows() {
        let names = [
            "OffloadModel",
            "OffloadCLIP",
            "OffloadVAE",
            "LoadFromDRAM",
            "ClearDRAMCache",
            "MemoryStats",
            "MemoryCleanup",
            "AllocateVRAM",
        ];
        assert_eq!(Component::NODES.iter().map(NodeEntry::name).collect::<Vec<_>>(), names);
    }

    #[test]
    fn every_node_can_be_ordered_by_a_trigger_that_it_passes_on() {
        for node in Component::describe() {
            let trigger = node.inputs.last().unwrap();
            assert!(trigger.name == "trigger" && trigger.optional, "{}", node.name);
            let passthrough = node.outputs.last().unwrap();
            assert_eq!(passthrough.name, "passthrough", "{}", node.name);
            assert_eq!(passthrough.passes.as_deref(), Some("trigger"), "{}", node.name);
        }
    }

    #[test]
    fn every_node_runs_each_time() {
        for node in Component::describe() {
            assert!(node.checks == Checks::FINGERPRINT, "{}", node.name);
            assert!(
                Component::fingerprint(node.name.clone(), Vec::new()).is_err(),
                "{}",
                node.name
            );
        }
    }

    #[test]
    fn every_node_says_what_it_is_for() {
        for node in Component::describe() {
            assert!(!node.description.is_empty() && !node.search_aliases.is_empty());
            let inputs = node.inputs.iter().map(|input| (&input.name, &input.tooltip));
            let outputs = node.outputs.iter().map(|output| (&output.name, &output.tooltip));
            for (name, tooltip) in inputs.chain(outputs) {
                assert!(!tooltip.is_empty(), "{}: {name}", node.name);
            }
        }
    }
}
