//! Tokens for programs of a person: login, refresh and logout, as hand-written back ends have them.
use sea_orm::EntityTrait;
use signet::{
    app::throttle::{Locked, Wait},
    flows::{
        account::{
            me::Me,
            sessions,
            tokens::{self, CLIENT_ID, Outcome, SignedIn},
        },
        api_access,
        issue::Tokens as Issued,
        userinfo::Bearer,
        visitor::{Device, Visitor},
    },
    jobs,
    store::{
        client, grant, login_attempt, mail,
        session::{self, API},
    },
};

use super::signed_in::{FIREFOX, at, device, log, signed_in_with};
use crate::harness::{
    Call, Fixtures, Parameters, TestServer, assert, fixtures,
    jwt::Token,
    relying_party::{TOKEN, USERINFO},
    seed::{ClientSpec, Person, set_password},
};

const CURL: &str = "curl/8.5.0";
const DAY: i64 = 86_400;

fn program(f: &Fixtures, given: Option<&str>) -> Visitor {
    Visitor::of_program(&f.app, given, device(CURL))
}

async fn log_in(f: &Fixtures, given: Option<&str>, login: &str, password: &str) -> Outcome {
    tokens::login(&f.app, &program(f, given), login, password).await.unwrap()
}

async fn logged_in(f: &Fixtures, person: &Person) -> SignedIn {
    match log_in(f, None, &person.username, &person.password).await {
        Outcome::SignedIn(signed_in) => *signed_in,
        _ => panic!("{} cannot sign in", person.username),
    }
}

fn held(header: &str) -> Bearer<'_> {
    Bearer { headers: vec![header], form: None, address: None }
}

async fn person(f: &Fixtures, access: &str) -> Result<Me, (u16, String)> {
    let header = format!("Bearer {access}");
    let me = api_access::person(&f.app, &held(&header), device(CURL)).await;
    me.map_err(|refused| (refused.error.code.status(), refused.error.description.to_string()))
}

async fn refreshed(f: &Fixtures, tokens: &Issued) -> Result<Issued, (u16, &'static str)> {
    let next = tokens::refresh(&f.app, &device(CURL), tokens.refresh_token.as_ref().unwrap()).await;
    next.map_err(|refused| (refused.error.code.status(), refused.error.code.as_str()))
}

async fn log_out(f: &Fixtures, access: &str) -> bool {
    let header = format!("Bearer {access}");
    tokens::logout(&f.app, &held(&header)).await.is_ok()
}

async fn sees_userinfo(f: &Fixtures, access: &str) -> bool {
    f.site.send(Call::get(USERINFO).bearer(access)).await.status == 200
}

#[tokio::test]
async fn a_program_signs_in_and_gets_the_servers_usual_tokens() {
    let f = fixtures().await;
    for name in [&f.u1.username, &f.u1.email] {
        let Outcome::SignedIn(signed_in) = log_in(&f, None, name, &f.u1.password).await else { panic!("{name}") };
        let token = Token::read(&signed_in.tokens.access_token);
        assert_eq!((&token.header["typ"], &token.header["alg"]), (&"at+jwt".into(), &"RS256".into()));
        let issuer = f.app.issuer();
        assert_eq!((token.claims["iss"].as_str(), token.claims["aud"].as_str()), (Some(issuer), Some(issuer)));
        assert_eq!(token.claims["sub"].as_str(), Some(f.u1.id.as_str()));
        assert_eq!(token.claims["client_id"], CLIENT_ID);
        assert_eq!(token.claims["scope"], "address email openid phone profile signet:account");
        assert_eq!(token.claims["exp"].as_i64().unwrap() - f.now(), 600);
        assert!(sees_userinfo(&f, &signed_in.tokens.access_token).await);
        let me = person(&f, &signed_in.tokens.access_token).await.unwrap();
        assert_eq!((me.user.id.to_string(), me.auth_time, me.is_fresh(&f.app)), (f.u1.id.clone(), f.now(), true));
        let next = refreshed(&f, &signed_in.tokens).await.unwrap();
        assert!(person(&f, &next.access_token).await.is_ok());
    }
}

