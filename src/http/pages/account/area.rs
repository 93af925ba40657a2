//! What every page of an account begins with: who is there, and what has just been done.

use poem::Response;

use crate::{
    flows::{
        Refused, Trouble,
        account::{me::Me, providers},
        passwords,
    },
    http::pages::{
        forms::{self, Again},
        request::Page,
        view::Frame,
        views::{Area, Notice, Section, TextField},
    },
    protocol::{Code, trace::Kind},
};

/// Who is signed in, in their language.
///
/// # Errors
/// The way to the sign-in.
pub async fn me(page: &mut Page) -> Result<Me, Box<Response>> {
    match Me::at(&page.app, &page.browser.visitor).await {
        Ok(Some(me)) => {
            page.browser.prefer(me.user.locale.as_deref());
            let has_providers = providers::are_of_use(&page.app, me.user.id).await;
            page.has_providers = has_providers.map_err(|trouble| forms::refuse(page, trouble))?;
            Ok(me)
        }
        Ok(None) => Err(Box::new(page.go(&sign_in(page)))),
        Err(error) => {
            let refused = Refused::at_once(&page.app, Kind::Account, page.browser.visitor.address, error);
            Err(Box::new(page.refuse(&refused)))
        }
    }
}

/// The way to the sign-in, and back to the section that somebody wanted to see.
fn sign_in(page: &Page) -> String {
    let path = page.here.split('?').next().unwrap_or_default();
    match Section::ALL.iter().find(|section| page.browser.path(section.path()) == path) {
        Some(section) if *section != Section::Overview => format!("/account/login?to={}", section.name()),
        _ => "/account/login".to_owned(),
    }
}

/// Where somebody signs in again, by all that they have, and comes back to the section.
pub fn sign_in_again(section: Section) -> String {
    format!("/account/login?to={}&again=yes", section.name())
}

/// The form again; whoever has to sign in again for it is led there.
///
/// # Errors
/// The way to the sign-in, or the page that says what no form can.
pub fn again(page: &Page, section: Section, trouble: Trouble) -> Result<Again, Box<Response>> {
    match trouble {
        Trouble::Broken(error) if error.code == Code::InsufficientUserAuthentication => {
            Err(Box::new(page.go(&sign_in_again(section))))
        }
        trouble => Again::of(page, trouble),
    }
}

/// Whether the person has a password.
///
/// # Errors
/// The page that says that the database is away.
pub async fn has_password(page: &Page, me: &Me) -> Result<bool, Box<Response>> {
    let has = passwords::has(&page.app, me.user.id).await;
    has.map_err(|error| Box::new(forms::refuse(page, error.into())))
}

/// The area around a page. What was done is said of the page that a form led to, not of a form that came back.
pub fn area(page: &Page, section: Section) -> Area {
    let notice = page.query.get("done").and_then(Notice::parse).filter(|_| page.form == Default::default());
    Area { section, notice, has_providers: page.has_providers }
}

/// Its frame: a change of language comes back without the notice.
pub fn frame(page: &Page, section: Section) -> Frame {
    Frame { here: Some(page.browser.path(section.path())), ..page.browser.frame(&page.app) }
}

/// The password, asked for again of whom has one and has signed in some time ago (case SEC-132).
pub fn current_password(page: &Page, me: &Me, has_password: bool, again: &Again) -> Option<TextField> {
    let label = page.browser.texts.get("area.current_password");
    let field = TextField::password("current-password", "current_password", label);
    let field = field.hint(page.browser.texts.get("area.current_password_hint"));
    (has_password && !me.is_fresh(&page.app)).then(|| field.given(again.input(page, "current_password")))
}
