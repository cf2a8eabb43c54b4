//! Speaks to one repository of a registry, and trusts nothing that it answers.
//!
//! Each answer is read piece by piece up to what it may have, and each wait has an end. Credentials
//! go to the registry that was named, and to where it gives tokens, which without TLS must be its own
//! host; wherever else it sends one (a store of blobs, mostly) gets none. Whoever answers is checked by digests, not by trust in
//! who it was, so redirects are followed.

use std::error::Error as _;
use std::time::Duration;

use berth_sandbox::text::plain;
use http_auth::parse_challenges;
use reqwest::header::{
    ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION, WWW_AUTHENTICATE,
};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, Url};
use serde::Deserialize;

use crate::artifact::{Descriptor, INDEX, MANIFEST, sha256};
use crate::credentials::{Credentials, PASSWORD};
use crate::error::Error;
use crate::reference::Reference;

/// Most bytes of a manifest: a hundred times a large one. A plugin's has less than one kilobyte.
const LARGEST_MANIFEST: u64 = 256 << 10;

/// Most bytes of a token, or of what is said of an error.
const LARGEST_NOTE: u64 = 64 << 10;

/// How often it may send one elsewhere: once to a store, once more for its own purposes, and then
/// it is a loop.
const REDIRECTS: usize = 5;

/// How a registry is spoken to.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// Without TLS. For registries on this very machine that is how it is anyway.
    pub plain_http: bool,
    /// The user whose password is in [`PASSWORD`]. Without one, what Docker has. Only the registry
    /// of a reference that is given gets it, never those that a lock names.
    pub username: Option<String>,
}

/// How long is waited.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    /// For a connection.
    pub(crate) connect: Duration,
    /// For the next piece of an answer.
    pub(crate) idle: Duration,
    /// For all of a short answer.
    pub(crate) short: Duration,
    /// For all of a package: 64 MiB over a slow line.
    pub(crate) long: Duration,
}

impl Default for Times {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { connect: seconds(10), idle: seconds(30), short: seconds(60), long: seconds(900) }
    }
}

/// What is done in the repository.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Doing {
    Get,
    Send,
}

impl Doing {
    fn scope(self) -> &'static str {
        match self {
            Self::Get => "pull",
            Self::Send => "pull,push",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Get => "get the plugin from",
            Self::Send => "send the plugin to",
        }
    }
}

/// One repository of a registry.
pub(crate) struct Registry {
    client: Client,
    reference: Reference,
    base: Url,
    doing: Doing,
    times: Times,
    credentials: Option<Credentials>,
    authorization: Option<HeaderValue>,
    plain_http: bool,
}

impl Registry {
    /// # Errors
    /// `Reference`, `NoPassword`, `Credentials`, `Start`.
    pub(crate) fn open(
        reference: &Reference,
        access: &Access,
        doing: Doing,
    ) -> Result<Self, Error> {
        let credentials =
            Credentials::find(reference, access.username.as_deref(), std::env::var(PASSWORD).ok())?;
        let plain_http = access.plain_http || reference.is_local();
        Self::with(reference, doing, plain_http, credentials, Times::default())
    }

    pub(crate) fn with(
        reference: &Reference,
        doing: Doing,
        plain_http: bool,
        credentials: Option<Credentials>,
        times: Times,
    ) -> Result<Self, Error> {
        // That somebody has chosen already is fine.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .user_agent(concat!("berth/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(times.connect)
            .read_timeout(times.idle)
            .redirect(Policy::limited(REDIRECTS))
            .https_only(!plain_http)
            .build()
            .map_err(|error| Error::Start(reason(&error)))?;
        let scheme = if plain_http { "http" } else { "https" };
        let text = format!("{scheme}://{}/v2/{}/", reference.host(), reference.repository());
        let base = Url::parse(&text).map_err(|error| Error::Reference {
            text: plain(&reference.to_string()).into_owned(),
            reason: error.to_string(),
        })?;
        let reference = reference.clone();
        let authorization = None;
        Ok(Self { client, reference, base, doing, times, credentials, authorization, plain_http })
    }

