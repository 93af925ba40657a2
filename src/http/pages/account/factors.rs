//! `/account/factors`: what a person proves with besides the password.

use poem::{Response, handler};
use uuid::Uuid;

use super::area;
use crate::{
    flows::{
        Trouble,
        account::{links, me::Me},
        factors::{
            self,
            recovery::{self, Codes},
            totp,
            trusted::{self, Trusted},
        },
        login::{self, SignedIn, Standing},
    },
    http::{
        headers::Policy,
        pages::{
            authorize::either,
            forms::{self, Again},
            request::Page,
            second_factor::key,
            view::View,
            views::{FactorsPage, Moment, Notice, RecoveryCodes, Section, TrustedBrowser},
        },
    },
    protocol::{
        Code,
        assurance::{Method, Methods},
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
    let (app, visitor) = (&page.app, &page.browser.visitor);
    let here = Section::Factors.path();
    let done = match page.form.get("do") {
        Some("begin") => totp::begin_for(app, &me).await.map(|_| page.go(here)),
        Some("confirm") => {
            return match totp::confirm_for(app, &me, page.form.get("code").unwrap_or_default()).await {
                Ok(codes) => confirmed(page, &me, codes).await,
                Err(trouble) => again(page, &me, trouble).await,
            };
        }
        Some("remove") => totp::remove(app, visitor, &me).await.map(|()| page.go(&Notice::FactorRemoved.after(here))),
        Some("renew") => recovery::renew(app, &me).await.map(|codes| show_codes(page, None, &codes)),
        Some("forget-all") => forgotten(page, trusted::forget(app, &me, None).await),
        Some(id) => match Uuid::try_parse(id) {
            Ok(id) => forgotten(page, trusted::forget(app, &me, Some(id)).await),
            Err(_) => Err(Trouble::NotFound("trusted device")),
        },
        None => Ok(page.go(here)),
    };
    match done {
        Ok(response) => Ok(response),
        Err(trouble) => again(page, &me, trouble).await,
    }
}

fn forgotten(page: &Page, done: Result<(), Trouble>) -> Result<Response, Trouble> {
    done.map(|()| page.go(&Notice::DeviceForgotten.after(Section::Factors.path())))
}

/// Whoever has to sign in again for it is led there, and comes back.
async fn again(page: &Page, me: &Me, trouble: Trouble) -> Result<Response, Box<Response>> {
    match trouble {
        Trouble::Broken(error) if error.code == Code::InsufficientUserAuthentication => Ok(page.go(&sign_in())),
        Trouble::Conflict(_) => Ok(page.go(Section::Factors.path())),
        Trouble::NotFound(_) => Ok(page.go(Section::Factors.path())),
        trouble => form(page, me, &Again::of(page, trouble)?).await,
    }
}

fn sign_in() -> String {
    format!("/account/login?to={}&again=yes", Section::Factors.name())
}

/// The person has proved a factor by setting it up: the session says so from now on, under a fresh cookie (case SEC-107).
async fn confirmed(page: &Page, me: &Me, codes: Option<Codes>) -> Result<Response, Box<Response>> {
    let visitor = &page.browser.visitor;
    let signed_in = async {
        let before = visitor.session(&page.app).await?;
        let trace = links::trace_of(&page.app, visitor, me);
        let proved = me.proved.and(&Methods::of([Method::Totp]));
        let again = (&me.user, &proved, None);
        login::start_session(&page.app, visitor, before, again, Standing::of(&me.user), &trace).await
    };
    let signed_in = signed_in.await.map_err(|error| forms::refuse(page, error.into()))?;
    let response = match codes {
        Some(codes) => show_codes(page, Some(&signed_in), &codes),
        None => page.go(&Notice::Saved.after(Section::Factors.path())),
    };
    Ok(page.browser.signed_in(response, &signed_in))
}

fn show_codes(page: &Page, signed_in: Option<&SignedIn>, codes: &Codes) -> Response {
    let frame = match signed_in {
        Some(signed_in) => page.browser.frame_after(&page.app, signed_in),
        None => page.browser.frame(&page.app),
    };
    let view = RecoveryCodes { frame, codes: codes.shown(), on: page.browser.path(Section::Factors.path()) };
    page.show(View::ok(view), &Policy::default())
}

async fn form(page: &Page, me: &Me, again: &Again) -> Result<Response, Box<Response>> {
    let app = &page.app;
    let refuse = |trouble: Trouble| Box::new(forms::refuse(page, trouble));
    let have = factors::of(app, me.user.id).await.map_err(|error| refuse(error.into()))?;
    let trusted = trusted::list(app, me.user.id).await.map_err(refuse)?;
    let is_fresh = factors::check_fresh(app, me).await.is_ok();
    // Whoever looks over a shoulder hours later does not learn the key.
    let begun = match is_fresh {
        true => totp::pending(app, &me.user).await.map_err(|error| refuse(error.into()))?,
        false => None,
    };
    let view = FactorsPage {
        frame: area::frame(page, Section::Factors),
        area: area::area(page, Section::Factors),
        complaint: again.complaint,
        problem: again.problem("code").is_some(),
        app_since: have.totp_since.and_then(|at| Moment::of(page.browser.texts, at)),
        codes_left: have.any().then_some(have.codes_left),
        key: begun.as_ref().map(key),
        is_fresh,
        again: page.browser.path(&sign_in()),
        has_trust: trusted::life(app).is_some(),
        trusted: trusted.into_iter().map(|device| shown(page, device)).collect(),
    };
    Ok(again.show(page, view))
}

fn shown(page: &Page, device: Trusted) -> TrustedBrowser {
    let moment = |at| Moment::of(page.browser.texts, at);
    TrustedBrowser {
        id: device.id.to_string(),
        name: device.says.name(),
        address: device.address,
        last_used: moment(device.last_used_at),
        until: moment(device.expires_at),
    }
}
