//! The one list of all settings, and the questions that are asked of it.
use super::{
    accounts::Accounts,
    branding::Branding,
    clients::Client,
    database::Database,
    events::Events,
    keys::Keys,
    lifetimes::Lifetimes,
    log::Log,
    mail::Mail,
    outbound::Outbound,
    passwords::Passwords,
    providers::Provider,
    registration::Registration,
    resources::{ResourceHead, ResourceScope},
    second_factor::SecondFactor,
    server::Server,
    setting::{Secrecy, Setting, variable},
    tls::TlsFiles,
};

/// Every section, in the order in which `check-config` prints them.
const SECTIONS: &[&[Setting]] = &[
    Server::SETTINGS,
    Database::SETTINGS,
    TlsFiles::SETTINGS,
    Branding::SETTINGS,
    Lifetimes::SETTINGS,
    Passwords::SETTINGS,
    Accounts::SETTINGS,
    SecondFactor::SETTINGS,
    Log::SETTINGS,
    Events::SETTINGS,
    Keys::SETTINGS,
    Outbound::SETTINGS,
    Mail::SETTINGS,
    Registration::SETTINGS,
    Client::SETTINGS,
    Provider::SETTINGS,
    ResourceHead::SETTINGS,
    ResourceScope::SETTINGS,
];

/// Every setting there is.
pub fn settings() -> impl Iterator<Item = &'static Setting> {
    SECTIONS.iter().flat_map(|section| section.iter())
}

/// Every key that a file may have, those that name a secret's file included.
pub fn keys() -> impl Iterator<Item = String> {
    settings().flat_map(Setting::keys)
}

/// Every variable that the environment may have.
pub fn variables() -> impl Iterator<Item = String> {
    keys().filter_map(|key| variable(&key)).chain(["SIGNET_CONFIG".to_owned()])
}

/// The key that a variable sets.
pub fn key_of_variable(name: &str) -> Option<String> {
    keys().find(|key| variable(key).as_deref() == Some(name))
}

/// The setting that a key of a file speaks of.
pub fn find(key: &str) -> Option<&'static Setting> {
    settings().find(|setting| setting.key == key || setting.file_key().as_deref() == Some(key))
}

/// A table that holds settings, or a list of such tables.
pub fn holds_settings(prefix: &str) -> bool {
    settings().any(|setting| setting.key.starts_with(prefix))
}

/// The names that may stand directly in a table.
pub fn names_in(prefix: &str) -> Vec<String> {
    let mut names: Vec<_> = keys()
        .filter_map(|key| {
            let rest = key.strip_prefix(prefix)?;
            Some(rest.split(['.', '[']).next().unwrap_or(rest).to_owned())
        })
        .collect();
    names.dedup();
    names
}

impl Setting {
    /// Whether a value under `key` is itself the secret, and not the name of its file.
    pub fn is_secret(&self, key: &str) -> bool {
        self.secrecy != Secrecy::Open && key == self.key
    }
}
