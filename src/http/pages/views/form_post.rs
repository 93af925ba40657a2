//! The answer to an app by `response_mode=form_post` (OAuth 2.0 Form Post Response Mode §2).

use askama::Template;
use url::Url;

use crate::http::pages::view::Frame;

/// The only script that stands in a page. Its SHA-256 belongs in the page's `script-src`.
pub const FORM_POST_SCRIPT: &str = "document.forms[0].submit()";

/// Posts `fields` to `action`, by itself or by the button where scripts are off. The page's `form-action` must name
/// `action`. Nothing of ours goes with it: no CSRF token, no language.
#[derive(Template, Debug)]
#[template(path = "pages/form_post.html")]
pub struct FormPost {
    pub frame: Frame,
    /// The redirect URI, which has been checked.
    pub action: String,
    /// Where that is, for people.
    pub host: String,
    pub fields: Vec<(String, String)>,
}

impl FormPost {
    /// Host and port of an address; the address itself where it has none.
    pub fn host(action: &str) -> String {
        let url = Url::parse(action).ok();
        let host = url.as_ref().and_then(|url| Some((url.host_str()?, url.port())));
        match host {
            Some((host, Some(port))) => format!("{host}:{port}"),
            Some((host, None)) => host.to_owned(),
            None => action.to_owned(),
        }
    }

    fn script(&self) -> &'static str {
        FORM_POST_SCRIPT
    }
}
