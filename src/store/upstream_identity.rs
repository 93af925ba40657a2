//! People whom a provider knows, and who have no account here yet, or have not said which is theirs. One waits in its
//! journey; it opens nothing.

use sea_orm::{FromJsonQueryResult, entity::prelude::*};
use serde::{Deserialize, Serialize};

use super::Sealed;
use crate::{crypto::secret::SecretHash, protocol::upstream::profile::Profile};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "upstream_identity")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    #[sea_orm(unique)]
    pub journey_id: Uuid,
    pub browser_hash: SecretHash,
    /// The name of the provider.
    pub upstream: String,
    pub issuer: String,
    pub subject: String,
    pub profile: Described,
    /// The provider's tokens, where they are kept: sealed for the connection that is to have this row's id.
    pub sealed_tokens: Option<Sealed>,
    pub created_at: i64,
    pub expires_at: i64,
}

/// As the provider describes them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Described(pub Profile);

impl ActiveModelBehavior for ActiveModel {}

pub use Model as UpstreamIdentity;

/// The journey's newest.
pub async fn replace(db: &impl ConnectionTrait, row: UpstreamIdentity) -> Result<(), DbErr> {
    Entity::delete_many().filter(Column::JourneyId.eq(row.journey_id)).exec(db).await?;
    Entity::insert(ActiveModel::from(row)).exec_without_returning(db).await.map(drop)
}

pub async fn of_journey(db: &impl ConnectionTrait, journey: Uuid, now: i64) -> Result<Option<UpstreamIdentity>, DbErr> {
    Entity::find().filter(Column::JourneyId.eq(journey)).filter(Column::ExpiresAt.gt(now)).one(db).await
}

/// True for the one caller who goes on with it.
pub async fn take(db: &impl ConnectionTrait, id: Uuid) -> Result<bool, DbErr> {
    Ok(Entity::delete_by_id(id).exec(db).await?.rows_affected == 1)
}

/// All of a provider that is no more.
pub async fn forget_of(db: &impl ConnectionTrait, upstream: &str) -> Result<(), DbErr> {
    Entity::delete_many().filter(Column::Upstream.eq(upstream)).exec(db).await.map(drop)
}

pub async fn forget_expired(db: &impl ConnectionTrait, now: i64) -> Result<bool, DbErr> {
    super::forget::<Entity, Uuid>(db, Column::Id, Column::ExpiresAt.lte(now)).await
}
