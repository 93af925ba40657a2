//! Sessions here that a provider's word has opened: so that they end with the person's session there, and the other way
//! round. One begins with a journey, and belongs to the session that comes of it; a session can have one of each provider.

use sea_orm::{ActiveValue::Set, Condition, QueryOrder, QuerySelect, entity::prelude::*};

use super::{Sealed, session};
use crate::crypto::secret::{Secret, SecretHash};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "upstream_session")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Until there is a session.
    #[sea_orm(unique)]
    pub journey_id: Option<Uuid>,
    pub session_id: Option<Uuid>,
    /// The name of the provider.
    pub upstream: String,
    /// Of issuer and subject ([`super::upstream_link::identity`]).
    pub identity: SecretHash,
    /// Of its session at the provider ([`sid`]).
    pub sid_hash: Option<SecretHash>,
    /// The ID token, where signing out goes on to the provider.
    pub hint: Option<Sealed>,
    pub created_at: i64,
    pub expires_at: i64,
}

impl ActiveModelBehavior for ActiveModel {}

pub use Model as UpstreamSession;

/// As it is looked for.
pub fn sid(sid: &str) -> SecretHash {
    Secret::presented(sid).hash()
}

/// The journey's newest.
pub async fn replace(db: &impl ConnectionTrait, row: UpstreamSession) -> Result<(), DbErr> {
    Entity::delete_many().filter(Column::JourneyId.eq(row.journey_id)).exec(db).await?;
    Entity::insert(ActiveModel::from(row)).exec_without_returning(db).await.map(drop)
}

/// Whether a provider has spoken for the journey, and has not taken its word back. Until the write ends it does not.
pub async fn speaks_for(db: &impl ConnectionTrait, journey: Uuid) -> Result<bool, DbErr> {
    Ok(Entity::find().filter(Column::JourneyId.eq(journey)).lock_exclusive().one(db).await?.is_some())
}

/// The journey has come to a session, which lives until then; `federated`: by the provider, and not by other means.
pub async fn settle(
    db: &impl ConnectionTrait,
    journey: Uuid,
    (session, until): (Uuid, i64),
    federated: bool,
) -> Result<(), DbErr> {
    let Some(row) = Entity::find().filter(Column::JourneyId.eq(journey)).one(db).await? else { return Ok(()) };
    if !federated {
        return Entity::delete_by_id(row.id).exec(db).await.map(drop);
    }
    let older = Entity::delete_many().filter(Column::SessionId.eq(session)).filter(Column::Upstream.eq(row.upstream));
    older.exec(db).await?;
    let change = ActiveModel {
        journey_id: Set(None),
        session_id: Set(Some(session)),
        expires_at: Set(until),
        ..Default::default()
    };
    Entity::update_many().set(change).filter(Column::Id.eq(row.id)).exec(db).await.map(drop)
}

/// The session lives until then.
pub async fn prolong(db: &impl ConnectionTrait, session: Uuid, until: i64) -> Result<(), DbErr> {
    let change = ActiveModel { expires_at: Set(until), ..Default::default() };
    Entity::update_many().set(change).filter(Column::SessionId.eq(session)).exec(db).await.map(drop)
}

/// Whose word has opened that session last.
pub async fn of_session(db: &impl ConnectionTrait, session: Uuid) -> Result<Option<UpstreamSession>, DbErr> {
    let of_session = Entity::find().filter(Column::SessionId.eq(session));
    of_session.order_by_desc(Column::CreatedAt).order_by_desc(Column::Id).one(db).await
}

/// What this provider has said: of this session of its own, of this person, or both.
fn said(upstream: &str, identity: Option<&SecretHash>, sid_hash: Option<&SecretHash>) -> Condition {
    Condition::all()
        .add(Column::Upstream.eq(upstream))
        .add_option(identity.map(|identity| Column::Identity.eq(identity.clone())))
        .add_option(sid_hash.map(|sid| Column::SidHash.eq(sid.clone())))
}

/// Whoever has no session yet, gets none by this word of the provider.
pub async fn forget_waiting(
    db: &impl ConnectionTrait,
    upstream: &str,
    identity: Option<&SecretHash>,
    sid_hash: Option<&SecretHash>,
) -> Result<(), DbErr> {
    let waiting = said(upstream, identity, sid_hash).add(Column::SessionId.is_null());
    Entity::delete_many().filter(waiting).exec(db).await.map(drop)
}

/// The sessions that this provider has opened.
pub async fn opened(
    db: &impl ConnectionTrait,
    upstream: &str,
    identity: Option<&SecretHash>,
    sid_hash: Option<&SecretHash>,
) -> Result<Vec<Uuid>, DbErr> {
    let wanted = said(upstream, identity, sid_hash).add(Column::SessionId.is_not_null());
    let found = Entity::find().select_only().column(Column::SessionId).filter(wanted);
    let found: Vec<Option<Uuid>> = found.into_tuple().all(db).await?;
    Ok(found.into_iter().flatten().collect())
}

/// Of sessions that have ended.
pub async fn forget_of(db: &impl ConnectionTrait, sessions: &[Uuid]) -> Result<(), DbErr> {
    if sessions.is_empty() {
        return Ok(());
    }
    Entity::delete_many().filter(Column::SessionId.is_in(sessions.iter().copied())).exec(db).await.map(drop)
}

/// Nothing that this provider said goes to another of its name.
pub async fn forget_of_upstream(db: &impl ConnectionTrait, upstream: &str) -> Result<(), DbErr> {
    Entity::delete_many().filter(Column::Upstream.eq(upstream)).exec(db).await.map(drop)
}

/// Of these sessions, where they are gone.
pub(super) async fn forget_gone(db: &impl ConnectionTrait, sessions: Vec<Uuid>) -> Result<(), DbErr> {
    let live = session::live(sessions.clone());
    let gone = Entity::delete_many().filter(Column::SessionId.is_in(sessions));
    gone.filter(Column::SessionId.not_in_subquery(live)).exec(db).await.map(drop)
}

const AT_ONCE: u64 = 500;

/// Some with a sealed hint, after that one; none at the end.
pub async fn sealed(db: &impl ConnectionTrait, after: Option<Uuid>) -> Result<Option<Vec<(Uuid, Sealed)>>, DbErr> {
    let mut rows = Entity::find().filter(Column::Hint.is_not_null());
    if let Some(after) = after {
        rows = rows.filter(Column::Id.gt(after));
    }
    let rows = rows.order_by_asc(Column::Id).limit(AT_ONCE).all(db).await?;
    let rows: Vec<_> = rows.into_iter().filter_map(|row| Some((row.id, row.hint?))).collect();
    Ok((!rows.is_empty()).then_some(rows))
}

/// Another seal of the same hint.
pub async fn reseal(db: &impl ConnectionTrait, id: Uuid, old: &Sealed, new: Sealed) -> Result<(), DbErr> {
    let change = ActiveModel { hint: Set(Some(new)), ..Default::default() };
    let same = Entity::update_many().set(change).filter(Column::Id.eq(id));
    same.filter(Column::Hint.eq(old.clone())).exec(db).await.map(drop)
}

pub async fn forget_expired(db: &impl ConnectionTrait, now: i64) -> Result<bool, DbErr> {
    super::forget::<Entity, Uuid>(db, Column::Id, Column::ExpiresAt.lte(now)).await
}
