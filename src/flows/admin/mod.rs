//! What operators do: people, clients, keys, traces. The commands call it; the administration's pages will.

pub mod clients;
pub mod keys;
pub mod logouts;
pub mod traces;
pub mod users;
