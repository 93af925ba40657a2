//! OpenID Connect Session Management §2, §3.2: how an app can notice, without asking us, that somebody has signed in or out.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::visitor::digest;
use crate::{
    app::App,
    crypto::secret::SecretHash,
    protocol::{authorize::Request, redirect_uri},
    store::session::Session,
};

/// The state of a browser with that session, as our frame finds it in a cookie that scripts can read: another for each
/// login, and nothing can be learned from it.
pub fn of_browser(app: &App, session: &SecretHash) -> String {
    URL_SAFE_NO_PAD.encode(app.macs.browser.tag(&[b"state", &session.0]))
}

/// `session_state` for the answer to a request: for one of OpenID Connect, and for an app that lives in a browser.
pub fn answer(app: &App, client_id: &str, request: &Request, session: &Session) -> Option<String> {
    let origin = redirect_uri::origin(request.reply.redirect_uri()).filter(|_| request.scope.contains("openid"))?;
    let (state, salt) = (of_browser(app, &session.hash), app.nonce());
    let hash = URL_SAFE_NO_PAD.encode(digest(&format!("{client_id} {origin} {state} {salt}")));
    Some(format!("{hash}.{salt}"))
}
