//! What an operator does to the server, by the flows that the commands and the admin API use too.
use serde_json::{Value, json};
use signet::{
    app::App,
    flows::{
        admin::{
            clients::{self, Kind},
            keys, users,
        },
        mail::{self, Letter, Outgoing, outbox, words::Rendered},
        nodes,
    },
    protocol::client_metadata::{ClientMetadata, ClientPolicy},
};

use super::{
    jwt::CLIENTS_KEY,
    relying_party::{Proof, RelyingParty},
    server::TestServer,
};

pub struct NewPerson {
    pub email: String,
    pub username: String,
    pub password: String,
    pub claims: Value,
}

#[derive(Clone, Debug)]
pub struct Person {
    pub id: String,
    pub email: String,
    pub username: String,
    pub password: String,
}

impl NewPerson {
    /// Somebody with a good password and nothing else to tell.
    pub fn named(username: &str) -> Self {
        NewPerson {
            email: format!("{username}@example.com"),
            username: username.into(),
            password: format!("{} wet umbrellas", 1000 + username.bytes().map(u32::from).sum::<u32>()),
            claims: json!({}),
        }
    }

    pub fn claims(mut self, claims: Value) -> Self {
        self.claims = claims;
        self
    }
}

/// Every standard claim of OpenID Connect Core §5.1 that a profile stores.
pub fn every_claim() -> Value {
    json!({
        "name": "Ada King Lovelace", "given_name": "Ada", "family_name": "Lovelace", "middle_name": "King",
        "nickname": "Countess", "profile": "https://ada.example/me", "picture": "https://ada.example/me.png",
        "website": "https://ada.example/", "gender": "female", "birthdate": "1815-12-10",
        "zoneinfo": "Europe/London", "locale": "en-GB",
        "phone_number": "+442079460000", "phone_number_verified": true,
        "address": {
            "formatted": "12 St James's Square\nLondon", "street_address": "12 St James's Square",
            "locality": "London", "postal_code": "SW1Y 4JH", "country": "GB",
        },
    })
}

pub struct ClientSpec {
    pub client_id: String,
    pub kind: Kind,
    pub auth_method: &'static str,
    pub redirect_uris: Vec<&'static str>,
    pub post_logout_redirect_uris: Vec<&'static str>,
    pub grant_types: Vec<&'static str>,
    pub scope: &'static str,
    pub require_pkce: bool,
    /// Trusted by its operator: no consent page, and the only kind that may use the password grant.
    pub first_party: bool,
    /// Profile claims in the ID token too.
    pub id_token_claims: bool,
    pub opaque_access_tokens: bool,
    pub frontchannel_logout_uri: Option<String>,
    pub backchannel_logout_uri: Option<String>,
    /// Members of its registration beyond these, by their names there; they win.
    pub more: Value,
}

impl ClientSpec {
    pub fn web(client_id: &str) -> Self {
        ClientSpec {
            client_id: client_id.into(),
            kind: Kind::Web,
            auth_method: "client_secret_basic",
            redirect_uris: vec!["https://rp.example/cb"],
            post_logout_redirect_uris: vec!["https://rp.example/bye"],
            grant_types: vec!["authorization_code", "refresh_token"],
            scope: "openid profile email address phone offline_access reports.read",
            require_pkce: true,
            first_party: false,
            id_token_claims: false,
            opaque_access_tokens: false,
            frontchannel_logout_uri: None,
            backchannel_logout_uri: None,
            more: json!({}),
        }
    }

    pub fn spa(client_id: &str) -> Self {
        let redirect_uris = vec!["https://spa.example/cb"];
        ClientSpec { kind: Kind::Spa, auth_method: "none", redirect_uris, ..Self::web(client_id) }
    }

    pub fn native(client_id: &str) -> Self {
        let redirect_uris = vec!["http://127.0.0.1/cb", "http://[::1]/cb", "com.example.app:/cb"];
        ClientSpec { kind: Kind::Native, auth_method: "none", redirect_uris, ..Self::web(client_id) }
    }

    pub fn machine(client_id: &str) -> Self {
        ClientSpec {
            kind: Kind::Machine,
            redirect_uris: vec![],
            post_logout_redirect_uris: vec![],
            grant_types: vec!["client_credentials"],
            scope: "reports.read reports.write",
            ..Self::web(client_id)
        }
    }

    fn metadata(&self) -> ClientMetadata {
        let owned = |list: &[&str]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
        let with_keys = self.auth_method == "private_key_jwt";
        let with_pages = !self.redirect_uris.is_empty();
        let metadata = ClientMetadata {
            client_name: Some(format!("The {} application", self.client_id)),
            application_type: if self.kind == Kind::Native { "native".into() } else { "web".into() },
            redirect_uris: owned(&self.redirect_uris),
            post_logout_redirect_uris: owned(&self.post_logout_redirect_uris),
            grant_types: owned(&self.grant_types),
            response_types: if with_pages { vec!["code".into()] } else { vec![] },
            token_endpoint_auth_method: self.auth_method.into(),
            scope: self.scope.parse().unwrap(),
            frontchannel_logout_uri: self.frontchannel_logout_uri.clone(),
            backchannel_logout_uri: self.backchannel_logout_uri.clone(),
            jwks: with_keys.then(|| json!({ "keys": [CLIENTS_KEY.jwk()] })),
            ..ClientMetadata::default()
        };
        let mut members = json!(metadata);
        members.as_object_mut().unwrap().extend(self.more.as_object().expect("members").clone());
        serde_json::from_value(members).expect("a registration")
    }

    fn policy(&self) -> ClientPolicy {
        ClientPolicy {
            require_pkce: self.require_pkce,
            first_party: self.first_party,
            skip_consent: self.first_party,
            id_token_claims: self.id_token_claims,
            opaque_access_tokens: self.opaque_access_tokens,
            ..ClientPolicy::default()
        }
    }
}

