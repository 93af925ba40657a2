//! APIs that take our access tokens, declared in the settings.

use sea_orm::{FromJsonQueryResult, QueryOrder, entity::prelude::*, sea_query::OnConflict};
use serde::{Deserialize, Serialize};

use crate::protocol::{self, Scope};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "resource")]
pub struct Model {
    /// The audience of its tokens.
    #[sea_orm(primary_key, auto_increment = false)]
    pub identifier: String,
    pub name: Option<String>,
    pub scopes: Scopes,
    /// Clients, usually the API itself, that may introspect its tokens.
    pub introspection_clients: Names,
    pub updated_at: i64,
}

/// A scope of an API and what it means, for the consent page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceScope {
    pub name: String,
    #[serde(default)]
    pub description: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Scopes(pub Vec<ResourceScope>);

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Names(pub Vec<String>);

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// What the rules know of it.
    pub fn rules(&self) -> protocol::resource::Resource {
        let names: Vec<_> = self.scopes.0.iter().map(|scope| scope.name.as_str()).collect();
        // Names were checked when the resource was declared.
        let scope: Scope = names.join(" ").parse().unwrap_or_default();
        protocol::resource::Resource { identifier: self.identifier.clone(), scope }
    }
}

pub async fn all(db: &impl ConnectionTrait) -> Result<Vec<Model>, DbErr> {
    Entity::find().order_by_asc(Column::Identifier).all(db).await
}

pub async fn put(db: &impl ConnectionTrait, resource: Model) -> Result<(), DbErr> {
    let columns = [Column::Name, Column::Scopes, Column::IntrospectionClients, Column::UpdatedAt];
    let replace = OnConflict::column(Column::Identifier).update_columns(columns).to_owned();
    Entity::insert(ActiveModel::from(resource)).on_conflict(replace).exec_without_returning(db).await.map(drop)
}

/// Those that the settings no longer name.
pub async fn delete_others(db: &impl ConnectionTrait, kept: &[String]) -> Result<(), DbErr> {
    let mut gone = Entity::delete_many();
    if !kept.is_empty() {
        gone = gone.filter(Column::Identifier.is_not_in(kept));
    }
    gone.exec(db).await.map(drop)
}
