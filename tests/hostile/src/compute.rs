//! Time, memory and the stack.

use berth_sdk::prelude::*;

/// Never returns.
#[node(category = "hostile", output_node)]
pub fn spin() -> Result<()> {
    loop {
        std::hint::black_box(());
    }
}
