//! People: who they are and what may be said of them.

use sea_orm::{ActiveValue::Set, Condition, QueryOrder, QuerySelect, entity::prelude::*, sea_query::ExprTrait};
use serde_json::{Map, Value};

use super::security_event;
use crate::protocol::{claims::StandardClaims, text};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "user")]
pub struct Model {
    /// Also the `sub` of every token; never given to anybody else.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// In the one form that decides who is who ([`crate::protocol::text`]).
    #[sea_orm(unique)]
    pub username: Option<String>,
    /// In the one form that decides who is who.
    #[sea_orm(unique)]
    pub email: Option<String>,
    pub email_verified: bool,
    pub phone_number: Option<String>,
    pub phone_number_verified: bool,
    pub claims: StandardClaims,
    /// May do everything in the administration.
    pub admin: bool,
    /// The language that the person chose for pages.
    pub locale: Option<String>,
    pub created_at: i64,
    pub updated_at: i64,
    pub disabled_at: Option<i64>,
    /// The telephone number in the one form that decides who is who (E.164); none of a number that
    /// signs somebody else in.
    #[sea_orm(unique)]
    pub phone_key: Option<String>,
    /// What the person says of themself.
    pub bio: Option<String>,
    /// Counts how often everything that was issued was called back; what is older is worth nothing.
    pub token_version: i32,
    /// When the account goes for good.
    pub delete_at: Option<i64>,
    /// Registered then, and the address must be confirmed before anybody can sign in.
    pub unconfirmed_since: Option<i64>,
}

impl ActiveModelBehavior for ActiveModel {}

pub use Model as User;

impl User {
    pub fn is_enabled(&self) -> bool {
        self.disabled_at.is_none() && self.delete_at.is_none()
    }

    pub fn sub(&self) -> String {
        self.id.to_string()
    }

    /// What pages call the person.
    pub fn display_name(&self) -> &str {
        let claims = &self.claims;
        [claims.name.as_deref(), self.username.as_deref(), self.email.as_deref()]
            .into_iter()
            .flatten()
            .next()
            .unwrap_or("")
    }

    /// OpenID Connect Core §5.1: everything that could be released, unknown members left out.
    pub fn all_claims(&self) -> Map<String, Value> {
        let mut all = match serde_json::to_value(&self.claims) {
            Ok(Value::Object(claims)) => claims,
            _ => Map::new(),
        };
        all.retain(|_, value| value.as_str() != Some(""));
        if let Some(email) = &self.email {
            all.insert("email".into(), email.as_str().into());
            all.insert("email_verified".into(), self.email_verified.into());
        }
        if let Some(number) = &self.phone_number {
            all.insert("phone_number".into(), number.as_str().into());
            all.insert("phone_number_verified".into(), self.phone_number_verified.into());
        }
        if let Some(username) = &self.username {
            all.entry("preferred_username").or_insert_with(|| username.as_str().into());
        }
        all.insert("updated_at".into(), self.updated_at.into());
        all
    }
}

