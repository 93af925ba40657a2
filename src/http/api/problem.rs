//! RFC 9457: refusals of the API of administration.

use poem::http::StatusCode;
use poem_openapi::{ApiResponse, Object, payload::Json, types::ToJSON};

use crate::{
    flows::{Refused, Trouble},
    http::failure::{self, Challenge},
    protocol::Error,
};

/// What went wrong, for whoever wrote the program.
#[derive(Debug, Clone, Object)]
pub struct ProblemBody {
    /// What kind of problem it is: the name of the HTTP status.
    pub title: String,
    pub status: u16,
    /// A sentence about this request.
    pub detail: String,
    /// What is wrong with each member.
    #[oai(skip_serializing_if_is_empty)]
    pub errors: Vec<MemberError>,
    /// Names the run for `signet trace`.
    #[oai(skip_serializing_if_is_none)]
    pub trace_id: Option<String>,
}

/// What is wrong with one member of the request.
#[derive(Debug, Clone, Object)]
pub struct MemberError {
    pub member: String,
    pub why: String,
}

/// Every way in which the API refuses.
#[derive(ApiResponse)]
pub enum Problem {
    /// The request is wrong.
    #[oai(status = 400, content_type = "application/problem+json")]
    Invalid(Json<ProblemBody>, #[oai(header = "Cache-Control")] String),
    /// There is no access token, or it is not good (RFC 6750 §3).
    #[oai(status = 401, content_type = "application/problem+json")]
    Unauthenticated(
        Json<ProblemBody>,
        #[oai(header = "WWW-Authenticate")] String,
        #[oai(header = "Cache-Control")] String,
    ),
    /// The access token is good, but not for this.
    #[oai(status = 403, content_type = "application/problem+json")]
    Forbidden(Json<ProblemBody>, #[oai(header = "WWW-Authenticate")] String, #[oai(header = "Cache-Control")] String),
    /// There is no such thing.
    #[oai(status = 404, content_type = "application/problem+json")]
    NotFound(Json<ProblemBody>, #[oai(header = "Cache-Control")] String),
    /// It does not fit what is there.
    #[oai(status = 409, content_type = "application/problem+json")]
    Conflict(Json<ProblemBody>, #[oai(header = "Cache-Control")] String),
    /// The server's fault.
    #[oai(status = 500, content_type = "application/problem+json")]
    Broken(Json<ProblemBody>, #[oai(header = "Cache-Control")] String),
    /// A dependency is away, or the server is overloaded.
    #[oai(status = 503, content_type = "application/problem+json")]
    Unavailable(Json<ProblemBody>, #[oai(header = "Retry-After")] String, #[oai(header = "Cache-Control")] String),
}

impl Problem {
    fn of(error: &Error, trace_id: Option<String>) -> Self {
        if let Some(cause) = &error.cause {
            tracing::error!(%cause, trace_id, "a request failed");
        }
        let described = error.described();
        let body = |title, status| body(title, status, described.clone(), Vec::new(), trace_id.clone());
        let challenge = || failure::asked(Challenge::Administration, error.code, &described);
        match error.code.status() {
            401 => Problem::Unauthenticated(body("Unauthorized", 401), challenge(), no_store()),
            403 => Problem::Forbidden(body("Forbidden", 403), challenge(), no_store()),
            500 => Problem::Broken(body("Internal Server Error", 500), no_store()),
            503 => {
                let retry = error.retry_after.unwrap_or(5).to_string();
                Problem::Unavailable(body("Service Unavailable", 503), retry, no_store())
            }
            _ => Problem::Invalid(body("Bad Request", 400), no_store()),
        }
    }
}

fn body(
    title: &str,
    status: u16,
    detail: String,
    errors: Vec<MemberError>,
    trace_id: Option<String>,
) -> Json<ProblemBody> {
    Json(ProblemBody { title: title.to_owned(), status, detail, errors, trace_id })
}

/// A refusal that no handler had words for.
pub fn bare(status: StatusCode, detail: &str, trace_id: String) -> String {
    let title = status.canonical_reason().unwrap_or("Refused");
    body(title, status.as_u16(), detail.to_owned(), Vec::new(), Some(trace_id)).0.to_json_string()
}

fn no_store() -> String {
    "no-store".to_owned()
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        Problem::of(&refused.error, Some(refused.trace_id))
    }
}

impl From<Trouble> for Problem {
    fn from(trouble: Trouble) -> Self {
        let detail = trouble.to_string();
        match trouble {
            Trouble::NotFound(_) => Problem::NotFound(body("Not Found", 404, detail, Vec::new(), None), no_store()),
            Trouble::Conflict(_) => Problem::Conflict(body("Conflict", 409, detail, Vec::new(), None), no_store()),
            Trouble::Invalid(fields) => {
                let of = |field: &crate::flows::Field| MemberError {
                    member: field.name.to_owned(),
                    why: field.why.to_string(),
                };
                let errors = fields.iter().map(of).collect();
                Problem::Invalid(body("Bad Request", 400, detail, errors, None), no_store())
            }
            Trouble::Broken(error) => Problem::of(&error, None),
        }
    }
}
