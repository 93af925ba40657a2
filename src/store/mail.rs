//! Mails to people, each with what came of it. A row is written with its cause; whoever moves `next_at` has the row to
//! themselves until then.

use sea_orm::{ActiveValue::Set, Condition, QueryOrder, QuerySelect, entity::prelude::*, sea_query::IntoCondition};

use super::Sealed;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "mail")]
pub struct Model {
    /// Sorts by time.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub recipient: String,
    /// What kind of letter it is.
    pub letter: String,
    /// The language that the recipient reads; else that of the person, else the first.
    pub locale: Option<String>,
    /// What the letter says, links among it; none once it was handed over.
    pub content: Option<Sealed>,
    /// Whose account it is about; with them it goes.
    pub user_id: Option<Uuid>,
    pub created_at: i64,
    /// Those that have begun.
    pub attempts: i32,
    /// When it is tried next; none when it is over.
    pub next_at: Option<i64>,
    pub sent_at: Option<i64>,
    /// Without a mail server: since then it lies in the outbox.
    pub kept_at: Option<i64>,
    pub dead_at: Option<i64>,
    /// What the last attempt met, without what could be secret.
    pub last_answer: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}

pub use Model as Mail;

pub async fn insert(db: &impl ConnectionTrait, mail: Mail) -> Result<(), DbErr> {
    Entity::insert(ActiveModel::from(mail)).exec_without_returning(db).await.map(drop)
}

pub async fn find(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Mail>, DbErr> {
    Entity::find_by_id(id).one(db).await
}

/// How many letters of this kind about the person were written since then (case SEC-122).
pub async fn queued_since(db: &impl ConnectionTrait, user: Uuid, letter: &str, since: i64) -> Result<u64, DbErr> {
    let queued = Entity::find().filter(Column::UserId.eq(user)).filter(Column::Letter.eq(letter));
    queued.filter(Column::CreatedAt.gt(since)).count(db).await
}

/// Some of the person's, by id, after that one: all that is kept of them.
pub async fn page_of(
    db: &impl ConnectionTrait,
    user: Uuid,
    after: Option<Uuid>,
    most: u64,
) -> Result<Vec<Mail>, DbErr> {
    let mut rows = Entity::find().filter(Column::UserId.eq(user));
    if let Some(after) = after {
        rows = rows.filter(Column::Id.gt(after));
    }
    rows.order_by_asc(Column::Id).limit(most).all(db).await
}

/// Those to be tried next, the most urgent first.
pub async fn soonest(db: &impl ConnectionTrait, most: u64) -> Result<Vec<Mail>, DbErr> {
    Entity::find().filter(Column::NextAt.is_not_null()).order_by_asc(Column::NextAt).limit(most).all(db).await
}

/// True for the one caller, of all nodes, who may try until then.
pub async fn claim(db: &impl ConnectionTrait, mail: &Mail, until: i64) -> Result<bool, DbErr> {
    let change = ActiveModel { next_at: Set(Some(until)), attempts: Set(mail.attempts + 1), ..Default::default() };
    let as_seen = Condition::all()
        .add(Column::Id.eq(mail.id))
        .add(Column::NextAt.eq(mail.next_at))
        .add(Column::Attempts.eq(mail.attempts));
    Ok(Entity::update_many().set(change).filter(as_seen).exec(db).await?.rows_affected == 1)
}

/// What comes after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    Sent { at: i64 },
    Kept { at: i64 },
    Again { at: i64 },
    Dead { at: i64 },
}

/// Notes the end of the attempt of that number; of no other, for a slow one may have been overtaken. That the mail was
/// taken is true whoever says it.
pub async fn note(
    db: &impl ConnectionTrait,
    id: Uuid,
    attempt: i32,
    then: Then,
    answer: String,
) -> Result<bool, DbErr> {
    let mut change = ActiveModel { last_answer: Set(Some(answer)), next_at: Set(None), ..Default::default() };
    let mut which = Condition::all().add(Column::Id.eq(id)).add(Column::NextAt.is_not_null());
    match then {
        Then::Sent { at } => (change.sent_at, change.content) = (Set(Some(at)), Set(None)),
        Then::Kept { at } => change.kept_at = Set(Some(at)),
        Then::Again { at } => change.next_at = Set(Some(at)),
        Then::Dead { at } => change.dead_at = Set(Some(at)),
    }
    if !matches!(then, Then::Sent { .. }) {
        which = which.add(Column::Attempts.eq(attempt));
    }
    Ok(Entity::update_many().set(change).filter(which).exec(db).await?.rows_affected == 1)
}

