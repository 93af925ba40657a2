//! The hosted pages: their markup, their texts, their colours.
mod accounts;
mod brand;
mod gallery;
mod markup;
mod samples;
mod served;
mod texts;
mod views;
