//! Everything stays until use passes a high watermark, then goes down to a low one.
//!
//! The two marks lie far apart so that leaving is rare and comes in large parts:
//! a device that stays at its limit would pay at every single operation. Which
//! allocations go is decided elsewhere, and matters here more than how many: clean
//! ones before dirty ones, and the *most* recently used first, because a sampler
//! walks the same weights in the same order at every step. Least recently used
//! would take just what is needed next, and so move all of them at every step;
//! this way those that were used first stay from step to step.

use super::{OffloadMode, OffloadModeName, Pressure};

/// Above this many percent of the device limit, something leaves.
const HIGH: u64 = 75;
/// Down to this many percent. Not zero, so that a part stays from step to step.
const LOW: u64 = 20;

/// Acts above 75% of the device limit, down to 20%.
#[derive(Debug, Clone, Copy, Default)]
pub struct Balanced;

fn percent(limit: u64, percent: u64) -> u64 {
    // In this order nothing overflows.
    (limit / 100).saturating_mul(percent).saturating_add(limit % 100 * percent / 100)
}

impl OffloadMode for Balanced {
    fn name(&self) -> OffloadModeName {
        OffloadModeName::Balanced
    }

    fn leaves_before(&self, device: &Pressure) -> Option<u64> {
        let coming = device.used.saturating_add(device.needed);
        if coming > percent(device.limit, HIGH) {
            Some(device.used.saturating_sub(percent(device.limit, LOW)))
        } else {
            Some(0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves(used: u64, needed: u64, limit: u64) -> u64 {
        Balanced.leaves_before(&Pressure { used, needed, limit }).unwrap()
    }

    #[test]
    fn nothing_leaves_up_to_the_high_watermark() {
        assert_eq!(leaves(700, 50, 1000), 0);
    }

    #[test]
    fn above_the_high_watermark_it_goes_down_to_the_low_one() {
        assert_eq!(leaves(700, 51, 1000), 500);
        assert_eq!(leaves(100, 800, 1000), 0, "it is below already");
    }

    #[test]
    fn no_size_overflows() {
        assert_eq!(leaves(u64::MAX, u64::MAX, u64::MAX), u64::MAX - percent(u64::MAX, LOW));
        assert_eq!(leaves(0, 0, 0), 0);
    }
}
