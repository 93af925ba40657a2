//! `/clients/{client_id}/logo`: the picture of an app, which this server has fetched and keeps.

use poem::{
    IntoResponse, Request, Response, handler,
    http::{HeaderValue, StatusCode, header},
    web::{Data, Path},
};

use super::{request::Page, views::segment};
use crate::{
    app::App,
    flows::{admin::clients::Client, logo},
};

/// Pages name the version too, so another picture has another address.
const FOR_A_DAY: &str = "public, max-age=86400";
/// It is an image and nothing else, also for whoever opens it by itself.
const POLICY: &str = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'; sandbox";

#[handler]
pub async fn show(app: Data<&App>, request: &Request, Path(client_id): Path<String>) -> Response {
    let picture = match logo::find(&app, &client_id).await {
        Ok(Some(picture)) => picture,
        Ok(None) => return StatusCode::NOT_FOUND.into_response(),
        Err(_) => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
    };
    let etag = format!("\"{}\"", picture.version);
    let known = request.headers().get(header::IF_NONE_MATCH).map_or(&b""[..], HeaderValue::as_bytes);
    let is_same = known.split(|byte| *byte == b',').any(|one| one.trim_ascii() == etag.as_bytes());
    let response = Response::builder()
        .header(header::ETAG, etag)
        .header(header::CACHE_CONTROL, FOR_A_DAY)
        .header(header::CONTENT_SECURITY_POLICY, POLICY);
    if is_same {
        return response.status(StatusCode::NOT_MODIFIED).finish();
    }
    response.content_type(picture.media_type).body(picture.content)
}

/// Where a page finds the picture of this client; none is a letter instead.
pub async fn address(page: &Page, client: &Client) -> Option<String> {
    let version = logo::version(&page.app, client).await?;
    Some(page.browser.path(&format!("/clients/{}/logo?v={version}", segment(&client.client_id))))
}
