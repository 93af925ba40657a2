//! `signet clients`: the apps that people sign in to, and machines. A secret is shown when it is made, and never again.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum, builder::PossibleValuesParser, value_parser};
use serde_json::{Value, json};

use super::{
    failure::Failure,
    metadata,
    output::{self, Format, utc},
};
use crate::{
    app::App,
    config::Config,
    flows::{
        Trouble,
        admin::clients::{self, Client, Kind, NewClient},
    },
    protocol::{
        Scope,
        client_metadata::{AUTH_METHODS, ClientMetadata, ClientPolicy, fitting},
    },
};

#[derive(Debug, Subcommand)]
pub enum Clients {
    /// Register a client
    Create(Box<Create>),
    /// Change what is registered of a client
    Update(Update),
    /// List all clients
    List(Format),
    /// Show what is registered of a client
    Show(Which),
    /// Make a new secret and print it
    RotateSecret {
        #[command(flatten)]
        which: Which,
        /// How long the old secret stays good, so that the app can change over
        #[arg(long, value_name = "SECONDS", default_value_t = 0, value_parser = value_parser!(i64).range(0..=90 * 86_400))]
        keep_old_for: i64,
    },
    /// Refuse a client; what was granted to it stays
    Disable(Which),
    /// Serve a disabled client again
    Enable(Which),
    /// Remove a client with everything that was granted to it
    Delete(Which),
}

#[derive(Debug, Args)]
pub struct Which {
    #[arg(value_name = "CLIENT_ID")]
    client_id: String,
    #[command(flatten)]
    format: Format,
}

#[derive(Debug, Args)]
pub struct Create {
    /// The name that people see when they are asked for consent
    #[arg(long, required_unless_present = "metadata")]
    name: Option<String>,
    #[arg(long, value_enum)]
    kind: GivenKind,
    /// A file with metadata as JSON (RFC 7591 §2), over the defaults of the kind; flags are over the file
    #[arg(long, value_name = "FILE")]
    metadata: Option<PathBuf>,
    /// The id by which it names itself [default: a random one]
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    /// Where people may be sent back to, compared byte by byte; may be repeated
    #[arg(long, value_name = "URI")]
    redirect_uri: Vec<String>,
    /// Where people may be sent after signing out; may be repeated
    #[arg(long, value_name = "URI")]
    post_logout_redirect_uri: Vec<String>,
    /// What it may ask for, separated by spaces [default: what OpenID Connect defines; nothing for machines]
    #[arg(long, value_name = "SCOPES")]
    scope: Option<Scope>,
    /// How it proves itself at the token endpoint [default: that of its kind]
    #[arg(long, value_name = "METHOD", value_parser = PossibleValuesParser::new(AUTH_METHODS))]
    auth_method: Option<String>,
    /// What it may exchange for tokens; may be repeated [default: what its kind needs]
    #[arg(long, value_name = "GRANT")]
    grant_type: Vec<String>,
    #[command(flatten)]
    format: Format,
    #[command(flatten)]
    policy: Policy,
    #[command(flatten)]
    about: About,
}

#[derive(Debug, Args)]
pub struct Update {
    #[command(flatten)]
    which: Which,
    /// A file with the metadata to change, as JSON (RFC 7591 §2): what it does not name stays, null takes a member away
    #[arg(long, value_name = "FILE")]
    metadata: PathBuf,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "What it may")]
struct Policy {
    /// Do not require PKCE of it; clients without a secret always must use it
    #[arg(long)]
    no_pkce: bool,
    /// It belongs to whoever runs this server
    #[arg(long)]
    first_party: bool,
    /// Never ask people for consent; for first-party clients only
    #[arg(long)]
    skip_consent: bool,
    /// Access tokens that APIs must ask about, instead of signed ones
    #[arg(long)]
    opaque_access_tokens: bool,
    /// Nobody gets to it with one factor alone; who has no second one sets one up
    #[arg(long)]
    require_second_factor: bool,
    /// An origin whose scripts may call the endpoints; may be repeated
    #[arg(long, value_name = "ORIGIN")]
    allowed_origin: Vec<String>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "What is known of it")]
