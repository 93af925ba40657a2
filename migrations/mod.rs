//! The schema, oldest first. A migration that has shipped is never edited. One list serves
//! SQLite, PostgreSQL and MySQL/MariaDB.

use sea_orm_migration::{prelude::*, schema::*};

mod m20261101_000001_people;
mod m20261101_000002_clients;
mod m20261101_000003_grants;
mod m20261101_000004_keys;
mod m20261101_000005_operation;
mod m20261120_000006_registrations;
mod m20261120_000007_logout;
mod m20261120_000009_keys;
mod m20261120_000008_registration;
mod m20261121_000010_mail;
mod m20261121_000020_password_history;
mod m20261121_000030_accounts;
mod m20261121_000033_app_use;
mod m20261122_000040_factors;
mod m20261123_000050_upstream;
mod m20261124_000060_provider_links;

pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261101_000001_people::Migration),
            Box::new(m20261101_000002_clients::Migration),
            Box::new(m20261101_000003_grants::Migration),
            Box::new(m20261101_000004_keys::Migration),
            Box::new(m20261101_000005_operation::Migration),
            Box::new(m20261120_000006_registrations::Migration),
            Box::new(m20261120_000007_logout::Migration),
            Box::new(m20261120_000008_registration::Migration),
            Box::new(m20261120_000009_keys::Migration),
            Box::new(m20261121_000010_mail::Migration),
            Box::new(m20261121_000020_password_history::Migration),
            Box::new(m20261121_000030_accounts::Migration),
            Box::new(m20261121_000033_app_use::Migration),
            Box::new(m20261122_000040_factors::Migration),
            Box::new(m20261123_000050_upstream::Migration),
            Box::new(m20261124_000060_provider_links::Migration),
        ]
    }
}

/// A table whose names and tokens compare byte by byte; MySQL folds case unless told not to,
/// and the other databases refuse the clause.
fn table(schema: &SchemaManager, name: &'static str) -> TableCreateStatement {
    let mut table = Table::create();
    table.table(name);
    if schema.get_database_backend() == sea_orm::DatabaseBackend::MySql {
        table.collate("utf8mb4_bin");
    }
    table
}

/// A SHA-256: bytes, so that it compares as bytes.
fn hash(name: &'static str) -> ColumnDef {
    binary_len(name, 32)
}

fn hash_null(name: &'static str) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    column.binary_len(32).null();
    column
}

/// Sealed values: the text of a private key fits.
fn sealed(name: &'static str) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    column.var_binary(8192).not_null();
    column
}

fn sealed_null(name: &'static str) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    column.var_binary(8192).null();
    column
}

/// Rows that go when their owner goes.
fn belongs_to(
    table: &'static str,
    column: &'static str,
    owner: &'static str,
    key: &'static str,
) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .name(format!("fk_{table}_{column}"))
        .from(table, column)
        .to(owner, key)
        .on_delete(ForeignKeyAction::Cascade)
        .to_owned()
}

async fn index(schema: &SchemaManager<'_>, table: &'static str, column: &'static str) -> Result<(), DbErr> {
    let index = Index::create().name(format!("ix_{table}_{column}")).table(table).col(column).to_owned();
    schema.create_index(index).await
}