    /// The manifest that the reference names, and its digest.
    ///
    /// # Errors
    /// `Network`, `Status`, `TooLarge`, `Altered`.
    pub(crate) async fn manifest(&mut self) -> Result<(Vec<u8>, String), Error> {
        let named = self.reference.digest().or(self.reference.tag()).unwrap_or_default();
        let url = self.url(&format!("manifests/{named}"))?;
        let accept = format!("{MANIFEST}, {INDEX}");
        let short = self.times.short;
        let response = self
            .ask(Method::GET, &url, |request| request.timeout(short).header(ACCEPT, &accept))
            .await?;
        let claimed = response.headers().get("docker-content-digest").cloned();
        let body = self.body(response, "a manifest", LARGEST_MANIFEST).await?;
        let digest = sha256(&body);
        let claimed = claimed.as_ref().and_then(|claimed| claimed.to_str().ok());
        let claimed = claimed.filter(|claimed| claimed.starts_with("sha256:"));
        for expected in self.reference.digest().into_iter().chain(claimed) {
            self.check("manifest", expected, &digest)?;
        }
        Ok((body, digest))
    }

    /// The bytes of a layer.
    ///
    /// # Errors
    /// `Network`, `Status`, `TooLarge`, `Altered`.
    pub(crate) async fn blob(&mut self, layer: &Descriptor) -> Result<Vec<u8>, Error> {
        let url = self.url(&format!("blobs/{}", layer.digest))?;
        let long = self.times.long;
        let response = self.ask(Method::GET, &url, |request| request.timeout(long)).await?;
        let bytes = self.body(response, "a component", layer.size).await?;
        if bytes.len() as u64 != layer.size {
            let (expected, found) =
                (format!("{} bytes", layer.size), format!("{} bytes", bytes.len()));
            return Err(self.altered("component", &expected, &found));
        }
        self.check("component", &layer.digest, &sha256(&bytes))?;
        Ok(bytes)
    }

    /// Sends bytes, unless they are there.
    ///
    /// # Errors
    /// `Network`, `Status`.
    pub(crate) async fn put_blob(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let digest = sha256(bytes);
        let (short, long) = (self.times.short, self.times.long);
        let known = self.url(&format!("blobs/{digest}"))?;
        match self.ask(Method::HEAD, &known, |request| request.timeout(short)).await {
            Ok(_) => return Ok(()),
            Err(Error::Status { status: 404, .. }) => {}
            Err(error) => return Err(error),
        }
        let uploads = self.url("blobs/uploads/")?;
        let begin = |request: RequestBuilder| request.timeout(short).body(Vec::new());
        let response = self.ask(Method::POST, &uploads, begin).await?;
        let place = response.headers().get(LOCATION).and_then(|place| place.to_str().ok());
        let place = place.and_then(|place| response.url().join(place).ok());
        let Some(mut place) = place else {
            return Err(self.network("it does not say where to send to".into()));
        };
        place.query_pairs_mut().append_pair("digest", &digest);
        let send = |request: RequestBuilder| {
            let request = request.timeout(long).header(CONTENT_TYPE, "application/octet-stream");
            request.body(bytes.to_vec())
        };
        self.ask(Method::PUT, &place, send).await?;
        Ok(())
    }

    /// Sends a manifest, under the reference's tag. Gives its digest.
    ///
    /// # Errors
    /// `Network`, `Status`, `Altered`.
    pub(crate) async fn put_manifest(&mut self, manifest: &[u8]) -> Result<String, Error> {
        let url = self.url(&format!("manifests/{}", self.reference.tag().unwrap_or_default()))?;
        let short = self.times.short;
        let send = |request: RequestBuilder| {
            request.timeout(short).header(CONTENT_TYPE, MANIFEST).body(manifest.to_vec())
        };
        let response = self.ask(Method::PUT, &url, send).await?;
        let digest = sha256(manifest);
        let claimed = response.headers().get("docker-content-digest");
        if let Some(claimed) = claimed.and_then(|claimed| claimed.to_str().ok()) {
            self.check("manifest", &digest, claimed)?;
        }
        Ok(digest)
    }

