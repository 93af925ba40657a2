//! OpenID Connect Core §3.1.2.3–§3.1.2.6: what an authorization still needs of the person.
//! Every page of the journey asks here and nowhere else.

use uuid::Uuid;

use super::{Code, Error, Scope, authorize::Request, prompt::Prompt, rule, trace::Shown};

/// What is known of the person in front of the browser.
#[derive(Debug, Clone, Default)]
pub struct Known {
    pub user: Option<Uuid>,
    /// When the person last proved who they are, in seconds.
    pub signed_in_at: Option<i64>,
    /// The person proved it during this very authorization.
    pub signed_in_here: bool,
    /// The person chose this account during this very authorization.
    pub chosen_here: bool,
    /// Whom the client expects: `id_token_hint`, or a `sub` in `claims`.
    pub expected_user: Option<Uuid>,
    /// What the person has agreed to before.
    pub consented: Scope,
    pub consented_here: bool,
    /// The client asks for no consent (first-party clients of the operator).
    pub consent_not_needed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Login,
    ChooseAccount,
    Consent,
    Issue,
}

impl Step {
    /// §3.1.2.6: what `prompt=none` gets instead of a page.
    fn unattended(self) -> Code {
        match self {
            Step::Consent => Code::ConsentRequired,
            Step::ChooseAccount => Code::AccountSelectionRequired,
            Step::Login | Step::Issue => Code::LoginRequired,
        }
    }
}

/// The next page, or with `prompt=none` the error that stands for it.
pub fn next(request: &Request, known: &Known, now: i64) -> Result<Step, Error> {
    let step = needed(request, known, now);
    if step != Step::Issue && request.prompt.contains(&Prompt::None) {
        return Err(step
            .unattended()
            .because("prompt=none, but the person is needed")
            .under(&rule::INTERACTION)
            .received(Shown::word(match step {
                Step::Login => "a login is needed",
                Step::ChooseAccount => "an account must be chosen",
                Step::Consent => "consent is needed",
                Step::Issue => "nothing",
            })));
    }
    Ok(step)
}

/// The next page, as if it may be shown.
pub fn needed(request: &Request, known: &Known, now: i64) -> Step {
    let asks = |prompt| request.prompt.contains(&prompt);
    let too_old = |at: i64| request.max_age.is_some_and(|age| now - at > age);
    let (Some(user), Some(at)) = (known.user, known.signed_in_at) else { return Step::Login };
    let someone_else = known.expected_user.is_some_and(|expected| expected != user);
    // Nobody but the person hinted at gets the code; silently it is a login that is missing.
    if someone_else {
        let login = asks(Prompt::None) || asks(Prompt::Login) || known.signed_in_here;
        return if login { Step::Login } else { Step::ChooseAccount };
    }
    if !known.signed_in_here && (asks(Prompt::Login) || too_old(at)) {
        return Step::Login;
    }
    if asks(Prompt::SelectAccount) && !known.signed_in_here && !known.chosen_here {
        return Step::ChooseAccount;
    }
    if known.consented_here || known.consent_not_needed && !asks(Prompt::Consent) {
        return Step::Issue;
    }
    if asks(Prompt::Consent) || !known.consented.covers(&request.scope) {
        return Step::Consent;
    }
    Step::Issue
}
