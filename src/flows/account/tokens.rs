//! Tokens for programs of a person, by name and password: what hand-written back ends call login, refresh and logout.
//! A client that is part of the server holds them, so everything that holds for tokens of apps holds for these.

use uuid::Uuid;

use super::verification;
use crate::{
    app::{
        App,
        throttle::{Wait, counted},
    },
    flows::{
        Refused, api_access,
        arrival::Arrival,
        client_auth::Presented,
        event::{self, Event},
        grants::{Approval, Beginning, Claim, password},
        issue::{self, Tokens},
        login::{self, Proof, Standing},
        magic_link, passkey_login,
        second_factor::{self, Given, Redeemed, Ticket},
        session_end::{Ended, Ending},
        token, try_it,
        userinfo::Bearer,
        visitor::{Device, Visitor},
        write,
    },
    protocol::{
        Code, Params, Result,
        assurance::{Method, Methods},
        client_metadata::{ClientMetadata, ClientPolicy},
        rule, scope,
        trace::{Kind, Shown, Trace},
    },
    store::{
        client::Client,
        grant::{self, Grant},
        session::{self, Session},
        user::User,
    },
};

/// Holds the tokens of the JSON API. It has no redirect URI, so it is of no use at the authorization endpoint.
pub const CLIENT_ID: &str = "signet-api";

/// The client, as this installation's settings want it.
pub fn client(app: &App) -> Client {
    let policy =
        ClientPolicy { first_party: true, skip_consent: true, always_refresh: true, ..ClientPolicy::default() };
    let base = try_it::client(app, CLIENT_ID, app.config.branding.name.clone(), policy);
    let standard = "openid profile email address phone";
    Client {
        kind: "native".to_owned(),
        metadata: ClientMetadata {
            application_type: "native".to_owned(),
            redirect_uris: Vec::new(),
            post_logout_redirect_uris: Vec::new(),
            grant_types: vec!["refresh_token".to_owned()],
            response_types: Vec::new(),
            scope: format!("{standard} {}", scope::ACCOUNT).parse().unwrap_or_default(),
            ..base.metadata
        },
        response_types: String::new(),
        // Where the API is off, its tokens are worth nothing.
        disabled_at: (!app.config.accounts.api).then_some(0),
        ..base
    }
}

/// The session of a program that lives by this grant. Grants of apps are part of a browser's session instead.
pub fn session_of(grant: &Grant) -> Option<Uuid> {
    grant.session_id.filter(|_| grant.client_id == CLIENT_ID)
}

/// How a try ended.
pub enum Outcome {
    SignedIn(Box<SignedIn>),
    Wrong,
    /// The password is right, but the address must be confirmed first; another link was mailed.
    Unconfirmed,
    /// The password is right, and is not enough: with a ticket for whom has something to prove with.
    SecondFactor(Option<Ticket>),
    TooMany(Wait),
}

/// What a program gets.
#[derive(Debug)]
pub struct SignedIn {
    pub user: User,
    pub tokens: Tokens,
    /// What the program sends along when it signs in again: strangers' guesses then do not slow it down, and nobody is
    /// told of a new device ([`Visitor::of_program`]).
    pub device: String,
}

/// # Errors
/// When the server is too busy to hash, or the database is away.
pub async fn login(app: &App, visitor: &Visitor, login: &str, password: &str) -> Result<Outcome, Refused> {
    let mut trace = run(app, visitor);
    let outcome = login_traced(app, visitor, login, password, &mut trace).await;
    crate::flows::settle(app, trace, outcome)
}

async fn login_traced(app: &App, visitor: &Visitor, login: &str, password: &str, trace: &mut Trace) -> Result<Outcome> {
    Ok(match login::prove(app, visitor, login, password, trace).await? {
        Proof::Right(user, standing) if second_factor::is_needed(app, &user).await? => {
            let first = (&*user, &Methods::password());
            Outcome::SecondFactor(second_factor::ticket(app, visitor, first, standing).await?)
        }
        Proof::Right(user, standing) => {
            let begun = begin_traced(app, visitor, (*user, standing), &Methods::password(), trace).await?;
            Outcome::SignedIn(Box::new(begun))
        }
        Proof::Unconfirmed(user) => {
            verification::send_again(app, visitor, *user);
            Outcome::Unconfirmed
        }
        Proof::Wrong => Outcome::Wrong,
        Proof::TooMany(wait) => Outcome::TooMany(wait),
    })
}

