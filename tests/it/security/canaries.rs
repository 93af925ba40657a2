//! A journey that makes, uses and mistypes every kind of secret there is, and what it looks like to find one again.
use base64::{
    alphabet,
    engine::{Engine, GeneralPurpose, general_purpose::NO_PAD},
    prelude::BASE64_URL_SAFE_NO_PAD,
};
use regex::bytes::RegexBuilder;
use signet::flows::{admin::clients, mail::Letter, set_up};

use super::pages::fill_set_up;
use crate::harness::{
    Asked, Browser, Call, Fixtures, Parameters, Proof,
    relying_party::{TOKEN, USERINFO, random, with_assertion},
    seed::{self, ClientSpec},
};

/// Something that must not be found anywhere.
#[derive(Clone, Debug)]
pub struct Canary {
    pub name: String,
    pub value: String,
}

/// What a test has met on its way.
#[derive(Default)]
pub struct Canaries {
    pub secrets: Vec<Canary>,
    /// What a request carries and a database may remember, but a log must not (the query strings of our pages).
    pub unlogged: Vec<Canary>,
}

impl Canaries {
    fn add(&mut self, name: &str, value: &str) {
        assert!(value.len() >= 16, "{name} is too short to be found: {value}");
        self.secrets.push(Canary { name: name.into(), value: value.into() });
    }

    fn add_unlogged(&mut self, name: &str, value: &str) {
        self.unlogged.push(Canary { name: name.into(), value: value.into() });
    }

    /// One that the test makes up.
    fn invent(&mut self, name: &str) -> String {
        let value = format!("canary {}", random(24));
        self.add(name, &value);
        value
    }

    /// The cookies of a browser and the token of its forms.
    fn take(&mut self, whose: &str, browser: &Browser) {
        for cookie in browser.cookies().iter().filter(|cookie| cookie.value.len() >= 16) {
            self.add(&format!("{} of {whose}", cookie.name), &cookie.value);
        }
        if browser.has_left() {
            return;
        }
        let page = &browser.page().document;
        for (index, _) in page.elements.iter().enumerate().filter(|(_, element)| element.is("form")) {
            let csrf = page.fields(index).into_iter().find(|(_, name, _)| name == "csrf");
            if let Some((_, _, value)) = csrf {
                self.add(&format!("the form token of {whose}"), &value);
            }
        }
    }
}

/// What of them is in these bytes, in whatever writing.
pub fn found(canaries: &[Canary], bytes: &[u8]) -> Vec<String> {
    let all: Vec<_> = canaries.iter().flat_map(|it| writings(&it.value).into_iter().map(move |w| (it, w))).collect();
    let escaped = |text: &[u8]| text.iter().map(|byte| format!("\\x{byte:02x}")).collect::<String>();
    let any = all.iter().map(|(_, (_, text))| escaped(text)).collect::<Vec<_>>().join("|");
    let any = RegexBuilder::new(&format!("(?-u:{any})")).size_limit(1 << 28).build().unwrap();
    let mut found: Vec<String> = any
        .find_iter(bytes)
        .map(|seen| {
            let (canary, (writing, text)) = all.iter().find(|(_, (_, text))| text == seen.as_bytes()).unwrap();
            format!("{} ({writing}): {}", canary.name, String::from_utf8_lossy(text))
        })
        .collect();
    found.sort();
    found.dedup();
    found
}

