//! RFC 7591 §2, OpenID Connect Registration §2, and the logout specifications: what a registration may say. The same rules
//! for operators, for the settings and for clients that register themselves.

use url::Url;

use super::{
    client_metadata::{
        ASSERTION_ALGORITHMS, AUTH_METHODS, ClientMetadata, ClientPolicy, RESPONSE_TYPES, SECRET_ALGORITHM,
        SIGNING_ALGORITHMS, response_type, web_host,
    },
    redirect_uri, text,
};

/// What is wrong with a member: `(name, why)`.
pub type Problem = (&'static str, String);

const GRANTS: [&str; 5] = ["authorization_code", "implicit", "refresh_token", "client_credentials", "password"];
/// Algorithms by which the keys of encrypted tokens travel (RFC 7518 §4.1).
pub const ENCRYPTION_ALGORITHMS: [&str; 2] = ["RSA-OAEP-256", "ECDH-ES"];
/// Algorithms by which their content is encrypted (RFC 7518 §5.1); the first is the default of OpenID Connect
/// Registration §2.
pub const ENCRYPTION_ENCODINGS: [&str; 2] = ["A128CBC-HS256", "A256GCM"];
/// Of one list, whatever is in it.
const MOST_ENTRIES: usize = 50;
const LONGEST_ENTRY: usize = 2048;
/// PostgreSQL keeps none, and nobody means one.
const HAS_NUL: &str = "has a NUL character";
const LONGEST_WORD: usize = 200;
/// Room for two dozen RSA keys with certificates left out.
const LONGEST_JWKS: usize = 32 * 1024;

/// Everything that is wrong with a registration, so that it is mended in one go.
pub fn problems(client: &ClientMetadata, policy: &ClientPolicy) -> Vec<Problem> {
    let mut found = Found(Vec::new());
    redirects(client, &mut found);
    grants(client, policy, &mut found);
    keys(client, &mut found);
    algorithms(client, &mut found);
    subjects(client, &mut found);
    logouts(client, &mut found);
    links(client, &mut found);
    for origin in &policy.allowed_origins {
        if redirect_uri::origin(origin).as_deref() != Some(origin) {
            found.add("allowed_origins", format!("{origin} is not an origin such as https://app.example.com"));
        }
    }
    if policy.skip_consent && !policy.first_party {
        found.add("consent", "only first-party clients may skip consent");
    }
    found.0
}

struct Found(Vec<Problem>);

impl Found {
    fn add(&mut self, name: &'static str, why: impl Into<String>) {
        self.0.push((name, why.into()));
    }

    fn one_of(&mut self, name: &'static str, value: Option<&String>, known: &[&str]) {
        if let Some(value) = value.filter(|value| !known.contains(&value.as_str())) {
            self.add(name, format!("{value} is not one of {}", known.join(", ")));
        }
    }
}

fn redirects(client: &ClientMetadata, found: &mut Found) {
    let lists =
        [("redirect_uris", &client.redirect_uris), ("post_logout_redirect_uris", &client.post_logout_redirect_uris)];
    for (name, uris) in lists {
        for problem in uris.iter().filter_map(|uri| redirect_uri::check(uri, client.is_native()).err()) {
            found.add(name, problem);
        }
    }
    let has = |grant: &str| client.grant_types.iter().any(|known| known == grant);
    if (has("authorization_code") || has("implicit")) && client.redirect_uris.is_empty() {
        found.add("redirect_uris", "a client of the authorization code flow needs at least one");
    }
    // OpenID Connect Core §3.2.2.1: tokens that travel through the browser travel to https only.
    let plain = |uri: &&String| uri.starts_with("http://") && !client.is_native();
    let through_browser = client.response_types.iter().any(|kind| kind != "code");
    if let Some(uri) = client.redirect_uris.iter().find(plain).filter(|_| through_browser)
        && !Url::parse(uri).is_ok_and(|url| redirect_uri::is_loopback(&url))
    {
        found.add("redirect_uris", format!("{uri} must be https for the response types of this client"));
    }
}

fn grants(client: &ClientMetadata, policy: &ClientPolicy, found: &mut Found) {
    let has = |grant: &str| client.grant_types.iter().any(|known| known == grant);
    for grant in &client.grant_types {
        found.one_of("grant_types", Some(grant), &GRANTS);
    }
    if has("client_credentials") && client.is_public() {
        found.add("grant_types", "client_credentials needs a client that authenticates");
    }
    if has("password") && !policy.first_party {
        found.add("grant_types", "the password grant is for first-party clients only");
    }
    found.one_of("token_endpoint_auth_method", Some(&client.token_endpoint_auth_method), &AUTH_METHODS);
    found.one_of("application_type", Some(&client.application_type), &["web", "native"]);
    for kind in &client.response_types {
        match response_type(kind) {
            None => found.add("response_types", format!("{kind} is not one of {}", RESPONSE_TYPES.join(", "))),
            Some(kind) => response_type_fits(kind, &has, found),
        }
    }
}

/// RFC 7591 §2.1: which grants a response type needs.
fn response_type_fits(kind: &str, has: &dyn Fn(&str) -> bool, found: &mut Found) {
    let by_code = kind.split(' ').any(|word| word == "code");
    if by_code && !has("authorization_code") {
        found.add("response_types", format!("{kind} needs the grant type authorization_code"));
    }
    if kind != "code" && !has("implicit") {
        found.add("response_types", format!("{kind} needs the grant type implicit"));
    }
}

fn keys(client: &ClientMetadata, found: &mut Found) {
    let method = client.token_endpoint_auth_method.as_str();
    let has_keys = client.jwks.is_some() || client.jwks_uri.is_some();
    if client.jwks.is_some() && client.jwks_uri.is_some() {
        found.add("jwks", "give jwks or jwks_uri, not both");
    }
    let encrypted = [
        ("id_token_encrypted_response_alg", &client.id_token_encrypted_response_alg),
        ("userinfo_encrypted_response_alg", &client.userinfo_encrypted_response_alg),
        ("introspection_encrypted_response_alg", &client.introspection_encrypted_response_alg),
    ];
    if !has_keys && method == "private_key_jwt" {
        found.add("jwks", "private_key_jwt needs jwks or jwks_uri");
    } else if !has_keys && let Some((name, _)) = encrypted.iter().find(|(_, algorithm)| algorithm.is_some()) {
        found.add("jwks", format!("{name} needs jwks or jwks_uri with a key to encrypt for"));
    } else if !has_keys && (client.require_signed_request_object || client.request_object_signing_alg.is_some()) {
        found.add("jwks", "signed request objects need jwks or jwks_uri");
    }
    let assertions: &[&str] = if method == "client_secret_jwt" { &[SECRET_ALGORITHM] } else { &ASSERTION_ALGORITHMS };
    found.one_of("token_endpoint_auth_signing_alg", client.token_endpoint_auth_signing_alg.as_ref(), assertions);
}

fn algorithms(client: &ClientMetadata, found: &mut Found) {
    found.one_of("id_token_signed_response_alg", Some(&client.id_token_signed_response_alg), &SIGNING_ALGORITHMS);
    let signed = [
        ("userinfo_signed_response_alg", &client.userinfo_signed_response_alg),
        ("introspection_signed_response_alg", &client.introspection_signed_response_alg),
    ];
    for (name, algorithm) in signed {
        found.one_of(name, algorithm.as_ref(), &SIGNING_ALGORITHMS);
    }
    let own = client.request_object_signing_alg.as_ref();
    found.one_of("request_object_signing_alg", own, &ASSERTION_ALGORITHMS);
    let pairs = [
        (
            ("id_token_encrypted_response_alg", &client.id_token_encrypted_response_alg),
            ("id_token_encrypted_response_enc", &client.id_token_encrypted_response_enc),
        ),
        (
            ("userinfo_encrypted_response_alg", &client.userinfo_encrypted_response_alg),
            ("userinfo_encrypted_response_enc", &client.userinfo_encrypted_response_enc),
        ),
        (
            ("introspection_encrypted_response_alg", &client.introspection_encrypted_response_alg),
            ("introspection_encrypted_response_enc", &client.introspection_encrypted_response_enc),
        ),
        (
            ("request_object_encryption_alg", &client.request_object_encryption_alg),
            ("request_object_encryption_enc", &client.request_object_encryption_enc),
        ),
    ];
    for ((algorithm, alg), (encoding, enc)) in pairs {
        found.one_of(algorithm, alg.as_ref(), &ENCRYPTION_ALGORITHMS);
        found.one_of(encoding, enc.as_ref(), &ENCRYPTION_ENCODINGS);
        if alg.is_none() && enc.is_some() {
            found.add(encoding, format!("needs {algorithm} too"));
        }
    }
    if client.default_max_age.is_some_and(|age| age < 0) {
        found.add("default_max_age", "must be a whole number of seconds");
    }
}

/// OpenID Connect Core §8.1; that the document of a sector names the redirect URIs is checked where it is fetched.
fn subjects(client: &ClientMetadata, found: &mut Found) {
    found.one_of("subject_type", Some(&client.subject_type), &["public", "pairwise"]);
    let mut hosts: Vec<Option<String>> = client.redirect_uris.iter().map(|uri| web_host(uri)).collect();
    hosts.sort_unstable();
    hosts.dedup();
    if client.is_pairwise() && client.sector_identifier_uri.is_none() && (hosts.len() != 1 || hosts[0].is_none()) {
        let why = "pairwise subjects for redirect URIs of several hosts, or of none, need a sector_identifier_uri";
        found.add("sector_identifier_uri", why);
    }
}

/// OpenID Connect Front-Channel Logout §2, Back-Channel Logout §2.2.
fn logouts(client: &ClientMetadata, found: &mut Found) {
    if let Some(uri) = &client.frontchannel_logout_uri {
        let origins: Vec<_> = client.redirect_uris.iter().filter_map(|uri| redirect_uri::origin(uri)).collect();
        let shared = redirect_uri::origin(uri).is_some_and(|origin| origins.contains(&origin));
        if uri.contains('#') || !shared {
            let why = format!("{uri} must have scheme, host and port of one of the redirect URIs, and no fragment");
            found.add("frontchannel_logout_uri", why);
        }
    }
    if let Some(uri) = client.backchannel_logout_uri.as_ref().filter(|uri| uri.contains('#')) {
        found.add("backchannel_logout_uri", format!("{uri} has a fragment; it must have none"));
    }
}

/// Shown as links and images, or fetched by us: https only, or the machine itself while developing.
fn links(client: &ClientMetadata, found: &mut Found) {
    let links = [
        ("client_uri", &client.client_uri),
        ("logo_uri", &client.logo_uri),
        ("policy_uri", &client.policy_uri),
        ("tos_uri", &client.tos_uri),
        ("jwks_uri", &client.jwks_uri),
        ("initiate_login_uri", &client.initiate_login_uri),
        ("sector_identifier_uri", &client.sector_identifier_uri),
        ("frontchannel_logout_uri", &client.frontchannel_logout_uri),
        ("backchannel_logout_uri", &client.backchannel_logout_uri),
    ];
    for (name, link) in links {
        if let Some(problem) = link.as_ref().and_then(|link| unsound(link)) {
            found.add(name, problem);
        }
    }
    for problem in client.request_uris.iter().filter_map(|uri| unsound(uri)) {
        found.add("request_uris", problem);
    }
    lengths(client, found);
    let name = client.client_name.as_deref().unwrap_or_default();
    if name.chars().count() > 100 || !text::is_visible(name) {
        found.add("client_name", "must be at most 100 visible characters");
    }
}

/// What is kept and compared must have an end.
fn lengths(client: &ClientMetadata, found: &mut Found) {
    let lists = [
        ("redirect_uris", &client.redirect_uris),
        ("post_logout_redirect_uris", &client.post_logout_redirect_uris),
        ("request_uris", &client.request_uris),
        ("contacts", &client.contacts),
        ("default_acr_values", &client.default_acr_values),
        ("grant_types", &client.grant_types),
        ("response_types", &client.response_types),
    ];
    for (name, list) in lists {
        if list.len() > MOST_ENTRIES {
            found.add(name, format!("has more than {MOST_ENTRIES} entries"));
        }
        if list.iter().any(|entry| entry.contains('\0')) {
            found.add(name, HAS_NUL);
        }
        if list.iter().any(|entry| entry.len() > LONGEST_ENTRY) {
            found.add(name, format!("has an entry of more than {LONGEST_ENTRY} characters"));
        }
    }
    for (name, text) in [("software_id", &client.software_id), ("software_version", &client.software_version)] {
        if text.as_ref().is_some_and(|text| text.contains('\0')) {
            found.add(name, HAS_NUL);
        }
        if text.as_ref().is_some_and(|text| text.len() > LONGEST_WORD) {
            found.add(name, format!("is longer than {LONGEST_WORD} characters"));
        }
    }
    let jwks = client.jwks.as_ref().map(ToString::to_string);
    if jwks.as_ref().is_some_and(|jwks| jwks.contains("\\u0000")) {
        found.add("jwks", HAS_NUL);
    }
    if jwks.is_some_and(|jwks| jwks.len() > LONGEST_JWKS) {
        found.add("jwks", format!("is longer than {LONGEST_JWKS} characters"));
    }
}

fn unsound(link: &str) -> Option<String> {
    let sound = |url: Url| url.scheme() == "https" || url.scheme() == "http" && redirect_uri::is_loopback(&url);
    if !text::is_visible(link) {
        return Some("has a control or invisible character".into());
    }
    (link.len() > 2048 || !Url::parse(link).is_ok_and(sound)).then(|| format!("{link} must begin with https://"))
}
