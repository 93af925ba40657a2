//! Subjects that are never given again (OpenID Connect Core §2, case SEC-170), as hashes.

use sea_orm::{ActiveValue::Set, entity::prelude::*, sea_query::OnConflict};

use crate::crypto::secret::{Secret, SecretHash};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "former_user")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub hash: SecretHash,
    pub deleted_at: i64,
}

impl ActiveModelBehavior for ActiveModel {}

/// What is kept of an id: enough to know it again, too little to tell whose it was.
pub fn hash_of(id: Uuid) -> SecretHash {
    Secret::presented(&id.to_string()).hash()
}

pub async fn insert(db: &impl ConnectionTrait, hash: SecretHash, now: i64) -> Result<(), DbErr> {
    let row = ActiveModel { hash: Set(hash), deleted_at: Set(now) };
    let again = OnConflict::column(Column::Hash).update_column(Column::DeletedAt).to_owned();
    Entity::insert(row).on_conflict(again).exec_without_returning(db).await.map(drop)
}

/// Those of these that somebody had before.
pub async fn among(db: &impl ConnectionTrait, hashes: Vec<SecretHash>) -> Result<Vec<SecretHash>, DbErr> {
    let found = Entity::find().filter(Column::Hash.is_in(hashes)).all(db).await?;
    Ok(found.into_iter().map(|row| row.hash).collect())
}
