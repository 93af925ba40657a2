//! The client's address: the peer's, or behind trusted proxies the rightmost hop that is not one of them.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use ipnet::IpNet;
use poem::{Request, http::header};

use crate::{
    app::{App, throttle},
    flows::visitor::Device,
};

/// What others forge counts for nothing: only the settings' proxies may speak for somebody else.
pub fn client(request: &Request, trusted: &[IpNet]) -> IpAddr {
    let peer = peer(request);
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(&address));
    if !is_trusted(peer) {
        return peer;
    }
    let forwarded = request.headers().get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
    let hops: Vec<&str> = forwarded.flat_map(|value| value.split(',')).map(str::trim).collect();
    let mut client = peer;
    for hop in hops.iter().rev() {
        // What cannot be read ends the chain that can be believed.
        let Some(address) = parse(hop) else { break };
        client = address;
        if !is_trusted(address) {
            break;
        }
    }
    client
}

/// The client's address as guesses are counted and events name it: IPv6 by its /64.
pub fn counted(app: &App, request: &Request) -> IpAddr {
    throttle::counted(client(request, &app.config.server.trusted_proxies))
}

/// What the request says of whoever sent it.
pub fn device(app: &App, request: &Request) -> Device {
    let user_agent = request.headers().get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    Device::new(client(request, &app.config.server.trusted_proxies), user_agent)
}

fn parse(hop: &str) -> Option<IpAddr> {
    let bare = hop.trim_start_matches('[').trim_end_matches(']');
    bare.parse().ok().or_else(|| hop.parse::<SocketAddr>().ok().map(|socket| socket.ip()))
}

/// Who is connected. A request that this server sent to itself comes from the loopback address.
fn peer(request: &Request) -> IpAddr {
    let address = request.remote_addr().as_socket_addr().map(SocketAddr::ip);
    match address.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)) {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(IpAddr::V6(v6), IpAddr::V4),
        v4 => v4,
    }
}
