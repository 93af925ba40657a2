//! What runs recorded of their checks, for `signet trace`. Written in batches, kept for days.

use sea_orm::{
    ActiveValue::{NotSet, Set},
    QueryOrder, QuerySelect,
    entity::prelude::*,
};

use crate::protocol::trace::{Check, Outcome, Trace};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "trace_event")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub trace_id: String,
    pub at: i64,
    pub kind: String,
    pub client_id: Option<String>,
    pub user_id: Option<Uuid>,
    pub refused: bool,
    /// The checks, as JSON.
    #[sea_orm(column_type = "Text")]
    pub checks: String,
}

impl ActiveModelBehavior for ActiveModel {}

pub use Model as TraceEvent;

impl TraceEvent {
    /// The checks in their order; none if the row was written by a newer release.
    pub fn checks(&self) -> Vec<Check> {
        serde_json::from_str(&self.checks).unwrap_or_default()
    }
}

/// A run that ended at `at`, ready to be written.
pub fn row(trace: &Trace, at: i64) -> ActiveModel {
    ActiveModel {
        id: NotSet,
        trace_id: Set(trace.id.clone()),
        at: Set(at),
        kind: Set(trace.kind.as_str().to_owned()),
        client_id: Set(trace.client_id.clone()),
        user_id: Set(trace.user_id),
        refused: Set(trace.checks.iter().any(|check| check.outcome == Outcome::Refused)),
        checks: Set(serde_json::to_string(&trace.checks).unwrap_or_default()),
    }
}

pub async fn insert(db: &impl ConnectionTrait, rows: Vec<ActiveModel>) -> Result<(), DbErr> {
    for piece in super::pieces(rows) {
        Entity::insert_many(piece).exec_without_returning(db).await?;
    }
    Ok(())
}

/// In the order in which they happened.
pub async fn of(db: &impl ConnectionTrait, trace_id: &str) -> Result<Vec<TraceEvent>, DbErr> {
    Entity::find().filter(Column::TraceId.eq(trace_id)).order_by_asc(Column::At).order_by_asc(Column::Id).all(db).await
}

/// The latest refusals, newest first.
pub async fn refusals(db: &impl ConnectionTrait, most: u64) -> Result<Vec<TraceEvent>, DbErr> {
    Entity::find().filter(Column::Refused.eq(true)).order_by_desc(Column::Id).limit(most).all(db).await
}

/// Keeps the newest `most`, whatever their age: a busy server must not fill the disk.
pub async fn forget_beyond(db: &impl ConnectionTrait, most: i64) -> Result<bool, DbErr> {
    let newest = Entity::find().order_by_desc(Column::Id).one(db).await?;
    let Some(newest) = newest else { return Ok(false) };
    super::forget::<Entity, i64>(db, Column::Id, Column::Id.lte(newest.id - most)).await
}

/// What was checked stays for its time; for whom does not.
pub async fn forget_person(db: &impl ConnectionTrait, user: Uuid) -> Result<(), DbErr> {
    let change = ActiveModel { user_id: Set(None), ..Default::default() };
    Entity::update_many().set(change).filter(Column::UserId.eq(user)).exec(db).await.map(drop)
}

pub async fn forget_before(db: &impl ConnectionTrait, at: i64) -> Result<bool, DbErr> {
    super::forget::<Entity, i64>(db, Column::Id, Column::At.lt(at)).await
}
