//! Google, whose hosts (accounts.google.com, oauth2.googleapis.com, openidconnect.googleapis.com, www.googleapis.com)
//! are one here. Shapes and their sources: `tests/doubles/google.json`, and "What Signet relies on" in
//! `docs/guides/google.md`.
use std::sync::{Arc, LazyLock, Mutex};

use serde_json::{Value, json};
use signet::app::clock::Clock;

use super::{
    super::{http::Parameters, jose, jwt::Pair, relying_party::random},
    Account, Double, Heard, Provider, Reply, chooser, filled, pairs, posting, proves, text, values,
};

/// The shared document.
pub static SHAPES: LazyLock<Value> = LazyLock::new(|| {
    let document = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doubles/google.json"));
    serde_json::from_str(document).unwrap()
});

/// Keys are costly, so all tests share them; a double begins with the first two, and rotates on from there.
static KEYS: LazyLock<Vec<Pair>> = LazyLock::new(|| {
    let kids = SHAPES["keys"]["kids"].as_array().unwrap();
    kids.iter().map(|kid| Pair::of(kid.as_str().unwrap(), "RS256")).collect()
});

/// By its name in the shared document: `ada` has an address of Gmail, `grace` one of a Workspace domain (`hd`).
pub fn account(name: &str) -> Account {
    SHAPES["accounts"][name].as_object().unwrap_or_else(|| panic!("no account {name}")).clone()
}

type Twist = Box<dyn FnOnce(&mut Account) + Send>;

/// An authorization that was given, until its code is redeemed.
struct Given {
    code: String,
    account: Account,
    asked: Parameters,
    spent: bool,
}

struct State {
    base: String,
    people: Mutex<Vec<Account>>,
    /// The subjects who have consented, so that they need not be shown a page again.
    consented: Mutex<Vec<String>>,
    redirect_uris: Mutex<Vec<String>>,
    given: Mutex<Vec<Given>>,
    /// Access tokens, whose they are, and for which scopes.
    tokens: Mutex<Vec<(String, Account, String)>>,
    /// How often the keys were rotated.
    rotated: Mutex<usize>,
    twist: Mutex<Option<Twist>>,
    clock: Mutex<Clock>,
}

pub struct Google {
    pub double: Double,
    state: Arc<State>,
}

impl Google {
    /// With Ada signed in.
    pub async fn start() -> Self {
        let (tcp, base) = Double::bind().await;
        let state = Arc::new(State {
            base,
            people: Mutex::new(vec![account("ada")]),
            consented: Mutex::default(),
            redirect_uris: Mutex::default(),
            given: Mutex::default(),
            tokens: Mutex::default(),
            rotated: Mutex::default(),
            twist: Mutex::default(),
            clock: Mutex::new(Clock::System),
        });
        Google { double: Double::open(tcp, state.clone()), state }
    }

    /// What stands in for `https://accounts.google.com`.
    pub fn issuer(&self) -> &str {
        &self.state.base
    }

    pub fn client_id(&self) -> &str {
        SHAPES["client"]["id"].as_str().unwrap()
    }

    pub fn client_secret(&self) -> &str {
        SHAPES["client"]["secret"].as_str().unwrap()
    }

    /// Who is signed in at Google in the person's browser.
    pub fn people(&self, people: &[Account]) {
        *self.state.people.lock().unwrap() = people.to_vec();
    }

    /// Authorized redirect URIs are compared exactly. As long as none is registered, each is taken.
    pub fn register(&self, redirect_uri: &str) {
        self.state.redirect_uris.lock().unwrap().push(redirect_uri.into());
    }

    /// The clock of the server under test, where that is one that the test turns.
    pub fn clock(&self, clock: &Clock) {
        *self.state.clock.lock().unwrap() = clock.clone();
    }

    /// Another key signs from now on; it is published from now on too, and the oldest no more.
    pub fn rotate_keys(&self) {
        let mut rotated = self.state.rotated.lock().unwrap();
        assert!(*rotated + 2 < KEYS.len(), "there are no more keys");
        *rotated += 1;
    }

    /// Changes the claims of the next ID token before it is signed.
    pub fn twist(&self, change: impl FnOnce(&mut Account) + Send + 'static) {
        *self.state.twist.lock().unwrap() = Some(Box::new(change));
    }

    /// The key that signs, for tokens that a test makes itself.
    pub fn key(&self) -> Pair {
        self.state.key().clone()
    }
}

