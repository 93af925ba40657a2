//! From where clients got tokens: what ties somebody who fetches the published keys to a client.

use sea_orm::{
    FromQueryResult, JoinType, QueryOrder, QuerySelect,
    entity::prelude::*,
    sea_query::{ExprTrait, OnConflict},
};

use super::key_fetch;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "token_caller")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub client_id: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub caller: String,
    /// To the hour.
    pub used_at: i64,
}

impl ActiveModelBehavior for ActiveModel {}

pub use Model as TokenCaller;

/// A client at one place, with its last fetch of the keys from there.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct Reader {
    pub client_id: String,
    pub used_at: i64,
    pub fetched_at: Option<i64>,
    pub newest_key: Option<i64>,
}

pub async fn note(db: &impl ConnectionTrait, uses: Vec<TokenCaller>) -> Result<(), DbErr> {
    let replace = OnConflict::columns([Column::ClientId, Column::Caller]).update_column(Column::UsedAt).to_owned();
    for piece in super::pieces(uses) {
        let rows = piece.into_iter().map(ActiveModel::from);
        Entity::insert_many(rows).on_conflict(replace.clone()).exec_without_returning(db).await?;
    }
    Ok(())
}

/// Every place of every client, in the order of the clients.
pub async fn readers(db: &impl ConnectionTrait) -> Result<Vec<Reader>, DbErr> {
    let same = Entity::belongs_to(key_fetch::Entity).from(Column::Caller).to(key_fetch::Column::Caller).into();
    let joined = Entity::find().select_only().columns([Column::ClientId, Column::UsedAt]);
    let joined = joined.columns([key_fetch::Column::FetchedAt, key_fetch::Column::NewestKey]);
    joined.join(JoinType::LeftJoin, same).order_by_asc(Column::ClientId).into_model().all(db).await
}

pub async fn forget_before(db: &impl ConnectionTrait, at: i64) -> Result<(), DbErr> {
    Entity::delete_many().filter(Column::UsedAt.lt(at)).exec(db).await.map(drop)
}

/// Those that are tied to more than `most` places, as an app in browsers is to that of each person.
pub async fn with_more_than(db: &impl ConnectionTrait, most: u64) -> Result<Vec<String>, DbErr> {
    let counted = Entity::find().select_only().column(Column::ClientId).group_by(Column::ClientId);
    let many = counted.having(ExprTrait::gt(Column::Caller.count(), i64::try_from(most).unwrap_or(i64::MAX)));
    many.into_tuple().all(db).await
}

/// Keeps a client's newest `most`, and those of the same second.
pub async fn forget_beyond(db: &impl ConnectionTrait, client_id: &str, most: u64) -> Result<(), DbErr> {
    let of_client = Entity::find().filter(Column::ClientId.eq(client_id));
    let last = of_client.order_by_desc(Column::UsedAt).offset(most.saturating_sub(1)).limit(1).one(db).await?;
    let Some(last) = last else { return Ok(()) };
    let older = Entity::delete_many().filter(Column::ClientId.eq(client_id)).filter(Column::UsedAt.lt(last.used_at));
    older.exec(db).await.map(drop)
}