#[tokio::test]
async fn a_program_is_refused_when() {
    let f = fixtures().await;
    for (name, login, password) in [
        ("the password is wrong", &f.u1.username, &"a wrong password".to_string()),
        ("nobody has the name", &"xerxes".into(), &f.u1.password),
        ("the account is disabled", &f.u5.username, &f.u5.password),
    ] {
        assert!(matches!(log_in(&f, None, login, password).await, Outcome::Wrong), "when {name}");
    }
    f.app.attempts.flush().await;
    assert_eq!(login_attempt::Entity::find().all(&f.app.db).await.unwrap().len(), 3);
    assert!(session::Entity::find().all(&f.app.db).await.unwrap().is_empty());
}

/// What is answered is the same as to a wrong one (case SEC-118).
#[tokio::test]
async fn who_has_not_confirmed_the_address_gets_another_link_for_the_right_password() {
    let settings = [("accounts.registration", "open"), ("mail.host", "localhost")];
    let f = TestServer::with(&settings).await.fixtures().await;
    let new = signet::flows::account::registration::NewAccount {
        email: "dora@example.com".into(),
        username: Some("dora".into()),
        password: "17 wet umbrellas at sea".into(),
        ..Default::default()
    };
    signet::flows::account::registration::register(&f.app, &program(&f, None), new).await.unwrap();
    assert!(matches!(log_in(&f, None, "dora", "a wrong password").await, Outcome::Wrong));
    let before = mail::Entity::find().all(&f.app.db).await.unwrap().len();
    assert!(matches!(log_in(&f, None, "dora", "17 wet umbrellas at sea").await, Outcome::Unconfirmed));
    let mails = async || mail::Entity::find().all(&f.app.db).await.unwrap().len();
    f.until(async || (mails().await == before + 1).then_some(())).await;
    assert!(session::Entity::find().all(&f.app.db).await.unwrap().is_empty());
    f.app.attempts.flush().await;
    let reasons = login_attempt::Entity::find().all(&f.app.db).await.unwrap();
    assert!(reasons.iter().any(|row| row.reason == "unconfirmed_address" && row.result == "refused"));
}

/// AC7: what is locked is told apart, and a name that nobody has is locked like any other.
#[tokio::test]
async fn a_program_learns_what_is_locked() {
    for login in ["ada", "xerxes", "edgar"] {
        let f = TestServer::with_limits().await.fixtures().await;
        let wait = async |login: &str| match log_in(&f, None, login, "a wrong password").await {
            Outcome::TooMany(wait) => Some(wait),
            _ => None,
        };
        let mut waits = Vec::new();
        for _ in 0..6 {
            waits.push(wait(login).await);
        }
        let account = Some(Wait { seconds: 2, locked: Locked::Account });
        assert_eq!(waits, [None, None, None, None, None, account], "{login}");
        for number in 0..36 {
            wait(&format!("person{number}")).await;
        }
        assert_eq!(wait("somebody").await.map(|wait| wait.locked), Some(Locked::Address), "{login}");
    }
}

