//! Ways to a provider that signs the person out as well, and back. Each belongs to one browser and is come back by once.

use sea_orm::entity::prelude::*;

use crate::crypto::secret::SecretHash;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "upstream_logout")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub state_hash: SecretHash,
    pub browser_hash: SecretHash,
    /// The name of the provider.
    pub upstream: String,
    /// Where the browser is wanted afterwards: here, or where the app has registered.
    pub onward: String,
    pub expires_at: i64,
}

impl ActiveModelBehavior for ActiveModel {}

pub use Model as UpstreamLogout;

pub async fn insert(db: &impl ConnectionTrait, row: UpstreamLogout) -> Result<(), DbErr> {
    Entity::insert(ActiveModel::from(row)).exec_without_returning(db).await.map(drop)
}

/// One that is open.
pub async fn find(db: &impl ConnectionTrait, state: &SecretHash, now: i64) -> Result<Option<UpstreamLogout>, DbErr> {
    Entity::find_by_id(state.clone()).filter(Column::ExpiresAt.gt(now)).one(db).await
}

/// True for the one caller who comes back by it.
pub async fn take(db: &impl ConnectionTrait, state: &SecretHash) -> Result<bool, DbErr> {
    Ok(Entity::delete_by_id(state.clone()).exec(db).await?.rows_affected == 1)
}

/// All of a provider that is no more.
pub async fn forget_of(db: &impl ConnectionTrait, upstream: &str) -> Result<(), DbErr> {
    Entity::delete_many().filter(Column::Upstream.eq(upstream)).exec(db).await.map(drop)
}

pub async fn forget_expired(db: &impl ConnectionTrait, now: i64) -> Result<bool, DbErr> {
    super::forget::<Entity, SecretHash>(db, Column::StateHash, Column::ExpiresAt.lte(now)).await
}
