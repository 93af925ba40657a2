use sea_orm_migration::{prelude::*, schema::*};

use super::{belongs_to, hash, index, table};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        let user = table(schema, "user")
            .col(uuid("id").primary_key())
            .col(string_null("username").unique_key())
            .col(string_null("email").unique_key())
            .col(boolean("email_verified"))
            .col(string_null("phone_number"))
            .col(boolean("phone_number_verified"))
            .col(json("claims"))
            .col(boolean("admin"))
            .col(string_len_null("locale", 35))
            .col(big_integer("created_at"))
            .col(big_integer("updated_at"))
            .col(big_integer_null("disabled_at"))
            .to_owned();
        schema.create_table(user).await?;

        let password = table(schema, "password")
            .col(uuid("user_id").primary_key())
            .col(string_len("phc", 512))
            .col(big_integer("changed_at"))
            .foreign_key(&mut belongs_to("password", "user_id", "user", "id"))
            .to_owned();
        schema.create_table(password).await?;

        let session = table(schema, "session")
            .col(uuid("id").primary_key())
            .col(hash("hash").unique_key())
            .col(uuid("user_id"))
            .col(big_integer("auth_time"))
            .col(big_integer("created_at"))
            .col(big_integer("last_used_at"))
            .col(big_integer("expires_at"))
            .foreign_key(&mut belongs_to("session", "user_id", "user", "id"))
            .to_owned();
        schema.create_table(session).await?;
        index(schema, "session", "user_id").await?;
        index(schema, "session", "expires_at").await?;

        let setup_link = table(schema, "setup_link")
            .col(hash("hash").primary_key())
            .col(big_integer("created_at"))
            .col(big_integer("expires_at"))
            .col(big_integer_null("used_at"))
            .to_owned();
        schema.create_table(setup_link).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
