//! Time, memory and the stack.

use std::hint::black_box;

use berth_sdk::prelude::*;

/// Never returns.
#[node(category = "hostile", output_node)]
pub fn spin() -> Result<()> {
    loop {
        black_box(());
    }
}

/// Calls itself without end.
#[node(category = "hostile", output_node)]
pub fn descend() -> Result<()> {
    fn deeper(depth: u64) -> u64 {
        black_box(deeper as fn(u64) -> u64)(black_box(depth) + 1) + 1
    }
    black_box(deeper(0));
    Ok(())
}

/// Panics.
#[node(category = "hostile", output_node)]
pub fn panic(#[input(default = "on purpose")] message: String) -> Result<()> {
    panic!("{message}");
}

/// Fills its own memory.
#[node(category = "hostile", output_node)]
pub fn grow(#[input(min = 0)] mebibytes: usize) -> Result<()> {
    black_box(vec![1u8; mebibytes << 20]);
    Ok(())
}

/// Asks for one operation that takes the host longer than anybody waits.
#[node(category = "hostile")]
pub fn multiply(#[input(min = 1)] side: usize) -> Result<Tensor> {
    let operand = Tensor::full(DType::F64, &[side, side], 0.5)?;
    operand.matmul(&operand)
}
