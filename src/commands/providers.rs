//! `signet providers`: whom people can sign in with. A secret comes from the standard input or a file, and is never shown.

use std::{
    io::{self, Read},
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use super::{
    failure::Failure,
    output::{self, Format, utc},
};
use crate::{
    app::App,
    config::{Config, providers::icon_file, secret},
    flows::{
        Trouble,
        admin::providers::{self, Finding, Provider},
    },
};

#[derive(Debug, Subcommand)]
pub enum Providers {
    /// List all providers
    List(Format),
    /// Show what is set of a provider, and what it must be told of this server
    Show(Which),
    /// Make a provider
    Add(Add),
    /// Change what is set of a provider
    Set {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        settings: Settings,
        #[command(flatten)]
        secret: Secret,
    },
    /// Let people sign in with it again
    Enable(Which),
    /// Let nobody sign in with it; connections and sessions stay
    Disable(Which),
    /// Remove a provider
    Remove {
        #[command(flatten)]
        which: Which,
        /// Also where accounts are connected with it, for some of which it may be the only way in
        #[arg(long)]
        unlink: bool,
    },
    /// Ask the provider whether people could sign in with it, and say what to mend
    Check(Which),
}

#[derive(Debug, Args)]
pub struct Which {
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    format: Format,
}

#[derive(Debug, Args)]
pub struct Add {
    #[command(flatten)]
    which: Which,
    /// What it is: google, github, oidc or oauth2
    #[arg(long)]
    kind: String,
    /// The id that the provider gave for this server
    #[arg(long, value_name = "ID")]
    client_id: String,
    #[command(flatten)]
    settings: Settings,
    #[command(flatten)]
    secret: Secret,
}

#[derive(Debug, Args)]
pub struct Settings {
    /// A setting of [[providers]], such as issuer=https://login.company.example or sign_up=true; lists by commas, an empty value takes it away; may be repeated
    #[arg(long = "set", value_name = "SETTING=VALUE")]
    set: Vec<String>,
}

#[derive(Debug, Args)]
pub struct Secret {
    /// Read the provider's secret for this server from the standard input
    #[arg(long, conflicts_with = "secret_file")]
    secret_stdin: bool,
    /// A file that holds it
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
}

impl Providers {
    /// # Errors
    /// What is wrong with the provider, or that there is none.
    pub async fn run(self, config: Config) -> Result<(), Failure> {
        match self {
            Providers::List(format) => {
                let app = super::open(config).await?;
                let all = providers::all(&app).await?;
                format.print(&all.iter().map(|one| as_json(&app, one)).collect(), || table(&app, &all))
            }
            Providers::Show(Which { name, format }) => {
                let app = super::open(config).await?;
                let found = providers::find(&app, &name).await.map_err(unknown(&app, &name))?;
                let json = as_json(&app, &found);
                format.print(&json, || format!("{json:#}\n"))
            }
            Providers::Add(new) => new.run(config).await,
            Providers::Set { which: Which { name, format }, settings, secret } => {
                let mut members = settings.members()?;
                members.extend(secret.member()?);
                if members.is_empty() {
                    return Err(Failure::usage("nothing is to be changed; say --set, --secret-stdin or --secret-file"));
                }
                let app = super::open(config).await?;
                let changed = providers::change(&app, &name, members).await.map_err(unknown(&app, &name))?;
                format.print(&as_json(&app, &changed), || format!("{name} is changed.\n"))
            }
            Providers::Enable(which) => switch(which, config, false).await,
            Providers::Disable(which) => switch(which, config, true).await,
            Providers::Remove { which: Which { name, format }, unlink } => {
                let app = super::open(config).await?;
                let removed = providers::delete(&app, &name, unlink).await;
                let links = removed.map_err(|trouble| match trouble {
                    Trouble::Conflict(why) => Failure::failed(why.replace("(unlink)", "(--unlink)")),
                    other => unknown(&app, &name)(other),
                })?;
                let answer = json!({ "name": name, "deleted": true, "unlinked": links });
                format.print(&answer, || format!("{name} is gone, and with it the way in of {links} account(s).\n"))
            }
            Providers::Check(Which { name, format }) => {
                let app = super::open(config).await?;
                let found = providers::check(&app, &name).await.map_err(unknown(&app, &name))?;
                let is_well = found.iter().all(|finding| finding.is_well);
                let answer =
                    json!({ "name": name, "well": is_well, "findings": found.iter().map(finding).collect::<Vec<_>>() });
                format.print(&answer, || findings(&found))?;
                if is_well {
                    Ok(())
                } else {
                    Err(Failure::failed(format!("people cannot sign in with {name} as it is")))
                }
            }
        }
    }
}

impl Add {
    async fn run(self, config: Config) -> Result<(), Failure> {
        let Which { name, format } = self.which;
        let mut members = self.settings.members()?;
        members.extend(self.secret.member()?);
        let said = [("name", name), ("kind", self.kind), ("client_id", self.client_id)];
        members.extend(said.map(|(key, value)| (key.to_owned(), value.into())));
        let app = super::open(config).await?;
        let made = providers::create(&app, members).await.map_err(wrong)?;
        let register = providers::for_provider(&app, &made.row);
        format.print(&as_json(&app, &made), || {
            let told = [
                ("redirect URI", Some(register.redirect_uri)),
                ("home page", Some(register.homepage)),
                ("post-logout redirect URI", register.post_logout_redirect_uri),
                ("back-channel logout URI", register.backchannel_logout_uri),
            ];
            let told = told.into_iter().filter_map(|(name, value)| Some((name, value?)));
            format!(
                "{} is made. Register this at the provider, to the letter:\n{}Then `signet providers check {0}` tells what is \
                 missing.\n",
                made.row.name,
                output::pairs(told)
            )
        })
    }
}

impl Settings {
    /// As the environment would say them; tables as JSON.
    fn members(&self) -> Result<Map<String, Value>, Failure> {
        let mut members = Map::new();
        for said in &self.set {
            let Some((key, value)) = said.split_once('=') else {
                return Err(Failure::usage(format!("--set {said}: say it as SETTING=VALUE")));
            };
            if key == "client_secret" {
                let why = "a secret on the command line can be read by every user of this machine";
                return Err(Failure::usage(format!("--set client_secret: {why}; use --secret-stdin or --secret-file")));
            }
            if !crate::config::Provider::members().any(|known| known == key) {
                let known: Vec<_> = crate::config::Provider::members().collect();
                return Err(Failure::usage(format!(
                    "--set {key}: there is no such setting; there are {}",
                    known.join(", ")
                )));
            }
            let value = match value {
                "" => Value::Null,
                file if key == "icon" && !file.starts_with("data:") => icon_file(Path::new(file))
                    .map_err(|fault| Failure::usage(format!("--set icon: {}; {}", fault.problem, fault.remedy)))?
                    .into(),
                json if json.starts_with(['{', '[']) => serde_json::from_str(json)
                    .map_err(|error| Failure::usage(format!("--set {key}: this is not JSON: {error}")))?,
                text => text.into(),
            };
            members.insert(key.to_owned(), value);
        }
        Ok(members)
    }
}

impl Secret {
    fn member(&self) -> Result<Option<(String, Value)>, Failure> {
        let secret = match (&self.secret_file, self.secret_stdin) {
            (Some(file), _) => {
                let read = secret::read_file(file);
                let read = read.map_err(|fault| Failure::usage(format!("{}; {}", fault.problem, fault.remedy)))?;
                read.text.as_str().to_owned()
            }
            (None, true) => from_stdin()?,
            (None, false) => return Ok(None),
        };
        Ok(Some(("client_secret".to_owned(), secret.into())))
    }
}

/// Without the line break that `echo` adds.
fn from_stdin() -> Result<String, Failure> {
    const MOST: u64 = 64 * 1024;
    let mut text = String::new();
    let read = io::stdin().lock().take(MOST).read_to_string(&mut text);
    read.map_err(|error| Failure::failed(format!("the secret cannot be read from the standard input: {error}")))?;
    let end = text.trim_end_matches(['\r', '\n']).len();
    text.truncate(end);
    if text.is_empty() {
        return Err(Failure::usage("the standard input has no secret; pipe it in, as in `… --secret-stdin < FILE`"));
    }
    Ok(text)
}

async fn switch(Which { name, format }: Which, config: Config, disabled: bool) -> Result<(), Failure> {
    let app = super::open(config).await?;
    let changed = providers::set_disabled(&app, &name, disabled).await.map_err(unknown(&app, &name))?;
    let state = if disabled { "disabled" } else { "enabled" };
    format.print(&as_json(&app, &changed), || format!("{name} is {state}.\n"))
}

fn unknown<'a>(app: &'a App, name: &'a str) -> impl Fn(Trouble) -> Failure + 'a {
    move |trouble| match trouble {
        Trouble::NotFound(_) => {
            let database = app.config.database.url.masked();
            Failure::failed(format!("there is no provider {name} in {database}; `signet providers list` shows all"))
        }
        other => wrong(other),
    }
}

/// In the words of this command.
fn wrong(trouble: Trouble) -> Failure {
    let Trouble::Invalid(fields) = trouble else { return trouble.into() };
    let line = |field: &crate::flows::Field| {
        let said = match field.name {
            "name" => "NAME".to_owned(),
            "client_secret" => "the secret".to_owned(),
            "kind" | "client_id" => format!("--{}", field.name.replace('_', "-")),
            other => format!("--set {other}"),
        };
        format!("{said}: {}", field.why)
    };
    Failure::usages(fields.iter().map(line).collect())
}

fn as_json(app: &App, provider: &Provider) -> Value {
    let row = &provider.row;
    let register = providers::for_provider(app, row);
    json!({
        "name": row.name,
        "origin": row.origin,
        "enabled": row.is_enabled(),
        "has_secret": row.sealed_secret.is_some(),
        "links": provider.links,
        "settings": providers::said(&row.settings),
        "register": {
            "redirect_uri": register.redirect_uri,
            "homepage": register.homepage,
            "post_logout_redirect_uri": register.post_logout_redirect_uri,
            "backchannel_logout_uri": register.backchannel_logout_uri,
        },
        "created_at": utc(row.created_at),
        "updated_at": utc(row.updated_at),
    })
}

fn table(app: &App, all: &[Provider]) -> String {
    let head = ["NAME", "KIND", "STATE", "ORIGIN", "LINKS", "REDIRECT URI"].map(str::to_owned);
    let rows = all.iter().map(|Provider { row, links }| {
        let state = if row.is_enabled() { "enabled" } else { "disabled" };
        let uri = providers::for_provider(app, row).redirect_uri;
        [row.name.clone(), row.settings.kind.clone(), state.to_owned(), row.origin.clone(), links.to_string(), uri]
    });
    output::columns([head].into_iter().chain(rows))
}

fn finding(Finding { what, is_well, says, remedy }: &Finding) -> Value {
    json!({ "what": what, "well": is_well, "says": says, "remedy": remedy })
}

fn findings(found: &[Finding]) -> String {
    let line = |Finding { what, is_well, says, remedy }: &Finding| {
        let mark = if *is_well { "ok" } else { "not well" };
        [(*what).to_owned(), mark.to_owned(), says.clone(), remedy.clone().unwrap_or_default()]
    };
    output::columns(found.iter().map(line))
}
