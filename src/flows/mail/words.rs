//! What letters say: the same words as text and as HTML, in the language of whoever gets them.

use askama::Template;

use super::{FactorChange, Letter};
use crate::app::{
    App,
    moment::{self, Moment},
    text::Texts,
};

/// A letter in words. All of it is text; the template makes it HTML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    pub subject: String,
    pub lead: String,
    pub facts: Vec<Fact>,
    /// Before the button.
    pub prompt: Option<String>,
    pub button: Option<Link>,
    pub expires: Option<String>,
    pub other: Option<Other>,
    pub note: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    pub name: String,
    pub value: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    pub label: String,
    pub address: String,
}

/// A second way, for the few who need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Other {
    pub prompt: String,
    pub link: Link,
}

/// Both forms of a letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The tag of its language.
    pub lang: &'static str,
    pub subject: String,
    pub text: String,
    pub html: String,
    /// What it wants to be opened, the most wanted first.
    pub links: Vec<Link>,
}

#[derive(Template)]
#[template(path = "mail/letter.html")]
struct Html<'a> {
    lang: &'static str,
    site: &'a str,
    accent: String,
    words: &'a Words,
    by_hand: &'a str,
    footer: &'a str,
}

#[derive(Template)]
#[template(path = "mail/letter.txt")]
struct Plain<'a> {
    words: &'a Words,
    blocks: Vec<String>,
    footer: &'a str,
}

/// The letter as this installation sends it.
///
/// # Errors
/// When a template cannot be rendered, which is a defect.
pub fn render(app: &App, letter: &Letter, texts: &'static Texts) -> Result<Rendered, askama::Error> {
    let branding = &app.config.branding;
    let words = Say { texts, site: &branding.name }.words(letter);
    let host = app.config.server.issuer.url().host_str().unwrap_or_default();
    let footer = texts.with("mail.footer", &[("site", &branding.name), ("host", host)]);
    let html = Html {
        lang: texts.tag(),
        site: &branding.name,
        accent: branding.accent.to_string(),
        words: &words,
        by_hand: texts.get("mail.by_hand"),
        footer: &footer,
    };
    let text = Plain { words: &words, blocks: words.blocks(), footer: &footer };
    Ok(Rendered {
        lang: texts.tag(),
        text: text.render()?,
        html: html.render()?,
        links: words.links(),
        subject: words.subject,
    })
}

impl Words {
    fn new(subject: String, lead: String) -> Self {
        Words { subject, lead, facts: Vec::new(), prompt: None, button: None, expires: None, other: None, note: None }
    }

    fn fact(mut self, name: &str, value: Option<String>) -> Self {
        self.facts.extend(value.map(|value| Fact { name: name.to_owned(), value }));
        self
    }

    fn prompt(self, prompt: String) -> Self {
        Words { prompt: Some(prompt), ..self }
    }

    fn button(self, label: String, address: &str) -> Self {
        Words { button: Some(Link { label, address: address.to_owned() }), ..self }
    }

    fn expires(self, expires: String) -> Self {
        Words { expires: Some(expires), ..self }
    }

    fn other(self, prompt: String, label: String, address: &str) -> Self {
        Words { other: Some(Other { prompt, link: Link { label, address: address.to_owned() } }), ..self }
    }

    fn note(self, note: String) -> Self {
        Words { note: Some(note), ..self }
    }

    /// The paragraphs of the text, in the order of the HTML.
    fn blocks(&self) -> Vec<String> {
        let line = |fact: &Fact| format!("{}: {}", fact.name, fact.value);
        let facts = (!self.facts.is_empty()).then(|| self.facts.iter().map(line).collect::<Vec<_>>().join("\n"));
        let button = self.button.as_ref().map(|link| format!("{}:\n{}", link.label, link.address));
        let other = self.other.as_ref().map(|other| format!("{}\n{}", other.prompt, other.link.address));
        let blocks = [
            Some(self.lead.clone()),
            facts,
            self.prompt.clone(),
            button,
            self.expires.clone(),
            other,
            self.note.clone(),
        ];
        blocks.into_iter().flatten().collect()
    }

