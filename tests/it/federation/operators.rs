//! Providers that operators make by the API.

use reqwest::Method;
use sea_orm::EntityTrait;
use serde_json::{Value, json};
use signet::store::upstream;

use super::{HOSTS, OPEN, World, grace, is_inside, world};
use crate::harness::{
    Answer, Call, TestServer,
    seed::ClientSpec,
    upstream::{CLIENT, Lies, Mood, SECRET, Upstream},
};

const PROVIDERS: &str = "/api/providers";

/// A server without a provider, one that could be, and a machine of the operator.
pub(super) struct Office {
    pub w: World,
    token: String,
}

impl Office {
    pub async fn open() -> Self {
        let up = Upstream::start().await;
        let f = TestServer::with(&[HOSTS]).await.fixtures().await;
        up.live_by(&f.clock);
        Self::of(World { f, up }).await
    }

    pub async fn of(w: World) -> Self {
        let machine = w.f.client(ClientSpec { scope: "signet:admin", ..ClientSpec::machine("ops") }).await;
        let token = machine.for_itself("signet:admin").await;
        Office { w, token }
    }

    pub async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        self.call(method, &format!("{PROVIDERS}{path}"), body).await
    }

    /// Anywhere.
    pub async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let call = Call::new(method, path).bearer(&self.token);
        let call = match body {
            Some(body) => call.body("application/json", body.to_string()),
            None => call,
        };
        self.w.f.site.send(call).await
    }

    pub async fn done(&self, method: Method, path: &str, body: Option<&Value>) -> Value {
        let answer = self.send(method.clone(), path, body).await;
        assert!((200..300).contains(&answer.status), "{method} {path}: {}", answer.text());
        if answer.status == 204 { Value::Null } else { answer.json() }
    }

    /// Status, and the members that are wrong.
    pub async fn refused(&self, method: Method, path: &str, body: Option<&Value>) -> (u16, Vec<String>, String) {
        let answer = self.send(method, path, body).await;
        let said = answer.json();
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{said}");
        let errors = said["errors"].as_array().cloned().unwrap_or_default();
        let members = errors.iter().map(|error| error["member"].as_str().unwrap().to_owned()).collect();
        (answer.status, members, said.to_string())
    }

    pub fn harbor(&self) -> Value {
        json!({
            "name": "harbor", "kind": "oidc", "issuer": self.w.up.issuer, "client_id": CLIENT, "client_secret": SECRET,
            "sign_up": true, "link": "verified_email", "button": "Harbor",
        })
    }
}

#[tokio::test]
async fn people_sign_in_with_a_provider_as_soon_as_it_is_made() {
    let o = Office::open().await;
    let made = o.done(Method::POST, "", Some(&o.harbor())).await;
    let redirect_uri = format!("{}/federation/harbor/callback", o.w.f.app.issuer());
    assert_eq!(made["register"]["redirect_uri"], redirect_uri);
    assert_eq!(
        (&made["origin"], &made["enabled"], &made["has_secret"]),
        (&json!("created"), &json!(true), &json!(true))
    );
    o.w.enrolled().await;

    let shown = o.done(Method::GET, "/harbor", None).await;
    assert_eq!((&shown["links"], &shown["settings"]["sign_up"]), (&json!(1), &json!(true)));
    assert_eq!(o.done(Method::GET, "", None).await["providers"][0], shown);
    assert!(!shown.to_string().contains(SECRET) && shown["settings"].get("client_secret").is_none(), "{shown}");
    let row = upstream::Entity::find().one(&o.w.f.app.db).await.unwrap().unwrap();
    assert!(!format!("{row:?}").contains(SECRET));
    let sealed = row.sealed_secret.unwrap().0;
    assert!(!sealed.windows(SECRET.len()).any(|window| window == SECRET.as_bytes()), "sealed");

    // What it shows can be given back.
    let same = o.done(Method::PUT, "/harbor", Some(&shown["settings"])).await;
    assert_eq!((&same["settings"], &same["has_secret"]), (&shown["settings"], &json!(true)));
    let mut browser = o.w.f.browser();
    o.w.come(&mut browser, &grace()).await;
    assert!(is_inside(&browser), "{}", browser.page());
}

