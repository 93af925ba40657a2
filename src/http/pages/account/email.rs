//! `/account/email`: the address of the account, and the links that are mailed about another one.

use poem::{Response, handler};

use super::{announce, area, links as mailed};
use crate::{
    flows::account::{
        address,
        links::{self, LinkKind},
        me::Me,
    },
    http::{
        headers::Policy,
        pages::{
            authorize::either,
            forms::{self, Again},
            request::Page,
            view::View,
            views::{Announced, Asked, EmailPage, Notice, Question, Section, TextField},
        },
    },
};

#[handler]
pub async fn show(mut page: Page) -> Response {
    either(
        async {
            let me = area::me(&mut page).await?;
            form(&page, &me, &Again::fresh()).await
        }
        .await,
    )
}

#[handler]
pub async fn answer(mut page: Page) -> Response {
    either(answered(&mut page).await)
}

async fn answered(page: &mut Page) -> Result<Response, Box<Response>> {
    page.check_form()?;
    let me = area::me(page).await?;
    if let Some(again) = Again::missing(page, &["email"]) {
        return form(page, &me, &again).await;
    }
    let (new, password) = (page.form.get("email").unwrap_or_default(), page.form.get("current_password"));
    match address::ask(&page.app, &page.browser.visitor, &me, new, password).await {
        Ok(()) => Ok(page.go(&Notice::EmailAsked.after("/account/email"))),
        Err(trouble) => {
            let again = area::again(page, Section::Email, trouble)?;
            form(page, &me, &again).await
        }
    }
}

async fn form(page: &Page, me: &Me, again: &Again) -> Result<Response, Box<Response>> {
    let has_password = area::has_password(page, me).await?;
    let signs_in = !has_password && !me.is_fresh(&page.app);
    let new = TextField::email("email-new", page.browser.texts.get("email.new")).given(again.input(page, "email"));
    let mut fields = vec![new];
    fields.extend(area::current_password(page, me, has_password, again));
    again.focus(&mut fields);
    let view = EmailPage {
        frame: area::frame(page, Section::Email),
        area: area::area(page, Section::Email),
        current: me.user.email.clone(),
        verified: me.user.email_verified,
        complaint: again.complaint,
        fields,
        again: signs_in.then(|| page.browser.path(&area::sign_in_again(Section::Email))),
    };
    Ok(again.show(page, view))
}

#[handler]
pub async fn confirm(page: Page) -> Response {
    let token = page.query.get("token").unwrap_or_default().to_owned();
    confirm_form(&page, &token, Again::fresh()).await
}

#[handler]
pub async fn confirmed(page: Page) -> Response {
    either(
        async {
            page.check_form()?;
            let token = page.query.get("token").unwrap_or_default();
            let password = page.form.get("password");
            Ok(match address::confirm(&page.app, &page.browser.visitor, token, password).await {
                Ok(()) => announce::go(&page, Announced::EmailConfirmed),
                Err(trouble) => {
                    let again = Again::of(&page, trouble)?;
                    confirm_form(&page, token, again).await
                }
            })
        }
        .await,
    )
}

/// The link is looked at each time: what it shows, only its holder may know.
async fn confirm_form(page: &Page, token: &str, again: Again) -> Response {
    let looked = links::look(&page.app, &page.browser.visitor, LinkKind::ChangeEmail, token).await;
    let links::Asked { email, needs_password, has_none } = match looked {
        Ok(asked) => asked,
        Err(trouble) => return forms::refuse(page, trouble),
    };
    let label = page.browser.texts.get("question.password");
    let password = TextField::password("question-password", "password", label).given(again.input(page, "password"));
    let view = Question {
        frame: page.frame(),
        action: mailed::address(page, "/account/email/confirm", token),
        what: Asked::ConfirmEmail,
        about: email,
        complaint: again.complaint,
        password: (needs_password && !has_none).then_some(TextField { focus: true, ..password }),
        sign_in: has_none.then(|| page.browser.path("/account/login")),
    };
    again.show(page, view)
}

#[handler]
pub async fn keep(page: Page) -> Response {
    let token = page.query.get("token").unwrap_or_default();
    let email = match address::look(&page.app, &page.browser.visitor, token).await {
        Ok(email) => email,
        Err(trouble) => return forms::refuse(&page, trouble),
    };
    let view = Question {
        frame: page.frame(),
        action: mailed::address(&page, "/account/email/keep", token),
        what: Asked::KeepEmail,
        about: email,
        complaint: None,
        password: None,
        sign_in: None,
    };
    page.show(View::ok(view), &Policy::default())
}

#[handler]
pub async fn kept(page: Page) -> Response {
    either(
        async {
            page.check_form()?;
            let token = page.query.get("token").unwrap_or_default();
            Ok(match address::keep(&page.app, &page.browser.visitor, token).await {
                Ok(()) => announce::go(&page, Announced::EmailKept),
                Err(trouble) => forms::refuse(&page, trouble),
            })
        }
        .await,
    )
}
