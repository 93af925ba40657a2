//! The doubles of Google and GitHub send what their documents say, seen by a plain HTTP client.
use std::{collections::BTreeSet, fs, time::Duration};

use reqwest::Response;
use serde_json::{Value, json};
use signet::app::clock::Clock;

use crate::harness::{
    Parameters,
    doubles::{Arrival, Double, GitHub, Google, Mood, Reply, cancel, continue_as, github, google, plain},
    jose,
    jwt::Token,
    relying_party::s256,
};

const CALLBACK: &str = "https://id.example/federation/google/callback";
const VERIFIER: &str = "a-verifier-of-forty-three-characters-or-more";

fn to_google(google: &Google) -> Parameters {
    Parameters::new(&[
        ("client_id", google.client_id()),
        ("response_type", "code"),
        ("scope", "openid profile email"),
        ("redirect_uri", CALLBACK),
        ("state", "of-the-browser"),
        ("nonce", "of-the-token"),
        ("code_challenge", &s256(VERIFIER)),
        ("code_challenge_method", "S256"),
    ])
}

fn at_google(google: &Google, query: &Parameters) -> String {
    google.double.url(&format!("/o/oauth2/v2/auth?{}", query.encoded()))
}

fn for_google(google: &Google, arrival: &Arrival) -> Parameters {
    Parameters::new(&[
        ("grant_type", "authorization_code"),
        ("code", arrival.parameters.get("code").unwrap()),
        ("redirect_uri", CALLBACK),
        ("client_id", google.client_id()),
        ("client_secret", google.client_secret()),
        ("code_verifier", VERIFIER),
    ])
}

async fn post(url: String, form: &Parameters) -> Response {
    plain().post(url).form(&form.0).send().await.unwrap()
}

async fn json(answer: Response) -> Value {
    answer.json().await.unwrap()
}

fn header<'a>(answer: &'a Response, name: &str) -> &'a str {
    answer.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

/// Sorted, as objects have no order.
fn members(object: &Value) -> Vec<&str> {
    let mut members: Vec<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
    members.sort_unstable();
    members
}

#[tokio::test]
async fn google_is_discovered_at_its_own_address() {
    let google = Google::start().await;
    let answer = plain().get(google.double.url("/.well-known/openid-configuration")).send().await.unwrap();
    assert!(header(&answer, "cache-control").starts_with("public, max-age="));
    let document = json(answer).await;
    assert_eq!(document["issuer"], google.issuer());
    assert_eq!(document["authorization_endpoint"], google.double.url("/o/oauth2/v2/auth"));
    assert_eq!(document["jwks_uri"], google.double.url("/oauth2/v3/certs"));
    assert_eq!(document["authorization_response_iss_parameter_supported"], true);
    assert!(!document.to_string().contains("{base}"), "{document}");
    let keys = plain().get(google.double.url("/oauth2/v3/certs")).send().await.unwrap();
    assert_eq!(header(&keys, "cache-control"), "public, max-age=21155, must-revalidate, no-transform");
    let keys = json(keys).await;
    assert_eq!(keys["keys"].as_array().unwrap().len(), 2);
    assert_eq!(members(&keys["keys"][0]), ["alg", "e", "kid", "kty", "n", "use"]);
}

