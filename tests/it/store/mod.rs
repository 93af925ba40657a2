//! What the database must keep, and what becomes of everything else when it fails.

mod races;
mod retention;
mod rotation;
mod writer;