/// Tries it again, now, if there is still something to send. True when it will be.
pub async fn again(db: &impl ConnectionTrait, id: Uuid, now: i64) -> Result<bool, DbErr> {
    let change = ActiveModel { next_at: Set(Some(now)), dead_at: Set(None), ..Default::default() };
    let unsent = Condition::all()
        .add(Column::Id.eq(id))
        .add(Column::Content.is_not_null())
        .add(Column::SentAt.is_null())
        .add(Column::KeptAt.is_null());
    Ok(Entity::update_many().set(change).filter(unsent).exec(db).await?.rows_affected == 1)
}

/// Which of them a report shows.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Only those that were tried in vain, given up or not.
    pub failed: bool,
    /// Only those that come after this one in the report.
    pub after: Option<Uuid>,
    pub most: u64,
}

/// The newest first.
pub async fn report(db: &impl ConnectionTrait, wanted: Wanted) -> Result<Vec<Mail>, DbErr> {
    let mut which = Condition::all();
    if wanted.failed {
        let open = Condition::all().add(Column::SentAt.is_null()).add(Column::KeptAt.is_null());
        which = which.add(open).add(Column::LastAnswer.is_not_null());
    }
    if let Some(after) = wanted.after {
        which = which.add(Column::Id.lt(after));
    }
    Entity::find().filter(which).order_by_desc(Column::Id).limit(wanted.most).all(db).await
}

/// Those of the outbox, the newest first.
pub async fn kept(db: &impl ConnectionTrait, most: u64) -> Result<Vec<Mail>, DbErr> {
    Entity::find().filter(Column::KeptAt.is_not_null()).order_by_desc(Column::Id).limit(most).all(db).await
}

/// How many wait, since when the oldest does, and how many are dead.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub waiting: u64,
    pub oldest: Option<i64>,
    pub dead: u64,
    pub last_sent: Option<i64>,
}

pub async fn counts(db: &impl ConnectionTrait) -> Result<Counts, DbErr> {
    let waiting = Entity::find().filter(Column::NextAt.is_not_null());
    let oldest = waiting.clone().order_by_asc(Column::Id).one(db).await?.map(|mail| mail.created_at);
    let sent = Entity::find().filter(Column::SentAt.is_not_null()).order_by_desc(Column::SentAt).one(db).await?;
    Ok(Counts {
        waiting: waiting.count(db).await?,
        oldest,
        dead: Entity::find().filter(Column::DeadAt.is_not_null()).count(db).await?,
        last_sent: sent.and_then(|mail| mail.sent_at),
    })
}

/// Those that the master key has sealed.
pub async fn sealed(db: &impl ConnectionTrait) -> Result<Vec<Mail>, DbErr> {
    Entity::find().filter(Column::Content.is_not_null()).all(db).await
}

/// The same letter under another master key, unless it has changed or gone meanwhile.
pub async fn reseal(db: &impl ConnectionTrait, id: Uuid, old: &Sealed, new: Sealed) -> Result<(), DbErr> {
    let change = ActiveModel { content: Set(Some(new)), ..Default::default() };
    let same = Entity::update_many().set(change).filter(Column::Id.eq(id)).filter(Column::Content.eq(old.clone()));
    same.exec(db).await.map(drop)
}

/// What is over; what still waits stays.
pub async fn forget_before(db: &impl ConnectionTrait, at: i64) -> Result<bool, DbErr> {
    // By the id, which begins with the time: there is an index on it.
    let then = uuid::Builder::from_unix_timestamp_millis(u64::try_from(at).unwrap_or_default() * 1000, &[0; 10]);
    let over = Column::Id.lt(then.into_uuid()).into_condition().add(Column::NextAt.is_null());
    super::forget::<Entity, Uuid>(db, Column::Id, over).await
}

/// What lies in the outbox for longer.
pub async fn forget_kept(db: &impl ConnectionTrait, at: i64) -> Result<bool, DbErr> {
    super::forget::<Entity, Uuid>(db, Column::Id, Column::KeptAt.lt(at).into_condition()).await
}