    fn links(&self) -> Vec<Link> {
        self.button.iter().chain(self.other.iter().map(|other| &other.link)).cloned().collect()
    }
}

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// The sentences of one language about one installation.
struct Say<'a> {
    texts: &'static Texts,
    site: &'a str,
}

impl Say<'_> {
    fn say(&self, key: &str) -> String {
        self.texts.with(key, &[("site", self.site)])
    }

    fn moment(&self, at: i64) -> Option<String> {
        Moment::of(self.texts, at).map(|moment| moment.words)
    }

    /// How long the link works.
    fn within(&self, count: u32, unit: u64) -> String {
        self.texts.with("mail.expires", &[("time", &moment::span(self.texts, unit * u64::from(count)))])
    }

    fn words(&self, letter: &Letter) -> Words {
        match letter {
            Letter::VerifyEmail { link, hours } => self.verify_email(link, *hours),
            Letter::AddressTaken { sign_in, forgot } => self.address_taken(sign_in, forgot),
            Letter::ResetPassword { link, minutes } => self.reset_password(link, *minutes),
            Letter::MailCode { code, minutes, device, forgot } => {
                self.mail_code(code, *minutes, device.as_deref(), forgot)
            }
            Letter::SignInLink { link, minutes } => self.sign_in_link(link, *minutes),
            Letter::PasswordChanged { when, device, forgot } => self.password_changed(*when, device.as_deref(), forgot),
            Letter::ConfirmNewAddress { link, hours } => self.confirm_new_address(link, *hours),
            Letter::AddressChanging { new_address_hint, undo } => self.address_changing(new_address_hint, undo),
            Letter::AddressChanged { when, new_address_hint, undo } => {
                self.address_changed(*when, new_address_hint, undo.as_deref())
            }
            Letter::NewDevice { device, place, when, sessions } => self
                .new_device(*when, sessions)
                .fact(self.texts.get("mail.device"), device.as_deref().map(named))
                .fact(self.texts.get("mail.place"), place.as_deref().map(named)),
            Letter::AccountLocked { when, forgot } => self.account_locked(*when, forgot),
            Letter::FactorChanged { change, when, device, factors, forgot } => self
                .factor_changed(*change, factors, forgot)
                .fact(self.texts.get("mail.when"), self.moment(*when))
                .fact(self.texts.get("mail.device"), device.as_deref().map(named)),
            Letter::Invitation { link, inviter, days } => self.invitation(link, inviter.as_deref(), *days),
            Letter::DeletionPlanned { until, undo } => self.deletion_planned(*until, undo),
            Letter::AccountDeleted => {
                Words::new(self.say("mail.account_deleted.subject"), self.say("mail.account_deleted.lead"))
                    .note(self.say("mail.tell_operator"))
            }
            Letter::Test => Words::new(self.say("mail.test.subject"), self.say("mail.test.lead")),
        }
    }

    fn verify_email(&self, link: &str, hours: u32) -> Words {
        Words::new(self.say("mail.verify_email.subject"), self.say("mail.verify_email.lead"))
            .button(self.say("mail.confirm_address"), link)
            .expires(self.within(hours, HOUR))
            .note(self.say("mail.verify_email.note"))
    }

    fn address_taken(&self, sign_in: &str, forgot: &str) -> Words {
        Words::new(self.say("mail.address_taken.subject"), self.say("mail.address_taken.lead"))
            .button(self.say("mail.address_taken.button"), sign_in)
            .other(self.say("mail.address_taken.other"), self.say("mail.new_password"), forgot)
            .note(self.say("mail.address_taken.note"))
    }

    fn reset_password(&self, link: &str, minutes: u32) -> Words {
        Words::new(self.say("mail.reset_password.subject"), self.say("mail.reset_password.lead"))
            .button(self.say("mail.new_password"), link)
            .expires(self.within(minutes, MINUTE))
            .note(self.say("mail.reset_password.note"))
    }

    /// The code is not in the subject, which screens that are locked show.
    fn mail_code(&self, code: &str, minutes: u32, device: Option<&str>, forgot: &str) -> Words {
        let time = moment::span(self.texts, MINUTE * u64::from(minutes));
        Words::new(self.say("mail.code.subject"), self.say("mail.code.lead"))
            .fact(self.texts.get("mail.code.code"), Some(one_line(code)))
            .fact(self.texts.get("mail.device"), device.map(named))
            .prompt(self.texts.with("mail.code.prompt", &[("time", &time)]))
            .button(self.say("mail.new_password"), forgot)
    }

    fn sign_in_link(&self, link: &str, minutes: u32) -> Words {
        Words::new(self.say("mail.sign_in_link.subject"), self.say("mail.sign_in_link.lead"))
            .button(self.say("mail.sign_in_link.button"), link)
            .expires(self.within(minutes, MINUTE))
            .note(self.say("mail.sign_in_link.note"))
    }

    fn password_changed(&self, when: i64, device: Option<&str>, forgot: &str) -> Words {
        Words::new(self.say("mail.password_changed.subject"), self.say("mail.password_changed.lead"))
            .fact(self.texts.get("mail.when"), self.moment(when))
            .fact(self.texts.get("mail.device"), device.map(named))
            .prompt(self.say("mail.password_changed.prompt"))
            .button(self.say("mail.new_password"), forgot)
    }

    fn confirm_new_address(&self, link: &str, hours: u32) -> Words {
        Words::new(self.say("mail.confirm_new_address.subject"), self.say("mail.confirm_new_address.lead"))
            .button(self.say("mail.confirm_address"), link)
            .expires(self.within(hours, HOUR))
            .note(self.say("mail.confirm_new_address.note"))
    }

    fn address_changing(&self, hint: &str, undo: &str) -> Words {
        Words::new(self.say("mail.address_changing.subject"), self.say("mail.address_changing.lead"))
            .fact(self.texts.get("mail.new_address"), Some(one_line(hint)))
            .prompt(self.say("mail.address_changing.prompt"))
            .button(self.say("mail.keep_address"), undo)
    }

    fn address_changed(&self, when: i64, hint: &str, undo: Option<&str>) -> Words {
        let words = Words::new(self.say("mail.address_changed.subject"), self.say("mail.address_changed.lead"))
            .fact(self.texts.get("mail.when"), self.moment(when))
            .fact(self.texts.get("mail.new_address"), Some(one_line(hint)));
        match undo {
            Some(undo) => {
                words.prompt(self.say("mail.address_changed.prompt")).button(self.say("mail.keep_address"), undo)
            }
            None => words.note(self.say("mail.tell_operator")),
        }
    }

    fn new_device(&self, when: i64, sessions: &str) -> Words {
        Words::new(self.say("mail.new_device.subject"), self.say("mail.new_device.lead"))
            .fact(self.texts.get("mail.when"), self.moment(when))
            .prompt(self.say("mail.new_device.prompt"))
            .button(self.say("mail.new_device.button"), sessions)
    }

    fn account_locked(&self, when: i64, forgot: &str) -> Words {
        Words::new(self.say("mail.account_locked.subject"), self.say("mail.account_locked.lead"))
            .fact(self.texts.get("mail.when"), self.moment(when))
            .prompt(self.say("mail.account_locked.prompt"))
            .button(self.say("mail.new_password"), forgot)
            .note(self.say("mail.account_locked.note"))
    }

    fn factor_changed(&self, change: FactorChange, factors: &str, forgot: &str) -> Words {
        let (subject, lead) = match change {
            FactorChange::TotpAdded => ("mail.factor.totp_added", "mail.factor.totp_added_lead"),
            FactorChange::TotpRemoved => ("mail.factor.totp_removed", "mail.factor.totp_removed_lead"),
            FactorChange::PasskeyAdded => ("mail.factor.passkey_added", "mail.factor.passkey_added_lead"),
            FactorChange::PasskeyRemoved => ("mail.factor.passkey_removed", "mail.factor.passkey_removed_lead"),
            FactorChange::RecoveryCodesMade => ("mail.factor.codes_made", "mail.factor.codes_made_lead"),
            FactorChange::RecoveryCodeUsed { .. } => ("mail.factor.code_used", "mail.factor.code_used_lead"),
            FactorChange::Reset => ("mail.factor.reset", "mail.factor.reset_lead"),
            FactorChange::Guessed => ("mail.factor.guessed", "mail.factor.guessed_lead"),
            FactorChange::ProviderLinked => ("mail.factor.provider_linked", "mail.factor.provider_linked_lead"),
            FactorChange::ProviderUnlinked => ("mail.factor.provider_unlinked", "mail.factor.provider_unlinked_lead"),
            FactorChange::PasswordSet => ("mail.factor.password_set", "mail.factor.password_set_lead"),
        };
        let words = Words::new(self.say(subject), self.say(lead));
        match change {
            FactorChange::Guessed => {
                words.prompt(self.say("mail.factor.guessed_prompt")).button(self.say("mail.new_password"), forgot)
            }
            FactorChange::PasswordSet => {
                words.prompt(self.say("mail.factor.password_set_prompt")).button(self.say("mail.new_password"), forgot)
            }
            FactorChange::Reset => {
                words.button(self.say("mail.factor.button"), factors).note(self.say("mail.tell_operator"))
            }
            FactorChange::RecoveryCodeUsed { left } => self
                .with_ways(words, ("mail.factor.button", factors), forgot)
                .fact(self.texts.get("mail.factor.codes_left"), Some(left.to_string())),
            FactorChange::ProviderLinked | FactorChange::ProviderUnlinked => {
                self.with_ways(words, ("mail.factor.button_providers", factors), forgot)
            }
            _ => self.with_ways(words, ("mail.factor.button", factors), forgot),
        }
    }

    fn with_ways(&self, words: Words, (button, to): (&str, &str), forgot: &str) -> Words {
        words.prompt(self.say("mail.factor.prompt")).button(self.say(button), to).other(
            self.say("mail.factor.other"),
            self.say("mail.new_password"),
            forgot,
        )
    }

    fn invitation(&self, link: &str, inviter: Option<&str>, days: u32) -> Words {
        let lead = match inviter.map(named).filter(|inviter| !inviter.is_empty()) {
            Some(inviter) => self.texts.with("mail.invitation.lead_by", &[("site", self.site), ("inviter", &inviter)]),
            None => self.say("mail.invitation.lead"),
        };
        Words::new(self.say("mail.invitation.subject"), lead)
            .button(self.say("mail.invitation.button"), link)
            .expires(self.within(days, DAY))
            .note(self.say("mail.invitation.note"))
    }

    fn deletion_planned(&self, until: i64, undo: &str) -> Words {
        Words::new(self.say("mail.deletion_planned.subject"), self.say("mail.deletion_planned.lead"))
            .fact(self.texts.get("mail.until"), self.moment(until))
            .prompt(self.say("mail.deletion_planned.prompt"))
            .button(self.say("mail.deletion_planned.button"), undo)
    }
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Somebody else chose it: short, on one line, and nothing that a mail program makes a link of.
fn named(value: &str) -> String {
    const MOST: usize = 100;
    let is_host = |word: &str| {
        word.split_once('.').is_some_and(|(_, rest)| rest.chars().take(2).filter(|c| c.is_alphabetic()).count() == 2)
    };
    let misleads = |word: &str| word.contains(['/', '@', ':']) || is_host(word);
    let clear = one_line(value);
    let words: Vec<&str> = clear.split_whitespace().map(|word| if misleads(word) { "…" } else { word }).collect();
    words.join(" ").chars().take(MOST).collect()
}
