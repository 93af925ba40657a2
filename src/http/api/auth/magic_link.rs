//! Signing in by a mailed link (requirement MF7).

use poem::{Request, web::Data};
use poem_openapi::{Object, OpenApi};

use super::{
    StatusBody, Who,
    login::{SessionBody, answer},
};
use crate::{
    app::App,
    flows::{Trouble, account::tokens, magic_link, visitor::Visitor},
    http::{
        address,
        api::{
            answer::{Accepted, Answer},
            body::Body,
            problem::Problem,
        },
        oauth::Topic,
    },
};

pub struct MagicLink;

#[OpenApi(prefix_path = "/api/v1/auth", tag = "Topic::Authentication")]
impl MagicLink {
    /// Mail a link that signs in, if there is such an account.
    ///
    /// The link works for ten minutes, once, and only for the address and program that have asked for it. 404 where links
    /// are not mailed (`second_factor.magic_links`).
    #[oai(path = "/magic-link", method = "post", operation_id = "magic_link")]
    async fn ask(
        &self,
        app: Data<&App>,
        request: &Request,
        who: Body<WhoHere>,
    ) -> Result<Accepted<StatusBody>, Problem> {
        let WhoHere { who, device } = who.0;
        let visitor = Visitor::of_program(&app, device.as_deref(), address::device(&app, request));
        magic_link::ask_for_program(&app, &visitor, who.login()?)?;
        Ok(StatusBody::of("accepted").into())
    }

    /// Sign in with a mailed link.
    ///
    /// 400 with `invalid_link` for a link that does not work, or was asked for elsewhere, where it goes on working. 403
    /// with `second_factor_needed` for whoever must prove more than that they read their mail (with a ticket for
    /// `/api/v1/auth/second-factor`).
    #[oai(path = "/magic-link/sign-in", method = "post", operation_id = "magic_link_sign_in")]
    async fn sign_in(
        &self,
        app: Data<&App>,
        request: &Request,
        given: Body<MagicLinkBody>,
    ) -> Result<Answer<SessionBody>, Problem> {
        if !magic_link::are_on(&app) {
            return Err(Trouble::NotFound("way to sign in").into());
        }
        let MagicLinkBody { token, device } = given.0;
        let visitor = Visitor::of_program(&app, device.as_deref(), address::device(&app, request));
        answer(tokens::by_link(&app, &visitor, &token)).await
    }
}

/// Whose account, and where.
#[derive(Object)]
struct WhoHere {
    #[oai(flatten)]
    who: Who,
    /// `device` of an earlier answer: strangers who ask for links leave some for it.
    device: Option<String>,
}

#[derive(Object)]
struct MagicLinkBody {
    /// `token` of the mailed link.
    token: String,
    /// `device` of an earlier answer.
    device: Option<String>,
}
