//! What is over is removed, so that no table grows for ever; what can still be of consequence is not.
use sea_orm::{ActiveValue::Set, EntityTrait, PaginatorTrait};
use signet::{
    flows::set_up,
    jobs,
    store::{
        access_token, assertion, authorization, grant, logout_delivery, revoked_token, session, session_client,
        setup_link, signing_key, trace_event,
    },
};

use crate::harness::{
    Call, Fixtures, Parameters, Tokens, assert, fixtures,
    relying_party::{REVOKE, with_assertion},
    seed::{ClientSpec, NewPerson},
};

const DAY: i64 = 86_400;

impl Fixtures {
    async fn after(&self, seconds: i64) {
        self.clock.advance(seconds);
        jobs::run_all(&self.app).await;
    }
}

/// SEC-031: the second use of a code ends its tokens to their last second.
#[tokio::test]
async fn sec_031_a_spent_code_is_remembered_as_long_as_its_tokens_live() {
    let f = fixtures().await;
    let opaque = f.client(ClientSpec { opaque_access_tokens: true, ..ClientSpec::web("discreet") }).await;
    for client in [&f.c1, &opaque] {
        let (asked, code) = f.code(client).await;
        f.after(59).await;
        let tokens = client.tokens(&code, &asked).await;
        f.after(tokens.expires_in - 1).await;
        assert!(client.may_read_userinfo(&tokens.access).await, "a live token was forgotten");
        assert::json(&client.redeem(&code, &asked).await, 400, "invalid_grant");
        assert!(!client.may_read_userinfo(&tokens.access).await, "the code was used twice");
    }
}

/// SEC-048: the refresh token ends after ninety days, but what it was exchanged for in its last moment does not.
#[tokio::test]
async fn sec_048_an_access_token_outlives_its_refresh_token() {
    let f = fixtures().await;
    let mut tokens = f.visit_with(&f.c1, f.c1.asks_to_stay()).await.tokens;
    let last_moment = f.now() + 90 * DAY - 5;
    while f.now() < last_moment {
        f.after((13 * DAY).min(last_moment - f.now())).await;
        tokens = f.c1.refreshed(tokens.refresh_token()).await;
    }
    f.after(tokens.expires_in - 1).await;
    assert!(f.c1.may_read_userinfo(&tokens.access).await, "a live token was forgotten");
    assert::json(&f.c1.refresh(tokens.refresh_token()).await, 400, "invalid_grant");
    f.after(1).await;
    assert!(!f.c1.may_read_userinfo(&tokens.access).await);
}

/// What is known of a session's clients goes with it; so does what they were told, after a week.
#[tokio::test]
async fn the_clients_of_a_session_are_forgotten_with_it() {
    let f = fixtures().await;
    let told = Some("https://rp.example/told".to_string());
    let client = f.client(ClientSpec { backchannel_logout_uri: told, ..ClientSpec::web("told") }).await;
    let visit = f.visit(&client).await;
    let other = f.visit(&client).await;
    let count = async || session_client::Entity::find().count(&f.app.db).await.unwrap();
    assert_eq!(count().await, 2);
    let mut browser = other.browser;
    browser.goto("/logout").await.press("logout-confirm").await;
    assert_eq!(count().await, 1, "the clients of an ended session are told of it, and that is all");
    f.after(f.app.config.lifetimes.session_absolute.get() + 1).await;
    assert_eq!(count().await, 0);
    drop(visit);
    f.after(7 * DAY).await;
    assert_eq!(logout_delivery::Entity::find().count(&f.app.db).await.unwrap(), 0);
}

/// Reliability promise 3: what was revoked or used does not come back while it would be good otherwise.
#[tokio::test]
async fn what_was_revoked_or_used_stays_so() {
    let f = fixtures().await;
    let tokens = Tokens::of(&f.c5.token(Parameters::new(&[("grant_type", "client_credentials")])).await);
    assert_eq!(f.c5.revoke(&tokens.access).await.status, 200);
    let used = with_assertion(Parameters::new(&[("token", "x")]), &f.c6.assertion(|_| {}));
    let present = async || f.site.send(Call::post(REVOKE).form(&used)).await;
    assert_eq!(present().await.status, 200);
    f.after(60 - 1).await;
    let again = present().await;
    assert::json(&again, 401, "invalid_client");
    let why = again.json()["error_description"].to_string();
    assert!(why.contains("used before"), "refused for another reason: {why}");
    f.after(tokens.expires_in - 60).await;
    assert!(!f.rs1.finds_active(&tokens.access).await, "a revoked token came back");
}

#[tokio::test]
async fn an_open_page_and_a_session_in_use_are_not_forgotten() {
    let f = fixtures().await;
    let mut in_use = f.signed_in(&f.u1).await;
    let mut on_the_page = f.browser();
    let asked = f.c1.asks();
    on_the_page.goto(&asked.url()).await;
    f.after(29 * 60).await;
    on_the_page.walk(&f.u2).await;
    assert::granted(&on_the_page, &f.c1, &asked);
    for minutes in [1, 59, 59, 59] {
        f.after(minutes * 60).await;
        in_use.goto(&f.c4.asks().url()).await;
        assert!(in_use.sees("consent-allow"), "a session in use ended: {}", in_use.page());
    }
}

#[tokio::test]
async fn nothing_that_is_over_stays() {
    let f = fixtures().await;
    let db = &f.app.db;
    let opaque = f.client(ClientSpec { opaque_access_tokens: true, ..ClientSpec::web("discreet") }).await;
    for client in [&f.c1, &opaque] {
        let tokens = f.visit_with(client, client.asks_to_stay()).await.tokens;
        client.refreshed(tokens.refresh_token()).await;
    }
    let machine = Tokens::of(&f.c5.token(Parameters::new(&[("grant_type", "client_credentials")])).await);
    f.c5.revoke(&machine.access).await;
    f.c6.revoke("x").await;
    f.browser().goto(&f.c1.asks().url()).await;
    set_up::link(&f.app, set_up::Older::Stay).await.unwrap();

    let before = grant::Entity::find().count(db).await.unwrap();
    f.code_for(&f.c1, &f.c1.asks_to_stay()).await;
    f.after(2 * 3600).await;
    assert_eq!(grant::Entity::find().count(db).await.unwrap(), before, "a code that nobody redeemed is soon forgotten");

    // More than go at once.
    for numbers in [0..1000, 1000..2000, 2000..2500] {
        let row = |n: i64| revoked_token::ActiveModel { jti: Set(n.to_string()), expires_at: Set(f.now()) };
        revoked_token::Entity::insert_many(numbers.map(row))
            .exec_without_returning(f.app.db.unlimited())
            .await
            .unwrap();
    }
    f.app.recorder.flush().await;
    f.after(100 * DAY).await;
    macro_rules! rows {
        ($($table:ident),*) => { vec![$((stringify!($table), $table::Entity::find().count(db).await.unwrap())),*] };
    }
    let left = rows!(access_token, assertion, authorization, grant, revoked_token, session, setup_link, trace_event);
    assert_eq!(left.iter().filter(|(_, rows)| *rows > 0).collect::<Vec<_>>(), Vec::<&(&str, u64)>::new());
    assert_eq!(signing_key::Entity::find().count(db).await.unwrap(), 2, "the key that signs, and the next");
    f.user(NewPerson::named("clara")).await;
}
