//! `/api/providers`: whom people can sign in with.

use std::collections::HashMap;

use poem::web::Data;
use poem_openapi::{
    Object, OpenApi,
    param::{Path, Query},
    types::ParseFromJSON,
};
use serde_json::Value;

use super::{
    Admin,
    answer::{Answer, Created, Done},
    body::Members,
    problem::Problem,
};
use crate::{
    app::App,
    flows::admin::providers::{self, Finding, Provider},
    http::oauth::Topic,
};

pub struct Providers;

#[OpenApi(tag = "Topic::Administration")]
impl Providers {
    /// All providers, in the order of their buttons. Secrets are never shown.
    #[oai(path = "/api/providers", method = "get", operation_id = "providers")]
    async fn list(&self, app: Data<&App>, _admin: Admin) -> Result<Answer<ProviderList>, Problem> {
        let all = providers::all(&app).await?;
        Ok(ProviderList { providers: all.iter().map(|one| ProviderBody::of(&app, one)).collect() }.into())
    }

    /// Make a provider. `register` of the answer is what the provider must be told of this server.
    #[oai(path = "/api/providers", method = "post", operation_id = "create_provider")]
    async fn create(
        &self,
        app: Data<&App>,
        _admin: Admin,
        new: Members<ProviderSettings>,
    ) -> Result<Created<ProviderBody>, Problem> {
        let made = providers::create(&app, new.0).await?;
        Ok(ProviderBody::of(&app, &made).into())
    }

    /// One provider.
    #[oai(path = "/api/providers/:name", method = "get", operation_id = "provider")]
    async fn show(&self, app: Data<&App>, _admin: Admin, name: Path<String>) -> Result<Answer<ProviderBody>, Problem> {
        let found = providers::find(&app, &name).await?;
        Ok(ProviderBody::of(&app, &found).into())
    }

    /// Replace the settings of a provider: what is left out is as it is by default, but for `client_secret`, which stays
    /// with the same `kind`, `issuer`, `api_url` and `token_endpoint`, and is needed again with others. 409 where the settings
    /// of the server declare it, or accounts are connected with it and it would be another provider.
    #[oai(path = "/api/providers/:name", method = "put", operation_id = "replace_provider")]
    async fn replace(
        &self,
        app: Data<&App>,
        _admin: Admin,
        name: Path<String>,
        members: Members<ProviderSettings>,
    ) -> Result<Answer<ProviderBody>, Problem> {
        let changed = providers::replace(&app, &name, members.0).await?;
        Ok(ProviderBody::of(&app, &changed).into())
    }

    /// Change some settings of a provider (RFC 7396): null takes one away, and what is left out stays. `client_secret` is
    /// needed again with another `kind`, `issuer`, `api_url` or `token_endpoint`. 409 as for replacing them.
    #[oai(path = "/api/providers/:name", method = "patch", operation_id = "change_provider")]
    async fn change(
        &self,
        app: Data<&App>,
        _admin: Admin,
        name: Path<String>,
        members: Members<ProviderSettings>,
    ) -> Result<Answer<ProviderBody>, Problem> {
        let changed = providers::change(&app, &name, members.0).await?;
        Ok(ProviderBody::of(&app, &changed).into())
    }

    /// Remove a provider. 409 while accounts are connected with it, unless `unlink` takes these connections away: for some
    /// of the people it may have been the only way in, and they need a new password then.
    #[oai(path = "/api/providers/:name", method = "delete", operation_id = "delete_provider")]
    async fn delete(
        &self,
        app: Data<&App>,
        _admin: Admin,
        name: Path<String>,
        /// Also where accounts are connected with it.
        unlink: Query<Option<bool>>,
    ) -> Result<Done, Problem> {
        providers::delete(&app, &name, unlink.0.unwrap_or_default()).await?;
        Ok(().into())
    }

    /// Let people sign in with it again.
    #[oai(path = "/api/providers/:name/enable", method = "post", operation_id = "enable_provider")]
    async fn enable(
        &self,
        app: Data<&App>,
        _admin: Admin,
        name: Path<String>,
    ) -> Result<Answer<ProviderBody>, Problem> {
        let changed = providers::set_disabled(&app, &name, false).await?;
        Ok(ProviderBody::of(&app, &changed).into())
    }

    /// Let nobody sign in with it. Connections and sessions stay.
    #[oai(path = "/api/providers/:name/disable", method = "post", operation_id = "disable_provider")]
    async fn disable(
        &self,
        app: Data<&App>,
        _admin: Admin,
        name: Path<String>,
    ) -> Result<Answer<ProviderBody>, Problem> {
        let changed = providers::set_disabled(&app, &name, true).await?;
        Ok(ProviderBody::of(&app, &changed).into())
    }

    /// Ask the provider, as this server is set, whether people could sign in with it.
    #[oai(path = "/api/providers/:name/check", method = "post", operation_id = "check_provider")]
    async fn check(&self, app: Data<&App>, _admin: Admin, name: Path<String>) -> Result<Answer<CheckBody>, Problem> {
        let found = providers::check(&app, &name).await?;
        let well = found.iter().all(|finding| finding.is_well);
        Ok(CheckBody { well, findings: found.into_iter().map(FindingBody::from).collect() }.into())
    }
}

