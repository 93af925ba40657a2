use sea_orm_migration::{prelude::*, schema::*};

use super::{belongs_to, index, table};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        // No key to the session: a new login of the same person makes its row anew.
        let session_client = table(schema, "session_client")
            .col(uuid("session_id"))
            .col(string("client_id"))
            .col(big_integer("since"))
            .primary_key(Index::create().col("session_id").col("client_id"))
            .foreign_key(&mut belongs_to("session_client", "client_id", "client", "client_id"))
            .to_owned();
        schema.create_table(session_client).await?;

        // No key to the session or the person: both may be gone when the client is told.
        let logout_delivery = table(schema, "logout_delivery")
            .col(uuid("id").primary_key())
            .col(string("client_id"))
            .col(uuid("session_id"))
            .col(uuid("user_id"))
            .col(text("uri"))
            .col(string_len("trace_id", 16))
            .col(big_integer("created_at"))
            .col(integer("attempts"))
            .col(big_integer_null("next_at"))
            .col(big_integer_null("told_at"))
            .col(big_integer_null("given_up_at"))
            .col(string_null("last_answer"))
            .foreign_key(&mut belongs_to("logout_delivery", "client_id", "client", "client_id"))
            .to_owned();
        schema.create_table(logout_delivery).await?;
        for column in ["client_id", "session_id", "next_at"] {
            index(schema, "logout_delivery", column).await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
