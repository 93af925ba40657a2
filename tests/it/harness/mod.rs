//! What the tests stand on: a server for each test, a browser for the person, a relying party for the application.
//! Only `server` and `seed` know the inside of the server; everything else sees what the world sees.
pub mod assert;
pub mod authenticator;
pub mod authority;
pub mod browser;
pub mod built;
pub mod cookies;
pub mod documents;
pub mod doubles;
pub mod fixtures;
pub mod front;
pub mod html;
pub mod http;
pub mod jose;
pub mod jwt;
mod own;
pub mod phone;
pub mod process;
pub mod receiver;
pub mod relying_party;
pub mod seed;
pub mod server;
pub mod sink;
pub mod smtp;
pub mod tokens;
pub mod upstream;

pub use browser::{Browser, Mode};
pub use fixtures::{Fixtures, fixtures};
pub use http::{Answer, Call, Parameters};
pub use receiver::{Mood, Receiver};
pub use relying_party::{Asked, Proof, RelyingParty, Userinfo};
pub use server::TestServer;
pub use sink::Sink;
pub use tokens::Tokens;
