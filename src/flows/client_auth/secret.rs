//! RFC 6749 §2.3.1: `client_secret_basic` and `client_secret_post`.

use async_trait::async_trait;

use super::{Method, Proof, refuse};
use crate::{
    app::App,
    crypto::secret::{self, equal},
    protocol::{Result, trace::Shown},
    store::client::Client,
};

pub struct Secret;

#[async_trait]
impl Method for Secret {
    fn fits(&self, registered: &str, proof: &Proof<'_>) -> bool {
        matches!(
            (registered, proof),
            ("client_secret_basic", Proof::Secret { basic: true, .. })
                | ("client_secret_post", Proof::Secret { basic: false, .. })
        )
    }

    async fn prove(&self, app: &App, client: &Client, proof: &Proof<'_>) -> Result<()> {
        let Proof::Secret { secret, .. } = proof else { return Err(refuse()) };
        let given = secret::Secret::presented(secret).hash();
        if client.secrets(app.now()).any(|known| equal(&known.0, &given.0)) {
            return Ok(());
        }
        Err(refuse().received(Shown::word("a wrong secret")))
    }
}
