//! What there is to write to people.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// A letter, with what its words need. Links are absolute and made by [`crate::app::App::url`], never from a request
/// (case SEC-101). Times are seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Letter {
    /// Somebody registered with this address; `link` confirms it.
    VerifyEmail {
        link: String,
        hours: u32,
    },
    /// Somebody registered with an address that has an account: where to sign in, where to reset the password.
    AddressTaken {
        sign_in: String,
        forgot: String,
    },
    ResetPassword {
        link: String,
        minutes: u32,
    },
    /// The second step of a sign-in that somebody has begun at `device`.
    MailCode {
        code: String,
        minutes: u32,
        device: Option<String>,
        forgot: String,
    },
    /// Signs in whoever opens it where it was asked for.
    SignInLink {
        link: String,
        minutes: u32,
    },
    /// `device` as the list of sessions names it.
    PasswordChanged {
        when: i64,
        device: Option<String>,
        forgot: String,
    },
    /// To the new address; `link` confirms it.
    ConfirmNewAddress {
        link: String,
        hours: u32,
    },
    /// To the old address: somebody wants another, and `undo` stops it. The hint does not show all of the new one.
    AddressChanging {
        new_address_hint: String,
        undo: String,
    },
    /// To the old address, after the new one was confirmed.
    AddressChanged {
        when: i64,
        new_address_hint: String,
        undo: Option<String>,
    },
    /// Somebody signed in with a browser that was not here before; `sessions` is where it can be ended.
    NewDevice {
        device: Option<String>,
        place: Option<String>,
        when: i64,
        sessions: String,
    },
    /// Too many wrong passwords.
    AccountLocked {
        when: i64,
        forgot: String,
    },
    /// Something about second factors; `factors` is where they are.
    FactorChanged {
        change: FactorChange,
        when: i64,
        device: Option<String>,
        factors: String,
        forgot: String,
    },
    Invitation {
        link: String,
        inviter: Option<String>,
        days: u32,
    },
    /// The account will be gone at `until`, unless `undo` is opened.
    DeletionPlanned {
        until: i64,
        undo: String,
    },
    AccountDeleted,
    /// The operator looks whether mails arrive.
    Test,
}

/// What a letter about second factors is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactorChange {
    TotpAdded,
    TotpRemoved,
    PasskeyAdded,
    PasskeyRemoved,
    RecoveryCodesMade,
    RecoveryCodeUsed {
        left: u64,
    },
    /// An operator has taken all of them away.
    Reset,
    /// Somebody who knows the password types wrong codes.
    Guessed,
    /// An account at a provider opens this one from now on.
    ProviderLinked,
    /// One that has opened it does so no more.
    ProviderUnlinked,
    /// Somebody who had no password has one.
    PasswordSet,
}

impl Letter {
    /// What reports call it.
    pub const fn name(&self) -> &'static str {
        match self {
            Letter::VerifyEmail { .. } => "verify_email",
            Letter::AddressTaken { .. } => "address_taken",
            Letter::ResetPassword { .. } => "reset_password",
            Letter::MailCode { .. } => "mail_code",
            Letter::SignInLink { .. } => "sign_in_link",
            Letter::PasswordChanged { .. } => "password_changed",
            Letter::ConfirmNewAddress { .. } => "confirm_new_address",
            Letter::AddressChanging { .. } => "address_changing",
            Letter::AddressChanged { .. } => "address_changed",
            Letter::NewDevice { .. } => "new_device",
            Letter::AccountLocked { .. } => "account_locked",
            Letter::FactorChanged { change: FactorChange::TotpAdded, .. } => "totp_added",
            Letter::FactorChanged { change: FactorChange::TotpRemoved, .. } => "totp_removed",
            Letter::FactorChanged { change: FactorChange::PasskeyAdded, .. } => "passkey_added",
            Letter::FactorChanged { change: FactorChange::PasskeyRemoved, .. } => "passkey_removed",
            Letter::FactorChanged { change: FactorChange::RecoveryCodesMade, .. } => "recovery_codes_made",
            Letter::FactorChanged { change: FactorChange::RecoveryCodeUsed { .. }, .. } => "recovery_code_used",
            Letter::FactorChanged { change: FactorChange::Reset, .. } => "factors_reset",
            Letter::FactorChanged { change: FactorChange::Guessed, .. } => "codes_guessed",
            Letter::FactorChanged { change: FactorChange::ProviderLinked, .. } => "provider_linked",
            Letter::FactorChanged { change: FactorChange::ProviderUnlinked, .. } => "provider_unlinked",
            Letter::FactorChanged { change: FactorChange::PasswordSet, .. } => "password_set",
            Letter::Invitation { .. } => "invitation",
            Letter::DeletionPlanned { .. } => "deletion_planned",
            Letter::AccountDeleted => "account_deleted",
            Letter::Test => "test",
        }
    }

    /// Without words of others that are longer than any reader would want: whatever they are, the letter fits its row.
    pub(super) fn clipped(mut self) -> Self {
        const MOST: usize = 200;
        let words = match &mut self {
            Letter::PasswordChanged { device, .. } | Letter::FactorChanged { device, .. } => [device.as_mut(), None],
            Letter::MailCode { device, .. } => [device.as_mut(), None],
            Letter::AddressChanging { new_address_hint: hint, .. } => [Some(hint), None],
            Letter::AddressChanged { new_address_hint: hint, .. } => [Some(hint), None],
            Letter::NewDevice { device, place, .. } => [device.as_mut(), place.as_mut()],
            Letter::Invitation { inviter, .. } => [inviter.as_mut(), None],
            _ => [None, None],
        };
        for word in words.into_iter().flatten() {
            *word = word.chars().take(MOST).collect();
        }
        self
    }

    /// For the seal.
    pub(super) fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(serde_json::to_vec(self).unwrap_or_default())
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }
}
