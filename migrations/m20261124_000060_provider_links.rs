use sea_orm_migration::{prelude::*, schema::*};

use super::{belongs_to, hash, hash_null, index, sealed_null, table};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        // The provider's tokens, where they are kept: of who is connected, and of who is not yet.
        for name in ["upstream_link", "upstream_identity"] {
            let mut tokens = ColumnDef::new("sealed_tokens").var_binary(32768).null().to_owned();
            schema.alter_table(Table::alter().table(name).add_column(&mut tokens).to_owned()).await?;
        }

        // A way there begins in a journey, or in a session, to connect an account. Nobody is on one for longer than ten
        // minutes: who is at this moment begins again.
        schema.drop_table(Table::drop().table("upstream_login").to_owned()).await?;
        let login = table(schema, "upstream_login")
            .col(uuid("id").primary_key())
            .col(hash("state_hash").unique_key())
            .col(hash("browser_hash"))
            .col(string_len("upstream", 40))
            .col(uuid_null("journey_id"))
            .col(uuid_null("user_id"))
            .col(uuid_null("session_id"))
            .col(sealed_null("answer"))
            .col(big_integer("created_at"))
            .col(big_integer("expires_at"))
            .foreign_key(&mut belongs_to("upstream_login", "journey_id", "authorization", "id"))
            .foreign_key(&mut belongs_to("upstream_login", "user_id", "user", "id"))
            .foreign_key(&mut belongs_to("upstream_login", "session_id", "session", "id"))
            .to_owned();
        schema.create_table(login).await?;
        for column in ["browser_hash", "journey_id", "user_id", "session_id", "expires_at"] {
            index(schema, "upstream_login", column).await?;
        }

        // Whose word opened a session: first of a journey, then of the session that came of it.
        let session = table(schema, "upstream_session")
            .col(uuid("id").primary_key())
            .col(uuid_null("journey_id").unique_key())
            .col(uuid_null("session_id"))
            .col(string_len("upstream", 40))
            .col(hash("identity"))
            .col(hash_null("sid_hash"))
            .col(sealed_null("hint"))
            .col(big_integer("created_at"))
            .col(big_integer("expires_at"))
            .foreign_key(&mut belongs_to("upstream_session", "journey_id", "authorization", "id"))
            .to_owned();
        schema.create_table(session).await?;
        for column in ["session_id", "identity", "sid_hash", "expires_at"] {
            index(schema, "upstream_session", column).await?;
        }

        // A way to a provider that signs the person out too, and back to where the app wanted.
        let logout = table(schema, "upstream_logout")
            .col(hash("state_hash").primary_key())
            .col(hash("browser_hash"))
            .col(string_len("upstream", 40))
            .col(string_len("onward", 4000))
            .col(big_integer("expires_at"))
            .to_owned();
        schema.create_table(logout).await?;
        index(schema, "upstream_logout", "expires_at").await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