pub async fn find(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<User>, DbErr> {
    Entity::find_by_id(id).one(db).await
}

/// As [`find`]; nobody else changes the row until the write has ended.
pub async fn find_locked(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<User>, DbErr> {
    Entity::find_by_id(id).lock_exclusive().one(db).await
}

/// By e-mail address, telephone number or user name, each in its one form. A name never contains `@` and never begins
/// with `+`, so at most one row fits.
pub async fn find_by_login(db: &impl ConnectionTrait, login: &str) -> Result<Option<User>, DbErr> {
    let column = match login {
        login if login.contains('@') => Column::Email,
        login if login.starts_with('+') => Column::PhoneKey,
        _ => Column::Username,
    };
    Entity::find().filter(column.eq(login)).one(db).await
}

/// Whether one of the two is taken.
pub async fn is_taken(db: &impl ConnectionTrait, username: Option<&str>, email: Option<&str>) -> Result<bool, DbErr> {
    let mut same = Condition::any();
    if let Some(username) = username {
        same = same.add(Column::Username.eq(username));
    }
    if let Some(email) = email {
        same = same.add(Column::Email.eq(email));
    }
    if same.is_empty() {
        return Ok(false);
    }
    Ok(Entity::find().filter(same).one(db).await?.is_some())
}

/// What somebody wants to be known by, alone.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// The user name, and one that it could be mistaken for.
    usernames: Vec<String>,
    email: Option<String>,
    phone_key: Option<String>,
}

impl Wanted {
    /// All that this person is known by.
    pub fn by(user: &User) -> Self {
        let wanted = Wanted::default().username(user.username.as_deref());
        wanted.email(user.email.as_deref()).phone(user.phone_key.as_deref())
    }

    pub fn username(self, name: Option<&str>) -> Self {
        let twin = name.and_then(text::twin);
        Wanted { usernames: name.map(str::to_owned).into_iter().chain(twin).collect(), ..self }
    }

    pub fn email(self, email: Option<&str>) -> Self {
        Wanted { email: email.map(str::to_owned), ..self }
    }

    pub fn phone(self, key: Option<&str>) -> Self {
        Wanted { phone_key: key.map(str::to_owned), ..self }
    }

    fn of(&self, user: &User) -> Vec<&'static str> {
        let same = |mine: &Option<String>, theirs: &Option<String>| mine.is_some() && mine == theirs;
        let name = user.username.as_ref().is_some_and(|name| self.usernames.contains(name));
        let all = [
            ("username", name),
            ("email", same(&self.email, &user.email)),
            ("phone_number", same(&self.phone_key, &user.phone_key)),
        ];
        all.into_iter().filter(|(_, taken)| *taken).map(|(name, _)| name).collect()
    }
}

/// Which of these somebody has already, other than `me`: `username`, `email`, `phone_number`.
pub async fn taken(db: &impl ConnectionTrait, wanted: &Wanted, me: Option<Uuid>) -> Result<Vec<&'static str>, DbErr> {
    let mut same = Condition::any();
    if !wanted.usernames.is_empty() {
        same = same.add(Column::Username.is_in(wanted.usernames.clone()));
    }
    if let Some(email) = &wanted.email {
        same = same.add(Column::Email.eq(email));
    }
    if let Some(key) = &wanted.phone_key {
        same = same.add(Column::PhoneKey.eq(key));
    }
    if same.is_empty() {
        return Ok(Vec::new());
    }
    let others = Entity::find().filter(same).all(db).await?;
    let mut taken: Vec<_> = others.iter().filter(|user| Some(user.id) != me).flat_map(|user| wanted.of(user)).collect();
    taken.sort_unstable();
    taken.dedup();
    Ok(taken)
}

pub async fn insert(db: &impl ConnectionTrait, user: User) -> Result<(), DbErr> {
    Entity::insert(ActiveModel::from(user)).exec_without_returning(db).await.map(drop)
}

pub async fn insert_many(db: &impl ConnectionTrait, users: Vec<User>) -> Result<(), DbErr> {
    if users.is_empty() {
        return Ok(());
    }
    Entity::insert_many(users.into_iter().map(ActiveModel::from)).exec_without_returning(db).await.map(drop)
}

/// Which of these somebody has, each beside the name of its member: `id`, `username`, `email`, `phone_number`. One
/// question for each, which an index answers.
pub async fn any_of(
    db: &impl ConnectionTrait,
    ids: Vec<Uuid>,
    usernames: Vec<String>,
    emails: Vec<String>,
    phone_keys: Vec<String>,
) -> Result<Vec<(&'static str, String)>, DbErr> {
    let ids = Entity::find().select_only().column(Column::Id).filter(Column::Id.is_in(ids));
    let ids: Vec<Uuid> = ids.into_tuple().all(db).await?;
    let mut found: Vec<_> = ids.into_iter().map(|id| ("id", id.to_string())).collect();
    for (member, column, values) in [
        ("username", Column::Username, usernames),
        ("email", Column::Email, emails),
        ("phone_number", Column::PhoneKey, phone_keys),
    ] {
        if values.is_empty() {
            continue;
        }
        let same = Entity::find().select_only().column(column).filter(column.is_in(values));
        let same: Vec<String> = same.into_tuple().all(db).await?;
        found.extend(same.into_iter().map(|value| (member, value)));
    }
    Ok(found)
}

