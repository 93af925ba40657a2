//! Clients: who may ask, and for what.

use std::collections::BTreeSet;

use sea_orm::{
    ActiveValue::Set,
    Condition, QueryOrder, QuerySelect,
    entity::prelude::*,
    sea_query::{IntoCondition, OnConflict},
};

use super::Sealed;
use crate::{
    crypto::secret::SecretHash,
    protocol::{
        authorize::Registered,
        client_metadata::{ClientMetadata, ClientPolicy},
    },
};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "client")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub client_id: String,
    /// `web`, `spa`, `native` or `machine`.
    pub kind: String,
    pub metadata: ClientMetadata,
    pub policy: ClientPolicy,
    pub secret_hash: Option<SecretHash>,
    /// The secret before the last rotation, good until `old_secret_until`.
    pub old_secret_hash: Option<SecretHash>,
    pub old_secret_until: Option<i64>,
    /// The secret itself, sealed: only of clients that sign with it (`client_secret_jwt`).
    pub sealed_secret: Option<Sealed>,
    /// Of the registration access token of a client that registered itself (RFC 7592 §3).
    pub registration_hash: Option<SecretHash>,
    /// When it last got tokens, to the hour; kept of clients that registered themselves, which expire unused.
    pub last_used_at: Option<i64>,
    /// Those that it is registered for, sorted, with `,` between them: what metadata lists is read from here.
    pub response_types: String,
    /// Where it comes from: `created` here, `declared` in the settings, `registered` by itself, or `built-in`.
    pub origin: String,
    pub created_at: i64,
    pub updated_at: i64,
    pub disabled_at: Option<i64>,
}

impl ActiveModelBehavior for ActiveModel {}

pub use Model as Client;

pub const CREATED: &str = "created";
pub const DECLARED: &str = "declared";
pub const REGISTERED: &str = "registered";
pub const BUILT_IN: &str = "built-in";

impl Client {
    pub fn is_enabled(&self) -> bool {
        self.disabled_at.is_none()
    }

    pub fn is_public(&self) -> bool {
        self.metadata.is_public()
    }

    /// Nobody here has looked at it: people are told so, and always asked (case SEC-089).
    pub fn is_self_registered(&self) -> bool {
        self.origin == REGISTERED
    }

    pub fn may_use(&self, grant: &str) -> bool {
        self.metadata.grant_types.iter().any(|g| g == grant)
    }

    /// What pages call it.
    pub fn name(&self) -> &str {
        self.metadata.client_name.as_deref().unwrap_or(&self.client_id)
    }

    /// The secret hashes that are good now.
    pub fn secrets(&self, now: i64) -> impl Iterator<Item = &SecretHash> {
        let old = self.old_secret_hash.as_ref().filter(|_| self.old_secret_until.is_some_and(|until| until > now));
        self.secret_hash.iter().chain(old)
    }

    pub fn registered(&self) -> Registered<'_> {
        Registered {
            client_id: &self.client_id,
            redirect_uris: &self.metadata.redirect_uris,
            response_types: &self.metadata.response_types,
            scope: &self.metadata.scope,
            is_native: self.metadata.is_native(),
            must_use_pkce: self.is_public() || self.policy.require_pkce,
            default_max_age: self.metadata.default_max_age,
        }
    }
}

pub async fn find(db: &impl ConnectionTrait, client_id: &str) -> Result<Option<Client>, DbErr> {
    // No client is called so, and PostgreSQL fails when it is asked for a text with a NUL.
    if client_id.contains(char::is_control) {
        return Ok(None);
    }
    Entity::find_by_id(client_id).one(db).await
}

pub async fn all(db: &impl ConnectionTrait) -> Result<Vec<Client>, DbErr> {
    Entity::find().order_by_asc(Column::ClientId).all(db).await
}

pub async fn named(db: &impl ConnectionTrait, client_ids: &[&str]) -> Result<Vec<Client>, DbErr> {
    let mut found = Vec::with_capacity(client_ids.len());
    // Databases bind only so many values at once.
    for some in client_ids.chunks(500) {
        let some = Entity::find().filter(Column::ClientId.is_in(some.iter().copied()));
        found.extend(some.order_by_asc(Column::ClientId).all(db).await?);
    }
    Ok(found)
}

pub async fn insert(db: &impl ConnectionTrait, client: Client) -> Result<(), DbErr> {
    Entity::insert(ActiveModel::from(client)).exec_without_returning(db).await.map(drop)
}

/// Inserts, or makes the row of that `client_id` like this one; `created_at` stays.
pub async fn put(db: &impl ConnectionTrait, client: Client) -> Result<(), DbErr> {
    let columns = [
        Column::Kind,
        Column::Metadata,
        Column::Policy,
        Column::SecretHash,
        Column::OldSecretHash,
        Column::OldSecretUntil,
        Column::SealedSecret,
        Column::RegistrationHash,
        Column::ResponseTypes,
        Column::Origin,
        Column::UpdatedAt,
        Column::DisabledAt,
    ];
    let replace = OnConflict::column(Column::ClientId).update_columns(columns).to_owned();
    Entity::insert(ActiveModel::from(client)).on_conflict(replace).exec_without_returning(db).await.map(drop)
}

