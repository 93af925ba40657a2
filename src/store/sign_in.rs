//! Sign-ins of which a step is done and a step is missing. Whoever has one is not signed in (case SEC-130): it opens the
//! second step of the journey or program that it began in, and nothing else.

use sea_orm::{
    ActiveValue::Set,
    QuerySelect,
    entity::prelude::*,
    sea_query::{Expr, ExprTrait},
};

use crate::{crypto::secret::SecretHash, protocol::assurance::Methods};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sign_in")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Of the ticket that a program got for its second call.
    #[sea_orm(unique)]
    pub ticket_hash: Option<SecretHash>,
    /// The journey of a browser that it belongs to.
    #[sea_orm(unique)]
    pub journey_id: Option<Uuid>,
    /// The browser or program that may go on with it.
    pub browser_hash: SecretHash,
    /// Whose; none before a passkey has said so.
    pub user_id: Option<Uuid>,
    /// What was proved so far ([`Methods`]).
    pub methods: String,
    /// Of the person, when it was proved: what was proved then is worth nothing after a change.
    pub token_version: i32,
    /// Of the password, where it was one.
    pub password_changed_at: Option<i64>,
    /// Wrong answers (case SEC-125).
    pub tries: i32,
    /// What a passkey must sign, as the library keeps it.
    #[sea_orm(column_type = "Text", nullable)]
    pub challenge: Option<String>,
    /// Of the code that was mailed.
    pub code_hash: Option<SecretHash>,
    pub code_expires_at: Option<i64>,
    pub created_at: i64,
    pub expires_at: i64,
}

impl ActiveModelBehavior for ActiveModel {}

pub use Model as SignIn;

impl SignIn {
    /// What was proved so far.
    pub fn proved(&self) -> Methods {
        Methods::parse(&self.methods)
    }
}

/// The journey's newest; an older one is worth nothing.
pub async fn replace(db: &impl ConnectionTrait, row: SignIn) -> Result<(), DbErr> {
    if let Some(journey) = row.journey_id {
        leave(db, journey).await?;
    }
    Entity::insert(ActiveModel::from(row)).exec_without_returning(db).await.map(drop)
}

/// What is asked of anybody in the journey, instead of what was asked before; of somebody it stays, as a duplicate.
pub async fn replace_question(db: &impl ConnectionTrait, journey: Uuid, row: SignIn) -> Result<(), DbErr> {
    let before = Entity::delete_many().filter(Column::JourneyId.eq(journey)).filter(Column::UserId.is_null());
    before.exec(db).await?;
    Entity::insert(ActiveModel::from(row)).exec_without_returning(db).await.map(drop)
}

/// The newest of a browser or program outside of journeys; an older one is worth nothing.
pub async fn replace_at(db: &impl ConnectionTrait, row: SignIn) -> Result<(), DbErr> {
    let older = Entity::delete_many().filter(Column::UserId.eq(row.user_id)).filter(Column::JourneyId.is_null());
    older.filter(Column::BrowserHash.eq(row.browser_hash.clone())).exec(db).await?;
    Entity::insert(ActiveModel::from(row)).exec_without_returning(db).await.map(drop)
}

/// The journey has none any more.
pub async fn leave(db: &impl ConnectionTrait, journey: Uuid) -> Result<(), DbErr> {
    Entity::delete_many().filter(Column::JourneyId.eq(journey)).exec(db).await.map(drop)
}

/// Of this journey, while it is open.
pub async fn of_journey(db: &impl ConnectionTrait, journey: Uuid, now: i64) -> Result<Option<SignIn>, DbErr> {
    Entity::find().filter(Column::JourneyId.eq(journey)).filter(Column::ExpiresAt.gt(now)).one(db).await
}

/// Of this ticket, while it is open.
pub async fn of_ticket(db: &impl ConnectionTrait, ticket: &SecretHash, now: i64) -> Result<Option<SignIn>, DbErr> {
    Entity::find().filter(Column::TicketHash.eq(ticket.clone())).filter(Column::ExpiresAt.gt(now)).one(db).await
}

/// Counts a try before it is judged, so that no more than `most` are, of all servers together. True when there was one left.
pub async fn try_once(db: &impl ConnectionTrait, id: Uuid, most: i32) -> Result<bool, DbErr> {
    let counted = Entity::update_many()
        .col_expr(Column::Tries, Expr::col(Column::Tries).add(1))
        .filter(Column::Id.eq(id))
        .filter(Column::Tries.lt(most));
    Ok(counted.exec(db).await?.rows_affected == 1)
}

pub async fn set_challenge(db: &impl ConnectionTrait, id: Uuid, challenge: String) -> Result<bool, DbErr> {
    let change = ActiveModel { challenge: Set(Some(challenge)), ..Default::default() };
    Ok(Entity::update_many().set(change).filter(Column::Id.eq(id)).exec(db).await?.rows_affected == 1)
}

/// True for the one caller who answers this challenge.
pub async fn take_challenge(db: &impl ConnectionTrait, seen: &SignIn) -> Result<bool, DbErr> {
    let Some(challenge) = &seen.challenge else { return Ok(false) };
    let change = ActiveModel { challenge: Set(None), ..Default::default() };
    let same = Entity::update_many().set(change).filter(Column::Id.eq(seen.id));
    Ok(same.filter(Column::Challenge.eq(challenge.as_str())).exec(db).await?.rows_affected == 1)
}

/// The newest code is the only one. The sign-in waits for it, and counts on the tries that are left.
pub async fn set_code(db: &impl ConnectionTrait, seen: &SignIn, code: SecretHash, until: i64) -> Result<bool, DbErr> {
    let change = ActiveModel {
        code_hash: Set(Some(code)),
        code_expires_at: Set(Some(until)),
        expires_at: Set(Ord::max(seen.expires_at, until)),
        ..Default::default()
    };
    Ok(Entity::update_many().set(change).filter(Column::Id.eq(seen.id)).exec(db).await?.rows_affected == 1)
}

/// True for the one caller who has the code that was mailed for it, in its time: the steps are done.
pub async fn finish_by_code(db: &impl ConnectionTrait, id: Uuid, code: &SecretHash, now: i64) -> Result<bool, DbErr> {
    let right = Entity::delete_many().filter(Column::Id.eq(id)).filter(Column::CodeHash.eq(code.clone()));
    Ok(right.filter(Column::CodeExpiresAt.gt(now)).exec(db).await?.rows_affected == 1)
}

/// Whether it is still open. Nobody else ends it until the write has ended.
pub async fn is_there_locked(db: &impl ConnectionTrait, id: Uuid) -> Result<bool, DbErr> {
    Ok(Entity::find_by_id(id).lock_exclusive().one(db).await?.is_some())
}

/// True for the one caller who goes on with it: the steps are done.
pub async fn finish(db: &impl ConnectionTrait, id: Uuid) -> Result<bool, DbErr> {
    Ok(Entity::delete_by_id(id).exec(db).await?.rows_affected == 1)
}

/// After a change of password or factors: whoever is half-way begins again.
pub async fn void(db: &impl ConnectionTrait, user: Uuid) -> Result<(), DbErr> {
    Entity::delete_many().filter(Column::UserId.eq(user)).exec(db).await.map(drop)
}

pub async fn forget_expired(db: &impl ConnectionTrait, now: i64) -> Result<bool, DbErr> {
    super::forget::<Entity, Uuid>(db, Column::Id, Column::ExpiresAt.lte(now)).await
}
