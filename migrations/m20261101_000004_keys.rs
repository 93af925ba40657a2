use sea_orm_migration::{prelude::*, schema::*};

use super::{sealed, table};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        let signing_key = table(schema, "signing_key")
            .col(string_len("kid", 64).primary_key())
            .col(string_len("algorithm", 16))
            .col(sealed("private_key"))
            .col(json("public_jwk"))
            .col(big_integer("created_at"))
            // Announced until then, signing from then on.
            .col(big_integer("signs_from"))
            // Retired, but published, from then on.
            .col(big_integer_null("retired_at"))
            // No longer published from then on.
            .col(big_integer_null("removed_at"))
            .to_owned();
        schema.create_table(signing_key).await?;

        let sealed_secret = table(schema, "sealed_secret")
            .col(string_len("name", 64).primary_key())
            .col(sealed("value"))
            .col(big_integer("created_at"))
            .to_owned();
        schema.create_table(sealed_secret).await?;

        let installation =
            table(schema, "installation").col(string_len("name", 64).primary_key()).col(text("value")).to_owned();
        schema.create_table(installation).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
