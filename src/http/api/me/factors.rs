//! `/api/v1/me/factors`: what a person proves with besides the password.

use base64::{Engine, engine::general_purpose::STANDARD};
use poem::web::Data;
use poem_openapi::{Object, OpenApi, param::Path, types::Any};
use serde_json::Value;

use crate::{
    app::App,
    flows::{
        Trouble,
        factors::{
            self,
            passkey::{self, Key},
            recovery::{self, Codes},
            totp,
            trusted::{self, Trusted},
        },
        passwords,
    },
    http::{
        api::{
            answer::{Answer, Done},
            body::Body,
            person::Person,
            problem::Problem,
        },
        oauth::Topic,
    },
};

pub struct Factors;

#[OpenApi(prefix_path = "/api/v1/me/factors", tag = "Topic::Account")]
impl Factors {
    /// What the person has.
    #[oai(path = "/", method = "get", operation_id = "my_factors")]
    async fn list(&self, app: Data<&App>, person: Person) -> Result<Answer<FactorsBody>, Problem> {
        let user = &person.me.user;
        let have = factors::of(&app, user.id).await.map_err(Trouble::from)?;
        let trusted = trusted::list(&app, user.id).await?;
        Ok(FactorsBody {
            has_password: passwords::has(&app, user.id).await.map_err(Trouble::from)?,
            required: factors::are_required(&app, user),
            totp_since: have.totp_since,
            passkeys: have.passkeys.into_iter().map(PasskeyBody::from).collect(),
            recovery_codes_left: have.codes_left,
            trusted_devices: trusted.into_iter().map(TrustedBody::from).collect(),
        }
        .into())
    }

    /// Begin to set up an authenticator app.
    ///
    /// It counts once its first code is sent to `/api/v1/me/factors/totp/confirm`; within an hour, the same key is answered
    /// again in this session; begun in another, it is over here. This and every other change needs a sign-in some minutes ago at most (`second_factor.fresh`), by two factors
    /// of whom has two; 401 with `insufficient_user_authentication` otherwise.
    #[oai(path = "/totp", method = "post", operation_id = "begin_totp")]
    async fn begin(&self, app: Data<&App>, person: Person) -> Result<Answer<AppKeyBody>, Problem> {
        let begun = totp::begin_for(&app, &person.me).await?;
        Ok(AppKeyBody {
            uri: begun.uri.to_string(),
            secret: begun.secret.replace(' ', ""),
            qr_png: STANDARD.encode(begun.picture.png()),
        }
        .into())
    }

    /// Confirm an authenticator app by what it shows.
    ///
    /// The answer has ten recovery codes, unless the person has some: show them, they are answered this once.
    #[oai(path = "/totp/confirm", method = "post", operation_id = "confirm_totp")]
    async fn confirm(
        &self,
        app: Data<&App>,
        person: Person,
        given: Body<CodeBody>,
    ) -> Result<Answer<RecoveryCodesBody>, Problem> {
        let codes = totp::confirm_for(&app, &person.me, &given.0.code).await?;
        Ok(RecoveryCodesBody::of(codes.as_ref()).into())
    }

    /// Remove the authenticator app. With the last factor the recovery codes go too.
    #[oai(path = "/totp", method = "delete", operation_id = "remove_totp")]
    async fn remove(&self, app: Data<&App>, person: Person) -> Result<Done, Problem> {
        totp::remove(&app, &person.visitor, &person.me).await?;
        Ok(().into())
    }

    /// Begin to make a passkey.
    ///
    /// Hand `public_key` to `navigator.credentials.create()`, with bytes where it has base64url, and send the answer to
    /// `/api/v1/me/factors/passkeys` within five minutes. It must be made at a page of this server's origin. 404 where
    /// browsers know no passkeys: at an IP address, and without TLS elsewhere than at `localhost`.
    #[oai(path = "/passkeys/challenge", method = "post", operation_id = "begin_passkey")]
    async fn begin_passkey(&self, app: Data<&App>, person: Person) -> Result<Answer<ChallengeBody>, Problem> {
        let begun = passkey::begin_for(&app, &person.me).await?;
        Ok(ChallengeBody { ticket: begun.ticket.reveal().to_owned(), public_key: Any(begun.options) }.into())
    }

    /// Keep a passkey.
    ///
    /// The answer has ten recovery codes, unless the person has some: show them, they are answered this once. 400 with the
    /// field `credential` where it is not what was asked for, or is there already.
    #[oai(path = "/passkeys", method = "post", operation_id = "add_passkey")]
    async fn add_passkey(
        &self,
        app: Data<&App>,
        person: Person,
        given: Body<NewPasskeyBody>,
    ) -> Result<Answer<RecoveryCodesBody>, Problem> {
        let NewPasskeyBody { ticket, credential, name } = given.0;
        let made = (&*credential.0.to_string(), name.as_deref().unwrap_or_default());
        let (_, codes) = passkey::add_for(&app, &person.me, &ticket, made).await?;
        Ok(RecoveryCodesBody::of(codes.as_ref()).into())
    }

