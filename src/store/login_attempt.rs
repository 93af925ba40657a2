//! Every try to sign in (requirement AC7): when, whence, and how it ended. Nothing of what was typed.

use sea_orm::{QueryOrder, QuerySelect, entity::prelude::*, sea_query::ExprTrait};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "login_attempt")]
pub struct Model {
    /// Sorts by time.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// None when nobody has the name that was typed.
    pub user_id: Option<Uuid>,
    pub at: i64,
    pub address: Option<String>,
    pub user_agent: Option<String>,
    /// What was proven or not: `password`.
    pub method: String,
    /// `ok`, `refused` or `throttled`.
    pub result: String,
    pub reason: String,
    pub trace_id: String,
}

impl ActiveModelBehavior for ActiveModel {}

pub use Model as LoginAttempt;

pub async fn insert(db: &impl ConnectionTrait, attempts: Vec<LoginAttempt>) -> Result<(), DbErr> {
    for piece in super::pieces(attempts) {
        Entity::insert_many(piece.into_iter().map(ActiveModel::from)).exec_without_returning(db).await?;
    }
    Ok(())
}

/// The person's, newest first, older than `before`.
pub async fn of(
    db: &impl ConnectionTrait,
    user: Uuid,
    before: Option<Uuid>,
    most: u64,
) -> Result<Vec<LoginAttempt>, DbErr> {
    let mut rows = Entity::find().filter(Column::UserId.eq(user));
    if let Some(before) = before {
        rows = rows.filter(Column::Id.lt(before));
    }
    rows.order_by_desc(Column::Id).limit(most).all(db).await
}

pub async fn forget_before(db: &impl ConnectionTrait, at: i64) -> Result<bool, DbErr> {
    super::forget::<Entity, Uuid>(db, Column::Id, Column::At.lt(at)).await
}

/// Keeps the newest `most` of names that nobody has: whoever tries many must not fill the disk. Those of an account are
/// as few as its waits allow.
pub async fn forget_nobodys_beyond(db: &impl ConnectionTrait, most: u64) -> Result<bool, DbErr> {
    let nobodys = Column::UserId.is_null();
    let newest = Entity::find().filter(nobodys.clone()).order_by_desc(Column::Id).offset(most).one(db).await?;
    let Some(first_too_many) = newest else { return Ok(false) };
    super::forget::<Entity, Uuid>(db, Column::Id, nobodys.and(Column::Id.lte(first_too_many.id))).await
}