#[tokio::test]
async fn a_provider_changes_as_it_is_told() {
    let o = Office::open().await;
    o.done(Method::POST, "", Some(&o.harbor())).await;
    let change = json!({ "button": "The Harbor", "sign_up": null, "email_domains": ["Harbor.Example"] });
    let changed = o.done(Method::PATCH, "/harbor", Some(&change)).await;
    let settings = &changed["settings"];
    assert_eq!((&settings["button"], &settings["sign_up"]), (&json!("The Harbor"), &json!(false)));
    assert_eq!((&settings["email_domains"], &settings["link"]), (&json!(["harbor.example"]), &json!("verified_email")));
    let icon = "data:image/png;base64,iVBORw0KGgo=";
    assert_eq!(o.done(Method::PATCH, "/harbor", Some(&json!({ "icon": icon }))).await["settings"]["icon"], icon);
    for wrong in ["/etc/hostname", "signet.db", "data:image/svg+xml;base64,PHN2Zz4=", "https://harbor.example/a.png"] {
        let (status, members, _) = o.refused(Method::PATCH, "/harbor", Some(&json!({ "icon": wrong }))).await;
        assert_eq!((status, members), (400, vec!["icon".to_owned()]), "{wrong}");
    }
    let least = json!({ "kind": "oidc", "issuer": o.w.up.issuer, "client_id": CLIENT });
    let replaced = o.done(Method::PUT, "/harbor", Some(&least)).await;
    assert_eq!((&replaced["settings"]["link"], &replaced["has_secret"]), (&json!("sign_in"), &json!(true)));
    assert!(replaced["settings"].get("button").is_none());
    let public = json!({ "client_secret": null, "token_endpoint_auth_method": "none" });
    assert_eq!(o.done(Method::PATCH, "/harbor", Some(&public)).await["has_secret"], false);

    assert_eq!(o.done(Method::POST, "/harbor/disable", None).await["enabled"], false);
    let mut browser = o.w.f.browser();
    assert!(!browser.goto(&o.w.f.c1.asks().url()).await.sees("login-provider-harbor"));
    assert_eq!(o.done(Method::POST, "/harbor/enable", None).await["enabled"], true);
    assert!(browser.goto(&o.w.f.c1.asks().url()).await.sees("login-provider-harbor"), "{}", browser.page());
}

