use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Instant;

use super::*;
use crate::publish::wait;

/// A registry that answers each connection with these bytes, and then waits.
fn answering(bytes: &'static [u8]) -> Reference {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let mut open = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(bytes);
            open.push(stream);
        }
    });
    Reference::parse(&format!("127.0.0.1:{port}/a:1")).unwrap()
}

fn ask(reference: &Reference) -> Error {
    let milliseconds = Duration::from_millis;
    let times = Times {
        connect: milliseconds(500),
        idle: milliseconds(200),
        short: milliseconds(500),
        long: milliseconds(500),
    };
    wait(async {
        let mut registry = Registry::with(reference, Doing::Get, true, None, times)?;
        registry.manifest().await
    })
    .unwrap_err()
}

#[test]
fn who_says_nothing_more_is_not_waited_for() {
    for bytes in [&b""[..], b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc", b"HTTP/1.1 "] {
        let began = Instant::now();
        let error = ask(&answering(bytes));
        assert!(error.to_string().contains("too long to answer"), "{error}");
        assert!(began.elapsed() < Duration::from_secs(5));
    }
}

#[test]
fn what_is_no_http_is_told() {
    let error = ask(&answering(b"SSH-2.0-OpenSSH\r\n\r\n"));
    assert!(matches!(error, Error::Network { .. }), "{error}");
    let nobody = Reference::parse("127.0.0.1:1/a:1").unwrap();
    let error = ask(&nobody).to_string();
    assert!(error.contains("127.0.0.1:1") && error.contains("refused"), "{error}");
}

#[test]
fn without_tls_is_only_where_it_is_wanted() {
    let reference = answering(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    let times = Times { idle: Duration::from_millis(300), ..Times::default() };
    let error = wait(async {
        let mut registry = Registry::with(&reference, Doing::Get, false, None, times)?;
        registry.manifest().await
    });
    assert!(matches!(error, Err(Error::Network { .. })), "{error:?}");
}