/// By a link that was mailed for this program.
///
/// # Errors
/// When the link does not work here, or the database is away.
pub async fn by_link(app: &App, visitor: &Visitor, token: &str) -> Result<Outcome, Refused> {
    let mut trace = run(app, visitor);
    let outcome = async {
        let (user, standing) = magic_link::redeem(app, visitor, token, &mut trace).await?;
        let proved = Methods::of([Method::Mail]);
        if second_factor::is_needed(app, &user).await? {
            let ticket = second_factor::ticket(app, visitor, (&user, &proved), standing).await?;
            return Ok(Outcome::SecondFactor(ticket));
        }
        let begun = begin_traced(app, visitor, (user, standing), &proved, &mut trace).await?;
        Ok(Outcome::SignedIn(Box::new(begun)))
    };
    let outcome = outcome.await;
    crate::flows::settle(app, trace, outcome)
}

/// How the second call of a sign-in ended.
pub enum SecondStep {
    SignedIn(Box<SignedIn>),
    Wrong,
    /// The ticket is worth nothing any more, or was none.
    Over,
    TooMany(Wait),
}

/// # Errors
/// When the database is away.
pub async fn second_step(app: &App, visitor: &Visitor, ticket: &str, given: Given<'_>) -> Result<SecondStep, Refused> {
    let mut trace = run(app, visitor);
    let outcome = async {
        Ok(match second_factor::redeem(app, visitor, ticket, given, &mut trace).await? {
            Redeemed::Right(user, standing, proved) => {
                let begun = begin_traced(app, visitor, (*user, standing), &proved, &mut trace).await?;
                SecondStep::SignedIn(Box::new(begun))
            }
            Redeemed::Wrong => SecondStep::Wrong,
            Redeemed::Over => SecondStep::Over,
            Redeemed::TooMany(wait) => SecondStep::TooMany(wait),
        })
    };
    let outcome = outcome.await;
    crate::flows::settle(app, trace, outcome)
}

/// Tells who somebody is by a passkey, for a program that has asked with [`second_factor::ask_for_program`].
///
/// # Errors
/// When the JSON API is off, or the database is away.
pub async fn with_passkey(app: &App, visitor: &Visitor, ticket: &str, answer: &str) -> Result<SecondStep, Refused> {
    let mut trace = run(app, visitor);
    let outcome = async {
        if let Some(wait) = passkey_login::wait(app, visitor, answer, &mut trace) {
            return Ok(SecondStep::TooMany(wait));
        }
        let Some(row) = second_factor::asked_by_program(app, visitor, ticket).await? else {
            return Ok(SecondStep::Over);
        };
        Ok(match passkey_login::prove(app, visitor, Some(&row), answer, &mut trace).await? {
            passkey_login::Proof::Right(user, proved) => {
                let standing = Standing::of(&user);
                let begun = begin_traced(app, visitor, (*user, standing), &proved, &mut trace).await?;
                SecondStep::SignedIn(Box::new(begun))
            }
            passkey_login::Proof::Wrong => SecondStep::Wrong,
            passkey_login::Proof::TooMany(wait) => SecondStep::TooMany(wait),
        })
    };
    let outcome = outcome.await;
    crate::flows::settle(app, trace, outcome)
}

/// For somebody who has just proven who they are, by registering say.
///
/// # Errors
/// When the operator wants a second factor of the person, or the database is away.
pub async fn begin(app: &App, visitor: &Visitor, user: User) -> Result<SignedIn, Refused> {
    let mut trace = run(app, visitor);
    trace.user_id = Some(user.id);
    let begun = async {
        if second_factor::is_needed(app, &user).await? {
            return Err(second_factor::needed());
        }
        let standing = Standing::of(&user);
        begin_traced(app, visitor, (user, standing), &Methods::password(), &mut trace).await
    };
    let begun = begun.await;
    crate::flows::settle(app, trace, begun)
}

