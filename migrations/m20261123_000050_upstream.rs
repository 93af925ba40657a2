use sea_orm_migration::{prelude::*, schema::*};

use super::{belongs_to, hash, index, sealed_null, table};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        let upstream = table(schema, "upstream")
            .col(uuid("id").primary_key())
            .col(string_len("name", 40).unique_key())
            .col(string_len("origin", 16))
            .col(json("settings"))
            .col(sealed_null("sealed_secret"))
            .col(big_integer("created_at"))
            .col(big_integer("updated_at"))
            .col(big_integer_null("disabled_at"))
            .to_owned();
        schema.create_table(upstream).await?;

        // Who somebody is at a provider: by issuer and subject, and by nothing else.
        let link = table(schema, "upstream_link")
            .col(uuid("id").primary_key())
            .col(uuid("user_id"))
            .col(hash("identity").unique_key())
            .col(string_len("upstream", 40))
            .col(string_len("issuer", 2048))
            .col(string_len("subject", 255))
            .col(string_len_null("label", 320))
            .col(big_integer("created_at"))
            .col(big_integer("last_used_at"))
            .foreign_key(&mut belongs_to("upstream_link", "user_id", "user", "id"))
            .to_owned();
        schema.create_table(link).await?;
        index(schema, "upstream_link", "user_id").await?;

        // A way to a provider and back. Nothing secret is in it: nonce and verifier follow from the state.
        let login = table(schema, "upstream_login")
            .col(uuid("id").primary_key())
            .col(hash("state_hash").unique_key())
            .col(hash("browser_hash"))
            .col(string_len("upstream", 40))
            .col(uuid("journey_id"))
            .col(sealed_null("answer"))
            .col(big_integer("created_at"))
            .col(big_integer("expires_at"))
            .foreign_key(&mut belongs_to("upstream_login", "journey_id", "authorization", "id"))
            .to_owned();
        schema.create_table(login).await?;
        index(schema, "upstream_login", "browser_hash").await?;
        index(schema, "upstream_login", "journey_id").await?;
        index(schema, "upstream_login", "expires_at").await?;

        // Somebody whom a provider knows, and who has no account here yet, or has not said which.
        let identity = table(schema, "upstream_identity")
            .col(uuid("id").primary_key())
            .col(uuid("journey_id").unique_key())
            .col(hash("browser_hash"))
            .col(string_len("upstream", 40))
            .col(string_len("issuer", 2048))
            .col(string_len("subject", 255))
            .col(json("profile"))
            .col(big_integer("created_at"))
            .col(big_integer("expires_at"))
            .foreign_key(&mut belongs_to("upstream_identity", "journey_id", "authorization", "id"))
            .to_owned();
        schema.create_table(identity).await?;
        index(schema, "upstream_identity", "expires_at").await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
