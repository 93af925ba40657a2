//! The pages people see.
pub mod assets;
pub mod brand;
pub mod view;
pub mod views;
