//! `/authorize/{id}/login`.

use poem::{
    IntoResponse, Response, handler,
    http::{HeaderValue, StatusCode, header},
    web::{Json, Path},
};
use serde_json::json;
use uuid::Uuid;

use super::{
    account::onward,
    authorize::{self, either, journey, policy},
    forms, logo, provider,
    request::Page,
    view::View,
    views::{Announced, ClientCard, Destination, Login, LoginProblem, ProviderButton},
};
use crate::{
    flows::{
        Refused, Trouble,
        account::registration,
        admin::clients::Client,
        authorize as flow,
        authorize::Journey,
        factors::passkey,
        login::{self, Outcome},
        magic_link, passkey_login, second_factor, upstream,
    },
    http::{browser, headers::Policy},
    protocol::{Code, trace::Kind},
};

#[handler]
pub async fn show(mut page: Page, Path(id): Path<Uuid>) -> Response {
    let another = page.query.get("as") == Some("another");
    either(match journey(&mut page, id, Kind::Login).await {
        // Only what the app has asked for, and there is: a link leads nobody away.
        Ok(journey) if is_sent_on(&page, &journey).await => {
            Ok(provider::go(&page, id, journey.request.idp_hint.as_deref().unwrap_or_default()).await)
        }
        Ok(journey) => {
            let hint = journey.request.login_hint.clone().unwrap_or_default();
            Ok(form(&page, id, &journey, Typed { username: hint, another, problem: None }).await)
        }
        Err(response) => Err(response),
    })
}

async fn is_sent_on(page: &Page, journey: &Journey) -> bool {
    let Some(name) = page.query.get(provider::HINTED) else { return false };
    let is_asked = journey.request.idp_hint.as_deref() == Some(name) && journey.signed_in.is_none();
    is_asked && upstream::find(&page.app, name).await.is_ok_and(|found| found.is_some())
}

#[handler]
pub async fn answer(mut page: Page, Path(id): Path<Uuid>) -> Response {
    either(answered(&mut page, id).await)
}

async fn answered(page: &mut Page, id: Uuid) -> Result<Response, Box<Response>> {
    if let Err(forged) = page.check_form() {
        // A page that waited too long is given again rather than scolded; nothing was done, and the status says so.
        let Ok(journey) = journey(page, id, Kind::Login).await else { return Err(forged) };
        let username = page.form.get("username").unwrap_or_default().to_owned();
        return Ok(
            form(page, id, &journey, Typed { username, another: false, problem: Some(LoginProblem::Stale) }).await
        );
    }
    let path = format!("/authorize/{id}");
    match page.form.get("answer") {
        Some("cancel") => {
            let next = flow::deny(&page.app, id, &page.browser.visitor).await;
            return Ok(authorize::answer(page, next));
        }
        Some("another") => return Ok(page.go(&format!("{path}/login?as=another"))),
        Some("link") if magic_link::are_on(&page.app) => return link(page, id).await,
        _ => {}
    }
    let username = page.form.get("username").unwrap_or_default().to_owned();
    if let Some(credential) = page.form.get("credential").filter(|credential| !credential.is_empty()) {
        let outcome = passkey_login::with_passkey(&page.app, id, &page.browser.visitor, credential).await;
        return again(page, id, username, outcome, LoginProblem::Passkey).await;
    }
    let password = page.form.get("password").unwrap_or_default();
    let outcome = login::with_password(&page.app, id, &page.browser.visitor, &username, password).await;
    again(page, id, username, outcome, LoginProblem::wrong(registration::confirms(&page.app))).await
}

/// On with the journey, or the page again.
async fn again(
    page: &mut Page,
    id: Uuid,
    username: String,
    outcome: Result<Outcome, Refused>,
    wrong: LoginProblem,
) -> Result<Response, Box<Response>> {
    let path = format!("/authorize/{id}");
    let problem = match outcome {
        Ok(Outcome::SignedIn(signed_in)) => return Ok(page.browser.signed_in(page.go(&path), &signed_in)),
        Ok(Outcome::HalfWay) => return Ok(page.go(&path)),
        Ok(Outcome::Wrong | Outcome::Unconfirmed) => wrong,
        Ok(Outcome::TooMany(wait)) => LoginProblem::TooMany { seconds: wait.seconds.try_into().unwrap_or(60) },
        Err(refused) if refused.error.code == Code::TemporarilyUnavailable => LoginProblem::Busy,
        Err(refused) => return Ok(page.refuse(&refused)),
    };
    let journey = journey(page, id, Kind::Login).await?;
    Ok(form(page, id, &journey, Typed { username, another: false, problem: Some(problem) }).await)
}

