//! `/api/v1/me/factors`: what a person proves with besides the password.

use base64::{Engine, engine::general_purpose::STANDARD};
use poem::web::Data;
use poem_openapi::{Object, OpenApi, param::Path};

use crate::{
    app::App,
    flows::{
        Trouble,
        factors::{
            self,
            recovery::{self, Codes},
            totp,
            trusted::{self, Trusted},
        },
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
            required: factors::are_required(&app, user),
            totp_since: have.totp_since,
            recovery_codes_left: have.codes_left,
            trusted_devices: trusted.into_iter().map(TrustedBody::from).collect(),
        }
        .into())
    }

    /// Begin to set up an authenticator app.
    ///
    /// It counts once its first code is sent to `/api/v1/me/factors/totp/confirm`; within an hour, the same key is answered
    /// again. This and every other change needs a sign-in some minutes ago at most (`second_factor.fresh`), by two factors
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
    /// The operator wants a second factor of this person.
    required: bool,
    /// There is an authenticator app since then.
    totp_since: Option<i64>,
    recovery_codes_left: u64,
    /// Browsers where the second step is not asked for.
    trusted_devices: Vec<TrustedBody>,
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
