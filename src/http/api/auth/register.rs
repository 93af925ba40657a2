//! `/api/v1/auth/register`: accounts that people make for themselves.

use poem::web::Data;
use poem_openapi::{Object, OpenApi};

use super::login::SessionBody;
use crate::{
    app::App,
    flows::account::{
        registration::{self, NewAccount, Registered},
        tokens,
    },
    http::{
        api::{answer::Created, body::Body, person::Caller, problem::Problem},
        oauth::Topic,
    },
    protocol::claims::StandardClaims,
};

pub struct Register;

#[OpenApi(prefix_path = "/api/v1/auth", tag = "Topic::Authentication")]
impl Register {
    /// Make an account.
    ///
    /// Where addresses must be confirmed first (`accounts.verification`), the answer is the same for an address that has
    /// an account: its owner is told by mail. Otherwise the answer has tokens.
    #[oai(path = "/register", method = "post", operation_id = "register_account")]
    async fn register(
        &self,
        app: Data<&App>,
        caller: Caller,
        new: Body<NewAccountBody>,
    ) -> Result<Created<RegisteredBody>, Problem> {
        match registration::register(&app, &caller.0, new.0.into()).await? {
            Registered::Mailed => Ok(RegisteredBody::waiting().into()),
            Registered::Ready(user) => {
                let begun = tokens::begin(&app, &caller.0, *user).await?;
                Ok(RegisteredBody::ready(SessionBody::of(begun.tokens, Some(begun.device))).into())
            }
        }
    }
}

/// An account to be.
#[derive(Object)]
struct NewAccountBody {
    email: String,
    password: String,
    /// A name to sign in with; `accounts.usernames` says whether there are any.
    username: Option<String>,
    /// With the code of its country, such as `+44 20 7946 0000`.
    phone_number: Option<String>,
    /// The whole name, as it is shown.
    name: Option<String>,
    given_name: Option<String>,
    family_name: Option<String>,
    /// The address of a picture.
    picture: Option<String>,
    bio: Option<String>,
    /// The language of the mails, such as `de` (BCP 47).
    locale: Option<String>,
    /// The token of an invitation.
    invitation: Option<String>,
}

impl From<NewAccountBody> for NewAccount {
    fn from(new: NewAccountBody) -> Self {
        let claims = StandardClaims {
            name: new.name,
            given_name: new.given_name,
            family_name: new.family_name,
            picture: new.picture,
            ..StandardClaims::default()
        };
        NewAccount {
            email: new.email,
            username: new.username,
            password: new.password,
            phone_number: new.phone_number,
            bio: new.bio,
            claims,
            locale: new.locale,
            invitation: new.invitation,
        }
    }
}

/// How it goes on.
#[derive(Object)]
struct RegisteredBody {
    /// `registered`: the account can be used, and here are tokens. `verification_sent`: a mail tells how to go on.
    status: String,
    #[oai(skip_serializing_if_is_none)]
    access_token: Option<String>,
    /// `Bearer`.
    #[oai(skip_serializing_if_is_none)]
    token_type: Option<String>,
    /// Seconds.
    #[oai(skip_serializing_if_is_none)]
    expires_in: Option<i64>,
    #[oai(skip_serializing_if_is_none)]
    refresh_token: Option<String>,
    #[oai(skip_serializing_if_is_none)]
    id_token: Option<String>,
    #[oai(skip_serializing_if_is_none)]
    scope: Option<String>,
    /// As of `/api/v1/auth/login`.
    #[oai(skip_serializing_if_is_none)]
    device: Option<String>,
}

impl RegisteredBody {
    fn waiting() -> Self {
        RegisteredBody {
            status: "verification_sent".to_owned(),
            access_token: None,
            token_type: None,
            expires_in: None,
            refresh_token: None,
            id_token: None,
            scope: None,
            device: None,
        }
    }

    fn ready(session: SessionBody) -> Self {
        RegisteredBody {
            status: "registered".to_owned(),
            access_token: Some(session.access_token),
            token_type: Some(session.token_type),
            expires_in: Some(session.expires_in),
            refresh_token: session.refresh_token,
            id_token: session.id_token,
            scope: Some(session.scope),
            device: session.device,
        }
    }
}
