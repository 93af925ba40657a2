use sea_orm_migration::{prelude::*, schema::*};

use super::{belongs_to, index, table};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        let mut content = ColumnDef::new("content");
        content.var_binary(8192).null();
        let mail = table(schema, "mail")
            .col(uuid("id").primary_key())
            .col(string("recipient"))
            .col(string_len("letter", 32))
            .col(string_len_null("locale", 35))
            // Links are in it: sealed, and none once the mail was handed over.
            .col(content)
            .col(uuid_null("user_id"))
            .col(big_integer("created_at"))
            .col(integer("attempts"))
            .col(big_integer_null("next_at"))
            .col(big_integer_null("sent_at"))
            .col(big_integer_null("kept_at"))
            .col(big_integer_null("dead_at"))
            .col(string_null("last_answer"))
            .foreign_key(&mut belongs_to("mail", "user_id", "user", "id"))
            .to_owned();
        schema.create_table(mail).await?;
        for column in ["user_id", "next_at"] {
            index(schema, "mail", column).await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
