//! RFC 7517 §5: the public halves of the signing keys.

use poem::{Request, web::Data};
use poem_openapi::{OpenApi, payload::PlainText};

use super::{Published, Topic, published};
use crate::{app::App, flows::discover};

pub struct Jwks;

/// How long apps may keep the keys, in seconds: far less than a new key is announced.
const KEEP: u32 = 300;

#[OpenApi]
impl Jwks {
    /// The keys that tokens of this server are signed with.
    #[oai(path = "/oauth2/jwks", method = "get", tag = "Topic::Discovery", operation_id = "jwks")]
    async fn jwks(&self, app: Data<&App>, request: &Request) -> Published {
        match discover::keys(&app) {
            Ok(document) => published(request, document, KEEP),
            Err(error) => Published::Unavailable(PlainText(error.described())),
        }
    }
}