/// K11: what a program was given when it signed in lets it in while strangers guess, and tells that it is no new device.
#[tokio::test]
async fn a_program_that_signed_in_before_is_not_shut_out() {
    let f = TestServer::with_limits().await.fixtures().await;
    let first = logged_in(&f, &f.u1).await;
    let elsewhere = |number: u8| Device::new([192, 0, 2, number].into(), Some("guesser/1"));
    for number in 0..20 {
        let stranger = Visitor::of_program(&f.app, None, elsewhere(number));
        tokens::login(&f.app, &stranger, &f.u1.username, "a wrong password").await.unwrap();
    }
    let again = async |given: Option<&str>| log_in(&f, given, &f.u1.username, &f.u1.password).await;
    assert!(matches!(again(None).await, Outcome::TooMany(_)));
    for forged in ["", ".", "x.y", &first.device.to_uppercase(), &first.device[..80]] {
        assert!(matches!(again(Some(forged)).await, Outcome::TooMany(_)), "{forged}");
    }
    assert!(matches!(again(Some(&first.device)).await, Outcome::SignedIn(_)));
    let lines = f.until(async || Some(log(&f, &f.u1).await).filter(|lines| lines.len() > 1)).await;
    let new = lines.iter().filter(|line| *line == "new_device").count();
    assert_eq!(new, 1, "{lines:?}");
    let Outcome::Wrong = log_in(&f, Some(&first.device), &f.u2.username, "wrong").await else {
        panic!("another person")
    };
}

/// Many programs keep nothing. They are known by their name and address, so that nobody gets a mail each hour.
#[tokio::test]
async fn a_program_that_keeps_nothing_is_new_once_at_each_address() {
    let f = fixtures().await;
    for (address, name, lines, mails) in [
        ([192, 0, 2, 1], Some(CURL), 1, 0),
        ([192, 0, 2, 1], Some(CURL), 1, 0),
        ([192, 0, 2, 2], Some(CURL), 2, 1),
        ([192, 0, 2, 2], None, 3, 2),
        ([192, 0, 2, 2], None, 3, 2),
        ([192, 0, 2, 1], Some("other/1"), 4, 3),
    ] {
        let visitor = Visitor::of_program(&f.app, None, Device::new(address.into(), name));
        let outcome = tokens::login(&f.app, &visitor, &f.u1.username, &f.u1.password).await.unwrap();
        assert!(matches!(outcome, Outcome::SignedIn(_)));
        let told = mail::Entity::find().all(&f.app.db).await.unwrap().len();
        assert_eq!((log(&f, &f.u1).await.len(), told), (lines, mails), "{name:?} at {address:?}");
    }
}

#[tokio::test]
async fn a_program_is_among_the_sessions_and_ends_like_one() {
    let f = fixtures().await;
    let signed_in = logged_in(&f, &f.u1).await;
    let browser = signed_in_with(&f, &f.u1, FIREFOX).await;
    let (visitor, at_browser) = at(&f, &browser).await;
    let me = person(&f, &signed_in.tokens.access_token).await.unwrap();
    let listed = sessions::list(&f.app, &me, "en").await.unwrap();
    let program = listed.iter().find(|entry| entry.is_program).expect("it is listed");
    assert_eq!((program.is_this, program.says.name().as_deref()), (true, Some("curl 8")));
    assert_eq!((listed.len(), program.expires_at), (2, f.now() + 14 * DAY));
    let tokens = refreshed(&f, &signed_in.tokens).await.unwrap();
    sessions::end(&f.app, &visitor, &at_browser, me.session.unwrap(), None).await.unwrap();
    assert_eq!(person(&f, &tokens.access_token).await.unwrap_err().0, 401);
    assert_eq!(refreshed(&f, &tokens).await.unwrap_err(), (400, "invalid_grant"));
    assert_eq!(sessions::list(&f.app, &at_browser, "en").await.unwrap().len(), 1);
}

/// Issue 4: the access token, every other of its line, the refresh tokens and the session die at once; others do not.
#[tokio::test]
async fn logging_out_ends_all_that_came_of_the_login() {
    let f = fixtures().await;
    let first = logged_in(&f, &f.u1).await.tokens;
    let second = refreshed(&f, &first).await.unwrap();
    let other = logged_in(&f, &f.u1).await.tokens;
    assert!(log_out(&f, &second.access_token).await);
    for dead in [&first, &second] {
        assert_eq!(person(&f, &dead.access_token).await.unwrap_err().0, 401);
        assert!(!sees_userinfo(&f, &dead.access_token).await);
        assert_eq!(refreshed(&f, dead).await.unwrap_err(), (400, "invalid_grant"));
        assert!(!log_out(&f, &dead.access_token).await);
    }
    assert!(person(&f, &other.access_token).await.is_ok());
    assert_eq!(session::Entity::find().all(&f.app.db).await.unwrap().len(), 1);
}

