//! What happened to an account, for the person's own security log. It outlives the account under a pseudonym (K14).

use sea_orm::{ActiveValue::Set, QueryOrder, QuerySelect, entity::prelude::*};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "security_event")]
pub struct Model {
    /// Sorts by time.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The person; after the account is deleted, a number that stands for nobody.
    pub subject: Uuid,
    pub at: i64,
    pub kind: String,
    pub address: Option<String>,
    pub user_agent: Option<String>,
    pub client_id: Option<String>,
    pub trace_id: String,
}

impl ActiveModelBehavior for ActiveModel {}

pub use Model as SecurityEvent;

pub async fn insert(db: &impl ConnectionTrait, event: SecurityEvent) -> Result<(), DbErr> {
    Entity::insert(ActiveModel::from(event)).exec_without_returning(db).await.map(drop)
}

/// The person's, newest first, older than `before`.
pub async fn of(
    db: &impl ConnectionTrait,
    user: Uuid,
    before: Option<Uuid>,
    most: u64,
) -> Result<Vec<SecurityEvent>, DbErr> {
    let mut rows = Entity::find().filter(Column::Subject.eq(user));
    if let Some(before) = before {
        rows = rows.filter(Column::Id.lt(before));
    }
    rows.order_by_desc(Column::Id).limit(most).all(db).await
}

/// Whether this has happened to the person before, as far as the log reaches back.
pub async fn has(db: &impl ConnectionTrait, user: Uuid, kind: &str) -> Result<bool, DbErr> {
    let found = Entity::find().filter(Column::Subject.eq(user)).filter(Column::Kind.eq(kind));
    Ok(found.one(db).await?.is_some())
}

/// The same, from this address and by who says this of itself.
pub async fn has_from(
    db: &impl ConnectionTrait,
    user: Uuid,
    kind: &str,
    address: &str,
    user_agent: Option<&str>,
) -> Result<bool, DbErr> {
    let found = Entity::find().filter(Column::Subject.eq(user)).filter(Column::Kind.eq(kind));
    let found = found.filter(Column::Address.eq(address));
    let same = match user_agent {
        Some(says) => found.filter(Column::UserAgent.eq(says)),
        None => found.filter(Column::UserAgent.is_null()),
    };
    Ok(same.one(db).await?.is_some())
}

/// What happened stays; to whom and whence does not, nor the trace, which names the person for some days.
pub async fn forget_person(db: &impl ConnectionTrait, user: Uuid, pseudonym: Uuid) -> Result<(), DbErr> {
    let change = ActiveModel {
        subject: Set(pseudonym),
        address: Set(None),
        user_agent: Set(None),
        trace_id: Set(String::new()),
        ..Default::default()
    };
    Entity::update_many().set(change).filter(Column::Subject.eq(user)).exec(db).await.map(drop)
}

/// Everything about these.
pub async fn forget_of(db: &impl ConnectionTrait, users: Vec<Uuid>) -> Result<(), DbErr> {
    if users.is_empty() {
        return Ok(());
    }
    Entity::delete_many().filter(Column::Subject.is_in(users)).exec(db).await.map(drop)
}

pub async fn forget_before(db: &impl ConnectionTrait, at: i64) -> Result<bool, DbErr> {
    super::forget::<Entity, Uuid>(db, Column::Id, Column::At.lt(at)).await
}
