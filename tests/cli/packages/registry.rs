//! A registry in this process: what the client needs of one, and what one should never do.
//!
//! Each connection is one request. It keeps what it is sent, and answers as its trick says.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use berth_packages::sha256;
use serde_json::{Value, json};

/// The user who may log in, and the password.
pub const USER: &str = "ada";
pub const PASSWORD: &str = "correct horse";

/// `ada:correct horse`, as HTTP has it.
const BASIC: &str = "Basic YWRhOmNvcnJlY3QgaG9yc2U=";

const TOKEN: &str = "Bearer the-token";

/// What it does other than it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trick {
    None,
    /// A layer of the right length with other bytes.
    OtherBytes,
    /// A layer that ends early, with a length that fits.
    FewerBytes,
    /// A layer that ends in the middle of what was announced.
    CutOff,
    /// A layer without an end.
    EndlessLayer,
    /// A manifest that is another than its header says.
    OtherManifest,
    /// A manifest without an end.
    EndlessManifest,
    /// A manifest of a terabyte, by its header.
    LongManifest,
    /// A failure, told with what a terminal obeys.
    Fails,
    /// A failure whose text has no end.
    FailsEndlessly,
    /// A refusal that does not say how to log in.
    Refuses,
    /// A redirect to itself.
    Loops,
    /// A place for tokens whose tokens have no end.
    EndlessToken,
    /// A place for tokens that is no address.
    NoRealm,
    /// It wants the user and the password each time.
    Basic,
    /// It gives tokens to the user.
    Tokens,
    /// It gives tokens on another host, as far as names go.
    TokensElsewhere,
}

#[derive(Default)]
struct Kept {
    blobs: HashMap<String, Vec<u8>>,
    manifests: HashMap<String, Vec<u8>>,
}

pub struct Registry {
    pub address: String,
    trick: Arc<Mutex<Trick>>,
    kept: Arc<Mutex<Kept>>,
}

struct Request {
    method: String,
    path: String,
    authorization: Option<String>,
    body: Vec<u8>,
}

impl Registry {
    pub fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("localhost:{}", listener.local_addr().unwrap().port());
        let trick = Arc::new(Mutex::new(Trick::None));
        let kept = Arc::new(Mutex::new(Kept::default()));
        let (tricks, keeps, own) = (trick.clone(), kept.clone(), address.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (trick, kept, own) = (*tricks.lock().unwrap(), keeps.clone(), own.clone());
                std::thread::spawn(move || {
                    // A client that has seen enough goes away.
                    let _ = answer(stream.unwrap(), trick, &kept, &own);
                });
            }
        });
        Self { address, trick, kept }
    }

    pub fn play(&self, trick: Trick) {
        *self.trick.lock().unwrap() = trick;
    }

    /// A manifest that it has.
    pub fn manifest(&self, tag: &str) -> Value {
        serde_json::from_slice(&self.kept.lock().unwrap().manifests[tag]).unwrap()
    }

    /// Puts something there that nobody sent.
    pub fn put(&self, tag: &str, manifest: &str) {
        self.kept.lock().unwrap().manifests.insert(tag.into(), manifest.into());
    }

    /// Puts a package there that was never checked.
    pub fn put_layer(&self, tag: &str, like: &str, bytes: &[u8]) {
        let mut manifest = self.manifest(like);
        manifest["layers"][0]["digest"] = json!(sha256(bytes));
        manifest["layers"][0]["size"] = json!(bytes.len());
        self.kept.lock().unwrap().blobs.insert(sha256(bytes), bytes.to_vec());
        self.put(tag, &manifest.to_string());
    }
}

fn read(stream: &TcpStream) -> std::io::Result<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (mut length, mut authorization) = (0, None);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().unwrap(),
            "authorization" => authorization = Some(value.to_owned()),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Request { method, path, authorization, body })
}

