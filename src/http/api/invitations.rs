//! `/api/invitations`: who may register an account where registration is not open.

use poem::web::Data;
use poem_openapi::{Object, OpenApi, param::Path};

use super::{
    Admin,
    answer::{Answer, Created, Done},
    body::Body,
    problem::Problem,
};
use crate::{
    app::App,
    flows::admin::invitations::{self, Invitation, NewInvitation},
    http::oauth::Topic,
};

pub struct Invitations;

#[OpenApi]
impl Invitations {
    /// Invite somebody. The link is in this answer and nowhere else.
    #[oai(
        path = "/api/invitations",
        method = "post",
        tag = "Topic::Administration",
        operation_id = "create_invitation"
    )]
    async fn create(
        &self,
        app: Data<&App>,
        _admin: Admin,
        new: Body<NewInvitationBody>,
    ) -> Result<Created<InvitationBody>, Problem> {
        let NewInvitationBody { email, expires_in, send } = new.0;
        let (invitation, link) = invitations::create(&app, NewInvitation { email, expires_in, send }).await?;
        let body = InvitationBody { link: Some(link), ..InvitationBody::of(&invitation, app.now()) };
        Ok(body.into())
    }

    /// All invitations that have not expired, newest first.
    #[oai(path = "/api/invitations", method = "get", tag = "Topic::Administration", operation_id = "invitations")]
    async fn list(&self, app: Data<&App>, _admin: Admin) -> Result<Answer<InvitationList>, Problem> {
        let now = app.now();
        let all = invitations::all(&app).await?;
        let list = InvitationList { invitations: all.iter().map(|one| InvitationBody::of(one, now)).collect() };
        Ok(list.into())
    }

    /// Make an invitation worthless. Who came by it stays.
    #[oai(
        path = "/api/invitations/:id",
        method = "delete",
        tag = "Topic::Administration",
        operation_id = "revoke_invitation"
    )]
    async fn revoke(&self, app: Data<&App>, _admin: Admin, id: Path<String>) -> Result<Done, Problem> {
        // What is no id is the id of nothing.
        invitations::revoke(&app, id.parse().unwrap_or_default()).await?;
        Ok(().into())
    }
}

/// An invitation to be.
#[derive(Object)]
struct NewInvitationBody {
    /// The one address that may register with it; without it, whoever has the link may.
    email: Option<String>,
    /// Seconds.
    #[oai(default = "a_week")]
    expires_in: i64,
    /// Mails it to that address.
    #[oai(default)]
    send: bool,
}

fn a_week() -> i64 {
    7 * invitations::DAY
}

/// An invitation. Times are seconds since 1970.
#[derive(Object)]
struct InvitationBody {
    id: String,
    /// Only when it was just made.
    #[oai(skip_serializing_if_is_none)]
    link: Option<String>,
    #[oai(skip_serializing_if_is_none)]
    email: Option<String>,
    /// `open`, `used` or `expired`.
    state: String,
    created_at: i64,
    expires_at: i64,
    #[oai(skip_serializing_if_is_none)]
    used_at: Option<i64>,
}

impl InvitationBody {
    fn of(invitation: &Invitation, now: i64) -> Self {
        InvitationBody {
            id: invitation.id().to_string(),
            link: None,
            email: invitation.email.clone(),
            state: invitations::state(invitation, now).to_owned(),
            created_at: invitation.created_at,
            expires_at: invitation.expires_at,
            used_at: invitation.used_at,
        }
    }
}

#[derive(Object)]
struct InvitationList {
    invitations: Vec<InvitationBody>,
}