struct About {
    /// A file with its public keys, a JWK Set
    #[arg(long, value_name = "FILE")]
    jwks: Option<PathBuf>,
    /// Where its public keys are
    #[arg(long, value_name = "URI")]
    jwks_uri: Option<String>,
    /// Its home page
    #[arg(long, value_name = "URI")]
    client_uri: Option<String>,
    #[arg(long, value_name = "URI")]
    logo_uri: Option<String>,
    /// Its privacy policy
    #[arg(long, value_name = "URI")]
    policy_uri: Option<String>,
    /// Its terms of service
    #[arg(long, value_name = "URI")]
    tos_uri: Option<String>,
}

/// What the client is; it decides the defaults
#[derive(Debug, Clone, Copy, ValueEnum)]
enum GivenKind {
    /// On a server; keeps a secret
    Web,
    /// In a browser; keeps none
    Spa,
    /// On a phone or a computer; keeps none
    Native,
    /// Nobody signs in; keeps a secret
    Machine,
}

impl From<GivenKind> for Kind {
    fn from(given: GivenKind) -> Self {
        match given {
            GivenKind::Web => Kind::Web,
            GivenKind::Spa => Kind::Spa,
            GivenKind::Native => Kind::Native,
            GivenKind::Machine => Kind::Machine,
        }
    }
}

impl Clients {
    /// # Errors
    /// What is wrong with the client, or that there is none.
    pub async fn run(self, config: Config) -> Result<(), Failure> {
        match self {
            Clients::Create(new) => new.run(config).await,
            Clients::Update(change) => change.run(config).await,
            Clients::List(format) => {
                let clients = clients::all(&super::open(config).await?).await?;
                format.print(&clients.iter().map(as_json).collect(), || table(&clients))
            }
            Clients::Show(Which { client_id, format }) => {
                let app = super::open(config).await?;
                let client = clients::find(&app, &client_id).await.map_err(unknown(&app, &client_id))?;
                format.print(&as_json(&client), || format!("{:#}\n", as_json(&client)))
            }
            Clients::RotateSecret { which, keep_old_for } => rotate(which, config, keep_old_for).await,
            Clients::Disable(which) => switch(which, config, true).await,
            Clients::Enable(which) => switch(which, config, false).await,
            Clients::Delete(Which { client_id, format }) => {
                let app = super::open(config).await?;
                clients::delete(&app, &client_id).await.map_err(unknown(&app, &client_id))?;
                let answer = json!({ "client_id": client_id, "deleted": true });
                format.print(&answer, || format!("{client_id} is gone, with everything that was granted to it.\n"))
            }
        }
    }
}

impl Create {
    async fn run(self, config: Config) -> Result<(), Failure> {
        let format = self.format;
        let new = self.registration()?;
        let app = super::open(config).await?;
        let (client, secret) = clients::create(&app, new).await?;
        print_secret(format, &client, secret.as_ref().map(|secret| secret.reveal()), None)
    }

    fn registration(self) -> Result<NewClient, Failure> {
        let kind = Kind::from(self.kind);
        let defaults = match &self.metadata {
            Some(file) => metadata::over(&kind.defaults(), file)?,
            None => kind.defaults(),
        };
        let or = |given: Vec<String>, usual: Vec<String>| if given.is_empty() { usual } else { given };
        let grant_types = or(self.grant_type, defaults.grant_types.clone());
        let about = self.about;
        let metadata = ClientMetadata {
            client_name: self.name.or(defaults.client_name),
            client_uri: about.client_uri.or(defaults.client_uri),
            logo_uri: about.logo_uri.or(defaults.logo_uri),
            policy_uri: about.policy_uri.or(defaults.policy_uri),
            tos_uri: about.tos_uri.or(defaults.tos_uri),
            redirect_uris: or(self.redirect_uri, defaults.redirect_uris),
            post_logout_redirect_uris: or(self.post_logout_redirect_uri, defaults.post_logout_redirect_uris),
            response_types: fitting(&defaults.response_types, &grant_types),
            grant_types,
            token_endpoint_auth_method: self.auth_method.unwrap_or(defaults.token_endpoint_auth_method),
            scope: self.scope.unwrap_or(defaults.scope),
            jwks: about.jwks.as_deref().map(metadata::jwks).transpose()?.or(defaults.jwks),
            jwks_uri: about.jwks_uri.or(defaults.jwks_uri),
            ..defaults
        };
        let policy = ClientPolicy {
            first_party: self.policy.first_party,
            skip_consent: self.policy.skip_consent,
            require_pkce: !self.policy.no_pkce,
            opaque_access_tokens: self.policy.opaque_access_tokens,
            require_second_factor: self.policy.require_second_factor,
            allowed_origins: self.policy.allowed_origin,
            ..ClientPolicy::default()
        };
        Ok(NewClient { client_id: self.client_id, kind, metadata, policy, secret: None })
    }
}

