//! Clients that have to be told of a logout (OpenID Connect Back-Channel Logout), each with what came of it. A row is
//! written with the end of its session; whoever moves `next_at` has the row to themselves until then.

use sea_orm::{
    ActiveValue::Set,
    Condition, QueryOrder, QuerySelect,
    entity::prelude::*,
    sea_query::{ExprTrait, IntoCondition},
};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "logout_delivery")]
pub struct Model {
    /// Sorts by time.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub client_id: String,
    pub session_id: Uuid,
    pub user_id: Uuid,
    /// Where the client wanted to be told, last we looked.
    #[sea_orm(column_type = "Text")]
    pub uri: String,
    /// Of the run that ended the session.
    pub trace_id: String,
    pub created_at: i64,
    /// Those that have begun.
    pub attempts: i32,
    /// When it is tried next; none when it is over.
    pub next_at: Option<i64>,
    pub told_at: Option<i64>,
    pub given_up_at: Option<i64>,
    /// What the last attempt met: a status, or the cause in our words.
    pub last_answer: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}

pub use Model as Delivery;

pub async fn insert(db: &impl ConnectionTrait, rows: Vec<Delivery>) -> Result<(), DbErr> {
    if rows.is_empty() {
        return Ok(());
    }
    Entity::insert_many(rows.into_iter().map(ActiveModel::from)).exec_without_returning(db).await.map(drop)
}

/// Those to be tried next, the most urgent first.
pub async fn soonest(db: &impl ConnectionTrait, most: u64) -> Result<Vec<Delivery>, DbErr> {
    Entity::find().filter(Column::NextAt.is_not_null()).order_by_asc(Column::NextAt).limit(most).all(db).await
}

/// True for the one caller, of all nodes, who may try until then.
pub async fn claim(db: &impl ConnectionTrait, row: &Delivery, until: i64) -> Result<bool, DbErr> {
    let change = ActiveModel { next_at: Set(Some(until)), attempts: Set(row.attempts + 1), ..Default::default() };
    let as_seen = Condition::all()
        .add(Column::Id.eq(row.id))
        .add(Column::NextAt.eq(row.next_at))
        .add(Column::Attempts.eq(row.attempts));
    Ok(Entity::update_many().set(change).filter(as_seen).exec(db).await?.rows_affected == 1)
}

/// How an attempt ended, and what comes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    pub uri: String,
    pub answer: String,
    pub then: Then,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    Told { at: i64 },
    Again { at: i64 },
    GivenUp { at: i64 },
}

/// Notes the end of the attempt of that number; of no other, for a slow one may have been overtaken. That the client has
/// been told is true whoever says it.
pub async fn note(db: &impl ConnectionTrait, id: Uuid, attempt: i32, ended: Ended) -> Result<bool, DbErr> {
    let mut change = ActiveModel { uri: Set(ended.uri), last_answer: Set(Some(ended.answer)), ..Default::default() };
    let mut which = Condition::all().add(Column::Id.eq(id)).add(Column::NextAt.is_not_null());
    match ended.then {
        Then::Told { at } => (change.next_at, change.told_at) = (Set(None), Set(Some(at))),
        Then::Again { at } => change.next_at = Set(Some(at)),
        Then::GivenUp { at } => (change.next_at, change.given_up_at) = (Set(None), Set(Some(at))),
    }
    if !matches!(ended.then, Then::Told { .. }) {
        which = which.add(Column::Attempts.eq(attempt));
    }
    Ok(Entity::update_many().set(change).filter(which).exec(db).await?.rows_affected == 1)
}

pub async fn of_session(db: &impl ConnectionTrait, session: Uuid) -> Result<Vec<Delivery>, DbErr> {
    Entity::find().filter(Column::SessionId.eq(session)).all(db).await
}

/// Which of them a report shows.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    pub client_id: Option<String>,
    /// Only those that were tried in vain, given up or not.
    pub failed: bool,
    /// Only those that come after this one in the report.
    pub after: Option<Uuid>,
    pub most: u64,
}

/// The newest first.
pub async fn report(db: &impl ConnectionTrait, wanted: Wanted) -> Result<Vec<Delivery>, DbErr> {
    let mut which = Condition::all();
    if let Some(client_id) = wanted.client_id {
        which = which.add(Column::ClientId.eq(client_id));
    }
    if wanted.failed {
        which = which.add(Column::ToldAt.is_null().and(Column::LastAnswer.is_not_null()));
    }
    if let Some(after) = wanted.after {
        which = which.add(Column::Id.lt(after));
    }
    Entity::find().filter(which).order_by_desc(Column::Id).limit(wanted.most).all(db).await
}

pub async fn forget_before(db: &impl ConnectionTrait, at: i64) -> Result<bool, DbErr> {
    // By the id, which begins with the time: there is an index on it.
    let then = uuid::Builder::from_unix_timestamp_millis(u64::try_from(at).unwrap_or_default() * 1000, &[0; 10]);
    super::forget::<Entity, Uuid>(db, Column::Id, Column::Id.lt(then.into_uuid()).into_condition()).await
}
