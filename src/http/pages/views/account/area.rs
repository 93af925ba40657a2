//! What stands around the pages of an account: where one is, where one can go, and what has just been done.

use crate::{app::text::Texts, http::pages::view::Frame};

/// The sections of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    Overview,
    Profile,
    Email,
    Password,
    Factors,
    Providers,
    Sessions,
    Apps,
    Security,
    Data,
}

impl Section {
    pub const ALL: [Section; 10] = [
        Section::Overview,
        Section::Profile,
        Section::Email,
        Section::Password,
        Section::Factors,
        Section::Providers,
        Section::Sessions,
        Section::Apps,
        Section::Security,
        Section::Data,
    ];

    pub const fn path(self) -> &'static str {
        match self {
            Section::Overview => "/account",
            Section::Profile => "/account/profile",
            Section::Email => "/account/email",
            Section::Password => "/account/password",
            Section::Factors => "/account/factors",
            Section::Providers => "/account/providers",
            Section::Sessions => "/account/sessions",
            Section::Apps => "/account/apps",
            Section::Security => "/account/security",
            Section::Data => "/account/data",
        }
    }

    /// The last part of its path.
    pub fn name(self) -> &'static str {
        self.path().trim_start_matches("/account").trim_start_matches('/')
    }

    /// The section of that name; of any other, the overview (case SEC-100).
    pub fn named(name: &str) -> Self {
        Self::ALL.into_iter().find(|section| section.name() == name).unwrap_or(Section::Overview)
    }

    /// The key of its title.
    pub const fn title(self) -> &'static str {
        match self {
            Section::Overview => "area.overview",
            Section::Profile => "area.profile",
            Section::Email => "area.email",
            Section::Password => "area.password",
            Section::Factors => "area.factors",
            Section::Providers => "area.providers",
            Section::Sessions => "area.sessions",
            Section::Apps => "area.apps",
            Section::Security => "area.security",
            Section::Data => "area.data",
        }
    }

    /// The key of what it is for.
    pub const fn lead(self) -> Option<&'static str> {
        match self {
            Section::Overview => None,
            Section::Profile => Some("area.profile_lead"),
            Section::Email => Some("area.email_lead"),
            Section::Password => Some("area.password_lead"),
            Section::Factors => Some("area.factors_lead"),
            Section::Providers => Some("area.providers_lead"),
            Section::Sessions => Some("area.sessions_lead"),
            Section::Apps => Some("area.apps_lead"),
            Section::Security => Some("area.security_lead"),
            Section::Data => Some("area.data_lead"),
        }
    }
}

/// What every page of an account has.
#[derive(Clone, Debug)]
pub struct Area {
    pub section: Section,
    pub notice: Option<Notice>,
    /// There is a provider, or an account at one is connected.
    pub has_providers: bool,
}

impl Area {
    pub fn new(section: Section) -> Self {
        Area { section, notice: None, has_providers: false }
    }

    pub fn sections(&self) -> Vec<Section> {
        let is_of_use =
            |section: &Section| *section != Section::Providers || self.has_providers || self.is_here(section);
        Section::ALL.into_iter().filter(is_of_use).collect()
    }

    pub fn is_here(&self, section: &Section) -> bool {
        self.section == *section
    }

    pub fn address(&self, frame: &Frame, section: &Section) -> String {
        format!("{}{}", frame.site.base, section.path())
    }
}

/// What has been done, said on the page after it. Addresses name one of these and carry no words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    Saved,
    EmailVerified,
    /// A link to confirm the address.
    LinkSent,
    /// A link to the new address.
    EmailAsked,
    PasswordChanged,
    SessionEnded,
    OthersEnded,
    AppRevoked,
    FactorRemoved,
    PasskeyRemoved,
    DeviceForgotten,
    ProviderLinked,
    /// It was before.
    ProviderKnown,
    ProviderUnlinked,
    PasswordSet,
}

impl Notice {
    const ALL: [(Notice, &'static str, &'static str); 15] = [
        (Notice::Saved, "saved", "notice.saved"),
        (Notice::EmailVerified, "email-verified", "notice.email_verified"),
        (Notice::LinkSent, "link-sent", "notice.link_sent"),
        (Notice::EmailAsked, "email-asked", "notice.email_asked"),
        (Notice::PasswordChanged, "password-changed", "notice.password_changed"),
        (Notice::SessionEnded, "session-ended", "notice.session_ended"),
        (Notice::OthersEnded, "others-ended", "notice.others_ended"),
        (Notice::AppRevoked, "app-revoked", "notice.app_revoked"),
        (Notice::FactorRemoved, "factor-removed", "notice.factor_removed"),
        (Notice::PasskeyRemoved, "passkey-removed", "notice.passkey_removed"),
        (Notice::DeviceForgotten, "device-forgotten", "notice.device_forgotten"),
        (Notice::ProviderLinked, "provider-linked", "notice.provider_linked"),
        (Notice::ProviderKnown, "provider-known", "notice.provider_known"),
        (Notice::ProviderUnlinked, "provider-unlinked", "notice.provider_unlinked"),
        (Notice::PasswordSet, "password-set", "notice.password_set"),
    ];

    /// Of the parameter `done`.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known, _)| *known == code).map(|(notice, ..)| *notice)
    }

    /// The address of the page that says it.
    pub fn after(self, path: &str) -> String {
        let code = Self::ALL.iter().find(|(known, ..)| *known == self).map_or("", |(_, code, _)| *code);
        format!("{path}?done={code}")
    }

    pub fn sentence(self, texts: &Texts) -> &str {
        Self::ALL.iter().find(|(known, ..)| *known == self).map_or("", |(.., key)| texts.get(key))
    }
}
