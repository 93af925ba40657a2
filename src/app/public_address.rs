//! Which addresses anybody may be sent to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

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
