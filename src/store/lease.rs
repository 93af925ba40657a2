//! Leases: which of several nodes does a job. One compare-and-set decides.

use sea_orm::{ActiveValue::Set, entity::prelude::*, sea_query::OnConflict};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "lease")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    pub holder: String,
    pub until: i64,
}

impl ActiveModelBehavior for ActiveModel {}

/// True for the one node that may do the job until then.
pub async fn take(db: &impl ConnectionTrait, name: &str, holder: &str, now: i64, until: i64) -> Result<bool, DbErr> {
    let absent = ActiveModel { name: Set(name.to_owned()), holder: Set(String::new()), until: Set(0) };
    let keep = OnConflict::column(Column::Name).do_nothing_on([Column::Name]).to_owned();
    match Entity::insert(absent).on_conflict(keep).exec_without_returning(db).await {
        Ok(_) | Err(DbErr::RecordNotInserted) => {}
        Err(error) => return Err(error),
    }
    let change = ActiveModel { holder: Set(holder.to_owned()), until: Set(until), ..Default::default() };
    let over = Entity::update_many().set(change).filter(Column::Name.eq(name)).filter(Column::Until.lte(now));
    Ok(over.exec(db).await?.rows_affected == 1)
}