impl Provider for State {
    fn answer(&self, heard: &Heard) -> Reply {
        let paths = &SHAPES["paths"];
        let asked = |name: &str| paths[name] == heard.path.as_str();
        match heard.method.as_str() {
            "GET" | "HEAD" if asked("discovery") => self.shape("discovery", &self.values()),
            "GET" | "HEAD" if asked("keys") => self.keys(),
            "GET" | "POST" if asked("userinfo") => self.userinfo(heard),
            "GET" if asked("authorize") => self.authorize(heard).unwrap_or_else(|reply| *reply),
            "POST" if asked("authorize") => self.decide(heard).unwrap_or_else(|reply| *reply),
            "POST" if asked("token") => self.token(heard).unwrap_or_else(|error| *error),
            _ => Reply::page(404, "<title>Error 404 (Not Found)!!1</title>"),
        }
    }

    fn broken(&self, status: u16) -> Reply {
        let page = &SHAPES["pages"]["server_error"];
        Reply { status, ..error_page(page) }
    }

    fn limited(&self, _: &Heard, _: bool) -> Reply {
        *error("token_errors", "rate_limited", &Account::new())
    }
}

/// A refusal in JSON.
fn error(group: &str, name: &str, values: &Account) -> Box<Reply> {
    let shape = &SHAPES[group][name];
    let status = u16::try_from(shape["status"].as_u64().unwrap()).unwrap();
    Box::new(Reply::json(status, &filled(&shape["body"], values).unwrap()).headed(shape, values))
}

/// A refusal that the person reads at Google, because the app cannot be told.
fn error_page(shape: &Value) -> Reply {
    let status = u16::try_from(shape["status"].as_u64().unwrap()).unwrap();
    Reply::page(status, format!("<!doctype html><title>{0}</title><p>{0}</p>", text(&shape["text"])))
}

impl State {
    fn values(&self) -> Account {
        values([("base", Some(self.base.clone().into()))])
    }

    fn shape(&self, name: &str, values: &Account) -> Reply {
        let shape = &SHAPES[name];
        Reply::json(200, &filled(&shape["body"], values).unwrap()).headed(shape, values)
    }

