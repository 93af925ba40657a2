//! `/try`: a real sign-in by a public client that is part of the server, and everything that went over the wire.

use std::sync::Weak;

use poem::{
    Endpoint, Request, Response, handler,
    http::{HeaderMap, Method, StatusCode, header},
};
use serde_json::{Map, Value};

use super::{
    authorize::either,
    request::{Page, see_other},
    view::View,
    views::{
        ClaimRow, DecodedToken, Exchange, Message, Section, Signature, Stage, TokenKind, TryIt, TryProblem, TryResult,
    },
};
use crate::{
    flows::try_it::{self, Attempt, Decoded},
    http::headers::Policy,
    protocol::{Params, discovery::path},
};

#[handler]
pub fn show(page: Page) -> Response {
    let view = TryIt { frame: page.frame(), action: page.browser.path("/try") };
    page.show(View::ok(view), &Policy::default())
}

#[handler]
pub async fn begin(page: Page) -> Response {
    either(begun(&page))
}

fn begun(page: &Page) -> Result<Response, Box<Response>> {
    page.check_form()?;
    let attempt = Attempt::of(&page.app, &page.browser.visitor, &page.app.nonce());
    Ok(page.browser.dress(see_other(&authorize_url(page, &attempt))))
}

/// RFC 6749 §4.1.1 with RFC 7636 §4.3.
fn authorize_url(page: &Page, attempt: &Attempt) -> String {
    let redirect_uri = page.app.url("/try/callback");
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("client_id", try_it::CLIENT_ID)
        .append_pair("response_type", "code")
        .append_pair("redirect_uri", &redirect_uri)
        .append_pair("scope", "openid profile email")
        .append_pair("state", &attempt.state)
        .append_pair("nonce", &attempt.nonce)
        .append_pair("code_challenge", &attempt.challenge)
        .append_pair("code_challenge_method", "S256")
        .finish();
    format!("{}?{query}", page.app.url(path::AUTHORIZE))
}

/// The app's side: check `state` and `iss`, redeem the code, ask for keys and userinfo.
#[handler]
pub async fn callback(page: Page) -> Response {
    let state = page.query.get("state").unwrap_or_default();
    // Only the browser that began may end it, and nobody's account page is here by accident.
    if let Some(part) = try_it::account_part(state) {
        return page.go(Section::named(part).path());
    }
    let Some(attempt) = Attempt::read(&page.app, &page.browser.visitor, state) else { return page.go("/try") };
    let mut run = Run::new(&page, &attempt);
    let problem = run.go(&page, &attempt).await.err();
    let view = TryResult {
        exchanges: run.exchanges,
        tokens: run.tokens,
        claims: ClaimRow::all(page.browser.texts, &run.id_claims, &run.userinfo),
        userinfo: (!run.userinfo.is_empty()).then(|| super::views::pretty(&run.userinfo.into())),
        problem,
        again: page.browser.path("/try"),
        account: page.browser.path("/account"),
        frame: page.browser.frame(&page.app),
    };
    page.show(View::ok(view), &Policy::default())
}

/// What one try has seen so far.
struct Run {
    exchanges: Vec<Exchange>,
    tokens: Vec<DecodedToken>,
    id_claims: Map<String, Value>,
    userinfo: Map<String, Value>,
}

