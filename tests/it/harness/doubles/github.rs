//! GitHub: its pages and token endpoint at one port, its API at another, as github.com and api.github.com are two
//! hosts; the API is below `/api/v3` of the first port too, as on an Enterprise Server. Shapes and their sources:
//! `tests/doubles/github.json`, and "What Signet relies on" in `docs/guides/github.md`.
use std::sync::{Arc, LazyLock, Mutex, MutexGuard};

use serde_json::Value;
use signet::app::clock::Clock;
use url::Url;

use super::{
    super::{http::Parameters, relying_party::random},
    Account, Double, Heard, Provider, Reply, chooser, filled, pairs, proves, text, values,
};

/// The shared document.
pub static SHAPES: LazyLock<Value> = LazyLock::new(|| {
    let document = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doubles/github.json"));
    serde_json::from_str(document).unwrap()
});

/// By its name in the shared document: `octocat` shows an address, `private` shows neither name nor address, and the
/// address of `unverified` was never confirmed.
pub fn account(name: &str) -> Account {
    SHAPES["accounts"][name].as_object().unwrap_or_else(|| panic!("no account {name}")).clone()
}

/// An authorization that was given, until its code is redeemed.
struct Given {
    code: String,
    id: Value,
    asked: Parameters,
    spent: bool,
}

#[derive(Default)]
struct State {
    base: String,
    api: String,
    desk: Mutex<Desk>,
}

#[derive(Default)]
struct Desk {
    people: Vec<Account>,
    callback: Option<String>,
    suspended: bool,
    /// What people leave of the scopes that are asked for; `None`: all.
    leaves: Option<Vec<String>>,
    without_emails: bool,
    needs_verified_email: bool,
    given: Vec<Given>,
    /// Access tokens, whose they are by id, and for which scopes.
    tokens: Vec<(String, Value, Vec<String>)>,
    used: u64,
    clock: Option<Clock>,
}

pub struct GitHub {
    pub web: Double,
    pub api: Double,
    state: Arc<State>,
}

impl GitHub {
    /// With the Octocat signed in.
    pub async fn start() -> Self {
        let ((web, base), (api, api_base)) = (Double::bind().await, Double::bind().await);
        let desk = Desk { people: vec![account("octocat")], ..Desk::default() };
        let state = Arc::new(State { base, api: api_base, desk: Mutex::new(desk) });
        GitHub {
            web: Double::open(web, Arc::new(Web(state.clone()))),
            api: Double::open(api, Arc::new(Api(state.clone()))),
            state,
        }
    }

    /// What stands in for `https://github.com`.
    pub fn base(&self) -> &str {
        &self.state.base
    }

    /// What stands in for `https://api.github.com`.
    pub fn api_base(&self) -> &str {
        &self.state.api
    }

    /// The `iss` of its callbacks, which is not the address of the site.
    pub fn issuer(&self) -> String {
        self.state.issuer()
    }

    pub fn client_id(&self) -> &str {
        SHAPES["client"]["id"].as_str().unwrap()
    }

    pub fn client_secret(&self) -> &str {
        SHAPES["client"]["secret"].as_str().unwrap()
    }

    /// Who is signed in at GitHub in the person's browser. An account with the same id takes the place of the one that
    /// tokens were given for: that is how a login is renamed.
    pub fn people(&self, people: &[Account]) {
        self.state.desk().people = people.to_vec();
    }

    /// The one "Authorization callback URL". As long as none is registered, each is taken.
    pub fn register(&self, callback: &str) {
        self.state.desk().callback = Some(callback.into());
    }

    /// The clock of the server under test, where that is one that the test turns.
    pub fn clock(&self, clock: &Clock) {
        self.state.desk().clock = Some(clock.clone());
    }

    /// People edit what is asked for: only these scopes are left from now on.
    pub fn leaves(&self, scopes: &[&str]) {
        self.state.desk().leaves = Some(scopes.iter().map(ToString::to_string).collect());
    }

    /// The client is a GitHub App without the permission for addresses: 403 instead of 404.
    pub fn without_emails(&self) {
        self.state.desk().without_emails = true;
    }

