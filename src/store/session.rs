//! Sessions: a person at a browser. The cookie's secret is kept as a hash; the id is the `sid` that clients see.

use sea_orm::{
    ActiveValue::Set,
    Condition, FromQueryResult, IdenStatic, Iterable, QueryOrder, QuerySelect, QueryTrait,
    entity::prelude::*,
    sea_query::{ExprTrait, Query, SelectStatement},
};

use super::{
    Prepared,
    consent::{self, Consent},
    grant, session_client, upstream_session,
    user::{self, User},
};
use crate::{crypto::secret::SecretHash, protocol::assurance::Methods};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "session")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    #[sea_orm(unique)]
    pub hash: SecretHash,
    pub user_id: Uuid,
    /// When the person last proved who they are.
    pub auth_time: i64,
    /// By what means ([`Methods`]).
    pub methods: String,
    pub created_at: i64,
    pub last_used_at: i64,
    pub expires_at: i64,
    /// As the browser or program names itself, cut to 400 characters.
    pub user_agent: Option<String>,
    /// Whence it began, whole.
    pub address: Option<String>,
    /// `browser`, or `api` for a program that signed in by the JSON API.
    pub kind: String,
    #[sea_orm(belongs_to, from = "user_id", to = "id")]
    pub user: BelongsTo<user::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}

pub use Model as Session;

/// [`Session::kind`] of a person at a browser.
pub const BROWSER: &str = "browser";
/// [`Session::kind`] of a program that signed in by the JSON API.
pub const API: &str = "api";

/// After how many seconds without use a session is over.
#[derive(Debug, Clone, Copy)]
pub struct Idle {
    pub browser: i64,
    pub api: i64,
}

/// A use is noted once a minute, so that reading is not writing.
const NOTED_EVERY: i64 = 60;

impl Session {
    /// By what means its person has signed in.
    pub fn proved(&self) -> Methods {
        Methods::parse(&self.methods)
    }

    pub fn is_due_for_note(&self, now: i64) -> bool {
        now - self.last_used_at >= NOTED_EVERY
    }
}

/// A live session, its person, and what the person lets a client have.
pub type Live = (Session, User, Option<Consent>);

/// The live session of that cookie with its person: not expired, not idle too long, person not disabled; and the
/// person's consent for that client, if one is named. One query.
pub async fn find_live(
    db: &impl ConnectionTrait,
    hash: &SecretHash,
    now: i64,
    idle: i64,
    client_id: &str,
) -> Result<Option<Live>, DbErr> {
    static LIVE: Prepared = Prepared::new();
    let live = |backend| {
        // The names of the columns are sea-orm's own for a second table; the third gets its own letter.
        let mut query = Entity::find().find_also_related(user::Entity);
        let of_client = Expr::col((consent::Entity, consent::Column::UserId))
            .equals((Entity, Column::UserId))
            .and(Expr::col((consent::Entity, consent::Column::ClientId)).eq(client_id));
        let statement = QuerySelect::query(&mut query);
        for column in consent::Column::iter() {
            let name = format!("C_{}", column.as_str());
            statement.expr_as(Expr::col((consent::Entity, column)), name);
        }
        statement.left_join(consent::Entity, of_client);
        let live = Column::Hash.eq(hash.clone()).and(Column::ExpiresAt.gt(now)).and(Column::LastUsedAt.gt(now - idle));
        query.filter(live).filter(Column::Kind.eq(BROWSER)).build(backend)
    };
    let values = [client_id.into(), hash.clone().into(), now.into(), (now - idle).into(), BROWSER.into()];
    let Some(row) = db.query_one_raw(LIVE.with(db, live, values)).await? else { return Ok(None) };
    let user = User::from_query_result(&row, "B_")?;
    if !user.is_enabled() {
        return Ok(None);
    }
    let consent = Consent::from_query_result_optional(&row, "C_")?;
    Ok(Some((Session::from_query_result(&row, "A_")?, user, consent)))
}

pub async fn start(db: &impl ConnectionTrait, session: Session) -> Result<(), DbErr> {
    Entity::insert(ActiveModel::from(session)).exec_without_returning(db).await.map(drop)
}

pub async fn note_use(db: &impl ConnectionTrait, id: Uuid, now: i64) -> Result<(), DbErr> {
    let change = ActiveModel { last_used_at: Set(now), ..Default::default() };
    Entity::update_many().set(change).filter(Column::Id.eq(id)).exec(db).await.map(drop)
}

