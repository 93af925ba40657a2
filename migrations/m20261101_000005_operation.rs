use sea_orm_migration::{prelude::*, schema::*};

use super::{index, table};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        let trace_event = table(schema, "trace_event")
            .col(big_integer("id").auto_increment().primary_key())
            .col(string_len("trace_id", 16))
            .col(big_integer("at"))
            .col(string_len("kind", 16))
            .col(string_null("client_id"))
            .col(uuid_null("user_id"))
            .col(boolean("refused"))
            .col(text("checks"))
            .to_owned();
        schema.create_table(trace_event).await?;
        index(schema, "trace_event", "trace_id").await?;
        index(schema, "trace_event", "at").await?;

        let lease = table(schema, "lease")
            .col(string_len("name", 64).primary_key())
            .col(string_len("holder", 64))
            .col(big_integer("until"))
            .to_owned();
        schema.create_table(lease).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
