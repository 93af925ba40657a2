//! The settings at the top of the file: who we are and where we listen.
use std::{net::SocketAddr, path::PathBuf};

use ipnet::IpNet;
use serde_json::Value;

use super::{
    issuer::{Issuer, issuer},
    parse::{list, network, path, switch},
    reader::Reader,
    setting::{Fallback, Fault, Given, Parsed, Shown, section},
};

section! {
    /// The keys above the first table.
    pub struct Server at "" {
        /// Where the state lies that is not in the database: the master key and, unless `database.url` says otherwise,
        /// the SQLite file. Created at the first start, for its owner only. Default: `data` in the working folder.
        data_dir: PathBuf = Fallback::Fixed("data"), path;
        /// The address and port to listen on. Default: 127.0.0.1:8080, which only this machine can reach.
        listen: Listen = Fallback::Fixed("127.0.0.1:8080"), listen;
        /// The URL by which the world knows this server, and which every token names: https, without query and
        /// fragment; http is allowed for localhost, 127.0.0.1 and `[::1]`. It may have a path. Kept as written.
        /// Default: localhost and the port of `listen`, https if `tls` is set.
        issuer: Issuer = Fallback::Derived(default_issuer), issuer;
        /// Whether requests are throttled. `off` is for benchmarks and certification. Default: on.
        limits: bool = Fallback::Fixed("on"), switch;
        /// The networks of the proxies in front of this server, whose X-Forwarded-For is believed. Default: none.
        trusted_proxies: Vec<IpNet> = Fallback::Fixed(""), list(network);
    }
}

/// An address and a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listen(SocketAddr);

impl Listen {
    pub fn address(self) -> SocketAddr {
        self.0
    }
}

impl Shown for Listen {
    fn show(&self) -> Value {
        self.0.to_string().into()
    }
}

fn listen(given: &Given<'_>) -> Parsed<Listen> {
    const EXAMPLE: &str = "write address:port, like \"127.0.0.1:8080\", \"0.0.0.0:8080\" or \"[::]:8080\"";
    let address = given.value.as_str().and_then(|text| text.parse().ok());
    address.map(Listen).ok_or_else(|| Fault::new("the value is not an address with a port", EXAMPLE))
}

fn default_issuer(reader: &Reader<'_>) -> Option<String> {
    let port = reader.shown("listen")?.parse::<SocketAddr>().ok()?.port();
    let (scheme, usual) = if reader.is_given("tls.certificate") { ("https", 443) } else { ("http", 80) };
    Some(if port == usual { format!("{scheme}://localhost") } else { format!("{scheme}://localhost:{port}") })
}

impl Server {
    /// What goes together, and what should be known at every start.
    pub(super) fn check(&self, reader: &mut Reader<'_>, tls: bool) {
        if self.listen.address().port() == 0 && !reader.is_given("issuer") {
            reader.refuse(
                "listen",
                "port 0 lets the system choose, and the issuer would not know it",
                "set issuer too",
            );
        }
        if tls && !self.issuer.is_https() {
            reader.refuse(
                "issuer",
                "the issuer is http, but tls is set and the server speaks https only",
                "write https://",
            );
        }
        if !self.issuer.is_https() {
            reader.warn("issuer", "plain http: for development on this machine only");
        }
        if !self.limits {
            reader.warn("limits", "requests are not throttled: for benchmarks and certification only");
        }
        if self.trusted_proxies.iter().any(|network| network.prefix_len() == 0) {
            reader.warn(
                "trusted_proxies",
                "every address is trusted as a proxy: anybody can pretend to come from anywhere",
            );
        }
    }
}