    fn url(&self, path: &str) -> Result<Url, Error> {
        self.base.join(path).map_err(|error| self.network(error.to_string()))
    }

    /// Asks, and once more with the authorization that the registry wants.
    async fn ask(
        &mut self,
        method: Method,
        url: &Url,
        with: impl Fn(RequestBuilder) -> RequestBuilder,
    ) -> Result<Response, Error> {
        let mut again = true;
        loop {
            let mut request = with(self.client.request(method.clone(), url.clone()));
            if let Some(authorization) = &self.authorization
                && url.origin() == self.base.origin()
            {
                request = request.header(AUTHORIZATION, authorization);
            }
            let response = request.send().await.map_err(|error| self.failed(&error))?;
            let status = response.status();
            if status.is_success() {
                return Ok(response);
            }
            let ours = response.url().origin() == self.base.origin();
            if status == StatusCode::UNAUTHORIZED && ours && again {
                again = false;
                let headers = response.headers().clone();
                drop(response);
                if let Some(authorization) = self.authorize(&headers).await? {
                    self.authorization = Some(authorization);
                    continue;
                }
                return Err(self.status(status, String::new()));
            }
            let says = self.says(response).await;
            return Err(self.status(status, says));
        }
    }

    /// What a registry wants to be asked with, if it can be had.
    async fn authorize(&mut self, headers: &HeaderMap) -> Result<Option<HeaderValue>, Error> {
        let mut basic = false;
        for header in headers.get_all(WWW_AUTHENTICATE) {
            let Some(challenges) = header.to_str().ok().and_then(|h| parse_challenges(h).ok())
            else {
                continue;
            };
            for challenge in challenges {
                let parameter = |name: &str| {
                    let found =
                        challenge.params.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
                    found.map(|(_, value)| value.to_unescaped())
                };
                if challenge.scheme.eq_ignore_ascii_case("bearer")
                    && let Some(realm) = parameter("realm")
                {
                    let token = self.token(&realm, parameter("service").as_deref()).await?;
                    return self.secret(&format!("Bearer {token}")).map(Some);
                }
                basic |= challenge.scheme.eq_ignore_ascii_case("basic");
            }
        }
        let Some(Credentials { username, password }) = self.credentials.as_ref().filter(|_| basic)
        else {
            return Ok(None);
        };
        // The client writes it as it has to be written.
        let request = self.client.get(self.base.clone()).basic_auth(username, Some(password));
        let request = request.build().map_err(|error| self.failed(&error))?;
        Ok(request.headers().get(AUTHORIZATION).cloned())
    }

    /// Gets a token for the repository.
    async fn token(&self, realm: &str, service: Option<&str>) -> Result<String, Error> {
        #[derive(Deserialize)]
        struct Token {
            token: Option<String>,
            access_token: Option<String>,
        }
        let none = |reason: String| self.network(format!("it gives no token: {reason}"));
        let mut url = Url::parse(realm).map_err(|error| none(error.to_string()))?;
        if url.scheme() != "https" && !self.plain_http {
            return Err(none("it gives them without TLS".into()));
        }
        // Whoever speaks for the registry without TLS could name any host.
        if url.scheme() != "https" && url.host() != self.base.host() && self.credentials.is_some() {
            let host = plain(url.host_str().unwrap_or_default()).into_owned();
            return Err(none(format!("it wants the password sent to {host}, without TLS")));
        }
        let scope = format!("repository:{}:{}", self.reference.repository(), self.doing.scope());
        if let Some(service) = service {
            url.query_pairs_mut().append_pair("service", service);
        }
        url.query_pairs_mut().append_pair("scope", &scope);
        let mut request = self.client.get(url).timeout(self.times.short);
        if let Some(Credentials { username, password }) = &self.credentials {
            request = request.basic_auth(username, Some(password));
        }
        let response = request.send().await.map_err(|error| self.failed(&error))?;
        let status = response.status();
        if !status.is_success() {
            let says = self.says(response).await;
            return Err(self.status(status, says));
        }
        let body = self.body(response, "a token", LARGEST_NOTE).await?;
        let token: Token =
            serde_json::from_slice(&body).map_err(|_| none("what it gives is none".into()))?;
        token.token.or(token.access_token).ok_or_else(|| none("there is none in it".into()))
    }