/// What a passkey is to sign at this step of the journey, for the script of its page.
#[handler]
pub async fn ask(page: Page, Path(id): Path<Uuid>) -> Response {
    if let Err(forged) = page.check_form() {
        return *forged;
    }
    let new = page.form.get("new").is_some();
    match second_factor::ask(&page.app, id, &page.browser.visitor, new).await {
        Ok(Some(options)) => page.browser.dress(Json(json!({ "publicKey": options })).into_response()),
        Ok(None) => page.browser.dress(StatusCode::NOT_FOUND.into_response()),
        Err(refused) => page.refuse(&refused),
    }
}

/// A mailed link instead of the password: the same answer whoever asks for whom.
async fn link(page: &mut Page, id: Uuid) -> Result<Response, Box<Response>> {
    let journey = journey(page, id, Kind::Login).await?;
    let username = page.form.get("username").unwrap_or_default().to_owned();
    let problem = match magic_link::is_offered(&page.app, &journey) {
        false => None,
        true if username.trim().is_empty() => Some(LoginProblem::Nameless),
        true => match magic_link::ask(&page.app, &page.browser.visitor, id, &username) {
            Ok(()) => {
                let asked = Announced::LinkAsked.name();
                return Ok(page.go(&format!("/account/done/{asked}?{}={id}", onward::PARAMETER)));
            }
            Err(Trouble::Broken(error)) if error.code == Code::TooManyRequests => {
                let seconds = error.retry_after.and_then(|wait| wait.try_into().ok());
                Some(LoginProblem::TooMany { seconds: seconds.unwrap_or(60) })
            }
            Err(trouble) => return Ok(forms::refuse(page, trouble)),
        },
    };
    Ok(form(page, id, &journey, Typed { username, another: false, problem }).await)
}

/// What the person typed, and what came of it.
struct Typed {
    username: String,
    another: bool,
    problem: Option<LoginProblem>,
}

async fn form(page: &Page, id: Uuid, journey: &Journey, typed: Typed) -> Response {
    let client = asking(page, journey).await;
    let mut policy = Policy { asks: passkey::are_offered(&page.app), ..policy(journey) };
    let providers = providers(page, id, journey, &mut policy).await;
    // Whoever is signed in is asked again, unless the app means somebody else.
    let again = journey.signed_in.as_ref().filter(|_| !typed.another && !journey.expects_someone_else);
    let again = again.map(|(_, user)| browser::person(user));
    let register = again.is_none() && registration::is_offered(&page.app);
    let view = Login {
        frame: page.frame(),
        action: page.browser.path(&format!("/authorize/{id}/login")),
        client: Some(client),
        username: again.as_ref().map_or(typed.username, |person| person.login().to_owned()),
        again,
        problem: typed.problem,
        link: magic_link::is_offered(&page.app, journey),
        cancel: true,
        passkey: passkey::are_offered(&page.app).then(|| page.browser.path(&format!("/authorize/{id}/passkey"))),
        providers,
        forgot: page.browser.path(&format!("/account/forgot?{}={id}", onward::PARAMETER)),
        register: register.then(|| page.browser.path(&format!("/account/register?{}={id}", onward::PARAMETER))),
    };
    let (status, wait) = match typed.problem {
        None => (StatusCode::OK, None),
        Some(LoginProblem::TooMany { seconds }) => (StatusCode::TOO_MANY_REQUESTS, Some(seconds)),
        Some(LoginProblem::Stale) => (StatusCode::FORBIDDEN, None),
        Some(LoginProblem::Nameless) => (StatusCode::UNPROCESSABLE_ENTITY, None),
        Some(LoginProblem::Busy) => (StatusCode::SERVICE_UNAVAILABLE, Some(2)),
        Some(_) => (StatusCode::UNAUTHORIZED, None),
    };
    let mut response = page.show(View::with(status, view), &policy);
    if let Some(seconds) = wait {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// The buttons of the providers.
async fn providers(page: &Page, id: Uuid, journey: &Journey, policy: &mut Policy<'_>) -> Vec<ProviderButton> {
    let hints =
        upstream::Hints { provider: journey.request.idp_hint.as_deref(), login: journey.request.login_hint.as_deref() };
    let buttons = upstream::buttons(&page.app, hints).await.unwrap_or_default();
    provider::allow(policy, &buttons);
    buttons.into_iter().map(|button| provider::button(page, &format!("/authorize/{id}/provider"), button)).collect()
}

/// An app, as pages show it.
pub async fn card(page: &Page, client: &Client) -> ClientCard {
    let metadata = &client.metadata;
    let logo = logo::address(page, client).await;
    ClientCard::new(metadata.client_name.as_deref(), &client.client_id)
        .logo(logo.as_deref())
        .home(metadata.client_uri.as_deref())
        .policy(metadata.policy_uri.as_deref())
        .terms(metadata.tos_uri.as_deref())
}

/// The app that asks, as every page of a journey shows it: with a warning, if nobody here has looked at it.
pub async fn asking(page: &Page, journey: &Journey) -> ClientCard {
    let leads_to = || Destination::of(journey.request.reply.redirect_uri());
    card(page, &journey.client).await.unverified(journey.client.is_self_registered().then(leads_to))
}
