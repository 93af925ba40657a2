//! `/logout` (OpenID Connect RP-Initiated Logout) and `/logged-out`.

use poem::{Response, handler, http::StatusCode, web::Path};

use super::{
    authorize::either,
    error,
    login::card,
    request::{Page, see_other},
    view::View,
    views::{FormPost, LoggedOut, LogoutConfirm, SigningOut, Told},
};
use crate::{
    flows::{
        Refused,
        admin::logouts::{self, Counts},
        logout::{self, Next},
        upstream,
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

pub async fn show(page: &Page, params: &Params, next: Result<Next, Refused>) -> Response {
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
        Ok(Next::Away { address, told }) => {
            let host = FormPost::host(&address);
            page.browser.signed_out(leave(page, address, Some(host), told))
        }
        Ok(Next::Onward { address, provider, told }) => page.browser.signed_out(onward(page, address, provider, told)),
        Ok(Next::SignedOut { problem: None, told, .. }) => {
            let path = page.browser.path(&told.path());
            page.browser.signed_out(leave(page, path, None, told))
        }
        // Signed out, but not sent where the app wanted: its developer learns why.
        Ok(Next::SignedOut { problem: Some(error), told, trace_id }) => {
            let refused = Refused { error, trace_id };
            page.browser.signed_out(error::signed_out(&page.app, &page.browser, &refused, told.frames))
        }
        Err(refused) => page.refuse(&refused),
    }
}

/// At once, or by way of the page in which apps sign the person out in frames of their own.
fn leave(page: &Page, on: String, host: Option<String>, told: logout::Told) -> Response {
    if told.frames.is_empty() {
        return page.browser.dress(see_other(&on));
    }
    let policy = Policy { frames: sources(&told.frames), ..Policy::default() };
    let view = SigningOut { frame: page.browser.frame(&page.app), frames: told.frames, on, host, provider: None };
    page.show(View::ok(view), &policy)
}

/// To the provider. After a form by way of a page: where a provider leads to is not known, so no policy of the form's page
/// could let the browser go there.
fn onward(page: &Page, on: String, provider: String, told: logout::Told) -> Response {
    if told.frames.is_empty() && page.form.get("csrf").is_none() {
        return page.browser.dress(see_other(&on));
    }
    let policy = Policy { frames: sources(&told.frames), ..Policy::default() };
    let frame = page.browser.frame(&page.app);
    let view = SigningOut { frame, frames: told.frames, on, host: None, provider: Some(provider) };
    page.show(View::ok(view), &policy)
}

/// `/federation/{name}/logged-out`: back from the provider.
#[handler]
pub async fn returned(page: Page, Path(name): Path<String>) -> Response {
    let state = page.query.get("state").unwrap_or_default();
    match upstream::logout::returned(&page.app, &page.browser.visitor, &name, state).await {
        Ok(Some(on)) => page.browser.dress(see_other(&on)),
        Ok(None) => page.go("/logged-out"),
        Err(error) => {
            tracing::error!(%error, "a way back from a provider could not be read");
            page.go("/logged-out")
        }
    }
}

/// The origins of frames, each once.
pub fn sources(frames: &[String]) -> Vec<String> {
    let mut sources: Vec<_> = frames.iter().filter_map(|address| redirect_uri::csp_source(address)).collect();
    sources.sort_unstable();
    sources.dedup();
    sources
}

/// How many apps know by now; nothing for a reference that is over, or not this browser's.
async fn told(page: &Page) -> Told {
    let session = page.query.get("of").and_then(|reference| page.browser.visitor.referred(&page.app, reference));
    let Some(session) = session else { return Told::default() };
    match logouts::counts(&page.app, session).await {
        Ok(Counts { told, waiting, given_up }) => Told { told, waiting, given_up },
        Err(error) => {
            tracing::warn!(%error, "the deliveries of a logout could not be counted");
            Told::default()
        }
    }
}

#[handler]
pub async fn done(page: Page) -> Response {
    let view = LoggedOut { frame: page.frame(), told: told(&page).await, client: None, back: None };
    page.browser.dress(page.show(View::with(StatusCode::OK, view), &Policy::default()))
}
