//! Tokens are minted here and nowhere else.

use serde_json::{Map, Value};

use super::{
    client_keys, client_use,
    grants::{Approval, Beginning, Claim, authorization_code, refresh_token as rotation},
    login::Standing,
    refresh_token::{self, Named},
    subject, write, write_one,
};
use crate::{
    app::App,
    crypto::secret::Secret,
    protocol::{
        Code, Error, Result, Scope,
        access_token::{self, AccessToken},
        claims,
        id_token::IdToken,
        resource, rule,
        trace::{Shown, Trace},
    },
    store::{access_token as opaque, client::Client, grant, session},
};

/// Every API must be able to check an access token, so the algorithm is not a client's choice (RFC 9068 §2.1).
const ACCESS_TOKEN_ALGORITHM: &str = "RS256";

/// RFC 6749 §5.1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tokens {
    pub access_token: String,
    /// Seconds.
    pub expires_in: i64,
    pub refresh_token: Option<String>,
    pub id_token: Option<String>,
    pub scope: String,
}

/// Mints, then spends what the grant has proven; a lost race spends nothing and gets nothing.
///
/// # Errors
/// When a resource is unknown, or the code or refresh token was used meanwhile.
pub async fn tokens(app: &App, client: &Client, approval: Approval, trace: &mut Trace) -> Result<Tokens> {
    let (access_token, row, scope) = access_token(app, client, &approval).await?;
    let id_token =
        id_token(app, client, &approval, With { access_token: Some(&access_token), ..With::default() }).await?;
    let refresh_token = match (&approval.grant, approval.refresh) {
        (Some(grant), Some(generation)) => Some(refresh_token::derive(app, Named { grant: grant.id, generation })),
        _ => None,
    };
    spend(app, approval.claim, row, trace).await?;
    client_use::note(app, client);
    trace.passed(&rule::TOKEN, Some(Shown::scope(&scope)));
    Ok(Tokens {
        access_token,
        expires_in: app.config.lifetimes.access_token.get(),
        refresh_token,
        id_token,
        scope: approval.scope.to_string(),
    })
}

/// A JWT (RFC 9068), or for clients that want one an opaque token with the row that remembers it.
pub(super) async fn access_token(
    app: &App,
    client: &Client,
    approval: &Approval,
) -> Result<(String, Option<opaque::Model>, Scope)> {
    let resources = app.cache.resources(&app.db).await?;
    let audience = resource::audience(approval.resource.as_deref(), &approval.scope, &resources.rules)?;
    let scope = resource::narrowed(&approval.scope, audience);
    let audience = audience.map_or(app.issuer(), |resource| resource.identifier.as_str()).to_owned();
    let sub = approval.user.as_ref().map_or_else(|| client.client_id.clone(), |user| subject::of(app, client, user.id));
    let (iat, exp) = (app.now(), app.now() + app.config.lifetimes.access_token.get());
    let grant_id = approval.grant.as_ref().map(|grant| grant.id);
    if client.policy.opaque_access_tokens {
        let token = app.secret();
        let row = opaque::Model {
            hash: token.hash(),
            grant_id,
            client_id: client.client_id.clone(),
            sub,
            audience,
            scope: scope.clone(),
            issued_at: iat,
            expires_at: exp,
        };
        return Ok((token.reveal().to_owned(), Some(row), scope));
    }
    let nonce = app.nonce();
    let claims = AccessToken {
        iss: app.issuer().to_owned(),
        sub,
        aud: audience,
        client_id: client.client_id.clone(),
        exp,
        iat,
        jti: grant_id.map_or_else(|| nonce.clone(), |grant| access_token::jti(grant, &nonce)),
        scope: scope.to_string(),
        auth_time: approval.grant.as_ref().map(|grant| grant.auth_time),
        acr: approval.grant.as_ref().map(|grant| grant.proved().level().acr().to_owned()),
    };
    let signer = app.keys.ring().signer(ACCESS_TOKEN_ALGORITHM, iat)?;
    let token = signer.sign(Some(access_token::TYPE), &claims).map_err(Error::internal)?;
    Ok((token, None, scope))
}

/// What an ID token comes with.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct With<'a> {
    pub access_token: Option<&'a str>,
    /// Only where both travel through the browser.
    pub code: Option<&'a str>,
    /// The ID token is all that the client gets: what the scopes stand for goes into it.
    pub alone: bool,
}