    /// Call a passkey something else.
    #[oai(path = "/passkeys/:id", method = "patch", operation_id = "rename_passkey")]
    async fn rename_passkey(
        &self,
        app: Data<&App>,
        person: Person,
        id: Path<String>,
        given: Body<NameBody>,
    ) -> Result<Done, Problem> {
        passkey::rename(&app, &person.me, id.parse().unwrap_or_default(), &given.0.name).await?;
        Ok(().into())
    }

    /// Remove a passkey.
    ///
    /// With the last factor the recovery codes go too. 409 where nothing else would open the account.
    #[oai(path = "/passkeys/:id", method = "delete", operation_id = "remove_passkey")]
    async fn remove_passkey(&self, app: Data<&App>, person: Person, id: Path<String>) -> Result<Done, Problem> {
        passkey::remove(&app, &person.me, id.parse().unwrap_or_default()).await?;
        Ok(().into())
    }

    /// Make ten new recovery codes. The old ones are worth nothing; the new ones are answered this once.
    #[oai(path = "/recovery-codes", method = "post", operation_id = "renew_recovery_codes")]
    async fn renew(&self, app: Data<&App>, person: Person) -> Result<Answer<RecoveryCodesBody>, Problem> {
        let codes = recovery::renew(&app, &person.me).await?;
        Ok(RecoveryCodesBody::of(Some(&codes)).into())
    }

    /// Ask for the second step at every browser again.
    #[oai(path = "/trusted-devices", method = "delete", operation_id = "forget_trusted_devices")]
    async fn forget_all(&self, app: Data<&App>, person: Person) -> Result<Done, Problem> {
        trusted::forget(&app, &person.me, None).await?;
        Ok(().into())
    }

    /// Ask for the second step at this browser again.
    #[oai(path = "/trusted-devices/:id", method = "delete", operation_id = "forget_trusted_device")]
    async fn forget(&self, app: Data<&App>, person: Person, id: Path<String>) -> Result<Done, Problem> {
        // What is no id is the id of nothing.
        trusted::forget(&app, &person.me, Some(id.parse().unwrap_or_default())).await?;
        Ok(().into())
    }
}

/// Times are seconds since 1970.
#[derive(Object)]
struct FactorsBody {
    /// Who came by a provider has none, until they set one.
    has_password: bool,
    /// The operator wants a second factor of this person.
    required: bool,
    /// There is an authenticator app since then.
    totp_since: Option<i64>,
    passkeys: Vec<PasskeyBody>,
    recovery_codes_left: u64,
    /// Browsers where the second step is not asked for.
    trusted_devices: Vec<TrustedBody>,
}

#[derive(Object)]
struct PasskeyBody {
    id: String,
    name: String,
    /// A vendor keeps it on all devices of its owner; otherwise it cannot leave the one that it was made on.
    synced: bool,
    created_at: i64,
    last_used_at: Option<i64>,
}

impl From<Key> for PasskeyBody {
    fn from(key: Key) -> Self {
        let Key { id, name, synced, created_at, last_used_at } = key;
        PasskeyBody { id: id.to_string(), name, synced, created_at, last_used_at }
    }
}

/// What an authenticator is asked (WebAuthn §5.4, §5.5).
#[derive(Object)]
struct ChallengeBody {
    /// Goes with the answer.
    ticket: String,
    public_key: Any<Value>,
}

#[derive(Object)]
struct NewPasskeyBody {
    ticket: String,
    /// The `PublicKeyCredential`, as its `toJSON()` writes it.
    credential: Any<Value>,
    /// What the person calls it. Default: after the device.
    name: Option<String>,
}

#[derive(Object)]
struct NameBody {
    name: String,
}

#[derive(Object)]
struct TrustedBody {
    id: String,
    /// What it says it is, such as `Firefox 145`.
    browser: Option<String>,
    /// What it says it runs on, such as `Android 16`.
    system: Option<String>,
    ip_address: Option<String>,
    last_used_at: i64,
    expires_at: i64,
}

impl From<Trusted> for TrustedBody {
    fn from(at: Trusted) -> Self {
        TrustedBody {
            id: at.id.to_string(),
            browser: at.says.browser,
            system: at.says.system,
            ip_address: at.address,
            last_used_at: at.last_used_at,
            expires_at: at.expires_at,
        }
    }
}

/// What an authenticator app reads.
#[derive(Object)]
struct AppKeyBody {
    /// `otpauth://totp/…`
    uri: String,
    /// The key of it, for who types it (base 32).
    secret: String,
    /// The picture of it: a PNG in base64.
    qr_png: String,
}

#[derive(Object)]
struct CodeBody {
    code: String,
}

#[derive(Object)]
struct RecoveryCodesBody {
    /// None where the person keeps those of before.
    recovery_codes: Vec<String>,
}

impl RecoveryCodesBody {
    fn of(codes: Option<&Codes>) -> Self {
        RecoveryCodesBody { recovery_codes: codes.map(Codes::shown).unwrap_or_default() }
    }
}
