//! The people and clients of the security cases (C1 to C7, RS1, RS2, U1, U5), and the walks that most cases begin with.
use std::ops::Deref;

use super::{
    assert,
    browser::Browser,
    relying_party::{Asked, RelyingParty},
    seed::{ClientSpec, NewPerson, Person, disable_user, every_claim},
    server::TestServer,
    tokens::Tokens,
};

/// The audiences of the two resource servers, as the settings of every test declare them.
pub const RS1: &str = "https://one.api.example/";
pub const RS2: &str = "https://two.api.example/";

pub struct Fixtures {
    server: TestServer,
    /// Confidential web client, client_secret_basic.
    pub c1: RelyingParty,
    /// The same with a query in its redirect URI.
    pub c1q: RelyingParty,
    /// Public single-page client.
    pub c2: RelyingParty,
    /// Native client.
    pub c3: RelyingParty,
    /// Another confidential client, client_secret_post.
    pub c4: RelyingParty,
    /// Machine client.
    pub c5: RelyingParty,
    /// private_key_jwt client.
    pub c6: RelyingParty,
    /// Client with two redirect URIs.
    pub c7: RelyingParty,
    pub rs1: RelyingParty,
    pub rs2: RelyingParty,
    /// A person with every standard claim.
    pub u1: Person,
    /// A second person with a password and little to tell.
    pub u2: Person,
    /// A person who is disabled.
    pub u5: Person,
}

impl Deref for Fixtures {
    type Target = TestServer;

    fn deref(&self) -> &TestServer {
        &self.server
    }
}

/// A server with all of them.
pub async fn fixtures() -> Fixtures {
    TestServer::start().await.fixtures().await
}

/// A visit of one person to one client that ended with tokens.
pub struct Visit {
    pub browser: Browser,
    pub asked: Asked,
    pub code: String,
    pub tokens: Tokens,
}

impl TestServer {
    pub async fn fixtures(self) -> Fixtures {
        let rs1 = self.client(ClientSpec::machine("rs1")).await;
        let rs2 = self.client(ClientSpec::machine("rs2")).await;
        let with_query = vec!["https://rp.example/cb?a=1"];
        let two = vec!["https://rp.example/cb", "https://rp.example/other"];
        let u5 = self.user(NewPerson::named("edgar")).await;
        disable_user(&self.app, &u5, true).await;
        Fixtures {
            c1: self.client(ClientSpec::web("c1")).await,
            c1q: self.client(ClientSpec { redirect_uris: with_query, ..ClientSpec::web("c1q") }).await,
            c2: self.client(ClientSpec::spa("c2")).await,
            c3: self.client(ClientSpec::native("c3")).await,
            c4: self.client(ClientSpec { auth_method: "client_secret_post", ..ClientSpec::web("c4") }).await,
            c5: self.client(ClientSpec::machine("c5")).await,
            c6: self.client(ClientSpec { auth_method: "private_key_jwt", ..ClientSpec::web("c6") }).await,
            c7: self.client(ClientSpec { redirect_uris: two, ..ClientSpec::web("c7") }).await,
            u1: self.user(NewPerson::named("ada").claims(every_claim())).await,
            u2: self.user(NewPerson::named("bela")).await,
            rs1,
            rs2,
            u5,
            server: self,
        }
    }
}

impl Fixtures {
    /// Gives a browser a session: by a request of C4 that is left behind before its consent.
    pub async fn sign_in(&self, browser: &mut Browser, person: &Person) {
        browser.goto(&self.c4.asks().with("prompt", "login").url()).await;
        browser.sign_in(person).await;
        assert!(browser.has_left() || browser.sees("consent-allow"), "not signed in, but on {}", browser.page());
    }

    /// A browser in which this person is signed in.
    pub async fn signed_in(&self, person: &Person) -> Browser {
        let mut browser = self.browser();
        self.sign_in(&mut browser, person).await;
        browser
    }

    /// From a request to a code, through whatever pages come: U1 signs in and allows.
    pub async fn code(&self, client: &RelyingParty) -> (Asked, String) {
        let asked = client.asks();
        let code = self.code_for(client, &asked).await;
        (asked, code)
    }

    pub async fn code_for(&self, client: &RelyingParty, asked: &Asked) -> String {
        self.code_for_in(self.browser(), client, asked).await
    }

    /// The same in a browser where U1 is signed in.
    pub async fn code_for_in(&self, mut browser: Browser, client: &RelyingParty, asked: &Asked) -> String {
        browser.goto(&asked.url()).await;
        browser.walk(&self.u1).await;
        assert::granted(&browser, client, asked)
    }

    /// The whole story once, as anybody.
    pub async fn visit_as(&self, person: &Person, client: &RelyingParty) -> Visit {
        let (mut browser, asked) = (self.browser(), client.asks());
        browser.goto(&asked.url()).await;
        browser.walk(person).await;
        let code = assert::granted(&browser, client, &asked);
        let tokens = client.tokens(&code, &asked).await;
        Visit { browser, asked, code, tokens }
    }

    /// The whole story once, as U1.
    pub async fn visit(&self, client: &RelyingParty) -> Visit {
        self.visit_with(client, client.asks()).await
    }

    pub async fn visit_with(&self, client: &RelyingParty, asked: Asked) -> Visit {
        self.continue_in(self.browser(), client, asked).await
    }

    /// The same in a browser that may have a session already.
    pub async fn continue_in(&self, mut browser: Browser, client: &RelyingParty, asked: Asked) -> Visit {
        browser.goto(&asked.url()).await;
        browser.walk(&self.u1).await;
        let code = assert::granted(&browser, client, &asked);
        let tokens = client.tokens(&code, &asked).await;
        Visit { browser, asked, code, tokens }
    }

    pub async fn tokens(&self, client: &RelyingParty) -> Tokens {
        self.visit(client).await.tokens
    }
}

impl Browser {
    /// Fills the sign-in page and sends it.
    pub async fn sign_in(&mut self, person: &Person) -> &mut Self {
        if !self.page().is_fixed("login-username") {
            self.fill("login-username", &person.username);
        }
        self.fill("login-password", &person.password);
        self.press("login-submit").await
    }

    /// Answers every page as a willing person does, until the application has its answer.
    pub async fn walk(&mut self, person: &Person) -> &mut Self {
        for _ in 0..4 {
            if self.has_left() {
                return self;
            }
            if self.sees("login-submit") {
                self.sign_in(person).await;
            } else if self.sees("consent-allow") {
                self.press("consent-allow").await;
            } else {
                panic!("a page that nobody expected: {}", self.page());
            }
        }
        assert!(self.has_left(), "a page too many: {}", self.page());
        self
    }
}
