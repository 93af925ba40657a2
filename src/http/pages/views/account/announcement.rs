//! Pages that say one thing: what has happened, and how it goes on.

use askama::Template;
use poem::http::StatusCode;

use crate::http::pages::view::Frame;

#[derive(Template, Debug)]
#[template(path = "pages/account/announcement.html")]
pub struct Announcement {
    pub frame: Frame,
    pub what: Announced,
    /// How long it can be taken back, in words.
    pub time: Option<String>,
    /// Where the one button leads.
    pub on: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Announced {
    /// Somebody registered; what was mailed, only the owner of the address knows (case SEC-118).
    Registered,
    /// Somebody asked for a new password, with a name or address that may have an account.
    ResetAsked,
    ResetDone,
    EmailConfirmed,
    EmailKept,
    DeletionPlanned,
    Deleted,
    AccountKept,
    /// The same for every link that does not work (case SEC-119).
    DeadLink,
    ByInvitation,
    /// Somebody asked for a link to sign in, with a name or address that may have an account.
    LinkAsked,
    /// That link was opened where nobody has asked for it.
    LinkElsewhere,
}

/// Its icon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Badge {
    Mail,
    Good,
    Bad,
}

impl Announced {
    /// All there are.
    pub const ALL: [Announced; 12] = [
        Announced::Registered,
        Announced::ResetAsked,
        Announced::ResetDone,
        Announced::EmailConfirmed,
        Announced::EmailKept,
        Announced::DeletionPlanned,
        Announced::Deleted,
        Announced::AccountKept,
        Announced::DeadLink,
        Announced::ByInvitation,
        Announced::LinkAsked,
        Announced::LinkElsewhere,
    ];

    /// The last part of its address, where it has one of its own.
    pub const fn name(self) -> &'static str {
        match self {
            Announced::Registered => "registered",
            Announced::ResetAsked => "reset-asked",
            Announced::ResetDone => "reset-done",
            Announced::EmailConfirmed => "email-confirmed",
            Announced::EmailKept => "email-kept",
            Announced::DeletionPlanned => "deletion-planned",
            Announced::Deleted => "deleted",
            Announced::AccountKept => "account-kept",
            Announced::DeadLink => "dead-link",
            Announced::ByInvitation => "by-invitation",
            Announced::LinkAsked => "link-asked",
            Announced::LinkElsewhere => "link-elsewhere",
        }
    }

    pub const fn status(self) -> StatusCode {
        match self {
            Announced::DeadLink => StatusCode::GONE,
            Announced::ByInvitation | Announced::LinkElsewhere => StatusCode::FORBIDDEN,
            _ => StatusCode::OK,
        }
    }

    pub(super) const fn badge(self) -> Badge {
        match self {
            Announced::Registered | Announced::ResetAsked | Announced::EmailKept | Announced::LinkAsked => Badge::Mail,
            Announced::DeadLink | Announced::ByInvitation | Announced::LinkElsewhere => Badge::Bad,
            _ => Badge::Good,
        }
    }

    /// Title, sentence, and what more there is to say.
    const fn keys(self) -> (&'static str, &'static str, Option<&'static str>) {
        match self {
            Announced::Registered => ("announced.mailed", "announced.registered_lead", Some("announced.mailed_advice")),
            Announced::ResetAsked => {
                ("announced.mailed", "announced.reset_asked_lead", Some("announced.mailed_advice"))
            }
            Announced::ResetDone => ("announced.reset_done", "announced.reset_done_lead", None),
            Announced::EmailConfirmed => ("announced.email_confirmed", "announced.email_confirmed_lead", None),
            Announced::EmailKept => ("announced.email_kept", "announced.email_kept_lead", None),
            Announced::DeletionPlanned => {
                ("announced.deletion_planned", "announced.deletion_planned_lead", Some("announced.deletion_advice"))
            }
            Announced::Deleted => ("announced.deleted", "announced.deleted_lead", None),
            Announced::AccountKept => ("announced.account_kept", "announced.account_kept_lead", None),
            Announced::DeadLink => ("announced.dead_link", "announced.dead_link_lead", None),
            Announced::ByInvitation => ("announced.by_invitation", "announced.by_invitation_lead", None),
            Announced::LinkAsked => ("announced.mailed", "announced.link_asked_lead", Some("announced.mailed_advice")),
            Announced::LinkElsewhere => {
                ("announced.link_elsewhere", "announced.link_elsewhere_lead", Some("announced.link_elsewhere_advice"))
            }
        }
    }

    /// What the button says.
    const fn action(self) -> &'static str {
        match self {
            Announced::EmailConfirmed | Announced::DeadLink => "announced.to_account",
            _ => "announced.sign_in",
        }
    }
}

impl Announcement {
    fn title(&self) -> &str {
        self.frame.t(self.what.keys().0)
    }

    fn lead(&self) -> String {
        self.frame.with(self.what.keys().1, &[("time", self.time.as_deref().unwrap_or_default())])
    }

    fn advice(&self) -> Option<&str> {
        self.what.keys().2.map(|key| self.frame.t(key))
    }

    fn action(&self) -> &str {
        self.frame.t(self.what.action())
    }
}
