//! What is kept of second factors, and for how long.

use sea_orm::{EntityTrait, PaginatorTrait};
use signet::{
    app::reseal::totp_context,
    flows::{
        admin::users,
        factors::{self, totp},
    },
    jobs,
    store::{passkey, recovery_code, sign_in, totp as store, trusted_device},
};

use super::{half_way, step, with_phone};
use crate::{
    commands::Place,
    harness::{
        phone::{find, phone},
        seed::{self, Person},
    },
    mail::beside,
};

/// Case SEC-164: what the master key seals is sealed anew with another.
#[tokio::test(flavor = "multi_thread")]
async fn sec_164_the_key_of_an_app_is_sealed_anew() {
    let keys = ["Q6ajWxsLIqGWzJ2tFpkPhGYXjSXXVKp4RVQgJF0r3qw=", "bN4oX1J9m0yVtq3kq2rXG2h8nQy7C5y0u1pP6s0wKjE="];
    let [old, new] = keys.map(|key| ("SIGNET_KEYS_MASTER_KEY", key));
    let place = Place::new();
    place.run_with(&["users", "create", "--username", "ada"], &[old]).succeeded();
    let app = beside(&place, &[old]).await;
    let id = users::find(&app, "ada").await.unwrap().id;
    let nobody = String::new;
    phone(&app, &Person { id: id.to_string(), email: nobody(), username: "ada".into(), password: nobody() }).await;
    let before = store::find(&app.db, id).await.unwrap().unwrap().secret;
    let plain = app.master_key.open(&totp_context(id), &before.0).unwrap();
    let both = [new, ("SIGNET_KEYS_PREVIOUS_MASTER_KEY", keys[0])];
    place.run_with(&["keys", "list"], &both).succeeded();
    let app = beside(&place, &[new]).await;
    let after = store::find(&app.db, id).await.unwrap().unwrap().secret;
    assert!(app.master_key.open(&totp_context(id), &after.0).unwrap() == plain && after != before);
}

/// Nothing that is over stays, and nothing of somebody who is gone.
#[tokio::test]
async fn what_is_over_is_forgotten() {
    let (f, of_u1) = with_phone().await;
    let mut browser = f.browser();
    half_way(&f, &mut browser, &f.c1).await;
    let (action, method, form) = browser.fill("factor-code", &of_u1.shows(f.now())).form("factor-submit");
    browser.submit(&action, method, &form.also("trust", "yes")).await;
    half_way(&f, &mut f.browser(), &f.c1).await;
    let user = find(&f.app, &f.u2).await;
    totp::begin(&f.app, &user, &factors::Place::session(&f.app, user.id, user.id)).await.unwrap().expect("nothing yet");
    let db = &f.app.db;
    let count = async || {
        [
            sign_in::Entity::find().count(db).await.unwrap(),
            trusted_device::Entity::find().count(db).await.unwrap(),
            store::Entity::find().count(db).await.unwrap(),
            recovery_code::Entity::find().count(db).await.unwrap(),
            passkey::Entity::find().count(db).await.unwrap(),
        ]
    };
    assert_eq!(count().await, [1, 1, 2, 10, 0]);
    f.clock.advance(3600);
    jobs::run_all(&f.app).await;
    assert_eq!(count().await, [0, 1, 2, 10, 0]);
    f.clock.advance(31 * 86_400);
    jobs::run_all(&f.app).await;
    assert_eq!(count().await, [0, 0, 1, 10, 0]);
    seed::delete_user(&f.app, &f.u1).await;
    assert_eq!(count().await, [0, 0, 0, 0, 0]);
}

/// Case SEC-170: an export says what there is, and no key of it.
#[tokio::test]
async fn sec_170_an_export_names_the_factors() {
    let (f, of_u1) = with_phone().await;
    let mut browser = f.browser();
    half_way(&f, &mut browser, &f.c1).await;
    step(&mut browser, &of_u1.shows(f.now())).await;
    browser.goto("/account/data").await;
    let (action, _, form) = browser.form("export-submit");
    let answer = browser.request(crate::harness::Call::post(&action).form(&form)).await;
    let data = answer.json();
    assert_eq!(data["account"]["recovery_codes_left"], 10);
    assert_eq!(data["account"]["authenticator_app_since"], f.now() - 30);
    assert_eq!(data["sessions"][0]["methods"], "pwd otp");
    assert!(!answer.text().contains(&of_u1.codes[0]) && !answer.text().contains(&of_u1.codes[0].replace('-', "")));
}