    fn key(&self) -> &'static Pair {
        &KEYS[*self.rotated.lock().unwrap()]
    }

    /// The key that signs and the next one; after a rotation the one before is gone. Members as at
    /// <https://www.googleapis.com/oauth2/v3/certs> in August 2026, headers as in
    /// <https://github.com/caojen/google-oauth/issues/8>.
    fn keys(&self) -> Reply {
        let rotated = *self.rotated.lock().unwrap();
        let keys: Vec<Value> = KEYS[rotated..].iter().take(2).map(Pair::jwk).collect();
        Reply::json(200, &json!({ "keys": keys })).headed(&SHAPES["keys"], &self.values())
    }

    /// What must be right before Google sends anybody back: client, redirect URI, and the parameters that its guide
    /// calls required (`client_id`, `response_type`, `scope`, `redirect_uri`).
    fn asked_well(&self, query: &Parameters) -> Result<(), Box<Reply>> {
        let page = |name: &str| Box::new(error_page(&SHAPES["pages"][name]));
        let client = query.get("client_id").ok_or_else(|| page("invalid_request"))?;
        if SHAPES["client"]["id"] != client {
            return Err(page("invalid_client"));
        }
        let redirect_uri = query.get("redirect_uri").ok_or_else(|| page("invalid_request"))?;
        let registered = self.redirect_uris.lock().unwrap();
        if !registered.is_empty() && !registered.iter().any(|known| known == redirect_uri) {
            return Err(page("redirect_uri_mismatch"));
        }
        let scope = query.get("scope").unwrap_or_default();
        let is_openid = scope.split(' ').any(|scope| scope == "openid");
        // The guide knows no other prompts. That others are refused was not found said anywhere.
        let prompts = query.get("prompt").unwrap_or_default();
        let known = |prompt: &str| matches!(prompt, "" | "none" | "consent" | "select_account");
        if query.get("response_type") != Some("code") || !is_openid || !prompts.split(' ').all(known) {
            return Err(page("invalid_request"));
        }
        Ok(())
    }

    /// "OpenID Connect" (<https://developers.google.com/identity/openid-connect/openid-connect>), authentication URI
    /// parameters.
    fn authorize(&self, heard: &Heard) -> Result<Reply, Box<Reply>> {
        self.asked_well(&heard.query)?;
        let people = self.people.lock().unwrap().clone();
        if heard.query.get("prompt") == Some("none") {
            let consented = |account: &Account| self.consented.lock().unwrap().contains(&text(&account["sub"]));
            return Ok(match people.first() {
                Some(account) if consented(account) => self.give(&heard.query, 0, account, "none"),
                _ => self.refuse(&heard.query, "interaction_required"),
            });
        }
        // `login_hint` puts its account first. `hd` only changes what the page offers, so all stay: its guide says that
        // apps must check the claim.
        let hint = heard.query.get("login_hint");
        let is_hinted = |account: &Account| hint.is_some_and(|hint| account["email"] == hint || account["sub"] == hint);
        let (mut first, others): (Vec<_>, Vec<_>) =
            people.iter().enumerate().partition(|(_, account)| is_hinted(account));
        first.extend(others);
        let named: Vec<(usize, String)> =
            first.into_iter().map(|(place, account)| (place, text(&account["name"]))).collect();
        Ok(chooser("Google", heard, &named))
    }

    fn decide(&self, heard: &Heard) -> Result<Reply, Box<Reply>> {
        self.asked_well(&heard.query)?;
        let people = self.people.lock().unwrap().clone();
        let place: Option<usize> = heard.form.get("account").and_then(|place| place.parse().ok());
        let Some((place, account)) = place.and_then(|place| Some((place, people.get(place)?))) else {
            return Ok(self.refuse(&heard.query, "access_denied"));
        };
        let sub = text(&account["sub"]);
        let mut consented = self.consented.lock().unwrap();
        let known = consented.contains(&sub);
        consented.push(sub);
        let prompt = if known && heard.query.get("prompt") != Some("consent") { "none" } else { "consent" };
        Ok(self.give(&heard.query, place, account, prompt))
    }

    /// "Using OAuth 2.0 for Web Server Applications"
    /// (<https://developers.google.com/identity/protocols/oauth2/web-server>), step 4, for `access_denied`. What a
    /// silent request gets is not documented; it is as others have logged it.
    fn refuse(&self, query: &Parameters, name: &str) -> Reply {
        let values = values([("base", Some(self.base.clone().into())), ("state", query.get("state").map(Value::from))]);
        back(query, &pairs(&SHAPES["refusals"][name]["parameters"], &values))
    }

    /// The same step names `code` alone, the discovery document `iss` (RFC 9207); the others are as many have logged
    /// them.
    fn give(&self, query: &Parameters, place: usize, account: &Account, prompt: &str) -> Reply {
        let code = format!("4/0A{}", random(48));
        let values = values([
            ("base", Some(self.base.clone().into())),
            ("state", query.get("state").map(Value::from)),
            ("code", Some(code.clone().into())),
            ("scope", Some(granted(query, true).into())),
            ("authuser", Some(place.into())),
            ("hd", account.get("hd").cloned()),
            ("prompt", Some(prompt.into())),
        ]);
        let given = Given { code, account: account.clone(), asked: query.clone(), spent: false };
        self.given.lock().unwrap().push(given);
        back(query, &pairs(&SHAPES["callback"]["parameters"], &values))
    }

    /// "Using OAuth 2.0 for Web Server Applications"
    /// (<https://developers.google.com/identity/protocols/oauth2/web-server>), step 5; the words of the errors are not
    /// documented.
    fn token(&self, heard: &Heard) -> Result<Reply, Box<Reply>> {
        let refused = |name: &str| error("token_errors", name, &Account::new());
        let (id, secret) = heard.basic().unwrap_or_else(|| {
            let member = |name: &str| heard.form.get(name).unwrap_or_default().to_string();
            (member("client_id"), member("client_secret"))
        });
        if SHAPES["client"]["id"] != id.as_str() {
            return Err(refused("unknown_client"));
        }
        if SHAPES["client"]["secret"] != secret.as_str() {
            return Err(refused("wrong_secret"));
        }
        let grant_type = heard.form.get("grant_type").unwrap_or_default();
        if grant_type != "authorization_code" {
            return Err(error("token_errors", "grant_type", &values([("grant_type", Some(grant_type.into()))])));
        }
        let mut all = self.given.lock().unwrap();
        let given = all.iter_mut().find(|given| heard.form.get("code") == Some(&given.code));
        let given = given.ok_or_else(|| refused("malformed_code"))?;
        if given.spent {
            return Err(refused("spent_code"));
        }
        if heard.form.get("redirect_uri") != given.asked.get("redirect_uri") {
            return Err(refused("redirect_uri_mismatch"));
        }
        if let Some(challenge) = given.asked.get("code_challenge") {
            let verifier = heard.form.get("code_verifier").ok_or_else(|| refused("missing_verifier"))?;
            let method = given.asked.get("code_challenge_method").unwrap_or("plain");
            if !proves(verifier, challenge, method) {
                return Err(refused("wrong_verifier"));
            }
        }
        given.spent = true;
        Ok(self.tokens(given))
    }

    fn tokens(&self, given: &Given) -> Reply {
        let access = format!("ya29.a0{}", random(96));
        let scope = granted(&given.asked, false);
        let offline = given.asked.get("access_type") == Some("offline");
        let values = values([
            ("access_token", Some(access.clone().into())),
            ("refresh_token", offline.then(|| format!("1//0{}", random(64)).into())),
            ("scope", Some(scope.clone().into())),
            ("id_token", Some(self.id_token(given, &access).into())),
        ]);
        self.tokens.lock().unwrap().push((access, given.account.clone(), scope));
        self.shape("token", &values)
    }

    /// "OpenID Connect" (<https://developers.google.com/identity/openid-connect/openid-connect>), an ID token's
    /// payload. `email_verified` is a boolean there; only Google's debugging endpoint makes a text of it.
    fn id_token(&self, given: &Given, access: &str) -> String {
        let shape = &SHAPES["id_token"];
        let now = self.clock.lock().unwrap().now();
        let mut values = allowed(&given.account, &granted(&given.asked, false));
        for (name, value) in [
            ("base", Some(self.base.clone().into())),
            ("client_id", given.asked.get("client_id").map(Value::from)),
            ("nonce", given.asked.get("nonce").map(Value::from)),
            ("at_hash", Some(jose::left_half("RS256", access).into())),
            ("iat", Some(now.into())),
            ("exp", Some((now + shape["seconds"].as_i64().unwrap()).into())),
            ("kid", Some(self.key().kid.clone().into())),
        ] {
            values.extend(value.map(|value: Value| (name.to_string(), value)));
        }
        let Some(Value::Object(mut claims)) = filled(&shape["claims"], &values) else { panic!("claims are an object") };
        if let Some(twist) = self.twist.lock().unwrap().take() {
            twist(&mut claims);
        }
        self.key().sign_with(&filled(&shape["header"], &values).unwrap(), &Value::Object(claims))
    }

    /// "Google OpenID Connect API Reference" (<https://developers.google.com/identity/openid-connect/reference>),
    /// UserInfo; its error is not documented.
    fn userinfo(&self, heard: &Heard) -> Reply {
        let tokens = self.tokens.lock().unwrap();
        let found = heard.bearer().and_then(|token| tokens.iter().find(|(known, ..)| known == token));
        match found {
            Some((_, account, scope)) => self.shape("userinfo", &allowed(account, scope)),
            None => *error("userinfo_errors", "invalid_token", &Account::new()),
        }
    }
}

