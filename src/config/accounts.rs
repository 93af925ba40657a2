//! `[accounts]`: who may have an account, and what people do with theirs by themselves.
use std::path::PathBuf;

use super::{
    parse::{Seconds, list, optional, path, seconds, switch, text, word},
    reader::Reader,
    setting::{Fallback, Fault, Given, Parsed, section, words},
};
use crate::protocol::{phone, text as names};

const DAY: u32 = Seconds::DAY;

section! {
    /// Accounts of people.
    pub struct Accounts at "accounts." {
        /// `off`: operators make accounts; `invitation`: for those who were invited; `domains`: for addresses of
        /// `email_domains`; `open`: for everybody. Default: off.
        registration: SignUp = Fallback::Fixed("off"), word;
        /// The domains of e-mail addresses that may register where `registration` is `domains`. Default: none.
        email_domains: Vec<String> = Fallback::Fixed(""), list(domain);
        /// Whether people must confirm their address before they can sign in. With `optional`, registering tells whether
        /// an address is taken. Default: required.
        verification: Verification = Fallback::Fixed("required"), word;
        /// Whether people have a name to sign in with besides their address: `off`, `optional` or `required`.
        /// Default: optional.
        usernames: Usernames = Fallback::Fixed("optional"), word;
        /// User names that nobody can take, besides those that look official, such as admin and support. Default: none.
        reserved_names: Vec<String> = Fallback::Fixed(""), list(name);
        /// The country (ISO 3166-1, two letters) whose telephone numbers may be written without +. Default: none.
        phone_region: Option<String> = Fallback::Unset, optional(region);
        /// How long an account can be taken back after its person has deleted it. 0s deletes at once. At most 90d.
        /// Default: 7d.
        deletion_grace: Seconds = Fallback::Fixed("7d"), seconds(0, 90 * DAY);
        /// How long tries to sign in are kept. From 1d to 365d. Default: 90d.
        keep_attempts: Seconds = Fallback::Fixed("90d"), seconds(DAY, 365 * DAY);
        /// How long the security log of an account reaches back. From 30d to 3650d. Default: 365d.
        keep_security_log: Seconds = Fallback::Fixed("365d"), seconds(30 * DAY, 3650 * DAY);
        /// A file in MaxMind's format (GeoLite2 City, say) that tells the place of an address. Default: none.
        geoip: Option<PathBuf> = Fallback::Unset, optional(path);
        /// Whether the JSON API (/api/v1/auth, /api/v1/me, /api/v1/users) is there. Default: true.
        api: bool = Fallback::Fixed("true"), switch;
        /// Who may see the public part of other people's profiles by the JSON API: `admins`, or `everybody` who is
        /// signed in. Default: admins.
        public_profiles: Audience = Fallback::Fixed("admins"), word;
    }
}

words! {
    /// Who may register an account.
    pub enum SignUp {
        /// Nobody.
        Off = "off",
        /// Whoever was invited.
        Invitation = "invitation",
        /// Whoever has an address of certain domains, or was invited.
        Domains = "domains",
        /// Everybody.
        Open = "open",
    }
}

words! {
    /// Whether an unconfirmed address keeps people out.
    pub enum Verification {
        /// It does.
        Required = "required",
        /// It does not.
        Optional = "optional",
    }
}

words! {
    /// Whether people have user names.
    pub enum Usernames {
        /// They do not choose one.
        Off = "off",
        /// They may choose one.
        Optional = "optional",
        /// They must choose one.
        Required = "required",
    }
}

words! {
    /// Who may see something.
    pub enum Audience {
        /// Administrators.
        Admins = "admins",
        /// Everybody who is signed in.
        Everybody = "everybody",
    }
}

impl Accounts {
    pub(super) fn check(&self, reader: &mut Reader<'_>) {
        if self.registration == SignUp::Domains && self.email_domains.is_empty() {
            let remedy = "list the domains, such as [\"example.com\"], or let registration be \"open\"";
            reader.refuse("accounts.email_domains", "registration is for domains, and there are none", remedy);
        }
        if self.registration == SignUp::Open && self.verification == Verification::Optional {
            let message = "anybody can register with anybody's address and use the account unconfirmed";
            reader.warn("accounts.verification", message);
        }
    }
}

/// A domain, in the form that addresses have it.
fn domain(given: &Given<'_>) -> Parsed<String> {
    let refused = || Fault::new("this is not a domain", "write \"example.com\"");
    let text = text(253)(given)?;
    let address = names::email(&format!("someone@{}", text.trim_start_matches('@'))).map_err(|_| refused())?;
    address.split_once('@').map(|(_, domain)| domain.to_owned()).ok_or_else(refused)
}

fn name(given: &Given<'_>) -> Parsed<String> {
    let text = text(64)(given)?;
    names::username(&text).map_err(|why| Fault::new(format!("this name {why}"), "write one name"))
}

fn region(given: &Given<'_>) -> Parsed<String> {
    let text = text(2)(given)?.to_ascii_uppercase();
    phone::is_region(&text)
        .then_some(text)
        .ok_or_else(|| Fault::new("this is not a country's code", "write two letters, such as \"DE\""))
}
