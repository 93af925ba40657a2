//! `/logout` (OpenID Connect RP-Initiated Logout) and `/logged-out`.

use poem::{Response, handler, http::StatusCode};

use super::{
    authorize::either,
    error,
    login::card,
    request::{Page, see_other},
    view::View,
    views::{LoggedOut, LogoutConfirm},
};
use crate::{
    flows::{
        Refused,
        logout::{self, Next},
    },
    http::{browser, headers::Policy},
    protocol::{Params, redirect_uri},
};

/// What comes back with the person's answer.
const KEPT: [&str; 5] = ["id_token_hint", "client_id", "post_logout_redirect_uri", "state", "ui_locales"];

#[handler]
pub async fn asked(page: Page) -> Response {
    let params = page.query.clone();
    ask(page, params).await
}

/// By an app's form (§2 allows both methods), or by our own page, which alone carries the form token.
#[handler]
pub async fn posted(page: Page) -> Response {
    if page.form.get("answer").is_some() {
        return either(confirmed(&page).await);
    }
    // A form of the app's comes without our cookies (K4): the same request again, as one that has them.
    let params = page.query.clone().and(page.form.clone());
    see_other(&page.browser.path(&format!("/logout?{}", params.encode())))
}

async fn ask(mut page: Page, params: Params) -> Response {
    page.browser.speak(params.get("ui_locales"));
    let next = logout::end_session(&page.app, &params, &page.browser.visitor, false).await;
    show(&page, &params, next).await
}

async fn confirmed(page: &Page) -> Result<Response, Box<Response>> {
    page.check_form()?;
    if page.form.get("answer") != Some("confirm") {
        return Ok(page.go("/account"));
    }
    let next = logout::end_session(&page.app, &page.form, &page.browser.visitor, true).await;
    Ok(show(page, &page.form, next).await)
}

async fn show(page: &Page, params: &Params, next: Result<Next, Refused>) -> Response {
    match next {
        Ok(Next::Confirm { client, person, returns }) => {
            // An address that is not the client's goes no further, not even into our own form.
            let kept = KEPT.iter().filter(|name| returns || **name != "post_logout_redirect_uri");
            let fields = kept.filter_map(|name| Some(((*name).to_owned(), params.get(name)?.to_owned()))).collect();
            let client = match client {
                Some(client) => Some(card(page, &client).await),
                None => None,
            };
            let view = LogoutConfirm {
                frame: page.browser.frame(&page.app),
                action: page.browser.path("/logout"),
                client,
                person: person.as_deref().map(browser::person),
                fields,
            };
            let address = params.get("post_logout_redirect_uri").filter(|_| returns);
            let forms = address.and_then(redirect_uri::csp_source).into_iter().collect();
            page.show(View::ok(view), &Policy { forms, ..Policy::default() })
        }
        Ok(Next::Away(address)) => page.browser.signed_out(see_other(&address)),
        Ok(Next::SignedOut { problem: None, .. }) => page.browser.signed_out(page.go("/logged-out")),
        // Signed out, but not sent where the app wanted: its developer learns why.
        Ok(Next::SignedOut { problem: Some(error), trace_id }) => {
            let refused = Refused { error, trace_id };
            page.browser.signed_out(error::signed_out(&page.app, &page.browser, &refused))
        }
        Err(refused) => page.refuse(&refused),
    }
}

#[handler]
pub fn done(page: Page) -> Response {
    let view = LoggedOut { frame: page.frame(), client: None, back: None };
    page.browser.dress(page.show(View::with(StatusCode::OK, view), &Policy::default()))
}
