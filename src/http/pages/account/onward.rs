//! Back to the app: a person who left a sign-in to register, to confirm an address or to set a new password goes on with
//! it afterwards, if it is still open in this browser.

use poem::Response;
use uuid::Uuid;

use crate::{
    flows::authorize::{self, Journey},
    http::pages::request::Page,
};

/// The parameter by which the login page names its journey.
pub const PARAMETER: &str = "journey";

/// The journey, in its language. The id is no secret and opens nothing: the browser's own cookie does.
pub async fn journey(page: &mut Page) -> Option<(Uuid, Journey)> {
    let id = named(page).or(page.browser.journey())?;
    let journey = authorize::resume(&page.app, id, &page.browser.visitor).await?;
    page.browser.speak(journey.request.ui_locales.as_deref());
    Some((id, journey))
}

fn named(page: &Page) -> Option<Uuid> {
    page.query.get(PARAMETER).and_then(|id| Uuid::try_parse(id).ok())
}

/// The way there outlives the pages between: a mail leads back without it.
pub fn remember(page: &Page, mut response: Response) -> Response {
    if let Some(id) = named(page).filter(|id| page.browser.journey() != Some(*id)) {
        page.browser.remember_journey(&mut response, id, page.app.config.lifetimes.journey.get());
    }
    response
}

/// Where somebody signs in: within the journey, or for the account.
pub async fn sign_in(page: &mut Page) -> String {
    let path = match journey(page).await {
        Some((id, _)) => format!("/authorize/{id}"),
        None => "/account/login".to_owned(),
    };
    page.browser.path(&path)
}

/// Where somebody goes who has just signed in: back to the app, or to this page of the account.
pub async fn go(page: &mut Page, otherwise: &str) -> Response {
    let mut response = match journey(page).await {
        Some((id, _)) => page.go(&format!("/authorize/{id}")),
        None => page.go(otherwise),
    };
    page.browser.forget_journey(&mut response);
    response
}
