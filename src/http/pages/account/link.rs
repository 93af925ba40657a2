//! `/account/link`: a mailed link that signs in, in the browser where it was asked for.

use poem::{Response, handler};
use uuid::Uuid;

use super::{announce, onward};
use crate::{
    flows::{
        Refused, Trouble,
        magic_link::{self, Looked, Outcome},
    },
    http::{
        headers::Policy,
        pages::{
            authorize::either,
            error, forms,
            request::Page,
            view::View,
            views::{Announced, Asked, Question},
        },
    },
};

#[handler]
pub async fn show(page: Page) -> Response {
    if !magic_link::are_on(&page.app) {
        return error::not_found(&page);
    }
    let (journey, token) = named(&page);
    match magic_link::look(&page.app, &page.browser.visitor, journey, token).await {
        Ok(Looked::Here(user)) => {
            let view = Question {
                frame: page.frame(),
                action: page.browser.path(&page.here),
                what: Asked::SignIn,
                about: user.email.or(user.username).unwrap_or_default(),
                complaint: None,
                password: None,
                sign_in: None,
            };
            page.show(View::ok(view), &Policy::default())
        }
        Ok(Looked::Elsewhere) => announce::show(&page, Announced::LinkElsewhere),
        Err(refused) => refuse(&page, refused),
    }
}

#[handler]
pub async fn answer(page: Page) -> Response {
    either(answered(&page).await)
}

async fn answered(page: &Page) -> Result<Response, Box<Response>> {
    if !magic_link::are_on(&page.app) {
        return Ok(error::not_found(page));
    }
    page.check_form()?;
    let (journey, token) = named(page);
    let on = journey.map(|id| format!("/authorize/{id}")).unwrap_or_default();
    Ok(match magic_link::sign_in(&page.app, &page.browser.visitor, journey, token).await {
        Ok(Outcome::SignedIn(signed_in)) => page.browser.signed_in(page.go(&on), &signed_in),
        Ok(Outcome::HalfWay) => page.go(&on),
        Ok(Outcome::Elsewhere) => announce::show(page, Announced::LinkElsewhere),
        Err(refused) => refuse(page, refused),
    })
}

/// What is in the link: the journey that it was asked for in, and its secret.
fn named(page: &Page) -> (Option<Uuid>, &str) {
    let journey = page.query.get(onward::PARAMETER).and_then(|id| Uuid::try_parse(id).ok());
    (journey, page.query.get("token").unwrap_or_default())
}

fn refuse(page: &Page, refused: Refused) -> Response {
    forms::refuse(page, Trouble::Broken(*refused.error))
}
