//! `/account`: the overview, and the ways in and out.

use poem::{Response, handler};

use super::area;
use crate::{
    flows::{logout, mail, try_it},
    http::{
        browser,
        headers::Policy,
        pages::{
            authorize::either,
            forms,
            logout::show as show_logout,
            request::{Page, see_other},
            view::View,
            views::{AccountHome, Moment, Section},
        },
    },
    protocol::Params,
};

#[handler]
pub fn start(page: Page) -> Response {
    page.go("/account")
}

#[handler]
pub async fn show(mut page: Page) -> Response {
    either(shown(&mut page).await)
}

async fn shown(page: &mut Page) -> Result<Response, Box<Response>> {
    let me = area::me(page).await?;
    let session = page.browser.visitor.session(&page.app).await.map_err(|error| forms::refuse(page, error.into()))?;
    let moment = |at| Moment::of(page.browser.texts, at);
    let view = AccountHome {
        frame: area::frame(page, Section::Overview),
        area: area::area(page, Section::Overview),
        person: browser::person(&me.user),
        email_verified: me.user.email_verified,
        signed_in: moment(me.auth_time),
        ends: session.and_then(|(session, _)| moment(session.expires_at)),
        methods: me.proved.names().map(str::to_owned).collect(),
        try_it: me.user.admin.then(|| page.browser.path("/try")),
        outbox: (me.user.admin && mail::has_outbox(&page.app)).then(|| page.browser.path("/outbox")),
    };
    Ok(page.show(View::ok(view), &Policy::default()))
}

/// There is one way to sign in: a journey. The account is an app like any other, and a part of the server.
#[handler]
pub fn sign_in(page: Page) -> Response {
    let part = Section::named(page.query.get("to").unwrap_or_default()).name();
    let again = page.query.get("again").is_some();
    see_other(&try_it::account_request(&page.app, part, again))
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
