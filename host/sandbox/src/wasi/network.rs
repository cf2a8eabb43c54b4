//! `wasi:sockets`: TCP connections to granted endpoints, and nothing else.
//!
//! An endpoint is a host and a port. A host that is an address means that address. One that is a
//! name means the addresses that a look-up in the same run gave for it, as far as they are public:
//! who owns a name decides where it leads, and that is not to be the operator's own machine or its
//! network. Those are granted by address, and this machine also as `localhost`. Other names are
//! not looked up at all, since a question is a message, too. Nothing is bound, listened to or
//! accepted, no datagram leaves, and a rehearsal connects to nothing.
//!
//! Every use that is denied is noted in the audit trail, as the endpoint that would be needed; a
//! look-up has the port 0. A hundred of them a run are enough to see what it is after.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use wasmtime::component::Resource;
use wasmtime_wasi::p2::bindings::sockets::network::{self, ErrorCode, IpAddress, IpAddressFamily};
use wasmtime_wasi::p2::bindings::sockets::{ip_name_lookup, tcp_create_socket};
use wasmtime_wasi::p2::{
    DynPollable, IoError, Network as Handle, Pollable, SocketError, SocketResult, TcpSocket,
};
use wasmtime_wasi::sockets::{SocketAddrUse, WasiSocketsView};

use super::wait::wait;
use crate::plugin::Plugin;
use crate::rights::{Endpoint, Right};
use crate::state::State;

/// What is noted of one run.
const MOST_NOTED: u32 = 100;

/// Addresses that a run's names may lead to.
const MOST_KNOWN: usize = 1024;

/// Longest name that there is.
const LONGEST_NAME: usize = 253;

/// What a run may connect to.
pub(super) struct Network {
    plugin: Arc<Plugin>,
    endpoints: Vec<Endpoint>,
    /// Which names led to which addresses.
    known: Mutex<HashSet<(String, IpAddr)>>,
    noted: AtomicU32,
}

impl Network {
    pub(super) fn new(plugin: Arc<Plugin>, endpoints: Vec<Endpoint>) -> Self {
        Self { plugin, endpoints, known: Mutex::default(), noted: AtomicU32::new(0) }
    }

    /// Whether there is anything to connect to.
    pub(super) fn is_there(&self) -> bool {
        !self.endpoints.is_empty()
    }

    /// Whether a socket may be used like this.
    pub(super) fn allows(&self, address: SocketAddr, usage: SocketAddrUse) -> bool {
        match usage {
            SocketAddrUse::TcpConnect => {
                let fits = self.endpoints.iter().any(|endpoint| self.means(endpoint, address));
                if !fits {
                    let host = address.ip().to_string();
                    self.note(Endpoint { host, port: address.port() });
                }
                fits
            }
            // What every connection does implicitly.
            SocketAddrUse::TcpBind => address.ip().is_unspecified() && address.port() == 0,
            _ => false,
        }
    }

    fn means(&self, endpoint: &Endpoint, address: SocketAddr) -> bool {
        let host = &endpoint.host;
        let known = || {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            known.contains(&(host.clone(), address.ip()))
        };
        endpoint.port == address.port()
            && match host.parse::<IpAddr>() {
                Ok(literal) => literal == address.ip(),
                Err(_) => known(),
            }
    }

    /// The granted host that a name is, if it is one.
    fn host(&self, name: &str) -> Option<&str> {
        if name.len() > LONGEST_NAME {
            return None;
        }
        let address = name.parse::<IpAddr>().ok();
        let is = |endpoint: &&Endpoint| {
            endpoint.host.eq_ignore_ascii_case(name)
                || address.is_some() && endpoint.host.parse::<IpAddr>().ok() == address
        };
        self.endpoints.iter().find(is).map(|endpoint| endpoint.host.as_str())
    }

    /// A name led to an address. Whether that may be connected to.
    fn learn(&self, host: &str, address: IpAddr) {
        let leads = if host == "localhost" { address.is_loopback() } else { is_public(address) };
        if leads {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            if known.len() < MOST_KNOWN {
                known.insert((host.to_owned(), address));
            }
        }
    }

    fn note(&self, endpoint: Endpoint) {
        if let Err(denied) = self.plugin.rights().check(Right::Network(endpoint))
            && self.noted.fetch_add(1, Ordering::Relaxed) < MOST_NOTED
        {
            self.plugin.subject().denied(&denied, self.plugin.sandbox().denials());
        }
    }
}

