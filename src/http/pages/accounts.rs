//! `/authorize/{id}/account`: with which account to go on.

use poem::{Response, handler, web::Path};
use uuid::Uuid;

use super::{
    authorize::{self, either, journey, policy},
    login::asking,
    request::Page,
    view::View,
    views::AccountChooser,
};
use crate::{
    flows::{authorize as flow, consent},
    http::browser,
    protocol::trace::Kind,
};

#[handler]
pub async fn show(mut page: Page, Path(id): Path<Uuid>) -> Response {
    either(shown(&mut page, id).await)
}

async fn shown(page: &mut Page, id: Uuid) -> Result<Response, Box<Response>> {
    let journey = journey(page, id, Kind::Login).await?;
    let Some((_, user)) = &journey.signed_in else { return Ok(page.go(&format!("/authorize/{id}"))) };
    let client = asking(page, &journey).await;
    let policy = policy(&journey);
    // Whom the app expects is not told to whoever sits here; the hint that it sent along is.
    let wanted = journey.expects_someone_else.then(|| journey.request.login_hint.clone()).flatten();
    let view = AccountChooser {
        frame: page.frame(),
        action: page.browser.path(&format!("/authorize/{id}/account")),
        client: Some(client),
        current: browser::person(user),
        wanted,
    };
    Ok(page.show(View::ok(view), &policy))
}

#[handler]
pub async fn answer(mut page: Page, Path(id): Path<Uuid>) -> Response {
    either(answered(&mut page, id).await)
}

async fn answered(page: &mut Page, id: Uuid) -> Result<Response, Box<Response>> {
    page.check_form()?;
    match page.form.get("answer") {
        Some("continue") => match consent::choose(&page.app, id, &page.browser.visitor).await {
            Ok(()) => Ok(page.go(&format!("/authorize/{id}"))),
            Err(refused) => Ok(page.refuse(&refused)),
        },
        Some("cancel") => {
            let next = flow::deny(&page.app, id, &page.browser.visitor).await;
            Ok(authorize::answer(page, next))
        }
        _ => Ok(page.go(&format!("/authorize/{id}/login?as=another"))),
    }
}
