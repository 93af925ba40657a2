//! Which clients got an answer in a session: people see where they were used, and those who want to are told of its end.

use sea_orm::{ActiveValue::Set, QueryOrder, QuerySelect, entity::prelude::*, sea_query::OnConflict};

use super::{
    client::{self, Client},
    session,
};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "session_client")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub session_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub client_id: String,
    pub since: i64,
    #[sea_orm(belongs_to, from = "client_id", to = "client_id")]
    pub client: BelongsTo<client::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}

/// Once for each client of a session. The lock makes whoever ends the session meanwhile find this row; a session that is
/// over already gets none.
pub async fn note(db: &impl ConnectionTrait, session: Uuid, client_id: &str, now: i64) -> Result<(), DbErr> {
    if !is_live(db, session).await? {
        return Ok(());
    }
    let row = ActiveModel { session_id: Set(session), client_id: Set(client_id.to_owned()), since: Set(now) };
    let known =
        OnConflict::columns([Column::SessionId, Column::ClientId]).do_nothing_on([Column::SessionId]).to_owned();
    match Entity::insert(row).on_conflict(known).exec_without_returning(db).await {
        Ok(_) | Err(DbErr::RecordNotInserted) => Ok(()),
        Err(error) => Err(error),
    }
}

async fn is_live(db: &impl ConnectionTrait, session: Uuid) -> Result<bool, DbErr> {
    let row = session::Entity::find_by_id(session);
    // A new login makes the row anew; PostgreSQL, which has waited for that, sees the new one when it looks again.
    Ok(row.clone().lock_shared().one(db).await?.is_some() || row.one(db).await?.is_some())
}

/// The clients of these sessions, as they are registered now.
pub async fn of(db: &impl ConnectionTrait, sessions: Vec<Uuid>) -> Result<Vec<(Uuid, Client)>, DbErr> {
    let found = Entity::find().filter(Column::SessionId.is_in(sessions)).order_by_asc(Column::Since);
    let found = found.find_also_related(client::Entity).all(db).await?;
    Ok(found.into_iter().filter_map(|(row, client)| Some((row.session_id, client?))).collect())
}

/// The clients of these sessions, as they are registered now; from here on the sessions have none.
pub async fn take(db: &impl ConnectionTrait, sessions: &[Uuid]) -> Result<Vec<(Uuid, Client)>, DbErr> {
    if sessions.is_empty() {
        return Ok(Vec::new());
    }
    let found = of(db, sessions.to_vec()).await?;
    if !found.is_empty() {
        Entity::delete_many().filter(Column::SessionId.is_in(sessions.iter().copied())).exec(db).await?;
    }
    Ok(found)
}

/// Of these sessions, where they are gone.
pub(super) async fn forget_of(db: &impl ConnectionTrait, sessions: Vec<Uuid>) -> Result<(), DbErr> {
    let live = session::live(sessions.clone());
    let gone = Entity::delete_many().filter(Column::SessionId.is_in(sessions));
    gone.filter(Column::SessionId.not_in_subquery(live)).exec(db).await.map(drop)
}