pub async fn user(app: &App, person: NewPerson) -> Person {
    let NewPerson { email, username, password, claims } = person;
    let phone_number = claims["phone_number"].as_str().map(str::to_string);
    let new = users::NewUser {
        email: Some(email.clone()),
        username: Some(username.clone()),
        password: Some(password.clone()),
        email_verified: true,
        phone_number_verified: phone_number.is_some(),
        phone_number,
        claims: serde_json::from_value(claims).expect("standard claims"),
        admin: false,
    };
    let user = users::create(app, new).await.unwrap_or_else(|trouble| panic!("no user {username}: {trouble:?}"));
    Person { id: user.id.to_string(), email, username, password }
}

/// What `signet users disable` does.
pub async fn disable_user(app: &App, person: &Person, disabled: bool) {
    users::set_disabled(app, person.id.parse().unwrap(), disabled).await.expect("a known user");
}

pub async fn delete_user(app: &App, person: &Person) {
    users::delete(app, person.id.parse().unwrap()).await.expect("a known user");
}

/// What `signet users set-password` does.
pub async fn set_password(app: &App, person: &Person, password: &str) {
    users::set_password(app, person.id.parse().unwrap(), password).await.expect("a good password");
}

/// The same, after which the person's known password is put back: what tests go on with.
pub async fn set_password_for_a_moment(app: &App, person: &Person) {
    let id = person.id.parse().unwrap();
    let known = signet::store::password::find(&app.db, id).await.unwrap().unwrap().phc;
    set_password(app, person, "eleven narrow bridges").await;
    signet::store::password::set(&app.db, id, known, app.now()).await.unwrap();
}

pub async fn client(server: &TestServer, spec: ClientSpec) -> RelyingParty {
    try_client(server, spec).await.unwrap_or_else(|error| panic!("no client: {error}"))
}

/// Registers a client, or says why the server would not have it.
pub async fn try_client(server: &TestServer, spec: ClientSpec) -> Result<RelyingParty, String> {
    let new = clients::NewClient {
        client_id: Some(spec.client_id.clone()),
        kind: spec.kind,
        metadata: spec.metadata(),
        policy: spec.policy(),
        secret: None,
    };
    let (client, secret) = clients::create(&server.app, new).await.map_err(|trouble| format!("{trouble:?}"))?;
    let secret = || secret.as_ref().expect("a confidential client gets a secret").reveal().to_string();
    let proof = match spec.auth_method {
        "none" => Proof::None,
        "client_secret_basic" => Proof::Basic(secret()),
        "client_secret_post" => Proof::Post(secret()),
        "client_secret_jwt" => Proof::SecretJwt(secret()),
        "private_key_jwt" => Proof::PrivateKeyJwt(CLIENTS_KEY.clone()),
        other => panic!("no such method: {other}"),
    };
    Ok(RelyingParty {
        site: server.site.clone(),
        client_id: client.client_id,
        proof,
        redirect_uri: spec.redirect_uris.first().copied().unwrap_or_default().into(),
        scope: if spec.redirect_uris.is_empty() { spec.scope.into() } else { "openid profile email".into() },
        origin: (spec.kind == Kind::Spa).then(|| "https://spa.example".into()),
        clock: server.clock.clone(),
    })
}

pub async fn disable_client(app: &App, client: &RelyingParty) {
    clients::set_disabled(app, &client.client_id, true).await.expect("a known client");
}

pub async fn delete_client(app: &App, client: &RelyingParty) {
    clients::delete(app, &client.client_id).await.expect("a known client");
}

/// Takes a grant type away from a client.
pub async fn forbid(app: &App, client: &RelyingParty, grant_type: &str) {
    let known = clients::find(app, &client.client_id).await.expect("a known client");
    let mut metadata = known.metadata;
    metadata.grant_types.retain(|known| known != grant_type);
    clients::update(app, &client.client_id, metadata, known.policy).await.expect("a sound client");
}

/// What `signet keys rotate` does: a next key is announced, and signs once everybody can know it.
pub async fn rotate_keys(app: &App) {
    keys::rotate(app, keys::FIRST, app.config.keys.announce.get()).await.expect("a next key");
}

/// What the server does by itself from time to time.
pub async fn run_jobs(app: &App) {
    nodes::refresh(app).await.expect("the keys");
}

/// Queues a letter as its cause would, in a transaction of its own.
pub async fn letter(app: &App, to: &str, locale: Option<&str>, letter: Letter) {
    letter_about(app, to, locale, None, letter).await;
}

/// The same, about somebody's account.
pub async fn letter_about(app: &App, to: &str, locale: Option<&str>, who: Option<&Person>, letter: Letter) {
    let user_id = who.map(|person| person.id.parse().unwrap());
    let mail = Outgoing { to: to.into(), locale: locale.map(str::to_string), user_id, letter };
    let of_app = app.clone();
    let work = app.writer.write(Box::new(move |db| Box::pin(async move { mail::queue(&of_app, db, mail).await })));
    work.await.expect("a queued mail");
}

/// The mails to an address that lie in the outbox, the newest first: what a person would find in their mailbox.
pub async fn mailbox(app: &App, to: &str) -> Vec<Rendered> {
    mail::run_due(app).await.expect("the outbox");
    let kept = outbox::list(app).await.expect("the outbox");
    kept.into_iter().filter(|kept| kept.mail.recipient == to).map(|kept| kept.rendered).collect()
}

/// The database goes away under a running server.
pub async fn lose_storage(app: &App) {
    app.db.unlimited().close_by_ref().await.expect("a database to lose");
}
