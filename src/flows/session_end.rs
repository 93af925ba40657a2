//! The one place where sessions end before their time. In the write that ends one, its clients are queued to be told:
//! what is not committed did not happen, and what is committed is not forgotten.

use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use super::subject;
use crate::{
    app::App,
    protocol::{logout, trace::Kind},
    store::{
        client::{BUILT_IN, Client},
        consent, grant,
        logout_delivery::{self, Delivery},
        session::{self, Session},
        session_client, upstream_session,
    },
};

/// Sessions that end in one go: with all that is to be told, fewer values than a statement may have.
pub const AT_ONCE: usize = 200;

/// What is left to do after the commit.
#[derive(Debug, Default)]
pub struct Ended {
    /// Clients to be told by us (OpenID Connect Back-Channel Logout §2.5).
    pub deliveries: Vec<Delivery>,
    /// Addresses to be opened by the browser, if it is there (OpenID Connect Front-Channel Logout §3).
    pub frames: Vec<String>,
}

impl Ended {
    /// Wakes whoever delivers on this node; elsewhere it is noticed in seconds.
    pub fn tell_soon(&self, app: &App) {
        if !self.deliveries.is_empty() {
            app.logouts.notify_one();
        }
    }
}

/// A run that ends sessions within its write.
pub struct Ending {
    app: App,
    trace_id: String,
}

impl Ending {
    pub fn within(app: &App, trace_id: &str) -> Self {
        Ending { app: app.clone(), trace_id: trace_id.to_owned() }
    }

    /// In a run of its own.
    pub fn alone(app: &App) -> Self {
        Ending { app: app.clone(), trace_id: app.trace(Kind::Logout).id }
    }

    /// Ends a session with what lives by it; `offline_access` outlives it, as its name says.
    ///
    /// # Errors
    /// When the database is away; the write is then undone.
    pub async fn one(&self, db: &impl ConnectionTrait, session: Uuid, user: Uuid) -> Result<Ended, DbErr> {
        self.some(db, &[session], user).await
    }

    /// However many there are, it takes the same few statements.
    ///
    /// # Errors
    /// When the database is away; the write is then undone.
    pub(super) async fn some(&self, db: &impl ConnectionTrait, sessions: &[Uuid], user: Uuid) -> Result<Ended, DbErr> {
        // Who ended one of them first has queued what was to be told.
        let ended = session::end_all(db, sessions).await?;
        upstream_session::forget_of(db, &ended).await?;
        grant::revoke_of_sessions(db, sessions, self.app.now()).await?;
        let clients = session_client::take(db, &ended).await?;
        let told = clients.iter().filter_map(|(session, client)| self.delivery(client, *session, user));
        let deliveries: Vec<_> = told.collect();
        logout_delivery::insert(db, deliveries.clone()).await?;
        let frame = |(session, client): &(Uuid, Client)| {
            let sid = subject::sid(&self.app, &client.client_id, *session);
            let uri = client.metadata.frontchannel_logout_uri.as_deref()?;
            Some(logout::front_channel(uri, self.app.issuer(), &sid))
        };
        let frames = clients.iter().filter_map(frame).collect();
        Ok(Ended { deliveries, frames })
    }

    /// Every session of a person.
    ///
    /// # Errors
    /// When the database is away; the write is then undone.
    pub async fn all_of(&self, db: &impl ConnectionTrait, user: Uuid) -> Result<Ended, DbErr> {
        self.others_of(db, user, None).await
    }

    /// Every session of a person but this one.
    ///
    /// # Errors
    /// When the database is away; the write is then undone.
    pub async fn others_of(&self, db: &impl ConnectionTrait, user: Uuid, but: Option<Uuid>) -> Result<Ended, DbErr> {
        let mut all = Ended::default();
        let others: Vec<_> = session::ids_of(db, user).await?.into_iter().filter(|id| Some(*id) != but).collect();
        for some in others.chunks(AT_ONCE) {
            let ended = self.some(db, some, user).await?;
            all.deliveries.extend(ended.deliveries);
            all.frames.extend(ended.frames);
        }
        Ok(all)
    }

    fn delivery(&self, client: &Client, session: Uuid, user: Uuid) -> Option<Delivery> {
        let now = self.app.now();
        Some(Delivery {
            id: self.app.ordered_id(),
            client_id: client.client_id.clone(),
            session_id: session,
            user_id: user,
            uri: client.metadata.backchannel_logout_uri.clone()?,
            trace_id: self.trace_id.clone(),
            created_at: now,
            attempts: 0,
            next_at: Some(now),
            told_at: None,
            given_up_at: None,
            last_answer: None,
        })
    }
}

/// A client that gets an answer in a session: people see where it was used, and it may want to hear of the end.
pub struct Member {
    session: Uuid,
    client_id: String,
    since: i64,
    /// Whose consent is used, when that is news.
    agreed: Option<Uuid>,
}

impl Member {
    /// None where it is known already, and of the server's own clients.
    pub fn of(app: &App, client: &Client, session: &Session) -> Option<Self> {
        let (metadata, now) = (&client.metadata, app.now());
        let wants = metadata.backchannel_logout_uri.is_some() || metadata.frontchannel_logout_uri.is_some();
        // Once an hour is enough to be seen; who wants to be told is noted each time.
        let is_news = app.cache.is_first_use(&format!("{}/{}", session.id, client.client_id), now / 3600);
        (client.origin != BUILT_IN && (wants || is_news)).then(|| Member {
            session: session.id,
            client_id: client.client_id.clone(),
            since: now,
            agreed: is_news.then_some(session.user_id),
        })
    }

    /// Belongs in the write of the answer.
    ///
    /// # Errors
    /// When the database is away; the write is then undone.
    pub async fn note(member: Option<Self>, db: &impl ConnectionTrait) -> Result<(), DbErr> {
        let Some(Member { session, client_id, since, agreed }) = member else { return Ok(()) };
        if let Some(person) = agreed {
            consent::note_use(db, person, &client_id, since).await?;
        }
        session_client::note(db, session, &client_id, since).await
    }
}
