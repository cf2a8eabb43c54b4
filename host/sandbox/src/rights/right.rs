//! One right, as it is named in messages, on a command line and in the audit trail.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use super::{Endpoint, Folder, Grants, ModelPattern, Requests};

/// Something that only the operator gives, and only to a plugin that asks for it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Right {
    /// Sees where bytes are and who holds them, and moves them: `berth:node/memory`.
    Memory,
    /// Knows the time, instead of a clock that moves only by what the run sleeps.
    Clock,
    /// Gets bytes that nobody can foresee, instead of the same ones each time.
    Randomness,
    /// Sees a variable of the host's environment.
    Environment(String),
    /// Connects to a host by TCP.
    Network(Endpoint),
    /// Opens models by label.
    Models(ModelPattern),
    /// Reads files below a folder, known by its label.
    Read(String),
    /// Reads and writes files below a folder, known by its label.
    Write(String),
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str("memory"),
            Self::Clock => f.write_str("clock"),
            Self::Randomness => f.write_str("randomness"),
            Self::Environment(name) => write!(f, "environment:{name}"),
            Self::Network(endpoint) => write!(f, "network:{endpoint}"),
            Self::Models(pattern) => write!(f, "models:{pattern}"),
            Self::Read(label) => write!(f, "read:{label}"),
            Self::Write(label) => write!(f, "write:{label}"),
        }
    }
}

/// A right as an operator gives it on a command line: [`Right`]'s text, where a folder of a
/// plugin's own label also has a path: `read:luts=/srv/luts`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// What is given.
    pub right: Right,
    /// Where a folder is.
    pub path: Option<PathBuf>,
}

impl Grant {
    /// Adds it to what is granted already.
    pub fn add_to(self, grants: &mut Grants) {
        let Requests { memory, clock, randomness, environment, network, models, folders } =
            &mut grants.allowed;
        let folder = |label: String, access| {
            let known = folders.entry(label.clone()).or_insert(access);
            *known = (*known).max(access);
            if let Some(path) = self.path {
                grants.paths.insert(label, path);
            }
        };
        match self.right {
            Right::Memory => *memory = true,
            Right::Clock => *clock = true,
            Right::Randomness => *randomness = true,
            Right::Environment(name) => environment.push(name),
            Right::Network(endpoint) => network.push(endpoint),
            Right::Models(pattern) => models.push(pattern),
            Right::Read(label) => folder(label, Folder::Read),
            Right::Write(label) => folder(label, Folder::Write),
        }
    }
}

/// There is no such right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is no right: {reason}; write memory, clock, randomness, environment:NAME, \
     network:HOST:PORT, models:CATEGORY/LABEL, read:LABEL[=DIR] or write:LABEL[=DIR]"
)]
pub struct NoRight {
    text: String,
    reason: String,
}

impl FromStr for Grant {
    type Err = NoRight;

    fn from_str(text: &str) -> Result<Self, NoRight> {
        let no = |reason: &dyn fmt::Display| NoRight {
            text: crate::text::plain(text).into_owned(),
            reason: reason.to_string(),
        };
        let (kind, rest) = text.split_once(':').map_or((text, None), |(a, b)| (a, Some(b)));
        let rest = || rest.filter(|rest| !rest.is_empty()).ok_or_else(|| no(&"it says not which"));
        let folder = || {
            let (label, path) = rest()?
                .split_once('=')
                .map_or((rest()?, None), |(label, path)| (label, Some(PathBuf::from(path))));
            super::check_label(label).map_err(|reason| no(&reason))?;
            Ok((label.to_owned(), path))
        };
        let (right, path) = match kind {
            "memory" if text == kind => (Right::Memory, None),
            "clock" if text == kind => (Right::Clock, None),
            "randomness" if text == kind => (Right::Randomness, None),
            "environment" => {
                super::check_variable(rest()?).map_err(|reason| no(&reason))?;
                (Right::Environment(rest()?.to_owned()), None)
            }
            "network" => (Right::Network(rest()?.parse().map_err(|e| no(&e))?), None),
            "models" => (Right::Models(rest()?.parse().map_err(|e| no(&e))?), None),
            "read" => folder().map(|(label, path)| (Right::Read(label), path))?,
            "write" => folder().map(|(label, path)| (Right::Write(label), path))?,
            _ => return Err(no(&"there is none of this name")),
        };
        Ok(Self { right, path })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_right_is_read_as_it_is_written() {
        for text in [
            "memory",
            "clock",
            "randomness",
            "environment:LANG",
            "network:api.example.com:443",
            "models:checkpoints/*",
            "read:input",
            "write:luts",
        ] {
            let grant: Grant = text.parse().unwrap();
            assert_eq!((grant.right.to_string(), grant.path), (text.to_owned(), None));
        }
        let grant: Grant = "read:luts=/srv/a=b".parse().unwrap();
        assert_eq!(grant.path, Some("/srv/a=b".into()));
    }

    #[test]
    fn what_is_no_right_says_what_one_is() {
        for text in [
            "",
            "memory:all",
            "net",
            "models:",
            "network:x",
            "read:",
            "read:../x",
            "environment:a=b",
        ] {
            let error = text.parse::<Grant>().unwrap_err().to_string();
            assert!(error.contains("network:HOST:PORT"), "{error}");
        }
    }
}
