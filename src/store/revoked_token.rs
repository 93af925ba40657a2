//! JWT access tokens that were revoked one by one, until they would have expired.

use sea_orm::{ActiveValue::Set, entity::prelude::*, sea_query::OnConflict};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "revoked_token")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub jti: String,
    pub expires_at: i64,
}

impl ActiveModelBehavior for ActiveModel {}

pub async fn contains(db: &impl ConnectionTrait, jti: &str) -> Result<bool, DbErr> {
    Ok(Entity::find_by_id(jti).one(db).await?.is_some())
}

pub async fn insert(db: &impl ConnectionTrait, jti: &str, expires_at: i64) -> Result<(), DbErr> {
    let row = ActiveModel { jti: Set(jti.to_owned()), expires_at: Set(expires_at) };
    let again = OnConflict::column(Column::Jti).update_column(Column::ExpiresAt).to_owned();
    Entity::insert(row).on_conflict(again).exec_without_returning(db).await.map(drop)
}

pub async fn forget_expired(db: &impl ConnectionTrait, now: i64) -> Result<bool, DbErr> {
    super::forget::<Entity, String>(db, Column::Jti, Column::ExpiresAt.lte(now)).await
}
