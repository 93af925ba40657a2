use sea_orm_migration::{prelude::*, schema::*};

use super::{index, table};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        // Since then every server has read the key.
        let mut agreed_at = big_integer_null("agreed_at");
        schema.alter_table(Table::alter().table("signing_key").add_column(&mut agreed_at).to_owned()).await?;
        // Before, a key signed at its time without a question.
        let agreed = Query::update().table("signing_key").value("agreed_at", Expr::col("created_at")).to_owned();
        schema.exec_stmt(agreed).await?;

        // The servers that run, each with the keys that it has read.
        let node = table(schema, "node")
            .col(string_len("id", 32).primary_key())
            .col(big_integer("seen_at"))
            .col(text("kids"))
            .to_owned();
        schema.create_table(node).await?;

        // Who fetched the published keys, by a keyed hash of address and user agent, or of the client.
        let key_fetch = table(schema, "key_fetch")
            .col(string_len("caller", 32).primary_key())
            .col(big_integer("fetched_at"))
            // When the newest key was made that was published there and then.
            .col(big_integer("newest_key"))
            .to_owned();
        schema.create_table(key_fetch).await?;
        index(schema, "key_fetch", "fetched_at").await?;

        // Which client was behind such a caller when it got tokens.
        let token_caller = table(schema, "token_caller")
            .col(string_len("client_id", 255))
            .col(string_len("caller", 32))
            .col(big_integer("used_at"))
            .primary_key(Index::create().col("client_id").col("caller"))
            .to_owned();
        schema.create_table(token_caller).await?;
        index(schema, "token_caller", "used_at").await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
