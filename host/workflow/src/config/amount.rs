//! Amounts of memory as people write them, on a command line and in a file alike.

use std::fmt;
use std::str::FromStr;

use berth_memory::Amount;
use bytesize::ByteSize;
use thiserror::Error;

/// A number of bytes: `512MiB`, `2GB`, `1.5GiB`, `4096` or `0`. It shows itself in binary units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

/// Where the balanced mode begins or ends to evict: a part of the device (`0.75`, `75%`)
/// or a size (`6GiB`). A bare number up to 1 is a part.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Watermark(pub Amount);

/// A text that is no amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NotAnAmount {
    /// Of bytes.
    #[error("a size is a number and a unit, such as 512MiB, 2GB or 1.5GiB")]
    Size,
    /// Of bytes, where nothing makes no sense.
    #[error("a size is more than nothing: a number and a unit, such as 512MiB, 2GB or 1.5GiB")]
    Nothing,
    /// Of the device.
    #[error("a watermark is a part of the device, such as 0.75 or 75%, or a size, such as 6GiB")]
    Watermark,
}

impl Size {
    /// A size of at least one byte.
    ///
    /// # Errors
    /// [`NotAnAmount`] for what is no size, and for 0.
    pub fn positive(text: &str) -> Result<Self, NotAnAmount> {
        match text.parse()? {
            Self(0) => Err(NotAnAmount::Nothing),
            size => Ok(size),
        }
    }
}

impl FromStr for Size {
    type Err = NotAnAmount;

    fn from_str(text: &str) -> Result<Self, NotAnAmount> {
        let ByteSize(bytes) = text.trim().parse().map_err(|_| NotAnAmount::Size)?;
        // A part of a byte is a mistake, not nothing.
        let says_zero = !text.contains(|digit| matches!(digit, '1'..='9'));
        if bytes > 0 || says_zero { Ok(Self(bytes)) } else { Err(NotAnAmount::Size) }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&ByteSize(self.0).display().iec().to_string())
    }
}

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
    type Err = NotAnAmount;

    fn from_str(text: &str) -> Result<Self, NotAnAmount> {
        let text = text.trim();
        let part = |number: &str| -> Option<f64> {
            number.trim().parse().ok().filter(|number| *number >= 0.0)
        };
        if let Some(percent) = text.strip_suffix('%') {
            let percent = part(percent).filter(|percent| *percent <= 100.0);
            return Ok(Self(Amount::Fraction(percent.ok_or(NotAnAmount::Watermark)? / 100.0)));
        }
        if let Some(part) = part(text).filter(|part| *part <= 1.0) {
            return Ok(Self(Amount::Fraction(part)));
        }
        let Size(bytes) = text.parse().map_err(|_| NotAnAmount::Watermark)?;
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
    fn sizes_are_written_as_people_write_them() {
        let sizes = [
            ("512MiB", 512 << 20),
            ("512 mib", 512 << 20),
            ("2GB", 2_000_000_000),
            ("1.5g", 1_500_000_000),
            ("1.5GiB", 3 << 29),
            ("123456", 123_456),
            ("16EiB", u64::MAX),
            ("0", 0),
            ("0 GiB", 0),
        ];
        for (text, bytes) in sizes {
            assert_eq!(text.parse(), Ok(Size(bytes)), "{text}");
        }
        for text in ["", "-1", "much", "1.2.3g", "5 apples", "1e9", "NaN", "0.1", "GiB"] {
            assert_eq!(text.parse::<Size>(), Err(NotAnAmount::Size), "{text}");
        }
        assert_eq!(Size::positive("0MB"), Err(NotAnAmount::Nothing));
        assert_eq!(Size(3 << 29).to_string(), "1.5 GiB");
    }

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
            assert_eq!(text.parse::<Watermark>(), Err(NotAnAmount::Watermark), "{text}");
        }
        assert_eq!(Watermark(Amount::Fraction(0.75)).on(1000), 750);
        assert_eq!(Watermark(Amount::Bytes(10)).on(1000), 10);
    }
}
