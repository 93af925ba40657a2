//! The JSON API of accounts, as the front end of somebody's own uses it. The files mirror the addresses.

mod auth;
mod body;
mod guide;
mod life;
mod me;
mod refused;
mod users;

use std::ops::Deref;

use reqwest::Method;
use sea_orm::EntityTrait;
use serde_json::{Value, json};
use signet::{app::reseal::mail_context, flows::mail::Letter, store::mail};

use crate::harness::{
    Answer, Call, TestServer, assert,
    seed::{NewPerson, Person},
};

/// A server whose API people use.
pub struct Api(TestServer);

impl Deref for Api {
    type Target = TestServer;

    fn deref(&self) -> &TestServer {
        &self.0
    }
}

/// What a program got when somebody signed in with it.
#[derive(Clone, Debug)]
pub struct Session {
    pub access: String,
    pub refresh: String,
    pub device: Option<String>,
}

impl Session {
    #[track_caller]
    pub fn of(answer: &Answer) -> Self {
        assert!(matches!(answer.status, 200 | 201), "no tokens: {} {}", answer.status, answer.text());
        assert::not_stored(answer);
        let json = answer.json();
        assert_eq!(json["token_type"], "Bearer");
        assert!(json["expires_in"].as_i64().is_some_and(|seconds| seconds > 0), "{json}");
        let text = |name: &str| json[name].as_str().map(str::to_owned);
        let (access, refresh) = (text("access_token").unwrap(), text("refresh_token").unwrap());
        Session { access, refresh, device: text("device") }
    }
}

/// With these settings, over those of a server where everybody may register.
pub async fn api(settings: &[(&str, &str)]) -> Api {
    let mut all = vec![("accounts.registration", "open")];
    all.extend_from_slice(settings);
    Api(TestServer::with(&all).await)
}

impl Api {
    pub async fn send(&self, method: Method, path: &str, token: Option<&str>, body: Option<Value>) -> Answer {
        let mut call = Call::new(method, &format!("/api/v1{path}"));
        if let Some(token) = token {
            call = call.bearer(token);
        }
        if let Some(body) = body {
            call = call.body("application/json", body.to_string());
        }
        let answer = self.site.send(call).await;
        assert!(answer.header("set-cookie").is_none(), "cookies are for pages");
        assert::not_stored(&answer);
        if answer.status >= 400 {
            is_problem(&answer);
        }
        answer
    }

    /// To `/api/v1/auth/…`.
    pub async fn auth(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, &format!("/auth/{path}"), None, Some(body)).await
    }

    pub async fn get(&self, path: &str, token: &str) -> Answer {
        self.send(Method::GET, path, Some(token), None).await
    }

    pub async fn post(&self, path: &str, token: &str, body: Value) -> Answer {
        self.send(Method::POST, path, Some(token), Some(body)).await
    }

    pub async fn delete(&self, path: &str, token: &str, body: Option<Value>) -> Answer {
        self.send(Method::DELETE, path, Some(token), body).await
    }

    pub async fn person(&self, username: &str) -> Person {
        self.user(NewPerson::named(username)).await
    }

    pub async fn sign_in(&self, person: &Person) -> Session {
        Session::of(&self.auth("login", json!({ "login": person.email, "password": person.password })).await)
    }

    /// Somebody with a session.
    pub async fn somebody(&self, username: &str) -> (Person, Session) {
        let person = self.person(username).await;
        let session = self.sign_in(&person).await;
        (person, session)
    }

    /// What was written to whom, the newest last.
    pub async fn letters(&self) -> Vec<(String, Letter)> {
        let mut rows = mail::Entity::find().all(&self.app.db).await.unwrap();
        rows.sort_by_key(|row| row.id);
        let open = |row: mail::Mail| {
            let plain = self.app.master_key.open(&mail_context(row.id), &row.content?.0).unwrap();
            Some((row.recipient, serde_json::from_slice(&plain).unwrap()))
        };
        rows.into_iter().filter_map(open).collect()
    }

    /// The token of the newest link that was mailed there. Some mails are written after the answer.
    pub async fn link(&self, to: &str, kind: &str) -> String {
        let found = self.until(async || {
            let letters = self.letters().await;
            let newest = letters.into_iter().rev().find(|(address, letter)| address == to && letter.name() == kind);
            newest.and_then(|(_, letter)| token(&letter))
        });
        found.await
    }
}

/// The token of the link in a letter.
fn token(letter: &Letter) -> Option<String> {
    let link = match letter {
        Letter::VerifyEmail { link, .. } | Letter::ResetPassword { link, .. } => link,
        Letter::ConfirmNewAddress { link, .. } | Letter::SignInLink { link, .. } => link,
        Letter::AddressChanging { undo, .. } | Letter::DeletionPlanned { undo, .. } => undo,
        _ => return None,
    };
    Some(link.split_once("token=")?.1.to_owned())
}

/// RFC 9457, with the members that every refusal has.
#[track_caller]
pub fn is_problem(answer: &Answer) -> Value {
    assert_eq!(answer.media_type(), "application/problem+json", "{}", answer.text());
    let problem = answer.json();
    assert_eq!(problem["status"], answer.status);
    for member in ["type", "title", "detail", "code"] {
        assert!(problem[member].as_str().is_some_and(|text| !text.is_empty()), "no {member}: {problem}");
    }
    problem
}

/// Status and code of a refusal.
#[track_caller]
pub fn refused(answer: &Answer) -> (u16, String) {
    (answer.status, is_problem(answer)["code"].as_str().unwrap().to_owned())
}

/// The members that a refusal blames.
#[track_caller]
pub fn blamed(answer: &Answer) -> Vec<String> {
    assert_eq!(refused(answer), (400, "invalid_members".to_owned()), "{}", answer.text());
    let problem = answer.json();
    problem["errors"].as_array().unwrap().iter().map(|error| error["member"].as_str().unwrap().to_owned()).collect()
}
