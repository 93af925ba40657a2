//! `/authorize/{id}/connect` and `/authorize/{id}/enrol`: somebody has come by a provider, and has an account, or gets one.

use poem::{Response, handler, web::Path};
use uuid::Uuid;

use super::{
    authorize::{either, policy},
    forms::Again,
    login::asking,
    request::Page,
    view::View,
    views::{Connect, Enrol, TextField},
};
use crate::{
    flows::upstream::{
        connect::{self, Answered},
        enrol::{self, Enrolled, Given},
    },
    http::browser,
};

#[handler]
pub async fn show(mut page: Page, Path(id): Path<Uuid>) -> Response {
    let asked = match connect::look(&page.app, id, &page.browser.visitor).await {
        Ok(Some(asked)) => asked,
        Ok(None) => return page.go(&format!("/authorize/{id}")),
        Err(refused) => return page.refuse(&refused),
    };
    page.browser.speak(asked.journey.request.ui_locales.as_deref());
    let path = |rest: &str| page.browser.path(&format!("/authorize/{id}/{rest}"));
    let view = Connect {
        frame: page.frame(),
        action: path("connect"),
        client: asking(&page, &asked.journey).await,
        provider: asked.provider,
        label: asked.label,
        person: asked.user.as_ref().map(browser::person),
        sign_in: path("login"),
        enrol: asked.may_sign_up.then(|| path("enrol")),
    };
    page.show(View::ok(view), &policy(&asked.journey))
}

#[handler]
pub async fn answer(page: Page, Path(id): Path<Uuid>) -> Response {
    if let Err(forged) = page.check_form() {
        return *forged;
    }
    let yes = page.form.get("answer") == Some("yes");
    match connect::answer(&page.app, id, &page.browser.visitor, yes).await {
        Ok(Answered::Well) => page.go(&format!("/authorize/{id}")),
        Ok(Answered::Again) => page.go(&format!("/authorize/{id}/login")),
        Err(refused) => page.refuse(&refused),
    }
}

#[handler]
pub async fn ask(mut page: Page, Path(id): Path<Uuid>) -> Response {
    form(&mut page, id, Again::fresh()).await
}

#[handler]
pub async fn finish(mut page: Page, Path(id): Path<Uuid>) -> Response {
    either(enrolled(&mut page, id).await)
}

async fn enrolled(page: &mut Page, id: Uuid) -> Result<Response, Box<Response>> {
    page.check_form()?;
    let text = |name: &str| page.form.get(name).map(str::trim).filter(|value| !value.is_empty()).map(str::to_owned);
    let locale = Some(page.browser.texts.tag().to_owned());
    let given = Given { email: text("email"), username: text("username"), locale };
    let on = page.go(&format!("/authorize/{id}"));
    match enrol::finish(&page.app, id, &page.browser.visitor, given).await {
        Ok(Enrolled::SignedIn(signed_in)) => Ok(page.browser.signed_in(on, &signed_in)),
        Ok(Enrolled::HalfWay | Enrolled::Elsewhere) => Ok(on),
        Err(trouble) => {
            let again = Again::of(page, trouble)?;
            Ok(form(page, id, again).await)
        }
    }
}

async fn form(page: &mut Page, id: Uuid, again: Again) -> Response {
    let asked = match enrol::look(&page.app, id, &page.browser.visitor).await {
        Ok(Some(asked)) => asked,
        Ok(None) => return page.go(&format!("/authorize/{id}")),
        Err(refused) => return page.refuse(&refused),
    };
    page.browser.speak(asked.journey.request.ui_locales.as_deref());
    let t = |key| page.browser.texts.get(key);
    let mut fields = Vec::new();
    if asked.needs.email {
        let input = again.input_or(page, "email", asked.email.as_deref());
        fields.push(TextField::email("enrol-email", t("register.email")).given(input));
    }
    if asked.needs.username {
        let field = TextField::new("enrol-username", "username", t("register.username")).most(64).required();
        fields.push(field.given(again.input_or(page, "username", asked.username.as_deref())));
    }
    again.focus(&mut fields);
    let path = |rest: &str| page.browser.path(&format!("/authorize/{id}/{rest}"));
    let view = Enrol {
        frame: page.frame(),
        action: path("enrol"),
        client: asking(page, &asked.journey).await,
        provider: asked.provider,
        complaint: again.complaint,
        fields,
        sign_in: path("login"),
    };
    // The answer may lead to the app at once.
    let policy = policy(&asked.journey);
    again.show_with(page, view, &policy)
}
