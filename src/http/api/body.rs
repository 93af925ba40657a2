//! The one way in which JSON comes in. What is wrong with a body is said of each of its members (case SEC-162).

use std::marker::PhantomData;

use poem::{
    FromRequest, Request, RequestBody,
    http::{HeaderValue, header},
};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    registry::{MetaMediaType, MetaRequest, Registry},
    types::ParseFromJSON,
};
use serde_json::{Map, Value};

use super::{
    json::{self, Wrong},
    problem::Problem,
};
use crate::{
    app::App,
    flows::Refused,
    http::address,
    protocol::{Code, rule, trace::Kind},
};

/// An object with the members of `T` and no others. Where none is required, there may be no body.
pub struct Body<T>(pub T);

/// Some members of `T`, as they came.
pub struct Members<T>(pub Map<String, Value>, PhantomData<T>);

impl<'a, T: ParseFromJSON> ApiExtractor<'a> for Body<T> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        meta::<T>()
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let bytes = bytes(request, body).await?;
        json::read(&bytes).map(Body).map_err(|wrong| refusal(request, wrong).into())
    }
}

impl<'a, T: ParseFromJSON> ApiExtractor<'a> for Members<T> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        meta::<T>()
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let bytes = bytes(request, body).await?;
        json::some_of::<T>(&bytes)
            .map(|members| Members(members, PhantomData))
            .map_err(|wrong| refusal(request, wrong).into())
    }
}

fn meta<T: ParseFromJSON>() -> Option<MetaRequest> {
    let content = vec![MetaMediaType { content_type: "application/json", schema: T::schema_ref() }];
    Some(MetaRequest { description: None, content, required: true })
}

async fn bytes(request: &Request, body: &mut RequestBody) -> poem::Result<Vec<u8>> {
    let bytes = <Vec<u8> as FromRequest>::from_request(request, body).await?;
    match request.headers().get(header::CONTENT_TYPE) {
        None if bytes.is_empty() => Ok(b"{}".to_vec()),
        Some(kind) if is_json(kind) => Ok(bytes),
        // A form of another site can send three kinds of body, and this is none of them (case SEC-151).
        _ => Err(Problem::wrong_kind("the body must be application/json").into()),
    }
}

fn is_json(kind: &HeaderValue) -> bool {
    let kind = kind.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    kind.eq_ignore_ascii_case(b"application/json")
}

fn refusal(request: &Request, wrong: Wrong) -> Problem {
    let app = request.data::<App>().expect("every request carries the app");
    let (why, members) = match wrong {
        Wrong::Shape => ("the body must be a JSON object", Vec::new()),
        Wrong::Members(members) => ("the body is not what is asked for here", members),
    };
    let error = Code::InvalidRequest.because(why).under(&rule::PARAMETERS);
    let refused = Refused::at_once(app, Kind::Api, address::counted(app, request), error);
    Problem::of_members(refused, members)
}
