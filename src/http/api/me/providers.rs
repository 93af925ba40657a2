//! `/api/v1/me/providers`: accounts at providers that open one's own.

use poem::web::Data;
use poem_openapi::{Object, OpenApi, param::Path};

use crate::{
    app::App,
    flows::{
        Trouble,
        account::providers::{self, Connected},
        upstream::{self, Button},
    },
    http::{
        api::{
            answer::{Answer, Done},
            person::Person,
            problem::Problem,
        },
        oauth::Topic,
    },
};

pub struct Providers;

#[OpenApi(prefix_path = "/api/v1/me/providers", tag = "Topic::Account")]
impl Providers {
    /// Accounts at providers that open the person's account, and providers where they may have another.
    ///
    /// Connecting one takes a browser, since the person signs in at the provider and comes back: send them to `connect_at`,
    /// a page of their account, where they sign in if they are not signed in there. An access token alone connects nothing.
    #[oai(path = "/", method = "get", operation_id = "my_providers")]
    async fn list(&self, app: Data<&App>, person: Person) -> Result<Answer<ProvidersBody>, Problem> {
        let connected = providers::list(&app, person.me.user.id).await?;
        let offered = upstream::buttons(&app, upstream::Hints::default()).await.map_err(Trouble::from)?;
        Ok(ProvidersBody {
            connected: connected.into_iter().map(ConnectedBody::from).collect(),
            offered: offered.into_iter().map(OfferedBody::from).collect(),
            connect_at: app.url("/account/providers"),
        }
        .into())
    }

    /// Disconnect an account at a provider: it opens the person's no more.
    ///
    /// It needs a sign-in some minutes ago at most (`second_factor.fresh`), by two factors of whom has two; 401 with
    /// `insufficient_user_authentication` otherwise. 409 where nothing else would open the account.
    #[oai(path = "/:id", method = "delete", operation_id = "disconnect_provider")]
    async fn remove(&self, app: Data<&App>, person: Person, id: Path<String>) -> Result<Done, Problem> {
        // What is no id is the id of nothing.
        providers::remove(&app, &person.me, id.parse().unwrap_or_default()).await?;
        Ok(().into())
    }
}

#[derive(Object)]
struct ProvidersBody {
    connected: Vec<ConnectedBody>,
    /// Those that the login page shows.
    offered: Vec<OfferedBody>,
    /// The page where the person connects another.
    connect_at: String,
}

/// Times are seconds since 1970.
#[derive(Object)]
struct ConnectedBody {
    id: String,
    /// The name of the provider in the settings.
    provider: String,
    /// What people call it.
    title: String,
    /// What the person recognizes the account there by: its address, or its name.
    label: Option<String>,
    /// False while nobody can sign in with this provider.
    works: bool,
    created_at: i64,
    last_used_at: i64,
}

impl From<Connected> for ConnectedBody {
    fn from(account: Connected) -> Self {
        ConnectedBody {
            id: account.id.to_string(),
            provider: account.provider,
            title: account.title,
            label: account.label,
            works: account.works,
            created_at: account.created_at,
            last_used_at: account.last_used_at,
        }
    }
}

#[derive(Object)]
struct OfferedBody {
    /// Its name in the settings.
    provider: String,
    /// What people call it.
    title: String,
}

impl From<Button> for OfferedBody {
    fn from(button: Button) -> Self {
        OfferedBody { provider: button.name, title: button.title }
    }
}
