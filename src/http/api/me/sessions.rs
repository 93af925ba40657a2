//! `/api/v1/me/sessions`: where the person is signed in.

use poem::{Request, http::header, web::Data};
use poem_openapi::{Object, OpenApi, param::Path};

use crate::{
    app::{App, text},
    flows::account::sessions::{self, SignedIn, UsedApp},
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

pub struct Sessions;

#[OpenApi(prefix_path = "/api/v1/me/sessions", tag = "Topic::Account")]
impl Sessions {
    /// Browsers and programs where the person is signed in; those in use come first.
    #[oai(path = "/", method = "get", operation_id = "my_sessions")]
    async fn list(&self, app: Data<&App>, request: &Request, person: Person) -> Result<Answer<SessionList>, Problem> {
        let accept = request.headers().get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        let language = text::choose(None, person.me.user.locale.as_deref(), accept).tag();
        let list = sessions::list(&app, &person.me, language).await?;
        Ok(SessionList { items: list.into_iter().map(DeviceBody::from).collect() }.into())
    }

    /// End a session, with what apps got through it. Another than the caller's own needs the password, but for some
    /// minutes after signing in (`second_factor.fresh`).
    #[oai(path = "/:id", method = "delete", operation_id = "end_session")]
    async fn end(
        &self,
        app: Data<&App>,
        person: Person,
        id: Path<String>,
        proof: Body<ProofBody>,
    ) -> Result<Done, Problem> {
        // What is no id is the id of nothing.
        let id = id.parse().unwrap_or_default();
        let proof = proof.0.current_password;
        sessions::end(&app, &person.visitor, &person.me, id, proof.as_deref()).await?;
        Ok(().into())
    }

    /// End every session but the caller's own. It needs the password, but for some minutes after signing in.
    #[oai(path = "/", method = "delete", operation_id = "end_other_sessions")]
    async fn end_others(&self, app: Data<&App>, person: Person, proof: Body<ProofBody>) -> Result<Done, Problem> {
        let proof = proof.0.current_password;
        sessions::end_others(&app, &person.visitor, &person.me, proof.as_deref()).await?;
        Ok(().into())
    }
}

/// Who asks is the person still.
#[derive(Object)]
pub struct ProofBody {
    pub current_password: Option<String>,
}

#[derive(Object)]
struct SessionList {
    items: Vec<DeviceBody>,
}

/// A browser or a program where the person is signed in. Times are seconds since 1970.
#[derive(Object)]
struct DeviceBody {
    id: String,
    /// `browser`, or `program` for what signed in by this API.
    kind: String,
    /// It is the one that asks.
    is_current: bool,
    /// What it says it is, such as `Firefox 145`.
    browser: Option<String>,
    /// What it says it runs on, such as `Android 16`.
    system: Option<String>,
    /// Whence it signed in.
    ip_address: Option<String>,
    /// Where that is, about; only where the operator has a file of places.
    city: Option<String>,
    country: Option<String>,
    created_at: i64,
    /// To the minute.
    last_used_at: i64,
    /// When it ends, if it is not used until then.
    expires_at: i64,
    /// Apps that were used there.
    apps: Vec<UsedAppBody>,
}

#[derive(Object)]
struct UsedAppBody {
    client_id: String,
    name: String,
}

impl From<SignedIn> for DeviceBody {
    fn from(at: SignedIn) -> Self {
        let (city, country) = at.place.map_or((None, None), |place| (place.city, place.country));
        DeviceBody {
            id: at.id.to_string(),
            kind: if at.is_program { "program" } else { "browser" }.to_owned(),
            is_current: at.is_this,
            browser: at.says.browser,
            system: at.says.system,
            ip_address: at.address,
            city,
            country,
            created_at: at.created_at,
            last_used_at: at.last_used_at,
            expires_at: at.expires_at,
            apps: at.apps.into_iter().map(|UsedApp { client_id, name }| UsedAppBody { client_id, name }).collect(),
        }
    }
}
