use sea_orm_migration::{prelude::*, schema::*};

use super::{belongs_to, hash, index, table};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        add(schema, "user", string_len_null("phone_key", 20)).await?;
        add(schema, "user", string_len_null("bio", 2000)).await?;
        add(schema, "user", integer("token_version").default(0).to_owned()).await?;
        add(schema, "user", big_integer_null("delete_at")).await?;
        add(schema, "user", big_integer_null("unconfirmed_since")).await?;
        unique(schema, "user", "phone_key").await?;
        index(schema, "user", "delete_at").await?;
        index(schema, "user", "unconfirmed_since").await?;
        add(schema, "grants", integer("token_version").default(0).to_owned()).await?;
        add(schema, "session", string_len_null("user_agent", 400)).await?;
        add(schema, "session", string_len_null("address", 45)).await?;
        add(schema, "session", string_len("kind", 10).default("browser").to_owned()).await?;

        let mail_link = table(schema, "mail_link")
            .col(hash("hash").primary_key())
            .col(uuid("user_id"))
            .col(string_len("kind", 20))
            .col(string_len_null("email", 254))
            .col(big_integer("created_at"))
            .col(big_integer("expires_at"))
            .col(big_integer_null("used_at"))
            .foreign_key(&mut belongs_to("mail_link", "user_id", "user", "id"))
            .to_owned();
        schema.create_table(mail_link).await?;
        index(schema, "mail_link", "user_id").await?;
        index(schema, "mail_link", "expires_at").await?;

        let invitation = table(schema, "invitation")
            .col(hash("hash").primary_key())
            .col(string_len_null("email", 254))
            .col(big_integer("created_at"))
            .col(big_integer("expires_at"))
            .col(big_integer_null("used_at"))
            .to_owned();
        schema.create_table(invitation).await?;
        index(schema, "invitation", "expires_at").await?;

        let login_attempt = table(schema, "login_attempt")
            .col(uuid("id").primary_key())
            .col(uuid_null("user_id"))
            .col(big_integer("at"))
            .col(string_len_null("address", 45))
            .col(string_len_null("user_agent", 400))
            .col(string_len("method", 20))
            .col(string_len("result", 20))
            .col(string_len("reason", 80))
            .col(string_len("trace_id", 32))
            .foreign_key(&mut belongs_to("login_attempt", "user_id", "user", "id"))
            .to_owned();
        schema.create_table(login_attempt).await?;
        index(schema, "login_attempt", "user_id").await?;
        index(schema, "login_attempt", "at").await?;

        // Outlives the person, under a pseudonym.
        let security_event = table(schema, "security_event")
            .col(uuid("id").primary_key())
            .col(uuid("subject"))
            .col(big_integer("at"))
            .col(string_len("kind", 40))
            .col(string_len_null("address", 45))
            .col(string_len_null("user_agent", 400))
            .col(string_len_null("client_id", 255))
            .col(string_len("trace_id", 32))
            .to_owned();
        schema.create_table(security_event).await?;
        index(schema, "security_event", "subject").await?;
        index(schema, "security_event", "at").await?;

        let former_user =
            table(schema, "former_user").col(hash("hash").primary_key()).col(big_integer("deleted_at")).to_owned();
        schema.create_table(former_user).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

/// SQLite adds one column at a time.
async fn add(schema: &SchemaManager<'_>, table: &'static str, mut column: ColumnDef) -> Result<(), DbErr> {
    schema.alter_table(Table::alter().table(table).add_column(&mut column).to_owned()).await
}

async fn unique(schema: &SchemaManager<'_>, table: &'static str, column: &'static str) -> Result<(), DbErr> {
    let index = Index::create().name(format!("ux_{table}_{column}")).table(table).col(column).unique().to_owned();
    schema.create_index(index).await
}
