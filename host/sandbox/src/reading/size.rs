//! Sizes and times as people write them, on a command line and in a file alike.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use bytesize::ByteSize;
use schemars::JsonSchema;
use serde::Serialize;
use serde_with::SerializeDisplay;
use thiserror::Error;

/// A number of bytes: `512MiB`, `2GB`, `1.5GiB`, `4096` or `0`. It shows itself in binary units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Size(pub u64);

/// A length of time: `90s`, `5m`, `1h 30m`, `500ms`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, SerializeDisplay)]
pub struct Time(pub Duration);

/// A text that is no amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NotAnAmount {
    /// Of bytes.
    #[error("a size is a number and a unit, such as 512MiB, 2GB or 1.5GiB")]
    Size,
    /// Of bytes, where nothing makes no sense.
    #[error("a size is more than nothing: a number and a unit, such as 512MiB, 2GB or 1.5GiB")]
    Nothing,
    /// Of time.
    #[error("a time is a number and a unit, such as 90s, 5m or 1h 30m, and more than nothing")]
    Time,
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

impl FromStr for Time {
    type Err = NotAnAmount;

    fn from_str(text: &str) -> Result<Self, NotAnAmount> {
        let time = humantime::parse_duration(text.trim()).map_err(|_| NotAnAmount::Time)?;
        if time.is_zero() { Err(NotAnAmount::Time) } else { Ok(Self(time)) }
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&humantime::format_duration(self.0).to_string())
    }
}

impl JsonSchema for Size {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Size".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": ["string", "integer"],
            "description": "Bytes: a number and a unit, such as 512MiB, 2GB or 1.5GiB.",
        })
    }
}

impl JsonSchema for Time {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Time".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "A number and a unit, such as 90s, 5m or 1h 30m.",
        })
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
    fn times_are_written_as_people_write_them() {
        for (text, seconds) in [("90s", 90), ("5m", 300), ("1h 30m", 5400), ("2h", 7200)] {
            assert_eq!(text.parse(), Ok(Time(Duration::from_secs(seconds))), "{text}");
        }
        for text in ["", "5", "0s", "-5m", "soon", "1 parsec"] {
            assert_eq!(text.parse::<Time>(), Err(NotAnAmount::Time), "{text}");
        }
        assert_eq!(Time(Duration::from_secs(5400)).to_string(), "1h 30m");
    }
}
