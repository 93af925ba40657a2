//! The app that asks, as every page of a sign-in shows it.

use super::{Destination, Link};
use crate::http::pages::view;

/// Name, picture and links of a client. The addresses are links only if they are safe to follow.
#[derive(Clone, Debug)]
pub struct ClientCard {
    pub name: String,
    pub logo: Option<Link>,
    pub home: Option<Link>,
    pub policy: Option<Link>,
    pub terms: Option<Link>,
    /// Where it leads, when it registered itself: nobody has checked that it is what it says (case SEC-089).
    pub unverified: Option<Destination>,
}

impl ClientCard {
    /// A client without picture and links. Without a name it is called by its id.
    pub fn new(name: Option<&str>, client_id: &str) -> Self {
        let name = name.map(str::trim).filter(|name| !name.is_empty()).unwrap_or(client_id);
        Self { name: name.to_owned(), logo: None, home: None, policy: None, terms: None, unverified: None }
    }

    /// The address of the picture that this server keeps of it: browsers see nobody else's.
    pub fn logo(self, path: Option<&str>) -> Self {
        Self { logo: path.and_then(Link::local), ..self }
    }

    pub fn home(self, uri: Option<&str>) -> Self {
        Self { home: uri.and_then(Link::web), ..self }
    }

    pub fn policy(self, uri: Option<&str>) -> Self {
        Self { policy: uri.and_then(Link::web), ..self }
    }

    pub fn terms(self, uri: Option<&str>) -> Self {
        Self { terms: uri.and_then(Link::web), ..self }
    }

    pub fn unverified(self, leads_to: Option<Destination>) -> Self {
        Self { unverified: leads_to, ..self }
    }

    pub fn initial(&self) -> String {
        view::initial(&self.name)
    }
}
