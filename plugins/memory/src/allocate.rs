//! Memory that is taken on purpose.

use berth_sdk::prelude::*;

use crate::order::{each_time, passed};

/// Elements of a row: 1 KiB, so that every size has a shape.
const ROW: f64 = 1024.0;

/// Bytes of a GiB.
const GIB: f64 = (1 << 30) as f64;

/// More than any device has, so that the number of rows is exact.
const MOST_GIB: f64 = 1024.0;

/// Takes memory on the device, to see how a workflow does with less of it. It is held
/// for as long as something holds the tensor.
#[node(
    name = "AllocateVRAM",
    display_name = "Allocate VRAM",
    category = "memory",
    outputs(
        "tensor" = "The memory that was taken: bytes, all zero.",
        "passthrough" = "The trigger, untouched."
    ),
    passes("passthrough" = "trigger"),
    aliases("reserve vram", "occupy vram", "fill vram", "memory pressure"),
    fingerprint = each_time
)]
pub fn allocate_vram(
    /// How much, in GiB.
    #[input(default = 1.0, min = 0.0, max = MOST_GIB, step = 0.1)]
    size: f64,
    /// It runs after this was computed.
    trigger: Option<Any>,
) -> Result<(Tensor, Any)> {
    let tensor = Tensor::zeros(DType::U8, &[rows(size)?, ROW as usize])?;
    Ok((tensor, passed(trigger)?))
}

/// Rows of a tensor that takes at least `size` GiB.
fn rows(size: f64) -> Result<usize> {
    if !(0.0..=MOST_GIB).contains(&size) {
        return Err(Error::invalid(format!("`size` is {size} GiB, not between 0 and {MOST_GIB}")));
    }
    Ok((size * GIB / ROW).ceil() as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_rounded_up_to_whole_rows() {
        assert_eq!(rows(0.0), Ok(0));
        assert_eq!(rows(1.0), Ok(1 << 20));
        assert_eq!(rows(1e-9), Ok(1));
        assert_eq!(rows(MOST_GIB), Ok(1 << 30));
    }

    #[test]
    fn a_size_that_is_none_is_refused() {
        for size in [-1.0, f64::NAN, f64::INFINITY, MOST_GIB * 2.0] {
            assert!(rows(size).is_err(), "{size}");
        }
    }
}
