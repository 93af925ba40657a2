//! IN: one form of each name, and no characters that deceive.
use reqwest::Method;
use sea_orm::EntityTrait;
use serde_json::json;
use signet::{
    flows::{
        Trouble,
        admin::{
            clients::{self, Kind},
            users::{self, NewUser},
        },
    },
    protocol::{
        claims::{ADDRESS, TEXTS},
        client_metadata::ClientPolicy,
    },
    store::user,
};

use super::{pages::fill_set_up, passwords::signs_in};
use crate::harness::{Call, Parameters, TestServer, assert, fixtures, jwt::CLIENTS_KEY, seed::Person};

/// SEC-161, CVE-2025-24806, CVE-2026-47203: twins are one person, whichever way the name is typed.
#[tokio::test]
async fn sec_161_a_twin_of_a_name_is_the_same_name() {
    let f = fixtures().await;
    for (number, (name, twins)) in [
        ("maria", &["Maria", "MARIA", " maria ", "maria.", "ｍａｒｉａ", "ⓜaria"][..]),
        ("zoë", &["zoe\u{308}", "ZOË", "ZOE\u{308}", "ｚoë"]),
        ("fiona", &["ﬁona", "FIONA", "ﬁONA"]),
        ("karl", &["\u{212a}arl", "\u{ff2b}arl"]),
        ("jo.ann", &["jo\u{2024}ann", "JO．ANN", "jo。ann", "jo｡ann"]),
        ("ines", &["İnes", "İNES", "i\u{307}nes"]),
        ("한글", &["\u{1112}\u{1161}\u{11ab}\u{1100}\u{1173}\u{11af}"]),
        (
            "maria@x.example",
            &["Maria@X.Example", "maria@x.example.", " maria@x.example", "maria@ｘ.example", "maria@x．example"],
        ),
        (
            "jo@bücher.example",
            &["jo@xn--bcher-kva.example", "JO@BÜCHER.example", "jo@bu\u{308}cher.example", "jo@bücher。example"],
        ),
        ("ﬀ@x.example", &["ff@x.example", "FF@x.example"]),
        ("jo.ann@x.example", &["jo\u{2024}ann@x.example", "Jo．Ann@x.example", "jo。ann@x.example"]),
    ]
    .into_iter()
    .enumerate()
    {
        let new = |login: &str, other: &str| {
            let (email, username) = if login.contains('@') { (login, other) } else { (other, login) };
            let (email, username) = (Some(email.to_string()), Some(username.to_string()));
            NewUser { email, username, password: Some("three wet umbrellas".into()), ..NewUser::default() }
        };
        let other = |what: &str| {
            if name.contains('@') { format!("u{number}{what}") } else { format!("u{number}{what}@a.example") }
        };
        let made = users::create(&f.app, new(name, &other("first"))).await.unwrap();
        for twin in [name].iter().chain(twins) {
            let again = users::create(&f.app, new(twin, &other("second"))).await;
            assert!(matches!(again, Err(Trouble::Conflict(_))), "{twin:?} beside {name:?}: {again:?}");
            let person = Person { username: twin.to_string(), ..f.u1.clone() };
            assert!(signs_in(&f, &person, "three wet umbrellas").await, "{twin:?} does not open {name:?}");
            assert_eq!(users::find(&f.app, twin).await.unwrap().id, made.id, "{twin:?}");
        }
    }
}

/// A name cannot be somebody's address, nor the other way round.
#[tokio::test]
async fn sec_161_a_name_cannot_pose_as_an_address() {
    let f = fixtures().await;
    for username in ["ada@example.com", "ada＠example.com", "@ada", "ada@"] {
        let new = NewUser { username: Some(username.into()), ..NewUser::default() };
        let refused = users::create(&f.app, new).await.unwrap_err();
        assert!(
            matches!(&refused, Trouble::Invalid(fields) if fields[0].name == "username"),
            "{username}: {refused:?}"
        );
    }
}

/// Nobody sees or types these; in names they deceive.
const DECEIVERS: [(&str, char); 14] = [
    ("NUL", '\0'),
    ("a bell", '\u{7}'),
    ("an escape", '\u{1b}'),
    ("a line break", '\n'),
    ("a delete", '\u{7f}'),
    ("a C1 control", '\u{9b}'),
    ("a soft hyphen", '\u{ad}'),
    ("a zero-width space", '\u{200b}'),
    ("a zero-width joiner", '\u{200d}'),
    ("a right-to-left override", '\u{202e}'),
    ("an isolate", '\u{2066}'),
    ("a byte order mark", '\u{feff}'),
    ("a Hangul filler", '\u{3164}'),
    ("a replaced byte", '\u{fffd}'),
];