/// OpenID Connect Core §2, when `openid` was granted to a person; encrypted for clients that are registered so.
pub(super) async fn id_token(
    app: &App,
    client: &Client,
    approval: &Approval,
    with: With<'_>,
) -> Result<Option<String>> {
    let (Some(user), Some(grant)) = (&approval.user, &approval.grant) else { return Ok(None) };
    if !approval.scope.contains("openid") {
        return Ok(None);
    }
    let about = match (client.policy.id_token_claims || with.alone, grant.claims.id_token.is_empty()) {
        (true, _) => claims::released(&user.all_claims(), &approval.scope, &grant.claims.id_token),
        (false, false) => claims::released(&user.all_claims(), &Scope::default(), &grant.claims.id_token),
        (false, true) => Map::new(),
    };
    let now = app.now();
    let sid = grant.session_id.map(|id| subject::sid(app, &client.client_id, id));
    let signer = app.keys.ring().signer(&client.metadata.id_token_signed_response_alg, now)?;
    let proved = grant.proved();
    let half = |value: &str| signer.algorithm().left_half_hash(value);
    let claims = IdToken {
        iss: app.issuer(),
        sub: &subject::of(app, client, user.id),
        aud: &client.client_id,
        exp: now + app.config.lifetimes.id_token.get(),
        iat: now,
        auth_time: grant.auth_time,
        nonce: approval.nonce.as_deref(),
        acr: proved.level().acr(),
        amr: &proved.amr(),
        sid: sid.as_deref(),
        at_hash: with.access_token.map(half),
        c_hash: with.code.map(half),
        about,
    };
    let signed = signer.sign(Some("JWT"), &claims).map_err(Error::internal)?;
    client_keys::enclosed(app, client, signed, client.metadata.id_token_encryption()).await.map(Some)
}

/// An answer as a token (OpenID Connect Core §5.3.2, RFC 9701 §5): signed, and encrypted for clients that are registered
/// so.
pub(super) async fn answer(
    app: &App,
    client: &Client,
    typ: &str,
    claims: &Map<String, Value>,
    (alg, encryption): (&str, client_keys::Encryption<'_>),
) -> Result<String> {
    let signed = app.keys.ring().signer(alg, app.now())?.sign(Some(typ), claims).map_err(Error::internal)?;
    client_keys::enclosed(app, client, signed, encryption).await
}

/// The one write. Its condition decides the race.
async fn spend(app: &App, claim: Claim, row: Option<opaque::Model>, trace: &mut Trace) -> Result<()> {
    let now = app.now();
    match (claim, row) {
        (Claim::Free, None) => Ok(()),
        (Claim::Free, Some(row)) => Ok(write_one!(app, db => opaque::insert(db, row)).await?),
        (Claim::Begin(beginning), row) => {
            let (of_app, Beginning { grant, session, arrival, standing }) = (app.clone(), *beginning);
            let begun = write!(app, db => {
                if !standing.holds(db).await? {
                    return Ok(false);
                }
                if let Some(session) = session { session::start(db, session).await? }
                if let Some(arrival) = arrival { arrival.keep(&of_app, db).await? }
                grant::insert(db, grant).await?;
                if let Some(row) = row { opaque::insert(db, row).await? }
                Ok(true)
            });
            if begun.await? { Ok(()) } else { Err(Error { code: Code::InvalidGrant, ..Standing::lost() }) }
        }
        (Claim::Redeem { grant: id, expires_at }, row) => {
            let won = match row {
                None => write_one!(app, db => grant::redeem(db, id, now, expires_at)).await?,
                Some(row) => {
                    write!(app, db => {
                        let won = grant::redeem(db, id, now, expires_at).await?;
                        if won { opaque::insert(db, row).await? }
                        Ok(won)
                    })
                    .await?
                }
            };
            if won { Ok(()) } else { Err(lost_code(app, id, trace).await) }
        }
        (Claim::Rotate { grant, generation, expires_at, session }, row) => {
            let won = match (row, session) {
                (None, None) => write_one!(app, db => grant::rotate(db, grant, generation, now, expires_at)).await?,
                (row, session) => {
                    write!(app, db => {
                        let won = grant::rotate(db, grant, generation, now, expires_at).await?;
                        // A loser within the grace window answers with the same successor, so its token counts too.
                        if let Some(row) = row { opaque::insert(db, row).await? }
                        if let Some(session) = session { session::note_use(db, session, now).await? }
                        Ok(won)
                    })
                    .await?
                }
            };
            if won { Ok(()) } else { lost_rotation(app, grant, generation).await }
        }
    }
}

async fn lost_code(app: &App, id: uuid::Uuid, trace: &mut Trace) -> Error {
    match grant::find(&app.db, id).await {
        // Nobody used it before: what it came from ended while it was on its way.
        Ok(Some((row, _))) if row.redeemed_at.is_none() => {
            Code::InvalidGrant.because("the sign-in that the code came from is over").under(&rule::CODE)
        }
        Ok(Some((row, _))) => authorization_code::spent(app, &row, trace).await,
        Ok(None) => Code::InvalidGrant.because("the code has expired").under(&rule::CODE),
        Err(error) => error.into(),
    }
}

/// Another request rotated the same token a moment ago: its successor is the one that was derived here too.
async fn lost_rotation(app: &App, id: uuid::Uuid, generation: i32) -> Result<()> {
    match grant::find(&app.db, id).await? {
        Some((row, user)) if row.stands(&user) && rotation::is_repeat(app, &row, generation) => Ok(()),
        _ => Err(Code::InvalidGrant.because("the refresh token was used meanwhile").under(&rule::REFRESH_TOKEN)),
    }
}

/// The hash under which an opaque token is remembered.
pub fn opaque_hash(token: &str) -> crate::crypto::secret::SecretHash {
    Secret::presented(token).hash()
}
