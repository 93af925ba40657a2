//! `/api/v1/users`.

use serde_json::json;

use super::{api, refused};
use crate::harness::seed::{NewPerson, every_claim};

#[tokio::test]
async fn the_public_part_of_a_profile_is_for_those_whom_the_settings_name() {
    for (audience, seen) in [("admins", 404), ("everybody", 200)] {
        let api = api(&[("accounts.public_profiles", audience)]).await;
        let ada = api.user(NewPerson::named("ada").claims(every_claim())).await;
        let (tim, session) = api.somebody("tim").await;
        let answer = api.get(&format!("/users/{}", ada.id), &session.access).await;
        assert_eq!(answer.status, seen, "{audience}");
        if seen == 200 {
            let expected = json!({
                "id": ada.id, "name": "Ada King Lovelace", "username": "ada",
                "picture": "https://ada.example/me.png", "bio": null,
            });
            assert_eq!(answer.json(), expected);
        }
        assert_eq!(api.get(&format!("/users/{}", tim.id), &session.access).await.status, 200, "oneself");
        for id in ["x", "00000000-0000-4000-8000-000000000000", "%00", "tim"] {
            assert_eq!(refused(&api.get(&format!("/users/{id}"), &session.access).await).0, 404, "{id}");
        }
    }
}
