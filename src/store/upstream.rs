//! Providers that people can sign in with, declared in the settings or made by an operator.

use sea_orm::{ActiveValue::Set, QueryOrder, QuerySelect, entity::prelude::*};

use super::{Sealed, upstream_identity, upstream_login, upstream_logout, upstream_session};
use crate::protocol::upstream::Settings;

/// It stands in the settings.
pub const DECLARED: &str = "declared";
/// An operator made it.
pub const CREATED: &str = "created";

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "upstream")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// In its callback URL; of one provider for good.
    #[sea_orm(unique)]
    pub name: String,
    pub origin: String,
    pub settings: Settings,
    /// Its secret for us.
    pub sealed_secret: Option<Sealed>,
    pub created_at: i64,
    pub updated_at: i64,
    pub disabled_at: Option<i64>,
}

impl ActiveModelBehavior for ActiveModel {}

pub use Model as Upstream;

impl Upstream {
    pub fn is_enabled(&self) -> bool {
        self.disabled_at.is_none()
    }
}

/// In the order of their buttons.
pub async fn all(db: &impl ConnectionTrait) -> Result<Vec<Upstream>, DbErr> {
    let mut all = Entity::find().order_by_asc(Column::Name).all(db).await?;
    all.sort_by_key(|upstream| upstream.settings.order);
    Ok(all)
}

pub async fn find(db: &impl ConnectionTrait, name: &str) -> Result<Option<Upstream>, DbErr> {
    // PostgreSQL takes no text with it, and no provider has it in its name.
    if name.contains('\0') {
        return Ok(None);
    }
    Entity::find().filter(Column::Name.eq(name)).one(db).await
}

/// Nobody else changes it until the write is over.
pub async fn find_locked(db: &impl ConnectionTrait, name: &str) -> Result<Option<Upstream>, DbErr> {
    Entity::find().filter(Column::Name.eq(name)).lock_exclusive().one(db).await
}

/// Whether it means the same people still. Until the write is over it does: no subject of theirs becomes another's.
pub async fn is_still(db: &impl ConnectionTrait, upstream: &Upstream) -> Result<bool, DbErr> {
    let now = Entity::find().filter(Column::Name.eq(upstream.name.as_str())).lock_shared().one(db).await?;
    Ok(now.is_some_and(|now| now.id == upstream.id && now.is_enabled() && !now.settings.is_another(&upstream.settings)))
}

/// Fails as a duplicate where there is one of that name.
pub async fn insert(db: &impl ConnectionTrait, upstream: Upstream) -> Result<(), DbErr> {
    Entity::insert(ActiveModel::from(upstream)).exec_without_returning(db).await.map(drop)
}

pub async fn delete(db: &impl ConnectionTrait, id: Uuid) -> Result<bool, DbErr> {
    Ok(Entity::delete_by_id(id).exec(db).await?.rows_affected == 1)
}

/// As it is from now on. The row stays the same one, so whoever waits to lock it finds it.
pub async fn update(db: &impl ConnectionTrait, upstream: Upstream) -> Result<(), DbErr> {
    let change = ActiveModel {
        origin: Set(upstream.origin),
        settings: Set(upstream.settings),
        sealed_secret: Set(upstream.sealed_secret),
        updated_at: Set(upstream.updated_at),
        disabled_at: Set(upstream.disabled_at),
        ..Default::default()
    };
    Entity::update_many().set(change).filter(Column::Id.eq(upstream.id)).exec(db).await.map(drop)
}

/// What belongs to this provider alone, and not to another of its name: ways there and back, people who wait, and what it
/// said of sessions, which live on without it.
pub async fn forget_open(db: &impl ConnectionTrait, name: &str) -> Result<(), DbErr> {
    upstream_login::forget_of(db, name).await?;
    upstream_identity::forget_of(db, name).await?;
    upstream_session::forget_of_upstream(db, name).await?;
    upstream_logout::forget_of(db, name).await
}

/// Another seal of the same secret.
pub async fn reseal(db: &impl ConnectionTrait, id: Uuid, old: &Sealed, new: Sealed) -> Result<(), DbErr> {
    let change = ActiveModel { sealed_secret: Set(Some(new)), ..Default::default() };
    let same = Entity::update_many().set(change).filter(Column::Id.eq(id));
    same.filter(Column::SealedSecret.eq(old.clone())).exec(db).await.map(drop)
}
