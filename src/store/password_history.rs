//! Hashes of the passwords that people had before the one they have, so that none of them comes back.

use sea_orm::{QueryOrder, QuerySelect, entity::prelude::*};

use super::Phc;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "password_history")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub user_id: Uuid,
    pub phc: Phc,
    pub replaced_at: i64,
}

impl ActiveModelBehavior for ActiveModel {}

/// The newest first.
pub async fn newest(db: &impl ConnectionTrait, user: Uuid, most: u64) -> Result<Vec<Phc>, DbErr> {
    let rows = Entity::find().filter(Column::UserId.eq(user)).order_by_desc(Column::ReplacedAt);
    rows.select_only().column(Column::Phc).limit(most).into_tuple().all(db).await
}

pub async fn insert(db: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    Entity::insert(ActiveModel::from(row)).exec_without_returning(db).await.map(drop)
}

/// Keeps the newest.
pub async fn trim(db: &impl ConnectionTrait, user: Uuid, most: u64) -> Result<(), DbErr> {
    let rows = Entity::find().filter(Column::UserId.eq(user)).order_by_desc(Column::ReplacedAt);
    let ids: Vec<Uuid> = rows.select_only().column(Column::Id).into_tuple().all(db).await?;
    let old: Vec<Uuid> = ids.into_iter().skip(usize::try_from(most).unwrap_or(usize::MAX)).collect();
    if old.is_empty() {
        return Ok(());
    }
    Entity::delete_many().filter(Column::Id.is_in(old)).exec(db).await.map(drop)
}
