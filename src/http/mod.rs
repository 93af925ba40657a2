//! How the world reaches us. Handlers read a request, call one flow, write a response.

pub mod address;
pub mod api;
pub mod browser;
pub mod contract;
pub mod cors;
pub mod documents;
pub mod failure;
pub mod headers;
pub mod health;
pub mod listener;
pub mod oauth;
pub mod outermost;
pub mod pages;
pub mod tls;

use std::sync::{Arc, OnceLock, Weak};

use poem::{EndpointExt, Response, Route, endpoint::BoxEndpoint, get, post};

use self::{contract::Contract, outermost::Outermost, pages::view::Site};
use crate::app::App;

/// The server's own endpoint, for the page that shows a sign-in from the outside. Weak, since the endpoint holds this.
pub type Inside = Arc<OnceLock<Weak<BoxEndpoint<'static, Response>>>>;

/// Everything that answers, with what stands around it.
pub fn service(app: &App) -> Arc<BoxEndpoint<'static, Response>> {
    let branding = &app.config.branding;
    let base = app.config.server.issuer.path().trim_end_matches('/').to_owned();
    let logo = branding.logo.as_ref().map(|logo| &*logo.bytes);
    let site = Arc::new(Site::new(&branding.name, &base, Some(&branding.accent.to_string()), logo));
    let inside = Inside::default();
    let contract = Contract { base: base.clone(), accounts: app.config.accounts.api };
    let routes = routes(&base, contract).data(app.clone()).data(site.clone()).data(inside.clone());
    let service = Arc::new(Outermost::new(app.clone(), site, base, routes).boxed());
    let _ = inside.set(Arc::downgrade(&service));
    service
}

fn routes(base: &str, contract: Contract) -> Route {
    let described = contract.yaml();
    let document = |html: fn(&Contract) -> String| {
        let contract = contract.clone();
        get(documents::page(move || html(&contract)))
    };
    let pages = Route::new()
        .at("/authorize", get(pages::authorize::begin).post(pages::authorize::begin_posted))
        .at("/authorize/:id", get(pages::authorize::proceed))
        .at("/authorize/:id/login", get(pages::login::show).post(pages::login::answer))
        .at("/authorize/:id/passkey", post(pages::login::ask))
        .at("/authorize/:id/second-factor", get(pages::second_factor::show).post(pages::second_factor::answer))
        .at("/authorize/:id/account", get(pages::accounts::show).post(pages::accounts::answer))
        .at("/authorize/:id/provider/:name", post(pages::provider::leave))
        .at("/authorize/:id/connect", get(pages::connect::show).post(pages::connect::answer))
        .at("/authorize/:id/enrol", get(pages::connect::ask).post(pages::connect::finish))
        .at("/federation/:name/callback", get(pages::provider::back).post(pages::provider::posted))
        .at("/federation/:name/icon", get(pages::logo::of_provider))
        .at("/federation/:name/logged-out", get(pages::logout::returned))
        .at("/authorize/:id/consent", get(pages::consent::show).post(pages::consent::answer))
        .at("/logout", get(pages::logout::asked).post(pages::logout::posted))
        .at("/logged-out", get(pages::logout::done))
        .at("/session/check", get(pages::session_check::show))
        .nest_no_strip("/account", account())
        .at("/language", get(pages::language::choose))
        .at("/setup", get(pages::set_up::show).post(pages::set_up::answer))
        .at("/outbox", get(pages::outbox::list))
        .at("/outbox/:id", get(pages::outbox::show))
        .at("/outbox/:id/html", get(pages::outbox::html))
        .at("/try", get(pages::try_it::show).post(pages::try_it::begin))
        .at("/try/callback", get(pages::try_it::callback))
        .at("/errors/:trace", get(pages::error::explain))
        .at("/clients/:client_id/logo", get(pages::logo::show))
        .at("/static/:name", get(pages::files::asset))
        .at("/favicon.ico", get(pages::files::icon))
        .at("/", get(pages::account::home::start))
        .at("/docs", document(Contract::swagger))
        .at("/redoc", document(Contract::redoc))
        .at("/openapi.yaml", get(poem::endpoint::make_sync(move |_| yaml(&described))))
        .nest_no_strip("/", contract.endpoint());
    if base.is_empty() {
        return pages;
    }
    // RFC 8414 §3.1: for an issuer with a path the document also stands before it.
    Route::new()
        .nest(base, pages)
        .at(format!("/.well-known/oauth-authorization-server{base}"), get(oauth::discovery::inserted))
        .at(format!("/.well-known/openid-configuration{base}"), get(oauth::discovery::inserted))
}

