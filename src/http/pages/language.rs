//! `/language`: the person chooses the language of the pages.

use poem::{Response, handler};

use super::{
    request::{Page, see_other},
    views::local_path,
};
use crate::{app::text, flows::account};

#[handler]
pub async fn choose(page: Page) -> Response {
    // Only a path of this server, and never this one (case SEC-100).
    let back = page.query.get("back").and_then(local_path).filter(|back| !back.contains("/language"));
    let mut response = match back {
        Some(back) => page.browser.dress(see_other(back)),
        None => page.go("/account"),
    };
    if let Some(texts) = page.query.get("lang").and_then(text::find) {
        page.browser.remember_language(&mut response, texts);
        if let Ok(Some((_, user))) = page.browser.visitor.session(&page.app).await
            && user.locale.as_deref() != Some(texts.tag())
            && let Err(error) = account::set_locale(&page.app, user.id, texts.tag()).await
        {
            // The cookie remembers it here; the account will at the next choice.
            tracing::warn!(%error, "a person's language could not be kept");
        }
    }
    response
}