/// The pieces of a secret that betray it, as they are and as encodings write them.
fn writings(value: &str) -> Vec<(&'static str, Vec<u8>)> {
    let length = 20.min(value.len());
    let mut cores = vec![&value.as_bytes()[value.len() - length..]];
    if !value.starts_with("eyJ") {
        // All our JWTs begin alike.
        cores.push(&value.as_bytes()[..length]);
    }
    let raw = BASE64_URL_SAFE_NO_PAD.decode(value).unwrap_or_default();
    let mut all = Vec::new();
    if raw.len() >= 16 {
        // The end: refresh tokens begin with the public id of their grant.
        cores.push(&raw[raw.len() - 16..]);
    }
    for core in cores {
        all.push(("as it is", core.to_vec()));
        all.push(("in hex", hex(core).into_bytes()));
        all.push(("in HEX", hex(core).to_uppercase().into_bytes()));
        all.push(("in a URL", url::form_urlencoded::byte_serialize(core).collect::<String>().into_bytes()));
        all.push(("in a path", String::from_utf8_lossy(core).replace(' ', "%20").into_bytes()));
        for alphabet in [alphabet::STANDARD, alphabet::URL_SAFE] {
            for before in 0..3 {
                let text = GeneralPurpose::new(&alphabet, NO_PAD).encode([&vec![0; before][..], core].concat());
                // The first and the last group depend on the neighbors.
                all.push(("in base64", text.as_bytes()[4..text.len() - 4].to_vec()));
            }
        }
    }
    all
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_canary_is_found_in_every_writing() {
    let canary = [Canary { name: "it".into(), value: "a secret of some length & more".into() }];
    let value = canary[0].value.as_bytes();
    let encoded = |prefix: &str| BASE64_URL_SAFE_NO_PAD.encode([prefix.as_bytes(), value, b"..."].concat());
    for text in [
        String::from_utf8(value.to_vec()).unwrap(),
        hex(value),
        encoded(""),
        encoded("x"),
        encoded("xy"),
        "?a=a+secret+of+some+length+%26+more&b".into(),
        "…f some length & more".into(),
    ] {
        assert!(!found(&canary, format!("before {text} after").as_bytes()).is_empty(), "{text}");
    }
    assert_eq!(found(&canary, b"a secret, and not that one"), [""; 0]);
    let token = random(44);
    let canary = [Canary { name: "it".into(), value: token.clone() }];
    assert!(!found(&canary, &BASE64_URL_SAFE_NO_PAD.decode(&token).unwrap()).is_empty(), "its raw bytes");
}

/// Every flow once, and every way to fail that takes a secret along.
pub async fn journey(f: &Fixtures) -> Canaries {
    let mut met = Canaries::default();
    for (client, who) in [(&f.c1, "c1"), (&f.c4, "c4"), (&f.c5, "c5")] {
        let (Proof::Basic(secret) | Proof::Post(secret)) = &client.proof else { panic!("{who}") };
        met.add(&format!("the secret of {who}"), secret);
    }
    for person in [&f.u1, &f.u2] {
        met.add(&format!("the password of {}", person.username), &person.password);
    }
    set_up(f, &mut met).await;
    sign_in(f, &mut met).await;
    let (asked, code) = f.code(&f.c1).await;
    met.add("a code that nobody redeems", &code);
    met.add("its verifier", &asked.verifier);
    tokens(f, &mut met).await;
    machines(f, &mut met).await;
    mistakes(f, &mut met).await;
    mails(f, &mut met).await;
    met
}

async fn set_up(f: &Fixtures, met: &mut Canaries) {
    let mut browser = f.browser();
    let wrong = met.invent("a made-up set-up token");
    browser.goto(&format!("/setup?token={}", wrong.replace(' ', "-"))).await;
    let link = set_up::link(&f.app, set_up::Older::AreVoid).await.unwrap();
    met.add("an unused set-up token", link.split_once("token=").unwrap().1);
    fill_set_up(f, &mut browser).await;
    met.add("the set-up token", browser.page().answer.url.query().unwrap().strip_prefix("token=").unwrap());
    met.take("the first administrator", &browser);
    let weak = met.invent("a password that will not do");
    browser.fill("setup-password", &format!("signet {weak}\0")).press("setup-submit").await;
    fill_set_up(f, &mut browser).await;
    let password = met.invent("the first administrator's password");
    browser.fill("setup-password", &password).press("setup-submit").await;
    assert!(browser.sees("setup-done"), "{}", browser.page());
    met.take("the first administrator", &browser);
    browser.press("try-start").await.press("consent-allow").await;
    assert!(browser.sees("try-result"), "{}", browser.page());
    let url = browser.page().answer.url.clone();
    let given = Parameters::parse(url.query().unwrap());
    met.add("the code of a try", given.get("code").unwrap());
    met.add_unlogged("the state of a try", given.get("state").unwrap());
}

async fn sign_in(f: &Fixtures, met: &mut Canaries) {
    let mut browser = f.browser();
    browser.goto(&f.c1.asks().with("prompt", "login consent").url()).await;
    met.take("a visitor", &browser);
    let wrong = met.invent("a wrong password");
    browser.fill("login-username", &f.u1.username).fill("login-password", &wrong).press("login-submit").await;
    let mistyped = met.invent("a password in the field of the name");
    browser.fill("login-username", &mistyped).fill("login-password", &mistyped).press("login-submit").await;
    let (action, _, form) = browser.form("login-submit");
    let stale = met.invent("a stale form token");
    browser.request(Call::post(&action).form(&form.with("csrf", &stale).with("password", &wrong))).await;
    browser.sign_in(&f.u1).await;
    met.take("somebody who signed in", &browser);
    browser.press("consent-allow").await;
    met.add("a code", &browser.landed().code());
    browser.goto("/account").await;
    met.take("somebody at the account", &browser);
    for cookie in ["session", "browser", "known"] {
        let junk = met.invent("a junk cookie").replace(' ', "_");
        f.site.send(Call::get("/account").header("cookie", &format!("signet-{cookie}={junk}"))).await;
    }
    browser.goto("/logout").await.press("logout-confirm").await;
}

async fn tokens(f: &Fixtures, met: &mut Canaries) {
    let opaque = ClientSpec { opaque_access_tokens: true, ..ClientSpec::web("opaque") };
    for client in [f.c1.clone(), f.c2.clone(), f.client(opaque).await] {
        let mut visit = f.visit_with(&client, client.asks_to_stay()).await;
        let who = &client.client_id;
        let keep = |met: &mut Canaries, tokens: &crate::harness::Tokens| {
            met.add(&format!("an access token of {who}"), &tokens.access);
            met.add(&format!("a refresh token of {who}"), tokens.refresh_token());
            met.add(&format!("an ID token of {who}"), tokens.id.as_ref().unwrap());
        };
        met.add("a redeemed code", &visit.code);
        met.add("its verifier", &visit.asked.verifier);
        keep(met, &visit.tokens);
        let next = client.refreshed(visit.tokens.refresh_token()).await;
        keep(met, &next);
        let userinfo = f.site.send(Call::get(USERINFO).bearer(&next.access)).await;
        assert_eq!(userinfo.status, 200);
        if !matches!(client.proof, Proof::None) {
            assert!(client.finds_active(&next.access).await && client.finds_active(next.refresh_token()).await);
        }
        // A hint that waits on a page, and one that signs out.
        let hint = visit.tokens.id.clone().unwrap();
        let asked = client.asks().with("id_token_hint", &hint).with("prompt", "consent");
        visit.browser.goto(&asked.url()).await;
        met.take("a hinted visitor", &visit.browser);
        f.clock.advance(60);
        client.refresh(visit.tokens.refresh_token()).await;
        client.redeem(&visit.code, &visit.asked).await;
        client.revoke(next.refresh_token()).await;
        client.revoke(&next.access).await;
        visit.browser.goto(&client.logout_url(&[("id_token_hint", &hint)])).await;
    }
}

async fn machines(f: &Fixtures, met: &mut Canaries) {
    let machine = || Parameters::new(&[("grant_type", "client_credentials")]);
    met.add("a machine's token", f.c5.token(machine()).await.json()["access_token"].as_str().unwrap());
    let assertion = f.c6.assertion(|_| {});
    met.add("a client assertion", &assertion);
    for _ in 0..2 {
        f.site.send(Call::post(TOKEN).form(&with_assertion(machine(), &assertion))).await;
    }
    let spec =
        ClientSpec { first_party: true, grant_types: vec!["authorization_code", "password"], ..ClientSpec::web("own") };
    let own = f.client(spec).await;
    let wrong = met.invent("a wrong password at the token endpoint");
    for password in [&f.u1.password, &wrong] {
        let form = Parameters::new(&[("grant_type", "password"), ("username", &f.u1.username), ("password", password)]);
        own.token(form).await;
    }
    let (client, secret) = clients::rotate_secret(&f.app, "own", 60).await.unwrap();
    met.add("a rotated secret", secret.reveal());
    assert_eq!(client.client_id, "own");
}

/// A link in a mail. Without a mail server it is shown beside the log, on the terminal of a local server that writes its
/// log for people; the log has none.
async fn mails(f: &Fixtures, met: &mut Canaries) {
    let token = met.invent("a link in a mail").replace(' ', "-");
    let letter = || Letter::ResetPassword { link: f.app.url(&format!("/account/reset?token={token}")), minutes: 30 };
    seed::letter(&f.app, &f.u1.email, None, letter()).await;
    assert!(seed::mailbox(&f.app, &f.u1.email).await[0].text.contains(&token));
    seed::letter(&f.app, &f.u1.email, None, letter()).await;
}

/// Secrets where none belong: apps and people make such mistakes, and the server must not make them worse.
async fn mistakes(f: &Fixtures, met: &mut Canaries) {
    let secret = met.invent("a wrong client secret");
    f.site.send(Call::post(TOKEN).basic("c1", &secret.replace(' ', "+")).form(&Parameters::default())).await;
    let posted = met.invent("a wrong posted secret");
    let form =
        Parameters::new(&[("client_id", "c4"), ("client_secret", &posted), ("grant_type", "client_credentials")]);
    f.site.send(Call::post(TOKEN).form(&form)).await;
    for scheme in ["Basic", "Bearer", "DPoP", "Token"] {
        let header = format!("{scheme} {}", met.invent("a header"));
        f.site.send(Call::post(TOKEN).header("authorization", &header).form(&Parameters::default())).await;
        f.site.send(Call::get(USERINFO).header("authorization", &header)).await;
    }
    for (grant, name) in
        [("authorization_code", "code"), ("refresh_token", "refresh_token"), ("client_credentials", "scope")]
    {
        let wrong = if name == "scope" { random(24) } else { met.invent("a made-up code or token") };
        let form = Parameters::new(&[("grant_type", grant), (name, &wrong), ("redirect_uri", "https://rp.example/cb")]);
        let verifier = met.invent("a made-up verifier");
        f.c1.token(form.with("code_verifier", &verifier)).await;
    }
    for path in ["/oauth2/introspect", "/oauth2/revoke"] {
        let wrong = met.invent("a made-up token");
        f.c1.post(path, Parameters::new(&[("token", &wrong)])).await;
        let wrong = met.invent("a token in the address");
        f.site.get(&format!("{path}?token={}", wrong.replace(' ', "%20"))).await;
    }
    let stray = |met: &mut Canaries, asked: Asked| {
        ["password", "client_secret", "access_token", "code"].iter().fold(asked, |asked, name| {
            let value = met.invent(&format!("a stray {name}"));
            asked.with(name, &value)
        })
    };
    let mut browser = f.browser();
    let asked = stray(met, f.c1.asks().with("login_hint", &random(24)));
    for name in ["state", "nonce", "login_hint", "code_challenge"] {
        met.add_unlogged(&format!("a {name}"), asked.get(name).unwrap());
    }
    browser.goto(&asked.url()).await;
    assert!(browser.sees("login-submit"));
    let asked = stray(met, f.c1.asks().with("response_type", "token"));
    browser.goto(&asked.url()).await;
    let query = met.invent("a secret in a redirect URI").replace(' ', "-");
    for uri in [format!("https://rp.example/cb?token={query}"), format!("https://rp.example/cb#{query}")] {
        browser.goto(&f.c1.asks().with("redirect_uri", &uri).url()).await;
    }
    let query = met.invent("a secret in a post-logout URI").replace(' ', "-");
    let uri = format!("https://rp.example/bye?token={query}");
    let mut person = f.signed_in(&f.u2).await;
    person.goto(&f.c1.logout_url(&[("client_id", "c1"), ("post_logout_redirect_uri", &uri)])).await;
    met.take("somebody who signs out", &person);
    person.press("logout-confirm").await;
    let hint = met.invent("a made-up hint");
    person.goto(&f.c1.logout_url(&[("id_token_hint", &hint)])).await;
    person.goto(&f.c1.asks().with("id_token_hint", &hint).url()).await;
}