#[tokio::test]
async fn a_person_comes_back_from_google_with_a_code_for_tokens() {
    let google = Google::start().await;
    google.people(&[google::account("ada"), google::account("grace")]);
    let arrival = continue_as(&at_google(&google, &to_google(&google)), 1).await;
    assert_eq!(arrival.to, CALLBACK);
    assert_eq!(arrival.parameters.names(), ["state", "iss", "code", "scope", "authuser", "hd", "prompt"]);
    assert_eq!(arrival.parameters.get("iss"), Some(google.issuer()));
    assert_eq!(arrival.parameters.get("hd"), Some("example.com"));
    let answer = post(google.double.url("/token"), &for_google(&google, &arrival)).await;
    assert_eq!(header(&answer, "content-type"), "application/json; charset=utf-8");
    let tokens = json(answer).await;
    assert_eq!(members(&tokens), ["access_token", "expires_in", "id_token", "scope", "token_type"]);
    assert_eq!((&tokens["expires_in"], &tokens["token_type"]), (&json!(3599), &json!("Bearer")));
    let token = Token::read(tokens["id_token"].as_str().unwrap());
    let keys = json(plain().get(google.double.url("/oauth2/v3/certs")).send().await.unwrap()).await;
    assert!(token.is_signed_by(&keys));
    let access = tokens["access_token"].as_str().unwrap();
    let mut about_the_token = token.claims.clone();
    about_the_token.retain(|name, _| !google::account("grace").contains_key(name));
    let iat = token.claims["iat"].as_i64().unwrap();
    assert_eq!(
        Value::Object(about_the_token),
        json!({
            "iss": google.issuer(), "azp": google.client_id(), "aud": google.client_id(), "nonce": "of-the-token",
            "at_hash": jose::left_half("RS256", access), "iat": iat, "exp": iat + 3600,
        })
    );
    let userinfo = plain().get(google.double.url("/v1/userinfo")).bearer_auth(access).send().await.unwrap();
    assert_eq!(json(userinfo).await, Value::Object(google::account("grace")));
    assert!(google::account("grace").iter().all(|(name, value)| token.claims[name] == *value));
    assert_eq!(token.claims["email_verified"], true, "a boolean, not a text");
    let asked = google.double.last("/token");
    assert_eq!(asked.form.get("code_verifier"), Some(VERIFIER));
    assert_eq!(google.double.last("/v1/userinfo").bearer(), Some(access));
}

#[tokio::test]
async fn google_tells_no_more_than_the_scopes_ask_for() {
    let google = Google::start().await;
    let arrival = continue_as(&at_google(&google, &to_google(&google).with("scope", "openid email")), 0).await;
    let tokens = json(post(google.double.url("/token"), &for_google(&google, &arrival)).await).await;
    let claims = Token::read(tokens["id_token"].as_str().unwrap()).claims;
    assert_eq!(claims["email"], "ada@gmail.com");
    assert!(["name", "picture", "hd"].iter().all(|name| !claims.contains_key(*name)), "{claims:?}");
}

#[tokio::test]
async fn google_takes_the_secret_by_basic_too() {
    let google = Google::start().await;
    let arrival = continue_as(&at_google(&google, &to_google(&google)), 0).await;
    let form = for_google(&google, &arrival).without("client_id").without("client_secret");
    let request = plain().post(google.double.url("/token")).form(&form.0);
    let answer = request.basic_auth(google.client_id(), Some(google.client_secret())).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(google.double.last("/token").basic().unwrap().0, google.client_id());
}

#[tokio::test]
async fn google_refuses_to_redeem_a_code_when() {
    let google = Google::start().await;
    let arrival = continue_as(&at_google(&google, &to_google(&google)), 0).await;
    let form = for_google(&google, &arrival);
    for (name, form, status, error, description) in [
        ("it has not made it", form.clone().with("code", "4/x"), 400, "invalid_grant", "Malformed auth code."),
        (
            "the client is unknown",
            form.clone().with("client_id", "x"),
            401,
            "invalid_client",
            "The OAuth client was not found.",
        ),
        (
            "the secret is wrong",
            form.clone().with("client_secret", "x"),
            401,
            "invalid_client",
            "The provided client secret is invalid.",
        ),
        (
            "it is for another address",
            form.clone().with("redirect_uri", "https://x/"),
            400,
            "redirect_uri_mismatch",
            "Bad Request",
        ),
        ("no verifier comes", form.clone().without("code_verifier"), 400, "invalid_grant", "Missing code verifier."),
        (
            "the verifier is wrong",
            form.clone().with("code_verifier", "x"),
            400,
            "invalid_grant",
            "Invalid code verifier.",
        ),
    ] {
        let answer = post(google.double.url("/token"), &form).await;
        assert_eq!(answer.status(), status, "{name}");
        assert_eq!(json(answer).await, json!({ "error": error, "error_description": description }), "{name}");
    }
    assert_eq!(post(google.double.url("/token"), &form).await.status(), 200);
    assert_eq!(json(post(google.double.url("/token"), &form).await).await["error"], "invalid_grant", "it was spent");
}

#[tokio::test]
async fn google_shows_a_page_of_its_own_when() {
    let google = Google::start().await;
    google.register(CALLBACK);
    let query = to_google(&google);
    for (name, query, status) in [
        ("the client is unknown", query.clone().with("client_id", "x"), 401),
        ("the address is not registered", query.clone().with("redirect_uri", "https://id.example/"), 400),
        ("no response type is asked for", query.clone().without("response_type"), 400),
        ("the scope is not of OpenID Connect", query.clone().with("scope", "email"), 400),
        ("a prompt is asked for that it does not know", query.clone().with("prompt", "login"), 400),
    ] {
        let answer = plain().get(at_google(&google, &query)).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), header(&answer, "location")), (status, ""), "{name}");
    }
}

