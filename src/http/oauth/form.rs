//! A form body kept as parameters: OAuth cares about repeats, which a struct would hide.

use poem::{FromRequest, Request, RequestBody, http::header};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    registry::{MetaMediaType, MetaRequest, MetaSchema, MetaSchemaRef, Registry},
};

use crate::{
    app::App,
    flows::Refused,
    http::{address, failure::Failure},
    protocol::{Code, Params, rule, trace::Kind},
};

/// `application/x-www-form-urlencoded`; anything else has no parameters.
pub struct Form {
    params: Params,
    is_form: bool,
}

impl Form {
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// # Errors
    /// When the body is of another kind (RFC 6749 §3.2).
    pub fn required(&self, app: &App, request: &Request, kind: Kind) -> Result<&Params, Failure> {
        if self.is_form {
            return Ok(&self.params);
        }
        let error =
            Code::InvalidRequest.because("the body must be application/x-www-form-urlencoded").under(&rule::PARAMETERS);
        Err(Failure::from(Refused::at_once(app, kind, address::counted(app, request), error)))
    }
}

pub fn is_form(request: &Request) -> bool {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

/// The limit on the body stands in [`super::super::outermost`]; text that is not UTF-8 is found by [`Params::check`].
pub async fn read(request: &Request, body: &mut RequestBody) -> poem::Result<Form> {
    if !is_form(request) {
        return Ok(Form { params: Params::default(), is_form: false });
    }
    let bytes = <Vec<u8> as FromRequest>::from_request(request, body).await?;
    Ok(Form { params: Params::parse(&String::from_utf8_lossy(&bytes)), is_form: true })
}

impl<'a> ApiExtractor<'a> for Form {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];

    type ParamType = ();
    type ParamRawType = ();

    fn register(_: &mut Registry) {}

    fn request_meta() -> Option<MetaRequest> {
        let schema = MetaSchemaRef::Inline(Box::new(MetaSchema::new("object")));
        let content = vec![MetaMediaType { content_type: "application/x-www-form-urlencoded", schema }];
        Some(MetaRequest { description: Some("The parameters of the specification."), content, required: true })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        read(request, body).await
    }
}
