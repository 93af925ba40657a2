//! What has happened, on a page of its own: `/account/done/{what}`, which tells nothing of anybody.

use poem::{Response, handler, web::Path};

use super::onward;
use crate::{
    app::moment,
    flows::magic_link,
    http::{
        headers::Policy,
        pages::{
            error,
            request::Page,
            view::View,
            views::{Announced, Announcement},
        },
    },
};

/// Those that a form leads to.
const LED_TO: [Announced; 9] = [
    Announced::Registered,
    Announced::ResetAsked,
    Announced::ResetDone,
    Announced::EmailConfirmed,
    Announced::EmailKept,
    Announced::DeletionPlanned,
    Announced::Deleted,
    Announced::AccountKept,
    Announced::LinkAsked,
];

#[handler]
pub async fn done(mut page: Page, Path(what): Path<String>) -> Response {
    let Some(what) = LED_TO.into_iter().find(|known| known.name() == what) else { return error::not_found(&page) };
    if what == Announced::LinkAsked && !magic_link::are_on(&page.app) {
        return error::not_found(&page);
    }
    let on = match what {
        Announced::ResetDone | Announced::AccountKept | Announced::LinkAsked => Some(onward::sign_in(&mut page).await),
        Announced::EmailConfirmed => Some(page.browser.path("/account")),
        _ => None,
    };
    answer(&page, what, on)
}

pub fn go(page: &Page, what: Announced) -> Response {
    page.go(&format!("/account/done/{}", what.name()))
}

/// At the address where it arose.
pub fn show(page: &Page, what: Announced) -> Response {
    let on = (what == Announced::DeadLink).then(|| page.browser.path("/account"));
    answer(page, what, on)
}

fn answer(page: &Page, what: Announced, on: Option<String>) -> Response {
    let view = Announcement { frame: page.frame(), what, time: grace(page), on };
    page.show(View::with(what.status(), view), &Policy::default())
}

/// How long an account can be taken back that its person has deleted, in words; none where it goes at once.
pub fn grace(page: &Page) -> Option<String> {
    let seconds = u64::try_from(page.app.config.accounts.deletion_grace.get()).unwrap_or_default();
    (seconds > 0).then(|| moment::span(page.browser.texts, seconds))
}
