//! The second call of a sign-in with two steps (requirement MF5).

use poem::{Request, web::Data};
use poem_openapi::{Object, OpenApi, types::Any};
use serde_json::Value;

use super::{StatusBody, login::SessionBody};
use crate::{
    app::App,
    flows::{
        Trouble,
        account::tokens::{self, SecondStep},
        factors::mailed,
        second_factor::{self, Given},
        visitor::Visitor,
    },
    http::{
        address,
        api::{
            answer::{Accepted, Answer},
            body::Body,
            person::Caller,
            problem::Problem,
        },
        oauth::Topic,
    },
};

pub struct SecondFactor;

#[OpenApi(prefix_path = "/api/v1/auth", tag = "Topic::Authentication")]
impl SecondFactor {
    /// Sign in, second step.
    ///
    /// `ticket` is of the answer to `/api/v1/auth/login`. Exactly one of the codes or the passkey goes with it. 401 with
    /// `wrong_code` as long as there are tries left, and with `invalid_ticket` when there are none, after five minutes (with
    /// a mailed code, as long as that counts), and at another address or program: begin again with the password then. 423 after too many wrong codes of all sign-ins
    /// together.
    #[oai(path = "/second-factor", method = "post", operation_id = "second_factor")]
    async fn answer(
        &self,
        app: Data<&App>,
        request: &Request,
        given: Body<SecondFactorBody>,
    ) -> Result<Answer<SessionBody>, Problem> {
        let SecondFactorBody { ticket, totp, recovery_code, mail_code, passkey, device } = given.0;
        let passkey = passkey.map(|answer| answer.0.to_string());
        let given = match (&totp, &recovery_code, &mail_code, &passkey) {
            (Some(code), None, None, None) => Given::Totp(code),
            (None, Some(code), None, None) => Given::RecoveryCode(code),
            (None, None, Some(code), None) if mailed::are_on(&app) => Given::MailCode(code),
            (None, None, None, Some(answer)) => Given::Passkey(answer),
            _ => return Err(Trouble::field("totp", "give exactly one of what the ticket was for").into()),
        };
        let visitor = Visitor::of_program(&app, device.as_deref(), address::device(&app, request));
        session(tokens::second_step(&app, &visitor, &ticket, given).await?).map_err(|problem| *problem)
    }

    /// What the person's passkey is to sign, for the second step.
    ///
    /// Hand `public_key` to `navigator.credentials.get()`, with bytes where it has base64url, at a page of this server's
    /// origin; the answer goes with the same ticket as `passkey` to `/api/v1/auth/second-factor`. 401 with
    /// `invalid_ticket` also where the person has no passkey.
    #[oai(path = "/second-factor/passkey", method = "post", operation_id = "second_factor_challenge")]
    async fn challenge(
        &self,
        app: Data<&App>,
        caller: Caller,
        given: Body<TicketBody>,
    ) -> Result<Answer<PasskeyChallengeBody>, Problem> {
        let TicketBody { ticket } = given.0;
        let options = second_factor::ask_with_ticket(&app, &caller.0, &ticket).await?;
        let options = options.ok_or_else(Problem::invalid_ticket)?;
        Ok(PasskeyChallengeBody { ticket, public_key: Any(options) }.into())
    }

    /// Mail a code for the second step.
    ///
    /// For a ticket whose `factors` have `mail_code`. A newer code makes the one before it worthless; it counts for ten
    /// minutes, and the ticket as long, but none for more than 25 minutes in all. 401 with `invalid_ticket` for any other ticket, 404 where codes are not mailed
    /// (`second_factor.mail_codes`).
    #[oai(path = "/second-factor/mail", method = "post", operation_id = "mail_second_factor")]
    async fn mail(
        &self,
        app: Data<&App>,
        caller: Caller,
        given: Body<TicketBody>,
    ) -> Result<Accepted<StatusBody>, Problem> {
        if !mailed::are_on(&app) {
            return Err(Trouble::NotFound("second factor").into());
        }
        match second_factor::mail_code_for_ticket(&app, &caller.0, &given.0.ticket).await? {
            true => Ok(StatusBody::of("accepted").into()),
            false => Err(Problem::invalid_ticket()),
        }
    }

    /// What a passkey is to sign, for a sign-in without a password.
    ///
    /// Hand `public_key` to `navigator.credentials.get()`, with bytes where it has base64url, at a page of this server's
    /// origin; the answer goes with the ticket to `/api/v1/auth/passkey` within five minutes. 404 where browsers know no
    /// passkeys.
    #[oai(path = "/passkey/challenge", method = "post", operation_id = "passkey_challenge")]
    async fn anybody(&self, app: Data<&App>, caller: Caller) -> Result<Answer<PasskeyChallengeBody>, Problem> {
        let asked = second_factor::ask_for_program(&app, &caller.0).await?;
        let (ticket, options) = asked.ok_or(Trouble::NotFound("passkey"))?;
        Ok(PasskeyChallengeBody { ticket: ticket.reveal().to_owned(), public_key: Any(options) }.into())
    }

    /// Sign in with a passkey, without a password.
    ///
    /// 401 with `wrong_code` where it is not a passkey of somebody here, and with `invalid_ticket` where the ticket is not
    /// known, or comes from another address or program.
    #[oai(path = "/passkey", method = "post", operation_id = "sign_in_with_passkey")]
    async fn passkey(
        &self,
        app: Data<&App>,
        request: &Request,
        given: Body<PasskeyAnswerBody>,
    ) -> Result<Answer<SessionBody>, Problem> {
        let PasskeyAnswerBody { ticket, credential, device } = given.0;
        let visitor = Visitor::of_program(&app, device.as_deref(), address::device(&app, request));
        let step = tokens::with_passkey(&app, &visitor, &ticket, &credential.0.to_string()).await?;
        session(step).map_err(|problem| *problem)
    }
}

fn session(step: SecondStep) -> Result<Answer<SessionBody>, Box<Problem>> {
    match step {
        SecondStep::SignedIn(begun) => Ok(SessionBody::of(begun.tokens, Some(begun.device)).into()),
        SecondStep::Wrong => Err(Box::new(Problem::wrong_code())),
        SecondStep::Over => Err(Box::new(Problem::invalid_ticket())),
        SecondStep::TooMany(wait) => Err(Box::new(Problem::waits(wait))),
    }
}

/// What an authenticator is asked (WebAuthn §5.5).
#[derive(Object)]
struct PasskeyChallengeBody {
    /// Goes with the answer.
    ticket: String,
    public_key: Any<Value>,
}

#[derive(Object)]
struct PasskeyAnswerBody {
    ticket: String,
    /// The `PublicKeyCredential`, as its `toJSON()` writes it.
    credential: Any<Value>,
    /// `device` of an earlier answer.
    device: Option<String>,
}

#[derive(Object)]
struct SecondFactorBody {
    ticket: String,
    /// What the authenticator app shows.
    totp: Option<String>,
    /// One of the codes that the person has kept.
    recovery_code: Option<String>,
    /// What a passkey has signed: the `PublicKeyCredential`, as its `toJSON()` writes it.
    passkey: Option<Any<Value>>,
    /// The code that was mailed for the ticket.
    mail_code: Option<String>,
    /// `device` of an earlier answer.
    device: Option<String>,
}

#[derive(Object)]
struct TicketBody {
    ticket: String,
}
