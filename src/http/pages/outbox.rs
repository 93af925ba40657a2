//! `/outbox`: with a local issuer and no mail server, what would have been sent, for administrators.

use poem::{
    IntoResponse, Response, handler,
    http::{StatusCode, header},
    web::Path,
};
use uuid::Uuid;

use super::{
    error,
    request::Page,
    view::View,
    views::{Link, Moment, Outbox, OutboxLine, OutboxMail},
};
use crate::{
    flows::{
        Refused,
        account::me::Me,
        mail::{
            self,
            outbox::{self, Kept},
        },
    },
    http::headers::{LETTER, Policy},
    protocol::{Error, trace::Kind},
};

#[handler]
pub async fn list(mut page: Page) -> Response {
    if let Err(response) = admit(&mut page).await {
        return *response;
    }
    let kept = match outbox::list(&page.app).await {
        Ok(kept) => kept,
        Err(error) => return refuse(&page, error),
    };
    let mails = kept.iter().map(|kept| line(&page, kept)).collect();
    page.show(View::ok(Outbox { frame: page.frame(), mails }), &Policy::default())
}

#[handler]
pub async fn show(mut page: Page, Path(id): Path<String>) -> Response {
    let kept = match find(&mut page, &id).await {
        Ok(kept) => kept,
        Err(response) => return *response,
    };
    let line = line(&page, &kept);
    let framed = format!("{}/html", line.address);
    let view = OutboxMail {
        frame: page.frame(),
        line,
        links: kept
            .rendered
            .links
            .into_iter()
            .filter_map(|link| Some((link.label, Link::web(&link.address)?)))
            .collect(),
        text: kept.rendered.text,
        framed,
        back: page.browser.path("/outbox"),
    };
    let policy = Policy { frames: vec![page.app.config.server.issuer.origin()], ..Policy::default() };
    page.show(View::ok(view), &policy)
}

/// The mail itself: a document in which nothing runs and from which nothing leads anywhere, for the frame of its page.
#[handler]
pub async fn html(mut page: Page, Path(id): Path<String>) -> Response {
    let kept = match find(&mut page, &id).await {
        Ok(kept) => kept,
        Err(response) => return *response,
    };
    Response::builder()
        .header(header::CONTENT_TYPE, "text/html; charset=utf-8")
        .header(header::CACHE_CONTROL, "no-store")
        .header(header::CONTENT_SECURITY_POLICY, LETTER)
        .header(header::X_FRAME_OPTIONS, "SAMEORIGIN")
        .body(kept.rendered.html)
}

fn line(page: &Page, kept: &Kept) -> OutboxLine {
    OutboxLine {
        address: page.browser.path(&format!("/outbox/{}", kept.mail.id)),
        to: kept.mail.recipient.clone(),
        subject: kept.rendered.subject.clone(),
        lang: kept.rendered.lang,
        at: Moment::of(page.browser.texts, kept.mail.created_at),
    }
}

async fn find(page: &mut Page, id: &str) -> Result<Kept, Box<Response>> {
    admit(page).await?;
    match outbox::find(&page.app, id.parse().unwrap_or(Uuid::nil())).await {
        Ok(Some(kept)) => Ok(kept),
        Ok(None) => Err(Box::new(StatusCode::NOT_FOUND.into_response())),
        Err(error) => Err(Box::new(refuse(page, error))),
    }
}

/// For administrators, where there is an outbox at all.
async fn admit(page: &mut Page) -> Result<(), Box<Response>> {
    if !mail::has_outbox(&page.app) {
        return Err(Box::new(StatusCode::NOT_FOUND.into_response()));
    }
    let me = Me::at(&page.app, &page.browser.visitor).await;
    let Some(me) = me.map_err(|error| Box::new(refuse(page, error)))? else {
        return Err(Box::new(page.go("/account/login")));
    };
    page.browser.prefer(me.user.locale.as_deref());
    if me.user.admin { Ok(()) } else { Err(Box::new(page.browser.dress(error::forbidden(&page.app, &page.browser)))) }
}

fn refuse(page: &Page, error: Error) -> Response {
    page.refuse(&Refused::at_once(&page.app, Kind::Login, page.browser.visitor.address, error))
}
