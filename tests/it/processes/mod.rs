//! The real program, in processes of its own: several at once, killed, stopped and cut off. Each test uses the database
//! of the suite (`SIGNET_TEST_DATABASE`), so that `make test` runs it on SQLite, PostgreSQL and MariaDB.

mod crash;
mod logouts;
mod mails;
mod outage;
mod program;
mod proxy;
mod rotation;
mod shutdown;
mod start;
mod two_nodes;