    /// The token endpoint refuses people whose primary address is not verified.
    pub fn needs_verified_email(&self) {
        self.state.desk().needs_verified_email = true;
    }

    pub fn suspend(&self) {
        self.state.desk().suspended = true;
    }

    /// People take back what they gave: every token is dead.
    pub fn revoke(&self) {
        self.state.desk().tokens.clear();
    }
}

struct Web(Arc<State>);
struct Api(Arc<State>);

impl Provider for Web {
    fn answer(&self, heard: &Heard) -> Reply {
        let paths = &SHAPES["paths"];
        let asked = |name: &str| paths[name] == heard.path.as_str();
        if let Some(path) = heard.path.strip_prefix(paths["enterprise"].as_str().unwrap()) {
            return self.0.api(path, heard);
        }
        match heard.method.as_str() {
            "GET" if asked("authorize") => self.0.authorize(heard),
            "POST" if asked("authorize") => self.0.decide(heard),
            "POST" if asked("token") => self.0.token(heard),
            _ => error_page("unknown_client"),
        }
    }

    fn broken(&self, status: u16) -> Reply {
        unicorn(status)
    }

    fn limited(&self, heard: &Heard, secondary: bool) -> Reply {
        self.0.limited(heard, secondary)
    }
}

impl Provider for Api {
    fn answer(&self, heard: &Heard) -> Reply {
        self.0.api(&heard.path, heard)
    }

    fn broken(&self, status: u16) -> Reply {
        unicorn(status)
    }

    fn limited(&self, heard: &Heard, secondary: bool) -> Reply {
        self.0.limited(heard, secondary)
    }
}

fn unicorn(status: u16) -> Reply {
    let shape = &SHAPES["pages"]["unicorn"];
    Reply::page(status, text(&shape["body"]))
}

fn error_page(name: &str) -> Reply {
    let shape = &SHAPES["pages"][name];
    let text = text(&shape["text"]);
    Reply::page(status(shape), format!("<!doctype html><title>{text}</title><p>{text}</p>"))
}

fn status(shape: &Value) -> u16 {
    u16::try_from(shape["status"].as_u64().unwrap()).unwrap()
}

/// What a call of the API is answered with in its headers.
struct Granted<'a> {
    scopes: &'a [String],
    accepted: &'a str,
    remaining: u64,
}

