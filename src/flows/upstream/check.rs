//! Whether a provider would let people in: what it says of itself, its keys, and whether it knows us. Nobody signs in by
//! it.

use serde_json::Value;

use super::{AuthMethod, callback_url, exchange, kind_of, metadata, verifier};
use crate::{
    app::{App, outbound::Replied},
    protocol::{Error, rule, upstream::metadata::Metadata},
    store::upstream::Upstream,
};

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// `enabled`, `metadata`, `keys`, `client`.
    pub what: &'static str,
    pub is_well: bool,
    pub says: String,
    /// What to do, where it is not well.
    pub remedy: Option<String>,
}

impl Finding {
    fn well(what: &'static str, says: impl Into<String>) -> Self {
        Finding { what, is_well: true, says: says.into(), remedy: None }
    }

    fn ill(what: &'static str, says: impl Into<String>, remedy: impl Into<String>) -> Self {
        Finding { what, is_well: false, says: says.into(), remedy: Some(remedy.into()) }
    }

    fn of(what: &'static str, error: &Error) -> Self {
        let detail = error.detail.as_ref();
        let shown = [
            ("expected", detail.and_then(|of| of.expected.as_ref())),
            ("got", detail.and_then(|of| of.received.as_ref())),
        ];
        let shown: Vec<_> =
            shown.into_iter().filter_map(|(word, shown)| Some(format!("{word} {}", shown?.as_str()))).collect();
        let says = if shown.is_empty() {
            error.description.to_string()
        } else {
            format!("{} ({})", error.description, shown.join(", "))
        };
        Finding::ill(what, says, detail.map_or(rule::OWN_FAULT.remedy, |of| of.rule.remedy))
    }
}

/// Everything that can be seen from here.
pub async fn check(app: &App, upstream: &Upstream) -> Vec<Finding> {
    let mut found = Vec::new();
    if !upstream.is_enabled() {
        found.push(Finding::ill(
            "enabled",
            "the provider is disabled",
            format!("signet providers enable {}", upstream.name),
        ));
    }
    let asked = async {
        let kind = kind_of(upstream)?;
        // What it said within the last hour may be another now.
        match upstream.settings.proves_issuer() {
            true => metadata::afresh(app, &kind.issuer_of(upstream)).await,
            false => kind.metadata(app, upstream).await,
        }
    };
    let metadata = match asked.await {
        Ok(metadata) => metadata,
        Err(error) => {
            found.push(Finding::of("metadata", &error));
            return found;
        }
    };
    found.push(Finding::well("metadata", format!("it is {}", metadata.issuer)));
    if let Some(uri) = &metadata.jwks_uri {
        found.push(match metadata::count_keys(app, uri).await {
            Ok(count) => Finding::well("keys", format!("{count} of its keys can be used")),
            Err(error) => Finding::of("keys", &error),
        });
    }
    found.push(client(app, upstream, &metadata).await);
    found
}

/// RFC 6749 §5.2: who presents a code that never was is told that the code is wrong; who is not known is told that first.
async fn client(app: &App, upstream: &Upstream, metadata: &Metadata) -> Finding {
    const WHAT: &str = "client";
    let (code, state) = (app.secret(), app.secret());
    let verifier = verifier(app, state.reveal());
    let replied = exchange::present(app, upstream, metadata, code.reveal(), verifier.reveal()).await;
    let Replied { status, json, .. } = match replied {
        Ok(replied) => replied,
        Err(error) => return Finding::of(WHAT, &error),
    };
    let proves = upstream
        .settings
        .token_endpoint_auth_method
        .unwrap_or_else(|| kind_of(upstream).map_or(AuthMethod::ClientSecretBasic, super::Provider::auth_method));
    let by = match proves {
        AuthMethod::ClientSecretBasic => "client_secret_basic",
        AuthMethod::ClientSecretPost => "client_secret_post",
        AuthMethod::None => "none",
    };
    match json.get("error").and_then(Value::as_str).unwrap_or_default() {
        // GitHub has words of its own.
        "invalid_grant" | "bad_verification_code" => Finding::well(WHAT, "it knows this server"),
        "invalid_client" | "unauthorized_client" | "incorrect_client_credentials" => Finding::ill(
            WHAT,
            format!("it does not take client_id and client_secret by {by}"),
            "compare both with what the provider shows for this app, and token_endpoint_auth_method with what it asks for",
        ),
        "redirect_uri_mismatch" => Finding::ill(
            WHAT,
            "it does not know our redirect URI",
            format!("register {} with the provider, to the letter", callback_url(app, &upstream.name)),
        ),
        // Some say 401 without a word for it.
        _ if status == 401 => Finding::ill(
            WHAT,
            format!("it does not take client_id and client_secret by {by}"),
            "compare both with what the provider shows for this app, and token_endpoint_auth_method with what it asks for",
        ),
        // GitHub says 404 to whom it does not know.
        _ if [404, 405].contains(&status) => Finding::ill(
            WHAT,
            format!("nothing takes codes at its token endpoint, which answers with status {status}"),
            "compare token_endpoint (of github: issuer) and client_id with what the provider shows for this app",
        ),
        _ if (400..500).contains(&status) => {
            Finding::well(WHAT, format!("it answers with status {status}; whether it knows this server does not show"))
        }
        _ => Finding::ill(
            WHAT,
            format!("its token endpoint answers with status {status}"),
            rule::UPSTREAM_REACHED.remedy,
        ),
    }
}
