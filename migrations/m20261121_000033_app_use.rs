use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        let last_used = Table::alter().table("consent").add_column(big_integer_null("last_used_at")).to_owned();
        schema.alter_table(last_used).await
    }
}
