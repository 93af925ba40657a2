//! Opaque access tokens, for clients that ask for them; JWTs need no row.

use sea_orm::entity::prelude::*;

use crate::{crypto::secret::SecretHash, protocol::Scope};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "access_token")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub hash: SecretHash,
    pub grant_id: Option<Uuid>,
    pub client_id: String,
    pub sub: String,
    pub audience: String,
    pub scope: Scope,
    pub issued_at: i64,
    pub expires_at: i64,
}

impl ActiveModelBehavior for ActiveModel {}

pub async fn find(db: &impl ConnectionTrait, hash: &SecretHash) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(hash.clone()).one(db).await
}

pub async fn insert(db: &impl ConnectionTrait, token: Model) -> Result<(), DbErr> {
    Entity::insert(ActiveModel::from(token)).exec_without_returning(db).await.map(drop)
}

pub async fn revoke(db: &impl ConnectionTrait, hash: &SecretHash) -> Result<(), DbErr> {
    Entity::delete_by_id(hash.clone()).exec(db).await.map(drop)
}

pub async fn forget_expired(db: &impl ConnectionTrait, now: i64) -> Result<bool, DbErr> {
    super::forget::<Entity, SecretHash>(db, Column::Hash, Column::ExpiresAt.lte(now)).await
}
