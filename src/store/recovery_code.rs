//! Codes that people have written down, each good once (case SEC-129). Kept as keyed hashes.

use sea_orm::{ActiveValue::Set, PaginatorTrait, entity::prelude::*};

use crate::crypto::secret::SecretHash;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "recovery_code")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub hash: SecretHash,
    pub user_id: Uuid,
    pub created_at: i64,
    pub used_at: Option<i64>,
}

impl ActiveModelBehavior for ActiveModel {}

/// A new set; the old one is worth nothing.
pub async fn replace(db: &impl ConnectionTrait, user: Uuid, hashes: Vec<SecretHash>, now: i64) -> Result<(), DbErr> {
    remove(db, user).await?;
    let row = |hash| ActiveModel { hash: Set(hash), user_id: Set(user), created_at: Set(now), used_at: Set(None) };
    Entity::insert_many(hashes.into_iter().map(row)).exec_without_returning(db).await.map(drop)
}

/// True for exactly one caller.
pub async fn spend(db: &impl ConnectionTrait, user: Uuid, hash: &SecretHash, now: i64) -> Result<bool, DbErr> {
    let unused = Entity::update_many()
        .set(ActiveModel { used_at: Set(Some(now)), ..Default::default() })
        .filter(Column::Hash.eq(hash.clone()))
        .filter(Column::UserId.eq(user))
        .filter(Column::UsedAt.is_null());
    Ok(unused.exec(db).await?.rows_affected == 1)
}

/// How many are left.
pub async fn left(db: &impl ConnectionTrait, user: Uuid) -> Result<u64, DbErr> {
    Entity::find().filter(Column::UserId.eq(user)).filter(Column::UsedAt.is_null()).count(db).await
}

pub async fn remove(db: &impl ConnectionTrait, user: Uuid) -> Result<(), DbErr> {
    Entity::delete_many().filter(Column::UserId.eq(user)).exec(db).await.map(drop)
}

/// Those that were made at that time or later.
pub async fn remove_since(db: &impl ConnectionTrait, user: Uuid, since: i64) -> Result<(), DbErr> {
    let late = Entity::delete_many().filter(Column::UserId.eq(user)).filter(Column::CreatedAt.gte(since));
    late.exec(db).await.map(drop)
}
