//! Ways to a provider and back. Each belongs to one browser and to one journey, or to one session whose person
//! connects the provider with their account; and is come back by once (case SEC-136).

use sea_orm::{ActiveValue::Set, QueryOrder, QuerySelect, entity::prelude::*};

use super::Sealed;
use crate::crypto::secret::SecretHash;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "upstream_login")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    #[sea_orm(unique)]
    pub state_hash: SecretHash,
    pub browser_hash: SecretHash,
    /// The name of the provider.
    pub upstream: String,
    pub journey_id: Option<Uuid>,
    /// Who connects it with their account.
    pub user_id: Option<Uuid>,
    /// Where they are signed in.
    pub session_id: Option<Uuid>,
    /// What the provider has posted, until the browser comes for it with its cookies (K5).
    pub answer: Option<Sealed>,
    pub created_at: i64,
    pub expires_at: i64,
}

impl ActiveModelBehavior for ActiveModel {}

pub use Model as UpstreamLogin;

/// A browser has so many open at once; older ones are worth nothing.
const MOST_OPEN: u64 = 10;

pub async fn insert(db: &impl ConnectionTrait, row: UpstreamLogin) -> Result<(), DbErr> {
    let of_browser = Column::BrowserHash.eq(row.browser_hash.clone());
    let kept = Entity::find().select_only().column(Column::Id).filter(of_browser.clone());
    let kept: Vec<Uuid> = kept.order_by_desc(Column::Id).limit(MOST_OPEN - 1).into_tuple().all(db).await?;
    if kept.len() as u64 == MOST_OPEN - 1 {
        Entity::delete_many().filter(of_browser).filter(Column::Id.is_not_in(kept)).exec(db).await?;
    }
    Entity::insert(ActiveModel::from(row)).exec_without_returning(db).await.map(drop)
}

/// One that is open.
pub async fn find(db: &impl ConnectionTrait, state: &SecretHash, now: i64) -> Result<Option<UpstreamLogin>, DbErr> {
    Entity::find().filter(Column::StateHash.eq(state.clone())).filter(Column::ExpiresAt.gt(now)).one(db).await
}

/// Keeps what was posted; the first counts, and briefly.
pub async fn keep_answer(db: &impl ConnectionTrait, id: Uuid, answer: Sealed, until: i64) -> Result<bool, DbErr> {
    let change = ActiveModel { answer: Set(Some(answer)), expires_at: Set(until), ..Default::default() };
    let open = Entity::update_many().set(change).filter(Column::Id.eq(id)).filter(Column::Answer.is_null());
    Ok(open.exec(db).await?.rows_affected == 1)
}

/// True for the one caller who comes back by it.
pub async fn take(db: &impl ConnectionTrait, id: Uuid) -> Result<bool, DbErr> {
    Ok(Entity::delete_by_id(id).exec(db).await?.rows_affected == 1)
}

/// All of a provider that is no more.
pub async fn forget_of(db: &impl ConnectionTrait, upstream: &str) -> Result<(), DbErr> {
    Entity::delete_many().filter(Column::Upstream.eq(upstream)).exec(db).await.map(drop)
}

pub async fn forget_expired(db: &impl ConnectionTrait, now: i64) -> Result<bool, DbErr> {
    super::forget::<Entity, Uuid>(db, Column::Id, Column::ExpiresAt.lte(now)).await
}
