//! End to end: one binary, since linking is what tests cost.

mod alone;
mod bindings;
mod contract;
mod guests;
mod hostile;
mod languages;
mod loading;
mod memory_nodes;
mod memory_workflows;
mod oracle;
mod plan;
mod pressure;
mod quality;
mod refresh;
mod release;
mod residency;
mod sharing;
mod soak;
mod wasi;
