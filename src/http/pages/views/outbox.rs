//! `/outbox`: what would have been sent.

use askama::Template;

use super::{Link, Moment};
use crate::http::pages::view::Frame;

/// The newest first.
#[derive(Template, Debug)]
#[template(path = "pages/outbox.html")]
pub struct Outbox {
    pub frame: Frame,
    pub mails: Vec<OutboxLine>,
}

/// One mail.
#[derive(Template, Debug)]
#[template(path = "pages/outbox_mail.html")]
pub struct OutboxMail {
    pub frame: Frame,
    pub line: OutboxLine,
    /// What the mail wants to be opened, with its label.
    pub links: Vec<(String, Link)>,
    pub text: String,
    /// Where the mail itself is, for a frame.
    pub framed: String,
    pub back: String,
}

/// What a list shows of a mail.
#[derive(Debug, Clone)]
pub struct OutboxLine {
    pub address: String,
    pub to: String,
    pub subject: String,
    /// The language of the mail, which need not be that of the page.
    pub lang: &'static str,
    pub at: Option<Moment>,
}
