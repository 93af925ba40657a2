//! Grants: what one authorization of one person to one client is worth, in one row from the code to its tokens
//! to their refreshing. Single use is one conditional update of this row, so a race has one winner, and a
//! revoked family cannot be outrun: there is nothing else to insert.

use sea_orm::{
    ActiveValue::Set,
    Condition, DbBackend, FromQueryResult, QueryOrder, QuerySelect, QueryTrait, Statement,
    entity::prelude::*,
    sea_query::{Expr, ExprTrait, Query},
};

use super::{
    Prepared, revoked_token, session,
    user::{self, User},
};
use crate::{
    crypto::secret::SecretHash,
    protocol::{Scope, assurance::Methods, claims::ClaimsRequest, pkce::Challenge},
};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "grants")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Of the authorization code; none for the `password` grant.
    #[sea_orm(unique)]
    pub code_hash: Option<SecretHash>,
    pub client_id: String,
    pub user_id: Uuid,
    pub session_id: Option<Uuid>,
    pub scope: Scope,
    /// RFC 8707: the API that access tokens are for.
    pub resource: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub redirect_uri: String,
    pub challenge: Option<String>,
    #[sea_orm(column_type = "Text", nullable)]
    pub nonce: Option<String>,
    pub claims: ClaimsRequest,
    pub auth_time: i64,
    /// By what means the person had signed in ([`Methods`]).
    pub methods: String,
    pub trace_id: String,
    pub created_at: i64,
    pub code_expires_at: i64,
    pub redeemed_at: Option<i64>,
    /// Whether it comes with a refresh token.
    pub refreshable: bool,
    /// Outlives the session (`offline_access`).
    pub offline: bool,
    /// Of the newest refresh token; each use adds one.
    pub generation: i32,
    /// When the newest generation began.
    pub rotated_at: i64,
    pub expires_at: i64,
    pub revoked_at: Option<i64>,
    /// As the person's was when this began ([`User::token_version`]).
    pub token_version: i32,
    #[sea_orm(belongs_to, from = "user_id", to = "id")]
    pub user: BelongsTo<user::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}

pub use Model as Grant;

impl Grant {
    /// Neither revoked nor called back with everything else of the person.
    pub fn stands(&self, user: &User) -> bool {
        self.revoked_at.is_none() && self.token_version == user.token_version && user.is_enabled()
    }

    /// By what means the person had signed in.
    pub fn proved(&self) -> Methods {
        Methods::parse(&self.methods)
    }

    pub fn challenge(&self) -> Option<Challenge> {
        self.challenge.clone().map(Challenge::stored)
    }
}

pub async fn insert(db: &impl ConnectionTrait, grant: Grant) -> Result<(), DbErr> {
    Entity::insert(ActiveModel::from(grant)).exec_without_returning(db).await.map(drop)
}

/// The grant of that code and its person, whatever their state. One query.
pub async fn find_by_code(db: &impl ConnectionTrait, hash: &SecretHash) -> Result<Option<(Grant, User)>, DbErr> {
    static BY_CODE: Prepared = Prepared::new();
    let by_code = |backend| with_user(Entity::find().filter(Column::CodeHash.eq(hash.clone())), backend);
    read(db, BY_CODE.with(db, by_code, [hash.clone().into()])).await
}

