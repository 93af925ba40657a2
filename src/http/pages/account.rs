//! `/account`: the person's own page; and `/`, which leads there.

use poem::{Response, handler};

use super::{
    authorize::either,
    logout::show as show_logout,
    request::{Page, see_other},
    view::View,
    views::{AccountHome, Moment},
};
use crate::{
    flows::{Refused, logout, try_it},
    http::{browser, headers::Policy},
    protocol::{Params, trace::Kind},
};

#[handler]
pub fn home(page: Page) -> Response {
    page.go("/account")
}

#[handler]
pub async fn show(mut page: Page) -> Response {
    let signed_in = match page.browser.visitor.session(&page.app).await {
        Ok(signed_in) => signed_in,
        Err(error) => {
            return page.refuse(&Refused::at_once(&page.app, Kind::Login, page.browser.visitor.address, error));
        }
    };
    let Some((session, user)) = signed_in else { return page.go("/account/login") };
    page.browser.prefer(user.locale.as_deref());
    let view = AccountHome {
        frame: page.frame(),
        person: browser::person(&user),
        email_verified: user.email_verified,
        signed_in: Moment::of(page.browser.texts, session.auth_time),
        ends: Moment::of(page.browser.texts, session.expires_at),
        methods: vec!["pwd".to_owned()],
        sign_out: page.browser.path("/account/sign-out"),
        try_it: user.admin.then(|| page.browser.path("/try")),
    };
    page.show(View::ok(view), &Policy::default())
}

/// There is one way to sign in: a journey. The account is an app like any other, and a part of the server.
#[handler]
pub fn sign_in(page: Page) -> Response {
    see_other(&try_it::account_request(&page.app))
}

#[handler]
pub async fn sign_out(page: Page) -> Response {
    either(signed_out(&page).await)
}

async fn signed_out(page: &Page) -> Result<Response, Box<Response>> {
    page.check_form()?;
    let params = Params::default();
    let next = logout::end_session(&page.app, &params, &page.browser.visitor, true).await;
    Ok(show_logout(page, &params, next).await)
}
