//! The browser in front of us: its two cookies, and the form tokens that only its own pages carry.

use std::net::IpAddr;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use uuid::Uuid;

use crate::{
    app::{App, throttle::counted},
    crypto::secret::{Secret, SecretHash, equal},
    flows::{login::SignedIn, session_state, write_one},
    protocol::{Code, Result, rule, user_agent::UserAgent},
    store::{
        session::{self, Live, Session},
        user::User,
    },
};

/// What a request says of its browser.
#[derive(Clone)]
pub struct Visitor {
    /// The cookie that names the browser; fresh when it brought none.
    browser: Secret,
    /// The browser has just been named; its cookie must be set.
    pub is_new: bool,
    session: Option<Secret>,
    known: Option<String>,
    trusted: Option<Secret>,
    /// As guesses are counted: IPv6 by its /64.
    pub address: IpAddr,
    pub device: Device,
    /// It keeps no cookies.
    pub is_program: bool,
}

/// What a request says of whoever sent it, as people find it in the list of their devices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Whole.
    pub address: IpAddr,
    /// `User-Agent`, cut and without control characters.
    pub user_agent: Option<String>,
}

impl Device {
    /// `user_agent` comes from a stranger.
    pub fn new(address: IpAddr, user_agent: Option<&str>) -> Self {
        let clean = |text: &str| text.chars().filter(|c| !c.is_control()).take(400).collect::<String>();
        Device { address, user_agent: user_agent.map(clean).filter(|text| !text.trim().is_empty()) }
    }

    /// As people recognize it.
    pub fn name(&self) -> Option<String> {
        UserAgent::read(self.user_agent.as_deref()?).name()
    }
}

/// Values of the cookies that a browser sent.
#[derive(Debug, Default)]
pub struct Cookies<'a> {
    pub browser: Option<&'a str>,
    pub session: Option<&'a str>,
    pub known: Option<&'a str>,
    pub trusted: Option<&'a str>,
}

impl Visitor {
    pub fn new(app: &App, cookies: &Cookies<'_>, device: Device) -> Self {
        // Anything but a value of our own making is nobody's cookie (case SEC-111).
        let ours =
            |value: &&str| value.len() == 43 && value.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
        let browser = cookies.browser.filter(ours).map(Secret::presented);
        Visitor {
            is_new: browser.is_none(),
            browser: browser.unwrap_or_else(|| app.secret()),
            session: cookies.session.filter(ours).map(Secret::presented),
            known: cookies.known.filter(|value| value.len() < 200).map(str::to_owned),
            trusted: cookies.trusted.filter(ours).map(Secret::presented),
            address: counted(device.address),
            device,
            is_program: false,
        }
    }

    /// A program, which has no cookies. `given`: what it was given when it signed in before ([`Visitor::for_program`]).
    pub fn of_program(app: &App, given: Option<&str>, device: Device) -> Self {
        let (browser, known) = given.and_then(|given| given.split_once('.')).unzip();
        Visitor { is_program: true, ..Visitor::new(app, &Cookies { browser, known, ..Cookies::default() }, device) }
    }

    /// What a program keeps after this person has signed in with it: both values that a browser keeps as cookies.
    pub fn for_program(&self, app: &App, user: Uuid) -> String {
        format!("{}.{}", self.browser.reveal(), self.known_cookie(app, user))
    }

    /// For the cookie.
    pub fn browser_cookie(&self) -> &str {
        self.browser.reveal()
    }

    pub fn browser_hash(&self) -> SecretHash {
        self.browser.hash()
    }

    /// What it keeps of having been trusted.
    pub fn trusted(&self) -> Option<&Secret> {
        self.trusted.as_ref()
    }

    pub fn has_session_cookie(&self) -> bool {
        self.session.is_some()
    }

    /// Who is signed in here. Notes the use, so that an active session does not become idle.
    pub async fn session(&self, app: &App) -> Result<Option<(Session, User)>> {
        let live = self.session_with_consent(app, "").await?;
        Ok(live.map(|(session, user, _)| (session, user)))
    }

    /// The same, with what the person lets this client have.
    pub async fn session_with_consent(&self, app: &App, client_id: &str) -> Result<Option<Live>> {
        let Some(secret) = &self.session else { return Ok(None) };
        let now = app.now();
        let idle = app.config.lifetimes.session_idle.get();
        let found = session::find_live(&app.db, &secret.hash(), now, idle, client_id).await?;
        if let Some((session, ..)) = &found
            && session.is_due_for_note(now)
        {
            let id = session.id;
            write_one!(app, db => session::note_use(db, id, now)).await?;
        }
        Ok(found)
    }

