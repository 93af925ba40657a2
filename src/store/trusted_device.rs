//! Browsers at which a person is not asked for a second factor. Each has a random id in a cookie of its own, kept as a hash
//! (case SEC-133).

use sea_orm::{ActiveValue::Set, QueryOrder, entity::prelude::*};

use crate::crypto::secret::SecretHash;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "trusted_device")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub hash: SecretHash,
    /// What lists call it.
    #[sea_orm(unique)]
    pub id: Uuid,
    pub user_id: Uuid,
    pub user_agent: Option<String>,
    pub address: Option<String>,
    pub created_at: i64,
    pub last_used_at: i64,
    pub expires_at: i64,
}

impl ActiveModelBehavior for ActiveModel {}

pub use Model as TrustedDevice;

pub async fn insert(db: &impl ConnectionTrait, device: TrustedDevice) -> Result<(), DbErr> {
    Entity::insert(ActiveModel::from(device)).exec_without_returning(db).await.map(drop)
}

/// True when it is trusted by this person now. Notes the use.
pub async fn is_trusted(db: &impl ConnectionTrait, user: Uuid, hash: &SecretHash, now: i64) -> Result<bool, DbErr> {
    let change = ActiveModel { last_used_at: Set(now), ..Default::default() };
    let live = Entity::update_many()
        .set(change)
        .filter(Column::Hash.eq(hash.clone()))
        .filter(Column::UserId.eq(user))
        .filter(Column::ExpiresAt.gt(now));
    Ok(live.exec(db).await?.rows_affected == 1)
}

/// The person's that are trusted now, the last used first.
pub async fn all_of(db: &impl ConnectionTrait, user: Uuid, now: i64) -> Result<Vec<TrustedDevice>, DbErr> {
    let live = Entity::find().filter(Column::UserId.eq(user)).filter(Column::ExpiresAt.gt(now));
    live.order_by_desc(Column::LastUsedAt).order_by_asc(Column::Id).all(db).await
}

pub async fn remove(db: &impl ConnectionTrait, user: Uuid, id: Uuid) -> Result<bool, DbErr> {
    let one = Entity::delete_many().filter(Column::Id.eq(id)).filter(Column::UserId.eq(user));
    Ok(one.exec(db).await?.rows_affected == 1)
}

pub async fn remove_all(db: &impl ConnectionTrait, user: Uuid) -> Result<(), DbErr> {
    Entity::delete_many().filter(Column::UserId.eq(user)).exec(db).await.map(drop)
}

pub async fn forget_expired(db: &impl ConnectionTrait, now: i64) -> Result<bool, DbErr> {
    super::forget::<Entity, SecretHash>(db, Column::Hash, Column::ExpiresAt.lte(now)).await
}
