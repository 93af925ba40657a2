//! WebAuthn Level 3: passkeys, by webauthn-rs. Challenges are random and for one use, which the caller decides; what must be
//! signed, by whom and under which origin is checked here (§7.1, §7.2).

use std::time::Duration;

use openssl::sha::sha256;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use url::Url;
use uuid::Uuid;
use webauthn_rs::prelude::{
    AuthenticationResult, CreationChallengeResponse, Credential, CredentialID, DiscoverableAuthentication,
    DiscoverableKey, Passkey, PasskeyAuthentication, PasskeyRegistration, PublicKeyCredential,
    RegisterPublicKeyCredential, SecurityKey, SecurityKeyAuthentication, SecurityKeyRegistration, Webauthn,
    WebauthnBuilder, WebauthnError,
};

/// How long somebody has for it, in seconds.
pub const PATIENCE: i64 = 300;

/// The site that passkeys are for.
#[derive(Debug)]
pub struct Passkeys {
    webauthn: Webauthn,
    /// They make sure each time that it is their owner.
    verified: bool,
}

/// Whose passkey is made, as authenticators show it.
#[derive(Debug, Clone, Copy)]
pub struct Owner<'a> {
    /// The user handle (§5.4.3).
    pub id: Uuid,
    pub login: &'a str,
    pub name: &'a str,
}

/// What an authenticator is asked.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The `publicKey` of `navigator.credentials.create()` or `.get()`, with bytes in base64url.
    pub options: Value,
    /// What the answer is checked against; it never leaves the server.
    pub state: String,
}

/// A passkey that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// SHA-256 of the credential's id, which no two have, and which may be longer than any index.
    pub digest: [u8; 32],
    /// Public key, counter and flags, as they are kept.
    pub record: String,
    /// It may be on several devices (§6.1.3, BE).
    pub synced: bool,
    /// It has made sure that it was its owner (§6.1, UV).
    pub verified: bool,
}

/// Why an answer is worth nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// In the words of a trace.
    #[error("{0}")]
    Refused(&'static str),
    /// Its counter has gone back: there may be a copy of it (§6.1.1).
    #[error("a counter that has gone back")]
    Copied,
    /// What was kept cannot be read.
    #[error("a passkey or a challenge that was kept cannot be used: {0}")]
    Broken(String),
}

/// What was asked, as it is kept.
#[derive(Serialize, Deserialize)]
enum State {
    New(PasskeyRegistration),
    /// One that need not make sure who uses it.
    NewKey(SecurityKeyRegistration),
    Anybody(DiscoverableAuthentication),
    Of(PasskeyAuthentication),
    OfKey(SecurityKeyAuthentication),
}

impl Passkeys {
    /// None where browsers know no passkeys: at an address instead of a name, and without TLS, but on `localhost`.
    pub fn new(origin: &str, site: &str, verified: bool) -> Option<Self> {
        let origin = Url::parse(origin).ok()?;
        let host = origin.domain()?.to_owned();
        let is_local = host == "localhost" || host.ends_with(".localhost");
        if origin.scheme() != "https" && !is_local {
            return None;
        }
        let patience = Duration::from_secs(PATIENCE.unsigned_abs());
        let builder = WebauthnBuilder::new(&host, &origin).ok()?.rp_name(site).timeout(patience);
        Some(Passkeys { webauthn: builder.build().ok()?, verified })
    }

    /// For a passkey that can be found without a name (§5.4.6), other than those that there are.
    ///
    /// # Errors
    /// When what was kept cannot be read.
    pub fn ask_new(&self, owner: Owner<'_>, have: &[String]) -> Result<Asked, Wrong> {
        let Owner { id, login, name } = owner;
        let have: Vec<CredentialID> =
            records::<Passkey>(have)?.iter().map(|passkey| passkey.cred_id().clone()).collect();
        let (mut challenge, state) = if self.verified {
            let (challenge, state) =
                self.webauthn.start_passkey_registration(id, login, name, Some(have)).map_err(broken)?;
            (challenge, State::New(state))
        } else {
            let asked = self.webauthn.start_securitykey_registration(id, login, name, Some(have), None, None);
            let (challenge, state) = asked.map_err(broken)?;
            (challenge, State::NewKey(state))
        };
        discoverable(&mut challenge)?;
        // Any kind of authenticator will do.
        challenge.public_key.hints = None;
        asked(&challenge.public_key, &state)
    }

    /// # Errors
    /// Why it is not what was asked for.
    pub fn take_new(&self, state: &str, answer: &str) -> Result<Made, Wrong> {
        let answer: RegisterPublicKeyCredential = given(answer)?;
        let (record, credential) = match kept(state)? {
            State::New(state) => {
                let made = self.webauthn.finish_passkey_registration(&answer, &state).map_err(|error| why(&error))?;
                (text(&made)?, Credential::from(made))
            }
            State::NewKey(state) => {
                let made =
                    self.webauthn.finish_securitykey_registration(&answer, &state).map_err(|error| why(&error))?;
                (text(&made)?, Credential::from(made))
            }
            _ => return Err(Wrong::Refused("an answer to something else")),
        };
        Ok(Made {
            digest: sha256(&credential.cred_id),
            record,
            synced: credential.backup_eligible,
            verified: credential.user_verified,
        })
    }

