//! What an operator types: one file per noun. A command reads the settings, calls a flow and prints what came of it.
//! What scripts rely on is in the README: names, `--json`, exit codes 1 (it failed) and 2 (usage or settings).

pub mod admin;
pub mod check_config;
pub mod clients;
pub mod failure;
pub mod invitations;
pub mod keys;
pub mod logging;
pub mod logouts;
pub mod mails;
pub mod metadata;
pub mod migrate;
pub mod openapi;
pub mod output;
pub mod providers;
pub mod registration_tokens;
pub mod serve;
pub mod trace;
pub mod users;

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};

use self::{failure::Failure, output::Format};
use crate::{
    app::{
        App,
        open::{Problem, Surroundings},
    },
    config::{self, Config, ConfigError, LoadArgs, sources},
    flows::start::{self, Schema},
};

/// Signet, an OpenID Connect provider in one program. Without a command it serves.
#[derive(Debug, Parser)]
#[command(name = "signet", version)]
pub struct Arguments {
    #[command(flatten)]
    settings: Settings,
    #[command(subcommand)]
    command: Option<Command>,
}

/// Settings that are worth a flag; secrets are none, since everybody on the machine sees the command line.
#[derive(Debug, Args)]
#[command(next_help_heading = "Settings (over SIGNET_… variables, which are over the file)")]
struct Settings {
    /// The settings file [default: signet.toml here or in the data folder, if there is one]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where the database and the master key lie [default: data]
    #[arg(long, global = true, value_name = "FOLDER")]
    data_dir: Option<String>,
    /// The address and port to listen on [default: 127.0.0.1:8080]
    #[arg(long, global = true, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
    /// The URL by which the world knows this server [default: http://localhost:8080]
    #[arg(long, global = true, value_name = "URL")]
    issuer: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start the server
    Serve(serve::Serve),
    /// Bring the schema of the database up to date, or show how it stands
    #[command(subcommand)]
    Migrate(migrate::Migrate),
    /// Print the settings as they apply, secrets masked, and what is wrong with them
    CheckConfig(Format),
    /// Print the API contract (OpenAPI, YAML)
    Openapi,
    /// Handle people
    #[command(subcommand)]
    Users(users::Users),
    /// Handle the apps that people sign in to
    #[command(subcommand)]
    Clients(clients::Clients),
    /// Handle the tokens by which apps may register themselves
    #[command(subcommand)]
    RegistrationTokens(registration_tokens::RegistrationTokens),
    /// Invite people to register an account
    #[command(subcommand)]
    Invitations(invitations::Invitations),
    /// Handle the providers that people can sign in with
    #[command(subcommand)]
    Providers(providers::Providers),
    /// Handle the keys that sign tokens
    #[command(subcommand)]
    Keys(keys::Keys),
    /// Show which apps were told that people have signed out
    #[command(subcommand)]
    Logouts(logouts::Logouts),
    /// Handle the mails to people
    #[command(subcommand)]
    Mails(mails::Mails),
    /// Show why a sign-in or a request ended as it did
    Trace(trace::Trace),
    /// Get back into the administration
    #[command(subcommand)]
    Admin(admin::Admin),
}

/// Runs the command; what went wrong is on the standard error stream.
pub async fn run(arguments: Arguments) -> ExitCode {
    match arguments.obey().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

impl Arguments {
    async fn obey(self) -> Result<(), Failure> {
        let command = self.command.unwrap_or(Command::Serve(serve::Serve::default()));
        if let Command::Openapi = command {
            return openapi::print();
        }
        let config = self.settings.load()?;
        if let Command::Serve(serve) = command {
            return serve.run(config).await;
        }
        logging::for_commands();
        match command {
            Command::Serve(_) | Command::Openapi => Ok(()),
            Command::CheckConfig(format) => check_config::run(&config, format),
            Command::Migrate(migrate) => migrate.run(&config).await,
            Command::Users(users) => users.run(config).await,
            Command::Clients(clients) => clients.run(config).await,
            Command::RegistrationTokens(tokens) => tokens.run(config).await,
            Command::Invitations(invitations) => invitations.run(config).await,
            Command::Providers(providers) => providers.run(config).await,
            Command::Keys(keys) => keys.run(config).await,
            Command::Logouts(logouts) => logouts.run(config).await,
            Command::Mails(mails) => mails.run(config).await,
            Command::Trace(trace) => trace.run(config).await,
            Command::Admin(admin) => admin.run(config).await,
        }
    }
}

impl Settings {
    fn load(self) -> Result<Config, ConfigError> {
        let flags = [("data_dir", self.data_dir), ("listen", self.listen), ("issuer", self.issuer)];
        let given = flags.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
        // Absolute paths in messages spare the question which folder was meant; without one, relative ones do.
        let directory = std::env::current_dir().unwrap_or_default();
        let args = LoadArgs { config_file: self.config, flags: given.collect(), directory };
        config::load(&args, sources::environment())
    }
}

/// The server that a command acts on. An empty database gets its schema; that of one in use is for the server, or
/// for `signet migrate`, to change.
async fn open(config: Config) -> Result<App, Problem> {
    let around = Surroundings::real(&config);
    start::open(config, around, Schema::Create).await
}