#[tokio::test]
async fn google_sends_back_without_a_code() {
    let google = Google::start().await;
    let denied = cancel(&at_google(&google, &to_google(&google))).await;
    assert_eq!(denied.parameters.get("error"), Some("access_denied"));
    assert_eq!(denied.parameters.get("state"), Some("of-the-browser"));
    let silent = to_google(&google).with("prompt", "none");
    let unknown = continue_as(&at_google(&google, &silent), 0).await;
    assert_eq!(unknown.parameters.get("error"), Some("interaction_required"));
    continue_as(&at_google(&google, &to_google(&google)), 0).await;
    let known = continue_as(&at_google(&google, &silent), 0).await;
    assert!(known.parameters.get("code").is_some(), "{known:?}");
}

#[tokio::test]
async fn google_puts_the_hinted_account_first_and_posts_where_it_is_asked_to() {
    let google = Google::start().await;
    google.people(&[google::account("ada"), google::account("grace")]);
    let query = to_google(&google).with("login_hint", "grace@example.com").with("response_mode", "form_post");
    let arrival = continue_as(&at_google(&google, &query), 0).await;
    assert!(arrival.by_post);
    assert_eq!((arrival.to.as_str(), arrival.parameters.get("authuser")), (CALLBACK, Some("1")));
}

