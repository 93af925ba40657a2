use sea_orm_migration::{prelude::*, schema::*};

use super::{belongs_to, index, table};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        let history = table(schema, "password_history")
            .col(uuid("id").primary_key())
            .col(uuid("user_id"))
            .col(string_len("phc", 512))
            .col(big_integer("replaced_at"))
            .foreign_key(&mut belongs_to("password_history", "user_id", "user", "id"))
            .to_owned();
        schema.create_table(history).await?;
        index(schema, "password_history", "user_id").await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