/// The account goes then; true when it was to stay until now.
pub async fn plan_deletion(db: &impl ConnectionTrait, id: Uuid, at: i64, now: i64) -> Result<bool, DbErr> {
    let change = ActiveModel { delete_at: Set(Some(at)), updated_at: Set(now), ..Default::default() };
    let staying = Entity::update_many().set(change).filter(Column::Id.eq(id)).filter(Column::DeleteAt.is_null());
    Ok(staying.exec(db).await?.rows_affected == 1)
}

/// The account stays after all; true when it was to go.
pub async fn keep(db: &impl ConnectionTrait, id: Uuid, now: i64) -> Result<bool, DbErr> {
    let change = ActiveModel { delete_at: Set(None), updated_at: Set(now), ..Default::default() };
    let going = Entity::update_many().set(change).filter(Column::Id.eq(id)).filter(Column::DeleteAt.is_not_null());
    Ok(going.exec(db).await?.rows_affected == 1)
}

/// Some of the accounts whose time has come.
pub async fn due(db: &impl ConnectionTrait, now: i64) -> Result<Vec<Uuid>, DbErr> {
    let due = Entity::find().select_only().column(Column::Id).filter(Column::DeleteAt.lte(now));
    due.order_by_asc(Column::DeleteAt).limit(super::AT_ONCE).into_tuple().all(db).await
}

/// Whether nobody but this person can administer. Of two who leave at once, the second waits for the first and sees.
pub async fn is_last_admin(db: &impl ConnectionTrait, id: Uuid) -> Result<bool, DbErr> {
    if !find(db, id).await?.is_some_and(|user| user.admin) {
        return Ok(false);
    }
    let enabled = Condition::all().add(Column::DisabledAt.is_null()).add(Column::DeleteAt.is_null());
    let admins = Entity::find().filter(Column::Admin.eq(true)).filter(enabled).order_by_asc(Column::Id);
    let admins = admins.lock_exclusive().all(db).await?;
    Ok(admins.iter().any(|admin| admin.id == id) && admins.len() == 1)
}

/// True when there was such a person. Who is let in again stays.
pub async fn set_disabled(db: &impl ConnectionTrait, id: Uuid, at: Option<i64>, now: i64) -> Result<bool, DbErr> {
    let mut change = ActiveModel { disabled_at: Set(at), updated_at: Set(now), ..Default::default() };
    if at.is_none() {
        change.delete_at = Set(None);
    }
    let updated = Entity::update_many().set(change).filter(Column::Id.eq(id)).exec(db).await?;
    Ok(updated.rows_affected == 1)
}

/// What the person says of themself. Fails on a name or a number that somebody else has.
pub async fn set_profile(db: &impl ConnectionTrait, user: &User) -> Result<(), DbErr> {
    let change = ActiveModel {
        username: Set(user.username.clone()),
        phone_number: Set(user.phone_number.clone()),
        phone_number_verified: Set(user.phone_number_verified),
        phone_key: Set(user.phone_key.clone()),
        claims: Set(user.claims.clone()),
        bio: Set(user.bio.clone()),
        updated_at: Set(user.updated_at),
        ..Default::default()
    };
    Entity::update_many().set(change).filter(Column::Id.eq(user.id)).exec(db).await.map(drop)
}

