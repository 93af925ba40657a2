//! `/api/v1/me/apps`: which apps have access to what is the person's.

use poem::web::Data;
use poem_openapi::{Object, OpenApi, param::Path};

use crate::{
    app::App,
    flows::account::apps::{self, Access},
    http::{
        api::{
            answer::{Answer, Done},
            person::Person,
            problem::Problem,
        },
        oauth::Topic,
    },
};

pub struct Apps;

#[OpenApi(prefix_path = "/api/v1/me/apps", tag = "Topic::Account")]
impl Apps {
    /// Apps that the person has allowed something; those used last come first.
    #[oai(path = "/", method = "get", operation_id = "my_apps")]
    async fn list(&self, app: Data<&App>, person: Person) -> Result<Answer<AppList>, Problem> {
        let list = apps::list(&app, &person.me).await?;
        Ok(AppList { items: list.into_iter().map(AppBody::from).collect() }.into())
    }

    /// Withdraw what an app was allowed. All its tokens end with it.
    #[oai(path = "/:client_id", method = "delete", operation_id = "revoke_app")]
    async fn revoke(&self, app: Data<&App>, person: Person, client_id: Path<String>) -> Result<Done, Problem> {
        apps::revoke(&app, &person.visitor, &person.me, &client_id).await?;
        Ok(().into())
    }
}

#[derive(Object)]
struct AppList {
    items: Vec<AppBody>,
}

/// What an app may do. Times are seconds since 1970.
#[derive(Object)]
struct AppBody {
    client_id: String,
    name: String,
    /// Its home page.
    client_uri: Option<String>,
    /// What it may do without asking again, or can do now: scopes with spaces between.
    scope: String,
    since: i64,
    last_used_at: Option<i64>,
    /// It can come back while the person is away.
    is_offline: bool,
}

impl From<Access> for AppBody {
    fn from(access: Access) -> Self {
        AppBody {
            name: access.client.name().to_owned(),
            client_uri: access.client.metadata.client_uri.clone(),
            client_id: access.client.client_id,
            scope: access.scope.to_string(),
            since: access.since,
            last_used_at: access.last_used_at,
            is_offline: access.is_offline,
        }
    }
}
