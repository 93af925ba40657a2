//! What a person has agreed that an app may have.

use sea_orm::{
    ActiveValue::Set, Condition, FromJsonQueryResult, QueryOrder, QuerySelect, entity::prelude::*,
    sea_query::OnConflict,
};
use serde::{Deserialize, Serialize};

use crate::protocol::Scope;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "consent")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub client_id: String,
    pub scope: Scope,
    /// Claims beyond the scopes, by name.
    pub claims: ClaimNames,
    pub granted_at: i64,
    /// When the app last got something by it, to the hour.
    pub last_used_at: Option<i64>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct ClaimNames(pub Vec<String>);

impl ActiveModelBehavior for ActiveModel {}

pub use Model as Consent;

pub async fn find(db: &impl ConnectionTrait, user: Uuid, client_id: &str) -> Result<Option<Consent>, DbErr> {
    Entity::find_by_id((user, client_id.to_owned())).one(db).await
}

pub async fn put(db: &impl ConnectionTrait, consent: Consent) -> Result<(), DbErr> {
    let replace = OnConflict::columns([Column::UserId, Column::ClientId])
        .update_columns([Column::Scope, Column::Claims, Column::GrantedAt])
        .to_owned();
    let row = ActiveModel {
        user_id: Set(consent.user_id),
        client_id: Set(consent.client_id),
        scope: Set(consent.scope),
        claims: Set(consent.claims),
        granted_at: Set(consent.granted_at),
        last_used_at: Set(consent.last_used_at),
    };
    Entity::insert(row).on_conflict(replace).exec_without_returning(db).await.map(drop)
}

/// Some of the person's, by client, after that one: all that is kept of them.
pub async fn page_of(
    db: &impl ConnectionTrait,
    user: Uuid,
    after: Option<&str>,
    most: u64,
) -> Result<Vec<Consent>, DbErr> {
    let mut rows = Entity::find().filter(Column::UserId.eq(user));
    if let Some(after) = after {
        rows = rows.filter(Column::ClientId.gt(after));
    }
    rows.order_by_asc(Column::ClientId).limit(most).all(db).await
}

/// A use is noted once an hour, so that most need no writing.
const NOTED_EVERY: i64 = 3600;

pub async fn note_use(db: &impl ConnectionTrait, user: Uuid, client_id: &str, now: i64) -> Result<(), DbErr> {
    let due = Condition::any().add(Column::LastUsedAt.is_null()).add(Column::LastUsedAt.lte(now - NOTED_EVERY));
    let change = ActiveModel { last_used_at: Set(Some(now)), ..Default::default() };
    let of_both =
        Entity::update_many().set(change).filter(Column::UserId.eq(user)).filter(Column::ClientId.eq(client_id));
    of_both.filter(due).exec(db).await.map(drop)
}

/// All that a person has agreed to.
pub async fn of(db: &impl ConnectionTrait, user: Uuid) -> Result<Vec<Consent>, DbErr> {
    Entity::find().filter(Column::UserId.eq(user)).all(db).await
}

/// True when there was one.
pub async fn withdraw(db: &impl ConnectionTrait, user: Uuid, client_id: &str) -> Result<bool, DbErr> {
    Ok(Entity::delete_by_id((user, client_id.to_owned())).exec(db).await?.rows_affected == 1)
}

/// What everybody agreed to: the app is no longer what they agreed with.
pub async fn withdraw_all(db: &impl ConnectionTrait, client_id: &str) -> Result<(), DbErr> {
    Entity::delete_many().filter(Column::ClientId.eq(client_id)).exec(db).await.map(drop)
}
