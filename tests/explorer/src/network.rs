//! The network.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, ToSocketAddrs, UdpSocket};

use berth_sdk::prelude::*;

use crate::told;

/// Says something to a peer, and gives its answer.
#[node(category = "explorer")]
pub fn talk(address: String, text: String) -> Result<String> {
    told(TcpStream::connect(address).and_then(|mut peer| {
        peer.write_all(text.as_bytes())?;
        peer.shutdown(std::net::Shutdown::Write)?;
        let mut answer = String::new();
        peer.read_to_string(&mut answer)?;
        Ok(answer)
    }))
}

/// Waits for a byte of a peer.
#[node(category = "explorer")]
pub fn hear(address: String) -> Result<String> {
    told(TcpStream::connect(address).and_then(|mut peer| peer.read(&mut [0])))
}

/// Looks a name up.
#[node(category = "explorer")]
pub fn resolve(name: String) -> Result<String> {
    let found = (name.as_str(), 80).to_socket_addrs();
    told(found.map(|found| found.map(|a| a.ip().to_string()).collect::<Vec<_>>().join(" ")))
}

/// Waits for others to connect.
#[node(category = "explorer")]
pub fn listen(address: String) -> Result<String> {
    told(TcpListener::bind(address).map(|_| "listening"))
}

/// Sends a datagram.
#[node(category = "explorer")]
pub fn send_datagram(address: String) -> Result<String> {
    told(UdpSocket::bind("0.0.0.0:0").and_then(|socket| socket.send_to(b"hello", address)))
}

/// Connects many times to one peer, and says how often that went well.
#[node(category = "explorer")]
pub fn connect_many(address: String, #[input(default = 1, min = 0)] count: usize) -> Result<i64> {
    let open: Vec<_> = (0..count).map_while(|_| TcpStream::connect(&address).ok()).collect();
    Ok(open.len() as i64)
}
