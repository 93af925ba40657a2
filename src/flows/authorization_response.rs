//! What an authorization is worth: a code, tokens, or both (OpenID Connect Core §3.1.2.5, §3.2.2.5, §3.3.2.5).

use uuid::Uuid;

use super::{
    client_use,
    grants::{Approval, Claim},
    issue::{self, With},
    no_journey, readers,
    session_end::Member,
    session_state, write, write_one,
};
use crate::{
    app::App,
    crypto::secret::Secret,
    protocol::{
        Result,
        authorize::Request,
        reply::Reply,
        rule,
        trace::{Shown, Trace},
    },
    store::{
        access_token as opaque,
        authorization::{self, Authorization},
        client::Client,
        grant::{self, Grant},
        session::Session,
        user::User,
    },
};

/// The answer to the client. `row`: the journey that ends with it.
///
/// # Errors
/// When another request finished the journey first, a resource is unknown, or the database is away.
pub async fn issue(
    app: &App,
    client: &Client,
    request: &Request,
    (session, user): (Session, User),
    row: Option<&Authorization>,
    trace: &mut Trace,
) -> Result<Reply> {
    trace.user_id = Some(user.id);
    let kind = request.response_type;
    let code = kind.code.then(|| app.secret());
    let grant = grant(app, client, request, (&session, &user), code.as_ref(), trace);
    let approval = Approval {
        user: Some(user),
        scope: request.scope.clone(),
        resource: request.resource.clone(),
        nonce: request.nonce.clone(),
        refresh: None,
        claim: Claim::Free,
        grant: Some(grant.clone()),
    };
    let (access, kept) = match kind.token {
        true => {
            let (token, kept, _) = issue::access_token(app, client, &approval).await?;
            (Some(token), kept)
        }
        false => (None, None),
    };
    let id_token = match kind.id_token {
        true => {
            let code = code.as_ref().map(Secret::reveal);
            let with = With { access_token: access.as_deref(), code, alone: kind.is_id_token_alone() };
            issue::id_token(app, client, &approval, with).await?
        }
        false => None,
    };
    let write = Write {
        grant: (kind.code || kind.token).then_some(grant),
        token: kept,
        member: Member::of(app, client, &session),
        journey: row.map(|row| row.id),
    };
    write.keep(app).await?;
    client_use::note(app, client);
    if access.is_some() || id_token.is_some() {
        readers::used_through_browser(app, client);
    }
    trace.passed(&rule::INTERACTION, Some(Shown::word(said(request))));
    let mut fields = fields(app, code.as_ref(), access, id_token, request);
    // OpenID Connect Session Management §2.
    fields
        .extend(session_state::answer(app, &client.client_id, request, &session).map(|state| ("session_state", state)));
    Ok(request.reply.success(app.issuer(), fields))
}

const fn said(request: &Request) -> &'static str {
    match (request.response_type.code, request.response_type.id_token || request.response_type.token) {
        (true, false) => "a code was issued",
        (true, true) => "a code and tokens were issued",
        (false, _) => "tokens were issued",
    }
}

fn fields(
    app: &App,
    code: Option<&Secret>,
    access: Option<String>,
    id_token: Option<String>,
    request: &Request,
) -> Vec<(&'static str, String)> {
    let mut fields = Vec::with_capacity(7);
    fields.extend(code.map(|code| ("code", code.reveal().to_owned())));
    if let Some(access) = access {
        fields.push(("access_token", access));
        fields.push(("token_type", "Bearer".to_owned()));
        fields.push(("expires_in", app.config.lifetimes.access_token.get().to_string()));
        fields.push(("scope", request.scope.to_string()));
    }
    fields.extend(id_token.map(|token| ("id_token", token)));
    fields
}

/// One row for all that comes of it; a grant without a code is redeemed as it begins.
fn grant(
    app: &App,
    client: &Client,
    request: &Request,
    (session, user): (&Session, &User),
    code: Option<&Secret>,
    trace: &Trace,
) -> Grant {
    let (now, offline) = (app.now(), request.scope.contains("offline_access"));
    Grant {
        id: app.ordered_id(),
        code_hash: code.map(Secret::hash),
        client_id: client.client_id.clone(),
        user_id: session.user_id,
        session_id: Some(session.id),
        scope: request.scope.clone(),
        resource: request.resource.clone(),
        redirect_uri: request.reply.redirect_uri().to_owned(),
        challenge: request.challenge.as_ref().map(|challenge| challenge.as_str().to_owned()),
        nonce: request.nonce.clone(),
        claims: request.claims.clone(),
        auth_time: session.auth_time,
        methods: session.methods.clone(),
        trace_id: trace.id.clone(),
        created_at: now,
        code_expires_at: now + app.config.lifetimes.code.get(),
        redeemed_at: if code.is_none() { Some(now) } else { None },
        refreshable: code.is_some() && client.may_use("refresh_token") && (offline || client.policy.always_refresh),
        offline,
        generation: 0,
        rotated_at: now,
        expires_at: now + super::refresh_token::tokens_life(app),
        revoked_at: None,
        token_version: user.token_version,
    }
}

/// The one write. Of two tabs that finish at once one answers the client.
struct Write {
    grant: Option<Grant>,
    token: Option<opaque::Model>,
    member: Option<Member>,
    journey: Option<Uuid>,
}

impl Write {
    async fn keep(self, app: &App) -> Result<()> {
        let now = app.now();
        let won = match self {
            Write { grant: None, token: None, member: None, journey: None } => true,
            Write { grant: Some(grant), token: None, member: None, journey: None } => {
                write_one!(app, db => grant::insert(db, grant)).await?;
                true
            }
            Write { grant, token, member, journey } => {
                write!(app, db => {
                    if let Some(journey) = journey && !authorization::finish(db, journey, now).await? {
                        return Ok(false);
                    }
                    if let Some(grant) = grant { grant::insert(db, grant).await? }
                    if let Some(token) = token { opaque::insert(db, token).await? }
                    Member::note(member, db).await?;
                    Ok(true)
                })
                .await?
            }
        };
        if won { Ok(()) } else { Err(no_journey()) }
    }
}
