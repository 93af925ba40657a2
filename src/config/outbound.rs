//! `[outbound]`: what this server may reach by itself, such as the keys of clients.
use std::{fmt, path::PathBuf, sync::Arc};

use serde_json::Value;
use url::Host;

use super::{
    parse::{list, path},
    setting::{Fallback, Fault, Given, Parsed, Shown, section},
    tls::pem_file,
};

section! {
    /// Requests that this server makes.
    pub struct Outbound at "outbound." {
        /// Hosts that may be reached although they have a private address or plain http, which are refused otherwise so
        /// that nobody can make this server look around in its network. That goes for the documents of apps that register
        /// themselves too, so name hosts that may be asked by anybody. Names or addresses. Default: none.
        allow_hosts: Vec<HostName> = Fallback::Fixed(""), list(host);
        /// PEM files with certificates of authorities to trust besides those of the system. Default: none.
        root_certificates: Vec<RootCertificates> = Fallback::Fixed(""), list(root_certificates);
    }
}

/// A name or an address, in the form in which URLs have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostName(String);

impl HostName {
    /// As `Url::host_str` gives it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The three names of the machine itself.
    pub fn is_loopback(&self) -> bool {
        matches!(self.as_str(), "localhost" | "127.0.0.1" | "[::1]")
    }
}

impl Shown for HostName {
    fn show(&self) -> Value {
        self.0.as_str().into()
    }
}

pub(super) fn host(given: &Given<'_>) -> Parsed<HostName> {
    let refused =
        || Fault::new("this is not the name or address of a host", "write \"idp.internal\", \"10.0.0.5\" or \"[::1]\"");
    let text = given.value.as_str().filter(|text| !text.is_empty()).ok_or_else(refused)?;
    Host::parse(text).map(|host| HostName(host.to_string())).map_err(|_| refused())
}

/// A PEM file, in memory.
#[derive(Clone, PartialEq, Eq)]
pub struct RootCertificates {
    pub path: PathBuf,
    pub pem: Arc<[u8]>,
}

impl fmt::Debug for RootCertificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RootCertificates({})", self.path.display())
    }
}

impl Shown for RootCertificates {
    fn show(&self) -> Value {
        self.path.show()
    }
}

fn root_certificates(given: &Given<'_>) -> Parsed<RootCertificates> {
    let path = path(given)?;
    let pem = pem_file(&path, "CERTIFICATE-----")?.into();
    Ok(RootCertificates { path, pem })
}
