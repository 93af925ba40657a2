//! The rules that can refuse a run, each once: its name, where it comes from, how to mend what it refused.
//! `signet trace` prints them; events in the database hold only the name.

use super::Code;

/// A rule of a specification, or one of our own.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// Stable; stored with events.
    pub name: &'static str,
    /// The section that it comes from.
    pub source: &'static str,
    /// What an operator or a developer does about a refusal.
    pub remedy: &'static str,
}

macro_rules! rules {
    ($($id:ident = $name:literal, $source:literal, $remedy:literal;)*) => {
        $(pub static $id: Rule = Rule { name: $name, source: $source, remedy: $remedy };)*
        /// Every rule.
        pub static RULES: &[&Rule] = &[$(&$id),*];
    };
}

rules! {
    PARAMETERS = "parameters", "RFC 6749 §3.1", "send each parameter once, as UTF-8 text without control characters";
    CLIENT = "client", "RFC 6749 §4.1.2.1", "compare client_id with `signet clients list`; a disabled client counts as unknown";
    REDIRECT_URI = "redirect_uri", "RFC 9700 §2.1", "register exactly the URI that the app sends, or make the app send a registered one; strings are compared byte for byte";
    RESPONSE_TYPE = "response_type", "RFC 6749 §3.1.1", "use a response type that the client is registered for (`signet clients show`); all but code are off unless registered";
    NONCE = "nonce", "OpenID Connect Core §3.2.2.1", "send a fresh nonce with every request that is answered with an ID token through the browser";
    ACR = "acr", "OpenID Connect Core §5.5.1.1", "ask for an authentication context that metadata lists (acr_values_supported), or do not call it essential";
    RESPONSE_MODE = "response_mode", "OAuth 2.0 Multiple Response Types §2.1", "use query, fragment or form_post";
    SCOPE = "scope", "RFC 6749 §3.3", "ask for scopes that the client is registered for (`signet clients show`), or register them";
    CODE_CHALLENGE = "code_challenge", "RFC 7636 §4.3", "send code_challenge (43 to 128 characters) with code_challenge_method=S256, or register the client with require_pkce = false";
    CODE_VERIFIER = "code_verifier", "RFC 7636 §4.6", "send the verifier whose SHA-256 was sent as code_challenge of this very authorization";
    PROMPT = "prompt", "OpenID Connect Core §3.1.2.1", "use none alone, or any of login, consent, select_account";
    MAX_AGE = "max_age", "OpenID Connect Core §3.1.2.1", "send a whole number of seconds";
    CLAIMS = "claims", "OpenID Connect Core §5.5", "send a JSON object with the members userinfo and id_token";
    REQUEST_OBJECT = "request_object", "RFC 9101 §6", "sign the request object with a registered key and algorithm of the client, for this server and this moment; register references in request_uris";
    RESOURCE = "resource", "RFC 8707 §2", "name one registered resource ([[resources]] in the settings)";
    ID_TOKEN_HINT = "id_token_hint", "OpenID Connect Core §3.1.2.1", "send an ID token that this server issued to this client";
    INTERACTION = "interaction", "OpenID Connect Core §3.1.2.6", "without prompt=none the person is asked";
    BROWSER = "browser", "RFC 9700 §4.7", "finish the sign-in in the browser that began it, with cookies allowed";
    JOURNEY = "journey", "RFC 6749 §4.1", "start again from the app; a sign-in that waits too long expires";
    CSRF = "csrf", "RFC 9700 §4.7", "load the page again and send its form";
    LOGIN = "login", "OpenID Connect Core §3.1.2.3", "check name and password; `signet users set-password` sets a new one";
    ACCOUNT = "account", "OpenID Connect Core §3.1.2.3", "the account is disabled; an administrator can enable it";
    THROTTLE = "throttle", "NIST SP 800-63B §3.2.2", "wait until the time named; failures decay by themselves";
    SESSION = "session", "OpenID Connect Core §2", "the session had ended or was too old";
    CONSENT = "consent", "OpenID Connect Core §3.1.2.4", "the person decides; the app can ask again";
    GRANT_TYPE = "grant_type", "RFC 6749 §5.2", "use a grant type that the client is registered for (`signet clients show`)";
    CLIENT_AUTHENTICATION = "client_authentication", "RFC 6749 §2.3", "authenticate with the client's registered method and its current secret or key";
    CLIENT_ASSERTION = "client_assertion", "RFC 7523 §3", "sign iss=sub=client_id, aud=issuer, a fresh jti and exp within minutes with a registered key";
    CODE = "code", "RFC 6749 §4.1.3", "redeem a code once, within its lifetime, as the client that it was issued to";
    REFRESH_TOKEN = "refresh_token", "RFC 9700 §4.14.2", "use the newest refresh token of the family, as the client that it was issued to";
    TOKEN = "token", "RFC 6750 §3.1", "get a new access token; this one is unknown, expired, revoked or meant for another API";
    TOKEN_SCOPE = "token_scope", "RFC 6750 §3.1", "ask for the scope that the endpoint needs";
    POST_LOGOUT_REDIRECT_URI = "post_logout_redirect_uri", "OpenID RP-Initiated Logout §3", "register exactly this URI as a post-logout redirect URI and send id_token_hint or client_id";
    BACKCHANNEL_LOGOUT = "backchannel_logout", "OpenID Back-Channel Logout §2.8", "answer the POST of a logout token with 200 or 204 at the registered backchannel_logout_uri; `signet logouts list` shows what came instead";
    REGISTRATION = "registration", "RFC 7591 §3.2.2", "send metadata that the error describes as right; registration.* in the settings says what apps may register";
    INITIAL_ACCESS_TOKEN = "initial_access_token", "RFC 7591 §3", "send a token of `signet registration-tokens create` that is neither used up nor expired as Authorization: Bearer";
    REGISTRATION_ACCESS_TOKEN = "registration_access_token", "RFC 7592 §2", "send the registration_access_token of this very client as Authorization: Bearer; a removed client has none";
    SECTOR = "sector_identifier", "OpenID Connect Registration §5", "serve a JSON array with every redirect URI at sector_identifier_uri, over https and without a redirect; outbound.allow_hosts lets private hosts through";
    SECOND_FACTOR = "second_factor", "NIST SP 800-63B-4 §2.2", "type a code of the authenticator app or a recovery code, each once; `second_factor` in the settings says who needs one";
    FRESH_SIGN_IN = "fresh_sign_in", "RFC 9470 §3", "sign in again, with a second factor if there is one; second_factor.fresh in the settings says how long that counts";
    LOGO = "logo", "OpenID Connect Registration §2", "serve a PNG, JPEG, GIF or WebP of at most 512 KiB at logo_uri, over https and without a redirect; outbound.allow_hosts lets private hosts through";
    SIGN_UP = "sign_up", "OWASP ASVS §6.3.8", "accounts.registration in the settings says who may register; `signet invitations create` invites";
    MAIL_LINK = "mail_link", "OWASP ASVS §6.4.1", "ask for a new link: each works once, for a limited time, and not after a newer one";
    UPSTREAM_STATE = "upstream_state", "OpenID Connect Core §3.1.2.7", "begin at the login page again, in the same browser; an answer of a provider counts once, within ten minutes";
    UPSTREAM_ANSWER = "upstream_answer", "RFC 6749 §4.1.2.1", "compare the app at the provider with the settings here: its redirect URI, its scopes, and who may use it";
    UPSTREAM_ISSUER = "upstream_issuer", "RFC 9207 §2.4", "somebody may be mixing providers up; compare the issuer in the settings with the one that the provider names";
    UPSTREAM_METADATA = "upstream_metadata", "OpenID Connect Discovery §4.3", "set issuer to exactly what the provider's document names; its endpoints must be https, unless outbound.allow_hosts names their host";
    UPSTREAM_REACHED = "upstream_reached", "RFC 6749 §3.2", "look whether the provider is up, and reachable from this server within five seconds";
    UPSTREAM_TOKEN = "upstream_token", "OpenID Connect Core §3.1.3.7", "the provider must answer with an ID token of its own for this app and this sign-in; compare client_id, client_secret and issuer, and the clocks";
    UPSTREAM_ACCOUNT = "upstream_account", "OWASP ASVS §6.8.1", "sign_up, email_domains, hosted_domain, allowed_groups and link of the provider say who may come from there";
    UPSTREAM_LOGOUT = "upstream_logout", "OpenID Connect Back-Channel Logout §2.6", "the provider must send a logout token of its own for this app: with iss, aud, iat, exp, jti and events, sub or sid, no nonce, and each once; compare client_id and issuer, and the clocks";
    OWN_FAULT = "server", "RFC 6749 §4.1.2.1", "look for the trace id in the server's log";
}

