//! OpenID Connect Back-Channel Logout §2.5: clients are told of a logout. Each delivery is one row, tried by whoever
//! claims it, on whichever node, until the client has said that it knows; at least once, and never twice at a time.

use std::time::Duration;

use async_trait::async_trait;
use tokio::time::timeout;
use url::Url;

use super::{
    client_keys,
    due::{self, Due},
    event::{self, Event},
    subject, write_one,
};
use crate::{
    app::{App, outbound::OutboundError},
    protocol::{
        Code, Error, Result,
        logout_token::{self, Events, LogoutToken},
        rule,
        trace::{Kind, Shown, Trace},
    },
    store::{
        client::{self, Client},
        logout_delivery::{self, Ended, Then},
    },
};

pub use crate::store::logout_delivery::Delivery;

/// How long a person waits for the first attempts. What takes longer goes on without them.
const PATIENCE: Duration = Duration::from_millis(1500);
/// Seconds that an attempt has its row to itself: longer than any takes, and when the node dies, the time until another
/// node tries again.
const LEASE: i64 = 30;
/// Seconds from the first failed attempt to the second, and so on; the last goes on until the delivery is given up.
const PAUSES: [i64; 6] = [5, 15, 60, 300, 1800, 7200];
/// Seconds after which a client that does not answer is given up.
const GIVEN_UP_AFTER: i64 = 24 * 3600;
/// 400 says that the client will not have it (§2.8); it may mean it less the first time.
const REFUSALS: i32 = 3;

/// The first attempts, all at once. Comes back when they have ended, or when a person has waited long enough.
pub async fn first(app: &App, rows: Vec<Delivery>) {
    if rows.is_empty() {
        return;
    }
    let app = app.clone();
    let all = tokio::spawn(async move { due::each(&app, rows).await });
    // Time is up or the task has panicked: either way the rows are there, and are tried again.
    let _ = timeout(PATIENCE, all).await;
}

/// Tries what is due, and waits for the end of it.
///
/// # Errors
/// When the database is away.
pub async fn run_due(app: &App) -> Result<()> {
    due::run::<Delivery>(app).await
}

#[async_trait]
impl Due for Delivery {
    const NAME: &'static str = "deliveries of logouts";
    const AT_ONCE: usize = 32;

    fn next_at(&self) -> Option<i64> {
        self.next_at
    }

    async fn soonest(app: &App, most: u64) -> Result<Vec<Self>> {
        Ok(logout_delivery::soonest(&app.db, most).await?)
    }

    async fn claim(&self, app: &App) -> Result<bool> {
        let (row, until) = (self.clone(), app.now() + LEASE);
        Ok(write_one!(app, db => logout_delivery::claim(db, &row, until)).await?)
    }

    async fn attempt(self, app: &App) {
        attempt(app, self).await;
    }
}

/// What an attempt met.
enum Met {
    Told(u16),
    /// The client will not have it.
    Refused(u16),
    Failed(String),
    /// There is nobody to tell any more.
    Unwanted,
}

async fn attempt(app: &App, row: Delivery) {
    let mut trace = Trace::new(row.trace_id.clone(), Kind::LogoutDelivery);
    trace.client_id = Some(row.client_id.clone());
    trace.user_id = Some(row.user_id);
    if let Err(error) = attempt_traced(app, &row, &mut trace).await {
        // The lease ends by itself, and somebody tries again.
        tracing::warn!(%error, client = row.client_id, trace_id = row.trace_id, "a logout could not be delivered yet");
        trace.refused(&error);
    }
    app.record(trace);
}

async fn attempt_traced(app: &App, row: &Delivery, trace: &mut Trace) -> Result<()> {
    // Removed meanwhile, and its deliveries with it.
    let Some(client) = client::find(&app.db, &row.client_id).await? else { return Ok(()) };
    let met = match client.metadata.backchannel_logout_uri.as_deref().and_then(|uri| Url::parse(uri).ok()) {
        Some(uri) => send(app, &client, row, &uri).await?,
        None => Met::Unwanted,
    };
    let (number, now) = (row.attempts + 1, app.now());
    let (then, answer) = judge(&met, number, row.created_at, now);
    record(trace, &met, &answer, then);
    let uri = client.metadata.backchannel_logout_uri.clone().unwrap_or_else(|| row.uri.clone());
    let (id, ended) = (row.id, Ended { uri, answer, then });
    write_one!(app, db => logout_delivery::note(db, id, number, ended)).await?;
    Ok(())
}

