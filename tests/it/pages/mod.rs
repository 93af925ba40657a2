//! The hosted pages: their markup, their texts, their colours.
mod accounts;
mod brand;
pub mod entry;
mod gallery;
mod markup;
mod own;
pub mod samples;
mod served;
mod texts;
mod views;