/// What the client says of itself, and what was decided about it. Nothing else, so that two changes at once are both
/// kept; false when it is gone.
pub async fn register(
    db: &impl ConnectionTrait,
    client_id: &str,
    metadata: ClientMetadata,
    policy: ClientPolicy,
    now: i64,
) -> Result<bool, DbErr> {
    let change = ActiveModel {
        response_types: Set(listed(&metadata.response_types)),
        metadata: Set(metadata),
        policy: Set(policy),
        updated_at: Set(now),
        ..Default::default()
    };
    update(db, Column::ClientId.eq(client_id), change).await
}

/// What a client that registered itself says anew (RFC 7592 §2.2), while the token by which it says so is still its own.
pub async fn replace(db: &impl ConnectionTrait, client: Client, registration: &SecretHash) -> Result<bool, DbErr> {
    let change = ActiveModel {
        kind: Set(client.kind),
        response_types: Set(client.response_types),
        metadata: Set(client.metadata),
        policy: Set(client.policy),
        secret_hash: Set(client.secret_hash),
        sealed_secret: Set(client.sealed_secret),
        updated_at: Set(client.updated_at),
        ..Default::default()
    };
    let own = Condition::all().add(Column::ClientId.eq(client.client_id));
    update(db, own.add(Column::RegistrationHash.eq(registration.clone())), change).await
}

/// It got tokens just now. At most once in `every` seconds, so that busy clients are not written all the time.
pub async fn used(db: &impl ConnectionTrait, client_id: &str, now: i64, every: i64) -> Result<(), DbErr> {
    let change = ActiveModel { last_used_at: Set(Some(now)), ..Default::default() };
    let rested = Condition::any().add(Column::LastUsedAt.is_null()).add(Column::LastUsedAt.lte(now - every));
    update(db, Condition::all().add(Column::ClientId.eq(client_id)).add(rested), change).await.map(drop)
}

/// Clients that registered themselves and got no tokens since then.
pub async fn unused_since(db: &impl ConnectionTrait, since: i64, most: u64) -> Result<Vec<String>, DbErr> {
    let unused = Entity::find().select_only().column(Column::ClientId).filter(unused(since));
    unused.limit(most).into_tuple().all(db).await
}

/// False when it was used after all.
pub async fn delete_unused(db: &impl ConnectionTrait, client_id: &str, since: i64) -> Result<bool, DbErr> {
    let unused = unused(since).add(Column::ClientId.eq(client_id));
    Ok(Entity::delete_many().filter(unused).exec(db).await?.rows_affected == 1)
}

fn unused(since: i64) -> Condition {
    let never = Condition::all().add(Column::LastUsedAt.is_null()).add(Column::CreatedAt.lte(since));
    Condition::all()
        .add(Column::Origin.eq(REGISTERED))
        .add(Condition::any().add(never).add(Column::LastUsedAt.lte(since)))
}

/// As [`Model::response_types`] has them.
pub fn listed(response_types: &[String]) -> String {
    let mut sorted = response_types.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    sorted.join(",")
}

/// What enabled clients are registered for.
pub async fn response_types(db: &impl ConnectionTrait) -> Result<BTreeSet<String>, DbErr> {
    let lists = Entity::find().select_only().column(Column::ResponseTypes).distinct();
    let lists: Vec<String> = lists.filter(Column::DisabledAt.is_null()).into_tuple().all(db).await?;
    Ok(lists.iter().flat_map(|list| list.split(',')).filter(|kind| !kind.is_empty()).map(str::to_owned).collect())
}

/// A new secret in the place of `known`; the old one is good until then. False when another was quicker.
pub async fn renew_secret(
    db: &impl ConnectionTrait,
    client_id: &str,
    (known, new): (SecretHash, SecretHash),
    sealed: Option<Sealed>,
    old_until: Option<i64>,
    now: i64,
) -> Result<bool, DbErr> {
    let unchanged = Condition::all().add(Column::ClientId.eq(client_id)).add(Column::SecretHash.eq(known.clone()));
    let change = ActiveModel {
        secret_hash: Set(Some(new)),
        sealed_secret: Set(sealed),
        old_secret_hash: Set(old_until.map(|_| known)),
        old_secret_until: Set(old_until),
        updated_at: Set(now),
        ..Default::default()
    };
    update(db, unchanged, change).await
}

/// The same secret under another master key, unless another node was faster.
pub async fn reseal(db: &impl ConnectionTrait, client_id: &str, old: &Sealed, new: Sealed) -> Result<(), DbErr> {
    let change = ActiveModel { sealed_secret: Set(Some(new)), ..Default::default() };
    let same = Condition::all().add(Column::ClientId.eq(client_id)).add(Column::SealedSecret.eq(old.clone()));
    update(db, same, change).await.map(drop)
}

pub async fn set_disabled(
    db: &impl ConnectionTrait,
    client_id: &str,
    at: Option<i64>,
    now: i64,
) -> Result<bool, DbErr> {
    let change = ActiveModel { disabled_at: Set(at), updated_at: Set(now), ..Default::default() };
    update(db, Column::ClientId.eq(client_id), change).await
}

async fn update(db: &impl ConnectionTrait, which: impl IntoCondition, change: ActiveModel) -> Result<bool, DbErr> {
    Ok(Entity::update_many().set(change).filter(which).exec(db).await?.rows_affected == 1)
}

pub async fn delete(db: &impl ConnectionTrait, client_id: &str) -> Result<bool, DbErr> {
    Ok(Entity::delete_by_id(client_id).exec(db).await?.rows_affected == 1)
}
