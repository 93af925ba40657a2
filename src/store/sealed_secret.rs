//! Keys of our own for message authentication codes, sealed with the master key and the same on every node.

use sea_orm::{ActiveValue::Set, entity::prelude::*, sea_query::OnConflict};

use super::Sealed;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sealed_secret")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    pub value: Sealed,
    pub created_at: i64,
}

impl ActiveModelBehavior for ActiveModel {}

pub async fn find(db: &impl ConnectionTrait, name: &str) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(name).one(db).await
}

pub async fn all(db: &impl ConnectionTrait) -> Result<Vec<Model>, DbErr> {
    Entity::find().all(db).await
}

/// The same secret under another master key, unless another node was faster.
pub async fn reseal(db: &impl ConnectionTrait, name: &str, old: &Sealed, new: Sealed) -> Result<(), DbErr> {
    let change = ActiveModel { value: Set(new), ..Default::default() };
    let same = Entity::update_many().set(change).filter(Column::Name.eq(name)).filter(Column::Value.eq(old.clone()));
    same.exec(db).await.map(drop)
}

/// The first of several nodes that start at once decides; the others read what it wrote.
pub async fn insert_if_absent(db: &impl ConnectionTrait, name: &str, value: Sealed, now: i64) -> Result<(), DbErr> {
    let row = ActiveModel { name: Set(name.to_owned()), value: Set(value), created_at: Set(now) };
    let keep = OnConflict::column(Column::Name).do_nothing_on([Column::Name]).to_owned();
    match Entity::insert(row).on_conflict(keep).exec_without_returning(db).await {
        Ok(_) | Err(DbErr::RecordNotInserted) => Ok(()),
        Err(error) => Err(error),
    }
}