/// By the query or by a posted form, as the app has asked.
fn back(query: &Parameters, parameters: &Parameters) -> Reply {
    let target = query.get("redirect_uri").unwrap_or_default();
    match query.get("response_mode") {
        Some("form_post") => posting(target, parameters),
        _ => Reply::to(target, parameters),
    }
}

/// What was asked for, in Google's words: `email` and `profile` are short for URLs. The callback names both.
fn granted(query: &Parameters, in_callback: bool) -> String {
    let asked: Vec<&str> = query.get("scope").unwrap_or_default().split(' ').collect();
    let short: Vec<&str> = ["email", "profile"].into_iter().filter(|scope| asked.contains(scope)).collect();
    let long = short.iter().map(|scope| SHAPES["scopes"][*scope].as_str().unwrap());
    let short = short.iter().copied().filter(|_| in_callback);
    short.chain(long).chain(["openid"]).collect::<Vec<&str>>().join(" ")
}

/// The members of an account that these scopes open; `sub` and `hd` come with each.
fn allowed(account: &Account, scope: &str) -> Account {
    let has = |name: &str| scope.split(' ').any(|one| SHAPES["scopes"][name] == one);
    let opens = |member: &str| match member {
        "sub" | "hd" => true,
        "email" | "email_verified" => has("email"),
        _ => has("profile"),
    };
    account.iter().filter(|(member, _)| opens(member)).map(|(name, value)| (name.clone(), value.clone())).collect()
}
