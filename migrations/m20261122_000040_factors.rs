use sea_orm_migration::{prelude::*, schema::*};

use super::{belongs_to, hash, hash_null, index, sealed, table};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        // By what means somebody has signed in; before there were others, it was the password.
        for name in ["session", "grants"] {
            let mut methods = string_len("methods", 80).default("pwd").to_owned();
            schema.alter_table(Table::alter().table(name).add_column(&mut methods).to_owned()).await?;
        }

        // Of a link that works only where it was asked for: where, and whether its person has signed in there before.
        let mut place = hash_null("place");
        schema.alter_table(Table::alter().table("mail_link").add_column(&mut place).to_owned()).await?;
        let mut known = boolean("known").default(false).to_owned();
        schema.alter_table(Table::alter().table("mail_link").add_column(&mut known).to_owned()).await?;

        let totp = table(schema, "totp")
            .col(uuid("user_id").primary_key())
            .col(sealed("secret"))
            // Until it is confirmed it is shown nowhere else.
            .col(hash("place"))
            // Of the newest code that was taken; it and older ones are worth nothing.
            .col(big_integer("last_step"))
            .col(big_integer("created_at"))
            .col(big_integer_null("confirmed_at"))
            .foreign_key(&mut belongs_to("totp", "user_id", "user", "id"))
            .to_owned();
        schema.create_table(totp).await?;

        let recovery_code = table(schema, "recovery_code")
            .col(hash("hash").primary_key())
            .col(uuid("user_id"))
            .col(big_integer("created_at"))
            .col(big_integer_null("used_at"))
            .foreign_key(&mut belongs_to("recovery_code", "user_id", "user", "id"))
            .to_owned();
        schema.create_table(recovery_code).await?;
        index(schema, "recovery_code", "user_id").await?;

        let passkey = table(schema, "passkey")
            .col(uuid("id").primary_key())
            .col(uuid("user_id"))
            .col(hash("credential").unique_key())
            .col(text("record"))
            .col(string_len("name", 100))
            .col(boolean("synced"))
            .col(big_integer("created_at"))
            .col(big_integer_null("last_used_at"))
            .foreign_key(&mut belongs_to("passkey", "user_id", "user", "id"))
            .to_owned();
        schema.create_table(passkey).await?;
        index(schema, "passkey", "user_id").await?;

        // A sign-in of which one step is done, or a passkey's challenge before anybody is known.
        let sign_in = table(schema, "sign_in")
            .col(uuid("id").primary_key())
            .col(hash_null("ticket_hash").unique_key())
            .col(uuid_null("journey_id").unique_key())
            .col(hash("browser_hash"))
            .col(uuid_null("user_id"))
            .col(string_len("methods", 80))
            .col(integer("token_version"))
            .col(big_integer_null("password_changed_at"))
            .col(integer("tries"))
            .col(text_null("challenge"))
            .col(hash_null("code_hash"))
            .col(big_integer_null("code_expires_at"))
            .col(big_integer("created_at"))
            .col(big_integer("expires_at"))
            .foreign_key(&mut belongs_to("sign_in", "journey_id", "authorization", "id"))
            .foreign_key(&mut belongs_to("sign_in", "user_id", "user", "id"))
            .to_owned();
        schema.create_table(sign_in).await?;
        index(schema, "sign_in", "user_id").await?;
        index(schema, "sign_in", "expires_at").await?;

        let trusted_device = table(schema, "trusted_device")
            .col(hash("hash").primary_key())
            .col(uuid("id").unique_key())
            .col(uuid("user_id"))
            .col(string_len_null("user_agent", 400))
            .col(string_len_null("address", 45))
            .col(big_integer("created_at"))
            .col(big_integer("last_used_at"))
            .col(big_integer("expires_at"))
            .foreign_key(&mut belongs_to("trusted_device", "user_id", "user", "id"))
            .to_owned();
        schema.create_table(trusted_device).await?;
        index(schema, "trusted_device", "user_id").await?;
        index(schema, "trusted_device", "expires_at").await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
