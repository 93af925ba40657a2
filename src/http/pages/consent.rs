//! `/authorize/{id}/consent`: what an app asks for, and the person's answer.

use poem::{Response, handler, web::Path};
use uuid::Uuid;

use super::{
    authorize::{self, either, journey, policy},
    login::asking,
    request::Page,
    view::View,
    views::{Consent, Destination, ScopeLine},
};
use crate::{
    app::{App, text::Texts},
    flows::{authorize as flow, authorize::Journey, consent},
    http::browser,
    protocol::{step::Step, trace::Kind},
};

#[handler]
pub async fn show(mut page: Page, Path(id): Path<Uuid>) -> Response {
    either(shown(&mut page, id).await)
}

async fn shown(page: &mut Page, id: Uuid) -> Result<Response, Box<Response>> {
    let journey = journey(page, id, Kind::Consent).await?;
    let (Some((_, user)), Step::Consent) = (&journey.signed_in, journey.step) else {
        return Ok(page.go(&format!("/authorize/{id}")));
    };
    let client = asking(page, &journey).await;
    let policy = policy(&journey);
    let view = Consent {
        frame: page.frame(),
        action: page.browser.path(&format!("/authorize/{id}/consent")),
        client,
        returns_to: Destination::of(journey.request.reply.redirect_uri()),
        account: browser::person(user),
        scopes: lines(&page.app, page.browser.texts, &journey).await,
    };
    Ok(page.show(View::ok(view), &policy))
}

/// Scopes and single claims in plain words.
async fn lines(app: &App, texts: &Texts, journey: &Journey) -> Vec<ScopeLine> {
    let described = consent::descriptions(app).await;
    let words = |token: &str| described.iter().find(|(name, _)| name == token).and_then(|(_, words)| words.as_deref());
    let request = &journey.request;
    let scopes = request.scope.tokens().map(|token| (token, words(token)));
    ScopeLine::all(texts, scopes, &request.claims.beyond(&request.scope))
}

#[handler]
pub async fn answer(mut page: Page, Path(id): Path<Uuid>) -> Response {
    either(answered(&mut page, id).await)
}

async fn answered(page: &mut Page, id: Uuid) -> Result<Response, Box<Response>> {
    page.check_form()?;
    match page.form.get("answer") {
        Some("allow") => match consent::allow(&page.app, id, &page.browser.visitor).await {
            Ok(()) => Ok(page.go(&format!("/authorize/{id}"))),
            Err(refused) => Ok(page.refuse(&refused)),
        },
        Some("switch") => Ok(page.go(&format!("/authorize/{id}/login?as=another"))),
        _ => {
            let next = flow::deny(&page.app, id, &page.browser.visitor).await;
            Ok(authorize::answer(page, next))
        }
    }
}
