//! `/api/v1/me/export`, and the end of an account: what data protection asks for (requirement AC11).

use std::io;

use futures_util::TryStreamExt;
use poem::web::Data;
use poem_openapi::{ApiResponse, Object, OpenApi, payload::Binary};

use crate::{
    app::App,
    flows::account::{deletion::Planned, export},
    http::{
        api::{person::Person, problem::Problem},
        oauth::Topic,
    },
};

pub struct OwnData;

#[OpenApi(prefix_path = "/api/v1/me", tag = "Topic::Account")]
impl OwnData {
    /// All that is kept of the person, in one document. It is written piece by piece; an answer that breaks off is not
    /// whole.
    #[oai(path = "/export", method = "get", operation_id = "export_me")]
    async fn export(&self, app: Data<&App>, person: Person) -> Result<Document, Problem> {
        let pieces = export::begin(&app, &person.me).await?.pieces();
        let bytes = pieces.map_err(|trouble| {
            tracing::error!(%trouble, "an export broke off");
            io::Error::other("the export broke off")
        });
        let body = poem::Body::from_bytes_stream(bytes.map_ok(String::into_bytes));
        let name = "attachment; filename=\"my-account.json\"".to_owned();
        Ok(Document::Ok(Binary(body), name, "no-store".to_owned()))
    }
}

#[derive(Object)]
pub struct DeletionBody {
    /// Who has none needs a sign-in some minutes ago at most (`second_factor.fresh`).
    pub current_password: Option<String>,
}

#[derive(Object)]
pub struct DeletedBody {
    /// `deleted`, or `deletion_planned`.
    status: String,
    /// When it goes for good, in seconds since 1970.
    delete_at: Option<i64>,
}

impl From<Planned> for DeletedBody {
    fn from(planned: Planned) -> Self {
        let (status, delete_at) = match planned {
            Planned::Gone => ("deleted", None),
            Planned::At(at) => ("deletion_planned", Some(at)),
        };
        DeletedBody { status: status.to_owned(), delete_at }
    }
}

#[derive(ApiResponse)]
enum Document {
    /// The document.
    #[oai(
        status = 200,
        content_type = "application/json",
        actual_type = "poem_openapi::payload::Json<poem_openapi::types::Any<serde_json::Value>>"
    )]
    Ok(Binary<poem::Body>, #[oai(header = "Content-Disposition")] String, #[oai(header = "Cache-Control")] String),
}
