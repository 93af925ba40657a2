//! Who fetched the published keys, and how new they were: one row for each caller, of its last time.

use sea_orm::{QueryOrder, QuerySelect, entity::prelude::*, sea_query::OnConflict};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "key_fetch")]
pub struct Model {
    /// A keyed hash: no address can be read from it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub caller: String,
    pub fetched_at: i64,
    /// When the newest key was made that was published there and then.
    pub newest_key: i64,
}

impl ActiveModelBehavior for ActiveModel {}

pub use Model as KeyFetch;

pub async fn note(db: &impl ConnectionTrait, fetches: Vec<KeyFetch>) -> Result<(), DbErr> {
    let replace = OnConflict::column(Column::Caller).update_columns([Column::FetchedAt, Column::NewestKey]).to_owned();
    for piece in super::pieces(fetches) {
        let rows = piece.into_iter().map(ActiveModel::from);
        Entity::insert_many(rows).on_conflict(replace.clone()).exec_without_returning(db).await?;
    }
    Ok(())
}

pub async fn forget_before(db: &impl ConnectionTrait, at: i64) -> Result<bool, DbErr> {
    super::forget::<Entity, String>(db, Column::Caller, Column::FetchedAt.lt(at)).await
}

/// Keeps the newest `most`, and those of the same second: anybody may fetch the keys, under any name.
pub async fn forget_beyond(db: &impl ConnectionTrait, most: u64) -> Result<bool, DbErr> {
    let last = Entity::find().order_by_desc(Column::FetchedAt).offset(most.saturating_sub(1)).limit(1).one(db).await?;
    let Some(last) = last else { return Ok(false) };
    super::forget::<Entity, String>(db, Column::Caller, Column::FetchedAt.lt(last.fetched_at)).await
}
