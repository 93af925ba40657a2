//! Passwords, apart from the people, so that no query for a person carries a hash.

use sea_orm::{ActiveValue::Set, entity::prelude::*, sea_query::OnConflict};

use super::Phc;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "password")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: Uuid,
    /// A PHC string: algorithm, cost, salt and hash.
    pub phc: Phc,
    pub changed_at: i64,
}

impl ActiveModelBehavior for ActiveModel {}

pub async fn find(db: &impl ConnectionTrait, user: Uuid) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(user).one(db).await
}

pub async fn set(db: &impl ConnectionTrait, user: Uuid, phc: Phc, now: i64) -> Result<(), DbErr> {
    let row = ActiveModel { user_id: Set(user), phc: Set(phc), changed_at: Set(now) };
    let replace = OnConflict::column(Column::UserId).update_columns([Column::Phc, Column::ChangedAt]).to_owned();
    Entity::insert(row).on_conflict(replace).exec_without_returning(db).await.map(drop)
}

/// A stronger hash of the same password, unless the password has changed meanwhile.
pub async fn rehash(db: &impl ConnectionTrait, user: Uuid, old: &Phc, new: Phc) -> Result<(), DbErr> {
    let change = ActiveModel { phc: Set(new), ..Default::default() };
    let same = Entity::update_many().set(change).filter(Column::UserId.eq(user)).filter(Column::Phc.eq(old.clone()));
    same.exec(db).await.map(drop)
}
