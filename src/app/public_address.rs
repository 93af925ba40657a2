//! Where a request may go whose address a stranger chose.

use std::{
    collections::HashSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use url::{Host, Url};

use super::outbound::{OutboundError, failed};

/// Hosts that the operator trusts with http and private addresses.
pub(super) struct Allowed(HashSet<String>);

/// One spelling: no brackets, no last dot, lower case.
fn plain(host: &str) -> String {
    host.trim_matches(['[', ']']).trim_end_matches('.').to_ascii_lowercase()
}

impl Allowed {
    pub(super) fn new(hosts: &[String]) -> Self {
        Allowed(hosts.iter().map(|host| plain(host)).collect())
    }

    pub(super) fn has(&self, host: &str) -> bool {
        self.0.contains(&plain(host))
    }

    /// What can be judged before a name is looked up. A literal address never comes to the resolver.
    pub(super) fn check(&self, url: &Url) -> Result<String, OutboundError> {
        let Some(host) = url.host() else { return Err(failed("the address has no host")) };
        let name = host.to_string();
        if !url.username().is_empty() || url.password().is_some() {
            return Err(failed("the address has a user name or password"));
        }
        if self.has(&name) && matches!(url.scheme(), "https" | "http") {
            return Ok(name);
        }
        if url.scheme() != "https" {
            return Err(failed("the address is not https"));
        }
        let literal = match host {
            Host::Domain(_) => None,
            Host::Ipv4(address) => Some(IpAddr::V4(address)),
            Host::Ipv6(address) => Some(IpAddr::V6(address)),
        };
        match literal {
            Some(address) if !is_public(address) => Err(failed(format!("{address} is not a public address"))),
            _ => Ok(name),
        }
    }
}

/// Whether an address belongs to the public Internet, by the IANA special-purpose registries (RFC 6890).
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !matches!(
        (a, b, c),
        (0 | 10 | 127 | 224.., _, _) // this network, private, loopback, multicast and reserved
            | (100, 64..=127, _) // carrier-grade NAT
            | (169, 254, _) // link-local, with the metadata services of clouds
            | (172, 16..=31, _) | (192, 168, _) // private
            | (192, 0, 0 | 2) | (192, 88, 99) // protocol assignments, documentation, 6to4 relays
            | (198, 18 | 19, _) | (198, 51, 100) | (203, 0, 113) // benchmarks, documentation
    )
}

/// Only 2000::/3 is given out as global; in it lie the tunnels, which carry IPv4 addresses, and documentation.
fn is_public_v6(address: Ipv6Addr) -> bool {
    match address.segments() {
        [0x2001, 0..=0x01ff | 0x0db8, ..] | [0x2002, ..] | [0x3fff, 0..=0x0fff, ..] => false,
        [first, ..] => first & 0xe000 == 0x2000,
    }
}