impl Update {
    async fn run(self, config: Config) -> Result<(), Failure> {
        let Update { which: Which { client_id, format }, metadata: file } = self;
        let app = super::open(config).await?;
        let known = clients::find(&app, &client_id).await.map_err(unknown(&app, &client_id))?;
        let metadata = metadata::over(&known.metadata, &file)?;
        let changed = clients::update(&app, &client_id, metadata, known.policy).await;
        let client = changed.map_err(unknown(&app, &client_id))?;
        format.print(&as_json(&client), || format!("{client_id} is changed.\n"))
    }
}

async fn rotate(Which { client_id, format }: Which, config: Config, keep_old: i64) -> Result<(), Failure> {
    let app = super::open(config).await?;
    let rotated = clients::rotate_secret(&app, &client_id, keep_old).await;
    let (client, secret) = rotated.map_err(unknown(&app, &client_id))?;
    print_secret(format, &client, Some(secret.reveal()), client.old_secret_until)
}

async fn switch(Which { client_id, format }: Which, config: Config, disabled: bool) -> Result<(), Failure> {
    let app = super::open(config).await?;
    clients::set_disabled(&app, &client_id, disabled).await.map_err(unknown(&app, &client_id))?;
    let state = if disabled { "disabled" } else { "enabled" };
    format.print(&json!({ "client_id": client_id, "enabled": !disabled }), || format!("{client_id} is {state}.\n"))
}

fn unknown<'a>(app: &'a App, client_id: &'a str) -> impl Fn(Trouble) -> Failure + 'a {
    move |trouble| match trouble {
        Trouble::NotFound(_) => {
            let database = app.config.database.url.masked();
            Failure::failed(format!("there is no client {client_id} in {database}; `signet clients list` shows all"))
        }
        other => other.into(),
    }
}

/// The one time that a secret is shown.
fn print_secret(format: Format, client: &Client, secret: Option<&str>, old: Option<i64>) -> Result<(), Failure> {
    let mut answer = json!({ "client_id": client.client_id });
    if let Some(secret) = secret {
        answer["client_secret"] = secret.into();
    }
    if let Some(until) = old {
        answer["old_secret_until"] = utc(until).into();
    }
    format.print(&answer, || {
        let mut text = output::pairs([("client_id", client.client_id.clone())]);
        if let Some(secret) = secret {
            text = output::pairs([("client_id", client.client_id.clone()), ("client_secret", secret.to_owned())]);
            text.push_str("Keep the secret now: only its hash is stored, and it is not shown again.\n");
        }
        if let Some(until) = old {
            text.push_str(&format!("The old secret is good until {}.\n", utc(until)));
        }
        text
    })
}

fn as_json(client: &Client) -> Value {
    json!({
        "client_id": client.client_id,
        "kind": client.kind,
        "origin": client.origin,
        "enabled": client.is_enabled(),
        "created_at": utc(client.created_at),
        "updated_at": utc(client.updated_at),
        "has_secret": client.secret_hash.is_some(),
        "old_secret_until": client.old_secret_until.map(utc),
        "metadata": client.metadata,
        "policy": client.policy,
    })
}

fn table(clients: &[Client]) -> String {
    let head = ["CLIENT", "KIND", "STATE", "ORIGIN", "NAME"].map(str::to_owned);
    let rows = clients.iter().map(|client| {
        let state = if client.is_enabled() { "enabled" } else { "disabled" };
        [&client.client_id, &*client.kind, state, &*client.origin, client.name()].map(str::to_owned)
    });
    output::columns([head].into_iter().chain(rows))
}
