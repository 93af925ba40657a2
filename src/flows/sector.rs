//! OpenID Connect Registration §5: the document at `sector_identifier_uri` names every redirect URI of the clients that
//! share pairwise subjects, so nobody joins a sector that is not theirs.

use serde_json::Value;
use url::Url;

use crate::{
    app::App,
    protocol::{
        Error,
        client_metadata::ClientMetadata,
        register, rule,
        trace::{Shown, Trace},
    },
};

const MEMBER: &str = "sector_identifier_uri";

/// Why a client is not of the sector that it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stranger {
    /// With the cause, which is not for whoever named the address.
    Unreachable(String),
    NotAList,
    /// A redirect URI that the document lacks.
    Lacks(String),
}

impl Stranger {
    /// What is wrong, with nothing about what answers at the address.
    pub fn told(&self) -> String {
        match self {
            // One sentence for both: what an address answers is not for whoever named it.
            Stranger::Unreachable(_) | Stranger::NotAList => "no JSON array of texts could be fetched there".to_owned(),
            Stranger::Lacks(uri) => format!("the document does not name {uri}"),
        }
    }

    /// The same, for the operator.
    pub fn explained(&self) -> String {
        match self {
            Stranger::Unreachable(cause) => format!("the document could not be fetched: {cause}"),
            Stranger::NotAList => "the document is not a JSON array of texts".to_owned(),
            Stranger::Lacks(_) => self.told(),
        }
    }
}

/// # Errors
/// When the client names a sector that is not its own.
pub async fn check(app: &App, metadata: &ClientMetadata) -> Result<(), Stranger> {
    let Some(uri) = &metadata.sector_identifier_uri else { return Ok(()) };
    let url = Url::parse(uri).map_err(|error| Stranger::Unreachable(error.to_string()))?;
    let fetched = app.outbound.get_json(&url).await;
    let fetched = fetched.map_err(|error| Stranger::Unreachable(error.cause().to_owned()))?;
    let listed = fetched.json.as_array().ok_or(Stranger::NotAList)?;
    if !listed.iter().all(Value::is_string) {
        return Err(Stranger::NotAList);
    }
    let is_listed = |uri: &&String| listed.iter().any(|listed| listed.as_str() == Some(uri));
    match metadata.redirect_uris.iter().find(|uri| !is_listed(uri)) {
        Some(uri) => Err(Stranger::Lacks(uri.clone())),
        None => Ok(()),
    }
}

/// The same for a client that registers itself: the trace has the whole truth, the answer what strangers may know.
///
/// # Errors
/// `invalid_client_metadata`.
pub async fn check_traced(app: &App, metadata: &ClientMetadata, trace: &mut Trace) -> Result<(), Error> {
    let uri = metadata.sector_identifier_uri.as_deref().map(Shown::foreign_uri);
    match check(app, metadata).await {
        Ok(()) => {
            if let Some(uri) = uri {
                trace.passed(&rule::SECTOR, Some(uri));
            }
            Ok(())
        }
        Err(stranger) => {
            let error = register::refusal(&[(MEMBER, stranger.told())]).under(&rule::SECTOR);
            let fetched = uri.as_ref().map_or("", Shown::as_str);
            Err(error.received(Shown::cause(&format!("{fetched}: {}", stranger.explained()))))
        }
    }
}
