//! Logos of clients, fetched once and served from here. A row without content is one that is still to be fetched.

use sea_orm::{ActiveValue::Set, Condition, QueryOrder, QuerySelect, entity::prelude::*};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "client_logo")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub client_id: String,
    /// Where it was registered to be.
    #[sea_orm(column_type = "Text")]
    pub uri: String,
    pub media_type: Option<String>,
    pub content: Option<Vec<u8>>,
    /// Changes with the content.
    pub version: Option<String>,
    pub attempts: i32,
    /// None when it is here, or when nobody will try again.
    pub next_attempt_at: Option<i64>,
}

impl ActiveModelBehavior for ActiveModel {}

/// A picture that was fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    pub media_type: String,
    pub content: Vec<u8>,
    pub version: String,
}

pub async fn find(db: &impl ConnectionTrait, client_id: &str) -> Result<Option<Picture>, DbErr> {
    if client_id.contains(char::is_control) {
        return Ok(None);
    }
    let row = Entity::find_by_id(client_id).one(db).await?;
    Ok(row.and_then(|row| Some(Picture { media_type: row.media_type?, content: row.content?, version: row.version? })))
}

/// Whether there is a picture, and which, without reading all of it.
pub async fn version(db: &impl ConnectionTrait, client_id: &str) -> Result<Option<String>, DbErr> {
    let found = Entity::find_by_id(client_id).select_only().column(Column::Version);
    Ok(found.into_tuple::<Option<String>>().one(db).await?.flatten())
}

/// What the client registered now; another address than before is fetched anew.
pub async fn want(db: &impl ConnectionTrait, client_id: &str, uri: Option<&str>, now: i64) -> Result<(), DbErr> {
    let mut others = Entity::delete_many().filter(Column::ClientId.eq(client_id));
    if let Some(uri) = uri {
        let known = Entity::find_by_id(client_id).select_only().column(Column::Uri).into_tuple::<String>();
        if known.one(db).await?.is_some_and(|known| known == uri) {
            return Ok(());
        }
        others = others.filter(Column::Uri.ne(uri));
    }
    others.exec(db).await?;
    let Some(uri) = uri else { return Ok(()) };
    let row = ActiveModel {
        client_id: Set(client_id.to_owned()),
        uri: Set(uri.to_owned()),
        attempts: Set(0),
        next_attempt_at: Set(Some(now)),
        ..Default::default()
    };
    Entity::insert(row).exec_without_returning(db).await.map(drop)
}

/// What is to be fetched now: whose, from where, and how often that was tried.
pub async fn due(db: &impl ConnectionTrait, now: i64, most: u64) -> Result<Vec<Due>, DbErr> {
    some(db, Column::NextAttemptAt.lte(now).into(), most).await
}

/// The same for one client.
pub async fn due_of(db: &impl ConnectionTrait, client_id: &str, now: i64) -> Result<Option<Due>, DbErr> {
    let its = Condition::all().add(Column::ClientId.eq(client_id)).add(Column::NextAttemptAt.lte(now));
    Ok(some(db, its, 1).await?.pop())
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    pub client_id: String,
    pub uri: String,
    pub attempts: i32,
}

async fn some(db: &impl ConnectionTrait, which: Condition, most: u64) -> Result<Vec<Due>, DbErr> {
    let columns = [Column::ClientId, Column::Uri, Column::Attempts];
    let rows = Entity::find().select_only().columns(columns).filter(which);
    let rows = rows.order_by_asc(Column::NextAttemptAt).limit(most);
    let rows: Vec<(String, String, i32)> = rows.into_tuple().all(db).await?;
    Ok(rows.into_iter().map(|(client_id, uri, attempts)| Due { client_id, uri, attempts }).collect())
}

/// True for the one server that may try; `next` is when another may if this one says nothing more.
pub async fn begin(db: &impl ConnectionTrait, due: &Due, next: Option<i64>) -> Result<bool, DbErr> {
    let change = ActiveModel { attempts: Set(due.attempts + 1), next_attempt_at: Set(next), ..Default::default() };
    let same = Entity::update_many().set(change).filter(Column::ClientId.eq(&due.client_id));
    let same = same.filter(Column::Uri.eq(&due.uri)).filter(Column::Attempts.eq(due.attempts));
    Ok(same.filter(Column::Version.is_null()).exec(db).await?.rows_affected == 1)
}

/// The picture is here, unless another address was registered meanwhile.
pub async fn keep(db: &impl ConnectionTrait, due: &Due, picture: Picture) -> Result<(), DbErr> {
    let change = ActiveModel {
        media_type: Set(Some(picture.media_type)),
        content: Set(Some(picture.content)),
        version: Set(Some(picture.version)),
        next_attempt_at: Set(None),
        ..Default::default()
    };
    let same = Entity::update_many().set(change).filter(Column::ClientId.eq(&due.client_id));
    same.filter(Column::Uri.eq(&due.uri)).exec(db).await.map(drop)
}
