//! Every page, filled with data: pleasant, or as an attacker would have it.

use std::sync::Arc;

use super::accounts;
use askama::Template;
use poem::http::StatusCode;
use serde_json::json;
use signet::{
    app::text::Texts,
    flows::upstream::Said,
    http::pages::{
        view::{Frame, Person, Site},
        views::*,
    },
    protocol::password::Policy,
};

/// Where the words on a page come from.
#[derive(Clone, Copy)]
pub enum Data {
    Pleasant,
    Hostile,
}

pub const HOSTILE: &str = r#""><svg onload=alert(1)>'{client}"#;
pub const HOSTILE_LINKS: [&str; 6] = [
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "http://evil.test/",
    "//evil.test/",
    "https://user:password@evil.test/",
    " JavaScript:alert(1)",
];

pub struct Sample {
    pub name: &'static str,
    pub html: String,
    /// Ids that scripts and people's tests rely on.
    pub ids: &'static [&'static str],
}

impl Data {
    pub fn word(self, pleasant: &str) -> String {
        match self {
            Self::Pleasant => pleasant.to_owned(),
            Self::Hostile => HOSTILE.to_owned(),
        }
    }

    pub fn client(self) -> ClientCard {
        let name = self.word("Harbor Books");
        let card = ClientCard::new(Some(&name), "client");
        match self {
            Self::Pleasant => card
                .logo(Some("/clients/client/logo?v=1"))
                .home(Some("https://rp.example/"))
                .policy(Some("https://rp.example/privacy"))
                .terms(Some("https://rp.example/terms")),
            Self::Hostile => card
                .logo(Some(HOSTILE_LINKS[0]))
                .home(Some(HOSTILE_LINKS[1]))
                .policy(Some(HOSTILE_LINKS[2]))
                .terms(Some(HOSTILE_LINKS[4])),
        }
    }

    /// An app that registered itself.
    fn stranger(self) -> ClientCard {
        let host = self.word("rp.example");
        self.client().logo(None).unverified(Some(Destination::Site(host)))
    }

    pub fn person(self) -> Person {
        Person {
            name: Some(self.word("Ada Lovelace")),
            email: Some(self.word("ada@example.org")),
            username: Some(self.word("ada")),
        }
    }

    pub fn frame(self, texts: &'static Texts) -> Frame {
        let site = Site::new(&self.word("Signet"), "", None, None);
        Frame {
            texts,
            site: Arc::new(site),
            csrf: self.word("Zm9yZ2VyeQ"),
            here: Some(match self {
                Self::Pleasant => "/authorize/0b8c/login".to_owned(),
                Self::Hostile => format!("/x?{HOSTILE}"),
            }),
            person: Some(self.person()),
            trace_id: Some(self.word("k3vq7m2xw5ra4tzn")),
        }
    }
}

/// The frame of a page for which the rest does not matter.
pub fn frame(texts: &'static Texts) -> Frame {
    Data::Pleasant.frame(texts)
}

