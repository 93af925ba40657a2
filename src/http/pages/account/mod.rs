//! `/account`: what people do with their own accounts; and `/`, which leads there.

pub mod announce;
pub mod apps;
pub mod area;
pub mod data;
pub mod email;
pub mod factors;
pub mod home;
pub mod link;
pub mod links;
pub mod onward;
pub mod password;
pub mod profile;
pub mod providers;
pub mod recover;
pub mod register;
pub mod security;
pub mod sessions;
pub mod verify;
