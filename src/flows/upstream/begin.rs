//! The way to a provider (OpenID Connect Core §3.1.2.1): bound to this browser and to what it is for by a state that counts once,
//! with PKCE (RFC 7636) and a nonce that follow from it.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use url::Url;
use uuid::Uuid;

use super::{Turned, Whence, Wish, away, callback_url, find, kind_of, nonce, not_too_often, verifier};
use crate::{
    app::{App, throttle::Key},
    flows::{authorize, visitor::Visitor, write},
    protocol::{
        Code, Result, rule,
        trace::{Kind, Shown},
        upstream::metadata::Metadata,
    },
    store::{
        upstream::Upstream,
        upstream_login::{self, UpstreamLogin},
    },
};

/// Seconds in which the browser must be back.
const LIFE: i64 = 600;

/// Where the browser goes, to sign in with this provider.
///
/// # Errors
/// When the journey is over or another browser's, there is no such provider, or it does not answer.
pub async fn begin(app: &App, id: Uuid, visitor: &Visitor, name: &str) -> Result<String, Box<Turned>> {
    let journey = authorize::look(app, id, visitor, Kind::Login).await.map_err(Turned::early)?;
    let (mut trace, mut upstream) = (journey.trace, None);
    let begun = async {
        let request = &journey.request;
        let wish = Wish {
            login_hint: request.login_hint.as_deref(),
            prompt: &request.prompt,
            again: journey.signed_in.is_some(),
            max_age: request.max_age,
            ui_locales: request.ui_locales.as_deref(),
        };
        let (address, row) = way(app, visitor, name, &mut upstream, &wish).await?;
        let row = UpstreamLogin { journey_id: Some(id), ..row };
        write!(app, db => upstream_login::insert(db, row).await).await?;
        trace.passed(&rule::UPSTREAM_REACHED, Some(Shown::list([name])));
        Ok(address)
    };
    match begun.await {
        Ok(address) => {
            app.record(trace);
            Ok(address)
        }
        Err(error) => Err(Turned::of(app, trace, error, Some(Whence::Journey(id)), upstream.as_ref())),
    }
}

/// Where the browser goes, and what it comes back by. `found`: the provider, once it is known.
pub(super) async fn way(
    app: &App,
    visitor: &Visitor,
    name: &str,
    found: &mut Option<Upstream>,
    wish: &Wish<'_>,
) -> Result<(String, UpstreamLogin)> {
    not_too_often(app, &[Key::Provider(visitor.address)])?;
    let unknown = || Code::InvalidRequest.because("there is no such provider").under(&rule::UPSTREAM_ANSWER);
    let upstream = found.insert(find(app, name).await?.ok_or_else(unknown)?);
    let metadata = kind_of(upstream)?.metadata(app, upstream).await?;
    let state = app.secret();
    let address = address(app, upstream, &metadata, wish, state.reveal())?;
    let row = UpstreamLogin {
        id: app.ordered_id(),
        state_hash: state.hash(),
        browser_hash: visitor.browser_hash(),
        upstream: upstream.name.clone(),
        journey_id: None,
        user_id: None,
        session_id: None,
        answer: None,
        created_at: app.now(),
        expires_at: app.now() + LIFE,
    };
    Ok((address, row))
}

fn address(app: &App, upstream: &Upstream, metadata: &Metadata, wish: &Wish<'_>, state: &str) -> Result<String> {
    let (settings, kind) = (&upstream.settings, kind_of(upstream)?);
    let endpoint = Url::parse(&metadata.authorization_endpoint);
    let mut url = endpoint.map_err(|_| away("the provider has no such endpoint", "it is no address"))?;
    let scope = match &settings.scopes {
        Some(scopes) => scopes.join(" "),
        None => kind.scopes().join(" "),
    };
    let challenge = URL_SAFE_NO_PAD.encode(verifier(app, state).hash().0);
    let mut query = url.query_pairs_mut();
    query
        .append_pair("response_type", "code")
        .append_pair("client_id", &settings.client_id)
        .append_pair("redirect_uri", &callback_url(app, &upstream.name))
        .append_pair("state", state)
        .append_pair("code_challenge", &challenge)
        .append_pair("code_challenge_method", "S256");
    if !scope.is_empty() {
        query.append_pair("scope", &scope);
    }
    let mut asks = kind.asks(upstream, wish, nonce(app, state).reveal());
    for (name, value) in &settings.authorization_params {
        match asks.iter_mut().find(|(known, _)| known == name) {
            // What the app asks for is asked for; the operator may want more.
            Some((_, asked)) if name == "prompt" => {
                for word in value.split(' ') {
                    if !asked.split(' ').any(|known| known == word) {
                        asked.push(' ');
                        asked.push_str(word);
                    }
                }
            }
            Some(_) => {}
            None => asks.push((name, value.clone())),
        }
    }
    for (name, value) in asks {
        query.append_pair(name, &value);
    }
    drop(query);
    Ok(url.into())
}
