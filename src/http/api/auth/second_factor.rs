//! The second call of a sign-in with two steps (requirement MF5).

use poem::{Request, web::Data};
use poem_openapi::{Object, OpenApi};

use super::login::SessionBody;
use crate::{
    app::App,
    flows::{
        Trouble,
        account::tokens::{self, SecondStep},
        second_factor::Given,
        visitor::Visitor,
    },
    http::{
        address,
        api::{answer::Answer, body::Body, problem::Problem},
        oauth::Topic,
    },
};

pub struct SecondFactor;

#[OpenApi(prefix_path = "/api/v1/auth", tag = "Topic::Authentication")]
impl SecondFactor {
    /// Sign in, second step.
    ///
    /// `ticket` is of the answer to `/api/v1/auth/login`. Exactly one of the codes goes with it. 401 with `wrong_code` as
    /// long as there are tries left, and with `invalid_ticket` when there are none, after five minutes, and at another
    /// address or program: begin again with the password then. 423 after too many wrong codes of all sign-ins together.
    #[oai(path = "/second-factor", method = "post", operation_id = "second_factor")]
    async fn answer(
        &self,
        app: Data<&App>,
        request: &Request,
        given: Body<SecondFactorBody>,
    ) -> Result<Answer<SessionBody>, Problem> {
        let SecondFactorBody { ticket, totp, recovery_code, device } = given.0;
        let given = match (&totp, &recovery_code) {
            (Some(code), None) => Given::Totp(code),
            (None, Some(code)) => Given::RecoveryCode(code),
            _ => return Err(Trouble::field("totp", "give exactly one of totp and recovery_code").into()),
        };
        let visitor = Visitor::of_program(&app, device.as_deref(), address::device(&app, request));
        match tokens::second_step(&app, &visitor, &ticket, given).await? {
            SecondStep::SignedIn(begun) => Ok(SessionBody::of(begun.tokens, Some(begun.device)).into()),
            SecondStep::Wrong => Err(Problem::wrong_code()),
            SecondStep::Over => Err(Problem::invalid_ticket()),
            SecondStep::TooMany(wait) => Err(Problem::waits(wait)),
        }
    }
}

#[derive(Object)]
struct SecondFactorBody {
    ticket: String,
    /// What the authenticator app shows.
    totp: Option<String>,
    /// One of the codes that the person has kept.
    recovery_code: Option<String>,
    /// `device` of an earlier answer.
    device: Option<String>,
}
