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
        factors::{mailed, passkey, recovery::Codes, totp::Begun, trusted},
        login::SignedIn,
        second_factor::{self, Asked, Given, Outcome, What},
    },
    http::{browser, headers::Policy},
    protocol::Code,
};

#[handler]
pub async fn show(mut page: Page, Path(id): Path<Uuid>) -> Response {
    let by = By::named(&page, page.query.get("by"));
    either(form(&mut page, id, by, None).await)
}

#[handler]
pub async fn answer(mut page: Page, Path(id): Path<Uuid>) -> Response {
    either(answered(&mut page, id).await)
}

async fn answered(page: &mut Page, id: Uuid) -> Result<Response, Box<Response>> {
    let by = By::named(page, page.form.get("by"));
    if page.check_form().is_err() {
        return form(page, id, by, Some(FactorProblem::Stale)).await;
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
        Some("mail") if mailed::are_on(&page.app) => return mail(page, id, by).await,
        _ => {}
    }
    let code = page.form.get("code").unwrap_or_default();
    let credential = page.form.get("credential").filter(|credential| !credential.is_empty());
    let given = match (by, credential) {
        (By::First, Some(credential)) => Given::NewPasskey(credential, ""),
        (_, Some(credential)) => Given::Passkey(credential),
        (By::Recovery, None) => Given::RecoveryCode(code),
        (By::First, None) => Given::First(code),
        (By::Mail, None) => Given::MailCode(code),
        (By::App, None) => Given::Totp(code),
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
    form(page, id, by, Some(problem)).await
}

/// What is answered with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    App,
    Recovery,
    /// The app that is being set up.
    First,
    Mail,
}

impl By {
    fn named(page: &Page, name: Option<&str>) -> Self {
        match name {
            Some("recovery") => By::Recovery,
            Some("first") => By::First,
            Some("mail") if mailed::are_on(&page.app) => By::Mail,
            _ => By::App,
        }
    }
}

/// The page is the same whether or not there was room for another letter.
async fn mail(page: &mut Page, id: Uuid, by: By) -> Result<Response, Box<Response>> {
    match second_factor::mail_code(&page.app, id, &page.browser.visitor).await {
        Ok(true) => Ok(page.go(&format!("/authorize/{id}/second-factor?by=mail"))),
        Ok(false) => Ok(page.go(&format!("/authorize/{id}"))),
        Err(refused) if refused.error.code == Code::TooManyRequests => {
            let seconds = refused.error.retry_after.and_then(|wait| wait.try_into().ok()).unwrap_or(60);
            form(page, id, by, Some(FactorProblem::TooMany { seconds })).await
        }
        Err(refused) => Ok(page.refuse(&refused)),
    }
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

async fn form(page: &mut Page, id: Uuid, by: By, problem: Option<FactorProblem>) -> Result<Response, Box<Response>> {
    let asked = second_factor::look(&page.app, id, &page.browser.visitor).await;
    let Asked { journey, user, what, mailbox } = match asked {
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
    let by_mail = mailbox.is_some();
    let mailed = mailbox.filter(|_| by == By::Mail);
    let mut response = match what {
        What::SetUp(begun) if mailed.is_none() => {
            let passkey = passkey::are_offered(&page.app).then_some(ask);
            let view = SetUpFactor { frame, action, client, person, key: key(&begun), passkey, problem, by_mail };
            page.show(View::with(status, view), &policy)
        }
        what => {
            let (app, has_passkey) = match &what {
                What::Answer(have) => (have.totp_since.is_some(), !have.passkeys.is_empty()),
                What::SetUp(_) => (false, false),
            };
            let passkey = (passkey::are_offered(&page.app) && has_passkey).then_some(ask);
            // Nothing else is left of who has only passkeys that do not work at this address.
            let recovery = by == By::Recovery || (has_passkey && !app && passkey.is_none() && mailed.is_none());
            let trust = trusted::life(&page.app).and_then(|life| u64::try_from(life).ok());
            let view =
                SecondFactor { frame, action, client, person, recovery, app, passkey, mailed, by_mail, problem, trust };
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