#[tokio::test]
async fn signing_out_everywhere_and_a_new_password_reach_programs() {
    let f = fixtures().await;
    for how in ["everywhere", "password"] {
        let tokens = logged_in(&f, &f.u1).await.tokens;
        let me = person(&f, &tokens.access_token).await.unwrap();
        match how {
            "everywhere" => sessions::end_all(&f.app, &program(&f, None), &me).await.unwrap(),
            _ => set_password(&f.app, &f.u1, "eleven narrow bridges").await,
        }
        assert_eq!(person(&f, &tokens.access_token).await.unwrap_err().0, 401, "{how}");
        assert_eq!(refreshed(&f, &tokens).await.unwrap_err(), (400, "invalid_grant"), "{how}");
    }
}

/// SEC-109 for programs: their sessions live as their refresh tokens do, not as those of browsers.
#[tokio::test]
async fn sec_109_a_program_is_signed_in_as_long_as_its_refresh_token_lives() {
    let f = fixtures().await;
    let mut tokens = logged_in(&f, &f.u1).await.tokens;
    let idle = logged_in(&f, &f.u1).await.tokens;
    let count = async || session::Entity::find().all(&f.app.db).await.unwrap().len();
    for days in 1..=6 {
        f.clock.advance(13 * DAY);
        jobs::run_all(&f.app).await;
        tokens = refreshed(&f, &tokens).await.unwrap_or_else(|error| panic!("after {days} × 13 days: {error:?}"));
        assert!(person(&f, &tokens.access_token).await.is_ok());
        assert_eq!(count().await, if days == 1 { 2 } else { 1 }, "the one that is used stays");
    }
    assert!(refreshed(&f, &idle).await.is_err());
    f.clock.advance(12 * DAY);
    jobs::run_all(&f.app).await;
    assert_eq!((count().await, refreshed(&f, &tokens).await.is_err()), (0, true), "ninety days are the end");
}

/// A use by an access token counts too, once a minute.
#[tokio::test]
async fn what_a_program_does_keeps_its_session_in_use() {
    let f = fixtures().await;
    let tokens = logged_in(&f, &f.u1).await.tokens;
    let used = async || session::Entity::find().one(&f.app.db).await.unwrap().unwrap().last_used_at;
    let begun = f.now();
    for (seconds, seen) in [(59, begun), (1, begun + 60), (59, begun + 60), (1, begun + 120)] {
        f.clock.advance(seconds);
        person(&f, &tokens.access_token).await.unwrap();
        assert_eq!(used().await, seen);
    }
}

/// A session without a cookie is nobody's browser, whatever is in the row.
#[tokio::test]
async fn a_programs_session_opens_no_page() {
    let f = fixtures().await;
    logged_in(&f, &f.u1).await;
    let row = session::Entity::find().one(&f.app.db).await.unwrap().unwrap();
    assert_eq!((row.kind.as_str(), row.user_agent.as_deref()), (API, Some(CURL)));
    let live = async || session::find_live(&f.app.db, &row.hash, f.now(), 3600, "").await.unwrap();
    assert!(live().await.is_none());
}

