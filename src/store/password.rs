//! Passwords, apart from the people, so that no query for a person carries a hash.

use sea_orm::{ActiveValue::Set, PaginatorTrait, QueryOrder, QuerySelect, entity::prelude::*, sea_query::OnConflict};

use super::Phc;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "password")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: Uuid,
    /// Algorithm, cost, salt and hash.
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

/// Nobody signs in with a password any more, until another is set.
pub async fn remove(db: &impl ConnectionTrait, user: Uuid) -> Result<(), DbErr> {
    Entity::delete_by_id(user).exec(db).await.map(drop)
}

/// For people who have none yet.
pub async fn insert_many(db: &impl ConnectionTrait, rows: Vec<(Uuid, Phc)>, now: i64) -> Result<(), DbErr> {
    if rows.is_empty() {
        return Ok(());
    }
    let rows =
        rows.into_iter().map(|(user, phc)| ActiveModel { user_id: Set(user), phc: Set(phc), changed_at: Set(now) });
    Entity::insert_many(rows).exec_without_returning(db).await.map(drop)
}

/// A stronger hash of the same password, unless the password has changed meanwhile.
pub async fn rehash(db: &impl ConnectionTrait, user: Uuid, old: &Phc, new: Phc) -> Result<(), DbErr> {
    let change = ActiveModel { phc: Set(new), ..Default::default() };
    let same = Entity::update_many().set(change).filter(Column::UserId.eq(user)).filter(Column::Phc.eq(old.clone()));
    same.exec(db).await.map(drop)
}

/// How many stored hashes there are, how many of them begin in another way than `usual`, and some of these.
#[derive(Debug, Default)]
pub struct Unlike {
    pub total: u64,
    pub unlike: u64,
    pub some: Vec<Phc>,
}

pub async fn unlike(db: &impl ConnectionTrait, usual: &str) -> Result<Unlike, DbErr> {
    const SOME: u64 = 256;
    let others = Entity::find().filter(Column::Phc.not_like(format!("{usual}%")));
    let some = others.clone().order_by_asc(Column::UserId).select_only().column(Column::Phc).limit(SOME);
    let some: Vec<Phc> = some.into_tuple().all(db).await?;
    if some.is_empty() {
        return Ok(Unlike::default());
    }
    Ok(Unlike { total: Entity::find().count(db).await?, unlike: others.count(db).await?, some })
}