/// What comes next, and what the report says.
fn judge(met: &Met, number: i32, created_at: i64, now: i64) -> (Then, String) {
    let (is_final, answer) = match met {
        Met::Told(status) => return (Then::Told { at: now }, format!("status {status}")),
        Met::Unwanted => (true, "the app no longer has an address for this".to_owned()),
        Met::Refused(status) => (number >= REFUSALS, format!("status {status}")),
        Met::Failed(words) => (false, words.clone()),
    };
    let before = usize::try_from(number - 1).unwrap_or_default().min(PAUSES.len() - 1);
    let at = now + PAUSES[before];
    let then =
        if is_final || at > created_at + GIVEN_UP_AFTER { Then::GivenUp { at: now } } else { Then::Again { at } };
    (then, answer)
}

async fn send(app: &App, client: &Client, row: &Delivery, uri: &Url) -> Result<Met> {
    let token = match token(app, client, row).await {
        Ok(token) => token,
        Err(error) => {
            let (client, trace_id) = (&client.client_id, &row.trace_id);
            tracing::warn!(client, trace_id, cause = ?error.cause, "no logout token could be made for a client");
            return Ok(Met::Failed("no token could be made; see the keys of the app".to_owned()));
        }
    };
    Ok(match app.outbound.post_form(uri, &[("logout_token", &token)]).await {
        Ok(answer) => match answer.status {
            status @ 200..=299 => Met::Told(status),
            400 => Met::Refused(400),
            status => Met::Failed(format!("status {status}")),
        },
        Err(error) => {
            let (client, cause, trace_id) = (&client.client_id, error.cause(), &row.trace_id);
            tracing::warn!(client, cause, trace_id, "a client could not be told of a logout");
            Met::Failed(in_words(&error).to_owned())
        }
    })
}

/// Fresh for each attempt: the last may have expired on its way. Encrypted for whom ID tokens are (§2.6).
async fn token(app: &App, client: &Client, row: &Delivery) -> Result<String> {
    let now = app.now();
    let signer = app.keys.ring().signer(&client.metadata.id_token_signed_response_alg, now)?;
    let claims = LogoutToken {
        iss: app.issuer(),
        sub: &subject::of(app, client, row.user_id),
        aud: &client.client_id,
        iat: now,
        exp: now + logout_token::LIFE,
        jti: &app.nonce(),
        events: Events,
        sid: &subject::sid(app, &client.client_id, row.session_id),
    };
    let signed = signer.sign(Some(logout_token::TYPE), &claims).map_err(Error::internal)?;
    client_keys::enclosed(app, client, signed, client.metadata.id_token_encryption()).await
}

/// For the report, which apps' operators may see too: what happened, and nothing of our network.
fn in_words(error: &OutboundError) -> &'static str {
    let cause = error.cause();
    let has = |words: &[&str]| words.iter().any(|word| cause.contains(word));
    match () {
        () if has(&["no whole answer", "timed out"]) => "no answer in time",
        () if has(&["too many requests"]) => "too many requests at once",
        () if has(&["public address", "not https", "user name", "no host"]) => {
            "the address may not be called from here"
        }
        () if has(&["certificate"]) => "its certificate is not trusted",
        () => "could not be reached",
    }
}

fn record(trace: &mut Trace, met: &Met, answer: &str, then: Then) {
    let received = match met {
        Met::Told(status) | Met::Refused(status) => Shown::number((*status).into()),
        Met::Failed(_) | Met::Unwanted => Shown::list([answer]),
    };
    let result = match then {
        Then::Told { .. } => {
            trace.passed(&rule::BACKCHANNEL_LOGOUT, Some(received));
            "told"
        }
        Then::Again { .. } | Then::GivenUp { .. } => {
            let is_over = matches!(then, Then::GivenUp { .. });
            let said = if is_over { "the client was not told of the logout" } else { "the client will be told later" };
            let error = Code::TemporarilyUnavailable.because(said).under(&rule::BACKCHANNEL_LOGOUT);
            trace.refused(&error.expected(Shown::word("status 200 or 204")).received(received));
            if is_over { "given up" } else { "not reached" }
        }
    };
    event::happened(trace, Event::LogoutDelivery, result);
}
