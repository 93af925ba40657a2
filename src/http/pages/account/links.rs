//! Pages behind a mailed link. Looking shows, and only the form acts (case SEC-121).

use crate::http::pages::request::Page;

/// Where the form of such a page goes: back to it, with the link's token.
pub fn address(page: &Page, path: &str, token: &str) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("token", token).finish();
    page.browser.path(&format!("{path}?{query}"))
}
