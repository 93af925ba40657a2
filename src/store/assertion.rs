//! Client assertions that were used: each counts once (RFC 7523 §3, `jti`).

use sea_orm::{ActiveValue::Set, entity::prelude::*};

use super::is_duplicate;
use crate::crypto::secret::SecretHash;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "assertion")]
pub struct Model {
    /// Of the client's id and the `jti`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub hash: SecretHash,
    pub expires_at: i64,
}

impl ActiveModelBehavior for ActiveModel {}

/// True for exactly one caller.
pub async fn spend(db: &impl ConnectionTrait, hash: SecretHash, expires_at: i64) -> Result<bool, DbErr> {
    let row = ActiveModel { hash: Set(hash), expires_at: Set(expires_at) };
    match Entity::insert(row).exec_without_returning(db).await {
        Ok(_) => Ok(true),
        Err(error) if is_duplicate(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

pub async fn forget_expired(db: &impl ConnectionTrait, now: i64) -> Result<bool, DbErr> {
    super::forget::<Entity, SecretHash>(db, Column::Hash, Column::ExpiresAt.lte(now)).await
}
