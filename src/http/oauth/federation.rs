//! `/federation/{name}/backchannel-logout` (OpenID Connect Back-Channel Logout §2.5), for providers.

use poem::{Request, web::Data};
use poem_openapi::{ApiResponse, OpenApi, param::Path};

use super::{Topic, form::Form};
use crate::{
    app::App,
    flows::upstream::logout,
    http::address,
    http::failure::{Challenge, Failure},
    protocol::trace::Kind,
};

pub struct Federation;

#[OpenApi]
impl Federation {
    /// A provider says that somebody has signed out there: the sessions that it opened here end, and their apps are told.
    #[oai(
        path = "/federation/:name/backchannel-logout",
        method = "post",
        tag = "Topic::Tokens",
        operation_id = "federation_backchannel_logout"
    )]
    async fn logout(
        &self,
        app: Data<&App>,
        request: &Request,
        name: Path<String>,
        form: Form,
    ) -> Result<LoggedOut, Failure> {
        let params = form.required(&app, request, Kind::Logout)?;
        let told = logout::told(&app, address::counted(&app, request), &name, params).await;
        told.map_err(|refused| Failure::of(refused, Challenge::Basic))?;
        Ok(LoggedOut::Ok("no-store".to_owned()))
    }
}

#[derive(ApiResponse)]
enum LoggedOut {
    /// Nobody is signed in by it any more, or nobody was.
    #[oai(status = 200)]
    Ok(#[oai(header = "Cache-Control")] String),
}
