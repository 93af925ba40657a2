//! One-time links that let the person who holds the terminal become an administrator.

use sea_orm::{ActiveValue::Set, QueryOrder, QuerySelect, entity::prelude::*};

use crate::crypto::secret::SecretHash;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "setup_link")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub hash: SecretHash,
    pub created_at: i64,
    pub expires_at: i64,
    pub used_at: Option<i64>,
}

impl ActiveModelBehavior for ActiveModel {}

pub async fn is_open(db: &impl ConnectionTrait, hash: &SecretHash, now: i64) -> Result<bool, DbErr> {
    let link = Entity::find_by_id(hash.clone()).one(db).await?;
    Ok(link.is_some_and(|link| link.used_at.is_none() && link.expires_at > now))
}

pub async fn insert(db: &impl ConnectionTrait, hash: SecretHash, now: i64, expires_at: i64) -> Result<(), DbErr> {
    let row = ActiveModel { hash: Set(hash), created_at: Set(now), expires_at: Set(expires_at), used_at: Set(None) };
    Entity::insert(row).exec_without_returning(db).await.map(drop)
}

/// All of them, in one order: of several that are used, made or voided at once, none waits for one that waits for it.
async fn lock(db: &impl ConnectionTrait) -> Result<(), DbErr> {
    Entity::find().order_by_asc(Column::Hash).lock_exclusive().all(db).await.map(drop)
}

/// True for exactly one caller, of all links together while the write lasts.
pub async fn spend(db: &impl ConnectionTrait, hash: &SecretHash, now: i64) -> Result<bool, DbErr> {
    lock(db).await?;
    let change = ActiveModel { used_at: Set(Some(now)), ..Default::default() };
    let updated = Entity::update_many()
        .set(change)
        .filter(Column::Hash.eq(hash.clone()))
        .filter(Column::UsedAt.is_null())
        .filter(Column::ExpiresAt.gt(now))
        .exec(db)
        .await?;
    Ok(updated.rows_affected == 1)
}

pub async fn forget_expired(db: &impl ConnectionTrait, now: i64) -> Result<bool, DbErr> {
    super::forget::<Entity, SecretHash>(db, Column::Hash, Column::ExpiresAt.lte(now)).await
}

/// A newer link, or a finished set-up, makes all older ones worthless.
pub async fn void_all(db: &impl ConnectionTrait) -> Result<(), DbErr> {
    lock(db).await?;
    Entity::delete_many().exec(db).await.map(drop)
}
