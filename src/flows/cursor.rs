//! Where a list goes on: a mark that this server alone can make, good for one person's list (case SEC-150).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use uuid::Uuid;

use crate::app::App;

/// The list of a person that a mark is for.
#[derive(Debug, Clone, Copy)]
pub struct List {
    pub name: &'static str,
    pub person: Uuid,
}

impl List {
    /// After this row.
    pub fn mark(self, app: &App, row: Uuid) -> String {
        let tag = app.macs.browser.tag(&self.parts(row.as_bytes()));
        URL_SAFE_NO_PAD.encode([row.as_bytes(), &tag[..]].concat())
    }

    /// Nothing, unless this server made it for this list.
    pub fn read(self, app: &App, mark: &str) -> Option<Uuid> {
        let bytes = URL_SAFE_NO_PAD.decode(mark).ok()?;
        let (row, tag) = bytes.split_first_chunk::<16>()?;
        app.macs.browser.verify(&self.parts(row), tag).then(|| Uuid::from_bytes(*row))
    }

    fn parts<'a>(&'a self, row: &'a [u8; 16]) -> [&'a [u8]; 4] {
        [b"cursor", self.name.as_bytes(), self.person.as_bytes(), row]
    }
}