/// SEC-162, ASVS 2.2.1: the field is named, nothing is kept.
#[tokio::test]
async fn sec_162_a_person_is_refused_when_a_field_deceives() {
    let f = fixtures().await;
    let before = user::Entity::find().all(&f.app.db).await.unwrap().len();
    let text = |field: &str, c: char| match field {
        "email" => format!("a{c}b@x.example"),
        "profile" | "picture" | "website" => format!("https://x.example/{c}"),
        _ => format!("a{c}b"),
    };
    for (what, c) in DECEIVERS {
        for field in ["username", "email", "phone_number"].iter().chain(TEXTS) {
            let value = text(field, c);
            let mut new = NewUser { username: Some("somebody".into()), ..NewUser::default() };
            match *field {
                "username" => new.username = Some(value),
                "email" => new.email = Some(value),
                "phone_number" => new.phone_number = Some(value),
                claim => new.claims = serde_json::from_value(json!({ claim: value })).unwrap(),
            }
            let refused = users::create(&f.app, new).await.map(|user| user.username);
            let named = matches!(&refused, Err(Trouble::Invalid(fields)) if fields[0].name == *field);
            assert!(named, "{what} in {field}: {refused:?}");
        }
        for member in ADDRESS {
            // These may have several lines.
            if c == '\n' && ["formatted", "street_address"].contains(&member) {
                continue;
            }
            let claims = serde_json::from_value(json!({ "address": { member: text(member, c) } })).unwrap();
            let new = NewUser { username: Some("somebody".into()), claims, ..NewUser::default() };
            let refused = users::create(&f.app, new).await.map(|user| user.username);
            let named = matches!(&refused, Err(Trouble::Invalid(fields)) if fields[0].name == "address");
            assert!(named, "{what} in address.{member}: {refused:?}");
        }
    }
    assert_eq!(user::Entity::find().all(&f.app.db).await.unwrap().len(), before);
}

#[tokio::test]
async fn sec_162_a_client_is_refused_when_a_field_deceives() {
    let f = fixtures().await;
    for (what, c) in DECEIVERS {
        for field in
            ["client_id", "client_name", "redirect_uris", "post_logout_redirect_uris", "client_uri", "allowed_origins"]
        {
            let mut new = clients::NewClient {
                client_id: Some("deceiver".into()),
                kind: Kind::Web,
                metadata: Kind::Web.defaults(),
                policy: ClientPolicy::default(),
                secret: None,
            };
            new.metadata.redirect_uris = vec!["https://rp.example/cb".into()];
            let (word, uri) = (format!("a{c}b"), format!("https://rp.example/{c}x"));
            match field {
                "client_id" => new.client_id = Some(word),
                "client_name" => new.metadata.client_name = Some(word),
                "redirect_uris" => new.metadata.redirect_uris = vec![uri],
                "post_logout_redirect_uris" => new.metadata.post_logout_redirect_uris = vec![uri],
                "client_uri" => new.metadata.client_uri = Some(uri),
                _ => new.policy.allowed_origins = vec![format!("https://rp{c}.example")],
            }
            let refused = clients::create(&f.app, new).await.map(|(client, _)| client.client_id);
            let named = matches!(&refused, Err(Trouble::Invalid(fields)) if fields[0].name == field);
            assert!(named, "{what} in {field}: {refused:?}");
        }
    }
}

/// A redirect URI is compared byte for byte, so it must be one that browsers do not rewrite (RFC 3986 §2).
#[tokio::test]
async fn sec_162_a_redirect_uri_has_only_characters_of_uris() {
    let f = fixtures().await;
    for uri in [
        "https://rp.example\\@evil.test/cb",
        "https://rp.example/a\\b",
        "https://rp.example/\"x",
        "https://rp.example/<x>",
        "https://rp.example/a b",
        "https://rp.example/`",
        "https://rp.example/{x}",
        "https://rp.example/a|b",
        "https://rp.example/a^b",
        "https://rp.example/é",
        "https://rp。example/cb",
        "https://user@rp.example/cb",
        "https://*.rp.example/cb",
        "https://rp.example/%zz",
        "https://rp.example/%",
    ] {
        let mut metadata = Kind::Web.defaults();
        metadata.redirect_uris = vec![uri.into()];
        let policy = ClientPolicy::default();
        let new = clients::NewClient { client_id: None, kind: Kind::Web, metadata, policy, secret: None };
        let refused = clients::create(&f.app, new).await.map(|(client, _)| client.metadata.redirect_uris);
        let named = matches!(&refused, Err(Trouble::Invalid(fields)) if fields[0].name == "redirect_uris");
        assert!(named, "{uri}: {refused:?}");
    }
}