#[tokio::test]
async fn google_signs_with_another_key_after_a_rotation() {
    let google = Google::start().await;
    let kids = async || {
        let keys = json(plain().get(google.double.url("/oauth2/v3/certs")).send().await.unwrap()).await;
        keys["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_string()).collect::<Vec<_>>()
    };
    let before = kids().await;
    google.rotate_keys();
    let after = kids().await;
    assert_eq!((&before[1], after.len()), (&after[0], 2));
    let arrival = continue_as(&at_google(&google, &to_google(&google)), 0).await;
    google.twist(|claims| drop(claims.insert("aud".into(), "somebody-else".into())));
    let tokens = json(post(google.double.url("/token"), &for_google(&google, &arrival)).await).await;
    let token = Token::read(tokens["id_token"].as_str().unwrap());
    assert_eq!((token.kid(), &token.claims["aud"]), (after[0].as_str(), &json!("somebody-else")));
    assert_eq!(google.key().kid, after[0]);
}

#[tokio::test]
async fn a_double_keeps_the_time_of_the_server_and_says_what_it_is_told_to() {
    let (google, github) = (Google::start().await, GitHub::start().await);
    let clock = Clock::fixed(1_800_000_000);
    google.clock(&clock);
    github.clock(&clock);
    clock.advance(60);
    let arrival = continue_as(&at_google(&google, &to_google(&google)), 0).await;
    assert!(arrival.url().starts_with(&format!("{CALLBACK}?state=of-the-browser&iss=")));
    let form = for_google(&google, &arrival);
    google.double.answer_next("/token", Reply::json(200, &json!({ "id_token": "none" })));
    assert_eq!(json(post(google.double.url("/token"), &form).await).await, json!({ "id_token": "none" }));
    let tokens = json(post(google.double.url("/token"), &form).await).await;
    assert_eq!(Token::read(tokens["id_token"].as_str().unwrap()).claims["iat"], 1_800_000_060);
    let refused = call(github.api.url("/user"), "x").await;
    assert_eq!(header(&refused, "x-ratelimit-reset"), "1800001860");
}

fn to_github(github: &GitHub) -> Parameters {
    Parameters::new(&[
        ("client_id", github.client_id()),
        ("redirect_uri", CALLBACK),
        ("scope", "read:user user:email"),
        ("state", "of-the-browser"),
        ("code_challenge", &s256(VERIFIER)),
        ("code_challenge_method", "S256"),
    ])
}

fn at_github(github: &GitHub, query: &Parameters) -> String {
    github.web.url(&format!("/login/oauth/authorize?{}", query.encoded()))
}

fn for_github(github: &GitHub, arrival: &Arrival) -> Parameters {
    Parameters::new(&[
        ("client_id", github.client_id()),
        ("client_secret", github.client_secret()),
        ("code", arrival.parameters.get("code").unwrap()),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ])
}

/// Whatever the form is worth, as JSON.
async fn redeemed(github: &GitHub, form: &Parameters) -> (u16, Value) {
    let request = plain().post(github.web.url("/login/oauth/access_token")).form(&form.0);
    let answer = request.header("accept", "application/json").send().await.unwrap();
    (answer.status().as_u16(), json(answer).await)
}

/// An access token of the person at this place, for what they leave of these scopes.
async fn token_of(github: &GitHub, scope: &str, place: usize) -> String {
    let arrival = continue_as(&at_github(github, &to_github(github).with("scope", scope)), place).await;
    redeemed(github, &for_github(github, &arrival)).await.1["access_token"].as_str().unwrap().into()
}

async fn call(url: String, token: &str) -> Response {
    plain().get(url).bearer_auth(token).header("user-agent", "Signet").send().await.unwrap()
}

#[tokio::test]
async fn a_person_comes_back_from_github_with_a_code_for_a_token() {
    let github = GitHub::start().await;
    let arrival = continue_as(&at_github(&github, &to_github(&github)), 0).await;
    assert_eq!(arrival.parameters.names(), ["code", "iss", "state"]);
    assert_eq!(arrival.parameters.get("iss"), Some(github.issuer().as_str()));
    assert_eq!(github.issuer(), format!("{}/login/oauth", github.base()), "not the site alone");
    let answer = post(github.web.url("/login/oauth/access_token"), &for_github(&github, &arrival)).await;
    assert_eq!(header(&answer, "content-type"), "application/x-www-form-urlencoded; charset=utf-8");
    let words = Parameters::parse(&answer.text().await.unwrap());
    assert_eq!(words.names(), ["access_token", "scope", "token_type"]);
    assert_eq!((words.get("scope"), words.get("token_type")), (Some("read:user,user:email"), Some("bearer")));
    let again = continue_as(&at_github(&github, &to_github(&github).with("scope", "user,user:email")), 0).await;
    let (status, token) = redeemed(&github, &for_github(&github, &again)).await;
    assert_eq!((status, members(&token)), (200, vec!["access_token", "scope", "token_type"]));
    assert_eq!(token["scope"], "user", "what another scope includes is not kept");
}

#[tokio::test]
async fn github_refuses_a_code_with_200_when() {
    let github = GitHub::start().await;
    let arrival = continue_as(&at_github(&github, &to_github(&github)), 0).await;
    let form = for_github(&github, &arrival);
    for (name, form, error) in [
        ("it has not made it", form.clone().with("code", "x"), "bad_verification_code"),
        ("the secret is wrong", form.clone().with("client_secret", "x"), "incorrect_client_credentials"),
        ("it is for another address", form.clone().with("redirect_uri", "https://x/"), "redirect_uri_mismatch"),
        ("the verifier is wrong", form.clone().with("code_verifier", "x"), "bad_verification_code"),
    ] {
        let (status, answer) = redeemed(&github, &form).await;
        assert_eq!((status, &answer["error"]), (200, &json!(error)), "{name}");
        assert_eq!(members(&answer), ["error", "error_description", "error_uri"], "{name}");
    }
    assert_eq!(redeemed(&github, &form.clone().with("client_id", "x")).await, (404, json!({ "error": "Not Found" })));
    let in_words = post(github.web.url("/login/oauth/access_token"), &form.clone().with("code", "x")).await;
    assert!(in_words.text().await.unwrap().starts_with("error=bad_verification_code&"));
    github.people(&[github::account("unverified")]);
    github.needs_verified_email();
    let arrival = continue_as(&at_github(&github, &to_github(&github)), 0).await;
    assert_eq!(redeemed(&github, &for_github(&github, &arrival)).await.1["error"], "unverified_user_email");
}

#[tokio::test]
async fn github_sends_back_without_a_code_when() {
    let github = GitHub::start().await;
    let denied = cancel(&at_github(&github, &to_github(&github))).await;
    assert_eq!(denied.parameters.get("error"), Some("access_denied"));
    assert_eq!(denied.parameters.get("error_description"), Some("The user has denied your application access."));
    github.register(CALLBACK);
    let elsewhere = to_github(&github).with("redirect_uri", "https://id.example/federation/other/callback");
    let mismatch = continue_as(&at_github(&github, &elsewhere), 0).await;
    assert_eq!((mismatch.to.as_str(), mismatch.parameters.get("error")), (CALLBACK, Some("redirect_uri_mismatch")));
    let below = to_github(&github).with("redirect_uri", &format!("{CALLBACK}/below"));
    assert!(continue_as(&at_github(&github, &below), 0).await.parameters.get("code").is_some());
    github.suspend();
    let suspended = continue_as(&at_github(&github, &to_github(&github)), 0).await;
    assert_eq!(suspended.parameters.get("error"), Some("application_suspended"));
}

#[tokio::test]
async fn github_shows_a_page_of_its_own_when() {
    let github = GitHub::start().await;
    let query = to_github(&github);
    for (name, query, status) in [
        ("the client is unknown", query.clone().with("client_id", "x"), 404),
        ("the challenge is plain", query.clone().with("code_challenge_method", "plain"), 400),
        ("the challenge has no method", query.clone().without("code_challenge_method"), 400),
    ] {
        let answer = plain().get(at_github(&github, &query)).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), header(&answer, "location")), (status, ""), "{name}");
    }
    assert_eq!(github.web.asked(), ["GET /login/oauth/authorize"; 3]);
}

