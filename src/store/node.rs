//! The servers that run on this database, and which keys each of them has read.

use sea_orm::{QueryOrder, entity::prelude::*, sea_query::OnConflict};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "node")]
pub struct Model {
    /// Drawn at its start.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub seen_at: i64,
    /// With spaces between them.
    #[sea_orm(column_type = "Text")]
    pub kids: String,
}

impl ActiveModelBehavior for ActiveModel {}

pub use Model as Node;

impl Node {
    pub fn knows(&self, kid: &str) -> bool {
        self.kids.split(' ').any(|known| known == kid)
    }
}

/// It is there, and has read this.
pub async fn beat(db: &impl ConnectionTrait, node: Node) -> Result<(), DbErr> {
    let replace = OnConflict::column(Column::Id).update_columns([Column::SeenAt, Column::Kids]).to_owned();
    Entity::insert(ActiveModel::from(node)).on_conflict(replace).exec_without_returning(db).await.map(drop)
}

/// Seen after `since`, longest known first.
pub async fn seen(db: &impl ConnectionTrait, since: i64) -> Result<Vec<Node>, DbErr> {
    Entity::find().filter(Column::SeenAt.gt(since)).order_by_asc(Column::Id).all(db).await
}

pub async fn leave(db: &impl ConnectionTrait, id: &str) -> Result<(), DbErr> {
    Entity::delete_by_id(id).exec(db).await.map(drop)
}

pub async fn forget_before(db: &impl ConnectionTrait, at: i64) -> Result<(), DbErr> {
    Entity::delete_many().filter(Column::SeenAt.lt(at)).exec(db).await.map(drop)
}
