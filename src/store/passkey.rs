//! Passkeys (WebAuthn): any number for each person, each with a name.

use sea_orm::{ActiveValue::Set, QueryOrder, QuerySelect, entity::prelude::*};

use crate::crypto::secret::SecretHash;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "passkey")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub user_id: Uuid,
    /// SHA-256 of the credential's id, which may be longer than any index.
    #[sea_orm(unique)]
    pub credential: SecretHash,
    /// The credential as the library keeps it: public key, counter, flags.
    #[sea_orm(column_type = "Text")]
    pub record: String,
    /// What its person calls it.
    pub name: String,
    /// It may be on several devices.
    pub synced: bool,
    pub created_at: i64,
    pub last_used_at: Option<i64>,
}

impl ActiveModelBehavior for ActiveModel {}

pub use Model as Passkey;

/// The person's, the oldest first.
pub async fn all_of(db: &impl ConnectionTrait, user: Uuid) -> Result<Vec<Passkey>, DbErr> {
    let of_person = Entity::find().filter(Column::UserId.eq(user));
    of_person.order_by_asc(Column::CreatedAt).order_by_asc(Column::Id).all(db).await
}

/// Whether the person has one.
pub async fn is_there(db: &impl ConnectionTrait, user: Uuid) -> Result<bool, DbErr> {
    let one = Entity::find().select_only().column(Column::Id).filter(Column::UserId.eq(user)).into_tuple::<Uuid>();
    Ok(one.one(db).await?.is_some())
}

pub async fn insert(db: &impl ConnectionTrait, passkey: Passkey) -> Result<(), DbErr> {
    Entity::insert(ActiveModel::from(passkey)).exec_without_returning(db).await.map(drop)
}

/// After a use: its record as it is now. True unless it was used or removed since it was looked at.
pub async fn used(
    db: &impl ConnectionTrait,
    seen: &Passkey,
    record: String,
    synced: bool,
    now: i64,
) -> Result<bool, DbErr> {
    let change =
        ActiveModel { record: Set(record), synced: Set(synced), last_used_at: Set(Some(now)), ..Default::default() };
    let as_seen = Entity::update_many().set(change).filter(Column::Id.eq(seen.id));
    let as_seen = as_seen.filter(Column::Record.eq(seen.record.as_str()));
    Ok(as_seen.exec(db).await?.rows_affected == 1)
}

pub async fn rename(db: &impl ConnectionTrait, user: Uuid, id: Uuid, name: &str) -> Result<bool, DbErr> {
    let change = ActiveModel { name: Set(name.to_owned()), ..Default::default() };
    let one = Entity::update_many().set(change).filter(Column::Id.eq(id)).filter(Column::UserId.eq(user));
    Ok(one.exec(db).await?.rows_affected == 1)
}

pub async fn remove(db: &impl ConnectionTrait, user: Uuid, id: Uuid) -> Result<bool, DbErr> {
    let one = Entity::delete_many().filter(Column::Id.eq(id)).filter(Column::UserId.eq(user));
    Ok(one.exec(db).await?.rows_affected == 1)
}

/// Those that came at that time or later.
pub async fn remove_since(db: &impl ConnectionTrait, user: Uuid, since: i64) -> Result<(), DbErr> {
    let late = Entity::delete_many().filter(Column::UserId.eq(user)).filter(Column::CreatedAt.gte(since));
    late.exec(db).await.map(drop)
}

pub async fn remove_all(db: &impl ConnectionTrait, user: Uuid) -> Result<(), DbErr> {
    Entity::delete_many().filter(Column::UserId.eq(user)).exec(db).await.map(drop)
}
