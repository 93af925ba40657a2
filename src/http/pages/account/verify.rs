//! `/account/verify`: the link that confirms an address, and a new one.

use poem::{Response, handler};

use super::{area, links, onward};
use crate::{
    flows::account::{links::Asked, verification},
    http::pages::{
        authorize::either,
        forms::{self, Again},
        request::Page,
        views::{Notice, TextField, Verify},
    },
};

#[handler]
pub async fn show(page: Page) -> Response {
    let token = page.query.get("token").unwrap_or_default().to_owned();
    form(&page, &token, Again::fresh()).await
}

#[handler]
pub async fn answer(mut page: Page) -> Response {
    either(answered(&mut page).await)
}

async fn answered(page: &mut Page) -> Result<Response, Box<Response>> {
    page.check_form()?;
    let token = page.query.get("token").unwrap_or_default().to_owned();
    let password = page.form.get("password").map(str::to_owned);
    let visitor = &page.browser.visitor;
    match verification::confirm(&page.app, visitor, &token, password.as_deref(), true).await {
        Ok(confirmed) => {
            let on = onward::go(page, &Notice::EmailVerified.after("/account")).await;
            Ok(match confirmed.signed_in {
                Some(signed_in) => page.browser.signed_in(on, &signed_in),
                None => on,
            })
        }
        Err(trouble) => {
            let again = Again::of(page, trouble)?;
            Ok(form(page, &token, again).await)
        }
    }
}

/// The link is looked at each time: what it shows, only its holder may know.
async fn form(page: &Page, token: &str, again: Again) -> Response {
    let Asked { email, needs_password, has_none } =
        match verification::look(&page.app, &page.browser.visitor, token).await {
            Ok(asked) => asked,
            Err(trouble) => return forms::refuse(page, trouble),
        };
    let label = page.browser.texts.get("verify.password");
    let password = TextField::password("verify-password", "password", label).given(again.input(page, "password"));
    let view = Verify {
        frame: page.frame(),
        action: links::address(page, "/account/verify", token),
        email,
        complaint: again.complaint,
        password: (needs_password && !has_none).then_some(TextField { focus: true, ..password }),
        sign_in: has_none.then(|| page.browser.path("/account/login")),
    };
    again.show(page, view)
}

/// Another link, for somebody who is signed in.
#[handler]
pub async fn resend(mut page: Page) -> Response {
    either(resent(&mut page).await)
}

async fn resent(page: &mut Page) -> Result<Response, Box<Response>> {
    page.check_form()?;
    let me = area::me(page).await?;
    match verification::send(&page.app, &page.browser.visitor, &me.user).await {
        Ok(()) => Ok(page.go(&Notice::LinkSent.after("/account/email"))),
        Err(trouble) => Ok(forms::refuse(page, trouble)),
    }
}
