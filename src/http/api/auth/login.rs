//! In and out with a password: tokens for a program of the person's.

use poem::{Request, RequestBody, web::Data};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions, Object, OpenApi,
    registry::{MetaMediaType, MetaRequest, Registry},
    types::Type,
};

use super::Who;
use crate::{
    app::App,
    flows::{
        Refused,
        account::{
            sessions,
            tokens::{self, Outcome},
        },
        issue::Tokens,
        visitor::Visitor,
    },
    http::{
        address,
        api::{
            answer::{Answer, Done},
            body::Body,
            person::{Caller, Person},
            problem::Problem,
        },
        oauth::{Topic, bearer, form},
    },
    protocol::{Code, Error, Params, trace::Kind},
};

pub struct Login;

#[OpenApi(prefix_path = "/api/v1/auth", tag = "Topic::Authentication")]
impl Login {
    /// Sign in.
    ///
    /// 401 with `wrong_credentials` whatever is wrong: the name, the password, or that the address must be confirmed first
    /// (then another link is mailed). 403 with `second_factor_needed` for whoever must prove more than the password (with a
    /// ticket for `/api/v1/auth/second-factor`). 423 while the account waits after too many failed attempts, 429 while the
    /// address does.
    #[oai(path = "/login", method = "post", operation_id = "login")]
    async fn login(
        &self,
        app: Data<&App>,
        request: &Request,
        given: Body<CredentialsBody>,
    ) -> Result<Answer<SessionBody>, Problem> {
        let CredentialsBody { who, password, device } = given.0;
        let visitor = Visitor::of_program(&app, device.as_deref(), address::device(&app, request));
        signed_in(&app, &visitor, who.login()?, &password).await
    }

    /// The same as a form, for tools that know OAuth's password grant (RFC 6749 §4.3): the button Authorize of `/docs`.
    #[oai(path = "/token", method = "post", operation_id = "login_form")]
    async fn token(
        &self,
        app: Data<&App>,
        request: &Request,
        given: PasswordForm,
    ) -> Result<Answer<SessionBody>, Problem> {
        let visitor = Visitor::of_program(&app, None, address::device(&app, request));
        signed_in(&app, &visitor, &given.username, &given.password).await
    }

    /// The next tokens.
    ///
    /// The refresh token is spent by it, and the answer has its successor. A token that was spent before ends its whole
    /// family (RFC 9700 §4.14.2); a repeat within seconds gets the same successor again.
    #[oai(path = "/refresh", method = "post", operation_id = "refresh")]
    async fn refresh(
        &self,
        app: Data<&App>,
        caller: Caller,
        given: Body<RefreshBody>,
    ) -> Result<Answer<SessionBody>, Problem> {
        let tokens = tokens::refresh(&app, &caller.0.device, &given.0.refresh_token).await?;
        Ok(SessionBody::of(tokens, None).into())
    }

    /// Sign out: the access token, its refresh token and their session end at once.
    #[oai(path = "/logout", method = "post", operation_id = "logout")]
    async fn logout(&self, app: Data<&App>, request: &Request, _person: Person) -> Result<Done, Problem> {
        tokens::logout(&app, &bearer(&app, request)).await?;
        Ok(().into())
    }

    /// Sign out everywhere: every session of the person ends, and every token that was issued before.
    #[oai(path = "/logout-all", method = "post", operation_id = "logout_all")]
    async fn logout_all(&self, app: Data<&App>, person: Person) -> Result<Done, Problem> {
        sessions::end_all(&app, &person.visitor, &person.me).await?;
        Ok(().into())
    }
}

async fn signed_in(app: &App, visitor: &Visitor, login: &str, password: &str) -> Result<Answer<SessionBody>, Problem> {
    answer(tokens::login(app, visitor, login, password)).await
}

/// However somebody signs in.
pub async fn answer(outcome: impl Future<Output = Result<Outcome, Refused>>) -> Result<Answer<SessionBody>, Problem> {
    match outcome.await? {
        Outcome::SignedIn(begun) => Ok(SessionBody::of(begun.tokens, Some(begun.device)).into()),
        // Whoever registered with somebody's address and a password of their own would learn by it that it was free.
        Outcome::Wrong | Outcome::Unconfirmed => Err(Problem::wrong_credentials()),
        Outcome::SecondFactor(ticket) => Err(Problem::second_factor_needed(ticket.as_ref())),
        Outcome::TooMany(wait) => Err(Problem::waits(wait)),
    }
}

#[derive(Object)]
struct CredentialsBody {
    #[oai(flatten)]
    who: Who,
    password: String,
    /// `device` of an earlier answer.
    device: Option<String>,
}

#[derive(Object)]
struct RefreshBody {
    refresh_token: String,
}

/// Tokens of a program of the person's.
#[derive(Object)]
pub struct SessionBody {
    /// A JWT (RFC 9068): proven with the keys at `/oauth2/jwks`.
    pub access_token: String,
    /// `Bearer`.
    pub token_type: String,
    /// Seconds.
    pub expires_in: i64,
    /// For `/api/v1/auth/refresh`, once.
    #[oai(skip_serializing_if_is_none)]
    pub refresh_token: Option<String>,
    /// Who signed in (OpenID Connect Core §2).
    #[oai(skip_serializing_if_is_none)]
    pub id_token: Option<String>,
    pub scope: String,
    /// Keep it, and send it when the person signs in again: guesses of strangers elsewhere then do not slow it down, and
    /// nobody is mailed of a new device.
    #[oai(skip_serializing_if_is_none)]
    pub device: Option<String>,
}

impl SessionBody {
    pub fn of(tokens: Tokens, device: Option<String>) -> Self {
        SessionBody {
            access_token: tokens.access_token,
            token_type: "Bearer".to_owned(),
            expires_in: tokens.expires_in,
            refresh_token: tokens.refresh_token,
            id_token: tokens.id_token,
            scope: tokens.scope,
            device,
        }
    }
}

/// RFC 6749 §4.3.2. A client's id and secret are of no use here; who sends them means no harm.
#[derive(Object)]
struct PasswordFormBody {
    /// `password`, or nothing.
    grant_type: Option<String>,
    /// A user name, an e-mail address or a telephone number.
    username: String,
    password: String,
    scope: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
}

struct PasswordForm {
    username: String,
    password: String,
}

impl<'a> ApiExtractor<'a> for PasswordForm {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        PasswordFormBody::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        let schema = PasswordFormBody::schema_ref();
        let content = vec![MetaMediaType { content_type: "application/x-www-form-urlencoded", schema }];
        Some(MetaRequest { description: None, content, required: true })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let app = request.data::<App>().expect("every request carries the app");
        if !form::is_form(request) {
            return Err(Problem::wrong_kind("the body must be application/x-www-form-urlencoded").into());
        }
        let form = form::read(request, body).await?;
        PasswordForm::of(form.params()).map_err(|error| {
            let refused = Refused::at_once(app, Kind::Login, address::counted(app, request), error);
            Problem::from(refused).into()
        })
    }
}

impl PasswordForm {
    fn of(params: &Params) -> Result<Self, Error> {
        params.check()?;
        if params.get("grant_type").is_some_and(|kind| kind != "password") {
            return Err(Code::UnsupportedGrantType.because("only the grant type password is for this address"));
        }
        let text = |name| params.require(name).map(str::to_owned);
        Ok(PasswordForm { username: text("username")?, password: text("password")? })
    }
}