/// The grant and its person, whatever their state. One query.
pub async fn find(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<(Grant, User)>, DbErr> {
    static BY_ID: Prepared = Prepared::new();
    let by_id = |backend| with_user(Entity::find_by_id(id), backend);
    read(db, BY_ID.with(db, by_id, [id.into()])).await
}

/// As [`find`], but nothing when this one access token of the grant was revoked. One query.
pub async fn find_unless_revoked(
    db: &impl ConnectionTrait,
    id: Uuid,
    jti: &str,
) -> Result<Option<(Grant, User)>, DbErr> {
    static STANDING: Prepared = Prepared::new();
    let standing = |backend| {
        let revoked = Query::select()
            .column(revoked_token::Column::Jti)
            .from(revoked_token::Entity)
            .and_where(revoked_token::Column::Jti.eq(jti))
            .to_owned();
        with_user(Entity::find_by_id(id).filter(Expr::exists(revoked).not()), backend)
    };
    read(db, STANDING.with(db, standing, [id.into(), jti.into()])).await
}

fn with_user(query: Select<Entity>, backend: DbBackend) -> Statement {
    query.find_also_related(user::Entity).build(backend)
}

/// sea-orm names the columns of the first table `A_…`, of the second `B_…`.
async fn read(db: &impl ConnectionTrait, statement: Statement) -> Result<Option<(Grant, User)>, DbErr> {
    let Some(row) = db.query_one_raw(statement).await? else { return Ok(None) };
    Ok(Some((Grant::from_query_result(&row, "A_")?, User::from_query_result(&row, "B_")?)))
}

/// Some of the person's, by id, after that one: all that is kept of them.
pub async fn page_of(
    db: &impl ConnectionTrait,
    user: Uuid,
    after: Option<Uuid>,
    most: u64,
) -> Result<Vec<Grant>, DbErr> {
    let mut rows = Entity::find().filter(Column::UserId.eq(user));
    if let Some(after) = after {
        rows = rows.filter(Column::Id.gt(after));
    }
    rows.order_by_asc(Column::Id).limit(most).all(db).await
}

/// True for exactly one caller, however many try at once, on every database; for nobody once the session is over that the
/// code was given in, whoever ended it while the code was on its way.
pub async fn redeem(db: &impl ConnectionTrait, id: Uuid, now: i64, expires_at: i64) -> Result<bool, DbErr> {
    let change = ActiveModel {
        redeemed_at: Set(Some(now)),
        rotated_at: Set(now),
        expires_at: Set(expires_at),
        ..Default::default()
    };
    let its_session = Query::select()
        .column(session::Column::Id)
        .from(session::Entity)
        .and_where(Expr::col((session::Entity, session::Column::Id)).equals((Entity, Column::SessionId)))
        .to_owned();
    let in_session = Condition::any().add(Column::SessionId.is_null()).add(Expr::exists(its_session));
    let updated = Entity::update_many()
        .set(change)
        .filter(Column::Id.eq(id))
        .filter(Column::RedeemedAt.is_null())
        .filter(Column::RevokedAt.is_null())
        .filter(in_session)
        .exec(db)
        .await?;
    Ok(updated.rows_affected == 1)
}

/// The next generation of the refresh token. True for exactly one caller per generation.
pub async fn rotate(
    db: &impl ConnectionTrait,
    id: Uuid,
    generation: i32,
    now: i64,
    expires_at: i64,
) -> Result<bool, DbErr> {
    let change = ActiveModel {
        generation: Set(generation + 1),
        rotated_at: Set(now),
        expires_at: Set(expires_at),
        ..Default::default()
    };
    let updated = Entity::update_many()
        .set(change)
        .filter(Column::Id.eq(id))
        .filter(Column::Generation.eq(generation))
        .filter(Column::RevokedAt.is_null())
        .exec(db)
        .await?;
    Ok(updated.rows_affected == 1)
}

/// Ends the family: code, access tokens and refresh tokens. True for the caller who did.
pub async fn revoke(db: &impl ConnectionTrait, id: Uuid, now: i64) -> Result<bool, DbErr> {
    Ok(revoke_where(db, Column::Id.eq(id).into_condition(), now).await? == 1)
}

/// What ends with the session: everything but `offline_access`.
pub async fn revoke_of_sessions(db: &impl ConnectionTrait, sessions: &[Uuid], now: i64) -> Result<u64, DbErr> {
    let of_these = Column::SessionId.is_in(sessions.iter().copied());
    let online = Condition::all().add(of_these).add(Column::Offline.eq(false));
    revoke_where(db, online, now).await
}

pub async fn revoke_of_user(db: &impl ConnectionTrait, user: Uuid, now: i64) -> Result<u64, DbErr> {
    revoke_where(db, Column::UserId.eq(user).into_condition(), now).await
}

/// Everything but what this session has, if one is named.
pub async fn revoke_others_of_user(
    db: &impl ConnectionTrait,
    user: Uuid,
    session: Option<Uuid>,
    now: i64,
) -> Result<u64, DbErr> {
    let Some(session) = session else { return revoke_of_user(db, user, now).await };
    let elsewhere = Condition::any().add(Column::SessionId.is_null()).add(Column::SessionId.ne(session));
    revoke_where(db, Condition::all().add(Column::UserId.eq(user)).add(elsewhere), now).await
}

pub async fn revoke_of_client(db: &impl ConnectionTrait, client_id: &str, now: i64) -> Result<u64, DbErr> {
    revoke_where(db, Column::ClientId.eq(client_id).into_condition(), now).await
}

pub async fn revoke_of_user_at(db: &impl ConnectionTrait, user: Uuid, client_id: &str, now: i64) -> Result<u64, DbErr> {
    let both = Condition::all().add(Column::UserId.eq(user)).add(Column::ClientId.eq(client_id));
    revoke_where(db, both, now).await
}

async fn revoke_where(db: &impl ConnectionTrait, which: Condition, now: i64) -> Result<u64, DbErr> {
    let change = ActiveModel { revoked_at: Set(Some(now)), ..Default::default() };
    let live = Entity::update_many().set(change).filter(which).filter(Column::RevokedAt.is_null());
    Ok(live.exec(db).await?.rows_affected)
}

/// What an app has of a person now.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct Held {
    pub client_id: String,
    pub scope: Scope,
    pub created_at: i64,
    pub rotated_at: i64,
    pub refreshable: bool,
    pub offline: bool,
}

/// Everything that apps have of the person and could still use.
pub async fn held_of(db: &impl ConnectionTrait, user: &User, now: i64) -> Result<Vec<Held>, DbErr> {
    let columns =
        [Column::ClientId, Column::Scope, Column::CreatedAt, Column::RotatedAt, Column::Refreshable, Column::Offline];
    let standing = Entity::find()
        .filter(Column::UserId.eq(user.id))
        .filter(Column::TokenVersion.eq(user.token_version))
        .filter(Column::RevokedAt.is_null())
        .filter(Column::RedeemedAt.is_not_null())
        .filter(Column::ExpiresAt.gt(now));
    standing.select_only().columns(columns).into_model().all(db).await
}

/// Those that nothing can come of any more; `longest`: what a token of their last moment lives, in seconds.
pub async fn forget_expired(db: &impl ConnectionTrait, now: i64, longest: i64) -> Result<bool, DbErr> {
    super::forget::<Entity, Uuid>(db, Column::Id, Column::ExpiresAt.lte(now - longest)).await
}

trait IntoCondition {
    fn into_condition(self) -> Condition;
}

impl IntoCondition for sea_orm::sea_query::SimpleExpr {
    fn into_condition(self) -> Condition {
        Condition::all().add(self)
    }
}
