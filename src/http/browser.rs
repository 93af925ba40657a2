//! The browser of a request: its cookies, its language, and what goes back to it.

use std::sync::Arc;

use poem::{
    Request, Response,
    http::{HeaderMap, HeaderValue, header},
};
use uuid::Uuid;

use super::{
    address,
    pages::view::{Frame, Person, Site},
};
use crate::{
    app::{
        App,
        text::{self, Texts},
    },
    flows::{
        login::SignedIn,
        visitor::{Cookies, Visitor},
    },
};

/// How long a browser keeps its name, its language and whom it knows: a year, in seconds.
const YEAR: i64 = 365 * 86_400;

pub struct Browser {
    pub visitor: Visitor,
    pub texts: &'static Texts,
    site: Arc<Site>,
    names: Names,
    accept_language: Option<String>,
    chosen: Option<String>,
    journey: Option<Uuid>,
    /// What apps' frames find.
    state: Option<String>,
}

/// Cookie names. `__Host-` needs https; plain http, for loopback issuers only, has names of its own (K8).
#[derive(Clone, Copy)]
struct Names {
    secure: bool,
}

impl Names {
    fn full(self, name: &str) -> String {
        if self.secure { format!("__Host-signet-{name}") } else { format!("signet-{name}") }
    }

    /// The one cookie that scripts may read, in a frame of ours inside an app (OpenID Connect Session Management §3.2):
    /// so it goes along across sites, and is worth nothing.
    fn open_cookie(self, name: &str, value: &str, age: Option<i64>) -> Option<HeaderValue> {
        let site = if self.secure { "SameSite=None; Secure" } else { "SameSite=Lax" };
        let age = age.map_or(String::new(), |seconds| format!("; Max-Age={seconds}"));
        HeaderValue::from_str(&format!("{}={value}; Path=/; {site}{age}", self.full(name))).ok()
    }

    /// `age` in seconds; none lives as long as the browser's window.
    fn cookie(self, name: &str, value: &str, age: Option<i64>) -> Option<HeaderValue> {
        let secure = if self.secure { "; Secure" } else { "" };
        let age = age.map_or(String::new(), |seconds| format!("; Max-Age={seconds}"));
        HeaderValue::from_str(&format!("{}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{age}", self.full(name))).ok()
    }
}

impl Browser {
    pub fn of(app: &App, site: &Arc<Site>, request: &Request) -> Self {
        let names = Names { secure: app.config.server.issuer.is_https() };
        let cookie = |name: &str| find(request.headers(), &names.full(name));
        let cookies = Cookies {
            browser: cookie("browser"),
            session: cookie("session"),
            known: cookie("known"),
            trusted: cookie("trusted"),
        };
        let visitor = Visitor::new(app, &cookies, address::device(app, request));
        let accept = request.headers().get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        let chosen = cookie("language");
        Browser {
            texts: text::choose(None, chosen, accept),
            visitor,
            site: site.clone(),
            names,
            accept_language: accept.map(str::to_owned),
            chosen: chosen.map(str::to_owned),
            journey: cookie("journey").and_then(|value| Uuid::try_parse(value).ok()),
            state: cookie("state").map(str::to_owned),
        }
    }

    /// OpenID Connect Core §3.1.2.1: the app may know the person's language. One that they clicked here wins.
    pub fn speak(&mut self, ui_locales: Option<&str>) {
        if self.chosen.is_none() && ui_locales.is_some() {
            self.texts = text::choose(ui_locales, Some(self.texts.tag()), None);
        }
    }

    /// What the person chose in the account counts where this browser has no choice of its own.
    pub fn prefer(&mut self, locale: Option<&str>) {
        if self.chosen.is_none() && locale.is_some() {
            self.texts = text::choose(None, locale, self.accept_language.as_deref());
        }
    }

    pub fn frame(&self, app: &App) -> Frame {
        Frame {
            texts: self.texts,
            site: self.site.clone(),
            csrf: self.visitor.form_token(app),
            here: None,
            person: None,
            trace_id: None,
        }
    }

    /// The frame of the page that a person sees the moment they have signed in: its forms belong to the new session.
    pub fn frame_after(&self, app: &App, signed_in: &SignedIn) -> Frame {
        Frame { csrf: self.visitor.form_token_after(app, signed_in), ..self.frame(app) }
    }

    /// A path of ours, with the issuer's path before it.
    pub fn path(&self, path: &str) -> String {
        format!("{}{path}", self.site.base)
    }

    /// The browser is named at the first page that needs to know it again.
    pub fn dress(&self, mut response: Response) -> Response {
        if self.visitor.is_new {
            self.set(&mut response, "browser", self.visitor.browser_cookie(), Some(YEAR));
        }
        response
    }

    pub fn signed_in(&self, mut response: Response, signed_in: &SignedIn) -> Response {
        // Gone with the window; the server ends it by its own clock anyway.
        self.set(&mut response, "session", signed_in.session_cookie.reveal(), None);
        self.set(&mut response, "known", &signed_in.known_cookie, Some(YEAR));
        self.set_state(&mut response, &signed_in.state, None);
        if let Some((secret, life)) = &signed_in.trusted_cookie {
            self.set(&mut response, "trusted", secret.reveal(), Some(*life));
        }
        self.dress(response)
    }

    pub fn signed_out(&self, mut response: Response) -> Response {
        if self.visitor.has_session_cookie() {
            self.set(&mut response, "session", "", Some(0));
        }
        if self.state.is_some() {
            self.set_state(&mut response, "", Some(0));
        }
        response
    }

    /// Where an app is told the state of this browser, its frame must find the same.
    pub fn with_state(&self, app: &App, mut response: Response) -> Response {
        if let Some(state) = self.visitor.state(app).filter(|state| self.state.as_ref() != Some(state)) {
            self.set_state(&mut response, &state, None);
        }
        response
    }

    fn set_state(&self, response: &mut Response, value: &str, age: Option<i64>) {
        if let Some(cookie) = self.names.open_cookie("state", value, age) {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
    }

    /// The name of the cookie that apps' frames read.
    pub fn state_cookie(&self) -> String {
        self.names.full("state")
    }

    pub fn remember_language(&self, response: &mut Response, texts: &Texts) {
        self.set(response, "language", texts.tag(), Some(YEAR));
    }

    /// The journey that the person left for a page of ours, to register say. It may be over, or another browser's.
    pub fn journey(&self) -> Option<Uuid> {
        self.journey
    }

    pub fn remember_journey(&self, response: &mut Response, journey: Uuid, seconds: i64) {
        self.set(response, "journey", &journey.to_string(), Some(seconds));
    }

    pub fn forget_journey(&self, response: &mut Response) {
        if self.journey.is_some() {
            self.set(response, "journey", "", Some(0));
        }
    }

    fn set(&self, response: &mut Response, name: &str, value: &str, age: Option<i64>) {
        if let Some(cookie) = self.names.cookie(name, value, age) {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
    }
}

/// The first cookie of that name (RFC 6265 §4.2).
fn find<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|line| line.split(';')).find_map(|pair| {
        let (key, value) = pair.trim().split_once('=')?;
        (key == name).then_some(value)
    })
}

/// For content security policies; not for secrets.
pub fn sha256(text: &str) -> Vec<u8> {
    crate::flows::visitor::digest(text)
}

/// How pages name a person.
pub fn person(user: &crate::flows::account::User) -> Person {
    Person { name: user.claims.name.clone(), email: user.email.clone(), username: user.username.clone() }
}
