//! `/account/register`: people make an account for themselves.

use poem::{Response, handler};

use super::{announce, onward};
use crate::{
    config::{SignUp, Usernames},
    flows::{
        account::{
            links,
            registration::{self, NewAccount, Registered},
        },
        login::Standing,
        passwords, second_factor,
    },
    http::pages::{
        authorize::either,
        error,
        forms::{self, Again},
        login::asking,
        request::Page,
        views::{Announced, NewPassword, Register, TextField},
    },
    protocol::{assurance::Methods, claims::StandardClaims},
};

#[handler]
pub async fn show(mut page: Page) -> Response {
    if !registration::is_offered(&page.app) {
        return error::not_found(&page);
    }
    if page.app.config.accounts.registration == SignUp::Invitation && page.query.get("invitation").is_none() {
        return announce::show(&page, Announced::ByInvitation);
    }
    let form = form(&mut page, Again::fresh()).await;
    onward::remember(&page, form)
}

#[handler]
pub async fn answer(mut page: Page) -> Response {
    either(answered(&mut page).await)
}

async fn answered(page: &mut Page) -> Result<Response, Box<Response>> {
    page.check_form()?;
    if let Some(again) = Again::missing(page, needed(page)) {
        return Ok(form(page, again).await);
    }
    let text = |name: &str| page.form.get(name).map(str::trim).filter(|value| !value.is_empty()).map(str::to_owned);
    let new = NewAccount {
        email: text("email").unwrap_or_default(),
        username: text("username"),
        password: page.form.get("password").unwrap_or_default().to_owned(),
        claims: StandardClaims { name: text("name"), ..StandardClaims::default() },
        locale: Some(page.browser.texts.tag().to_owned()),
        invitation: page.query.get("invitation").map(str::to_owned),
        ..NewAccount::default()
    };
    match registration::register(&page.app, &page.browser.visitor, new).await {
        Ok(Registered::Mailed) => Ok(announce::go(page, Announced::Registered)),
        Ok(Registered::Ready(user)) => {
            let journey = onward::journey(page).await.map(|(id, _)| id);
            let visitor = &page.browser.visitor;
            let signed_in = async {
                let before = visitor.session(&page.app).await?;
                let trace = links::trace(&page.app, visitor, Some(user.id));
                let first = (&*user, &Methods::password(), journey);
                second_factor::go_on(&page.app, visitor, before, first, Standing::of(&user), &trace).await
            };
            match signed_in.await {
                Ok(signed_in) => {
                    let on = onward::go(page, "/account").await;
                    Ok(match signed_in {
                        Some(signed_in) => page.browser.signed_in(on, &signed_in),
                        None => on,
                    })
                }
                Err(error) => Ok(forms::refuse(page, error.into())),
            }
        }
        Err(trouble) => {
            let again = Again::of(page, trouble)?;
            Ok(form(page, again).await)
        }
    }
}

fn needed(page: &Page) -> &'static [&'static str] {
    match page.app.config.accounts.usernames {
        Usernames::Required => &["email", "name", "username", "password"],
        Usernames::Optional | Usernames::Off => &["email", "name", "password"],
    }
}

async fn form(page: &mut Page, again: Again) -> Response {
    let client = match onward::journey(page).await {
        Some((_, journey)) => Some(asking(page, &journey).await),
        None => None,
    };
    let mut fields = fields(page, &again);
    let label = page.browser.texts.get("register.password");
    let mut new_password = NewPassword {
        problem: again.problem("password"),
        about: passwords::own_words(&page.app),
        beside: match page.app.config.accounts.usernames {
            Usernames::Off => "register-email register-name",
            Usernames::Optional | Usernames::Required => "register-email register-name register-username",
        },
        ..NewPassword::new("register-password", label, passwords::policy(&page.app))
    };
    focus(&mut fields, &mut new_password);
    let view = Register {
        frame: page.frame(),
        action: action(page),
        client,
        complaint: again.complaint,
        fields,
        new_password,
        sign_in: onward::sign_in(page).await,
    };
    again.show(page, view)
}

/// With what the person brought along.
fn action(page: &Page) -> String {
    let brought = page.query.only(&["invitation", onward::PARAMETER]).encode();
    page.browser.path(&match brought.as_str() {
        "" => "/account/register".to_owned(),
        brought => format!("/account/register?{brought}"),
    })
}

fn fields(page: &Page, again: &Again) -> Vec<TextField> {
    let t = |key| page.browser.texts.get(key);
    let input = |name: &str| again.input(page, name);
    let email = TextField::email("register-email", t("register.email")).given(input("email"));
    let name = TextField::new("register-name", "name", t("register.name")).autocomplete("name").required();
    let mut fields = vec![email, name.given(input("name"))];
    let username = TextField::new("register-username", "username", t("register.username"))
        .most(64)
        .hint(t("register.username_hint"))
        .given(input("username"));
    match page.app.config.accounts.usernames {
        Usernames::Off => {}
        Usernames::Optional => fields.push(username),
        Usernames::Required => fields.push(username.required()),
    }
    fields
}

/// The first field that is wrong, or the first of all.
fn focus(fields: &mut [TextField], password: &mut NewPassword) {
    let wrong = fields.iter().position(|field| field.problem().is_some());
    match (wrong, password.problem) {
        (None, Some(_)) => password.focus = true,
        (wrong, _) => fields[wrong.unwrap_or(0)].focus = true,
    }
}
