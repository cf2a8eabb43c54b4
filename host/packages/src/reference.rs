//! What in which registry: `ghcr.io/me/grade:1.2.0`, or `…@sha256:…`.
//!
//! Docker's shorthands are not taken. A reference without a registry would mean Docker Hub, and one
//! without a tag `latest`; who installs code says which, and from whom.

use berth_sandbox::text::plain;
use oci_spec::distribution::Reference as Parsed;

use crate::artifact::is_sha256;
use crate::error::Error;

/// What in which registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reference(Parsed);

impl Reference {
    /// # Errors
    /// `Reference`.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let wrong = |reason: &str| Error::Reference {
            text: plain(text).into_owned(),
            reason: reason.to_owned(),
        };
        let Some((registry, rest)) = text.split_once('/') else {
            return Err(wrong("it names no registry"));
        };
        if !registry.contains(['.', ':']) && registry != "localhost" {
            return Err(wrong(&format!("`{}` is no registry's name", plain(registry))));
        }
        if !rest.contains([':', '@']) {
            return Err(wrong("it has neither a tag nor a digest"));
        }
        let parsed: Parsed = text.parse().map_err(|error| wrong(&format!("{error}")))?;
        if parsed.digest().is_some_and(|digest| !is_sha256(digest)) {
            return Err(wrong("its digest is not `sha256:` and 64 digits"));
        }
        Ok(Self(parsed))
    }

    /// As it is asked for by name.
    pub(crate) fn registry(&self) -> &str {
        self.0.registry()
    }

    /// Where it is asked for.
    pub(crate) fn host(&self) -> &str {
        match self.0.resolve_registry() {
            "index.docker.io" => "registry-1.docker.io",
            host => host,
        }
    }

    pub(crate) fn repository(&self) -> &str {
        self.0.repository()
    }

    pub(crate) fn tag(&self) -> Option<&str> {
        self.0.tag()
    }

    pub(crate) fn digest(&self) -> Option<&str> {
        self.0.digest()
    }

    /// Registry and repository: who makes it.
    pub(crate) fn origin(&self) -> String {
        format!("{}/{}", self.registry(), self.repository())
    }

    /// The same repository's manifest of this digest.
    pub(crate) fn at(&self, digest: &str) -> Self {
        Self(self.0.clone_with_digest(digest.to_owned()))
    }

    /// Whether it is on this very machine, where nobody is between.
    pub(crate) fn is_local(&self) -> bool {
        let host = self.registry().rsplit_once(':').map_or(self.registry(), |(host, _)| host);
        matches!(host, "localhost" | "127.0.0.1")
    }
}

impl std::fmt::Display for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_says_which_and_from_whom() {
        let hex = "0".repeat(64);
        for (text, host, repository, local) in [
            ("ghcr.io/me/grade:1.2.0", "ghcr.io", "me/grade", false),
            ("localhost:5000/grade:1", "localhost:5000", "grade", true),
            ("localhost/grade:1", "localhost", "grade", true),
            ("127.0.0.1:5000/a/b/c:1", "127.0.0.1:5000", "a/b/c", true),
            ("docker.io/me/grade:1", "registry-1.docker.io", "me/grade", false),
            (&format!("r.io/grade@sha256:{hex}"), "r.io", "grade", false),
        ] {
            let reference = Reference::parse(text).unwrap();
            assert_eq!((reference.host(), reference.repository()), (host, repository));
            assert_eq!((reference.to_string(), reference.is_local()), (text.to_owned(), local));
        }
    }

    #[test]
    fn what_is_no_reference_says_what_is_wrong() {
        for (text, says) in [
            ("", "names no registry"),
            ("grade", "names no registry"),
            ("grade:1", "names no registry"),
            ("me/grade:1", "`me` is no registry"),
            ("ghcr.io/me/grade", "neither a tag nor a digest"),
            ("ghcr.io/Me/grade:1", "is no reference"),
            ("ghcr.io/grade@sha256:00", "is no reference"),
            ("https://ghcr.io/grade:1", "is no reference"),
            ("ghcr.io/../grade:1", "is no reference"),
            ("ghcr.io/gr\u{1b}[2Jade:1", "is no reference"),
        ] {
            let error = Reference::parse(text).unwrap_err();
            assert!(error.to_string().contains(says), "{error}");
            assert!(!error.to_string().contains('\u{1b}'));
            assert!(error.hint().unwrap().contains("ghcr.io/me/grade:1.2.0"));
        }
    }
}