impl State {
    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap()
    }

    fn issuer(&self) -> String {
        let values = values([("base", Some(self.base.clone().into()))]);
        text(&filled(&SHAPES["issuer"]["value"], &values).unwrap())
    }

    /// "Authorizing OAuth apps"
    /// (<https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps>), step 1.
    fn authorize(&self, heard: &Heard) -> Reply {
        if let Err(reply) = self.asked_well(&heard.query) {
            return *reply;
        }
        // `login` suggests an account; its button is the first.
        let people = self.desk().people.clone();
        let hint = heard.query.get("login");
        let is_hinted = |account: &Account| hint.is_some_and(|hint| account["login"] == hint);
        let (mut first, others): (Vec<_>, Vec<_>) =
            people.iter().enumerate().partition(|(_, account)| is_hinted(account));
        first.extend(others);
        let named: Vec<(usize, String)> =
            first.into_iter().map(|(place, account)| (place, text(&account["login"]))).collect();
        chooser("GitHub", heard, &named)
    }

    /// An unknown client gets a page, a wrong redirect URI is told at the registered one, and `plain` is no challenge.
    fn asked_well(&self, query: &Parameters) -> Result<(), Box<Reply>> {
        if query.get("client_id").is_none_or(|client| SHAPES["client"]["id"] != client) {
            return Err(Box::new(error_page("unknown_client")));
        }
        let (callback, suspended) = {
            let desk = self.desk();
            (desk.callback.clone(), desk.suspended)
        };
        if let (Some(callback), Some(asked)) = (&callback, query.get("redirect_uri"))
            && !below(callback, asked)
        {
            return Err(Box::new(self.refuse(callback, query, "redirect_uri_mismatch")));
        }
        let Some(target) = query.get("redirect_uri").map(str::to_string).or(callback) else {
            return Err(Box::new(error_page("unknown_client")));
        };
        if suspended {
            return Err(Box::new(self.refuse(&target, query, "application_suspended")));
        }
        match (query.get("code_challenge"), query.get("code_challenge_method")) {
            (None, None) => Ok(()),
            (Some(challenge), Some("S256")) if challenge.len() == 43 => Ok(()),
            _ => Err(Box::new(error_page("pkce"))),
        }
    }

    /// Step 2 of the same page; `iss` comes since April 2026 without being announced
    /// (<https://github.com/langfuse/langfuse/issues/13091>).
    fn decide(&self, heard: &Heard) -> Reply {
        if let Err(reply) = self.asked_well(&heard.query) {
            return *reply;
        }
        let mut desk = self.desk();
        let target = heard.query.get("redirect_uri").map(str::to_string).or(desk.callback.clone()).unwrap();
        let place: Option<usize> = heard.form.get("account").and_then(|place| place.parse().ok());
        let Some(account) = place.and_then(|place| desk.people.get(place)) else {
            return self.refuse(&target, &heard.query, "access_denied");
        };
        let code = hex(20);
        let values = values([
            ("code", Some(code.clone().into())),
            ("issuer", Some(self.issuer().into())),
            ("state", heard.query.get("state").map(Value::from)),
        ]);
        let given = Given { code, id: account["id"].clone(), asked: heard.query.clone(), spent: false };
        desk.given.push(given);
        Reply::to(&target, &pairs(&SHAPES["callback"]["parameters"], &values))
    }

    /// "Troubleshooting authorization request errors"
    /// (<https://docs.github.com/en/apps/oauth-apps/maintaining-oauth-apps/troubleshooting-authorization-request-errors>).
    fn refuse(&self, target: &str, query: &Parameters, name: &str) -> Reply {
        let values = values([("issuer", Some(self.issuer().into())), ("state", query.get("state").map(Value::from))]);
        Reply::to(target, &pairs(&SHAPES["refusals"][name]["parameters"], &values))
    }

    /// Errors come with 200, and in the form that the `Accept` header asks for, as tokens do.
    fn token(&self, heard: &Heard) -> Reply {
        let client = heard.form.get("client_id");
        if client.is_none_or(|client| SHAPES["client"]["id"] != client) {
            let shape = &SHAPES["token_not_found"];
            return Reply { status: status(shape), ..worded(heard, &shape["members"], &Account::new()) };
        }
        match self.redeem(heard) {
            Ok(values) => worded(heard, &SHAPES["token"]["members"], &values),
            Err(name) => worded(heard, &SHAPES["token_errors"][name], &Account::new()),
        }
    }

    /// "Troubleshooting OAuth app access token request errors"
    /// (<https://docs.github.com/en/apps/oauth-apps/maintaining-oauth-apps/troubleshooting-oauth-app-access-token-request-errors>).
    fn redeem(&self, heard: &Heard) -> Result<Account, &'static str> {
        let mut desk = self.desk();
        let desk = &mut *desk;
        if heard.form.get("client_secret").is_none_or(|secret| SHAPES["client"]["secret"] != secret) {
            return Err("incorrect_client_credentials");
        }
        let given = desk.given.iter_mut().find(|given| heard.form.get("code") == Some(&given.code) && !given.spent);
        let given = given.ok_or("bad_verification_code")?;
        if heard.form.get("redirect_uri").is_some_and(|uri| given.asked.get("redirect_uri") != Some(uri)) {
            return Err("redirect_uri_mismatch");
        }
        // Which error a wrong verifier gets is not documented.
        if let Some(challenge) = given.asked.get("code_challenge") {
            let verifier = heard.form.get("code_verifier").unwrap_or_default();
            if !proves(verifier, challenge, "S256") {
                return Err("bad_verification_code");
            }
        }
        given.spent = true;
        let account = desk.people.iter().find(|account| account["id"] == given.id);
        let emails = account.and_then(|account| account["emails"].as_array()).into_iter().flatten();
        let has_verified = emails.into_iter().any(|email| email["primary"] == true && email["verified"] == true);
        if desk.needs_verified_email && !has_verified {
            return Err("unverified_user_email");
        }
        let mut scopes = normalized(given.asked.get("scope").unwrap_or_default());
        if let Some(left) = &desk.leaves {
            scopes.retain(|scope| left.contains(scope));
        }
        let access = format!("gho_{}", random(36).replace(['-', '_'], "0"));
        let values = values([("access_token", Some(access.clone().into())), ("scope", Some(scopes.join(",").into()))]);
        desk.tokens.push((access, given.id.clone(), scopes));
        Ok(values)
    }

    /// "Getting started with the REST API"
    /// (<https://docs.github.com/en/rest/using-the-rest-api/getting-started-with-the-rest-api>) for the `User-Agent`,
    /// "API Versions" (<https://docs.github.com/en/rest/about-the-rest-api/api-versions>), "REST API endpoints for
    /// emails" (<https://docs.github.com/en/rest/users/emails>), "Troubleshooting the REST API"
    /// (<https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api>) for 404 and 403.
    fn api(&self, path: &str, heard: &Heard) -> Reply {
        if heard.header("user-agent").is_none_or(str::is_empty) {
            let shape = &SHAPES["api_errors"]["user_agent"];
            return Reply::page(status(shape), text(&shape["text"]));
        }
        let nobody = Granted { scopes: &[], accepted: "", remaining: 0 };
        let asked = heard.header("x-github-api-version");
        let supported = SHAPES["versions"]["supported"].as_array().unwrap();
        if let Some(version) = asked.filter(|version| !supported.iter().any(|known| known == version)) {
            return self.error("version", heard, &nobody, &values([("asked", Some(version.into()))]));
        }
        let Some(token) = heard.bearer() else {
            return self.error("requires_authentication", heard, &nobody, &Account::new());
        };
        let (account, scopes, remaining, without_emails) = {
            let mut desk = self.desk();
            let found = desk.tokens.iter().find(|(known, ..)| known == token).cloned();
            let found = found.and_then(|(_, id, scopes)| {
                Some((desk.people.iter().find(|account| account["id"] == id)?.clone(), scopes))
            });
            let Some((account, scopes)) = found else {
                drop(desk);
                return self.error("bad_credentials", heard, &nobody, &Account::new());
            };
            desk.used += 1;
            let limit = SHAPES["api"]["limit"].as_u64().unwrap();
            (account, scopes, limit.saturating_sub(desk.used), desk.without_emails)
        };
        let has = |wanted: &[&str]| scopes.iter().any(|scope| wanted.contains(&scope.as_str()));
        let granted = |accepted| Granted { scopes: &scopes, accepted, remaining };
        let paths = &SHAPES["paths"];
        if heard.method == "GET" && paths["user"] == path {
            let accepted = granted(SHAPES["user"]["accepted"].as_str().unwrap());
            let reply = Reply::json(200, &self.user(account, has(&["user", "read:user"])));
            return self.headed(reply, heard, &accepted);
        }
        if heard.method == "GET" && paths["emails"] == path {
            let accepted = granted(SHAPES["emails"]["accepted"].as_str().unwrap());
            return match () {
                () if without_emails => self.error("not_accessible", heard, &accepted, &Account::new()),
                () if !has(&["user", "user:email"]) => self.error("no_scope", heard, &accepted, &Account::new()),
                () => self.headed(Reply::json(200, &account["emails"]), heard, &accepted),
            };
        }
        self.error("not_found", heard, &granted(""), &Account::new())
    }

    /// "REST API endpoints for users" (<https://docs.github.com/en/rest/users/users>), "Get the authenticated user".
    fn user(&self, account: Account, with_private: bool) -> Value {
        let mut values = account;
        values.insert("base".into(), self.base.clone().into());
        values.insert("api".into(), self.api.clone().into());
        let Some(Value::Object(mut user)) = filled(&SHAPES["user"]["body"], &values) else { panic!("a user") };
        if with_private {
            user.extend(SHAPES["user"]["private"].as_object().unwrap().clone());
        }
        Value::Object(user)
    }

    fn error(&self, name: &str, heard: &Heard, granted: &Granted<'_>, values: &Account) -> Reply {
        let shape = &SHAPES["api_errors"][name];
        let reply = Reply::json(status(shape), &filled(&shape["body"], values).unwrap());
        self.headed(reply, heard, granted).headed(shape, values)
    }

    /// "Scopes for OAuth apps"
    /// (<https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/scopes-for-oauth-apps>) and "Rate limits for
    /// the REST API" (<https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api>).
    fn headed(&self, reply: Reply, heard: &Heard, granted: &Granted<'_>) -> Reply {
        let limit = SHAPES["api"]["limit"].as_u64().unwrap();
        let now = self.desk().clock.as_ref().unwrap_or(&Clock::System).now();
        let version =
            heard.header("x-github-api-version").map_or_else(|| text(&SHAPES["versions"]["default"]), Into::into);
        let values = values([
            ("version", Some(version.into())),
            ("granted", Some(granted.scopes.join(", ").into())),
            ("accepted", Some(granted.accepted.into())),
            ("client_id", Some(SHAPES["client"]["id"].clone())),
            ("remaining", Some(granted.remaining.to_string().into())),
            ("used", Some((limit - granted.remaining).to_string().into())),
            ("reset", Some((now + 1800).to_string().into())),
        ]);
        reply.headed(&SHAPES["api"], &values)
    }

    /// The last page again. The hour's limit: 403 and nothing remaining until `x-ratelimit-reset`. The other one: 429
    /// and `Retry-After`, while the hour's limit is not reached.
    fn limited(&self, heard: &Heard, secondary: bool) -> Reply {
        let id = self.desk().people.first().map_or(Value::Null, |account| account["id"].clone());
        let (name, remaining) = if secondary { ("secondary_rate_limit", 4000) } else { ("rate_limit", 0) };
        let granted = Granted { scopes: &[], accepted: "", remaining };
        self.error(name, heard, &granted, &values([("id", Some(id))]))
    }
}

