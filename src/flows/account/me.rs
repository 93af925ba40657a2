//! Who acts on an account: its person, at a browser or with an access token of the JSON API.

use uuid::Uuid;

use crate::{
    app::{App, throttle::counted},
    flows::{
        Trouble, factors,
        login::{self, Proof, Standing},
        passwords,
        visitor::{Device, Visitor},
    },
    protocol::{
        Result,
        assurance::Methods,
        trace::{Kind, Trace},
    },
    store::{session::Session, user::User},
};

/// The person of an account, proven.
#[derive(Debug, Clone)]
pub struct Me {
    pub user: User,
    /// The session that this is part of; what ends other sessions leaves it.
    pub session: Option<Uuid>,
    /// Of the token, where it came by one.
    pub grant: Option<Uuid>,
    /// When the person last proved who they are.
    pub auth_time: i64,
    /// By what means.
    pub proved: Methods,
    pub device: Device,
}

impl Me {
    /// Who is signed in at this browser; nobody, where the operator wants more than was proved.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn at(app: &App, visitor: &Visitor) -> Result<Option<Self>> {
        let found = visitor.session(app).await?;
        let enough =
            |(session, user): &(Session, User)| session.proved().is_two_steps() || !factors::are_required(app, user);
        Ok(found.filter(enough).map(|(session, user)| Me {
            user,
            session: Some(session.id),
            grant: None,
            auth_time: session.auth_time,
            proved: session.proved(),
            device: visitor.device.clone(),
        }))
    }

    /// A run of this person.
    pub fn trace(&self, app: &App) -> Trace {
        Trace { user_id: Some(self.user.id), ..app.trace(Kind::Account).from(counted(self.device.address)) }
    }

    /// The person has signed in so lately that it counts as asked (OWASP ASVS 7.5.1).
    pub fn is_fresh(&self, app: &App) -> bool {
        app.now() - self.auth_time < app.config.second_factor.fresh.get()
    }

    /// What changes who can get in asks for the password, unless the person has just given it (case SEC-132). Wrong ones
    /// count as tries to sign in (case SEC-115). Who has none signs in again.
    ///
    /// # Errors
    /// A problem with the field `current_password`, `insufficient_user_authentication` for who has none, or 429.
    pub async fn prove(&self, app: &App, visitor: &Visitor, given: Option<&str>, trace: &mut Trace) -> Outcome {
        match given {
            None if self.is_fresh(app) => Ok(()),
            None if passwords::has(app, self.user.id).await? => {
                Err(Trouble::field("current_password", crate::flows::Why::Missing))
            }
            None => Err(factors::stale().into()),
            Some(given) => self.prove_password(app, visitor, given, trace).await.map(drop),
        }
    }

    /// The same, however fresh the sign-in is.
    ///
    /// # Errors
    /// A problem with the field `current_password`, or 429.
    pub async fn prove_password(
        &self,
        app: &App,
        visitor: &Visitor,
        given: &str,
        trace: &mut Trace,
    ) -> Result<Standing, Trouble> {
        match login::prove_again(app, visitor, (&self.user, self.session), given, trace).await? {
            Proof::Right(_, standing) => Ok(standing),
            // Nobody is signed in whose address must be confirmed first.
            Proof::Unconfirmed(_) => Err(Trouble::Broken(Standing::lost())),
            Proof::Wrong => Err(Trouble::field("current_password", crate::flows::Why::Wrong)),
            Proof::TooMany(wait) => Err(Trouble::Broken(wait.refusal())),
        }
    }
}

type Outcome = Result<(), Trouble>;
