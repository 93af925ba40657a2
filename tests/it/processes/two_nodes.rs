//! Two servers on one database: what happens once happens once, and what ends at one ends at the other.
use std::time::{Duration, Instant};

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use serde_json::{Value, json};
use signet::{app::clock::Clock, store::grant};
use tokio::{task::JoinSet, time::sleep};
use uuid::Uuid;

use super::program::{Place, Server, Unspent};
use crate::api::Session;
use crate::harness::{
    Answer, Call, Parameters, Proof, RelyingParty, Tokens, assert,
    jwt::Token,
    phone::Phone,
    relying_party::{JWKS, TOKEN},
    seed::Person,
};

async fn two() -> (Place, Server, Server) {
    let place = Place::new().await;
    let first = place.server().await;
    let second = place.server().await;
    (place, first, second)
}

/// The same form fifty times at once, by turns to each server.
async fn fifty(servers: [&Server; 2], form: &Parameters) -> Vec<Answer> {
    let mut tries = JoinSet::new();
    for turn in 0..50 {
        let (client, form) = (servers[turn % 2].shop(), form.clone());
        tries.spawn(async move { client.post(TOKEN, form).await });
    }
    tries.join_all().await
}

/// The grant that a refresh token names (the token begins with its id).
fn grant_of(refresh_token: &str) -> Uuid {
    Uuid::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(refresh_token).unwrap()[..16]).unwrap()
}

/// SEC-171, SEC-031.
#[tokio::test]
async fn sec_171_of_fifty_redemptions_at_two_servers_one_succeeds() {
    let (place, first, second) = two().await;
    let browser = first.signed_in(&place.person().await).await;
    let shop = first.shop();
    let Unspent { asked, code } = Unspent::get(&shop, &browser).await;
    let answers = fifty([&first, &second], &shop.redemption(&code, &asked)).await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
    assert_eq!((won.len(), lost.len()), (1, 49));
    lost.iter().for_each(|answer| assert::json(answer, 400, "invalid_grant"));
    let tokens = Tokens::of(won[0]);
    for server in [&first, &second] {
        let shop = server.shop();
        assert!(!shop.may_read_userinfo(&tokens.access).await, "the code was used twice, so its tokens are revoked");
        assert::json(&shop.refresh(tokens.refresh_token()).await, 400, "invalid_grant");
    }
}

/// SEC-171 and decision D3: whoever repeats a refresh gets the same successor, at whichever server.
#[tokio::test]
async fn sec_171_of_fifty_refreshes_at_two_servers_one_rotates() {
    let (place, first, second) = two().await;
    let browser = first.signed_in(&place.person().await).await;
    let begun = Unspent::get(&first.shop(), &browser).await.tokens(&first.shop()).await;
    let answers = fifty([&first, &second], &first.shop().refreshing(begun.refresh_token())).await;
    let mut heads: Vec<String> = answers.iter().map(|answer| Tokens::of(answer).refresh.unwrap()).collect();
    heads.dedup();
    assert_eq!(heads.len(), 1, "two successors: {heads:?}");
    let (row, _) = grant::find(&place.database().await, grant_of(&heads[0])).await.unwrap().unwrap();
    assert_eq!((row.generation, row.revoked_at), (1, None), "one rotation");
    second.shop().refreshed(&heads[0]).await;
}

/// SEC-128, SEC-129: a code of an authenticator app and a recovery code open one sign-in, of whichever server.
#[tokio::test]
async fn sec_128_of_many_who_use_one_code_at_two_servers_one_gets_in() {
    let (place, first, second) = two().await;
    let ada = place.person().await;
    let session = Session::of(&login(&first, &ada).await);
    let begun = json_call(&first, "me/factors/totp", Some(&session.access), json!({})).await.json();
    let phone = Phone::reading(begun["secret"].as_str().unwrap());
    let now = || Clock::System.now();
    // The code before the present one still counts, and leaves that one unused.
    let code = json!({ "code": phone.shows(now() - 30) });
    let made = json_call(&first, "me/factors/totp/confirm", Some(&session.access), code).await.json();
    let recovery = made["recovery_codes"][3].as_str().unwrap_or_else(|| panic!("{made}")).to_owned();
    for by in ["recovery_code", "totp"] {
        let mut tickets = Vec::new();
        for n in 0..8 {
            let answer = login([&first, &second][n % 2], &ada).await;
            assert_eq!(answer.status, 403, "{}", answer.text());
            tickets.push(answer.json()["ticket"].clone());
        }
        let given = if by == "totp" { phone.shows(now()) } else { recovery.clone() };
        let mut tries = JoinSet::new();
        for (n, ticket) in tickets.into_iter().enumerate() {
            // Not the server that gave the ticket.
            let site = [&second, &first][n % 2].site.clone();
            let body = json!({ "ticket": ticket, by: given });
            tries.spawn(async move {
                site.send(Call::post("/api/v1/auth/second-factor").body("application/json", body.to_string())).await
            });
        }
        let answers = tries.join_all().await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1, "{by}");
        assert!(answers.iter().all(|answer| [200, 401, 423].contains(&answer.status)), "{by}");
    }
}

async fn json_call(server: &Server, path: &str, token: Option<&str>, body: Value) -> Answer {
    let call = Call::post(&format!("/api/v1/{path}")).body("application/json", body.to_string());
    server
        .site
        .send(match token {
            Some(token) => call.bearer(token),
            None => call,
        })
        .await
}

