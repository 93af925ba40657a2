//! The endpoints that apps call: form in, JSON out.

pub mod discovery;
pub mod federation;
pub mod form;
pub mod introspect;
pub mod jwks;
pub mod register;
pub mod revoke;
pub mod token;
pub mod userinfo;

use poem::{Request, http::header};
use poem_openapi::{ApiResponse, OpenApi, Tags, payload::PlainText};

use super::address;
use crate::{
    app::App,
    flows::{client_auth::Presented, userinfo::Bearer},
    protocol::Params,
};

/// How the contract is divided.
#[derive(Tags)]
pub enum Topic {
    /// How apps find out what this server can do.
    Discovery,
    /// How apps get and use tokens.
    Tokens,
    /// How apps register themselves, where the operator lets them.
    Registration,
    /// How people come in and out by JSON, and how they get an account.
    Authentication,
    /// What people do with their own account by JSON: with an access token of theirs.
    Account,
    /// How operators' machines administer the server: with an access token of the scope `signet:admin`.
    Administration,
    /// How operators see that the server is well.
    Health,
}

/// All of them.
pub fn apis() -> impl OpenApi {
    (
        (token::Token, userinfo::Userinfo, introspect::Introspect, revoke::Revoke),
        (discovery::Discovery, jwks::Jwks, register::Register, federation::Federation),
    )
}

/// The client's proof and parameters.
fn presented<'a>(app: &App, request: &'a Request, params: &'a Params) -> Presented<'a> {
    let user_agent = user_agent(request);
    Presented { authorization: authorization(request), params, address: address::counted(app, request), user_agent }
}

fn user_agent(request: &Request) -> &str {
    request.headers().get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn authorization(request: &Request) -> Option<&str> {
    // Several headers are no proof at all; the flow refuses what it cannot read.
    let mut headers = request.headers().get_all(header::AUTHORIZATION).iter();
    match (headers.next(), headers.next()) {
        (None, _) => None,
        (Some(one), None) => Some(one.to_str().unwrap_or("(not text)")),
        (Some(_), Some(_)) => Some("(several)"),
    }
}

/// The access token of a request, if it is in a header (RFC 6750 §2.1).
pub fn bearer<'a>(app: &App, request: &'a Request) -> Bearer<'a> {
    let headers = request.headers().get_all(header::AUTHORIZATION).iter();
    let headers = headers.map(|value| value.to_str().unwrap_or_default()).collect();
    Bearer { headers, form: None, address: Some(address::counted(app, request)) }
}

/// A document that has not changed, or its bytes.
#[derive(ApiResponse)]
pub enum Published {
    /// The document.
    #[oai(
        status = 200,
        content_type = "application/json",
        actual_type = "poem_openapi::payload::Json<poem_openapi::types::Any<serde_json::Value>>"
    )]
    Body(
        poem_openapi::payload::Binary<poem::Body>,
        #[oai(header = "ETag")] String,
        #[oai(header = "Cache-Control")] String,
    ),
    /// The document that the caller has is the current one.
    #[oai(status = 304)]
    Unchanged(#[oai(header = "ETag")] String, #[oai(header = "Cache-Control")] String),
    /// It cannot be made now.
    #[oai(status = 503)]
    Unavailable(PlainText<String>),
}

/// RFC 9110 §13.1.2. `seconds`: how long it may be kept.
fn published(request: &Request, document: crate::app::cache::Document, seconds: i64) -> Published {
    let known = request.headers().get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let etag = document.etag.to_string();
    let keep = format!("public, max-age={seconds}");
    if known.split(',').any(|tag| tag.trim().trim_start_matches("W/") == etag || tag.trim() == "*") {
        return Published::Unchanged(etag, keep);
    }
    Published::Body(poem_openapi::payload::Binary(document.bytes().into()), etag, keep)
}
