use sea_orm_migration::{prelude::*, schema::*, sea_orm::DatabaseBackend};

use super::{belongs_to, hash, index, table};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        let registration_token = table(schema, "registration_token")
            .col(uuid("id").primary_key())
            .col(hash("hash").unique_key())
            .col(string("name"))
            .col(integer("uses"))
            .col(integer("used"))
            .col(big_integer("created_at"))
            .col(big_integer("expires_at"))
            .col(big_integer_null("revoked_at"))
            .to_owned();
        schema.create_table(registration_token).await?;
        index(schema, "registration_token", "expires_at").await?;

        let client_logo = table(schema, "client_logo")
            .col(string("client_id").primary_key())
            .col(text("uri"))
            .col(string_len_null("media_type", 32))
            .col(picture(schema, "content"))
            .col(string_len_null("version", 16))
            .col(integer("attempts"))
            .col(big_integer_null("next_attempt_at"))
            .foreign_key(&mut belongs_to("client_logo", "client_id", "client", "client_id"))
            .to_owned();
        schema.create_table(client_logo).await?;
        index(schema, "client_logo", "next_attempt_at").await?;
        fetch_known_logos(schema).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

/// Half a megabyte; a plain blob of MySQL ends at 64 KiB.
fn picture(schema: &SchemaManager<'_>, name: &'static str) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    match schema.get_database_backend() {
        DatabaseBackend::MySql => column.custom("mediumblob"),
        _ => column.blob(),
    };
    column.null().to_owned()
}

/// Pages showed logos from where they were; now they must be fetched once.
async fn fetch_known_logos(schema: &SchemaManager<'_>) -> Result<(), DbErr> {
    let db = schema.get_connection();
    let clients = Query::select().columns(["client_id", "metadata"]).from("client").to_owned();
    for client in db.query_all(&clients).await? {
        let metadata: serde_json::Value = client.try_get("", "metadata")?;
        let Some(uri) = metadata["logo_uri"].as_str() else { continue };
        let client_id: String = client.try_get("", "client_id")?;
        let row = Query::insert()
            .into_table("client_logo")
            .columns(["client_id", "uri", "attempts", "next_attempt_at"])
            .values_panic([client_id.into(), uri.into(), 0.into(), 0_i64.into()])
            .to_owned();
        db.execute(&row).await?;
    }
    Ok(())
}
