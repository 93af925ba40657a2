//! Authenticator apps (RFC 6238): one for each person. The row is active from its first right code on.

use sea_orm::{ActiveValue::Set, entity::prelude::*, sea_query::ExprTrait};

use super::Sealed;
use crate::crypto::secret::SecretHash;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "totp")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: Uuid,
    pub secret: Sealed,
    /// Where it was begun: until it is confirmed it is shown nowhere else.
    pub place: SecretHash,
    /// Of the newest code that was taken: it and older ones are worth nothing.
    pub last_step: i64,
    pub created_at: i64,
    pub confirmed_at: Option<i64>,
}

impl ActiveModelBehavior for ActiveModel {}

pub use Model as Totp;

pub async fn find(db: &impl ConnectionTrait, user: Uuid) -> Result<Option<Totp>, DbErr> {
    Entity::find_by_id(user).one(db).await
}

/// For a person without an active one; what was begun before is forgotten.
pub async fn begin(db: &impl ConnectionTrait, row: Totp) -> Result<(), DbErr> {
    leave(db, row.user_id).await?;
    Entity::insert(ActiveModel::from(row)).exec_without_returning(db).await.map(drop)
}

/// True for the one caller, of all servers, who uses this step (case SEC-128), of the secret that was looked at.
pub async fn take_step(db: &impl ConnectionTrait, seen: &Totp, step: i64) -> Result<bool, DbErr> {
    let change = ActiveModel { last_step: Set(step), ..Default::default() };
    let unused = Entity::update_many()
        .set(change)
        .filter(Column::UserId.eq(seen.user_id))
        .filter(Column::CreatedAt.eq(seen.created_at))
        .filter(Column::LastStep.lt(step));
    Ok(unused.exec(db).await?.rows_affected == 1)
}

/// True for the one caller whose first code made it active.
pub async fn confirm(db: &impl ConnectionTrait, seen: &Totp, step: i64, now: i64) -> Result<bool, DbErr> {
    let change = ActiveModel { confirmed_at: Set(Some(now)), last_step: Set(step), ..Default::default() };
    let begun = Entity::update_many()
        .set(change)
        .filter(Column::UserId.eq(seen.user_id))
        .filter(Column::Secret.eq(seen.secret.clone()))
        .filter(Column::ConfirmedAt.is_null());
    Ok(begun.exec(db).await?.rows_affected == 1)
}

/// What nobody has confirmed yet.
pub async fn leave(db: &impl ConnectionTrait, user: Uuid) -> Result<(), DbErr> {
    let begun = Entity::delete_many().filter(Column::UserId.eq(user)).filter(Column::ConfirmedAt.is_null());
    begun.exec(db).await.map(drop)
}

pub async fn remove(db: &impl ConnectionTrait, user: Uuid) -> Result<bool, DbErr> {
    Ok(Entity::delete_by_id(user).exec(db).await?.rows_affected == 1)
}

/// One that came at that time or later, or that nobody has confirmed yet.
pub async fn remove_since(db: &impl ConnectionTrait, user: Uuid, since: i64) -> Result<(), DbErr> {
    let late = Column::ConfirmedAt.is_null().or(Column::ConfirmedAt.gte(since));
    Entity::delete_many().filter(Column::UserId.eq(user)).filter(late).exec(db).await.map(drop)
}

/// Those that were begun before and never confirmed.
pub async fn forget_begun(db: &impl ConnectionTrait, before: i64) -> Result<bool, DbErr> {
    let begun = Column::ConfirmedAt.is_null().and(Column::CreatedAt.lt(before));
    super::forget::<Entity, Uuid>(db, Column::UserId, begun).await
}

pub async fn all(db: &impl ConnectionTrait) -> Result<Vec<Totp>, DbErr> {
    Entity::find().all(db).await
}

/// Another seal of the same secret.
pub async fn reseal(db: &impl ConnectionTrait, user: Uuid, old: &Sealed, new: Sealed) -> Result<(), DbErr> {
    let change = ActiveModel { secret: Set(new), ..Default::default() };
    let same = Entity::update_many().set(change).filter(Column::UserId.eq(user)).filter(Column::Secret.eq(old.clone()));
    same.exec(db).await.map(drop)
}
