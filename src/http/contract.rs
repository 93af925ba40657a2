//! The contract of every JSON and form endpoint, from the handlers (OpenAPI 3.0), and the endpoints themselves. What is
//! not offered is in neither (decision D16).

use poem::{EndpointExt, IntoEndpoint, Response, endpoint::BoxEndpoint};
use poem_openapi::{OpenApi, OpenApiService};

use super::{
    api::{self, person::TOKEN_PATH},
    health, oauth,
};

#[derive(Debug, Clone)]
pub struct Contract {
    /// The issuer's path.
    pub base: String,
    /// Whether people use the JSON API (`accounts.api`).
    pub accounts: bool,
}

/// The same for each of the two services, whose types differ.
macro_rules! with {
    ($contract:expr, $service:ident => $work:expr) => {
        if $contract.accounts {
            let $service =
                described((oauth::apis(), api::accounts(), api::administration(), health::Health), $contract);
            $work
        } else {
            let $service = described((oauth::apis(), api::administration(), health::Health), $contract);
            $work
        }
    };
}

fn described<T: OpenApi>(apis: T, contract: &Contract) -> OpenApiService<T, ()> {
    OpenApiService::new(apis, "Signet", env!("CARGO_PKG_VERSION"))
        .description("OAuth 2 and OpenID Connect endpoints, and accounts by JSON. Pages for people are not listed.")
        .url_prefix(&contract.base)
}

impl Contract {
    pub fn endpoint(&self) -> BoxEndpoint<'static, Response> {
        with!(self, service => service.into_endpoint().map_to_response().boxed())
    }

    pub fn yaml(&self) -> String {
        self.rooted(with!(self, service => service.spec_yaml()))
    }

    pub fn swagger(&self) -> String {
        self.rooted(with!(self, service => service.swagger_ui_html()))
    }

    pub fn redoc(&self) -> String {
        self.rooted(with!(self, service => service.redoc_html()))
    }

    /// Where tokens are got is written by hand, so the issuer's path must be put before it by hand.
    fn rooted(&self, text: String) -> String {
        let Contract { base, .. } = self;
        if base.is_empty() {
            return text;
        }
        [("tokenUrl: ", ""), ("\"tokenUrl\": \"", "\"")].into_iter().fold(text, |text, (before, after)| {
            let (said, meant) = (format!("{before}{TOKEN_PATH}{after}"), format!("{before}{base}{TOKEN_PATH}{after}"));
            text.replace(&said, &meant)
        })
    }
}