/// SEC-162 at the door: text that is none is refused by the name of its parameter.
#[tokio::test]
async fn sec_162_a_parameter_that_is_no_text_is_named() {
    let f = fixtures().await;
    let request = f.c1.asks().without("state").without("nonce").url();
    for name in ["state", "nonce", "login_hint", "ui_locales", "acr_values", "display", "unknown"] {
        for bytes in ["%00", "a%0ab", "%ff%fe", "%c3%28", "%ed%a0%80", "%1b[31m"] {
            let mut browser = f.browser();
            browser.goto(&format!("{request}&{name}={bytes}")).await;
            let landed = browser.landed();
            assert_eq!(landed.get("error"), Some("invalid_request"), "{name}={bytes}");
            assert!(landed.get("error_description").unwrap().contains(name), "{name}={bytes}: {}", landed.raw);
            assert_eq!(landed.get("state"), None, "{}", landed.raw);
        }
        for ordinary in ["%zz", "%", "%e2%82%ac"] {
            let mut browser = f.browser();
            browser.goto(&format!("{request}&{name}={ordinary}")).await;
            assert!(browser.sees("login-submit"), "{name}={ordinary} is odd, but text: {}", browser.page());
        }
    }
    for body in [&b"grant_type=client_credentials&scope=%ff"[..], b"grant_type=%00", b"\xff=\xfe", b"grant_type=a%0ab"]
    {
        let call = f.c5.call("/oauth2/token", Parameters::default());
        let call = call.body("application/x-www-form-urlencoded", body);
        let answer = f.site.send(call).await;
        assert!(answer.status == 400, "{}", answer.text());
        assert!(["invalid_request", "invalid_scope"].contains(&answer.json()["error"].as_str().unwrap()));
    }
}

/// SEC-162: half a surrogate pair is no text, in whatever JSON it comes.
#[tokio::test]
async fn sec_162_half_a_character_in_json_is_refused() {
    let f = fixtures().await;
    for claims in
        [r#"{"userinfo":{"\ud800":null}}"#, r#"{"id_token":{"sub":{"value":"\udfff"}}}"#, r#"{"userinfo":"\ud83d"}"#]
    {
        let mut browser = f.browser();
        let asked = f.c1.asks().with("claims", claims);
        browser.goto(&asked.url()).await;
        assert::redirect(&browser, &f.c1, &asked, "invalid_request");
    }
    let half = |claims: String| {
        use base64::prelude::{BASE64_URL_SAFE_NO_PAD as BASE64, Engine};
        let genuine = CLIENTS_KEY.sign(&json!({}));
        let parts: Vec<&str> = genuine.split('.').collect();
        format!("{}.{}.{}", parts[0], BASE64.encode(claims), parts[2])
    };
    let assertion = half(r#"{"iss":"c6","sub":"c6","jti":"\ud800"}"#.into());
    let form = crate::harness::relying_party::with_assertion(
        Parameters::new(&[("grant_type", "client_credentials")]),
        &assertion,
    );
    assert::json(&f.site.send(Call::post("/oauth2/token").form(&form)).await, 401, "invalid_client");
    let hint = half(format!(r#"{{"iss":"{}","sub":"\ud800"}}"#, f.site.issuer));
    let mut browser = f.browser();
    let asked = f.c1.asks().with("id_token_hint", &hint);
    browser.goto(&asked.url()).await;
    assert::redirect(&browser, &f.c1, &asked, "invalid_request");
}

/// SEC-162 on our own forms: refused with 4xx, and nobody is made or signed in.
#[tokio::test]
async fn sec_162_our_forms_refuse_what_deceives() {
    let f = TestServer::start().await;
    let mut browser = f.browser();
    fill_set_up(&f, &mut browser).await;
    let (action, _, form) = browser.form("setup-submit");
    for (what, c) in DECEIVERS {
        for field in ["email", "username", "name", "password"] {
            let text = match field {
                "email" => format!("a{c}b@x.example"),
                "password" if !matches!(c, '\0' | '\n' | '\u{fffd}') && !c.is_control() => continue,
                _ => format!("a long enough value with a {c} in it")
                    .replace(' ', if field == "username" { "" } else { " " }),
            };
            let answer = browser.request(Call::post(&action).form(&form.clone().with(field, &text))).await;
            assert!([403, 422].contains(&answer.status), "{what} in {field}: {} {}", answer.status, answer.text());
        }
    }
    for raw in [&b"\xff\xfe"[..], b"email=%ff&name=%fe&password=%fd", b"%zz=%"] {
        let call = Call::new(Method::POST, &action).body("application/x-www-form-urlencoded", raw);
        assert!((400..500).contains(&browser.request(call).await.status));
    }
    assert!(user::Entity::find().all(&f.app.db).await.unwrap().is_empty());
}
