//! OpenID Connect Discovery §4, RFC 8414 §3: where apps begin.

use poem::{IntoResponse, Request, Response, handler, web::Data};
use poem_openapi::{OpenApi, payload::PlainText};

use super::{Published, Topic, published};
use crate::{
    app::{App, text},
    flows::discover,
};

pub struct Discovery;

/// How long apps may keep the document, in seconds.
const KEEP: i64 = 300;

#[OpenApi]
impl Discovery {
    /// What this server can do.
    #[oai(
        path = "/.well-known/openid-configuration",
        method = "get",
        tag = "Topic::Discovery",
        operation_id = "openid_configuration"
    )]
    async fn openid(&self, app: Data<&App>, request: &Request) -> Published {
        document(&app, request).await
    }

    /// The same document, under its OAuth 2 name.
    #[oai(
        path = "/.well-known/oauth-authorization-server",
        method = "get",
        tag = "Topic::Discovery",
        operation_id = "oauth_authorization_server"
    )]
    async fn oauth(&self, app: Data<&App>, request: &Request) -> Published {
        document(&app, request).await
    }
}

async fn document(app: &App, request: &Request) -> Published {
    let locales: Vec<&'static str> = text::languages().iter().map(text::Texts::tag).collect();
    match discover::metadata(app, &locales).await {
        Ok(document) => published(request, document, KEEP),
        Err(error) => Published::Unavailable(PlainText(error.described())),
    }
}

/// For an issuer with a path (RFC 8414 §3.1).
#[handler]
pub async fn inserted(app: Data<&App>, request: &Request) -> Response {
    document(&app, request).await.into_response()
}
