use sea_orm_migration::{prelude::*, schema::*};

use super::{belongs_to, hash_null, index, table};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        let client = table(schema, "client")
            .col(string("client_id").primary_key())
            .col(string_len("kind", 16))
            .col(json("metadata"))
            .col(json("policy"))
            .col(hash_null("secret_hash"))
            .col(hash_null("old_secret_hash"))
            .col(big_integer_null("old_secret_until"))
            .col(string_len("origin", 16))
            .col(big_integer("created_at"))
            .col(big_integer("updated_at"))
            .col(big_integer_null("disabled_at"))
            .to_owned();
        schema.create_table(client).await?;

        let client_origin = table(schema, "client_origin")
            .col(string("origin"))
            .col(string("client_id"))
            .primary_key(Index::create().col("origin").col("client_id"))
            .foreign_key(&mut belongs_to("client_origin", "client_id", "client", "client_id"))
            .to_owned();
        schema.create_table(client_origin).await?;
        index(schema, "client_origin", "client_id").await?;

        let resource = table(schema, "resource")
            .col(string("identifier").primary_key())
            .col(string_null("name"))
            .col(json("scopes"))
            .col(json("introspection_clients"))
            .col(big_integer("updated_at"))
            .to_owned();
        schema.create_table(resource).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