async fn login(server: &Server, person: &Person) -> Answer {
    json_call(server, "auth/login", None, json!({ "login": person.email, "password": person.password })).await
}

/// Decision D9: seconds after which every server must have heard.
const SOON: Duration = Duration::from_secs(5);

/// Asks both servers until both agree; how long that took must not be longer than D9 allows.
async fn both(servers: [&Server; 2], what: &str, holds: impl AsyncFn(RelyingParty) -> bool) {
    let begun = Instant::now();
    for server in servers {
        while !holds(server.shop()).await {
            assert!(begun.elapsed() < SOON, "{what} has not reached {}", server.site.address);
            sleep(Duration::from_millis(50)).await;
        }
    }
}

/// SEC-047, SEC-056, SEC-108 between servers: tokens, sessions and people have no cache, so the other server knows at once.
#[tokio::test]
async fn sec_056_what_is_revoked_at_one_server_is_revoked_at_the_other() {
    let (place, first, second) = two().await;
    let ada = place.person().await;
    let browser = first.signed_in(&ada).await;
    let (here, there) = (first.shop(), second.shop());

    let tokens = Unspent::get(&here, &browser).await.tokens(&here).await;
    assert!(there.may_read_userinfo(&tokens.access).await && there.finds_active(&tokens.access).await);
    assert_eq!(here.revoke(tokens.refresh_token()).await.status, 200);
    assert!(!there.may_read_userinfo(&tokens.access).await);
    assert!(!there.finds_active(&tokens.access).await);
    assert::json(&there.refresh(tokens.refresh_token()).await, 400, "invalid_grant");

    let tokens = Unspent::get(&here, &browser).await.tokens(&here).await;
    assert_eq!(here.revoke(&tokens.access).await.status, 200);
    assert!(!there.may_read_userinfo(&tokens.access).await, "one access token alone");
    let tokens = there.refreshed(tokens.refresh_token()).await;

    let mut elsewhere = browser.led_to(&second.site);
    let mut signing_out = browser.led_to(&first.site);
    signing_out.goto("/account").await.press("account-sign-out").await;
    elsewhere.goto(&there.asks().url()).await;
    assert!(elsewhere.sees("login-submit"), "a session that ended at one server lives at the other");
    assert!(!there.may_read_userinfo(&tokens.access).await, "what lives by the session ends with it");

    let browser = second.signed_in(&ada).await;
    let tokens = Unspent::get(&there, &browser).await.tokens(&there).await;
    place.run(&["users", "disable", &ada.username], "").await;
    for shop in [&here, &there] {
        assert!(!shop.may_read_userinfo(&tokens.access).await);
        assert::json(&shop.refresh(tokens.refresh_token()).await, 400, "invalid_grant");
    }
}

/// Decision D9 for what is cached: clients and keys. Both servers know the old state when it changes.
#[tokio::test]
async fn a_change_by_an_operator_reaches_every_server_in_seconds() {
    let (place, first, second) = two().await;
    let (servers, site) = ([&first, &second], &first.site);
    let (id, secret) = place.machine().await;
    let (id, secret) = (&*id, &*secret);
    let grant = Parameters::new(&[("grant_type", "client_credentials")]);
    let gets = async |shop: RelyingParty, secret: &str, status: u16| {
        let machine = RelyingParty { client_id: id.into(), proof: Proof::Basic(secret.into()), ..shop };
        machine.token(grant.clone()).await.status == status
    };
    both(servers, "a new client", async |shop| gets(shop, secret, 200).await).await;

    let rotated = place.run(&["keys", "rotate", "--announce", "6"], "").await;
    let announced = Instant::now();
    assert_eq!(rotated["agreed_at"], serde_json::Value::Null, "no server has read it yet");
    let renewed = place.run(&["clients", "rotate-secret", id], "").await;
    let new_secret = renewed["client_secret"].as_str().unwrap();
    both(servers, "a new secret", async |shop| gets(shop, new_secret, 200).await).await;
    both(servers, "the end of a secret", async |shop| gets(shop, secret, 401).await).await;
    let kid = rotated["kid"].as_str().unwrap();
    both(servers, "a new key", async |shop| shop.site.get(JWKS).await.text().contains(kid)).await;

    let kid_of = async |server: &Server| {
        let access = Tokens::of(&server.machine(id, new_secret).token(grant.clone()).await).access;
        (Token::read(&access).kid().to_string(), access)
    };
    let (old_kid, old) = kid_of(&first).await;
    assert_ne!(old_kid, kid, "a key that is only announced signs nothing");
    // Each server reads it within four seconds, and then it has still to be announced for six.
    for server in servers {
        while kid_of(server).await.0 != kid {
            assert!(announced.elapsed() < Duration::from_secs(16), "{} does not sign with it", server.site.address);
            sleep(Duration::from_millis(50)).await;
        }
    }
    assert!(announced.elapsed() >= Duration::from_secs(5), "announced for {:?}", announced.elapsed());
    for (mint, verify) in [(&first, &second), (&second, &first)] {
        let (_, access) = kid_of(mint).await;
        for token in [&access, &old] {
            assert!(verify.shop().finds_active(token).await, "a token of the other server");
        }
        assert!(Token::read(&access).is_signed_by(&verify.shop().jwks().await));
    }

    place.run(&["clients", "disable", id], "").await;
    both(servers, "a disabled client", async |shop| gets(shop, new_secret, 401).await).await;
    assert_eq!(site.send(Call::get("/health/ready")).await.status, 200);
}
