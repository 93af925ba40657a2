//! Who calls the API of accounts: somebody, or a person who is proven by their access token. No cookie is read here, so a
//! page of another site can do nothing in anybody's name (case SEC-151).

use poem::{FromRequest, Request, RequestBody, Result};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    registry::{MetaOAuthFlow, MetaOAuthFlows, MetaOAuthScope, MetaSecurityScheme, Registry},
};

use super::problem::Problem;
use crate::{
    app::App,
    flows::{
        account::me::Me,
        api_access,
        visitor::{Cookies, Visitor},
    },
    http::{address, oauth::bearer},
};

/// Where tools for APIs get a token for a name and a password. The contract names it, with the issuer's path before it.
pub const TOKEN_PATH: &str = "/api/v1/auth/token";

/// Whoever asks.
pub struct Caller(pub Visitor);

impl<'a> FromRequest<'a> for Caller {
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> Result<Self> {
        let app = request.data::<App>().expect("every request carries the app");
        Ok(Caller(Visitor::new(app, &Cookies::default(), address::device(app, request))))
    }
}

/// The person whose access token came along. It stands before the body among what an operation takes, so that nobody
/// else is told what is wrong with theirs.
pub struct Person {
    pub me: Me,
    pub visitor: Visitor,
}

/// The name and password of a person, at [`TOKEN_PATH`]; tools for APIs then send the token along.
const BY_PASSWORD: &str = "password";
/// A token that was got before (RFC 6750).
pub const BY_TOKEN: &str = "bearer";

const NO_SCHEME: MetaSecurityScheme = MetaSecurityScheme {
    ty: "http",
    description: None,
    name: None,
    key_in: None,
    scheme: None,
    bearer_format: None,
    flows: None,
    openid_connect_url: None,
};

pub fn register_by_token(registry: &mut Registry) {
    let scheme = MetaSecurityScheme {
        description: Some("An access token that was got before (RFC 6750)."),
        scheme: Some("bearer"),
        bearer_format: Some("JWT"),
        ..NO_SCHEME
    };
    registry.create_security_scheme(BY_TOKEN, scheme);
}

fn register_by_password(registry: &mut Registry) {
    let scope = MetaOAuthScope { name: "signet:account", description: Some("Run your own account.") };
    let (token_url, scopes) = (Some(TOKEN_PATH), vec![scope]);
    let password = MetaOAuthFlow { authorization_url: None, token_url, refresh_url: None, scopes };
    let flows =
        MetaOAuthFlows { implicit: None, password: Some(password), client_credentials: None, authorization_code: None };
    let scheme = MetaSecurityScheme {
        ty: "oauth2",
        description: Some("Your name and password. There is no client id, and no secret."),
        flows: Some(flows),
        ..NO_SCHEME
    };
    registry.create_security_scheme(BY_PASSWORD, scheme);
}

impl<'a> ApiExtractor<'a> for Person {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        register_by_password(registry);
        register_by_token(registry);
    }

    fn security_schemes() -> Vec<&'static str> {
        vec![BY_PASSWORD, BY_TOKEN]
    }

    async fn from_request(request: &'a Request, body: &mut RequestBody, _: ExtractParamOptions<()>) -> Result<Self> {
        let app = request.data::<App>().expect("every request carries the app");
        let Caller(visitor) = <Caller as FromRequest>::from_request(request, body).await?;
        match api_access::person(app, &bearer(app, request), visitor.device.clone()).await {
            Ok(me) => Ok(Person { me, visitor }),
            Err(refused) => Err(Problem::from(refused).into()),
        }
    }
}
