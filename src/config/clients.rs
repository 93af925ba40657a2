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
        /// How it proves itself: `none`, `client_secret_basic`, `client_secret_post`, `client_secret_jwt` or
        /// `private_key_jwt`. Default: that
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
        /// Whether people need a second factor to get to it. Who has none yet sets one up. Default: false.
        require_second_factor: bool = Fallback::Fixed("false"), switch;
        /// The authentication contexts it would have when a request does not say, the most wanted first: `aal1`, `aal2`.
        /// Default: none.
        default_acr_values: Vec<String> = Fallback::Fixed(""), list(text(64));
        /// The algorithm of its assertions. Default: any that is known here.
        token_endpoint_auth_signing_alg: Option<String> = Fallback::Unset, optional(text(64));
        /// What its ID tokens are signed with: `RS256`, `RS384`, `RS512`, `PS256`, `ES256` or `EdDSA`. Default: RS256.
        id_token_signed_response_alg: Option<String> = Fallback::Unset, optional(text(64));
        /// `RSA-OAEP-256` or `ECDH-ES`: its ID tokens are encrypted for one of its keys. Default: not encrypted.
        id_token_encrypted_response_alg: Option<String> = Fallback::Unset, optional(text(64));
        /// `A128CBC-HS256` or `A256GCM`. Default: A128CBC-HS256.
        id_token_encrypted_response_enc: Option<String> = Fallback::Unset, optional(text(64));
        /// Userinfo as a token signed with this algorithm. Default: plain JSON.
        userinfo_signed_response_alg: Option<String> = Fallback::Unset, optional(text(64));
        /// Userinfo as a token encrypted for one of its keys. Default: not encrypted.
        userinfo_encrypted_response_alg: Option<String> = Fallback::Unset, optional(text(64));
        /// `A128CBC-HS256` or `A256GCM`. Default: A128CBC-HS256.
        userinfo_encrypted_response_enc: Option<String> = Fallback::Unset, optional(text(64));
        /// What introspection answers (RFC 9701) are signed with, when it asks for tokens. Default: RS256.
        introspection_signed_response_alg: Option<String> = Fallback::Unset, optional(text(64));
        /// Introspection answers are encrypted for one of its keys. Default: not encrypted.
        introspection_encrypted_response_alg: Option<String> = Fallback::Unset, optional(text(64));
        /// `A128CBC-HS256` or `A256GCM`. Default: A128CBC-HS256.
        introspection_encrypted_response_enc: Option<String> = Fallback::Unset, optional(text(64));
        /// The only algorithm of its request objects. Default: any that is known here.
        request_object_signing_alg: Option<String> = Fallback::Unset, optional(text(64));
        /// It may encrypt its request objects for us with this algorithm. Default: it may not.
        request_object_encryption_alg: Option<String> = Fallback::Unset, optional(text(64));
        /// `A128CBC-HS256` or `A256GCM`. Default: either.
        request_object_encryption_enc: Option<String> = Fallback::Unset, optional(text(64));
        /// The document that names the redirect URIs which share pairwise subjects. Default: none.
        sector_identifier_uri: Option<String> = Fallback::Unset, optional(text(2048));
        /// `public`, or `pairwise`: what it calls people, no app of another host calls them. Default: public.
        subject_type: Option<String> = Fallback::Unset, optional(text(16));
        /// Where a sign-in can be begun from elsewhere. Default: none.
        initiate_login_uri: Option<String> = Fallback::Unset, optional(text(2048));
        /// The page of it that is loaded in a frame when people sign out here. Default: none.
        frontchannel_logout_uri: Option<String> = Fallback::Unset, optional(text(2048));
        /// Where it is told that people have signed out here. Default: none.
        backchannel_logout_uri: Option<String> = Fallback::Unset, optional(text(2048));
        /// Whether only signed request objects are taken from it (RFC 9101). Default: false.
        require_signed_request_object: bool = Fallback::Fixed("false"), switch;
        /// Where its request objects may be fetched. Default: none.
        request_uris: Vec<String> = Fallback::Fixed(""), list(text(2048));
        /// Whether it needs `sid` in its front-channel logout. Default: false.
        frontchannel_logout_session_required: bool = Fallback::Fixed("false"), switch;
        /// Whether it needs `sid` in its logout tokens. Default: false.
        backchannel_logout_session_required: bool = Fallback::Fixed("false"), switch;
        /// People who may be told about it. Default: none.
        contacts: Vec<String> = Fallback::Fixed(""), list(text(320));
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
        let [(front, front_sid), (back, back_sid)] = [
            (&self.frontchannel_logout_uri, self.frontchannel_logout_session_required),
            (&self.backchannel_logout_uri, self.backchannel_logout_session_required),
        ];
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
            ("token_endpoint_auth_signing_alg", json!(self.token_endpoint_auth_signing_alg)),
            ("id_token_signed_response_alg", json!(self.id_token_signed_response_alg)),
            ("id_token_encrypted_response_alg", json!(self.id_token_encrypted_response_alg)),
            ("id_token_encrypted_response_enc", json!(self.id_token_encrypted_response_enc)),
            ("userinfo_signed_response_alg", json!(self.userinfo_signed_response_alg)),
            ("userinfo_encrypted_response_alg", json!(self.userinfo_encrypted_response_alg)),
            ("userinfo_encrypted_response_enc", json!(self.userinfo_encrypted_response_enc)),
            ("introspection_signed_response_alg", json!(self.introspection_signed_response_alg)),
            ("introspection_encrypted_response_alg", json!(self.introspection_encrypted_response_alg)),
            ("introspection_encrypted_response_enc", json!(self.introspection_encrypted_response_enc)),
            ("request_object_signing_alg", json!(self.request_object_signing_alg)),
            ("request_object_encryption_alg", json!(self.request_object_encryption_alg)),
            ("request_object_encryption_enc", json!(self.request_object_encryption_enc)),
            ("sector_identifier_uri", json!(self.sector_identifier_uri)),
            ("subject_type", json!(self.subject_type)),
            ("initiate_login_uri", json!(self.initiate_login_uri)),
            ("frontchannel_logout_uri", json!(front)),
            ("backchannel_logout_uri", json!(back)),
            ("require_signed_request_object", json!(self.require_signed_request_object.then_some(true))),
            ("request_uris", json!(some(&self.request_uris))),
            ("frontchannel_logout_session_required", json!(front_sid.then_some(true))),
            ("backchannel_logout_session_required", json!(back_sid.then_some(true))),
            ("contacts", json!(some(&self.contacts))),
            ("default_acr_values", json!(some(&self.default_acr_values))),
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

fn some(list: &[String]) -> Option<&[String]> {
    (!list.is_empty()).then_some(list)
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