/// True for the one caller who ended it.
pub async fn end(db: &impl ConnectionTrait, id: Uuid) -> Result<bool, DbErr> {
    Ok(Entity::delete_by_id(id).exec(db).await?.rows_affected == 1)
}

/// Ends these: the ids of those that were there still, and that nobody else ends meanwhile.
pub async fn end_all(db: &impl ConnectionTrait, ids: &[Uuid]) -> Result<Vec<Uuid>, DbErr> {
    let of_these = Column::Id.is_in(ids.iter().copied());
    let there = Entity::find().select_only().column(Column::Id).filter(of_these.clone()).lock_exclusive();
    let there: Vec<Uuid> = there.into_tuple().all(db).await?;
    if !there.is_empty() {
        Entity::delete_many().filter(of_these).exec(db).await?;
    }
    Ok(there)
}

pub async fn ids_of(db: &impl ConnectionTrait, user: Uuid) -> Result<Vec<Uuid>, DbErr> {
    Entity::find().select_only().column(Column::Id).filter(Column::UserId.eq(user)).into_tuple().all(db).await
}

/// Some of the person's, by id, after that one: all that is kept of them.
pub async fn page_of(
    db: &impl ConnectionTrait,
    user: Uuid,
    after: Option<Uuid>,
    most: u64,
) -> Result<Vec<Session>, DbErr> {
    let mut rows = Entity::find().filter(Column::UserId.eq(user));
    if let Some(after) = after {
        rows = rows.filter(Column::Id.gt(after));
    }
    rows.order_by_asc(Column::Id).limit(most).all(db).await
}

/// Of these, those that are there, each with its person.
pub async fn owners(db: &impl ConnectionTrait, ids: Vec<Uuid>) -> Result<Vec<(Uuid, Uuid)>, DbErr> {
    let of_these = Entity::find().select_only().column(Column::Id).column(Column::UserId).filter(Column::Id.is_in(ids));
    of_these.into_tuple().all(db).await
}

pub async fn find(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Session>, DbErr> {
    Entity::find_by_id(id).one(db).await
}

/// Whether it is this person's.
pub async fn is_of(db: &impl ConnectionTrait, id: Uuid, user: Uuid) -> Result<bool, DbErr> {
    Ok(Entity::find_by_id(id).filter(Column::UserId.eq(user)).one(db).await?.is_some())
}

/// The person's live sessions, those in use first. A program's lives by its refresh token.
pub async fn live_of(
    db: &impl ConnectionTrait,
    user: Uuid,
    now: i64,
    idle: Idle,
    most: u64,
) -> Result<Vec<Session>, DbErr> {
    let standing = Query::select()
        .column(grant::Column::SessionId)
        .from(grant::Entity)
        .and_where(grant::Column::UserId.eq(user))
        .and_where(grant::Column::SessionId.is_not_null())
        .and_where(grant::Column::RevokedAt.is_null())
        .to_owned();
    let kept = Condition::any().add(Column::Kind.eq(BROWSER)).add(Column::Id.in_subquery(standing));
    let live = Entity::find().filter(Column::UserId.eq(user)).filter(over(now, idle).not()).filter(kept);
    live.order_by_desc(Column::LastUsedAt).order_by_desc(Column::CreatedAt).limit(most).all(db).await
}

/// By the clock of this server.
fn over(now: i64, idle: Idle) -> Condition {
    let of_kind = |kind: &str, idle: i64| Column::Kind.eq(kind).and(Column::LastUsedAt.lte(now - idle));
    Condition::any().add(Column::ExpiresAt.lte(now)).add(of_kind(BROWSER, idle.browser)).add(of_kind(API, idle.api))
}

/// Those among these that are there still.
pub(super) fn live(among: Vec<Uuid>) -> SelectStatement {
    Query::select().column(Column::Id).from(Entity).and_where(Column::Id.is_in(among)).to_owned()
}

/// With what is known of their clients.
pub async fn forget_expired(db: &impl ConnectionTrait, now: i64, idle: Idle) -> Result<bool, DbErr> {
    let over = over(now, idle);
    let forgotten = super::forget_some::<Entity, Uuid>(db, Column::Id, over).await?;
    let may_be_more = forgotten.len() as u64 == super::AT_ONCE;
    if !forgotten.is_empty() {
        session_client::forget_of(db, forgotten.clone()).await?;
        upstream_session::forget_gone(db, forgotten).await?;
    }
    Ok(may_be_more)
}