/// The client of the API is for the API: there is no other way to its tokens.
#[tokio::test]
async fn the_apis_client_is_of_no_other_use() {
    let f = fixtures().await;
    let mut browser = f.signed_in(&f.u1).await;
    for redirect_uri in ["https://rp.example/cb", &f.app.url("/try/callback")] {
        let asked = f.c2.asks().with("client_id", CLIENT_ID).with("redirect_uri", redirect_uri);
        browser.goto(&asked.url()).await;
        assert!(!browser.has_left() && browser.page().status() == 400, "{}", browser.page());
    }
    for grant in ["password", "client_credentials", "authorization_code"] {
        let form = [("client_id", CLIENT_ID), ("grant_type", grant), ("username", &f.u1.username), ("code", "x")];
        let form = Parameters::new(&form).with("password", &f.u1.password);
        let answer = f.site.send(Call::post(TOKEN).form(&form)).await;
        assert_eq!(answer.status, 400, "{grant}: {}", answer.text());
    }
    // What the token endpoint is for, it does: the same refresh token works there.
    let tokens = logged_in(&f, &f.u1).await.tokens;
    let form = [("client_id", CLIENT_ID), ("grant_type", "refresh_token")];
    let form = Parameters::new(&form).with("refresh_token", tokens.refresh_token.as_ref().unwrap());
    let answer = f.site.send(Call::post(TOKEN).form(&form)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(person(&f, answer.json()["access_token"].as_str().unwrap()).await.is_ok());
}

/// Third parties act on accounts only with the scope, as the operator registered it; logging out ends their tokens alone.
#[tokio::test]
async fn an_app_runs_an_account_only_with_the_scope_that_the_operator_gave_it() {
    let f = fixtures().await;
    let scope = "openid profile signet:account";
    let helper = f.client(ClientSpec { scope, ..ClientSpec::web("helper") }).await;
    let plain = f.visit(&f.c1).await.tokens;
    assert_eq!(person(&f, &plain.access).await.unwrap_err().0, 403);
    let asked = f.c1.asks().with("scope", scope);
    let visit = f.visit_with(&f.c1, asked).await;
    assert_eq!(person(&f, &visit.tokens.access).await.unwrap_err().0, 403, "{:?}", visit.tokens.scopes());
    let machine = f.c5.for_itself("reports.read").await;
    assert_eq!(person(&f, &machine).await.unwrap_err().0, 401, "of another API");
    assert_eq!(person(&f, "x").await.unwrap_err().0, 401);

    let visit = f.visit_with(&helper, helper.asks().with("scope", scope)).await;
    let me = person(&f, &visit.tokens.access).await.unwrap();
    assert_eq!(me.session, at(&f, &visit.browser).await.1.session);
    assert!(log_out(&f, &visit.tokens.access).await);
    assert_eq!(person(&f, &visit.tokens.access).await.unwrap_err().0, 401);
    assert_eq!(at(&f, &visit.browser).await.1.session, me.session, "the person's browser goes on");

    // The operator changes their mind, or the client registered itself.
    for (registered, scope) in [(false, "openid profile"), (true, scope)] {
        let visit = f.visit_with(&helper, helper.asks().with("scope", "openid signet:account")).await;
        assert!(person(&f, &visit.tokens.access).await.is_ok());
        let before = client::find(&f.app.db, "helper").await.unwrap().unwrap();
        let mut changed = before.clone();
        changed.metadata.scope = scope.parse().unwrap();
        changed.origin = if registered { client::REGISTERED.into() } else { changed.origin };
        client::put(&f.app.db, changed).await.unwrap();
        f.app.cache.forget_client("helper").await;
        assert_eq!(person(&f, &visit.tokens.access).await.unwrap_err().0, 403, "{scope}");
        client::put(&f.app.db, before).await.unwrap();
        f.app.cache.forget_client("helper").await;
    }
}

/// `accounts.api = false` ends what programs have.
#[tokio::test]
async fn without_the_api_there_are_no_tokens_of_it() {
    let f = TestServer::with(&[("accounts.api", "false")]).await.fixtures().await;
    let refused = tokens::login(&f.app, &program(&f, None), &f.u1.username, &f.u1.password).await;
    assert!(refused.is_err());
    assert!(grant::Entity::find().all(&f.app.db).await.unwrap().is_empty());
    assert::json(
        &f.site.send(Call::post(TOKEN).form(&Parameters::new(&[("client_id", CLIENT_ID)]))).await,
        401,
        "invalid_client",
    );
}
