//! AD7: the life of the keys, from announced to removed, and who has fetched them.

mod api;
mod automatic;
mod emergency;
mod life;
mod nodes;
mod readers;

use std::collections::BTreeSet;

use serde_json::Value;
use signet::{
    app::App,
    flows::admin::keys::{self, SigningKey},
};

use crate::harness::{Call, Fixtures, Parameters, Tokens, jwt::Token, relying_party::JWKS};

/// What the server publishes: the kids.
async fn published(f: &Fixtures) -> BTreeSet<String> {
    let keys = f.site.send(Call::get(JWKS)).await.json();
    keys["keys"].as_array().unwrap().iter().map(|key| text(&key["kid"])).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_string()
}

/// A token that a machine gets for itself.
async fn token(f: &Fixtures) -> String {
    Tokens::of(&f.c5.token(Parameters::new(&[("grant_type", "client_credentials")])).await).access
}

/// The key that signs.
async fn signer(f: &Fixtures) -> String {
    Token::read(&token(f).await).kid().to_string()
}

async fn key(app: &App, kid: &str) -> SigningKey {
    keys::all(app).await.unwrap().into_iter().find(|key| key.kid == kid).expect("a known key")
}