/// The rule of that name, when an event is printed.
pub fn named(name: &str) -> Option<&'static Rule> {
    RULES.iter().copied().find(|rule| rule.name == name)
}

/// The rule behind an error that did not name its own.
pub fn of(code: Code) -> &'static Rule {
    match code {
        Code::AccessDenied | Code::ConsentRequired => &CONSENT,
        Code::AccountSelectionRequired | Code::LoginRequired => &INTERACTION,
        Code::InsufficientScope => &TOKEN_SCOPE,
        Code::InsufficientUserAuthentication => &FRESH_SIGN_IN,
        Code::InvalidClient => &CLIENT_AUTHENTICATION,
        Code::InvalidGrant => &CODE,
        Code::InvalidClientMetadata | Code::InvalidRedirectUri | Code::InvalidSoftwareStatement => &REGISTRATION,
        Code::InvalidRequest => &PARAMETERS,
        Code::InvalidScope => &SCOPE,
        Code::InvalidTarget => &RESOURCE,
        Code::InvalidToken | Code::UnsupportedTokenType => &TOKEN,
        Code::InvalidRequestObject | Code::InvalidRequestUri | Code::RegistrationNotSupported => &REQUEST_OBJECT,
        Code::ServerError | Code::TemporarilyUnavailable => &OWN_FAULT,
        Code::TooManyRequests => &THROTTLE,
        Code::UnauthorizedClient | Code::UnsupportedGrantType => &GRANT_TYPE,
        Code::UnmetAuthenticationRequirements => &ACR,
        Code::UnsupportedResponseType => &RESPONSE_TYPE,
    }
}
