//! OpenID Connect Core §3.1.2.3–§3.1.2.6: what an authorization still needs of the person.
//! Every page of the journey asks here and nowhere else.

use uuid::Uuid;

use super::{
    Code, Error, Scope,
    assurance::{Methods, Wanted},
    authorize::Request,
    prompt::Prompt,
    rule,
    trace::Shown,
};

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
    /// The person has no factor yet, and the sign-in is too old to set one up (case SEC-132).
    pub must_sign_in_again: bool,
    /// The client asks for no consent (first-party clients of the operator).
    pub consent_not_needed: bool,
    /// By what means the person has signed in.
    pub proved: Methods,
    /// The person gave the first proof in this authorization, and owes the second.
    pub is_half_way: bool,
    /// The operator wants two steps of this person, or at this client.
    pub needs_two_steps: bool,
    /// What the client would have.
    pub wanted: Option<Wanted>,
    /// Somebody whom a provider knows waits here to be connected with the account that was signed in to since.
    pub waits_to_connect: bool,
    /// The person has something to prove with besides what was proved.
    pub can_step_up: bool,
}

impl Known {
    /// What is missing after a sign-in that stands.
    pub fn owes_a_factor(&self) -> bool {
        self.needs_two_steps && !self.proved.is_two_steps() || self.is_too_weak()
    }

    fn is_too_weak(&self) -> bool {
        let too_weak = |wanted: Wanted| self.proved.level() < wanted.level && (wanted.essential || self.can_step_up);
        self.wanted.is_some_and(too_weak)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Login,
    SecondFactor,
    ChooseAccount,
    /// Whether the identity at a provider is the person's.
    Connect,
    Consent,
    Issue,
}

impl Step {
    /// §3.1.2.6: what `prompt=none` gets instead of a page.
    fn unattended(self) -> Code {
        match self {
            Step::Consent => Code::ConsentRequired,
            Step::ChooseAccount => Code::AccountSelectionRequired,
            Step::Login | Step::SecondFactor | Step::Connect | Step::Issue => Code::LoginRequired,
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
                Step::SecondFactor => "a second factor is needed",
                Step::ChooseAccount => "an account must be chosen",
                Step::Connect => "an answer is needed",
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
    // Whoever has begun to sign in here goes on with it, whoever else is signed in.
    if known.is_half_way {
        return Step::SecondFactor;
    }
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
    // What is missing is the password.
    if known.is_too_weak() && known.proved.stands_on_mail() {
        return Step::Login;
    }
    if known.owes_a_factor() {
        // Nobody else than its person sets one up at a session that was left open.
        return if known.must_sign_in_again { Step::Login } else { Step::SecondFactor };
    }
    if known.waits_to_connect {
        return Step::Connect;
    }
    if known.consented_here || known.consent_not_needed && !asks(Prompt::Consent) {
        return Step::Issue;
    }
    if asks(Prompt::Consent) || !known.consented.covers(&request.scope) {
        return Step::Consent;
    }
    Step::Issue
}