/// A form unless JSON or XML is asked for: "Authorizing OAuth apps", step 2.
fn worded(heard: &Heard, members: &Value, values: &Account) -> Reply {
    let members = pairs(members, values);
    let accept = heard.header("accept").unwrap_or_default();
    let reply = if accept.contains("application/json") {
        let members = members.0.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
        Reply::json(200, &Value::Object(members))
    } else if accept.contains("application/xml") {
        let members: String = members.0.iter().map(|(name, value)| format!("<{name}>{value}</{name}>")).collect();
        Reply::new(200, "application/xml; charset=utf-8", format!("<OAuth>{members}</OAuth>"))
    } else {
        Reply::new(200, "application/x-www-form-urlencoded; charset=utf-8", members.encoded())
    };
    reply.headed(&SHAPES["token"], values)
}

/// "Normalized scopes" of "Scopes for OAuth apps": a scope that another one includes is not kept; commas part scopes
/// as well as spaces do.
fn normalized(scope: &str) -> Vec<String> {
    let asked: Vec<&str> = scope.split([' ', ',']).filter(|scope| !scope.is_empty()).collect();
    let included = |scope: &str| asked.contains(&"user") && ["read:user", "user:email", "user:follow"].contains(&scope);
    asked.iter().filter(|scope| !included(scope)).map(ToString::to_string).collect()
}

/// "Redirect URLs" of "Authorizing OAuth apps": the host or one below it, the same port (which is free on loopback),
/// the path or one below it.
fn below(callback: &str, asked: &str) -> bool {
    let (Ok(callback), Ok(asked)) = (Url::parse(callback), Url::parse(asked)) else { return false };
    let (known, host) = (callback.host_str().unwrap_or_default(), asked.host_str().unwrap_or_default());
    let on_loopback = host == "127.0.0.1" || host == "[::1]";
    let path = callback.path().trim_end_matches('/');
    let is_below = asked.path().strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    callback.scheme() == asked.scheme()
        && (host == known || host.ends_with(&format!(".{known}")))
        && (on_loopback || callback.port_or_known_default() == asked.port_or_known_default())
        && is_below
}

/// Random hexadecimal digits.
fn hex(length: usize) -> String {
    let mut bytes = vec![0; length.div_ceil(2)];
    openssl::rand::rand_bytes(&mut bytes).unwrap();
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    digits[..length].to_string()
}