#[tokio::test]
async fn github_tells_who_somebody_is_by_its_api() {
    let github = GitHub::start().await;
    github.people(&[github::account("octocat"), github::account("private")]);
    let open = token_of(&github, "read:user user:email", 0).await;
    let answer = call(github.api.url("/user"), &open).await;
    for (name, value) in [
        ("content-type", "application/json; charset=utf-8"),
        ("x-github-media-type", "github.v3; format=json"),
        ("x-github-api-version-selected", "2022-11-28"),
        ("x-oauth-scopes", "read:user, user:email"),
        ("x-ratelimit-limit", "5000"),
        ("x-ratelimit-remaining", "4999"),
        ("x-ratelimit-resource", "core"),
    ] {
        assert_eq!(header(&answer, name), value, "{name}");
    }
    let user = json(answer).await;
    assert_eq!((&user["id"], &user["login"]), (&json!(583_231), &json!("octocat")));
    assert_eq!(user["following_url"], format!("{}/users/octocat/following{{/other_user}}", github.api_base()));
    assert_eq!(user["two_factor_authentication"], true, "read:user opens the private part");
    let quiet = token_of(&github, "user:email", 1).await;
    let user = json(call(github.api.url("/user"), &quiet).await).await;
    assert_eq!((&user["name"], &user["email"]), (&Value::Null, &Value::Null));
    assert!(!members(&user).contains(&"plan"));
    let answer = call(github.web.url("/api/v3/user/emails"), &quiet).await;
    assert_eq!(header(&answer, "x-accepted-oauth-scopes"), "user, user:email");
    let emails = json(answer).await;
    assert_eq!(members(&emails[0]), ["email", "primary", "verified", "visibility"]);
    assert_eq!(emails[0]["email"], "9919+quiet@users.noreply.github.com");
}

#[tokio::test]
async fn a_renamed_login_keeps_its_id() {
    let github = GitHub::start().await;
    let token = token_of(&github, "", 0).await;
    let mut renamed = github::account("octocat");
    renamed.insert("login".into(), "monalisa".into());
    github.people(&[renamed]);
    let user = json(call(github.api.url("/user"), &token).await).await;
    assert_eq!((&user["login"], &user["id"]), (&json!("monalisa"), &json!(583_231)));
}

#[tokio::test]
async fn github_refuses_a_call_of_its_api_when() {
    let github = GitHub::start().await;
    let token = token_of(&github, "read:user", 0).await;
    let nameless = plain().get(github.api.url("/user")).bearer_auth(&token).send().await.unwrap();
    assert_eq!((nameless.status().as_u16(), header(&nameless, "content-type")), (403, "text/html; charset=utf-8"));
    assert!(nameless.text().await.unwrap().contains("make sure your request has a User-Agent header"));
    let named = || plain().get(github.api.url("/user")).header("user-agent", "Signet");
    let anonymous = named().send().await.unwrap();
    assert_eq!(
        (anonymous.status().as_u16(), &json(anonymous).await["message"]),
        (401, &json!("Requires authentication"))
    );
    let wrong = named().bearer_auth("gho_x").send().await.unwrap();
    assert_eq!((wrong.status().as_u16(), &json(wrong).await["message"]), (401, &json!("Bad credentials")));
    let old = named().bearer_auth(&token).header("x-github-api-version", "2019-01-01").send().await.unwrap();
    assert_eq!(old.status(), 400);
    let emails = call(github.api.url("/user/emails"), &token).await;
    assert_eq!((emails.status().as_u16(), header(&emails, "x-oauth-scopes")), (404, "read:user"));
    assert_eq!(json(emails).await["message"], "Not Found");
    github.without_emails();
    assert_eq!(call(github.api.url("/user/emails"), &token).await.status(), 403);
    github.leaves(&["read:user"]);
    assert_eq!(call(github.api.url("/user/emails"), &token_of(&github, "user:email", 0).await).await.status(), 403);
    github.revoke();
    assert_eq!(call(github.api.url("/user"), &token).await.status(), 401);
}

