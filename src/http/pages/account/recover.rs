//! `/account/forgot` and `/account/reset`: a forgotten password.

use poem::{Response, handler};

use super::{announce, links, onward};
use crate::{
    flows::{account::recovery, passwords},
    http::pages::{
        authorize::either,
        forms::{self, Again},
        request::Page,
        views::{Announced, Forgot, NewPassword, Reset, TextField},
    },
};

#[handler]
pub async fn forgot(mut page: Page) -> Response {
    let form = forgot_form(&mut page, Again::fresh()).await;
    onward::remember(&page, form)
}

#[handler]
pub async fn ask(mut page: Page) -> Response {
    either(asked(&mut page).await)
}

async fn asked(page: &mut Page) -> Result<Response, Box<Response>> {
    page.check_form()?;
    if let Some(again) = Again::missing(page, &["login"]) {
        return Ok(forgot_form(page, again).await);
    }
    match recovery::ask(&page.app, &page.browser.visitor, page.form.get("login").unwrap_or_default()) {
        Ok(()) => Ok(announce::go(page, Announced::ResetAsked)),
        Err(trouble) => {
            let again = Again::of(page, trouble)?;
            Ok(forgot_form(page, again).await)
        }
    }
}

async fn forgot_form(page: &mut Page, again: Again) -> Response {
    let sign_in = onward::sign_in(page).await;
    let login = TextField::new("forgot-login", "login", page.browser.texts.get("login.username"))
        .autocomplete("username")
        .most(320)
        .required()
        .given(again.input(page, "login"));
    let view = Forgot {
        frame: page.frame(),
        action: page.browser.path("/account/forgot"),
        complaint: again.complaint,
        login: TextField { focus: true, ..login },
        sign_in,
    };
    again.show(page, view)
}

#[handler]
pub async fn reset(page: Page) -> Response {
    let token = page.query.get("token").unwrap_or_default().to_owned();
    reset_form(&page, &token, Again::fresh()).await
}

#[handler]
pub async fn finish(page: Page) -> Response {
    either(finished(&page).await)
}

async fn finished(page: &Page) -> Result<Response, Box<Response>> {
    page.check_form()?;
    let token = page.query.get("token").unwrap_or_default();
    if let Some(again) = Again::missing(page, &["password"]) {
        return Ok(reset_form(page, token, again).await);
    }
    let password = page.form.get("password").unwrap_or_default();
    match recovery::finish(&page.app, &page.browser.visitor, token, password).await {
        // Nobody is signed in by a link alone (case SEC-120).
        Ok(_) => Ok(announce::go(page, Announced::ResetDone)),
        Err(trouble) => {
            let again = Again::of(page, trouble)?;
            Ok(reset_form(page, token, again).await)
        }
    }
}

async fn reset_form(page: &Page, token: &str, again: Again) -> Response {
    let user = match recovery::look(&page.app, &page.browser.visitor, token).await {
        Ok(user) => user,
        Err(trouble) => return forms::refuse(page, trouble),
    };
    let new_password = NewPassword {
        problem: again.problem("password"),
        about: forms::words_about(page, &user),
        focus: true,
        ..NewPassword::new("reset-password", page.browser.texts.get("reset.password"), passwords::policy(&page.app))
    };
    let view = Reset {
        frame: page.frame(),
        action: links::address(page, "/account/reset", token),
        login: user.email.or(user.username).unwrap_or_default(),
        complaint: again.complaint,
        new_password,
    };
    again.show(page, view)
}
