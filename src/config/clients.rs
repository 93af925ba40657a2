//! `[[clients]]`: apps that the operator declares in the file (RFC 7591 §2 has the names). What the values mean to the
//! protocol is checked where registrations are; here they only have to be of the right shape.
use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::{
    issuer::{Origin, origin},
    parse::{Seconds, list, optional, seconds, switch, text, word},
    reader::Reader,
    secret::{Hidden, client_secret},
    setting::{Fallback, Fault, Given, Parsed, section, words},
};

section! {
    /// One declared app.
    pub struct Client at "clients[]." {
        /// The id by which the app names itself: printable ASCII without spaces. Required.
        client_id: String = Fallback::Required, identifier;
        /// The name that people see when they are asked for consent. Required.
        name: String = Fallback::Required, text(200);
        /// What it is: `web` (on a server, keeps a secret), `spa` (in the browser), `native` (on a phone or computer) or
        /// `machine` (no people). Required.
        kind: ClientKind = Fallback::Required, word;
        /// Where people may be sent back to, compared byte by byte. Default: none.
        redirect_uris: Vec<String> = Fallback::Fixed(""), list(text(2048));
        /// Where people may be sent after signing out. Default: none.
        post_logout_redirect_uris: Vec<String> = Fallback::Fixed(""), list(text(2048));
        /// The scopes it may ask for, separated by spaces. Default: those of its kind.
        scope: Option<String> = Fallback::Unset, optional(text(1024));
        /// How it proves itself: `none`, `client_secret_basic`, `client_secret_post` or `private_key_jwt`. Default: that
        /// of its kind.
        token_endpoint_auth_method: Option<String> = Fallback::Unset, optional(text(64));
        /// Its secret, at least 32 random characters. Default: none.
        client_secret: Option<Hidden> = Fallback::Unset, optional(client_secret);
        /// Its public keys, a JWK Set as a table or as JSON text (RFC 7517 §5). Default: none.
        jwks: Option<Value> = Fallback::Unset, optional(jwks);
        /// Where its public keys are. Default: none.
        jwks_uri: Option<String> = Fallback::Unset, optional(text(2048));
        /// The grants it may use. Default: those of its kind.
        grant_types: Option<Vec<String>> = Fallback::Unset, optional(list(text(128)));
        /// The response types it may use. Default: those of its kind.
        response_types: Option<Vec<String>> = Fallback::Unset, optional(list(text(128)));
        /// Its home page. Default: none.
        client_uri: Option<String> = Fallback::Unset, optional(text(2048));
        /// Its logo. Default: none.
        logo_uri: Option<String> = Fallback::Unset, optional(text(2048));
        /// Its privacy policy. Default: none.
        policy_uri: Option<String> = Fallback::Unset, optional(text(2048));
        /// Its terms of service. Default: none.
        tos_uri: Option<String> = Fallback::Unset, optional(text(2048));
        /// The origins whose scripts may call the endpoints (CORS). Default: none.
        allowed_origins: Vec<Origin> = Fallback::Fixed(""), list(origin);
        /// Whether it belongs to whoever runs this server. Default: false.
        first_party: bool = Fallback::Fixed("false"), switch;
        /// Whether it must use PKCE (RFC 7636). Public clients always must. Default: true.
        require_pkce: bool = Fallback::Fixed("true"), switch;
        /// `jwt`, which APIs can check by themselves, or `opaque`, which they must ask about. Default: jwt.
        access_token_format: AccessTokenFormat = Fallback::Fixed("jwt"), word;
        /// Refresh tokens for requests with `offline_access`, or `always`. Default: offline_access.
        refresh_tokens: RefreshTokens = Fallback::Fixed("offline_access"), word;
        /// Whether people are asked: `required`, or `skip`, which is for first-party apps. Default: required.
        consent: Consent = Fallback::Fixed("required"), word;
        /// How long ago people may have signed in, when a request does not say. Default: any time.
        default_max_age: Option<Seconds> = Fallback::Unset, optional(seconds(0, 365 * Seconds::DAY));
        /// Whether ID tokens always say when people signed in. Default: false.
        require_auth_time: bool = Fallback::Fixed("false"), switch;
        /// Whether the claims of the scopes are in the ID token too, not only at the userinfo endpoint. Default: false.
        id_token_claims: bool = Fallback::Fixed("false"), switch;
        /// Further audiences to accept in its assertions (RFC 7523 §3), besides our issuer. Default: none.
        assertion_audiences: Vec<String> = Fallback::Fixed(""), list(text(2048));
    }
}

words! {
    /// What an app is.
    pub enum ClientKind {
        /// On a server, keeps a secret.
        Web = "web",
        /// In the browser.
        Spa = "spa",
        /// On a phone or computer.
        Native = "native",
        /// Acts for itself.
        Machine = "machine",
    }
}

