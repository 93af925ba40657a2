//! Invitations: who has one may register where registration is not open. Single use, kept as a hash.

use sea_orm::{ActiveValue::Set, QueryOrder, entity::prelude::*};

use crate::crypto::secret::SecretHash;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "invitation")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub hash: SecretHash,
    /// The one address that may register with it, in its one form; none lets any.
    pub email: Option<String>,
    pub created_at: i64,
    pub expires_at: i64,
    pub used_at: Option<i64>,
}

impl ActiveModelBehavior for ActiveModel {}

pub use Model as Invitation;

impl Invitation {
    /// What lists call it: half of the hash, which opens nothing.
    pub fn id(&self) -> Uuid {
        Uuid::from_slice(self.hash.0.get(..16).unwrap_or_default()).unwrap_or_default()
    }
}

pub async fn find_open(db: &impl ConnectionTrait, hash: &SecretHash, now: i64) -> Result<Option<Invitation>, DbErr> {
    let found = Entity::find_by_id(hash.clone()).one(db).await?;
    Ok(found.filter(|invitation| invitation.used_at.is_none() && invitation.expires_at > now))
}

pub async fn insert(db: &impl ConnectionTrait, invitation: Invitation) -> Result<(), DbErr> {
    Entity::insert(ActiveModel::from(invitation)).exec_without_returning(db).await.map(drop)
}

/// True for exactly one caller.
pub async fn spend(db: &impl ConnectionTrait, hash: &SecretHash, now: i64) -> Result<bool, DbErr> {
    let updated = Entity::update_many()
        .set(ActiveModel { used_at: Set(Some(now)), ..Default::default() })
        .filter(Column::Hash.eq(hash.clone()))
        .filter(Column::UsedAt.is_null())
        .filter(Column::ExpiresAt.gt(now))
        .exec(db)
        .await?;
    Ok(updated.rows_affected == 1)
}

/// Newest first.
pub async fn all(db: &impl ConnectionTrait) -> Result<Vec<Invitation>, DbErr> {
    Entity::find().order_by_desc(Column::CreatedAt).all(db).await
}

/// One that was not used; one that was stays as it is.
pub async fn revoke(db: &impl ConnectionTrait, hash: &SecretHash) -> Result<(), DbErr> {
    let unused = Entity::delete_many().filter(Column::Hash.eq(hash.clone())).filter(Column::UsedAt.is_null());
    unused.exec(db).await.map(drop)
}

/// Those for an address that is nobody's any more.
pub async fn forget_address(db: &impl ConnectionTrait, email: &str) -> Result<(), DbErr> {
    Entity::delete_many().filter(Column::Email.eq(email)).exec(db).await.map(drop)
}

pub async fn forget_expired(db: &impl ConnectionTrait, now: i64) -> Result<bool, DbErr> {
    super::forget::<Entity, SecretHash>(db, Column::Hash, Column::ExpiresAt.lte(now)).await
}
