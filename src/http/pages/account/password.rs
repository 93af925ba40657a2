//! `/account/password`: another password, or a first one.

use poem::{Response, handler};

use super::area;
use crate::{
    flows::{
        account::{links, me::Me, password},
        factors, login, passwords,
    },
    http::pages::{
        authorize::either,
        forms::{self, Again},
        request::Page,
        views::{NewPassword, Notice, PasswordPage, Section, TextField},
    },
};

#[handler]
pub async fn show(mut page: Page) -> Response {
    either(
        async {
            let me = area::me(&mut page).await?;
            let has_password = area::has_password(&page, &me).await?;
            Ok(form(&page, &me, has_password, &Again::fresh()).await)
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
    let has_password = area::has_password(page, &me).await?;
    let needed: &[_] = if has_password { &["current_password", "new_password"] } else { &["new_password"] };
    if let Some(again) = Again::missing(page, needed) {
        return Ok(form(page, &me, has_password, &again).await);
    }
    let given = |name: &str| page.form.get(name).unwrap_or_default();
    let (app, visitor) = (&page.app, &page.browser.visitor);
    match password::change(app, visitor, &me, given("current_password"), given("new_password")).await {
        Ok(()) if has_password => Ok(renewed(page, &me, Notice::PasswordChanged).await),
        Ok(()) => Ok(renewed(page, &me, Notice::PasswordSet).await),
        Err(trouble) => {
            let again = area::again(page, Section::Password, trouble)?;
            Ok(form(page, &me, has_password, &again).await)
        }
    }
}

/// A fresh cookie: whoever held the old one does not stay (case SEC-107).
async fn renewed(page: &Page, me: &Me, notice: Notice) -> Response {
    let visitor = &page.browser.visitor;
    let signed_in = async {
        let before = visitor.session(&page.app).await?;
        let trace = links::trace_of(&page.app, visitor, me);
        login::renew_session(&page.app, visitor, before, (&me.user, &me.proved), &trace).await
    };
    match signed_in.await {
        Ok(signed_in) => page.browser.signed_in(page.go(&notice.after("/account/password")), &signed_in),
        Err(error) => forms::refuse(page, error.into()),
    }
}

async fn form(page: &Page, me: &Me, has_password: bool, again: &Again) -> Response {
    let signs_in = !has_password && factors::check_fresh(&page.app, me).await.is_err();
    let t = |key| page.browser.texts.get(key);
    let current = TextField::password("password-current", "current_password", t("password.current"));
    let current = current.given(again.input(page, "current_password"));
    let new = NewPassword {
        name: "new_password",
        problem: again.problem("new_password"),
        about: forms::words_about(page, &me.user),
        ..NewPassword::new("password-new", t("password.new"), passwords::policy(&page.app))
    };
    let wrong = (has_password && current.problem().is_some(), new.problem.is_some());
    let view = PasswordPage {
        frame: area::frame(page, Section::Password),
        area: area::area(page, Section::Password),
        login: me.user.email.clone().or_else(|| me.user.username.clone()).unwrap_or_default(),
        complaint: again.complaint,
        current: has_password.then_some(TextField { focus: wrong.0, ..current }),
        new_password: NewPassword { focus: !wrong.0 && wrong.1, ..new },
        again: signs_in.then(|| page.browser.path(&area::sign_in_again(Section::Password))),
    };
    again.show(page, view)
}
