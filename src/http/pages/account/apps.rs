//! `/account/apps`: apps with access, and an end to it.

use poem::{Response, handler};

use super::area;
use crate::{
    flows::{
        Trouble,
        account::{
            apps::{self, Access},
            me::Me,
        },
        consent,
    },
    http::{
        headers::Policy,
        pages::{
            authorize::either,
            forms,
            login::card,
            request::Page,
            view::View,
            views::{AppAccess, AppsPage, Moment, Notice, ScopeLine, Section},
        },
    },
};

#[handler]
pub async fn show(mut page: Page) -> Response {
    either(shown(&mut page).await)
}

async fn shown(page: &mut Page) -> Result<Response, Box<Response>> {
    let me = area::me(page).await?;
    let listed = apps::list(&page.app, &me).await.map_err(|trouble| forms::refuse(page, trouble))?;
    let described = consent::descriptions(&page.app).await;
    let mut shown = Vec::with_capacity(listed.len());
    for access in listed {
        shown.push(app(page, access, &described).await);
    }
    let view = AppsPage { frame: area::frame(page, Section::Apps), area: area::area(page, Section::Apps), apps: shown };
    Ok(page.show(View::ok(view), &Policy::default()))
}

async fn app(page: &Page, access: Access, described: &[(String, Option<String>)]) -> AppAccess {
    let words = |token: &str| described.iter().find(|(name, _)| name == token).and_then(|(_, words)| words.as_deref());
    let scopes = access.scope.tokens().map(|token| (token, words(token)));
    AppAccess {
        scopes: ScopeLine::all(page.browser.texts, scopes, &[]),
        client: card(page, &access.client).await,
        since: Moment::of(page.browser.texts, access.since),
        last_used: access.last_used_at.and_then(|at| Moment::of(page.browser.texts, at)),
        client_id: access.client.client_id,
    }
}

#[handler]
pub async fn revoke(mut page: Page) -> Response {
    either(revoked(&mut page).await)
}

async fn revoked(page: &mut Page) -> Result<Response, Box<Response>> {
    page.check_form()?;
    let me: Me = area::me(page).await?;
    let revoked = match page.form.get("client_id") {
        Some(id) => apps::revoke(&page.app, &page.browser.visitor, &me, id).await,
        None => Err(Trouble::NotFound("app")),
    };
    match revoked {
        Ok(()) => Ok(page.go(&Notice::AppRevoked.after(Section::Apps.path()))),
        Err(trouble) => Ok(forms::refuse(page, trouble)),
    }
}
