use sea_orm_migration::{prelude::*, schema::*};

use super::{belongs_to, hash, hash_null, index, table};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        journeys(schema).await?;
        grants(schema).await?;
        tokens(schema).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

async fn journeys(schema: &SchemaManager<'_>) -> Result<(), DbErr> {
    let authorization = table(schema, "authorization")
        .col(uuid("id").primary_key())
        .col(hash_null("browser_hash"))
        .col(string_len("trace_id", 16))
        .col(string("client_id"))
        .col(text("params"))
        .col(uuid_null("session_id"))
        .col(boolean("signed_in_here"))
        .col(boolean("chosen_here"))
        .col(boolean("consented"))
        .col(big_integer("created_at"))
        .col(big_integer("expires_at"))
        .col(big_integer_null("finished_at"))
        .foreign_key(&mut belongs_to("authorization", "client_id", "client", "client_id"))
        .to_owned();
    schema.create_table(authorization).await?;
    index(schema, "authorization", "expires_at").await?;

    let consent = table(schema, "consent")
        .col(uuid("user_id"))
        .col(string("client_id"))
        .col(text("scope"))
        .col(json("claims"))
        .col(big_integer("granted_at"))
        .primary_key(Index::create().col("user_id").col("client_id"))
        .foreign_key(&mut belongs_to("consent", "user_id", "user", "id"))
        .foreign_key(&mut belongs_to("consent", "client_id", "client", "client_id"))
        .to_owned();
    schema.create_table(consent).await
}

/// One row from code to tokens to refresh: the family of tokens that one authorization is worth.
async fn grants(schema: &SchemaManager<'_>) -> Result<(), DbErr> {
    let grants = table(schema, "grants")
        .col(uuid("id").primary_key())
        .col(hash_null("code_hash").unique_key())
        .col(string("client_id"))
        .col(uuid("user_id"))
        .col(uuid_null("session_id"))
        .col(text("scope"))
        .col(string_null("resource"))
        .col(text("redirect_uri"))
        .col(string_len_null("challenge", 128))
        .col(text_null("nonce"))
        .col(json("claims"))
        .col(big_integer("auth_time"))
        .col(string_len("trace_id", 16))
        .col(big_integer("created_at"))
        .col(big_integer("code_expires_at"))
        .col(big_integer_null("redeemed_at"))
        .col(boolean("refreshable"))
        .col(boolean("offline"))
        .col(integer("generation"))
        .col(big_integer("rotated_at"))
        .col(big_integer("expires_at"))
        .col(big_integer_null("revoked_at"))
        .foreign_key(&mut belongs_to("grants", "client_id", "client", "client_id"))
        .foreign_key(&mut belongs_to("grants", "user_id", "user", "id"))
        .to_owned();
    schema.create_table(grants).await?;
    index(schema, "grants", "user_id").await?;
    index(schema, "grants", "session_id").await?;
    index(schema, "grants", "expires_at").await
}

async fn tokens(schema: &SchemaManager<'_>) -> Result<(), DbErr> {
    let access_token = table(schema, "access_token")
        .col(hash("hash").primary_key())
        .col(uuid_null("grant_id"))
        .col(string("client_id"))
        .col(string("sub"))
        .col(string("audience"))
        .col(text("scope"))
        .col(big_integer("issued_at"))
        .col(big_integer("expires_at"))
        .foreign_key(&mut belongs_to("access_token", "grant_id", "grants", "id"))
        .foreign_key(&mut belongs_to("access_token", "client_id", "client", "client_id"))
        .to_owned();
    schema.create_table(access_token).await?;
    index(schema, "access_token", "expires_at").await?;

    let revoked_token =
        table(schema, "revoked_token").col(string("jti").primary_key()).col(big_integer("expires_at")).to_owned();
    schema.create_table(revoked_token).await?;
    index(schema, "revoked_token", "expires_at").await?;

    let assertion =
        table(schema, "assertion").col(hash("hash").primary_key()).col(big_integer("expires_at")).to_owned();
    schema.create_table(assertion).await?;
    index(schema, "assertion", "expires_at").await
}
