//! Who one is to a registry.
//!
//! A password is never an argument, since everybody on the machine sees those. It comes from a
//! variable, or from where `docker login` put it, which may be a helper that the desktop guards.

use std::path::PathBuf;

use berth_sandbox::text::plain;
use docker_credential::{CredentialRetrievalError as Failure, DockerCredential};

use crate::error::Error;
use crate::reference::Reference;

/// The variable that has the password of the user who is named.
pub const PASSWORD: &str = "BERTH_REGISTRY_PASSWORD";

/// What Docker calls its own registry.
const DOCKER_HUB: &str = "https://index.docker.io/v1/";

/// A user and the password. Not to be shown.
pub(crate) struct Credentials {
    pub(crate) username: String,
    pub(crate) password: String,
}

impl Credentials {
    /// Those of a user who is named, else those that Docker has for the registry, else none.
    ///
    /// # Errors
    /// `NoPassword`, `Credentials`.
    pub(crate) fn find(
        reference: &Reference,
        username: Option<&str>,
        password: Option<String>,
    ) -> Result<Option<Self>, Error> {
        if let Some(username) = username {
            let username = username.to_owned();
            return match password.filter(|password| !password.is_empty()) {
                Some(password) => Ok(Some(Self { username, password })),
                None => Err(Error::NoPassword { username: plain(&username).into_owned() }),
            };
        }
        if !configuration().is_some_and(|file| file.exists()) {
            return Ok(None);
        }
        let registry = match reference.registry() {
            "docker.io" => DOCKER_HUB,
            registry => registry,
        };
        let wrong = |reason: String| {
            Err(Error::Credentials { registry: reference.registry().to_owned(), reason })
        };
        match docker_credential::get_credential(registry) {
            Ok(DockerCredential::UsernamePassword(username, password)) => {
                Ok(Some(Self { username, password }))
            }
            Ok(DockerCredential::IdentityToken(_)) => {
                wrong("they are an identity token, which Berth does not take".into())
            }
            Err(Failure::NoCredentialConfigured | Failure::ConfigNotFound) => Ok(None),
            // A helper says so of a registry that it has nothing for.
            Err(Failure::HelperFailure { stdout, .. }) if stdout.contains("not found") => Ok(None),
            Err(error) => wrong(plain(&error.to_string()).into_owned()),
        }
    }
}

/// Docker's configuration, where `docker login` keeps what it knows.
fn configuration() -> Option<PathBuf> {
    let own = std::env::var_os("DOCKER_CONFIG").map(PathBuf::from);
    let home = || std::env::home_dir().map(|home| home.join(".docker"));
    own.or_else(home).map(|folder| folder.join("config.json"))
}
