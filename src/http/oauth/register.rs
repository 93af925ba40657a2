//! RFC 7591 and RFC 7592: clients that register themselves, JSON in and JSON out.

use poem::{
    FromRequest, Request, RequestBody,
    http::{HeaderValue, header},
    web::Data,
};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ApiResponse, ExtractParamOptions, OpenApi,
    param::Path,
    payload::Json,
    registry::{MetaMediaType, MetaRequest, MetaSchema, MetaSchemaRef, Registry},
    types::Any,
};
use serde_json::Value;

use super::{Topic, bearer};
use crate::{
    app::App,
    flows::{
        Refused,
        register::{self, Information},
        registration,
    },
    http::{
        address,
        failure::{Challenge, Failure},
    },
    protocol::Code,
};

pub struct Register;

#[OpenApi]
impl Register {
    /// Register a client.
    ///
    /// RFC 7591 §3.1, OpenID Connect Registration §3.1. Where the server asks for an initial access token, it is the
    /// Bearer token of the request.
    #[oai(path = "/oauth2/register", method = "post", tag = "Topic::Registration", operation_id = "register")]
    async fn register(&self, app: Data<&App>, request: &Request, document: Document) -> Result<Registration, Failure> {
        if !register::is_offered(&app) {
            return Ok(Registration::Absent);
        }
        let registered = register::register(&app, &asked(&app, request, Some(&document))).await.map_err(refusal)?;
        Ok(Registration::Created(told(registered), no_store()))
    }

    /// What is registered of a client, for the client itself (RFC 7592 §2.1).
    #[oai(
        path = "/oauth2/register/:client_id",
        method = "get",
        tag = "Topic::Registration",
        operation_id = "registration"
    )]
    async fn read(&self, app: Data<&App>, request: &Request, client_id: Path<String>) -> Result<Registration, Failure> {
        if !register::is_offered(&app) {
            return Ok(Registration::Absent);
        }
        let read = registration::read(&app, &client_id, &asked(&app, request, None)).await.map_err(refusal)?;
        Ok(Registration::Ok(told(read), no_store()))
    }

    /// Replace what is registered of a client (RFC 7592 §2.2). Members that are left out are taken away.
    #[oai(
        path = "/oauth2/register/:client_id",
        method = "put",
        tag = "Topic::Registration",
        operation_id = "replace_registration"
    )]
    async fn replace(
        &self,
        app: Data<&App>,
        request: &Request,
        client_id: Path<String>,
        document: Document,
    ) -> Result<Registration, Failure> {
        if !register::is_offered(&app) {
            return Ok(Registration::Absent);
        }
        let request = asked(&app, request, Some(&document));
        let replaced = registration::replace(&app, &client_id, &request).await.map_err(refusal)?;
        Ok(Registration::Ok(told(replaced), no_store()))
    }

    /// Remove a client with everything that was granted to it (RFC 7592 §2.3).
    #[oai(
        path = "/oauth2/register/:client_id",
        method = "delete",
        tag = "Topic::Registration",
        operation_id = "delete_registration"
    )]
    async fn remove(
        &self,
        app: Data<&App>,
        request: &Request,
        client_id: Path<String>,
    ) -> Result<Registration, Failure> {
        if !register::is_offered(&app) {
            return Ok(Registration::Absent);
        }
        registration::remove(&app, &client_id, &asked(&app, request, None)).await.map_err(refusal)?;
        Ok(Registration::Gone(no_store()))
    }
}

fn asked<'a>(app: &App, request: &'a Request, document: Option<&'a Document>) -> register::Request<'a> {
    let (bearer, address) = (bearer(app, request), address::counted(app, request));
    register::Request { bearer, address, body: document.and_then(|document| document.0.as_deref()) }
}

/// A token is asked for where one is missing; what is wrong with the metadata has nothing to do with tokens.
fn refusal(refused: Refused) -> Failure {
    let lacks_token = matches!(refused.error.code, Code::InvalidToken);
    Failure::of(refused, if lacks_token { Challenge::Bearer } else { Challenge::Basic })
}

fn told(information: Information) -> Json<Any<Value>> {
    Json(Any(information.into()))
}

fn no_store() -> String {
    "no-store".to_owned()
}

#[derive(ApiResponse)]
enum Registration {
    /// The client is registered: everything that applies to it, with its secret and its registration access token.
    #[oai(status = 201)]
    Created(Json<Any<Value>>, #[oai(header = "Cache-Control")] String),
    /// Everything that applies to the client.
    #[oai(status = 200)]
    Ok(Json<Any<Value>>, #[oai(header = "Cache-Control")] String),
    /// The client is gone.
    #[oai(status = 204)]
    Gone(#[oai(header = "Cache-Control")] String),
    /// Clients cannot register themselves at this server.
    #[oai(status = 404)]
    Absent,
}

/// The bytes of a JSON body; none when it is not said to be JSON. What is wrong in it, the flow finds.
pub struct Document(Option<Vec<u8>>);

impl<'a> ApiExtractor<'a> for Document {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];

    type ParamType = ();
    type ParamRawType = ();

    fn register(_: &mut Registry) {}

    fn request_meta() -> Option<MetaRequest> {
        let schema = MetaSchemaRef::Inline(Box::new(MetaSchema::new("object")));
        let content = vec![MetaMediaType { content_type: "application/json", schema }];
        Some(MetaRequest { description: Some("The client's metadata (RFC 7591 §2)."), content, required: true })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let kind = request.headers().get(header::CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
        let kind = kind.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
        if !kind.eq_ignore_ascii_case(b"application/json") {
            return Ok(Document(None));
        }
        Ok(Document(Some(<Vec<u8> as FromRequest>::from_request(request, body).await?)))
    }
}
