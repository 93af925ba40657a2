//! The kit itself: what it reads, what it obeys, and that its forgeries are no good.
use serde_json::json;

use super::{
    assert,
    browser::may_go,
    cookies::Jar,
    html::Document,
    jwt::{CLIENTS_KEY, FOREIGN_KEY, Token, forgeries},
};

const PAGE: &str = r##"<!doctype html><html lang="en"><head><title>A &amp; B</title></head><body>
<!-- <form> --><p id=first>1 &lt; 2 &#x26; &#233;</p><script>if (1 < 2) { "<form>" }</script>
<form id="f" method="post" action="/go?x=1&amp;y=2"><input type="hidden" name="csrf" value="a&quot;b"/>
<input id="who" name="who"><input type="checkbox" name="no"><input type="checkbox" name="yes" checked>
<select name="lang"><option value="en">English</option><option value="de" selected>Deutsch</option></select>
<textarea name="note">n&#10;m</textarea><button id="ok" name="answer" value="ok">OK</button></form>
<form id="g"></form><button id="far" form="g">x</button></body></html>"##;

#[test]
fn pages_are_read_as_browsers_do() {
    let page = Document::parse(PAGE);
    let at = |id: &str| page.by_id(id).unwrap();
    assert_eq!(page.elements[at("first")].text, "1 < 2 & é");
    assert_eq!(page.named("title").next().unwrap().text, "A & B");
    assert!(!page.text.contains("form") && page.text.contains("1 < 2"), "{}", page.text);
    assert_eq!((page.named("form").count(), page.named("script").count()), (2, 1));
    assert_eq!(page.elements[at("f")].attribute("action"), Some("/go?x=1&y=2"));
    assert_eq!((page.form_of(at("ok")), page.form_of(at("far"))), (Some(at("f")), Some(at("g"))));
    let fields: Vec<_> = page.fields(at("f")).into_iter().map(|(_, name, value)| format!("{name}={value}")).collect();
    assert_eq!(fields, ["csrf=a\"b", "who=", "yes=on", "lang=de", "note=n\nm"]);
}

#[test]
fn cookies_are_kept_sent_and_forgotten_as_they_say() {
    let url = |text: &str| text.parse().unwrap();
    let mut jar = Jar::default();
    jar.store(&url("https://id.example/a"), "__Host-s=1; Secure; HttpOnly; SameSite=Lax; Path=/");
    jar.store(&url("https://id.example/a"), "narrow=2; Path=/authorize");
    assert_eq!(jar.header(&url("https://id.example/authorize/x"), false).as_deref(), Some("__Host-s=1; narrow=2"));
    assert_eq!(jar.header(&url("https://id.example/authorizer"), false).as_deref(), Some("__Host-s=1"));
    assert_eq!(jar.header(&url("https://id.example/"), true), None, "no Lax cookie comes with a form of another site");
    jar.store(&url("https://id.example/a"), "__Host-s=; Secure; Path=/; Max-Age=0");
    assert_eq!(jar.header(&url("https://id.example/"), false), None);
}

#[test]
#[should_panic(expected = "a browser would refuse this cookie")]
fn a_host_cookie_without_secure_is_refused() {
    Jar::default().store(&"https://id.example/".parse().unwrap(), "__Host-s=1; Path=/");
}

#[test]
fn a_policy_for_forms_is_obeyed() {
    let here = "https://id.example";
    for (sources, to, allowed) in [
        (&["'self'"][..], "https://id.example/x", true),
        (&["'self'"], "https://rp.example/cb", false),
        (&["'self'", "https://rp.example"], "https://rp.example/cb", true),
        (&["'self'", "https://rp.example"], "https://rp.example:8443/cb", false),
        (&["'self'", "com.example.app:"], "com.example.app:/cb", true),
        (&["http://[::1]:49152"], "http://[::1]:49152/cb", false),
        (&["http:"], "http://[::1]:49152/cb", true),
        (&["'none'"], "https://id.example/x", false),
    ] {
        let sources: Vec<String> = sources.iter().map(ToString::to_string).collect();
        assert_eq!(may_go(&sources, here, &to.parse().unwrap()), allowed, "{sources:?} {to}");
    }
}

#[test]
fn genuine_tokens_verify_and_forgeries_do_not() {
    let keys = json!({ "keys": [CLIENTS_KEY.jwk()] });
    let claims = json!({ "sub": "somebody", "exp": 1 });
    let genuine = CLIENTS_KEY.sign(&claims);
    assert!(Token::read(&genuine).is_signed_by(&keys));
    let forged = forgeries(&genuine, &claims, &CLIENTS_KEY.jwk(), "https://trap.example");
    assert_eq!(forged.len(), 10);
    for (name, token) in forged {
        let token = Token::read(&token);
        assert!(token.header["alg"] != "RS256" || !token.is_signed_by(&keys), "{name}");
    }
    let foreign = json!({ "keys": [FOREIGN_KEY.jwk()] });
    assert!(!Token::read(&genuine).is_signed_by(&foreign));
}

#[test]
#[should_panic(expected = "bits")]
fn a_short_code_is_not_random_enough() {
    assert::random_enough("code", "0123456789abcdef01234567");
}