/// Whether an address is one of the internet's, and not of this machine or the network around it.
fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            let special = address.is_private()
                || address.is_loopback()
                || address.is_link_local()
                || address.is_multicast()
                || address.is_documentation()
                || a == 0
                || a >= 240
                || (a == 100 && (64..128).contains(&b))
                || (a, b, c) == (192, 0, 0)
                || (a == 198 && (18..20).contains(&b));
            !special
        }
        IpAddr::V6(address) => match address.segments() {
            // Tunnels, which carry an IPv4 address, and documentation.
            [0x2001, 0 | 0x0db8, ..] => false,
            [0x2002, high, low, ..] => {
                let [a, b] = high.to_be_bytes();
                let [c, d] = low.to_be_bytes();
                is_public(Ipv4Addr::new(a, b, c, d).into())
            }
            [first, ..] => first & 0xe000 == 0x2000 && address != Ipv6Addr::UNSPECIFIED,
        },
    }
}

impl ip_name_lookup::Host for State {
    /// Looks a name up, and waits for the answer: a run has one question open at a time.
    fn resolve_addresses(
        &mut self,
        network: Resource<Handle>,
        name: String,
    ) -> SocketResult<Resource<ip_name_lookup::ResolveAddressStream>> {
        let Some(host) = self.wasi.network.host(&name).map(str::to_owned) else {
            self.wasi.network.note(Endpoint { host: crate::text::plain(&name).into(), port: 0 });
            return Err(ErrorCode::AccessDenied.into());
        };
        let sockets = &mut self.sockets();
        let answer = ip_name_lookup::Host::resolve_addresses(sockets, network, host.clone())?;
        let cancel = &self.context.cancel;
        wait(cancel, self.table.get_mut(&answer)?.ready()).map_err(SocketError::trap)?;
        self.wasi.lookups.insert(answer.rep(), host);
        Ok(answer)
    }
}

impl ip_name_lookup::HostResolveAddressStream for State {
    fn resolve_next_address(
        &mut self,
        answer: Resource<ip_name_lookup::ResolveAddressStream>,
    ) -> SocketResult<Option<IpAddress>> {
        let rep = answer.rep();
        let sockets = &mut self.sockets();
        let next = ip_name_lookup::HostResolveAddressStream::resolve_next_address(sockets, answer)?;
        if let (Some(address), Some(host)) = (&next, self.wasi.lookups.get(&rep)) {
            self.wasi.network.learn(host, standard(address));
        }
        Ok(next)
    }

    fn subscribe(
        &mut self,
        answer: Resource<ip_name_lookup::ResolveAddressStream>,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        ip_name_lookup::HostResolveAddressStream::subscribe(&mut self.sockets(), answer)
    }

    fn drop(
        &mut self,
        answer: Resource<ip_name_lookup::ResolveAddressStream>,
    ) -> wasmtime::Result<()> {
        self.wasi.lookups.remove(&answer.rep());
        ip_name_lookup::HostResolveAddressStream::drop(&mut self.sockets(), answer)
    }
}

fn standard(address: &IpAddress) -> IpAddr {
    match *address {
        IpAddress::Ipv4((a, b, c, d)) => Ipv4Addr::new(a, b, c, d).into(),
        IpAddress::Ipv6((a, b, c, d, e, f, g, h)) => Ipv6Addr::new(a, b, c, d, e, f, g, h).into(),
    }
}

impl network::Host for State {
    fn convert_error_code(&mut self, error: SocketError) -> wasmtime::Result<ErrorCode> {
        network::Host::convert_error_code(&mut self.sockets(), error)
    }

    fn network_error_code(
        &mut self,
        error: Resource<IoError>,
    ) -> wasmtime::Result<Option<ErrorCode>> {
        network::Host::network_error_code(&mut self.sockets(), error)
    }
}

impl network::HostNetwork for State {
    fn drop(&mut self, network: Resource<Handle>) -> wasmtime::Result<()> {
        network::HostNetwork::drop(&mut self.sockets(), network)
    }
}

impl tcp_create_socket::Host for State {
    fn create_tcp_socket(&mut self, family: IpAddressFamily) -> SocketResult<Resource<TcpSocket>> {
        if !self.may_open() {
            return Err(ErrorCode::NewSocketLimit.into());
        }
        tcp_create_socket::Host::create_tcp_socket(&mut self.sockets(), family)
    }
}

#[cfg(test)]
mod tests {
    use super::is_public;

    #[test]
    fn a_name_does_not_lead_into_the_operators_own_network() {
        for address in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "255.255.255.255",
            "224.0.0.1",
            "::1",
            "::",
            "::ffff:127.0.0.1",
            "fe80::1",
            "fd00::1",
            "ff02::1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2001:0:1::",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
        for address in ["1.1.1.1", "172.32.0.1", "2606:4700::1111", "::ffff:1.1.1.1"] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }
}