/// An answer of our own endpoint.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Run {
    fn new(page: &Page, attempt: &Attempt) -> Self {
        let asked = Message::request("GET", &authorize_url(page, attempt));
        let came = format!("{}{}", page.app.config.server.issuer.origin(), page.here);
        let came = Message::request("GET", &came);
        let exchanges = vec![
            Exchange {
                stage: Stage::Authorize,
                request: asked,
                response: Some(Message::response(303, "See Other").header("Location", &came.line.replace("GET ", ""))),
            },
            Exchange { stage: Stage::Callback, request: came, response: None },
        ];
        Run { exchanges, tokens: Vec::new(), id_claims: Map::new(), userinfo: Map::new() }
    }

    async fn go(&mut self, page: &Page, attempt: &Attempt) -> Result<(), TryProblem> {
        self.discover(page).await?;
        refused(&page.query)?;
        if page.query.get("iss") != Some(page.app.issuer()) {
            return Err(problem("invalid_issuer", "the answer names another issuer (RFC 9207)"));
        }
        let code = page.query.get("code").ok_or_else(|| problem("invalid_response", "the answer has no code"))?;
        let tokens = self.redeem(page, attempt, code).await?;
        let text = |name: &str| tokens.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        self.keys(page).await?;
        let id_token = try_it::decode(&page.app, &text("id_token"), None);
        let access_token = try_it::decode(&page.app, &text("access_token"), Some(try_it::ACCESS_TOKEN));
        self.id_claims = id_token.payload.as_object().cloned().unwrap_or_default();
        self.tokens.push(decoded(TokenKind::Id, &id_token));
        self.tokens.push(decoded(TokenKind::Access, &access_token));
        if self.id_claims.get("nonce").and_then(Value::as_str) != Some(&attempt.nonce) {
            return Err(problem("invalid_nonce", "the ID token has another nonce than the request"));
        }
        self.ask(page, &text("access_token")).await
    }

    /// Where an app begins, so it stands first.
    async fn discover(&mut self, page: &Page) -> Result<(), TryProblem> {
        let request = Message::request("GET", &page.app.url(path::DISCOVERY));
        let answer = call(page, Method::GET, path::DISCOVERY, None, String::new()).await;
        self.keep(Stage::Discovery, request, &answer);
        self.exchanges.rotate_right(1);
        json(&answer).map(drop)
    }

    async fn redeem(&mut self, page: &Page, attempt: &Attempt, code: &str) -> Result<Map<String, Value>, TryProblem> {
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "authorization_code")
            .append_pair("client_id", try_it::CLIENT_ID)
            .append_pair("code", code)
            .append_pair("redirect_uri", &page.app.url("/try/callback"))
            .append_pair("code_verifier", &attempt.verifier)
            .finish();
        let request = Message::request("POST", &page.app.url(path::TOKEN))
            .header("Content-Type", "application/x-www-form-urlencoded")
            .form(&form);
        let answer = call(page, Method::POST, path::TOKEN, None, form).await;
        self.keep(Stage::Token, request, &answer);
        json(&answer)
    }

    async fn keys(&mut self, page: &Page) -> Result<(), TryProblem> {
        let request = Message::request("GET", &page.app.url(path::JWKS));
        let answer = call(page, Method::GET, path::JWKS, None, String::new()).await;
        self.keep(Stage::Keys, request, &answer);
        json(&answer).map(drop)
    }

    async fn ask(&mut self, page: &Page, access_token: &str) -> Result<(), TryProblem> {
        let bearer = format!("Bearer {access_token}");
        let request = Message::request("GET", &page.app.url(path::USERINFO)).header("Authorization", &bearer);
        let answer = call(page, Method::GET, path::USERINFO, Some(bearer), String::new()).await;
        self.keep(Stage::UserInfo, request, &answer);
        self.userinfo = json(&answer)?;
        Ok(())
    }

    fn keep(&mut self, stage: Stage, request: Message, answer: &Answer) {
        let reason = answer.status.canonical_reason().unwrap_or_default();
        let shown = ["content-type", "cache-control", "www-authenticate", "etag"];
        let mut response = Message::response(answer.status.as_u16(), reason);
        for name in shown {
            if let Some(value) = answer.headers.get(name).and_then(|value| value.to_str().ok()) {
                response = response.header(name, value);
            }
        }
        self.exchanges.push(Exchange { stage, request, response: Some(response.body(&answer.body)) });
    }
}

/// A request through everything that a request from outside goes through.
async fn call(page: &Page, method: Method, path: &str, authorization: Option<String>, body: String) -> Answer {
    let mut request = Request::builder().method(method).uri_str(page.browser.path(path));
    if let Some(value) = authorization {
        request = request.header(header::AUTHORIZATION, value);
    }
    if !body.is_empty() {
        request = request.content_type("application/x-www-form-urlencoded");
    }
    let Some(inside) = page.inside.get().and_then(Weak::upgrade) else {
        return Answer { status: StatusCode::SERVICE_UNAVAILABLE, headers: HeaderMap::new(), body: String::new() };
    };
    let response = inside.get_response(request.body(body)).await;
    let (parts, body) = response.into_parts();
    let body = body.into_string().await.unwrap_or_default();
    Answer { status: parts.status, headers: parts.headers, body }
}

fn json(answer: &Answer) -> Result<Map<String, Value>, TryProblem> {
    let members: Map<String, Value> = serde_json::from_str(&answer.body).unwrap_or_default();
    if answer.status.is_success() {
        return Ok(members);
    }
    let text = |name: &str| members.get(name).and_then(Value::as_str).unwrap_or("(nothing)").to_owned();
    Err(TryProblem { code: text("error"), description: text("error_description") })
}

fn refused(query: &Params) -> Result<(), TryProblem> {
    match query.get("error") {
        Some(code) => Err(problem(code, query.get("error_description").unwrap_or_default())),
        None => Ok(()),
    }
}

fn problem(code: &str, description: &str) -> TryProblem {
    TryProblem { code: code.to_owned(), description: description.to_owned() }
}

fn decoded(kind: TokenKind, token: &Decoded) -> DecodedToken {
    let signature = match &token.verified_by {
        Some((algorithm, key)) => Signature::Verified { algorithm: algorithm.clone(), key: key.clone() },
        None => Signature::Wrong,
    };
    DecodedToken::jwt(kind, &token.raw, &token.header, &token.payload, signature)
}
