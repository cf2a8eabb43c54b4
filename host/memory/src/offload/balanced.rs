//! Everything stays until use passes a high watermark, then goes down to a low one.
//!
//! The two marks lie far apart so that leaving is rare and comes in large parts:
//! a device that stays at its limit would pay at every single operation. Which
//! allocations go is decided elsewhere, and matters here more than how many: clean
//! ones before dirty ones, and the *most* recently used first, because a sampler
//! walks the same weights in the same order at every step. Least recently used
//! would take just what is needed next, and so move all of them at every step;
//! this way those that were used first stay from step to step.

use super::{Amount, OffloadMode, OffloadModeName, Pressure, Watermarks};

/// Down to this part of the device. Not zero, so that a part stays from step to step.
const LOW: Amount = Amount::Fraction(0.2);

/// On devices of at most 12 GiB nothing stays: there, the room that others need is worth more.
const SMALL: u64 = 12 << 30;

/// Acts above the high watermark, down to the low one.
#[derive(Debug, Clone, Copy, Default)]
pub struct Balanced {
    watermarks: Watermarks,
}

impl Balanced {
    /// Between these watermarks.
    #[must_use]
    pub fn new(watermarks: Watermarks) -> Self {
        Self { watermarks }
    }
}

impl OffloadMode for Balanced {
    fn name(&self) -> OffloadModeName {
        OffloadModeName::Balanced
    }

    fn leaves_before(&self, device: &Pressure) -> Option<u64> {
        let Watermarks { high, low } = self.watermarks;
        let coming = device.used.saturating_add(device.needed);
        if coming <= high.of(device.limit) {
            return Some(0);
        }
        let low = match low {
            Some(low) => low.of(device.limit),
            None if device.limit <= SMALL => 0,
            None => LOW.of(device.limit),
        };
        Some(device.used.saturating_sub(low))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves(low: Option<Amount>, used: u64, needed: u64, limit: u64) -> u64 {
        let watermarks = Watermarks { low, ..Watermarks::default() };
        Balanced::new(watermarks).leaves_before(&Pressure { used, needed, limit }).unwrap()
    }

    #[test]
    fn nothing_leaves_up_to_the_high_watermark() {
        assert_eq!(leaves(None, 700, 50, 1000), 0);
    }

    #[test]
    fn above_the_high_watermark_it_goes_down_to_the_low_one() {
        let low = Some(Amount::Fraction(0.2));
        assert_eq!(leaves(low, 700, 51, 1000), 500);
        assert_eq!(leaves(low, 100, 800, 1000), 0, "it is below already");
        assert_eq!(leaves(Some(Amount::Bytes(300)), 700, 51, 1000), 400);
    }

    #[test]
    fn on_small_devices_nothing_stays_unless_somebody_says_so() {
        let gib = |gib: u64| gib << 30;
        assert_eq!(leaves(None, gib(9), gib(1), gib(12)), gib(9));
        assert_eq!(leaves(None, gib(16), 0, gib(20)), gib(12));
        assert_eq!(leaves(Some(Amount::Fraction(0.5)), gib(9), gib(1), gib(12)), gib(3));
    }

    #[test]
    fn a_watermark_in_bytes_is_no_more_than_the_device() {
        let watermarks = Watermarks { high: Amount::Bytes(u64::MAX), low: None };
        let pressure = Pressure { used: 1000, needed: 0, limit: 1000 };
        assert_eq!(Balanced::new(watermarks).leaves_before(&pressure), Some(0));
        assert_eq!(leaves(None, u64::MAX, u64::MAX, 0), u64::MAX);
    }
}
