//! What a provider gives for a code: used for the sign-in, and kept, sealed, where the operator wants it.

use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{
    app::{App, reseal::tokens_context},
    store::{Sealed, upstream::Upstream},
};

/// Tokens of a provider. They are not printed.
#[derive(Clone, Default)]
pub struct Tokens(pub(super) Map<String, Value>);

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tokens(…)")
    }
}

/// What fits beside its seal.
const LONGEST_TOKENS: usize = 32_000;
const REFRESH: &str = "refresh_token";

/// The tokens that are kept at that link.
fn opened(app: &App, link: Uuid, sealed: &Sealed) -> Option<Map<String, Value>> {
    let opened = app.master_key.open(&tokens_context(link), &sealed.0).ok()?;
    serde_json::from_slice(&opened).ok()
}

impl Tokens {
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }

    /// As they are kept at that link, where they are.
    /// `before`: what was kept there until now. Some providers give a refresh token (RFC 6749 §6) the first time alone.
    pub(super) fn kept(&self, app: &App, upstream: &Upstream, link: Uuid, before: Option<&Sealed>) -> Option<Sealed> {
        const KEPT: [&str; 6] = ["access_token", "refresh_token", "id_token", "token_type", "expires_in", "scope"];
        if !upstream.settings.keep_tokens || self.0.is_empty() {
            return None;
        }
        let mut kept: Map<String, Value> =
            KEPT.iter().filter_map(|name| Some(((*name).to_owned(), self.0.get(*name)?.clone()))).collect();
        kept.insert("received_at".to_owned(), app.now().into());
        if let Some(refresh) =
            before.filter(|_| !kept.contains_key(REFRESH)).and_then(|old| opened(app, link, old)?.remove(REFRESH))
        {
            kept.insert(REFRESH.to_owned(), refresh);
        }
        let text = Value::Object(kept).to_string();
        if text.len() > LONGEST_TOKENS {
            tracing::warn!(provider = upstream.name, "the tokens are too long to be kept");
            return None;
        }
        Some(Sealed(app.master_key.seal(&tokens_context(link), text.as_bytes(), app.random.bytes())))
    }
}
