//! What the API answers when all is well. Nothing of it is kept by anybody in between.

use poem_openapi::{ApiResponse, payload::Json, types::ToJSON};

/// An answer with a body.
#[derive(ApiResponse)]
pub enum Answer<T: ToJSON + Send + Sync> {
    /// Done.
    #[oai(status = 200)]
    Ok(Json<T>, #[oai(header = "Cache-Control")] String),
}

/// Something is there that was not.
#[derive(ApiResponse)]
pub enum Created<T: ToJSON + Send + Sync> {
    /// It is made.
    #[oai(status = 201)]
    Ok(Json<T>, #[oai(header = "Cache-Control")] String),
}

/// What is to be done goes on after the answer.
#[derive(ApiResponse)]
pub enum Accepted<T: ToJSON + Send + Sync> {
    /// Understood, and done as soon as can be, if there is anything to do.
    #[oai(status = 202)]
    Ok(Json<T>, #[oai(header = "Cache-Control")] String),
}

/// There is nothing to say.
#[derive(ApiResponse)]
pub enum Done {
    /// Done.
    #[oai(status = 204)]
    Ok(#[oai(header = "Cache-Control")] String),
}

impl<T: ToJSON + Send + Sync> From<T> for Answer<T> {
    fn from(value: T) -> Self {
        Answer::Ok(Json(value), no_store())
    }
}

impl<T: ToJSON + Send + Sync> From<T> for Created<T> {
    fn from(value: T) -> Self {
        Created::Ok(Json(value), no_store())
    }
}

impl<T: ToJSON + Send + Sync> From<T> for Accepted<T> {
    fn from(value: T) -> Self {
        Accepted::Ok(Json(value), no_store())
    }
}

impl From<()> for Done {
    fn from((): ()) -> Self {
        Done::Ok(no_store())
    }
}

fn no_store() -> String {
    "no-store".to_owned()
}
