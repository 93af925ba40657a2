//! `/account/security` and `/account/security/sign-ins`: what happened to an account, newest first.

use askama::Template;

use super::{Area, Section};
use crate::{
    app::text::Texts,
    http::pages::{view::Frame, views::Moment},
};

#[derive(Template, Debug)]
#[template(path = "pages/account/security.html")]
pub struct SecurityPage {
    pub frame: Frame,
    pub area: Area,
    /// Tries to sign in, rather than what was changed.
    pub attempts: bool,
    pub entries: Vec<LogEntry>,
    /// The newest are not among these.
    pub newest: Option<String>,
    /// The page with what was before.
    pub older: Option<String>,
}

#[derive(Clone, Debug)]
pub struct LogEntry {
    pub title: String,
    /// Worth a second look.
    pub odd: bool,
    pub when: Option<Moment>,
    pub device: Option<String>,
    pub address: Option<String>,
    /// The app that it is about.
    pub app: Option<String>,
}

/// What is said of a line of the security log, by its word.
pub fn event(texts: &Texts, kind: &str) -> String {
    let key = match kind {
        "registered" => "event.registered",
        "email_verified" => "event.email_verified",
        "password_changed" => "event.password_changed",
        "password_reset" => "event.password_reset",
        "email_change_asked" => "event.email_change_asked",
        "email_changed" => "event.email_changed",
        "email_kept" => "event.email_kept",
        "profile_changed" => "event.profile_changed",
        "new_device" => "event.new_device",
        "session_ended" => "event.session_ended",
        "signed_out_everywhere" => "event.signed_out_everywhere",
        "app_revoked" => "event.app_revoked",
        "data_exported" => "event.data_exported",
        "deletion_planned" => "event.deletion_planned",
        "deletion_taken_back" => "event.deletion_taken_back",
        "locked" => "event.locked",
        "totp_added" => "event.totp_added",
        "totp_removed" => "event.totp_removed",
        "passkey_added" => "event.passkey_added",
        "passkey_removed" => "event.passkey_removed",
        "passkey_copied" => "event.passkey_copied",
        "recovery_codes_made" => "event.recovery_codes_made",
        "recovery_code_used" => "event.recovery_code_used",
        "device_trusted" => "event.device_trusted",
        "device_forgotten" => "event.device_forgotten",
        "factors_reset" => "event.factors_reset",
        "provider_linked" => "event.provider_linked",
        "provider_unlinked" => "event.provider_unlinked",
        "password_set" => "event.password_set",
        other => return other.replace('_', " "),
    };
    texts.get(key).to_owned()
}

/// What is said of a try to sign in, by its reason.
pub fn attempt(texts: &Texts, reason: &str) -> String {
    let key = match reason {
        "right_password" => "attempt.right_password",
        "again" => "attempt.again",
        "right_code" => "attempt.right_code",
        "wrong_code" => "attempt.wrong_code",
        "right_passkey" => "attempt.right_passkey",
        "wrong_passkey" => "attempt.wrong_passkey",
        "right_link" => "attempt.right_link",
        "right_provider" => "attempt.right_provider",
        "wrong_provider" => "attempt.wrong_provider",
        "wrong_password" => "attempt.wrong_password",
        "unconfirmed_address" => "attempt.unconfirmed_address",
        "disabled_account" => "attempt.disabled_account",
        "locked_account" | "locked_address" => "attempt.locked",
        other => return other.replace('_', " "),
    };
    texts.get(key).to_owned()
}
