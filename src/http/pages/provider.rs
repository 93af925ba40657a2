//! `/authorize/{id}/provider/{name}`, the way to a provider, and `/federation/{name}/callback`, the way back.

use poem::{
    Response, handler,
    http::{HeaderValue, header},
    web::Path,
};
use uuid::Uuid;

use super::{
    authorize::{either, journey},
    request::{Page, see_other},
    view::{Frame, View},
    views::{Mark, Notice, ProviderButton, ProviderPage, Section, segment},
};
use crate::{
    flows::upstream::{
        Button, Turned, Whence, begin,
        callback::{self, Back, Came},
        link::Linked,
    },
    http::headers::Policy,
    protocol::{Params, redirect_uri, trace::Kind},
};

#[handler]
pub async fn leave(mut page: Page, Path((id, name)): Path<(Uuid, String)>) -> Response {
    either(match page.check_form() {
        Ok(()) => Ok(go(&page, id, &name).await),
        // A page that waited too long is given again; nothing was done.
        Err(forged) => match journey(&mut page, id, Kind::Login).await {
            Ok(_) => Ok(page.go(&format!("/authorize/{id}/login"))),
            Err(_) => Err(forged),
        },
    })
}

/// To the provider.
pub async fn go(page: &Page, id: Uuid, name: &str) -> Response {
    match begin::begin(&page.app, id, &page.browser.visitor, name).await {
        Ok(address) => page.browser.dress(see_other(&address)),
        Err(turned) => turn(page, *turned),
    }
}

/// To the provider that the app has asked for, once the browser has the cookie that the way back needs.
pub fn hinted(page: &Page, id: Uuid, name: &str) -> Response {
    page.go(&format!("/authorize/{id}/login?{HINTED}={}", segment(name)))
}

/// Where the login page itself is not to be seen.
pub const HINTED: &str = "with";

#[handler]
pub async fn back(page: Page, Path(name): Path<String>) -> Response {
    match callback::callback(&page.app, &page.browser.visitor, &name, &page.query).await {
        Ok(Back::Journey(id, came)) => {
            let path = format!("/authorize/{id}");
            match came {
                Came::SignedIn(signed_in) => page.browser.signed_in(page.go(&path), &signed_in),
                Came::HalfWay => page.go(&path),
                Came::Connect => page.go(&format!("{path}/connect")),
                Came::Enrol => page.go(&format!("{path}/enrol")),
            }
        }
        Ok(Back::Account(linked)) => {
            let notice = match linked {
                Linked::Well => Notice::ProviderLinked,
                Linked::Already => Notice::ProviderKnown,
            };
            page.go(&notice.after(Section::Providers.path()))
        }
        Err(turned) => turn(&page, *turned),
    }
}

/// `to`: what its form leads to, the name of the provider aside.
pub fn button(page: &Page, to: &str, button: Button) -> ProviderButton {
    let mark = match (button.icon, &*button.kind) {
        (Some(version), _) => {
            Mark::Picture(page.browser.path(&format!("/federation/{}/icon?v={version}", segment(&button.name))))
        }
        (None, "google") => Mark::Google,
        (None, "github") => Mark::GitHub,
        (None, _) => Mark::Letter,
    };
    let action = page.browser.path(&format!("{to}/{}", segment(&button.name)));
    ProviderButton { action, name: button.name, title: button.title, mark }
}

/// Forms on a page lead to these, which its policy must allow; and from there to wherever the provider sends the browser
/// on (K1), as one does that lets people in by others.
pub fn allow(policy: &mut Policy<'_>, buttons: &[Button]) {
    for button in buttons {
        let known = button.leads_to.as_deref().and_then(redirect_uri::csp_source);
        for source in known.into_iter().chain(["https:".to_owned()]) {
            if !policy.forms.contains(&source) {
                policy.forms.push(source);
            }
        }
    }
}

/// A form on the provider's page posts to us: no cookie of ours has come along (K5). The browser is sent here again, with
/// nothing but the state in the address.
#[handler]
pub async fn posted(page: Page, Path(name): Path<String>) -> Response {
    if let Err(error) = callback::posted(&page.app, &name, &page.form).await {
        tracing::error!(%error, "a provider's answer could not be kept");
    }
    let state = page.form.get("state").filter(|state| state.len() <= 200).unwrap_or_default();
    let query = Params::default().with("state", state).encode();
    see_other(&page.browser.path(&format!("/federation/{}/callback?{query}", segment(&name))))
}

/// What the person is told, with the way back.
pub fn turn(page: &Page, turned: Turned) -> Response {
    let Some(what) = turned.said else { return page.refuse(&turned.refused) };
    let Turned { refused, whence, provider, .. } = turned;
    let view = ProviderPage {
        // A callback is nothing to come back to in another language.
        frame: Frame { trace_id: Some(refused.trace_id), ..page.browser.frame(&page.app) },
        what,
        provider: provider.unwrap_or_default(),
        is_link: whence == Some(Whence::Account),
        back: whence.map(|whence| match whence {
            Whence::Journey(id) => page.browser.path(&format!("/authorize/{id}/login")),
            Whence::Account => page.browser.path(Section::Providers.path()),
        }),
    };
    let mut response = page.show(View::with(what.status(), view), &Policy::default());
    if let Some(seconds) = refused.error.retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}
