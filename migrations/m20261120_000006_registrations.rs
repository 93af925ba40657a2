use sea_orm_migration::{prelude::*, schema::*};

use super::{hash_null, index};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        let mut sealed_secret = ColumnDef::new("sealed_secret");
        sealed_secret.var_binary(1024).null();
        let columns = [
            sealed_secret,
            hash_null("registration_hash"),
            big_integer_null("last_used_at"),
            // Nothing else could be registered before.
            string_len("response_types", 160).default("code").to_owned(),
        ];
        // SQLite adds one column at a time.
        for mut column in columns {
            schema.alter_table(Table::alter().table("client").add_column(&mut column).to_owned()).await?;
        }
        index(schema, "client", "response_types").await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
