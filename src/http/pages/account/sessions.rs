//! `/account/sessions`: where a person is signed in, and an end to it.

use poem::{Response, handler};
use uuid::Uuid;

use super::area;
use crate::{
    flows::{
        Trouble,
        account::{
            me::Me,
            sessions::{self, SignedIn},
        },
    },
    http::pages::{
        authorize::either,
        forms::{self, Again},
        request::Page,
        views::{Device, Moment, Notice, Section, SessionsPage},
    },
};

#[handler]
pub async fn show(mut page: Page) -> Response {
    either(shown(&mut page).await)
}

async fn shown(page: &mut Page) -> Result<Response, Box<Response>> {
    let me = area::me(page).await?;
    form(page, &me, &Again::fresh()).await
}

#[handler]
pub async fn answer(mut page: Page) -> Response {
    either(answered(&mut page).await)
}

async fn answered(page: &mut Page) -> Result<Response, Box<Response>> {
    page.check_form()?;
    let me = area::me(page).await?;
    let (app, visitor, password) = (&page.app, &page.browser.visitor, page.form.get("current_password"));
    let (ended, path) = match page.form.get("end") {
        Some("everywhere") => (sessions::end_all(app, visitor, &me).await, "/logged-out".to_owned()),
        Some("others") => {
            let ended = sessions::end_others(app, visitor, &me, password).await;
            (ended, Notice::OthersEnded.after(Section::Sessions.path()))
        }
        one => {
            let ended = match one.and_then(|id| Uuid::try_parse(id).ok()) {
                Some(id) => sessions::end(app, visitor, &me, id, password).await,
                None => Err(Trouble::NotFound("session")),
            };
            (ended, Notice::SessionEnded.after(Section::Sessions.path()))
        }
    };
    match ended {
        Ok(()) if path == "/logged-out" => Ok(page.browser.signed_out(page.go(&path))),
        Ok(()) => Ok(page.go(&path)),
        Err(trouble) => {
            let again = area::again(page, Section::Sessions, trouble)?;
            form(page, &me, &again).await
        }
    }
}

async fn form(page: &Page, me: &Me, again: &Again) -> Result<Response, Box<Response>> {
    let listed = sessions::list(&page.app, me, page.browser.texts.tag()).await;
    let mut listed = listed.map_err(|trouble| forms::refuse(page, trouble))?;
    listed.sort_by_key(|session| !session.is_this);
    let has_password = area::has_password(page, me).await?;
    let mut password = area::current_password(page, me, has_password, again);
    again.focus(password.as_mut_slice());
    let view = SessionsPage {
        frame: area::frame(page, Section::Sessions),
        area: area::area(page, Section::Sessions),
        complaint: again.complaint,
        devices: listed.into_iter().map(|session| device(page, session)).collect(),
        password,
    };
    Ok(again.show(page, view))
}

fn device(page: &Page, session: SignedIn) -> Device {
    let moment = |at| Moment::of(page.browser.texts, at);
    Device {
        id: session.id.to_string(),
        name: session.says.name(),
        is_program: session.is_program,
        is_this: session.is_this,
        address: session.address,
        place: session.place.map(|place| place.to_string()),
        created: moment(session.created_at),
        last_used: moment(session.last_used_at),
        apps: session.apps.into_iter().map(|app| app.name).collect(),
    }
}
