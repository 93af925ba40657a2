//! Browser origins that clients may call from: what CORS answers are decided by.

use sea_orm::{ActiveValue::Set, entity::prelude::*};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "client_origin")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub origin: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub client_id: String,
}

impl ActiveModelBehavior for ActiveModel {}

pub async fn is_registered(db: &impl ConnectionTrait, origin: &str) -> Result<bool, DbErr> {
    Ok(Entity::find().filter(Column::Origin.eq(origin)).one(db).await?.is_some())
}

/// These, and no others, are the client's.
pub async fn set(db: &impl ConnectionTrait, client_id: &str, origins: Vec<String>) -> Result<(), DbErr> {
    Entity::delete_many().filter(Column::ClientId.eq(client_id)).exec(db).await?;
    if origins.is_empty() {
        return Ok(());
    }
    let rows =
        origins.into_iter().map(|origin| ActiveModel { origin: Set(origin), client_id: Set(client_id.to_owned()) });
    Entity::insert_many(rows).exec_without_returning(db).await.map(drop)
}
