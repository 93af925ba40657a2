//! `/clients/{client_id}/logo`, the picture of an app, which this server has fetched and keeps, and
//! `/federation/{name}/icon`, the operator's picture of a provider.

use poem::{
    Body, IntoResponse, Request, Response, handler,
    http::{HeaderValue, StatusCode, header},
    web::{Data, Path},
};

use super::{request::Page, views::segment};
use crate::{
    app::App,
    flows::{admin::clients::Client, logo, upstream},
};

/// Pages name the version too, so another picture has another address.
const FOR_A_DAY: &str = "public, max-age=86400";
/// It is an image and nothing else, also for whoever opens it by itself.
const POLICY: &str = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'; sandbox";

#[handler]
pub async fn show(app: Data<&App>, request: &Request, Path(client_id): Path<String>) -> Response {
    match logo::find(&app, &client_id).await {
        Ok(Some(picture)) => answer(request, &picture.version, &picture.media_type, picture.content),
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

#[handler]
pub async fn of_provider(app: Data<&App>, request: &Request, Path(name): Path<String>) -> Response {
    match upstream::find(&app, &name).await {
        Ok(Some(found)) => match found.settings.icon {
            Some(icon) => answer(request, &found.updated_at.to_string(), icon.media_type(), icon.content().to_vec()),
            None => StatusCode::NOT_FOUND.into_response(),
        },
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

fn answer(request: &Request, version: &str, media_type: &str, content: impl Into<Body>) -> Response {
    let etag = format!("\"{version}\"");
    let known = request.headers().get(header::IF_NONE_MATCH).map_or(&b""[..], HeaderValue::as_bytes);
    let is_same = known.split(|byte| *byte == b',').any(|one| one.trim_ascii() == etag.as_bytes());
    let response = Response::builder()
        .header(header::ETAG, etag)
        .header(header::CACHE_CONTROL, FOR_A_DAY)
        .header(header::CONTENT_SECURITY_POLICY, POLICY);
    if is_same {
        return response.status(StatusCode::NOT_MODIFIED).finish();
    }
    response.content_type(media_type).body(content)
}

/// Where a page finds the picture of this client; none is a letter instead.
pub async fn address(page: &Page, client: &Client) -> Option<String> {
    let version = logo::version(&page.app, client).await?;
    Some(page.browser.path(&format!("/clients/{}/logo?v={version}", segment(&client.client_id))))
}
