//! `/account/factors`: what a person proves with besides the password.

use poem::{
    IntoResponse, Response, handler,
    http::{StatusCode, header},
    web::Json,
};
use serde_json::json;
use uuid::Uuid;

use super::area;
use crate::{
    flows::{
        Trouble,
        account::{links, me::Me},
        factors::{
            self,
            passkey::{self, Key},
            recovery::{self, Codes},
            totp,
            trusted::{self, Trusted},
        },
        login::{self, SignedIn},
    },
    http::{
        headers::Policy,
        pages::{
            authorize::either,
            forms::{self, Again},
            request::Page,
            second_factor::key,
            view::View,
            views::{Complaint, FactorsPage, Moment, Notice, PasskeyEntry, RecoveryCodes, Section, TrustedBrowser},
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
                Ok(codes) => confirmed(page, &me, &Methods::of([Method::Totp]), codes).await,
                Err(trouble) => again(page, &me, trouble).await,
            };
        }
        Some("add-passkey") => return added(page, &me).await,
        Some("rename-passkey") => {
            let name = page.form.get("name").unwrap_or_default();
            passkey::rename(app, &me, passkey_id(page), name).await.map(|()| page.go(&Notice::Saved.after(here)))
        }
        Some("remove-passkey") => match passkey::remove(app, &me, passkey_id(page)).await {
            Err(Trouble::Conflict(_)) => return form(page, &me, &Again::conflict(Complaint::LastWayIn)).await,
            done => done.map(|()| page.go(&Notice::PasskeyRemoved.after(here))),
        },
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

/// What an authenticator is to make, for the script of the page.
#[handler]
pub async fn ask(mut page: Page) -> Response {
    either(
        async {
            page.check_form()?;
            let me = area::me(&mut page).await?;
            Ok(match passkey::begin_for(&page.app, &me).await {
                Ok(begun) => {
                    let asked = json!({ "ticket": begun.ticket.reveal(), "publicKey": begun.options });
                    page.browser.dress(Json(asked).into_response())
                }
                Err(Trouble::Conflict(_)) => page.browser.dress(StatusCode::CONFLICT.into_response()),
                Err(_) => page.browser.dress(StatusCode::FORBIDDEN.into_response()),
            })
        }
        .await,
    )
}

async fn added(page: &Page, me: &Me) -> Result<Response, Box<Response>> {
    let given = |name| page.form.get(name).unwrap_or_default();
    let made = (given("credential"), given("name"));
    match passkey::add_for(&page.app, me, given("ticket"), made).await {
        Ok((methods, codes)) => confirmed(page, me, &methods, codes).await,
        Err(trouble) => again(page, me, trouble).await,
    }
}

/// What is no id is the id of nothing.
fn passkey_id(page: &Page) -> Uuid {
    page.form.get("passkey").and_then(|id| Uuid::try_parse(id).ok()).unwrap_or_default()
}

fn forgotten(page: &Page, done: Result<(), Trouble>) -> Result<Response, Trouble> {
    done.map(|()| page.go(&Notice::DeviceForgotten.after(Section::Factors.path())))
}

/// Whoever has to sign in again for it is led there, and comes back.
async fn again(page: &Page, me: &Me, trouble: Trouble) -> Result<Response, Box<Response>> {
    match trouble {
        Trouble::Broken(error) if error.code == Code::InsufficientUserAuthentication => {
            Ok(page.go(&area::sign_in_again(Section::Factors)))
        }
        Trouble::Conflict(_) => Ok(page.go(Section::Factors.path())),
        Trouble::NotFound(_) => Ok(page.go(Section::Factors.path())),
        trouble => form(page, me, &Again::of(page, trouble)?).await,
    }
}

/// The person has proved a factor by setting it up: the session says so from now on, under a fresh cookie (case SEC-107).
async fn confirmed(page: &Page, me: &Me, methods: &Methods, codes: Option<Codes>) -> Result<Response, Box<Response>> {
    let visitor = &page.browser.visitor;
    let signed_in = async {
        let before = visitor.session(&page.app).await?;
        let trace = links::trace_of(&page.app, visitor, me);
        let proved = me.proved.and(methods);
        login::renew_session(&page.app, visitor, before, (&me.user, &proved), &trace).await
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
        true => {
            totp::pending(app, &me.user, &factors::Place::of(app, me)).await.map_err(|error| refuse(error.into()))?
        }
        false => None,
    };
    let view = FactorsPage {
        frame: area::frame(page, Section::Factors),
        area: area::area(page, Section::Factors),
        complaint: again.complaint,
        problem: again.problem("code").is_some(),
        passkeys: have.passkeys.iter().map(|key| of_passkey(page, key)).collect(),
        ask: passkey::are_offered(app).then(|| page.browser.path("/account/factors/passkey")),
        name: again.input(page, "name"),
        refused: again.problem("credential").is_some(),
        app_since: have.totp_since.and_then(|at| Moment::of(page.browser.texts, at)),
        codes_left: have.any().then_some(have.codes_left),
        key: begun.as_ref().map(key),
        is_fresh,
        again: page.browser.path(&area::sign_in_again(Section::Factors)),
        has_trust: trusted::life(app).is_some(),
        trusted: trusted.into_iter().map(|device| shown(page, device)).collect(),
    };
    let mut response = again.show(page, view);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, Policy { asks: true, ..Policy::default() }.header());
    Ok(response)
}

fn of_passkey(page: &Page, key: &Key) -> PasskeyEntry {
    PasskeyEntry {
        id: key.id.to_string(),
        name: key.name.clone(),
        synced: key.synced,
        added: Moment::of(page.browser.texts, key.created_at),
        last_used: key.last_used_at.and_then(|at| Moment::of(page.browser.texts, at)),
    }
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
