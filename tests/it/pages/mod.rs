//! The hosted pages: their markup, their texts, their colours.
mod accounts;
mod brand;
mod gallery;
mod markup;
pub mod samples;
mod served;
mod texts;
mod views;
