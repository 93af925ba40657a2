//! `/setup`: the first administrator, behind the one-time link.

use poem::{Response, handler, http::StatusCode};

use super::{
    authorize::either,
    request::Page,
    view::View,
    views::{Input, InputProblem, NewPassword, SetUp, SetUpDone},
};
use crate::{
    flows::{Field, Refused, Trouble, Why, admin::users::NewUser, passwords, set_up},
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
            let taken = [Field { name: "email", why: Why::Taken }];
            Ok(form(page, token, &taken, StatusCode::CONFLICT))
        }
        Err(Trouble::Broken(error)) if error.code == Code::TemporarilyUnavailable => {
            Ok(form_with(page, token, &[], StatusCode::SERVICE_UNAVAILABLE, Some(InputProblem::Busy { seconds: 2 })))
        }
        Err(Trouble::Broken(error)) => {
            let refused = Refused::at_once(&page.app, Kind::SetUp, page.browser.visitor.address, error);
            Ok(page.refuse(&refused))
        }
        Err(Trouble::NotFound(_)) => Ok(form(page, token, &[], StatusCode::CONFLICT)),
    }
}

fn missing(new: &NewUser) -> Option<Vec<Field>> {
    let field = |name| Field { name, why: Why::Missing };
    let all =
        [("email", new.email.is_none()), ("name", new.claims.name.is_none()), ("password", new.password.is_none())];
    let missing: Vec<Field> = all.into_iter().filter(|(_, missing)| *missing).map(|(name, _)| field(name)).collect();
    (!missing.is_empty()).then_some(missing)
}

fn form(page: &Page, token: &str, problems: &[Field], status: StatusCode) -> Response {
    let password = problems.iter().find(|field| field.name == "password").map(InputProblem::of);
    form_with(page, token, problems, status, password)
}

fn form_with(
    page: &Page,
    token: &str,
    problems: &[Field],
    status: StatusCode,
    password: Option<InputProblem>,
) -> Response {
    let input = |name: &'static str| Input {
        value: page.form.get(name).unwrap_or_default().to_owned(),
        problem: problems.iter().find(|field| field.name == name).map(InputProblem::of),
    };
    let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("token", token).finish();
    let frame = page.frame();
    let new_password = NewPassword {
        problem: password,
        about: passwords::own_words(&page.app),
        beside: "setup-email setup-name setup-username",
        ..NewPassword::new("setup-password", frame.t("set_up.password"), passwords::policy(&page.app))
    };
    let mut view = SetUp {
        frame,
        action: page.browser.path(&format!("/setup?{query}")),
        email: input("email"),
        username: input("username"),
        name: input("name"),
        new_password,
    };
    view.new_password.focus = view.focus() == "password";
    page.show(View::with(status, view), &Policy::default())
}