pub fn page(name: &'static str, ids: &'static [&'static str], page: &impl Template) -> Sample {
    Sample { name, ids, html: page.render().expect("the page renders") }
}

pub fn all(texts: &'static Texts, data: Data) -> Vec<Sample> {
    let mut samples = sign_in(texts, data);
    samples.extend(providers(texts, data));
    samples.extend(second_steps(texts, data));
    samples.extend(sign_out(texts, data));
    samples.extend(errors(texts, data));
    samples.extend(first_steps(texts, data));
    samples.extend(accounts::all(texts, data));
    samples
}

fn sign_in(texts: &'static Texts, data: Data) -> Vec<Sample> {
    let login = |client, username: &str, again, problem| Login {
        frame: data.frame(texts),
        action: "/authorize/0b8c/login".to_owned(),
        client,
        username: username.to_owned(),
        again,
        problem,
        link: true,
        cancel: true,
        passkey: Some("/authorize/0b8c/passkey".to_owned()),
        providers: ["Google", "GitHub", "Harbor"].map(|title| provider_button(data, title)).to_vec(),
        forgot: "/account/forgot?journey=0b8c".to_owned(),
        register: Some("/account/register?journey=0b8c".to_owned()),
    };
    let ids = &["login-username", "login-password", "login-submit", "login-cancel"];
    let hint = data.word("ada@example.org");
    let chooser = |wanted| AccountChooser {
        frame: data.frame(texts),
        action: "/authorize/0b8c/account".to_owned(),
        client: Some(data.client()),
        current: data.person(),
        wanted,
    };
    let chooser_ids = &["account-current", "account-another", "account-cancel"];
    let post = FormPost {
        frame: data.frame(texts),
        action: "https://rp.example/cb".to_owned(),
        host: data.word("rp.example"),
        fields: vec![
            ("code".to_owned(), "abc".to_owned()),
            ("state".to_owned(), data.word("xyz")),
            ("iss".to_owned(), "http://localhost:8080".to_owned()),
        ],
    };
    vec![
        page("login", ids, &login(Some(data.client()), "", None, None)),
        page("login-wrong", ids, &login(Some(data.client()), &hint, None, Some(LoginProblem::Wrong))),
        page("login-wait", ids, &login(None, &hint, None, Some(LoginProblem::TooMany { seconds: 90 }))),
        page("login-again", ids, &login(Some(data.client()), &hint, Some(data.person()), None)),
        page("login-again-wrong", ids, &login(None, &hint, Some(data.person()), Some(LoginProblem::Wrong))),
        page("consent", &["consent-allow", "consent-deny"], &consent(texts, data)),
        page(
            "consent-unverified",
            &["consent-allow", "consent-deny", "client-unverified"],
            &Consent { client: data.stranger(), ..consent(texts, data) },
        ),
        page("login-unverified", ids, &login(Some(data.stranger()), "", None, None)),
        page("consent-device", &["consent-allow", "consent-deny"], &consent_on_a_device(texts, data)),
        page("accounts", chooser_ids, &chooser(None)),
        page("accounts-wanted", chooser_ids, &chooser(Some(data.word("charles@example.org")))),
        page("form-post", &[], &post),
    ]
}

fn provider_button(data: Data, title: &str) -> ProviderButton {
    let name = title.to_lowercase();
    let mark = match title {
        "Google" => Mark::Google,
        "GitHub" => Mark::GitHub,
        _ => Mark::Letter,
    };
    ProviderButton { action: format!("/authorize/0b8c/provider/{name}"), name, title: data.word(title), mark }
}

fn providers(texts: &'static Texts, data: Data) -> Vec<Sample> {
    let said = |what| ProviderPage {
        frame: data.frame(texts),
        what,
        provider: data.word("Google"),
        is_link: false,
        back: Some("/authorize/0b8c/login".to_owned()),
    };
    let link = |what| ProviderPage { is_link: true, back: Some("/account/providers".to_owned()), ..said(what) };
    let connect = |person, enrol: Option<&str>| Connect {
        frame: data.frame(texts),
        action: "/authorize/0b8c/connect".to_owned(),
        client: data.client(),
        provider: data.word("Google"),
        label: Some(data.word("ada@example.org")),
        person,
        sign_in: "/authorize/0b8c/login".to_owned(),
        enrol: enrol.map(str::to_owned),
    };
    let field = |id, name, problem| {
        TextField::new(id, name, &data.word("Email")).given(Input { value: data.word("ada@example.org"), problem })
    };
    let enrol = |complaint, problem: Option<InputProblem>| Enrol {
        frame: data.frame(texts),
        action: "/authorize/0b8c/enrol".to_owned(),
        client: data.client(),
        provider: data.word("Google"),
        complaint,
        fields: vec![
            TextField { focus: problem.is_some(), ..field("enrol-email", "email", problem) },
            field("enrol-username", "username", None),
        ],
        sign_in: "/authorize/0b8c/login".to_owned(),
    };
    vec![
        page("provider-stale", &["provider-stale", "provider-back"], &said(Said::Stale)),
        page("provider-denied", &["provider-denied", "provider-back"], &said(Said::Denied)),
        page("provider-failed", &["provider-failed", "provider-back"], &said(Said::Failed)),
        page("provider-away", &["provider-away", "provider-back"], &said(Said::Away)),
        page("provider-unwelcome", &["provider-unwelcome", "provider-back"], &said(Said::Unwelcome)),
        page("provider-closed", &["provider-closed", "provider-back"], &said(Said::Closed)),
        page("provider-taken", &["provider-taken", "provider-back"], &link(Said::Taken)),
        page("provider-full", &["provider-full", "provider-back"], &link(Said::Full)),
        page("provider-link-stale", &["provider-stale", "provider-back"], &link(Said::Stale)),
        page("provider-link-denied", &["provider-denied", "provider-back"], &link(Said::Denied)),
        page("provider-link-failed", &["provider-failed", "provider-back"], &link(Said::Failed)),
        page("provider-link-away", &["provider-away", "provider-back"], &link(Said::Away)),
        page("provider-link-unwelcome", &["provider-unwelcome", "provider-back"], &link(Said::Unwelcome)),
        page("connect-first", &["connect-sign-in", "connect-enrol"], &connect(None, Some("/authorize/0b8c/enrol"))),
        page("connect", &["connect-yes", "connect-no"], &connect(Some(data.person()), None)),
        page("enrol", &["enrol-submit", "enrol-sign-in"], &enrol(None, None)),
        page(
            "enrol-wrong",
            &["enrol-email-problem"],
            &enrol(Some(Complaint::LookAgain), Some(InputProblem::NotAnEmail)),
        ),
    ]
}

pub fn app_key(data: Data) -> AppKey {
    AppKey { size: 37, path: "M4,4h1v1h-1z".to_owned(), secret: data.word("JBSW Y3DP EHPK 3PXP") }
}

fn second_steps(texts: &'static Texts, data: Data) -> Vec<Sample> {
    let action = || "/authorize/0b8c/second-factor".to_owned();
    let answer = |recovery, problem| SecondFactor {
        frame: data.frame(texts),
        action: action(),
        client: data.client(),
        person: data.person(),
        recovery,
        app: true,
        passkey: Some("/authorize/0b8c/passkey".to_owned()),
        mailed: None,
        by_mail: true,
        problem,
        trust: (!recovery).then_some(30 * 86_400),
    };
    let only_passkey = |recovery| SecondFactor { app: false, ..answer(recovery, None) };
    let mailed = |app, problem| SecondFactor {
        mailed: Some(data.word("a…@example.org")),
        app,
        passkey: None,
        ..answer(false, problem)
    };
    let set_up = |problem| SetUpFactor {
        frame: data.frame(texts),
        action: action(),
        client: data.client(),
        person: data.person(),
        key: app_key(data),
        passkey: Some("/authorize/0b8c/passkey".to_owned()),
        problem,
        by_mail: problem.is_none(),
    };
    let codes = RecoveryCodes {
        frame: data.frame(texts),
        codes: (0..10).map(|_| data.word("7n2k-0qxz-m4vb-e8ra")).collect(),
        on: "/authorize/0b8c".to_owned(),
    };
    let ids = &["factor-code", "factor-submit", "factor-cancel", "factor-another"];
    vec![
        page("factor", ids, &answer(false, None)),
        page("factor-wrong", ids, &answer(false, Some(FactorProblem::Wrong))),
        page("factor-recovery", ids, &answer(true, None)),
        page("factor-recovery-wrong", ids, &answer(true, Some(FactorProblem::Wrong))),
        page("factor-passkey", &["factor-passkey", "factor-cancel", "factor-another"], &only_passkey(false)),
        page("factor-passkey-recovery", ids, &only_passkey(true)),
        page("factor-passkey-wrong", ids, &answer(false, Some(FactorProblem::Passkey))),
        page("factor-mail", ids, &mailed(true, None)),
        page("factor-mail-wrong", ids, &mailed(false, Some(FactorProblem::Wrong))),
        page("factor-set-up", ids, &set_up(None)),
        page("factor-set-up-wrong", ids, &set_up(Some(FactorProblem::TooMany { seconds: 90 }))),
        page("recovery-codes", &["recovery-codes", "codes-on"], &codes),
    ]
}

fn consent(texts: &'static Texts, data: Data) -> Consent {
    let described = data.word("See your orders and place new ones");
    let scope = data.word("orders:export");
    Consent {
        frame: data.frame(texts),
        action: "/authorize/0b8c/consent".to_owned(),
        client: data.client(),
        returns_to: Destination::of("https://rp.example/cb"),
        account: data.person(),
        scopes: vec![
            ScopeLine::of(texts, "openid", None),
            ScopeLine::of(texts, "profile", None),
            ScopeLine::of(texts, "email", None),
            ScopeLine::of(texts, "address", None),
            ScopeLine::of(texts, "phone", None),
            ScopeLine::of(texts, "offline_access", None),
            ScopeLine::of(texts, "orders", Some(&described)),
            ScopeLine::of(texts, &scope, None),
        ],
    }
}

fn consent_on_a_device(texts: &'static Texts, data: Data) -> Consent {
    let name = data.word("Ledger for Desktop");
    Consent {
        client: ClientCard::new(Some(&name), "client"),
        returns_to: Destination::of("http://127.0.0.1:49152/cb"),
        scopes: vec![ScopeLine::of(texts, "openid", None), ScopeLine::of(texts, "email", None)],
        ..consent(texts, data)
    }
}

fn sign_out(texts: &'static Texts, data: Data) -> Vec<Sample> {
    let confirm = |client| LogoutConfirm {
        frame: data.frame(texts),
        action: "/logout".to_owned(),
        client,
        person: Some(data.person()),
        fields: vec![(data.word("request"), data.word("0b8c"))],
    };
    let out = |client: Option<ClientCard>, told: Told| LoggedOut {
        frame: data.frame(texts),
        told,
        back: client.as_ref().and_then(|client| client.home.clone()),
        client,
    };
    let signing_out = |on: &str, host: Option<&str>| SigningOut {
        frame: data.frame(texts),
        frames: vec!["https://rp.example/out?iss=http%3A%2F%2Flocalhost%3A8080&sid=0b8c".to_owned()],
        on: on.to_owned(),
        host: host.map(|host| data.word(host)),
        provider: None,
    };
    let onward = SigningOut {
        frames: Vec::new(),
        provider: Some(data.word("Harbor")),
        ..signing_out("https://harbor.example/out", None)
    };
    vec![
        page("logout", &["logout-confirm", "logout-stay"], &confirm(None)),
        page("logout-client", &["logout-confirm", "logout-stay"], &confirm(Some(data.client()))),
        page("logged-out", &["logged-out"], &out(None, Told::default())),
        page("logged-out-client", &["logged-out"], &out(Some(data.client()), Told { told: 1, ..Told::default() })),
        page("logged-out-apps", &["logged-out-apps"], &out(None, Told { told: 3, waiting: 1, given_up: 2 })),
        page("signing-out", &["signing-out-continue"], &signing_out("https://rp.example/bye", Some("rp.example"))),
        page("signing-out-onward", &["signing-out-continue"], &onward),
        page("signing-out-here", &["signing-out-continue"], &signing_out("/logged-out", None)),
    ]
}

fn errors(texts: &'static Texts, data: Data) -> Vec<Sample> {
    let ids = &["error-code", "error-description", "error-trace-id"];
    let error = |reason, code: &str, description: &str| {
        ErrorPage::new(data.frame(texts), reason, &data.word(code), &data.word(description))
    };
    let home = error(Reason::NotFound, "not_found", "no such page").to_account("/account".to_owned());
    vec![
        page(
            "error-redirect-uri",
            ids,
            &error(Reason::RedirectUri, "invalid_request", "redirect_uri is not registered"),
        ),
        page("error-code", ids, &error(Reason::Code("invalid_scope"), "invalid_scope", "a scope is not registered")),
        page("error-not-found", ids, &home),
        page("error-forged", ids, &error(Reason::Forged, "forbidden", "the form token does not fit this browser")),
        page("error-gone", ids, &error(Reason::JourneyGone, "expired", "no such authorization is open")),
        page("error-too-many", ids, &error(Reason::TooMany { seconds: 30 }, "too_many_requests", "over the limit")),
        page(
            "error-failed",
            ids,
            &error(Reason::Failed, "server_error", "see the log").with_status(StatusCode::BAD_GATEWAY),
        ),
    ]
}

fn first_steps(texts: &'static Texts, data: Data) -> Vec<Sample> {
    let policy = |kinds| Policy { least: 15, strength: 3, kinds, blocklist: true };
    let new_password = |problem: Option<InputProblem>| NewPassword {
        problem,
        about: vec![data.word("id.example.com"), "signet".to_owned()],
        beside: "setup-email setup-name setup-username",
        ..NewPassword::new("setup-password", texts.get("set_up.password"), policy(problem.is_some()))
    };
    let set_up = |problem: Option<InputProblem>, password| SetUp {
        frame: data.frame(texts),
        action: "/setup?link=abc".to_owned(),
        email: Input { value: problem.map_or_else(String::new, |_| data.word("ada@example")), problem },
        username: Input { value: String::new(), problem: problem.map(|_| InputProblem::Taken) },
        name: Input { value: data.word("Ada Lovelace"), problem: problem.map(|_| InputProblem::TooLong) },
        new_password: new_password(password),
    };
    let short = Some(InputProblem::PasswordTooShort { minimum: 15 });
    let done = SetUpDone { frame: data.frame(texts), try_it: "/try".to_owned(), account: "/account".to_owned() };
    let ids = &["setup-email", "setup-username", "setup-name", "setup-password", "setup-submit"];
    vec![
        page("set-up", ids, &set_up(None, None)),
        page("set-up-wrong", ids, &set_up(Some(InputProblem::NotAnEmail), short)),
        page("set-up-done", &["setup-done", "try-start"], &done),
        page("try", &["try-start"], &TryIt { frame: data.frame(texts), action: "/try".to_owned() }),
        page("try-result", &["try-result", "try-start"], &result(texts, data)),
        page("try-stopped", &["error-code", "error-description", "error-trace-id"], &stopped(texts, data)),
        page("outbox", &["outbox-mails"], &Outbox { frame: data.frame(texts), mails: vec![mail(texts, data)] }),
        page("outbox-empty", &["outbox-empty"], &Outbox { frame: data.frame(texts), mails: vec![] }),
        page("outbox-mail", &["outbox-subject", "outbox-to", "outbox-text"], &outbox_mail(texts, data)),
    ]
}

fn mail(texts: &'static Texts, data: Data) -> OutboxLine {
    OutboxLine {
        address: "/outbox/0192f6e4".to_owned(),
        to: data.word("ada@example.org"),
        subject: data.word("Choose a new password"),
        lang: "en",
        at: Moment::of(texts, 1_795_167_840),
    }
}

fn outbox_mail(texts: &'static Texts, data: Data) -> OutboxMail {
    OutboxMail {
        frame: data.frame(texts),
        line: mail(texts, data),
        links: Link::web("https://id.example/account/reset?token=x")
            .map(|link| (data.word("Choose a new password"), link))
            .into_iter()
            .collect(),
        text: data.word("Somebody, probably you, has asked for a new password."),
        framed: "/outbox/0192f6e4/html".to_owned(),
        back: "/outbox".to_owned(),
    }
}

fn stopped(texts: &'static Texts, data: Data) -> TryResult {
    let problem =
        TryProblem { code: data.word("access_denied"), description: data.word("the person did not allow the access") };
    let mut page = result(texts, data);
    page.exchanges.truncate(1);
    TryResult { tokens: vec![], claims: vec![], userinfo: None, problem: Some(problem), ..page }
}

fn result(texts: &'static Texts, data: Data) -> TryResult {
    let name = data.word("Ada Lovelace");
    let claims = json!({"iss": "http://localhost:8080", "sub": "0192f6e4-6f0c-7cc1-9d0a-4b1b8f0f0f31",
        "aud": "signet-try", "exp": 1_795_168_440, "iat": 1_795_167_840, "auth_time": 1_795_167_840, "nonce": "n-0S6_WzA2Mj",
        "acr": "aal1", "amr": ["pwd"], "sid": "u5NbhcN2tQ0", "at_hash": "77QmUPtjPfzWtF2AnpK9RQ"});
    let userinfo = json!({"sub": "0192f6e4-6f0c-7cc1-9d0a-4b1b8f0f0f31", "name": name, "preferred_username": "ada",
        "email": data.word("ada@example.org"), "email_verified": true, "updated_at": 1_795_160_000,
        "https://claims.example/team": "Analytical Engine"});
    let header = json!({"alg": "RS256", "kid": "x7Zk0yq3HnT0pJmVb1m1qB8e9cQ", "typ": "JWT"});
    let key = || Signature::Verified { algorithm: "RS256".to_owned(), key: data.word("x7Zk0yq3HnT0pJmVb1m1qB8e9cQ") };
    let raw = format!(
        "eyJhbGciOiJSUzI1NiIsImtpZCI6Ing3WmsweXEzIn0.{}.{}",
        "eyJpc3MiOiJodHRwOi8v".repeat(12),
        "c2ln".repeat(85)
    );
    let (id_token, answer) = (claims.as_object().expect("an object"), userinfo.as_object().expect("an object"));
    TryResult {
        frame: data.frame(texts),
        exchanges: exchanges(data, &raw, &userinfo.to_string()),
        tokens: vec![
            DecodedToken::jwt(TokenKind::Id, &raw, &header, &claims, key()),
            DecodedToken::jwt(TokenKind::Access, &raw, &header, &json!({"scope": data.word("openid email")}), key()),
            DecodedToken::opaque(TokenKind::Refresh, &data.word("r1.VGhpcyBpcyBub3QgYSB0b2tlbg")),
        ],
        claims: ClaimRow::all(texts, id_token, answer),
        userinfo: Some(pretty(&userinfo)),
        problem: None,
        again: "/try".to_owned(),
        account: "/account".to_owned(),
    }
}

fn exchanges(data: Data, raw: &str, userinfo: &str) -> Vec<Exchange> {
    let state = data.word("af0ifjsldkj");
    let authorize = url::Url::parse_with_params(
        "http://localhost:8080/authorize",
        [
            ("response_type", "code"),
            ("client_id", "signet-try"),
            ("redirect_uri", "http://localhost:8080/try/callback"),
            ("scope", "openid profile email"),
            ("state", &state),
            ("nonce", "n-0S6_WzA2Mj"),
            ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWBuGJSstw-cM"),
            ("code_challenge_method", "S256"),
        ],
    )
    .expect("an address");
    let callback = "http://localhost:8080/try/callback?code=SplxlOBeZQQYbYS6WxSbIA&state=af0ifjsldkj&iss=http%3A%2F%2Flocalhost%3A8080";
    let tokens = json!({"access_token": raw, "token_type": "Bearer", "expires_in": 600, "id_token": raw, "scope": "openid profile email"});
    vec![
        Exchange {
            stage: Stage::Authorize,
            request: Message::request("GET", authorize.as_str()),
            response: Some(Message::response(303, "See Other").header("location", callback)),
        },
        Exchange { stage: Stage::Callback, request: Message::request("GET", callback), response: None },
        Exchange {
            stage: Stage::Token,
            request: Message::request("POST", "http://localhost:8080/oauth2/token")
                .header("content-type", "application/x-www-form-urlencoded")
                .form("grant_type=authorization_code&code=SplxlOBeZQQYbYS6WxSbIA&redirect_uri=http%3A%2F%2Flocalhost%3A8080%2Ftry%2Fcallback&client_id=signet-try&code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
            response: Some(
                Message::response(200, "OK")
                    .header("content-type", "application/json")
                    .header("cache-control", "no-store")
                    .body(&tokens.to_string()),
            ),
        },
        Exchange {
            stage: Stage::UserInfo,
            request: Message::request("GET", "http://localhost:8080/oauth2/userinfo").header("authorization", &format!("Bearer {raw}")),
            response: Some(Message::response(200, "OK").header("content-type", "application/json").body(userinfo)),
        },
    ]
}
