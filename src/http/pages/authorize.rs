//! `/authorize`: the way in, and the crossroads that every page returns to.

use base64::{Engine, engine::general_purpose::STANDARD};
use poem::{IntoResponse, Response, handler, web::Path};
use uuid::Uuid;

use super::{
    provider,
    request::{Page, see_other},
    view::View,
    views::{FORM_POST_SCRIPT, FormPost},
};
use crate::{
    flows::{
        Refused,
        authorize::{self, Journey, Next},
        visitor::Visitor,
    },
    http::{browser, headers::Policy},
    protocol::{Params, redirect_uri, reply::Reply, step::Step, trace::Kind},
};

#[handler]
pub async fn begin(page: Page) -> Response {
    let params = page.query.clone();
    start(page, params, false).await
}

/// A form of the app's: our cookies may not have come along (K4), so the request is kept and fetched again.
#[handler]
pub async fn begin_posted(page: Page) -> Response {
    let params = page.query.clone().and(page.form.clone());
    start(page, params, true).await
}

async fn start(mut page: Page, params: Params, posted: bool) -> Response {
    page.browser.speak(params.get("ui_locales"));
    let next = authorize::begin(&page.app, params, &page.browser.visitor, posted).await;
    answer(&page, next)
}

#[handler]
pub async fn proceed(page: Page, Path(id): Path<Uuid>) -> Response {
    let next = authorize::proceed(&page.app, id, &page.browser.visitor).await;
    answer(&page, next)
}

/// Where the browser goes next.
pub fn answer(page: &Page, next: Result<Next, Refused>) -> Response {
    match next {
        Ok(Next::Journey(id)) => see_other(&page.browser.path(&format!("/authorize/{id}"))),
        Ok(Next::Page(id, step)) => match name(step) {
            Some(name) => page.go(&format!("/authorize/{id}/{name}")),
            None => page.go(&format!("/authorize/{id}")),
        },
        Ok(Next::Provider(id, name)) => provider::hinted(page, id, &name),
        Ok(Next::Client(reply)) => page.browser.with_state(&page.app, leave(page, reply)),
        Err(refused) => page.refuse(&refused),
    }
}

fn name(step: Step) -> Option<&'static str> {
    match step {
        Step::Login => Some("login"),
        Step::SecondFactor => Some("second-factor"),
        Step::ChooseAccount => Some("account"),
        Step::Connect => Some("connect"),
        Step::Consent => Some("consent"),
        Step::Issue => None,
    }
}

/// To the client, as it asked to be answered.
fn leave(page: &Page, reply: Reply) -> Response {
    match reply {
        Reply::Redirect(address) => page.browser.dress(see_other(&address)),
        Reply::FormPost { action, fields } => {
            let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            let policy =
                Policy { forms: redirect_uri::ways_on(&action), script: Some(script_hash()), ..Policy::default() };
            let view = FormPost { frame: page.browser.frame(&page.app), host: FormPost::host(&action), action, fields };
            page.show(View::ok(view), &policy)
        }
    }
}

/// CSP3 §2.3.1: the hash of the one script that stands in a page.
fn script_hash() -> &'static str {
    static HASH: std::sync::LazyLock<String> =
        std::sync::LazyLock::new(|| format!("sha256-{}", STANDARD.encode(browser::sha256(FORM_POST_SCRIPT))));
    &HASH
}

/// The journey that a page belongs to, in its language.
pub async fn journey(page: &mut Page, id: Uuid, kind: Kind) -> Result<Journey, Box<Response>> {
    let visitor: &Visitor = &page.browser.visitor;
    match authorize::look(&page.app, id, visitor, kind).await {
        Ok(journey) => {
            let locale = journey.signed_in.as_ref().and_then(|(_, user)| user.locale.clone());
            page.browser.prefer(locale.as_deref());
            page.browser.speak(journey.request.ui_locales.as_deref());
            Ok(journey)
        }
        Err(refused) => Err(Box::new(page.refuse(&refused))),
    }
}

/// What pages of a journey may show and lead to.
pub fn policy(journey: &Journey) -> Policy<'static> {
    Policy {
        forms: redirect_uri::ways_on(journey.request.reply.redirect_uri()),
        popup: journey.request.popup,
        ..Policy::default()
    }
}

/// A response of a handler that may have had to give up.
pub fn either(result: Result<Response, Box<Response>>) -> Response {
    result.unwrap_or_else(|response| *response).into_response()
}