    /// The token that this browser's forms carry (CWE-352): bound to its cookie and its session.
    pub fn form_token(&self, app: &App) -> String {
        URL_SAFE_NO_PAD.encode(app.macs.browser.tag(&self.form_parts()))
    }

    /// The token of the forms after the browser has got this session.
    pub fn form_token_after(&self, app: &App, signed_in: &SignedIn) -> String {
        let session = signed_in.session_cookie.reveal().as_bytes();
        URL_SAFE_NO_PAD.encode(app.macs.browser.tag(&[b"form", self.browser.reveal().as_bytes(), session]))
    }

    /// # Errors
    /// When the form did not come from a page of this browser and session.
    pub fn check_form(&self, app: &App, token: Option<&str>) -> Result<()> {
        let token = token.and_then(|token| URL_SAFE_NO_PAD.decode(token).ok()).unwrap_or_default();
        if !self.is_new && app.macs.browser.verify(&self.form_parts(), &token) {
            return Ok(());
        }
        Err(Code::AccessDenied.because("the form is out of date or came from elsewhere").under(&rule::CSRF))
    }

    fn form_parts(&self) -> [&[u8]; 3] {
        let session = self.session.as_ref().map_or("", Secret::reveal);
        [b"form", self.browser.reveal().as_bytes(), session.as_bytes()]
    }

    /// The person has signed in at this browser before, so strangers' guesses elsewhere do not slow it down (K11).
    pub fn knows(&self, app: &App, user: Uuid) -> bool {
        self.known.as_deref().is_some_and(|cookie| {
            cookie.split('.').any(|tag| {
                URL_SAFE_NO_PAD
                    .decode(tag)
                    .is_ok_and(|tag| app.macs.browser.verify(&self.known_parts(user.as_bytes()), &tag))
            })
        })
    }

    /// The cookie after this person has signed in here; the last three people of a browser are known.
    pub fn known_cookie(&self, app: &App, user: Uuid) -> String {
        let tag = URL_SAFE_NO_PAD.encode(app.macs.browser.tag(&self.known_parts(user.as_bytes())));
        let others = self.known.as_deref().unwrap_or_default().split('.');
        let others = others.filter(|other| !other.is_empty() && !equal(other.as_bytes(), tag.as_bytes()));
        let mut tags: Vec<&str> = vec![&tag];
        tags.extend(others.take(2));
        tags.join(".")
    }

    fn known_parts<'a>(&'a self, user: &'a [u8; 16]) -> [&'a [u8]; 3] {
        [b"known", self.browser.reveal().as_bytes(), user]
    }
}

/// Seconds for which the page after a logout can say which apps know of it.
const REFERENCE_LIFE: i64 = 600;

impl Visitor {
    /// Names an ended session to this browser alone, and for minutes only.
    pub fn reference(&self, app: &App, session: Uuid) -> String {
        let until = (app.now() + REFERENCE_LIFE).to_be_bytes();
        let tag = app.macs.browser.tag(&self.reference_parts(session.as_bytes(), &until));
        URL_SAFE_NO_PAD.encode([&session.as_bytes()[..], &until, &tag].concat())
    }

    /// The session that a reference names.
    pub fn referred(&self, app: &App, reference: &str) -> Option<Uuid> {
        let bytes = URL_SAFE_NO_PAD.decode(reference).ok()?;
        let (session, rest) = bytes.split_first_chunk::<16>()?;
        let (until, tag) = rest.split_first_chunk::<8>()?;
        let genuine = app.macs.browser.verify(&self.reference_parts(session, until), tag);
        (genuine && i64::from_be_bytes(*until) > app.now()).then(|| Uuid::from_bytes(*session))
    }

    fn reference_parts<'a>(&'a self, session: &'a [u8; 16], until: &'a [u8; 8]) -> [&'a [u8]; 4] {
        [b"ended", self.browser.reveal().as_bytes(), session, until]
    }

    /// What the frames of apps see of this browser's state (OpenID Connect Session Management §3.2): it tells nothing but
    /// that it is another than before.
    pub fn state(&self, app: &App) -> Option<String> {
        self.session.as_ref().map(|session| session_state::of_browser(app, &session.hash()))
    }
}

/// SHA-256, for what is public.
pub fn digest(text: &str) -> Vec<u8> {
    Secret::presented(text).hash().0
}