    fn secret(&self, text: &str) -> Result<HeaderValue, Error> {
        let mut value = HeaderValue::from_str(text)
            .map_err(|_| self.network("it gives a token that cannot be sent".into()))?;
        value.set_sensitive(true);
        Ok(value)
    }

    /// All of an answer, if it has no more than so many bytes.
    async fn body(
        &self,
        mut response: Response,
        what: &'static str,
        most: u64,
    ) -> Result<Vec<u8>, Error> {
        let too_large = |size: String| Error::TooLarge {
            registry: self.reference.registry().to_owned(),
            what,
            size,
            most,
        };
        if let Some(length) = response.content_length().filter(|length| *length > most) {
            return Err(too_large(format!("{length} bytes")));
        }
        let mut bytes = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(|error| self.failed(&error))? {
            bytes.extend_from_slice(&piece);
            if bytes.len() as u64 > most {
                return Err(too_large(format!("more than {most} bytes")));
            }
        }
        Ok(bytes)
    }

    /// What is said of an error: in the registries' own form, as far as it is.
    async fn says(&self, response: Response) -> String {
        #[derive(Deserialize)]
        struct Envelope {
            errors: Vec<One>,
        }
        #[derive(Deserialize)]
        struct One {
            #[serde(default)]
            code: String,
            #[serde(default)]
            message: String,
        }
        let Ok(body) = self.body(response, "an error", LARGEST_NOTE).await else {
            return String::new();
        };
        let Ok(Envelope { errors }) = serde_json::from_slice(&body) else { return String::new() };
        let one = |One { code, message }: One| match message.is_empty() {
            true => plain(&code).into_owned(),
            false => plain(&message).into_owned(),
        };
        // One is usual; who sends more wants to fill the screen.
        let said: Vec<String> = errors.into_iter().take(3).map(one).collect();
        said.join("; ")
    }

    fn status(&self, status: StatusCode, says: String) -> Error {
        let says = if says.is_empty() { says } else { format!(" ({says})") };
        let registry = self.reference.registry().to_owned();
        Error::Status { doing: self.doing.words(), registry, status: status.as_u16(), says }
    }

    fn failed(&self, error: &reqwest::Error) -> Error {
        self.network(if error.is_timeout() {
            "it takes too long to answer".into()
        } else if error.is_redirect() {
            format!("it sends from place to place ({})", reason(error))
        } else {
            reason(error)
        })
    }

    fn network(&self, reason: String) -> Error {
        let registry = self.reference.registry().to_owned();
        Error::Network { doing: self.doing.words(), registry, reason }
    }

    fn check(&self, what: &'static str, expected: &str, found: &str) -> Result<(), Error> {
        if expected == found { Ok(()) } else { Err(self.altered(what, expected, found)) }
    }

    fn altered(&self, what: &'static str, expected: &str, found: &str) -> Error {
        Error::Altered {
            registry: self.reference.registry().to_owned(),
            what,
            expected: plain(expected).into_owned(),
            found: plain(found).into_owned(),
        }
    }
}

/// The innermost cause, which is the one that says something.
fn reason(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    match error.source() {
        Some(_) => plain(&cause.to_string()).into_owned(),
        // Without one, it says all and has the address in it.
        None => plain(&error.to_string()).into_owned(),
    }
}

#[cfg(test)]
mod tests;