#[tokio::test]
async fn a_provider_by_the_api_is_refused_when() {
    let o = Office::open().await;
    o.done(Method::POST, "", Some(&o.harbor())).await;
    for (reason, change, members) in [
        ("it has no name", json!({ "name": null }), vec!["name"]),
        ("its name is no part of an address", json!({ "name": "My Company" }), vec!["name"]),
        ("nobody knows such a kind", json!({ "name": "x", "kind": "saml" }), vec!["kind"]),
        (
            "several things are wrong",
            json!({ "name": "x", "kind": null, "client_id": null }),
            vec!["kind", "client_id"],
        ),
        ("it has no issuer", json!({ "name": "x", "issuer": null }), vec!["issuer"]),
        ("nobody goes there", json!({ "name": "x", "issuer": "http://harbor.example" }), vec!["issuer"]),
        ("it has no secret", json!({ "name": "x", "client_secret": null }), vec!["client_secret"]),
        ("its secret is a sample", json!({ "name": "x", "client_secret": "changeme" }), vec!["client_secret"]),
        (
            "a file is nothing that a machine names",
            json!({ "name": "x", "client_secret_file": "/etc/passwd" }),
            vec!["client_secret_file"],
        ),
        ("a claim is not known", json!({ "name": "x", "claims": { "role": "x" } }), vec!["claims"]),
        ("a claim is no text", json!({ "name": "x", "claims": { "name": 1 } }), vec!["claims"]),
        ("a member is of another type", json!({ "name": "x", "sign_up": "yes" }), vec!["sign_up"]),
        ("a number is too small", json!({ "name": "x", "order": -1 }), vec!["order"]),
        ("a group is looked for nowhere", json!({ "name": "x", "admin_groups": ["wheel"] }), vec!["groups_claim"]),
    ] {
        let mut body = o.harbor();
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let (status, mut wrong, said) = o.refused(Method::POST, "", Some(&body)).await;
        wrong.sort();
        let mut members = members;
        members.sort_unstable();
        assert_eq!((status, wrong), (400, members.iter().map(|m| (*m).to_owned()).collect()), "{reason}: {said}");
        assert!(!said.contains(SECRET), "{said}");
    }
    assert_eq!(o.refused(Method::POST, "", Some(&o.harbor())).await.0, 409, "the name is taken");
    let (status, wrong, _) = o.refused(Method::PATCH, "/harbor", Some(&json!({ "name": "haven" }))).await;
    assert_eq!((status, &*wrong), (400, &["name".to_owned()][..]));
    for path in ["/nobody", "/%00", "/nobody/enable"] {
        let method = if path.ends_with("enable") { Method::POST } else { Method::GET };
        assert_eq!(o.refused(method, path, None).await.0, 404, "{path}");
    }
    let nobody = o.w.f.site.send(Call::get(PROVIDERS)).await;
    assert_eq!(nobody.status, 401);
    assert_eq!(o.done(Method::GET, "", None).await["providers"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_provider_that_opens_accounts_is_not_removed_by_mistake() {
    let o = Office::open().await;
    o.done(Method::POST, "", Some(&o.harbor())).await;
    o.w.enrolled().await;
    let (status, _, said) = o.refused(Method::DELETE, "/harbor", None).await;
    assert!(status == 409 && said.contains("1 accounts are connected"), "{said}");
    let moved = json!({ "issuer": "https://elsewhere.example" });
    assert_eq!(o.refused(Method::PATCH, "/harbor", Some(&moved)).await.0, 409, "it would be another");
    o.done(Method::DELETE, "/harbor?unlink=true", None).await;
    assert!(o.w.links().await.is_empty());
    assert_eq!(o.refused(Method::GET, "/harbor", None).await.0, 404);
    let mut browser = o.w.f.browser();
    assert!(!browser.goto(&o.w.f.c1.asks().url()).await.sees("login-provider-harbor"));
}

#[tokio::test]
async fn what_the_settings_declare_is_theirs_to_change() {
    let o = Office::of(world(OPEN).await).await;
    assert_eq!(o.done(Method::GET, "/harbor", None).await["origin"], "declared");
    for (method, path, body) in [
        (Method::PATCH, "/harbor", Some(json!({ "button": "x" }))),
        (Method::PUT, "/harbor", Some(o.harbor())),
        (Method::DELETE, "/harbor?unlink=true", None),
        (Method::POST, "/harbor/disable", None),
        (Method::POST, "/harbor/enable", None),
    ] {
        let (status, _, said) = o.refused(method.clone(), path, body.as_ref()).await;
        assert!(status == 409 && said.contains("change its [[providers]] entry"), "{method} {path}: {said}");
    }
}

#[tokio::test]
async fn a_check_says_what_keeps_people_from_signing_in() {
    let o = Office::open().await;
    o.done(Method::POST, "", Some(&o.harbor())).await;
    let check = async || o.done(Method::POST, "/harbor/check", None).await;
    let ill = |found: &Value| {
        let all = found["findings"].as_array().unwrap().clone();
        all.into_iter()
            .filter(|one| one["well"] == false)
            .map(|one| one["what"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let found = check().await;
    assert!(found["well"] == true && found["findings"].as_array().unwrap().len() == 3, "{found}");

    o.done(Method::PATCH, "/harbor", Some(&json!({ "client_secret": "another-one-77aa" }))).await;
    let found = check().await;
    assert_eq!(ill(&found), ["client"], "{found}");
    assert!(found.to_string().contains("token_endpoint_auth_method") && !found.to_string().contains("another-one"));
    *o.w.up.lies() = Lies { published: Vec::new(), ..Lies::default() };
    assert_eq!(ill(&check().await), ["keys", "client"]);
    for mood in
        [Mood::Status(502), Mood::Status(404), Mood::Says(404, json!({ "error": "Not Found" })), Mood::Status(405)]
    {
        o.w.up.lies().moods.insert("/token", mood.clone());
        assert_eq!(ill(&check().await), ["keys", "client"], "{mood:?}");
    }
    // What is known of it is an hour old at most, and a check is of now.
    o.w.up.lies().moods.insert("/.well-known/openid-configuration", Mood::Status(503));
    assert_eq!(ill(&check().await), ["metadata"]);
    o.w.up.lies().moods.clear();
    o.w.up.lies().discovery = json!({ "token_endpoint": format!("{}/moved", o.w.up.issuer) });
    let found = check().await;
    assert_eq!(ill(&found), ["keys", "client"], "{found}");
    assert_eq!(o.w.up.asked("/moved").len(), 1);
    o.done(Method::POST, "/harbor/disable", None).await;
    assert!(ill(&check().await).contains(&"enabled".to_owned()));

    let down = json!({ "name": "ferry", "kind": "oidc", "issuer": "https://10.1.2.3", "client_id": "x", "client_secret": "y77a" });
    o.done(Method::POST, "", Some(&down)).await;
    let found = o.done(Method::POST, "/ferry/check", None).await;
    assert!(ill(&found) == ["metadata"] && found["findings"][0]["remedy"].is_string(), "{found}");
}