fn run(app: &App, visitor: &Visitor) -> Trace {
    Trace { client_id: Some(CLIENT_ID.to_owned()), ..app.trace(Kind::Login).from(visitor.address) }
}

/// A session without a cookie, which lives by the refresh token, and the tokens.
async fn begin_traced(
    app: &App,
    visitor: &Visitor,
    (user, standing): (User, Standing),
    proved: &Methods,
    trace: &mut Trace,
) -> Result<SignedIn> {
    let client = app.cache.client(&app.db, CLIENT_ID).await?;
    let client = client.ok_or_else(|| Code::UnauthorizedClient.because("the JSON API is off").under(&rule::CLIENT))?;
    let session = session(app, visitor, &user, proved);
    let scope = client.metadata.scope.clone();
    let row = password::begin(app, &client, &user, &scope, None, trace);
    let row = Grant { session_id: Some(session.id), methods: proved.to_string(), ..row };
    let arrival = Arrival::of(app, visitor, &user, trace).await?;
    let is_new = arrival.is_some();
    let approval = Approval {
        user: Some(user.clone()),
        scope,
        resource: None,
        nonce: None,
        refresh: Some(row.generation),
        grant: Some(row.clone()),
        claim: Claim::Begin(Box::new(Beginning { grant: row, session: Some(session), arrival, standing })),
    };
    let tokens = issue::tokens(app, &client, approval, trace).await?;
    if is_new {
        Arrival::said(app, trace);
    }
    let device = visitor.for_program(app, user.id);
    Ok(SignedIn { user, tokens, device })
}

fn session(app: &App, visitor: &Visitor, user: &User, proved: &Methods) -> Session {
    let now = app.now();
    Session {
        id: app.id(),
        // Of a cookie that nobody has.
        hash: app.secret().hash(),
        user_id: user.id,
        auth_time: now,
        methods: proved.to_string(),
        created_at: now,
        last_used_at: now,
        expires_at: now + app.config.lifetimes.refresh_absolute.get(),
        user_agent: visitor.device.user_agent.clone(),
        address: Some(visitor.device.address.to_string()),
        kind: session::API.to_owned(),
    }
}

/// The next tokens: exactly what the token endpoint answers this client.
///
/// # Errors
/// `invalid_grant` when the token is used, expired, revoked or not ours.
pub async fn refresh(app: &App, device: &Device, refresh_token: &str) -> Result<Tokens, Refused> {
    let params = Params::default()
        .with("client_id", CLIENT_ID)
        .with("grant_type", "refresh_token")
        .with("refresh_token", refresh_token);
    let presented = Presented {
        authorization: None,
        params: &params,
        address: counted(device.address),
        user_agent: device.user_agent.as_deref().unwrap_or_default(),
    };
    token::exchange(app, presented).await
}

/// The access token, its refresh tokens and its session end at once. The session of a browser, where an app got its
/// token, goes on.
///
/// # Errors
/// `invalid_token` or `insufficient_scope`, or when the database is away.
pub async fn logout(app: &App, bearer: &Bearer<'_>) -> Result<(), Refused> {
    let mut trace = Trace { address: bearer.address, ..app.trace(Kind::Logout) };
    let ended = logout_traced(app, bearer, &mut trace).await;
    crate::flows::settle(app, trace, ended)
}

async fn logout_traced(app: &App, bearer: &Bearer<'_>, trace: &mut Trace) -> Result<()> {
    let (grant, user) = api_access::of_person(app, bearer, trace).await?;
    let session = session_of(&grant);
    let (id, person, now) = (grant.id, user.id, app.now());
    let ending = Ending::within(app, &trace.id);
    let ended = write!(app, db => {
        grant::revoke(db, id, now).await?;
        match session {
            Some(session) => ending.one(db, session, person).await,
            None => Ok(Ended::default()),
        }
    });
    ended.await?.tell_soon(app);
    trace.passed(&rule::SESSION, Some(Shown::word("the session was ended")));
    event::happened(trace, Event::Logout, "ok");
    Ok(())
}
