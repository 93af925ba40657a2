//! RFC 7517 §5: the public halves of the signing keys.

use poem::{Request, http::Method, web::Data};
use poem_openapi::{OpenApi, payload::PlainText};

use super::{Published, Topic, authorization, published, user_agent};
use crate::{
    app::App,
    flows::{discover, readers},
    http::address,
};

pub struct Jwks;

#[OpenApi]
impl Jwks {
    /// The keys that tokens of this server are signed with.
    ///
    /// Anybody may fetch them. A client that sends its id and secret by HTTP Basic is remembered as having fetched the
    /// keys of that moment, for `signet keys status`; the answer is the same without.
    #[oai(path = "/oauth2/jwks", method = "get", tag = "Topic::Discovery", operation_id = "jwks")]
    async fn jwks(&self, app: Data<&App>, request: &Request) -> Published {
        let document = match discover::keys(&app) {
            Ok(document) => document,
            Err(error) => return Published::Unavailable(PlainText(error.described())),
        };
        // Whoever asks for the headers alone has not got the keys.
        if request.method() == Method::GET {
            let address = address::counted(&app, request);
            readers::fetched(&app, address, user_agent(request), authorization(request));
        }
        published(request, document, app.config.keys.kept().get())
    }
}