    /// For whoever has a passkey here. It says whose it is, and always makes sure that it is its owner.
    ///
    /// # Errors
    /// When the library refuses.
    pub fn ask_anybody(&self) -> Result<Asked, Wrong> {
        let (challenge, state) = self.webauthn.start_discoverable_authentication().map_err(broken)?;
        asked(&challenge.public_key, &State::Anybody(state))
    }

    /// For one of these.
    ///
    /// # Errors
    /// When what was kept cannot be read.
    pub fn ask(&self, have: &[String]) -> Result<Asked, Wrong> {
        let (challenge, state) = if self.verified {
            let (challenge, state) =
                self.webauthn.start_passkey_authentication(&records::<Passkey>(have)?).map_err(broken)?;
            (challenge, State::Of(state))
        } else {
            let asked = self.webauthn.start_securitykey_authentication(&records::<SecurityKey>(have)?);
            let (challenge, state) = asked.map_err(broken)?;
            (challenge, State::OfKey(state))
        };
        asked(&challenge.public_key, &state)
    }

    /// The passkey as it is after this use. `have`: those of whoever it says it belongs to ([`whose`]).
    ///
    /// # Errors
    /// Why it is not what was asked for.
    pub fn check(&self, state: &str, answer: &str, have: &[String]) -> Result<Made, Wrong> {
        let answer: PublicKeyCredential = given(answer)?;
        let result = match kept(state)? {
            State::Anybody(state) => {
                let have: Vec<DiscoverableKey> = records::<Passkey>(have)?.iter().map(Into::into).collect();
                self.webauthn.finish_discoverable_authentication(&answer, state, &have)
            }
            State::Of(state) => self.webauthn.finish_passkey_authentication(&answer, &state),
            State::OfKey(state) => self.webauthn.finish_securitykey_authentication(&answer, &state),
            State::New(_) | State::NewKey(_) => return Err(Wrong::Refused("an answer to something else")),
        };
        let result = result.map_err(|error| why(&error))?;
        used(&result, have)
    }
}

/// Whose passkey has answered: the user handle, as it says.
pub fn whose(answer: &str) -> Option<Uuid> {
    let answer: PublicKeyCredential = given(answer).ok()?;
    Uuid::from_slice(answer.get_user_unique_id()?).ok()
}

/// What the library cannot be asked for: it would rather spare keys with little room.
fn discoverable(challenge: &mut CreationChallengeResponse) -> Result<(), Wrong> {
    let selection = challenge.public_key.authenticator_selection.as_mut();
    let selection = selection.ok_or_else(|| Wrong::Broken("no selection of authenticators".to_owned()))?;
    let preferred = serde_json::from_value(Value::from("preferred")).map_err(broken)?;
    selection.resident_key = Some(preferred);
    Ok(())
}

fn used(result: &AuthenticationResult, have: &[String]) -> Result<Made, Wrong> {
    let mut have = records::<Passkey>(have)?;
    let passkey = have.iter_mut().find(|passkey| passkey.cred_id() == result.cred_id());
    let passkey = passkey.ok_or(Wrong::Refused("a passkey that is not known here"))?;
    // The library knows the counter as it was when it was asked; it may have gone on since (§7.2).
    let counter = Credential::from(passkey.clone()).counter;
    if (counter > 0 || result.counter() > 0) && result.counter() <= counter {
        return Err(Wrong::Copied);
    }
    passkey.update_credential(result);
    Ok(Made {
        digest: sha256(result.cred_id()),
        record: text(passkey)?,
        synced: result.backup_eligible(),
        verified: result.user_verified(),
    })
}

fn asked(options: &impl Serialize, state: &State) -> Result<Asked, Wrong> {
    Ok(Asked { options: serde_json::to_value(options).map_err(broken)?, state: text(state)? })
}

/// Passkeys and security keys are kept in the same form, so that the rule can be changed.
fn records<T: DeserializeOwned>(have: &[String]) -> Result<Vec<T>, Wrong> {
    have.iter().map(|record| serde_json::from_str(record).map_err(broken)).collect()
}

fn kept(state: &str) -> Result<State, Wrong> {
    serde_json::from_str(state).map_err(broken)
}

fn text(value: &impl Serialize) -> Result<String, Wrong> {
    serde_json::to_string(value).map_err(broken)
}

fn given<T: DeserializeOwned>(answer: &str) -> Result<T, Wrong> {
    serde_json::from_str(answer).map_err(|_| Wrong::Refused("no answer of an authenticator"))
}

fn broken(error: impl std::fmt::Display) -> Wrong {
    Wrong::Broken(error.to_string())
}

/// For whoever asks why a passkey was refused; its person hears that it was.
fn why(error: &WebauthnError) -> Wrong {
    Wrong::Refused(match error {
        WebauthnError::CredentialPossibleCompromise => return Wrong::Copied,
        WebauthnError::MismatchedChallenge => "an answer to another challenge",
        WebauthnError::InvalidRPOrigin => "an answer at another origin",
        WebauthnError::InvalidRPIDHash => "an answer for another site",
        WebauthnError::InvalidClientDataType => "an answer to something else",
        WebauthnError::UserNotPresent => "nobody was there",
        WebauthnError::UserNotVerified => "nobody was made sure of",
        WebauthnError::CredentialNotFound => "a passkey that is not known here",
        WebauthnError::AuthenticationFailure => "a signature of another key",
        _ => "an answer that does not hold",
    })
}
