//! `/setup`: the first administrator, behind the one-time link.

use poem::{Response, handler, http::StatusCode};

use super::{
    authorize::either,
    request::Page,
    view::View,
    views::{Input, InputProblem, PasswordRule, SetUp, SetUpDone},
};
use crate::{
    flows::{Field, Refused, Trouble, admin::users::NewUser, set_up},
    http::headers::Policy,
    protocol::{Code, claims::StandardClaims, trace::Kind},
};

#[handler]
pub async fn show(page: Page) -> Response {
    let token = page.query.get("token").unwrap_or_default();
    match set_up::check(&page.app, &page.browser.visitor, token).await {
        Ok(()) => form(&page, token, &[], StatusCode::OK),
        Err(refused) => page.refuse(&refused),
    }
}

#[handler]
pub async fn answer(page: Page) -> Response {
    either(answered(&page).await)
}

async fn answered(page: &Page) -> Result<Response, Box<Response>> {
    page.check_form()?;
    let token = page.query.get("token").unwrap_or_default();
    let text = |name: &str| page.form.get(name).map(str::trim).filter(|value| !value.is_empty()).map(str::to_owned);
    let new = NewUser {
        username: text("username"),
        email: text("email"),
        claims: StandardClaims { name: text("name"), ..StandardClaims::default() },
        password: page.form.get("password").map(str::to_owned),
        ..NewUser::default()
    };
    if let Some(missing) = missing(&new) {
        return Ok(form(page, token, &missing, StatusCode::UNPROCESSABLE_ENTITY));
    }
    match set_up::finish(&page.app, &page.browser.visitor, token, new).await {
        Ok(signed_in) => {
            let done = SetUpDone {
                frame: page.browser.frame_after(&page.app, &signed_in),
                try_it: page.browser.path("/try"),
                account: page.browser.path("/account"),
            };
            Ok(page.browser.signed_in(page.show(View::ok(done), &Policy::default()), &signed_in))
        }
        Err(Trouble::Invalid(fields)) => Ok(form(page, token, &fields, StatusCode::UNPROCESSABLE_ENTITY)),
        Err(Trouble::Conflict(_)) => {
            let taken = [Field { name: "email", why: "taken".to_owned() }];
            Ok(form(page, token, &taken, StatusCode::CONFLICT))
        }
        Err(Trouble::Broken(error)) if error.code == Code::TemporarilyUnavailable => {
            let busy = [Field { name: "password", why: "busy".to_owned() }];
            Ok(form(page, token, &busy, StatusCode::SERVICE_UNAVAILABLE))
        }
        Err(Trouble::Broken(error)) => {
            let mut trace = page.app.trace(Kind::SetUp);
            trace.refused(&error);
            let refused = Refused { error: Box::new(error), trace_id: trace.id.clone() };
            page.app.record(trace);
            Ok(page.refuse(&refused))
        }
        Err(Trouble::NotFound(_)) => Ok(form(page, token, &[], StatusCode::CONFLICT)),
    }
}

fn missing(new: &NewUser) -> Option<Vec<Field>> {
    let field = |name| Field { name, why: "missing".to_owned() };
    let all = [("email", new.email.is_none()), ("name", new.claims.name.is_none()), ("password", new.password.is_none())];
    let missing: Vec<Field> = all.into_iter().filter(|(_, missing)| *missing).map(|(name, _)| field(name)).collect();
    (!missing.is_empty()).then_some(missing)
}

fn form(page: &Page, token: &str, problems: &[Field], status: StatusCode) -> Response {
    let minimum = page.app.config.passwords.minimum_length as usize;
    let problem = |name: &str| problems.iter().find(|field| field.name == name).map(|field| kind(field, minimum));
    let input = |name: &'static str| Input {
        value: page.form.get(name).unwrap_or_default().to_owned(),
        problem: problem(name),
    };
    let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("token", token).finish();
    let view = SetUp {
        frame: page.frame(),
        action: page.browser.path(&format!("/setup?{query}")),
        email: input("email"),
        username: input("username"),
        name: input("name"),
        password: problem("password"),
        rules: vec![PasswordRule::Length { minimum }, PasswordRule::AnyCharacter, PasswordRule::NotCommon, PasswordRule::NotAboutYou],
    };
    page.show(View::with(status, view), &Policy::default())
}

/// The flow's reason in the page's words.
fn kind(field: &Field, minimum: usize) -> InputProblem {
    match (field.name, field.why.as_str()) {
        (_, "missing") => InputProblem::Missing,
        (_, "taken") => InputProblem::Taken,
        ("password", "busy") => InputProblem::Busy { seconds: 2 },
        ("password", why) if why.contains("at least") => InputProblem::PasswordTooShort { minimum },
        ("password", why) if why.contains("mostly") => InputProblem::PasswordAboutYou,
        ("password", why) if why.contains("at most") => InputProblem::TooLong,
        ("password", _) => InputProblem::PasswordTooCommon,
        (_, why) if why.contains("longer") => InputProblem::TooLong,
        ("email", _) => InputProblem::NotAnEmail,
        ("username", _) => InputProblem::NotAUsername,
        _ => InputProblem::TooLong,
    }
}
