//! Signing keys: announced, signing, retired, removed. Private halves are sealed with the master key.

use sea_orm::{ActiveValue::Set, Condition, QueryOrder, entity::prelude::*};

use super::Sealed;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "signing_key")]
pub struct Model {
    /// RFC 7638 thumbprint.
    #[sea_orm(primary_key, auto_increment = false)]
    pub kid: String,
    /// JWS `alg`.
    pub algorithm: String,
    pub private_key: Sealed,
    pub public_jwk: Json,
    pub created_at: i64,
    pub signs_from: i64,
    pub retired_at: Option<i64>,
    pub removed_at: Option<i64>,
}

impl ActiveModelBehavior for ActiveModel {}

pub use Model as SigningKey;

/// Where a key stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Published, so that apps have fetched it before its first signature.
    Announced,
    Signing,
    /// Published until the last token that it signed has expired.
    Retired,
    Removed,
}

impl State {
    pub const fn as_str(self) -> &'static str {
        match self {
            State::Announced => "announced",
            State::Signing => "signing",
            State::Retired => "retired",
            State::Removed => "removed",
        }
    }
}

impl SigningKey {
    pub fn state(&self, now: i64) -> State {
        match () {
            () if self.removed_at.is_some_and(|at| at <= now) => State::Removed,
            () if self.retired_at.is_some_and(|at| at <= now) => State::Retired,
            () if self.signs_from > now => State::Announced,
            () => State::Signing,
        }
    }
}

/// Newest first.
pub async fn all(db: &impl ConnectionTrait) -> Result<Vec<SigningKey>, DbErr> {
    Entity::find().order_by_desc(Column::SignsFrom).order_by_asc(Column::Kid).all(db).await
}

pub async fn insert(db: &impl ConnectionTrait, key: SigningKey) -> Result<(), DbErr> {
    Entity::insert(ActiveModel::from(key)).exec_without_returning(db).await.map(drop)
}

/// The same key under another master key, unless another node was faster.
pub async fn reseal(db: &impl ConnectionTrait, kid: &str, old: &Sealed, new: Sealed) -> Result<(), DbErr> {
    let change = ActiveModel { private_key: Set(new), ..Default::default() };
    let same = Entity::update_many().set(change).filter(Column::Kid.eq(kid)).filter(Column::PrivateKey.eq(old.clone()));
    same.exec(db).await.map(drop)
}

/// Every key of the algorithm but `kid` stops signing at `retired_at` and is published until `removed_at`.
pub async fn retire_others(
    db: &impl ConnectionTrait,
    algorithm: &str,
    kid: &str,
    retired_at: i64,
    removed_at: i64,
) -> Result<(), DbErr> {
    let change =
        ActiveModel { retired_at: Set(Some(retired_at)), removed_at: Set(Some(removed_at)), ..Default::default() };
    Entity::update_many()
        .set(change)
        .filter(Column::Algorithm.eq(algorithm))
        .filter(Column::Kid.ne(kid))
        .filter(Condition::any().add(Column::RetiredAt.is_null()).add(Column::RetiredAt.gt(retired_at)))
        .exec(db)
        .await
        .map(drop)
}

pub async fn forget_removed(db: &impl ConnectionTrait, now: i64) -> Result<(), DbErr> {
    Entity::delete_many().filter(Column::RemovedAt.lte(now)).exec(db).await.map(drop)
}
