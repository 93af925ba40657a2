//! What operators do: people, clients, keys, traces. The commands call it; the administration's pages will.

pub mod clients;
pub mod connections;
pub mod import;
pub mod invitations;
pub mod key_life;
pub mod key_status;
pub mod keys;
pub mod logouts;
pub mod mails;
pub mod providers;
pub mod registration_tokens;
pub mod traces;
pub mod users;
