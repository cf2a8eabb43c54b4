//! Which models and which hosts are meant.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde_with::{DeserializeFromStr, SerializeDisplay};
use wildmatch::WildMatch;

/// Models by category and label, where `*` stands for any text and `?` for any character:
/// `checkpoints/*`, `vae/sd15*.safetensors`.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, DeserializeFromStr, SerializeDisplay,
)]
pub struct ModelPattern(String);

/// A host and its port: `api.example.com:443`, `127.0.0.1:8080`, `[::1]:8080`.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, DeserializeFromStr, SerializeDisplay,
)]
pub struct Endpoint {
    /// A name or an address.
    pub host: String,
    /// The TCP port.
    pub port: u16,
}

/// A text that names nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoPattern {
    /// Of models.
    #[error(
        "models are named by category and label, such as `checkpoints/*` or `vae/x.safetensors`"
    )]
    Models,
    /// Of a host.
    #[error("a host is a name or address with a port, such as `api.example.com:443`")]
    Endpoint,
    /// Of a folder.
    #[error("a folder's label has 1 to 64 letters, digits, - and _, a letter or digit first")]
    Label,
    /// Of a variable.
    #[error("a variable's name has 1 to 250 letters, digits and _")]
    Variable,
}

/// Longest pattern and host, in bytes.
const LONGEST: usize = 250;

impl ModelPattern {
    /// Exactly one model.
    pub(crate) fn exactly(category: &str, label: &str) -> Self {
        Self(format!("{category}/{label}"))
    }

    /// Category and label, or their patterns.
    pub(crate) fn parts(&self) -> (&str, &str) {
        self.0.split_once('/').unwrap_or((&self.0, ""))
    }

    /// Whether it can match a label of a category.
    #[must_use]
    pub fn is_for(&self, category: &str) -> bool {
        WildMatch::new(self.parts().0).matches(category)
    }

    /// Whether a model is meant.
    #[must_use]
    pub fn matches(&self, category: &str, label: &str) -> bool {
        WildMatch::new(&self.0).matches(&format!("{category}/{label}"))
    }
}

impl fmt::Display for ModelPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for ModelPattern {
    type Err = NoPattern;

    fn from_str(text: &str) -> Result<Self, NoPattern> {
        let parts = text.split_once('/');
        let fine = parts.is_some_and(|(category, label)| !category.is_empty() && !label.is_empty())
            && text.len() <= LONGEST
            && !text.chars().any(char::is_control)
            && !text.split('/').any(|part| matches!(part, "" | "." | ".."));
        if fine { Ok(Self(text.to_owned())) } else { Err(NoPattern::Models) }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

impl FromStr for Endpoint {
    type Err = NoPattern;

    fn from_str(text: &str) -> Result<Self, NoPattern> {
        let (host, port) = text.rsplit_once(':').ok_or(NoPattern::Endpoint)?;
        let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let fine = match bracketed {
            Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
            None => {
                !host.is_empty()
                    && host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'))
            }
        };
        let port = port.parse().ok().filter(|port| *port != 0).ok_or(NoPattern::Endpoint)?;
        if !fine || host.len() > LONGEST {
            return Err(NoPattern::Endpoint);
        }
        Ok(Self { host: bracketed.unwrap_or(host).to_ascii_lowercase(), port })
    }
}

macro_rules! schema_of_text {
    ($type:ty, $name:literal, $about:literal) => {
        impl JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "description": $about })
            }
        }
    };
}

schema_of_text!(ModelPattern, "Models", "Category and label; `*` stands for any text.");
schema_of_text!(Endpoint, "Endpoint", "A host's name or address, and its TCP port.");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_means_models_of_its_category() {
        let all: ModelPattern = "checkpoints/*".parse().unwrap();
        assert!(all.matches("checkpoints", "sd/x.safetensors"));
        assert!(!all.matches("vae", "x.safetensors"));
        let some: ModelPattern = "vae/sd1?.safetensors".parse().unwrap();
        assert!(some.matches("vae", "sd15.safetensors") && !some.matches("vae", "sd.safetensors"));
        for text in ["", "checkpoints", "/x", "a/", "a/../b", "a//b", "a/\nb"] {
            assert_eq!(text.parse::<ModelPattern>(), Err(NoPattern::Models), "{text:?}");
        }
    }

    #[test]
    fn an_endpoint_has_a_host_and_a_port() {
        for text in ["api.example.com:443", "127.0.0.1:80", "[::1]:8080"] {
            assert_eq!(text.parse::<Endpoint>().unwrap().to_string(), text);
        }
        for text in ["", "x", "x:", ":80", "x:0", "x:65536", "a b:80", "::1:80", "[x]:80"] {
            assert_eq!(text.parse::<Endpoint>(), Err(NoPattern::Endpoint), "{text:?}");
        }
    }
}
