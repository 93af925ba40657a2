//! OpenID Connect RP-Initiated Logout: an app asks us to sign the person out; and the person's own sign-out.

use std::sync::Arc;

use super::{
    Refused,
    event::{self, Event},
    hint, logout_delivery,
    session_end::Ending,
    upstream,
    visitor::Visitor,
    write,
};
use crate::{
    app::App,
    protocol::{
        Code, Error, Params, Result,
        logout::{self, Asked, Decision},
        rule,
        trace::{Kind, Shown, Trace},
    },
    store::{client::Client, session::Session, user::User},
};

/// What the browser sees next.
#[derive(Debug)]
pub enum Next {
    /// Ask the person; the request's parameters come back with the answer. `returns`: the address to go to
    /// afterwards is one of the client's.
    Confirm { client: Option<Arc<Client>>, person: Option<Box<User>>, returns: bool },
    /// Back to the app.
    Away { address: String, told: Told },
    /// To the provider that opened the session, which sends the browser to where it is wanted here.
    Onward { address: String, provider: String, told: Told },
    /// "You are signed out." With the problem of an address that was asked for in vain.
    SignedOut { problem: Option<Box<Error>>, told: Told, trace_id: String },
}

/// How the apps of the session hear of its end.
#[derive(Debug, Default)]
pub struct Told {
    /// Addresses of theirs that this browser is to open (OpenID Connect Front-Channel Logout §3).
    pub frames: Vec<String>,
    /// By which this browser can ask for the number of those that we tell.
    pub reference: Option<String>,
}

impl Told {
    /// The page that says so.
    pub fn path(&self) -> String {
        let reference = self.reference.as_ref().map_or(String::new(), |reference| format!("?of={reference}"));
        format!("/logged-out{reference}")
    }
}

/// `confirmed`: the person pressed the button of our own page.
///
/// # Errors
/// When parameters are ambiguous, or the database is away.
pub async fn end_session(app: &App, params: &Params, visitor: &Visitor, confirmed: bool) -> Result<Next, Refused> {
    let mut trace = app.trace(Kind::Logout).from(visitor.address);
    let next = end_session_traced(app, params, visitor, confirmed, &mut trace).await;
    super::settle(app, trace, next)
}

async fn end_session_traced(
    app: &App,
    params: &Params,
    visitor: &Visitor,
    confirmed: bool,
    trace: &mut Trace,
) -> Result<Next> {
    params.check()?;
    if params.get("state").is_some_and(|state| state.len() > 2048) {
        return Err(Code::InvalidRequest.because("state is longer than 2048 bytes").under(&rule::PARAMETERS));
    }
    // A forged or foreign hint proves nothing, but is no reason not to sign out: the person is asked.
    let hint = match params.get("id_token_hint") {
        Some(token) => hint::read(app, token).await.inspect_err(|error| trace.refused(error)).ok(),
        None => None,
    };
    let named = params.get("client_id");
    let contradiction = matches!((&hint, named), (Some(hint), Some(named)) if hint.client_id != named);
    let hint = hint.filter(|_| !contradiction);
    let client_id = hint.as_ref().map(|hint| hint.client_id.as_str()).or(named.filter(|_| !contradiction));
    let client = match client_id {
        Some(id) => app.cache.client(&app.db, id).await?,
        None => None,
    };
    trace.client_id = client.as_ref().map(|client| client.client_id.clone());
    let signed_in = visitor.session(app).await?;
    trace.user_id = signed_in.as_ref().map(|(_, user)| user.id);
    // Without a genuine hint an address is honored only after the person has confirmed (§3).
    let trusted = client.as_ref().filter(|_| hint.is_some() || confirmed);
    let asked = Asked {
        signed_in: signed_in.as_ref().map(|(session, user)| (user.id, session.id)),
        hint: hint.as_ref().map(|hint| (hint.sub, hint.sid)),
        registered: trusted.map(|client| client.metadata.post_logout_redirect_uris.as_slice()),
        post_logout_redirect_uri: params.get("post_logout_redirect_uri"),
        state: params.get("state"),
    };
    if !confirmed && logout::decide(&asked) == Decision::Confirm {
        trace.passed(&rule::SESSION, Some(Shown::word("the person is asked first")));
        let person = signed_in.map(|(_, user)| Box::new(user));
        let address = asked.post_logout_redirect_uri;
        let returns = client.as_ref().is_some_and(|client| {
            client.metadata.post_logout_redirect_uris.iter().any(|known| Some(known.as_str()) == address)
        });
        return Ok(Next::Confirm { client, person, returns });
    }
    let destination = logout::destination(&asked);
    let opened = match &signed_in {
        Some((session, _)) => upstream::logout::opened(app, session.id).await?,
        None => None,
    };
    let told = end(app, signed_in, visitor, trace).await?;
    if let (Some(opened), Ok(wanted)) = (opened, &destination) {
        let wanted = wanted.clone().unwrap_or_else(|| app.url(&told.path()));
        if let Some((address, provider)) = upstream::logout::onward(app, visitor, opened, wanted, trace).await? {
            return Ok(Next::Onward { address, provider, told });
        }
    }
    match destination {
        Ok(Some(address)) => Ok(Next::Away { address, told }),
        Ok(None) => Ok(Next::SignedOut { problem: None, told, trace_id: trace.id.clone() }),
        Err(problem) => {
            trace.refused(&problem);
            Ok(Next::SignedOut { problem: Some(Box::new(problem)), told, trace_id: trace.id.clone() })
        }
    }
}

/// The session and what lives by it. The first attempts to tell its apps are waited for a moment.
async fn end(app: &App, signed_in: Option<(Session, User)>, visitor: &Visitor, trace: &mut Trace) -> Result<Told> {
    let Some((session, user)) = signed_in else { return Ok(Told::default()) };
    let (id, user) = (session.id, user.id);
    let ending = Ending::within(app, &trace.id);
    let ended = write!(app, db => ending.one(db, id, user).await).await?;
    trace.passed(&rule::SESSION, Some(Shown::word("the session was ended")));
    trace.user_id = Some(user);
    event::happened(trace, Event::Logout, "ok");
    let reference = (!ended.deliveries.is_empty()).then(|| visitor.reference(app, id));
    logout_delivery::first(app, ended.deliveries).await;
    Ok(Told { frames: ended.frames, reference })
}