fn answer(stream: TcpStream, trick: Trick, kept: &Mutex<Kept>, own: &str) -> std::io::Result<()> {
    let Request { method, path, authorization, body } = read(&stream)?;
    let (path, query) = path.split_once('?').unwrap_or((&path, ""));
    let is_head = method == "HEAD";
    let send = |status: &str, headers: &str, body: &[u8]| {
        let (mut stream, length) = (&stream, body.len());
        let head = format!(
            "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n"
        );
        stream.write_all(head.as_bytes())?;
        if is_head { Ok(()) } else { stream.write_all(body) }
    };
    let says = |message: &str| {
        json!({ "errors": [{ "code": "X", "message": message }] }).to_string().into_bytes()
    };
    let is_manifest = path.contains("/manifests/");
    let is_layer = path.contains("/blobs/sha256:") && method == "GET";
    if path == "/token" {
        assert!(query.contains("scope=repository%3Aplugins%2Fguests%3Apull"), "{query}");
        return match (trick, authorization.as_deref()) {
            (Trick::EndlessToken, _) => endless(&stream, "200 OK"),
            (_, Some(BASIC)) => send("200 OK", "", b"{\"token\": \"the-token\"}"),
            _ => send("401 Unauthorized", "", &says("who are you?")),
        };
    }
    let challenge = match trick {
        Trick::Basic => Some(("Basic realm=\"here\"".to_owned(), BASIC)),
        Trick::Tokens | Trick::EndlessToken => {
            Some((format!("Bearer realm=\"http://{own}/token\",service=\"here\""), TOKEN))
        }
        Trick::TokensElsewhere => {
            let there = own.replace("localhost", "127.0.0.1");
            Some((format!("Bearer realm=\"http://{there}/token\",service=\"here\""), TOKEN))
        }
        Trick::NoRealm => Some(("Bearer realm=\"no\\\"where\"".into(), TOKEN)),
        _ => None,
    };
    if let Some((challenge, wanted)) = challenge
        && authorization.as_deref() != Some(wanted)
    {
        let headers = format!("www-authenticate: {challenge}\r\n");
        return send("401 Unauthorized", &headers, &says("who are you?"));
    }
    match trick {
        Trick::Fails => {
            let body = says("a\u{1b}[2Jb\u{202e}");
            return send("500 Internal Server Error", "", &body);
        }
        Trick::FailsEndlessly => return endless(&stream, "500 Internal Server Error"),
        Trick::Refuses => return send("401 Unauthorized", "", b""),
        Trick::Loops => {
            let headers = format!("location: http://{own}{path}\r\n");
            return send("307 Temporary Redirect", &headers, b"");
        }
        Trick::EndlessManifest if is_manifest => return endless(&stream, "200 OK"),
        Trick::LongManifest if is_manifest => {
            let head = b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000000\r\n\r\n{";
            return (&stream).write_all(head);
        }
        Trick::EndlessLayer if is_layer => return endless(&stream, "200 OK"),
        _ => {}
    }
    let mut kept = kept.lock().unwrap();
    let name = path.rsplit('/').next().unwrap_or_default();
    match method.as_str() {
        "POST" => send("202 Accepted", "location: /v2/plugins/guests/blobs/uploads/1?a=b\r\n", b""),
        "PUT" if is_manifest => {
            let digest = sha256(&body);
            kept.manifests.insert(name.into(), body.clone());
            kept.manifests.insert(digest.clone(), body);
            send("201 Created", &format!("docker-content-digest: {digest}\r\n"), b"")
        }
        "PUT" => {
            let digest = query.strip_prefix("a=b&digest=").unwrap().replace("%3A", ":");
            let is_it = sha256(&body) == digest;
            kept.blobs.insert(digest, body);
            send(if is_it { "201 Created" } else { "400 Bad Request" }, "", b"")
        }
        _ => {
            let found = if is_manifest { kept.manifests.get(name) } else { kept.blobs.get(name) };
            let Some(found) = found else {
                return send("404 Not Found", "", &says("it is not here"));
            };
            let mut found = found.clone();
            if trick == Trick::OtherManifest && is_manifest {
                let headers = format!("docker-content-digest: {}\r\n", sha256(&found));
                found.push(b' ');
                return send("200 OK", &headers, &found);
            }
            match trick {
                Trick::OtherBytes if is_layer => *found.last_mut().unwrap() ^= 1,
                Trick::FewerBytes if is_layer => found.truncate(found.len() / 2),
                Trick::CutOff if is_layer => {
                    let length = found.len();
                    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n");
                    (&stream).write_all(head.as_bytes())?;
                    return (&stream).write_all(&found[..length / 2]);
                }
                _ => {}
            }
            send("200 OK", "", &found)
        }
    }
}

/// A body in pieces, without a last one.
fn endless(mut stream: &TcpStream, status: &str) -> std::io::Result<()> {
    write!(stream, "HTTP/1.1 {status}\r\ntransfer-encoding: chunked\r\n\r\n")?;
    loop {
        write!(stream, "10000\r\n")?;
        stream.write_all(&[b' '; 0x10000])?;
        stream.write_all(b"\r\n")?;
    }
}
