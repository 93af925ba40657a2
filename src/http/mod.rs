//! How the world reaches us.
pub mod pages;
pub mod text;