/// The pages for people's own accounts.
fn account() -> Route {
    use pages::account::{
        announce, apps, data, email, factors, home, link, password, profile, providers, recover, register, security,
        sessions, verify,
    };
    Route::new()
        .at("/account", get(home::show))
        .at("/account/login", get(home::sign_in))
        .at("/account/sign-out", post(home::sign_out))
        .at("/account/register", get(register::show).post(register::answer))
        .at("/account/verify", get(verify::show).post(verify::answer))
        .at("/account/forgot", get(recover::forgot).post(recover::ask))
        .at("/account/reset", get(recover::reset).post(recover::finish))
        .at("/account/done/:what", get(announce::done))
        .at("/account/profile", get(profile::show).post(profile::answer))
        .at("/account/email", get(email::show).post(email::answer))
        .at("/account/email/resend", post(verify::resend))
        .at("/account/email/confirm", get(email::confirm).post(email::confirmed))
        .at("/account/email/keep", get(email::keep).post(email::kept))
        .at("/account/factors", get(factors::show).post(factors::answer))
        .at("/account/factors/passkey", post(factors::ask))
        .at("/account/providers", get(providers::show).post(providers::answer))
        .at("/account/providers/:name", post(providers::leave))
        .at("/account/sessions", get(sessions::show).post(sessions::answer))
        .at("/account/apps", get(apps::show).post(apps::revoke))
        .at("/account/data", get(data::show))
        .at("/account/data/export", post(data::download))
        .at("/account/data/delete", post(data::delete))
        .at("/account/keep", get(data::keep).post(data::kept))
        .at("/account/link", get(link::show).post(link::answer))
        .at("/account/security", get(security::events))
        .at("/account/security/sign-ins", get(security::attempts))
        .at("/account/password", get(password::show).post(password::answer))
}

/// Pages of accounts that have a form which comes back to them.
const ACCOUNT_FORMS: [&str; 15] = [
    "/account/register",
    "/account/verify",
    "/account/forgot",
    "/account/reset",
    "/account/profile",
    "/account/email",
    "/account/email/confirm",
    "/account/email/keep",
    "/account/password",
    "/account/factors",
    "/account/providers",
    "/account/sessions",
    "/account/apps",
    "/account/keep",
    "/account/link",
];

/// The methods of a path, for `Allow` (RFC 9110 §15.5.6).
pub fn allowed(path: &str) -> &'static str {
    let is_form = |path: &str| {
        path == "/authorize"
            || path == "/logout"
            || path == "/setup"
            || path == "/try"
            || path.starts_with("/authorize/") && path.matches('/').count() == 3
            || ACCOUNT_FORMS.contains(&path)
            || path == "/oauth2/userinfo"
    };
    match path {
        "/oauth2/token" | "/oauth2/introspect" | "/oauth2/revoke" | "/api/keys/rotate" => "POST",
        "/account/sign-out" | "/account/email/resend" | "/account/data/export" | "/account/data/delete" => "POST",
        "/oauth2/register" => "POST",
        "/api/v1/me" => "GET, HEAD, PUT, PATCH, DELETE",
        "/api/v1/me/password" | "/api/v1/me/email" => "POST",
        "/api/v1/me/sessions" => "GET, HEAD, DELETE",
        "/account/factors/passkey" | "/api/v1/me/factors/passkeys" | "/api/v1/me/factors/passkeys/challenge" => "POST",
        path if path.starts_with("/authorize/") && (path.ends_with("/passkey") || path.contains("/provider/")) => {
            "POST"
        }
        path if path.starts_with("/account/providers/") => "POST",
        path if path.starts_with("/api/v1/me/providers/") => "DELETE",
        path if path.starts_with("/federation/") && path.ends_with("/backchannel-logout") => "POST",
        path if path.starts_with("/federation/") && path.ends_with("/callback") => "GET, HEAD, POST",
        path if path.starts_with("/api/v1/me/factors/passkeys/") => "PATCH, DELETE",
        "/api/v1/me/factors/totp" => "POST, DELETE",
        "/api/v1/me/factors/totp/confirm" | "/api/v1/me/factors/recovery-codes" => "POST",
        path if path.starts_with("/api/v1/me/factors/trusted-devices") => "DELETE",
        path if path.starts_with("/api/v1/auth/") => "POST",
        path if path.starts_with("/api/v1/me/sessions/") || path.starts_with("/api/v1/me/apps/") => "DELETE",
        "/api/registration-tokens" | "/api/invitations" | "/api/providers" => "GET, HEAD, POST",
        path if path.starts_with("/oauth2/register/") => "GET, HEAD, PUT, DELETE",
        path if path.starts_with("/api/registration-tokens/") || path.starts_with("/api/invitations/") => "DELETE",
        path if path.starts_with("/api/providers/") && path.matches('/').count() == 3 => {
            "GET, HEAD, PUT, PATCH, DELETE"
        }
        path if path.starts_with("/api/providers/") => "POST",
        path if path.starts_with("/api/users/") && path.ends_with("/providers") => "GET, HEAD, POST",
        path if path.starts_with("/api/users/") && path.contains("/providers/") => "DELETE",
        path if path.starts_with("/api/mails/") || path.starts_with("/api/users/") => "POST",
        path if is_form(path) => "GET, HEAD, POST",
        _ => "GET, HEAD",
    }
}

/// RFC 9512 §2.1.
fn yaml(text: &str) -> Response {
    Response::builder().content_type("application/yaml").body(text.to_owned())
}

/// The bytes of the contract, as `signet openapi` prints it.
pub fn contract() -> String {
    Contract { base: String::new(), accounts: true }.yaml()
}
