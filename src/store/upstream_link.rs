//! Who somebody is at a provider: found by issuer and subject, never by an address (case SEC-139).

use sea_orm::{ActiveValue::Set, PaginatorTrait, QueryOrder, QuerySelect, entity::prelude::*};

use super::Sealed;
use crate::crypto::secret::{Secret, SecretHash};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "upstream_link")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub user_id: Uuid,
    /// Of issuer and subject ([`identity`]).
    #[sea_orm(unique)]
    pub identity: SecretHash,
    /// The name of the provider that it came by last.
    pub upstream: String,
    pub issuer: String,
    pub subject: String,
    /// What the person recognizes it by.
    pub label: Option<String>,
    /// The provider's tokens, where they are kept.
    pub sealed_tokens: Option<Sealed>,
    pub created_at: i64,
    pub last_used_at: i64,
}

impl ActiveModelBehavior for ActiveModel {}

pub use Model as UpstreamLink;

/// One value for both, whatever characters are in them.
pub fn identity(issuer: &str, subject: &str) -> SecretHash {
    Secret::presented(&format!("{}:{issuer}{subject}", issuer.len())).hash()
}

pub async fn find(db: &impl ConnectionTrait, issuer: &str, subject: &str) -> Result<Option<UpstreamLink>, DbErr> {
    Entity::find().filter(Column::Identity.eq(identity(issuer, subject))).one(db).await
}

/// Fails as a duplicate where somebody has it already.
pub async fn insert(db: &impl ConnectionTrait, link: UpstreamLink) -> Result<(), DbErr> {
    Entity::insert(ActiveModel::from(link)).exec_without_returning(db).await.map(drop)
}

pub async fn of(db: &impl ConnectionTrait, user: Uuid) -> Result<Vec<UpstreamLink>, DbErr> {
    Entity::find().filter(Column::UserId.eq(user)).order_by_asc(Column::CreatedAt).all(db).await
}

/// False where the person has none such.
pub async fn remove(db: &impl ConnectionTrait, user: Uuid, id: Uuid) -> Result<bool, DbErr> {
    let one = Entity::delete_many().filter(Column::UserId.eq(user)).filter(Column::Id.eq(id));
    Ok(one.exec(db).await?.rows_affected == 1)
}

/// How many the person had.
pub async fn remove_all(db: &impl ConnectionTrait, user: Uuid) -> Result<u64, DbErr> {
    Ok(Entity::delete_many().filter(Column::UserId.eq(user)).exec(db).await?.rows_affected)
}

/// What came at that time or later.
pub async fn remove_since(db: &impl ConnectionTrait, user: Uuid, since: i64) -> Result<(), DbErr> {
    let late = Entity::delete_many().filter(Column::UserId.eq(user)).filter(Column::CreatedAt.gte(since));
    late.exec(db).await.map(drop)
}

/// How many there are of each provider that has any.
pub async fn counts(db: &impl ConnectionTrait) -> Result<Vec<(String, i64)>, DbErr> {
    let counted = Entity::find().select_only().column(Column::Upstream).column_as(Column::Id.count(), "links");
    counted.group_by(Column::Upstream).into_tuple().all(db).await
}

pub async fn count(db: &impl ConnectionTrait, upstream: &str) -> Result<u64, DbErr> {
    Entity::find().filter(Column::Upstream.eq(upstream)).count(db).await
}

/// Its tokens are kept no longer.
pub async fn forget_tokens(db: &impl ConnectionTrait, upstream: &str) -> Result<(), DbErr> {
    let change = ActiveModel { sealed_tokens: Set(None), ..Default::default() };
    let kept = Entity::update_many().set(change).filter(Column::Upstream.eq(upstream));
    kept.filter(Column::SealedTokens.is_not_null()).exec(db).await.map(drop)
}

const AT_ONCE: u64 = 100;

/// Some with sealed tokens, after that one; none at the end.
pub async fn sealed(db: &impl ConnectionTrait, after: Option<Uuid>) -> Result<Option<Vec<(Uuid, Sealed)>>, DbErr> {
    let mut rows = Entity::find().filter(Column::SealedTokens.is_not_null());
    if let Some(after) = after {
        rows = rows.filter(Column::Id.gt(after));
    }
    let rows = rows.order_by_asc(Column::Id).limit(AT_ONCE).all(db).await?;
    let rows: Vec<_> = rows.into_iter().filter_map(|row| Some((row.id, row.sealed_tokens?))).collect();
    Ok((!rows.is_empty()).then_some(rows))
}

/// Another seal of the same tokens.
pub async fn reseal(db: &impl ConnectionTrait, id: Uuid, old: &Sealed, new: Sealed) -> Result<(), DbErr> {
    let change = ActiveModel { sealed_tokens: Set(Some(new)), ..Default::default() };
    let same = Entity::update_many().set(change).filter(Column::Id.eq(id));
    same.filter(Column::SealedTokens.eq(old.clone())).exec(db).await.map(drop)
}

/// Nobody comes by that provider any more. How many there were.
pub async fn forget_of(db: &impl ConnectionTrait, upstream: &str) -> Result<u64, DbErr> {
    Ok(Entity::delete_many().filter(Column::Upstream.eq(upstream)).exec(db).await?.rows_affected)
}

/// It was come by now. False where it is there no longer.
pub async fn note_use(
    db: &impl ConnectionTrait,
    id: Uuid,
    upstream: &str,
    (label, tokens): (Option<String>, Option<Sealed>),
    now: i64,
) -> Result<bool, DbErr> {
    let change = ActiveModel {
        upstream: Set(upstream.to_owned()),
        label: Set(label),
        sealed_tokens: Set(tokens),
        last_used_at: Set(now),
        ..Default::default()
    };
    Ok(Entity::update_many().set(change).filter(Column::Id.eq(id)).exec(db).await?.rows_affected == 1)
}
