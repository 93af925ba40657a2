//! OpenID Connect Core §8: what a client calls a person. Public: the person's id. Pairwise: another value for each sector,
//! so that two apps cannot find out that they know the same person.

use uuid::Uuid;

use crate::{app::App, crypto::pairwise::PairwiseKey, store::client::Client};

/// The `sub` of a person at a client.
pub fn of(app: &App, client: &Client, user: Uuid) -> String {
    match key(app, client) {
        Some(key) => key.subject(user.as_bytes()),
        None => user.to_string(),
    }
}

/// Whom a client means by a `sub`; nobody's here if it is none of ours.
pub fn person(app: &App, client: &Client, sub: &str) -> Option<Uuid> {
    match key(app, client) {
        Some(key) => key.person(sub).map(Uuid::from_bytes),
        None => Uuid::try_parse(sub).ok(),
    }
}

/// What a client calls a session (OpenID Connect Front-Channel Logout §3, `sid`): each its own name, for two apps that
/// compare theirs would know that they have the same person before them.
pub fn sid(app: &App, client_id: &str, session: Uuid) -> String {
    session_key(app, client_id).subject(session.as_bytes())
}

/// The session that a client means by a `sid`.
pub fn session(app: &App, client_id: &str, sid: &str) -> Option<Uuid> {
    session_key(app, client_id).person(sid).map(Uuid::from_bytes)
}

fn session_key(app: &App, client_id: &str) -> PairwiseKey {
    PairwiseKey::from_bytes(app.macs.pairwise.tag(&[b"sid", client_id.as_bytes()]))
}

fn key(app: &App, client: &Client) -> Option<PairwiseKey> {
    let sector = client.metadata.is_pairwise().then(|| client.metadata.sector())??;
    Some(PairwiseKey::from_bytes(app.macs.pairwise.tag(&[b"sector", sector.as_bytes()])))
}
