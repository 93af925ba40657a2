//! Links that were mailed to people: single use, kept as a hash, worthless after a newer one (decision D8).

use sea_orm::{ActiveValue::Set, Condition, PaginatorTrait, entity::prelude::*};

use crate::crypto::secret::SecretHash;

/// What a link is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkKind {
    /// The address is the person's.
    Verify,
    /// A new password.
    Reset,
    /// A new address, confirmed from there.
    ChangeEmail,
    /// Back to the old address, from there.
    KeepEmail,
    /// The account stays after all.
    KeepAccount,
    /// A sign-in without a password, where it was asked for.
    SignIn,
}

impl LinkKind {
    pub const ALL: [LinkKind; 6] = [
        LinkKind::Verify,
        LinkKind::Reset,
        LinkKind::ChangeEmail,
        LinkKind::KeepEmail,
        LinkKind::KeepAccount,
        LinkKind::SignIn,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            LinkKind::Verify => "verify",
            LinkKind::Reset => "reset",
            LinkKind::ChangeEmail => "change_email",
            LinkKind::KeepEmail => "keep_email",
            LinkKind::KeepAccount => "keep_account",
            LinkKind::SignIn => "sign_in",
        }
    }
}

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "mail_link")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub hash: SecretHash,
    pub user_id: Uuid,
    pub kind: String,
    /// The address that the link is about, in its one form.
    pub email: Option<String>,
    /// Where it was asked for, if it works nowhere else.
    pub place: Option<SecretHash>,
    /// It was asked for by who has signed in to the account there before.
    pub known: bool,
    pub created_at: i64,
    pub expires_at: i64,
    pub used_at: Option<i64>,
}

impl ActiveModelBehavior for ActiveModel {}

pub use Model as MailLink;

/// A link that still works.
pub async fn find_open(
    db: &impl ConnectionTrait,
    hash: &SecretHash,
    kind: LinkKind,
    now: i64,
) -> Result<Option<MailLink>, DbErr> {
    let link = Entity::find_by_id(hash.clone()).one(db).await?;
    Ok(link.filter(|link| link.kind == kind.as_str() && link.used_at.is_none() && link.expires_at > now))
}

/// The newest link of its kind makes the older ones worthless; but a way back to one address does not close the way back to
/// another, or whoever has taken an account over would close that of its owner (case SEC-123). And one that works at one place
/// only leaves those of others, or a stranger could keep somebody from signing in.
pub async fn replace(db: &impl ConnectionTrait, link: MailLink) -> Result<(), DbErr> {
    let mut older = Entity::update_many()
        .set(ActiveModel { expires_at: Set(link.created_at), ..Default::default() })
        .filter(Column::UserId.eq(link.user_id))
        .filter(Column::Kind.eq(link.kind.as_str()))
        .filter(Column::ExpiresAt.gt(link.created_at));
    if link.kind == LinkKind::KeepEmail.as_str() {
        older = older.filter(Column::Email.eq(link.email.as_deref()));
    }
    if let Some(place) = &link.place {
        older = older.filter(Column::Place.eq(place.clone()));
    }
    older.exec(db).await?;
    Entity::insert(ActiveModel::from(link)).exec_without_returning(db).await.map(drop)
}

/// True for exactly one caller. The person's row is locked before: whoever changes the person locks it first, too, and
/// then the links, so that nobody waits for one another.
pub async fn spend(db: &impl ConnectionTrait, hash: &SecretHash, now: i64) -> Result<bool, DbErr> {
    let updated = Entity::update_many()
        .set(ActiveModel { used_at: Set(Some(now)), ..Default::default() })
        .filter(Column::Hash.eq(hash.clone()))
        .filter(Column::UsedAt.is_null())
        .filter(Column::ExpiresAt.gt(now))
        .exec(db)
        .await?;
    Ok(updated.rows_affected == 1)
}

/// After a change of password or address: what was mailed before it is worth nothing.
pub async fn void(db: &impl ConnectionTrait, user: Uuid, kinds: &[LinkKind], now: i64) -> Result<(), DbErr> {
    let kinds = kinds.iter().map(|kind| kind.as_str());
    let open =
        Condition::all().add(Column::UserId.eq(user)).add(Column::Kind.is_in(kinds)).add(Column::ExpiresAt.gt(now));
    let change = ActiveModel { expires_at: Set(now), ..Default::default() };
    Entity::update_many().set(change).filter(open).exec(db).await.map(drop)
}

/// Once an address has come back: the ways back to those that replaced it lead nowhere.
pub async fn void_ways_back_since(db: &impl ConnectionTrait, user: Uuid, since: i64, now: i64) -> Result<(), DbErr> {
    let later = Condition::all()
        .add(Column::UserId.eq(user))
        .add(Column::Kind.eq(LinkKind::KeepEmail.as_str()))
        .add(Column::CreatedAt.gte(since))
        .add(Column::ExpiresAt.gt(now));
    let change = ActiveModel { expires_at: Set(now), ..Default::default() };
    Entity::update_many().set(change).filter(later).exec(db).await.map(drop)
}

/// How many links of this kind were made for the person since then (case SEC-122), by strangers or by who is known.
pub async fn made_since(
    db: &impl ConnectionTrait,
    user: Uuid,
    (kind, known): (LinkKind, bool),
    since: i64,
) -> Result<u64, DbErr> {
    let made = Entity::find().filter(Column::UserId.eq(user)).filter(Column::Kind.eq(kind.as_str()));
    made.filter(Column::Known.eq(known)).filter(Column::CreatedAt.gt(since)).count(db).await
}

/// Kept for a day beyond their end, for the count.
pub async fn forget_expired(db: &impl ConnectionTrait, now: i64) -> Result<bool, DbErr> {
    super::forget::<Entity, SecretHash>(db, Column::Hash, Column::ExpiresAt.lte(now - 86_400)).await
}
