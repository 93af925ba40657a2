//! What an authorization answers with through the browser, and everything that a client must make sure of before it
//! believes it (OpenID Connect Core §3.2.2.8 to §3.2.2.11, §3.3.2.8 to §3.3.2.12).
use serde_json::{Map, Value};

use super::{
    assert,
    browser::{Browser, Mode},
    fixtures::Fixtures,
    jose,
    jwt::Token,
    relying_party::{Asked, RelyingParty, Userinfo},
    tokens::{IdToken, Tokens},
};

/// The parts of an answer; each is there exactly if the response type promises it.
pub struct Front {
    pub code: Option<String>,
    pub access: Option<String>,
    /// As it was written.
    pub id: Option<String>,
}

impl Front {
    pub fn id_token(&self) -> Option<IdToken> {
        self.id.as_deref().map(|token| IdToken(Token::read(token)))
    }
}

/// A whole authorization: what came through the browser, and what the code was worth.
pub struct Flow {
    pub browser: Browser,
    pub asked: Asked,
    pub front: Front,
    pub tokens: Option<Tokens>,
}

impl Flow {
    /// The claims of the ID token, the browser's first.
    #[track_caller]
    pub fn claims(&self) -> Map<String, Value> {
        match (self.front.id_token(), &self.tokens) {
            (Some(token), _) => token.0.claims,
            (None, Some(tokens)) => tokens.claims(),
            (None, None) => panic!("no ID token at all"),
        }
    }

    /// The ID token, to be shown to the server again.
    #[track_caller]
    pub fn hint(&self) -> &str {
        let later = || self.tokens.as_ref().and_then(|tokens| tokens.id.as_deref());
        self.front.id.as_deref().or_else(later).expect("an ID token")
    }

    /// Every access token that came of it.
    pub fn access_tokens(&self) -> Vec<&str> {
        let later = self.tokens.as_ref().map(|tokens| tokens.access.as_str());
        self.front.access.as_deref().into_iter().chain(later).collect()
    }
}

impl RelyingParty {
    /// Takes the answer apart. What was not promised, what is in the wrong place and what cannot be believed fails.
    pub async fn front(&self, browser: &Browser, asked: &Asked) -> Front {
        let landed = browser.landed();
        assert::answers(landed, self, asked);
        let promised = |word: &str| asked.get("response_type").unwrap().split(' ').any(|given| given == word);
        let mut members = vec!["state", "iss", "session_state"];
        if promised("code") {
            members.push("code");
        }
        if promised("token") {
            members.extend(["access_token", "token_type", "expires_in", "scope"]);
        }
        if promised("id_token") {
            members.push("id_token");
        }
        let in_query =
            if landed.mode == Mode::Query { assert::registered_query(&self.redirect_uri) } else { [].into() };
        for (name, value) in &landed.parameters.0 {
            let ours = members.contains(&name.as_str());
            assert!(ours || in_query.get(name) == Some(value), "{name} in {:?}", landed.parameters);
        }
        if landed.mode != Mode::Query {
            let target = asked.get("redirect_uri").unwrap_or(&self.redirect_uri);
            assert_eq!(landed.raw.split('#').next(), Some(target), "nothing of the answer is in the query");
        }
        let part = |name: &str, wanted: &str| promised(wanted).then(|| landed.get(name).map(str::to_string).unwrap());
        let front = Front {
            code: part("code", "code"),
            access: part("access_token", "token"),
            id: part("id_token", "id_token"),
        };
        for (name, value) in [("code", &front.code), ("access token", &front.access)] {
            value.iter().for_each(|value| assert::random_enough(name, value));
        }
        if promised("token") {
            assert!(landed.get("token_type").is_some_and(|kind| kind.eq_ignore_ascii_case("bearer")), "{landed:?}");
            assert!(landed.get("expires_in").unwrap().parse::<u32>().is_ok_and(|seconds| seconds > 0), "{landed:?}");
        }
        if let Some(token) = front.id_token() {
            token.is_for(self, asked.get("nonce"), &self.jwks().await);
            is_bound_to(&token.0, "at_hash", front.access.as_deref());
            is_bound_to(&token.0, "c_hash", front.code.as_deref());
        }
        front
    }
}

/// Required where the two come together, and for nothing else (§3.2.2.10, §3.3.2.11).
#[track_caller]
fn is_bound_to(token: &Token, name: &str, value: Option<&str>) {
    let expected = value.map(|value| jose::left_half(token.alg(), value));
    assert_eq!(token.claims.get(name).and_then(Value::as_str), expected.as_deref(), "{name} of {:?}", token.claims);
}

/// Claims about a person, as opposed to claims about the token.
pub fn about_the_person(claims: &Map<String, Value>) -> Vec<&str> {
    let of_the_token = [
        "iss",
        "sub",
        "aud",
        "azp",
        "exp",
        "iat",
        "auth_time",
        "nonce",
        "acr",
        "amr",
        "sid",
        "at_hash",
        "c_hash",
        "jti",
    ];
    claims.keys().map(String::as_str).filter(|name| !of_the_token.contains(name)).collect()
}

impl Fixtures {
    /// U1 signs in and allows in a browser of nobody.
    pub async fn flow(&self, client: &RelyingParty, asked: Asked) -> Flow {
        self.flow_in(self.browser(), client, asked).await
    }

    pub async fn flow_in(&self, mut browser: Browser, client: &RelyingParty, asked: Asked) -> Flow {
        browser.goto(&asked.url()).await;
        browser.walk(&self.u1).await;
        self.arrived(browser, client, asked).await
    }

    /// The browser is with the client: everything is taken, checked and tried.
    pub async fn arrived(&self, browser: Browser, client: &RelyingParty, asked: Asked) -> Flow {
        let front = client.front(&browser, &asked).await;
        let tokens = match &front.code {
            Some(code) => Some(client.tokens(code, &asked).await),
            None => None,
        };
        let flow = Flow { browser, asked, front, tokens };
        if let (Some(first), Some(Some(second))) =
            (flow.front.id_token(), flow.tokens.as_ref().map(|tokens| tokens.id.is_some().then(|| tokens.claims())))
        {
            for same in ["iss", "sub", "aud", "auth_time", "nonce", "acr"] {
                assert_eq!(first.0.claims.get(same), second.get(same), "{same} of both ID tokens");
            }
            assert_eq!(about_the_person(&second), about_the_person(&first.0.claims));
        }
        let sub = flow.claims()["sub"].clone();
        for access in flow.access_tokens() {
            let answer = client.userinfo(access, Userinfo::Get).await;
            assert_eq!((answer.status, &answer.json()["sub"]), (200, &sub), "{}", answer.text());
        }
        flow
    }
}