words! {
    /// What an access token looks like.
    pub enum AccessTokenFormat {
        /// A signed token (RFC 9068).
        Jwt = "jwt",
        /// A random string.
        Opaque = "opaque",
    }
}

words! {
    /// When refresh tokens are given.
    pub enum RefreshTokens {
        /// When the request asks for it (OpenID Connect Core 1.0 §11).
        OfflineAccess = "offline_access",
        /// With every authorization code.
        Always = "always",
    }
}

words! {
    /// Whether people are asked.
    pub enum Consent {
        /// Once, and again for more.
        Required = "required",
        /// Never: the app is ours.
        Skip = "skip",
    }
}

impl Client {
    /// What a registration would say (RFC 7591 §2, OpenID Connect Registration 1.0 §2); what is not declared is left out.
    pub fn metadata(&self) -> Value {
        let application_type = if self.kind == ClientKind::Native { "native" } else { "web" };
        let all = [
            ("client_name", json!(self.name)),
            ("application_type", json!(application_type)),
            ("redirect_uris", json!(self.redirect_uris)),
            ("post_logout_redirect_uris", json!(self.post_logout_redirect_uris)),
            ("scope", json!(self.scope)),
            ("token_endpoint_auth_method", json!(self.token_endpoint_auth_method)),
            ("jwks", json!(self.jwks)),
            ("jwks_uri", json!(self.jwks_uri)),
            ("grant_types", json!(self.grant_types)),
            ("response_types", json!(self.response_types)),
            ("client_uri", json!(self.client_uri)),
            ("logo_uri", json!(self.logo_uri)),
            ("policy_uri", json!(self.policy_uri)),
            ("tos_uri", json!(self.tos_uri)),
            ("default_max_age", json!(self.default_max_age.map(Seconds::get))),
            ("require_auth_time", json!(self.require_auth_time)),
        ];
        let given = all.into_iter().filter(|(_, value)| !value.is_null());
        Value::Object(given.map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>())
    }

    /// Reads all of them; each id once.
    pub(super) fn read_all(reader: &mut Reader<'_>) -> Vec<Self> {
        let clients = reader.entries("clients", |reader| {
            let client = Self::read(reader)?;
            client.check(reader);
            Some(client)
        });
        refuse_repeated(reader, "clients", "client_id");
        clients
    }

    fn check(&self, reader: &mut Reader<'_>) {
        if self.consent == Consent::Skip && !self.first_party {
            let key = reader.full("clients[].consent");
            reader.refuse(
                &key,
                "consent can be skipped for first-party apps only",
                "set first_party = true, or remove it",
            );
        }
        if self.jwks.is_some() && self.jwks_uri.is_some() {
            let key = reader.full("clients[].jwks_uri");
            reader.refuse(&key, "jwks is set too (RFC 7591 §2)", "keep one of the two");
        }
    }
}

/// Two entries with one name would overwrite each other.
pub(super) fn refuse_repeated(reader: &mut Reader<'_>, list: &str, name: &str) {
    let mut first: HashMap<String, String> = HashMap::new();
    let mut repeated = Vec::new();
    for entry in &reader.effective {
        let of_list = entry.key.strip_prefix(list).and_then(|rest| rest.strip_prefix('['));
        let is_name = of_list.and_then(|rest| rest.split_once("].")).is_some_and(|(_, rest)| rest == name);
        let Some(value) = entry.value.as_str().filter(|_| is_name) else { continue };
        match first.get(value) {
            Some(source) => repeated.push((entry.key.clone(), source.clone())),
            None => _ = first.insert(value.to_owned(), entry.source.to_string()),
        }
    }
    for (key, source) in repeated {
        reader.refuse(&key, format!("{source} declares the same one"), "declare each once");
    }
}

/// RFC 6749 appendix A.1 allows spaces, which only make trouble.
fn identifier(given: &Given<'_>) -> Parsed<String> {
    let id = text(255)(given)?;
    if id.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(id);
    }
    Err(Fault::new("the id has spaces or characters beyond ASCII", "use letters, digits and - . _ ~"))
}

fn jwks(given: &Given<'_>) -> Parsed<Value> {
    const REMEDY: &str = "give a JWK Set: { keys = [ … ] }, or the same as JSON text";
    let value = match given.value {
        Value::String(text) => serde_json::from_str(text).map_err(|_| Fault::new("the text is not JSON", REMEDY))?,
        other => other.clone(),
    };
    if value.get("keys").is_some_and(Value::is_array) {
        return Ok(value);
    }
    Err(Fault::new("the value is not a JWK Set", REMEDY))
}
