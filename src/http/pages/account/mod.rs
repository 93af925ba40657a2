//! `/account`: what people do with their own accounts; and `/`, which leads there.

pub mod announce;
pub mod area;
pub mod email;
pub mod home;
pub mod links;
pub mod onward;
pub mod password;
pub mod recover;
pub mod register;
pub mod security;
pub mod verify;
