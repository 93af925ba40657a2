//! `/account/data`: a copy of everything that is known of a person, and the end of their account; `/account/keep` takes
//! that back.

use futures_util::TryStreamExt;
use poem::{
    Body, Response, handler,
    http::{StatusCode, header},
};

use super::{announce, area, links};
use crate::{
    flows::{
        Trouble,
        account::{
            deletion::{self, Planned},
            export,
            me::Me,
        },
        factors,
    },
    http::{
        headers::Policy,
        pages::{
            authorize::either,
            forms::{self, Again},
            request::Page,
            view::View,
            views::{Announced, Asked, Complaint, DataPage, Moment, Question, Section, TextField},
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

/// By a form: it is written to the security log, and no link of somebody else's may do that.
#[handler]
pub async fn download(mut page: Page) -> Response {
    either(downloaded(&mut page).await)
}

async fn downloaded(page: &mut Page) -> Result<Response, Box<Response>> {
    page.check_form()?;
    let me = area::me(page).await?;
    let export = export::begin(&page.app, &me).await.map_err(|trouble| forms::refuse(page, trouble))?;
    let pieces = export.pieces().map_err(std::io::Error::other);
    Ok(Response::builder()
        .status(StatusCode::OK)
        .content_type("application/json")
        .header(header::CONTENT_DISPOSITION, "attachment; filename=\"account.json\"")
        .header(header::CACHE_CONTROL, "no-store")
        .body(Body::from_bytes_stream(pieces)))
}

#[handler]
pub async fn delete(mut page: Page) -> Response {
    either(deleted(&mut page).await)
}

async fn deleted(page: &mut Page) -> Result<Response, Box<Response>> {
    page.check_form()?;
    let me = area::me(page).await?;
    let password = page.form.get("current_password").unwrap_or_default();
    let again = match deletion::plan(&page.app, &page.browser.visitor, &me, password).await {
        Ok(planned) => {
            let what = match planned {
                Planned::Gone => Announced::Deleted,
                Planned::At(_) => Announced::DeletionPlanned,
            };
            return Ok(page.browser.signed_out(announce::go(page, what)));
        }
        Err(Trouble::Conflict(_)) => Again::conflict(Complaint::LastAdmin),
        Err(trouble) => area::again(page, Section::Data, trouble)?,
    };
    form(page, &me, &again).await
}

async fn form(page: &Page, me: &Me, again: &Again) -> Result<Response, Box<Response>> {
    let has_password = area::has_password(page, me).await?;
    let signs_in = !has_password && factors::check_fresh(&page.app, me).await.is_err();
    let label = page.browser.texts.get("area.current_password");
    let password = TextField::password("delete-password", "current_password", label);
    let password = password.given(again.input(page, "current_password"));
    let wrong = password.problem().is_some();
    let view = DataPage {
        frame: area::frame(page, Section::Data),
        area: area::area(page, Section::Data),
        complaint: again.complaint,
        grace: announce::grace(page),
        login: me.user.email.clone().or_else(|| me.user.username.clone()).unwrap_or_default(),
        password: has_password.then_some(TextField { focus: wrong, ..password }),
        again: signs_in.then(|| page.browser.path(&area::sign_in_again(Section::Data))),
    };
    Ok(again.show(page, view))
}

/// The page behind the link that takes a deletion back.
#[handler]
pub async fn keep(page: Page) -> Response {
    let token = page.query.get("token").unwrap_or_default();
    let at = match deletion::look(&page.app, &page.browser.visitor, token).await {
        Ok(at) => at,
        Err(trouble) => return forms::refuse(&page, trouble),
    };
    let view = Question {
        frame: page.frame(),
        action: links::address(&page, "/account/keep", token),
        what: Asked::KeepAccount,
        complaint: None,
        password: None,
        sign_in: None,
        about: Moment::of(page.browser.texts, at).map(|moment| moment.words).unwrap_or_default(),
    };
    page.show(View::ok(view), &Policy::default())
}

#[handler]
pub async fn kept(page: Page) -> Response {
    either(
        async {
            page.check_form()?;
            let token = page.query.get("token").unwrap_or_default();
            Ok(match deletion::take_back(&page.app, &page.browser.visitor, token).await {
                Ok(()) => announce::go(&page, Announced::AccountKept),
                Err(trouble) => forms::refuse(&page, trouble),
            })
        }
        .await,
    )
}
