//! SEC-171 and reliability promise 2: what is good for once is good for once, however many come at the same time.
use tokio::task::JoinSet;

use crate::harness::{
    Answer, Browser, Call, Fixtures, Parameters, RelyingParty, Tokens, assert, fixtures,
    jwt::Token,
    relying_party::{REVOKE, with_assertion},
};

async fn at_once(client: &RelyingParty, times: usize, path: &'static str, form: &Parameters) -> Vec<Answer> {
    let mut tries = JoinSet::new();
    for _ in 0..times {
        let (client, form) = (client.clone(), form.clone());
        tries.spawn(async move { client.post(path, form).await });
    }
    tries.join_all().await
}

fn split(answers: Vec<Answer>) -> (Vec<Answer>, Vec<Answer>) {
    answers.into_iter().partition(|answer| answer.status == 200)
}

/// SEC-171, SEC-031: one winner, and since the code was used again, what it won does not last.
#[tokio::test]
async fn sec_171_of_fifty_redemptions_one_succeeds() {
    let f = fixtures().await;
    for client in [&f.c1, &f.c2] {
        let asked = client.asks_to_stay();
        let code = f.code_for(client, &asked).await;
        let (won, lost) = split(at_once(client, 50, "/oauth2/token", &client.redemption(&code, &asked)).await);
        assert_eq!((won.len(), lost.len()), (1, 49));
        lost.iter().for_each(|answer| assert::json(answer, 400, "invalid_grant"));
        let tokens = Tokens::of(&won[0]);
        assert!(!client.may_read_userinfo(&tokens.access).await, "the code was used twice, so its tokens are revoked");
        assert::json(&client.refresh(tokens.refresh_token()).await, 400, "invalid_grant");
    }
}

/// SEC-171 and decision D3: one lineage, whose head works.
#[tokio::test]
async fn sec_171_of_fifty_refreshes_one_lineage_remains() {
    let f = fixtures().await;
    for client in [&f.c1, &f.c2] {
        let first = f.visit_with(client, client.asks_to_stay()).await.tokens;
        let form = client.refreshing(first.refresh_token());
        let (won, lost) = split(at_once(client, 50, "/oauth2/token", &form).await);
        assert!(!won.is_empty());
        lost.iter().for_each(|answer| assert::json(answer, 400, "invalid_grant"));
        let mut heads: Vec<String> = won.iter().map(|answer| Tokens::of(answer).refresh.unwrap()).collect();
        heads.sort_unstable();
        heads.dedup();
        assert_eq!(heads.len(), 1, "two live successors: {heads:?}");
        let mut ids: Vec<String> =
            won.iter().map(|answer| Token::read(&Tokens::of(answer).access).claims["jti"].to_string()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), won.len(), "every access token has an id of its own");
        client.refreshed(&heads[0]).await;
    }
}

/// SEC-068 at once: an assertion is good for one request.
#[tokio::test]
async fn sec_171_of_fifty_equal_assertions_one_is_believed() {
    let f = fixtures().await;
    let form = with_assertion(Parameters::new(&[("token", "x")]), &f.c6.assertion(|_| {}));
    let mut tries = JoinSet::new();
    for _ in 0..50 {
        let (site, form) = (f.site.clone(), form.clone());
        tries.spawn(async move { site.send(Call::post(REVOKE).form(&form)).await });
    }
    let (won, lost) = split(tries.join_all().await);
    assert_eq!((won.len(), lost.len()), (1, 49));
    lost.iter().for_each(|answer| assert::json(answer, 401, "invalid_client"));
}

/// A revocation that races with refreshes wins in the end: nothing that came of the grant lives after it.
#[tokio::test]
async fn a_revocation_is_not_outrun_by_a_refresh() {
    let f = fixtures().await;
    for _ in 0..5 {
        let first = f.visit_with(&f.c1, f.c1.asks_to_stay()).await.tokens;
        let (form, token) = (f.c1.refreshing(first.refresh_token()), first.refresh_token());
        let (answers, revoked) = tokio::join!(at_once(&f.c1, 5, "/oauth2/token", &form), f.c1.revoke(token));
        assert_eq!(revoked.status, 200);
        for answer in split(answers).0 {
            let tokens = Tokens::of(&answer);
            assert!(!f.c1.may_read_userinfo(&tokens.access).await, "an access token outran the revocation");
            assert::json(&f.c1.refresh(tokens.refresh_token()).await, 400, "invalid_grant");
        }
    }
}

async fn allows(browser: &Browser, f: &Fixtures, form: &(String, reqwest::Method, Parameters)) -> Answer {
    let mut twin = browser.stolen();
    let call =
        Call::new(form.1.clone(), &form.0).header("origin", &f.site.issuer).header("sec-fetch-site", "same-origin");
    let answer = twin.request(call.form(&form.2)).await;
    match answer.location() {
        Some(location) if !location.starts_with("https://rp.example/") => twin.request(Call::get(location)).await,
        _ => answer,
    }
}

/// A double click on "Allow" is one answer: of all codes that come of one journey, one is worth tokens.
#[tokio::test]
async fn sec_171_a_journey_gives_one_code() {
    let f = fixtures().await;
    let asked = f.c1.asks();
    let mut browser = f.browser();
    browser.goto(&asked.url()).await.sign_in(&f.u1).await;
    let form = browser.form("consent-allow");
    let answers = tokio::join!(
        allows(&browser, &f, &form),
        allows(&browser, &f, &form),
        allows(&browser, &f, &form),
        allows(&browser, &f, &form),
    );
    let answers = [answers.0, answers.1, answers.2, answers.3];
    let codes = answers.iter().filter(|answer| answer.location().is_some_and(|location| location.contains("code=")));
    assert_eq!(codes.count(), 1, "{:?}", answers.map(|answer| (answer.status, answer.location().map(str::to_string))));
}
