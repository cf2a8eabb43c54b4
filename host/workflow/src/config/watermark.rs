//! Marks on the device as people write them, on a command line and in a file alike.

use std::fmt;
use std::str::FromStr;

use berth_memory::Amount;
use berth_sandbox::reading::Size;
use thiserror::Error;

/// Where the balanced mode begins or ends to evict: a part of the device (`0.75`, `75%`)
/// or a size (`6GiB`). A bare number up to 1 is a part.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Watermark(pub Amount);

/// A text that is no mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a watermark is a part of the device, such as 0.75 or 75%, or a size, such as 6GiB")]
pub struct NotAWatermark;

impl Watermark {
    /// The bytes that it means on a device of `limit` bytes.
    #[must_use]
    pub fn on(self, limit: u64) -> u64 {
        match self.0 {
            Amount::Fraction(part) => (limit as f64 * part) as u64,
            Amount::Bytes(bytes) => bytes,
        }
    }
}

impl FromStr for Watermark {
    type Err = NotAWatermark;

    fn from_str(text: &str) -> Result<Self, NotAWatermark> {
        let text = text.trim();
        let part = |number: &str| -> Option<f64> {
            number.trim().parse().ok().filter(|number| *number >= 0.0)
        };
        if let Some(percent) = text.strip_suffix('%') {
            let percent = part(percent).filter(|percent| *percent <= 100.0);
            return Ok(Self(Amount::Fraction(percent.ok_or(NotAWatermark)? / 100.0)));
        }
        if let Some(part) = part(text).filter(|part| *part <= 1.0) {
            return Ok(Self(Amount::Fraction(part)));
        }
        let Size(bytes) = text.parse().map_err(|_| NotAWatermark)?;
        Ok(Self(Amount::Bytes(bytes)))
    }
}

impl fmt::Display for Watermark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Amount::Fraction(part) => write!(f, "{}%", part * 100.0),
            Amount::Bytes(bytes) => Size(bytes).fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_watermark_is_a_fraction_a_percentage_or_a_size() {
        let marks = [
            ("0.75", Amount::Fraction(0.75)),
            ("75%", Amount::Fraction(0.75)),
            ("12.5 %", Amount::Fraction(0.125)),
            ("0", Amount::Fraction(0.0)),
            ("1", Amount::Fraction(1.0)),
            ("100%", Amount::Fraction(1.0)),
            ("6GiB", Amount::Bytes(6 << 30)),
            ("1000", Amount::Bytes(1000)),
        ];
        for (text, amount) in marks {
            assert_eq!(text.parse(), Ok(Watermark(amount)), "{text}");
        }
        for text in ["", "-0.1", "101%", "half", "1.5", "NaN", "inf", "-5%", "%"] {
            assert_eq!(text.parse::<Watermark>(), Err(NotAWatermark), "{text}");
        }
        assert_eq!(Watermark(Amount::Fraction(0.75)).on(1000), 750);
        assert_eq!(Watermark(Amount::Bytes(10)).on(1000), 10);
    }
}
