//! `/static/{name}`: the files that pages need. Their addresses change with their content, so they are kept for good.

use std::sync::Arc;

use poem::{
    IntoResponse, Response, handler,
    http::{StatusCode, header},
    web::{Data, Path},
};

use super::{assets, view::Site};
use crate::app::App;

/// The address never changes, so browsers ask again after a day.
const FOR_A_DAY: &str = "public, max-age=86400";
const FOR_GOOD: &str = "public, max-age=31536000, immutable";

#[handler]
pub fn asset(app: Data<&App>, site: Data<&Arc<Site>>, Path(name): Path<String>) -> Response {
    let file = |kind: &str, content: Vec<u8>| {
        Response::builder().content_type(kind).header(header::CACHE_CONTROL, FOR_GOOD).body(content)
    };
    match (name.as_str(), &app.config.branding.logo) {
        ("brand.css", _) => file("text/css; charset=utf-8", site.style.clone().into_bytes()),
        ("brand-logo", Some(logo)) => file(logo.media_type, logo.bytes.to_vec()),
        (name, _) => match assets::find(name) {
            Some(asset) => file(asset.media_type, asset.content.to_vec()),
            None => StatusCode::NOT_FOUND.into_response(),
        },
    }
}

/// Where browsers look for the picture of a page that names none, as the pages about the contract do.
#[handler]
pub fn icon() -> Response {
    match assets::find("touch-icon.png") {
        Some(icon) => {
            let response = Response::builder().content_type(icon.media_type);
            response.header(header::CACHE_CONTROL, FOR_A_DAY).body(icon.content)
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
