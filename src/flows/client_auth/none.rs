//! RFC 6749 §2.1: public clients have nothing to prove; PKCE binds their codes.

use async_trait::async_trait;

use super::{Method, Proof};
use crate::{app::App, protocol::Result, store::client::Client};

pub struct None;

#[async_trait]
impl Method for None {
    fn fits(&self, registered: &str, proof: &Proof<'_>) -> bool {
        // Some libraries send an empty secret for public clients (RFC 6749 §2.3.1 allows its omission).
        let empty = matches!(proof, Proof::Secret { secret, .. } if secret.is_empty());
        registered == "none" && (empty || matches!(proof, Proof::None))
    }

    async fn prove(&self, _: &App, _: &Client, _: &Proof<'_>) -> Result<()> {
        Ok(())
    }
}
