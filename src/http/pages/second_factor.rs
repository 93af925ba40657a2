//! `/authorize/{id}/second-factor`.

use poem::{
    Response, handler,
    http::{HeaderValue, StatusCode, header},
    web::Path,
};
use uuid::Uuid;

use super::{
    authorize::{self, either, policy},
    login::asking,
    request::Page,
    view::View,
    views::{AppKey, FactorProblem, RecoveryCodes, SecondFactor, SetUpFactor},
};
use crate::{
    flows::{
        authorize as flow,
        factors::{passkey, recovery::Codes, totp::Begun, trusted},
        login::SignedIn,
        second_factor::{self, Asked, Given, Outcome, What},
    },
    http::{browser, headers::Policy},
    protocol::Code,
};

#[handler]
pub async fn show(mut page: Page, Path(id): Path<Uuid>) -> Response {
    let recovery = page.query.get("by") == Some("recovery");
    either(form(&mut page, id, recovery, None).await)
}

#[handler]
pub async fn answer(mut page: Page, Path(id): Path<Uuid>) -> Response {
    either(answered(&mut page, id).await)
}

async fn answered(page: &mut Page, id: Uuid) -> Result<Response, Box<Response>> {
    let by = page.form.get("by").unwrap_or_default().to_owned();
    let recovery = by == "recovery";
    if page.check_form().is_err() {
        return form(page, id, recovery, Some(FactorProblem::Stale)).await;
    }
    let (path, visitor) = (format!("/authorize/{id}"), &page.browser.visitor);
    match page.form.get("answer") {
        Some("cancel") => {
            let next = flow::deny(&page.app, id, visitor).await;
            return Ok(authorize::answer(page, next));
        }
        Some("another") => {
            return match second_factor::leave(&page.app, id, visitor).await {
                Ok(()) => Ok(page.go(&format!("{path}/login?as=another"))),
                Err(refused) => Err(Box::new(page.refuse(&refused))),
            };
        }
        _ => {}
    }
    let code = page.form.get("code").unwrap_or_default();
    let credential = page.form.get("credential").filter(|credential| !credential.is_empty());
    let given = match (&*by, credential) {
        ("first", Some(credential)) => Given::NewPasskey(credential, ""),
        (_, Some(credential)) => Given::Passkey(credential),
        ("recovery", _) => Given::RecoveryCode(code),
        ("first", _) => Given::First(code),
        _ => Given::Totp(code),
    };
    let trust = page.form.get("trust").is_some();
    let problem = match second_factor::answer(&page.app, id, visitor, given, trust).await {
        Ok(Outcome::SignedIn(signed_in, codes)) => return Ok(inside(page, &path, &signed_in, codes)),
        Ok(Outcome::Over | Outcome::Elsewhere) => return Ok(page.go(&path)),
        Ok(Outcome::Wrong) if credential.is_some() => FactorProblem::Passkey,
        Ok(Outcome::Wrong) => FactorProblem::Wrong,
        Ok(Outcome::TooMany(wait)) => FactorProblem::TooMany { seconds: wait.seconds.try_into().unwrap_or(60) },
        Err(refused) if refused.error.code == Code::TemporarilyUnavailable => FactorProblem::Busy,
        Err(refused) => return Ok(page.refuse(&refused)),
    };
    form(page, id, recovery, Some(problem)).await
}

/// On with the journey; first the codes are shown that came with a factor.
fn inside(page: &Page, path: &str, signed_in: &SignedIn, codes: Option<Codes>) -> Response {
    match codes {
        Some(codes) => {
            let view = RecoveryCodes {
                frame: page.browser.frame_after(&page.app, signed_in),
                codes: codes.shown(),
                on: page.browser.path(path),
            };
            page.browser.signed_in(page.show(View::ok(view), &Policy::default()), signed_in)
        }
        None => page.browser.signed_in(page.go(path), signed_in),
    }
}

async fn form(
    page: &mut Page,
    id: Uuid,
    recovery: bool,
    problem: Option<FactorProblem>,
) -> Result<Response, Box<Response>> {
    let asked = second_factor::look(&page.app, id, &page.browser.visitor).await;
    let Asked { journey, user, what } = match asked {
        Ok(Some(asked)) => asked,
        Ok(None) => return Ok(page.go(&format!("/authorize/{id}"))),
        Err(refused) => return Err(Box::new(page.refuse(&refused))),
    };
    page.browser.prefer(user.locale.as_deref());
    page.browser.speak(journey.request.ui_locales.as_deref());
    let (client, policy) = (asking(page, &journey).await, Policy { asks: true, ..policy(&journey) });
    let ask = page.browser.path(&format!("/authorize/{id}/passkey"));
    let action = page.browser.path(&format!("/authorize/{id}/second-factor"));
    let (frame, person) = (page.frame(), browser::person(&user));
    let status = status(problem);
    let mut response = match what {
        What::Answer(have) => {
            let app = have.totp_since.is_some();
            let passkey = (passkey::are_offered(&page.app) && !have.passkeys.is_empty()).then_some(ask);
            let trust = trusted::life(&page.app).and_then(|life| u64::try_from(life).ok());
            let view = SecondFactor { frame, action, client, person, recovery, app, passkey, problem, trust };
            page.show(View::with(status, view), &policy)
        }
        What::SetUp(begun) => {
            let passkey = passkey::are_offered(&page.app).then_some(ask);
            let view = SetUpFactor { frame, action, client, person, key: key(&begun), passkey, problem };
            page.show(View::with(status, view), &policy)
        }
    };
    if let Some(FactorProblem::TooMany { seconds }) = problem {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    Ok(response)
}

/// What an authenticator app is to read, for a page.
pub fn key(begun: &Begun) -> AppKey {
    AppKey { size: begun.picture.size(), path: begun.picture.path(), secret: begun.secret.to_string() }
}

fn status(problem: Option<FactorProblem>) -> StatusCode {
    match problem {
        None => StatusCode::OK,
        Some(FactorProblem::Wrong | FactorProblem::Passkey) => StatusCode::UNAUTHORIZED,
        Some(FactorProblem::TooMany { .. }) => StatusCode::TOO_MANY_REQUESTS,
        Some(FactorProblem::Busy) => StatusCode::SERVICE_UNAVAILABLE,
        Some(FactorProblem::Stale) => StatusCode::FORBIDDEN,
    }
}