#[tokio::test]
async fn github_limits_its_api_in_two_ways() {
    let github = GitHub::start().await;
    let token = token_of(&github, "read:user", 0).await;
    github.api.mood(Mood::RateLimited).await;
    let hourly = call(github.api.url("/user"), &token).await;
    assert_eq!((hourly.status().as_u16(), header(&hourly, "x-ratelimit-remaining")), (403, "0"));
    assert!(header(&hourly, "x-ratelimit-reset").parse::<u64>().unwrap() > 1_700_000_000);
    assert_eq!(json(hourly).await["message"], "API rate limit exceeded for user ID 583231.");
    github.api.mood_at("/user", Mood::SecondaryLimit);
    let secondary = call(github.api.url("/user"), &token).await;
    assert_eq!((secondary.status().as_u16(), header(&secondary, "retry-after")), (429, "60"));
}

/// Each mood, on a port that answers `path` with 200 otherwise.
async fn has_moods(double: &Double, path: &str) {
    let ask = || plain().get(double.url(path)).header("user-agent", "Signet").send();
    let status = async || ask().await.unwrap().status().as_u16();
    let usual = status().await;
    double.mood(Mood::Down).await;
    assert!(ask().await.unwrap_err().is_connect());
    double.mood(Mood::Fails(502)).await;
    assert_eq!(status().await, 502);
    double.mood(Mood::Flapping).await;
    assert_eq!([status().await, status().await, status().await], [503, usual, 503]);
    double.mood(Mood::Slow(Duration::from_millis(300))).await;
    let client = plain();
    let hurried = client.get(double.url(path)).timeout(Duration::from_millis(50)).send().await;
    assert!(hurried.unwrap_err().is_timeout());
    double.mood(Mood::Normal).await;
    assert_eq!(status().await, usual);
}

#[tokio::test]
async fn a_double_is_down_slow_failing_or_flapping() {
    let (google, github) = (Google::start().await, GitHub::start().await);
    has_moods(&google.double, "/oauth2/v3/certs").await;
    has_moods(&github.web, "/login/oauth/authorize").await;
    has_moods(&github.api, "/user").await;
    github.api.mood(Mood::Fails(503)).await;
    let unicorn = call(github.api.url("/user"), "x").await;
    assert_eq!(header(&unicorn, "content-type"), "text/html; charset=utf-8");
    assert!(unicorn.text().await.unwrap().contains("<title>Unicorn! &middot; GitHub</title>"));
}

/// Every name in a `source` or `…_source` member of the document.
fn cited(shape: &Value, found: &mut BTreeSet<String>) {
    for (name, value) in shape.as_object().into_iter().flatten() {
        if name == "source" || name.ends_with("_source") {
            found.extend(value.as_array().unwrap().iter().map(|source| source.as_str().unwrap().to_string()));
        }
        cited(value, found);
    }
}

#[test]
fn every_source_of_a_double_is_listed_in_its_guide() {
    for (name, shapes) in [("google", &*google::SHAPES), ("github", &*github::SHAPES)] {
        let guide = fs::read_to_string(format!("docs/guides/{name}.md")).unwrap();
        let (_, relied_on) = guide.split_once("## What Signet relies on").expect("the section");
        let sources = shapes["sources"].as_object().unwrap();
        let mut found = BTreeSet::new();
        cited(shapes, &mut found);
        assert_eq!(found, sources.keys().cloned().collect(), "{name}: what is cited, and what is listed");
        for address in sources.values().filter_map(|source| source["address"].as_str()) {
            assert!(relied_on.contains(address), "{name}.md does not name {address}");
        }
    }
}
