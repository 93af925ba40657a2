//! `[mail]`: the server that takes our mails, and whom they are from.
use std::fmt;

use serde_json::Value;
use url::Url;

use super::{
    issuer::is_loopback,
    outbound::{HostName, host},
    parse::{Seconds, optional, seconds, text, whole, word},
    reader::Reader,
    secret::Hidden,
    setting::{Fallback, Fault, Given, Parsed, Shown, section, words},
};
use crate::protocol;

section! {
    /// How mails leave this server.
    pub struct Mail at "mail." {
        /// The name or address of the SMTP server that takes our mails. Default: none; with an http issuer the mails are
        /// then shown on the page `/outbox` and in the terminal, and with an https one there are none.
        host: Option<HostName> = Fallback::Unset, optional(host);
        /// `starttls`: encrypted before anything else is said, or not at all. `tls`: encrypted from the first byte. `none`:
        /// in clear, which is for a server on this machine only. Default: starttls.
        tls: MailTls = Fallback::Fixed("starttls"), word;
        /// The port of the SMTP server, from 1 to 65535. Default: that of `tls`: 587 for starttls, 465 for tls, 25 for
        /// none.
        port: u32 = Fallback::Derived(default_port), whole(1..=65_535);
        /// By what name we sign in at the SMTP server. Default: none, without signing in.
        username: Option<String> = Fallback::Unset, optional(text(255));
        /// The password for it. Default: none.
        password: Option<Hidden> = Fallback::Unset, optional(password);
        /// Whom mails are from: an address, or "Name <address>". Without a name they have that of `branding.name`.
        /// Default: no-reply at the host of the issuer.
        from: Sender = Fallback::Derived(default_from), sender;
        /// Where answers go, written like `from`. Default: none, back to `from`.
        reply_to: Option<Sender> = Fallback::Unset, optional(sender);
        /// How long handing over one mail may take. From 1s to 5m. Default: 30s.
        timeout: Seconds = Fallback::Fixed("30s"), seconds(1, 5 * Seconds::MINUTE);
    }
}

words! {
    /// How the way to the SMTP server is protected.
    pub enum MailTls {
        /// RFC 3207, and never without.
        Starttls = "starttls",
        /// RFC 8314 §3.3.
        Tls = "tls",
        /// Not at all.
        None = "none",
    }
}

/// An address, and the name of whoever has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    pub name: Option<String>,
    pub address: String,
}

impl fmt::Display for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name} <{}>", self.address),
            None => f.write_str(&self.address),
        }
    }
}

impl Shown for Sender {
    fn show(&self) -> Value {
        self.to_string().into()
    }
}

fn default_port(reader: &Reader<'_>) -> Option<String> {
    let port = match reader.shown("mail.tls")? {
        "tls" => "465",
        "none" => "25",
        _ => "587",
    };
    Some(port.to_owned())
}

fn default_from(reader: &Reader<'_>) -> Option<String> {
    let issuer = Url::parse(reader.shown("issuer")?).ok()?;
    let host = issuer.domain().filter(|_| !is_loopback(&issuer)).unwrap_or("localhost");
    Some(format!("no-reply@{host}"))
}

fn sender(given: &Given<'_>) -> Parsed<Sender> {
    let line = text(320)(given)?;
    let (name, address) = match line.strip_suffix('>').and_then(|line| line.rsplit_once('<')) {
        Some((name, address)) => (Some(name.trim().trim_matches('"')).filter(|name| !name.is_empty()), address),
        None => (None, line.as_str()),
    };
    let address = protocol::text::email(address).map_err(|_| {
        Fault::new(
            "the value is not an address for mail",
            "write \"no-reply@example.com\" or \"Name <no-reply@example.com>\"",
        )
    })?;
    Ok(Sender { name: name.map(str::to_owned), address })
}

/// Somebody else made it: anything that goes over the line.
fn password(given: &Given<'_>) -> Parsed<Hidden> {
    let text = given.value.as_str().ok_or_else(|| Fault::new("the password is not a text", "put it in quotes"))?;
    match text {
        "" => Err(Fault::new("the password is empty", "give one, or leave the key out")),
        "changeme" => Err(Fault::new("the password is that of the example", "give the one of your SMTP server")),
        text if text.chars().any(char::is_control) => {
            Err(Fault::new("the password has control characters", "remove them"))
        }
        text => Ok(Hidden::new(text)),
    }
}

impl Mail {
    /// `local`: the issuer is plain http, so there is an outbox.
    pub(super) fn check(&self, reader: &mut Reader<'_>, local: bool) {
        let Some(host) = &self.host else {
            for key in ["mail.username", "mail.password"] {
                if reader.is_given(key) {
                    reader.refuse(key, "no server is named that it could be for", "set mail.host too, or remove this");
                }
            }
            if !local {
                reader.warn("mail.host", "no mail can be sent: nobody can confirm an address or reset a password");
            }
            return;
        };
        match (&self.username, &self.password) {
            (Some(_), None) => {
                reader.refuse("mail.username", "it has no password", "set mail.password too, or neither")
            }
            (None, Some(_)) => reader.refuse("mail.password", "it has no name", "set mail.username too, or neither"),
            _ => {}
        }
        if self.tls == MailTls::None {
            if host.is_loopback() {
                reader.warn("mail.tls", "mails leave unencrypted: for a server on this machine only");
            } else {
                reader.refuse(
                    "mail.tls",
                    "mails carry links that open accounts, and would cross the network in clear",
                    "use \"starttls\" or \"tls\"; \"none\" is for localhost, 127.0.0.1 and [::1] only",
                );
            }
        }
    }
}
