//! Signing keys: announced, signing, retired, removed. Private halves are sealed with the master key.

use sea_orm::{ActiveValue::Set, QueryOrder, QuerySelect, entity::prelude::*};

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
    /// No two keys have the same, so that of any two the newer one is known.
    pub created_at: i64,
    /// Not before then, and not before all servers have read it.
    pub signs_from: i64,
    /// When they had; from then on `signs_from` stands, and so does the retirement of the key before.
    pub agreed_at: Option<i64>,
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
            () if self.agreed_at.is_none() || self.signs_from > now => State::Announced,
            () => State::Signing,
        }
    }
}

/// Newest first.
pub async fn all(db: &impl ConnectionTrait) -> Result<Vec<SigningKey>, DbErr> {
    Entity::find().order_by_desc(Column::CreatedAt).order_by_asc(Column::Kid).all(db).await
}

/// As the newest: the time of its making is moved on by a second where there is a key of the same second.
pub async fn insert(db: &impl ConnectionTrait, mut key: SigningKey) -> Result<(), DbErr> {
    let newest = Entity::find().select_only().column_as(Column::CreatedAt.max(), "newest");
    let newest = newest.into_tuple::<Option<i64>>().one(db).await?.flatten();
    key.created_at = newest.map_or(key.created_at, |newest| key.created_at.max(newest + 1));
    Entity::insert(ActiveModel::from(key)).exec_without_returning(db).await.map(drop)
}

/// The same key under another master key, unless another node was faster.
pub async fn reseal(db: &impl ConnectionTrait, kid: &str, old: &Sealed, new: Sealed) -> Result<(), DbErr> {
    let change = ActiveModel { private_key: Set(new), ..Default::default() };
    let same = Entity::update_many().set(change).filter(Column::Kid.eq(kid)).filter(Column::PrivateKey.eq(old.clone()));
    same.exec(db).await.map(drop)
}

/// Takes a key from one point of its life to another, unless another server was faster.
pub async fn change(db: &impl ConnectionTrait, old: &SigningKey, new: &SigningKey) -> Result<bool, DbErr> {
    let change = ActiveModel {
        signs_from: Set(new.signs_from),
        agreed_at: Set(new.agreed_at),
        retired_at: Set(new.retired_at),
        removed_at: Set(new.removed_at),
        ..Default::default()
    };
    let unchanged = |column: Column, value: Option<i64>| value.map_or(column.is_null(), |value| column.eq(value));
    let same = Entity::update_many()
        .set(change)
        .filter(Column::Kid.eq(&*old.kid))
        .filter(unchanged(Column::AgreedAt, old.agreed_at))
        .filter(unchanged(Column::RetiredAt, old.retired_at));
    Ok(same.exec(db).await?.rows_affected == 1)
}

/// At once and for good: nothing of it is left. True for the one caller that did it.
pub async fn remove(db: &impl ConnectionTrait, kid: &str) -> Result<bool, DbErr> {
    Ok(Entity::delete_by_id(kid).exec(db).await?.rows_affected == 1)
}

/// The same for every key of an algorithm but one.
pub async fn remove_others(db: &impl ConnectionTrait, algorithm: &str, kid: &str) -> Result<(), DbErr> {
    let others = Entity::delete_many().filter(Column::Algorithm.eq(algorithm)).filter(Column::Kid.ne(kid));
    others.exec(db).await.map(drop)
}

pub async fn forget_removed(db: &impl ConnectionTrait, now: i64) -> Result<(), DbErr> {
    Entity::delete_many().filter(Column::RemovedAt.lte(now)).exec(db).await.map(drop)
}
