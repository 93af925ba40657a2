//! Initial access tokens (RFC 7591 §3): who holds one may register so many clients until then.

use sea_orm::{ActiveValue::Set, QueryOrder, entity::prelude::*, sea_query::ExprTrait};

use crate::crypto::secret::SecretHash;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "registration_token")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    #[sea_orm(unique)]
    pub hash: SecretHash,
    /// What the operator calls it.
    pub name: String,
    /// How many clients it is good for.
    pub uses: i32,
    pub used: i32,
    pub created_at: i64,
    pub expires_at: i64,
    pub revoked_at: Option<i64>,
}

impl ActiveModelBehavior for ActiveModel {}

pub use Model as RegistrationToken;

impl RegistrationToken {
    pub fn is_good(&self, now: i64) -> bool {
        self.revoked_at.is_none() && self.expires_at > now && self.used < self.uses
    }
}

pub async fn insert(db: &impl ConnectionTrait, token: RegistrationToken) -> Result<(), DbErr> {
    Entity::insert(ActiveModel::from(token)).exec_without_returning(db).await.map(drop)
}

/// Newest first.
pub async fn all(db: &impl ConnectionTrait) -> Result<Vec<RegistrationToken>, DbErr> {
    Entity::find().order_by_desc(Column::CreatedAt).order_by_asc(Column::Id).all(db).await
}

pub async fn find(db: &impl ConnectionTrait, hash: &SecretHash) -> Result<Option<RegistrationToken>, DbErr> {
    Entity::find().filter(Column::Hash.eq(hash.clone())).one(db).await
}

/// One use of it. True for as many callers as it has uses left, however many try at once.
pub async fn spend(db: &impl ConnectionTrait, id: Uuid, now: i64) -> Result<bool, DbErr> {
    let updated = Entity::update_many()
        .col_expr(Column::Used, Expr::col(Column::Used).add(1))
        .filter(Column::Id.eq(id))
        .filter(Expr::col(Column::Used).lt(Expr::col(Column::Uses)))
        .filter(Column::RevokedAt.is_null())
        .filter(Column::ExpiresAt.gt(now))
        .exec(db)
        .await?;
    Ok(updated.rows_affected == 1)
}

/// True when there is such a token; one that was revoked before stays as it is.
pub async fn revoke(db: &impl ConnectionTrait, id: Uuid, now: i64) -> Result<bool, DbErr> {
    let change = ActiveModel { revoked_at: Set(Some(now)), ..Default::default() };
    let unrevoked = Entity::update_many().set(change).filter(Column::Id.eq(id)).filter(Column::RevokedAt.is_null());
    if unrevoked.exec(db).await?.rows_affected == 1 {
        return Ok(true);
    }
    Ok(Entity::find_by_id(id).one(db).await?.is_some())
}

/// Kept for a while after its end, so that the list still tells what it was used for.
pub async fn forget_expired(db: &impl ConnectionTrait, before: i64) -> Result<bool, DbErr> {
    super::forget::<Entity, Uuid>(db, Column::Id, Column::ExpiresAt.lte(before)).await
}