/// A provider in the words of `[[providers]]` of the settings.
#[derive(Object, Default)]
#[oai(default)]
struct ProviderSettings {
    /// In its callback URL, for good: a-z, 0-9 and -. Needed to make one.
    #[oai(skip_serializing_if_is_none)]
    name: Option<String>,
    /// `google`, `github`, `oidc` or `oauth2`. Needed.
    #[oai(skip_serializing_if_is_none)]
    kind: Option<String>,
    /// The id that the provider knows this server by. Needed.
    #[oai(skip_serializing_if_is_none)]
    client_id: Option<String>,
    /// The secret that the provider gave for it.
    #[oai(write_only)]
    client_secret: Option<String>,
    /// `client_secret_basic`, `client_secret_post` or `none`.
    #[oai(skip_serializing_if_is_none)]
    token_endpoint_auth_method: Option<String>,
    #[oai(skip_serializing_if_is_none)]
    issuer: Option<String>,
    /// The API of a GitHub Enterprise Server.
    #[oai(skip_serializing_if_is_none)]
    api_url: Option<String>,
    #[oai(skip_serializing_if_is_none)]
    authorization_endpoint: Option<String>,
    #[oai(skip_serializing_if_is_none)]
    token_endpoint: Option<String>,
    #[oai(skip_serializing_if_is_none)]
    userinfo_endpoint: Option<String>,
    #[oai(skip_serializing_if_is_none)]
    scopes: Option<Vec<String>>,
    /// What its authorization endpoint is told besides: `{"access_type": "offline"}`.
    #[oai(skip_serializing_if_is_none)]
    authorization_params: Option<HashMap<String, String>>,
    /// Where our claims stand in what it says: `{"name": "user.display_name"}`.
    #[oai(skip_serializing_if_is_none)]
    claims: Option<HashMap<String, String>>,
    /// Whether people who have no account get one.
    #[oai(skip_serializing_if_is_none)]
    sign_up: Option<bool>,
    #[oai(skip_serializing_if_is_none)]
    email_domains: Option<Vec<String>>,
    #[oai(skip_serializing_if_is_none)]
    hosted_domain: Option<String>,
    /// `sign_in` or `verified_email`.
    #[oai(skip_serializing_if_is_none)]
    link: Option<String>,
    #[oai(skip_serializing_if_is_none)]
    trust_second_factor: Option<bool>,
    #[oai(skip_serializing_if_is_none)]
    second_factor_acr: Option<Vec<String>>,
    #[oai(skip_serializing_if_is_none)]
    groups_claim: Option<String>,
    #[oai(skip_serializing_if_is_none)]
    allowed_groups: Option<Vec<String>>,
    #[oai(skip_serializing_if_is_none)]
    admin_groups: Option<Vec<String>>,
    /// Whether signing out here goes on to the provider.
    #[oai(skip_serializing_if_is_none)]
    logout: Option<bool>,
    /// Whether the tokens that it gives are kept, sealed. No operation shows them.
    #[oai(skip_serializing_if_is_none)]
    keep_tokens: Option<bool>,
    /// What its button says.
    #[oai(skip_serializing_if_is_none)]
    button: Option<String>,
    /// The picture on its button, as a data: URL in base64: PNG, JPEG, GIF or WebP, at most 32 KiB.
    #[oai(skip_serializing_if_is_none)]
    icon: Option<String>,
    /// Whether it has no button, unless an app asks for it by idp_hint, or names somebody of hint_domains by login_hint.
    #[oai(skip_serializing_if_is_none)]
    hidden: Option<bool>,
    /// Domains whose people are its people; those of email_domains, where it is left out.
    #[oai(skip_serializing_if_is_none)]
    hint_domains: Option<Vec<String>>,
    #[oai(skip_serializing_if_is_none)]
    order: Option<u32>,
}

/// A provider. Times are seconds since 1970.
#[derive(Object)]
struct ProviderBody {
    name: String,
    /// `declared` in the settings of the server, or `created` by an operator.
    origin: String,
    enabled: bool,
    has_secret: bool,
    /// How many accounts are connected with it.
    links: u64,
    settings: ProviderSettings,
    register: RegisterBody,
    created_at: i64,
    updated_at: i64,
}

/// What the provider is to be told of this server.
#[derive(Object)]
struct RegisterBody {
    redirect_uri: String,
    homepage: String,
    /// With `logout`.
    #[oai(skip_serializing_if_is_none)]
    post_logout_redirect_uri: Option<String>,
    /// Of `oidc`: where it tells that somebody has signed out.
    #[oai(skip_serializing_if_is_none)]
    backchannel_logout_uri: Option<String>,
}

impl ProviderBody {
    fn of(app: &App, provider: &Provider) -> Self {
        let row = &provider.row;
        // The same words on both sides.
        let settings = ProviderSettings::parse_from_json(Some(Value::Object(providers::said(&row.settings))));
        let register = providers::for_provider(app, row);
        ProviderBody {
            name: row.name.clone(),
            origin: row.origin.clone(),
            enabled: row.is_enabled(),
            has_secret: row.sealed_secret.is_some(),
            links: provider.links,
            settings: settings.unwrap_or_default(),
            register: RegisterBody {
                redirect_uri: register.redirect_uri,
                homepage: register.homepage,
                post_logout_redirect_uri: register.post_logout_redirect_uri,
                backchannel_logout_uri: register.backchannel_logout_uri,
            },
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

#[derive(Object)]
struct ProviderList {
    providers: Vec<ProviderBody>,
}

/// What a provider answered.
#[derive(Object)]
struct CheckBody {
    well: bool,
    findings: Vec<FindingBody>,
}

/// One thing that was looked at.
#[derive(Object)]
struct FindingBody {
    /// `enabled`, `metadata`, `keys` or `client`.
    what: String,
    well: bool,
    says: String,
    /// What to do.
    #[oai(skip_serializing_if_is_none)]
    remedy: Option<String>,
}

impl From<Finding> for FindingBody {
    fn from(finding: Finding) -> Self {
        let Finding { what, is_well, says, remedy } = finding;
        FindingBody { what: what.to_owned(), well: is_well, says, remedy }
    }
}
