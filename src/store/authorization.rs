//! Journeys: authorizations that need a page, from `/authorize` until the client has its answer.

use sea_orm::{ActiveValue::Set, entity::prelude::*};

use crate::crypto::secret::SecretHash;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "authorization")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The browser that it belongs to; none until the first visit of a request that was posted across sites (K4).
    pub browser_hash: Option<SecretHash>,
    pub trace_id: String,
    pub client_id: String,
    /// The request as the client sent it; validated again at every step.
    #[sea_orm(column_type = "Text")]
    pub params: String,
    /// The session that the person signed in to, or chose, during this journey.
    pub session_id: Option<Uuid>,
    pub signed_in_here: bool,
    pub chosen_here: bool,
    pub consented: bool,
    pub created_at: i64,
    pub expires_at: i64,
    pub finished_at: Option<i64>,
}

impl ActiveModelBehavior for ActiveModel {}

pub use Model as Authorization;

/// One that is still open.
pub async fn find(db: &impl ConnectionTrait, id: Uuid, now: i64) -> Result<Option<Authorization>, DbErr> {
    Entity::find_by_id(id).filter(Column::ExpiresAt.gt(now)).filter(Column::FinishedAt.is_null()).one(db).await
}

pub async fn insert(db: &impl ConnectionTrait, row: Authorization) -> Result<(), DbErr> {
    Entity::insert(ActiveModel::from(row)).exec_without_returning(db).await.map(drop)
}

/// True when the journey belonged to nobody and now belongs to this browser.
pub async fn bind(db: &impl ConnectionTrait, id: Uuid, browser: SecretHash) -> Result<bool, DbErr> {
    let change = ActiveModel { browser_hash: Set(Some(browser)), ..Default::default() };
    let open = Entity::update_many().set(change).filter(Column::Id.eq(id)).filter(Column::BrowserHash.is_null());
    Ok(open.exec(db).await?.rows_affected == 1)
}

/// The person proved who they are.
pub async fn signed_in(db: &impl ConnectionTrait, id: Uuid, session: Uuid) -> Result<(), DbErr> {
    let change = ActiveModel {
        session_id: Set(Some(session)),
        signed_in_here: Set(true),
        chosen_here: Set(true),
        consented: Set(false),
        ..Default::default()
    };
    update(db, id, change).await.map(drop)
}

/// The person chose the account of this session.
pub async fn chosen(db: &impl ConnectionTrait, id: Uuid, session: Uuid) -> Result<(), DbErr> {
    let change = ActiveModel { session_id: Set(Some(session)), chosen_here: Set(true), ..Default::default() };
    update(db, id, change).await.map(drop)
}

/// The person of this session agreed. True while the journey is open.
pub async fn consented(db: &impl ConnectionTrait, id: Uuid, session: Uuid) -> Result<bool, DbErr> {
    update(db, id, ActiveModel { session_id: Set(Some(session)), consented: Set(true), ..Default::default() }).await
}

/// True for exactly one caller: the one who answers the client.
pub async fn finish(db: &impl ConnectionTrait, id: Uuid, now: i64) -> Result<bool, DbErr> {
    let change = ActiveModel { finished_at: Set(Some(now)), ..Default::default() };
    let open = Entity::update_many().set(change).filter(Column::Id.eq(id)).filter(Column::FinishedAt.is_null());
    Ok(open.exec(db).await?.rows_affected == 1)
}

/// True while the journey is open.
async fn update(db: &impl ConnectionTrait, id: Uuid, change: ActiveModel) -> Result<bool, DbErr> {
    let open = Entity::update_many().set(change).filter(Column::Id.eq(id)).filter(Column::FinishedAt.is_null());
    Ok(open.exec(db).await?.rows_affected == 1)
}

pub async fn forget_expired(db: &impl ConnectionTrait, now: i64) -> Result<bool, DbErr> {
    super::forget::<Entity, Uuid>(db, Column::Id, Column::ExpiresAt.lte(now)).await
}