pub async fn set_locale(db: &impl ConnectionTrait, id: Uuid, locale: &str) -> Result<(), DbErr> {
    let change = ActiveModel { locale: Set(Some(locale.to_owned())), ..Default::default() };
    Entity::update_many().set(change).filter(Column::Id.eq(id)).exec(db).await.map(drop)
}

/// The address is the person's; true when it is still this one.
pub async fn confirm_email(db: &impl ConnectionTrait, id: Uuid, email: &str, now: i64) -> Result<bool, DbErr> {
    let change = ActiveModel {
        email_verified: Set(true),
        unconfirmed_since: Set(None),
        updated_at: Set(now),
        ..Default::default()
    };
    let same = Entity::update_many().set(change).filter(Column::Id.eq(id)).filter(Column::Email.eq(email));
    Ok(same.exec(db).await?.rows_affected == 1)
}

/// Another address, which is known to be the person's. Fails on one that somebody else has.
pub async fn set_email(db: &impl ConnectionTrait, id: Uuid, email: &str, now: i64) -> Result<(), DbErr> {
    let change = ActiveModel {
        email: Set(Some(email.to_owned())),
        email_verified: Set(true),
        unconfirmed_since: Set(None),
        updated_at: Set(now),
        ..Default::default()
    };
    Entity::update_many().set(change).filter(Column::Id.eq(id)).exec(db).await.map(drop)
}

/// Calls back everything that was issued to the person, on every node at once.
pub async fn call_back(db: &impl ConnectionTrait, id: Uuid) -> Result<(), DbErr> {
    let next = Expr::col(Column::TokenVersion).add(1);
    let bump = Entity::update_many().col_expr(Column::TokenVersion, next).filter(Column::Id.eq(id));
    bump.exec(db).await.map(drop)
}

/// Accounts that nobody has confirmed since then, with what happened to them: there was nobody. True when there may be more.
pub async fn forget_unconfirmed(db: &impl ConnectionTrait, before: i64) -> Result<bool, DbErr> {
    let forgotten = super::forget_some::<Entity, Uuid>(db, Column::Id, Column::UnconfirmedSince.lt(before)).await?;
    let may_be_more = forgotten.len() as u64 == super::AT_ONCE;
    security_event::forget_of(db, forgotten).await?;
    Ok(may_be_more)
}

/// One that nobody has confirmed yet, with what happened to it. False where somebody has, or it is gone.
pub async fn delete_unconfirmed(db: &impl ConnectionTrait, id: Uuid) -> Result<bool, DbErr> {
    let unconfirmed = Entity::delete_many().filter(Column::Id.eq(id)).filter(Column::UnconfirmedSince.is_not_null());
    let is_gone = unconfirmed.exec(db).await?.rows_affected == 1;
    if is_gone {
        security_event::forget_of(db, vec![id]).await?;
    }
    Ok(is_gone)
}

pub async fn delete(db: &impl ConnectionTrait, id: Uuid) -> Result<bool, DbErr> {
    Ok(Entity::delete_by_id(id).exec(db).await?.rows_affected == 1)
}

pub async fn set_admin(db: &impl ConnectionTrait, id: Uuid, now: i64) -> Result<(), DbErr> {
    let change = ActiveModel { admin: Set(true), updated_at: Set(now), disabled_at: Set(None), ..Default::default() };
    Entity::update_many().set(change).filter(Column::Id.eq(id)).exec(db).await.map(drop)
}

/// Whether the person administers, and nothing else of theirs.
pub async fn appoint(db: &impl ConnectionTrait, id: Uuid, admin: bool, now: i64) -> Result<(), DbErr> {
    let change = ActiveModel { admin: Set(admin), updated_at: Set(now), ..Default::default() };
    Entity::update_many().set(change).filter(Column::Id.eq(id)).exec(db).await.map(drop)
}

/// Whether anybody can administer this installation.
pub async fn has_admin(db: &impl ConnectionTrait) -> Result<bool, DbErr> {
    Ok(Entity::find().filter(Column::Admin.eq(true)).one(db).await?.is_some())
}
