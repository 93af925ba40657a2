//! Sign-ins by a provider that went no further, and what their people are told.

use uuid::Uuid;

use super::title;
use crate::{
    app::App,
    flows::Refused,
    protocol::{Error, rule, trace::Trace},
    store::upstream::Upstream,
};

/// What a person is told whose sign-in by a provider ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// The answer belongs to no sign-in of this browser (case SEC-136).
    Stale,
    /// The person said no there.
    Denied,
    /// The provider refused, or is not believed (case SEC-137).
    Failed,
    Away,
    /// Not of those whom the operator lets in.
    Unwelcome,
    /// The account is closed.
    Closed,
    /// Somebody else is connected with it.
    Taken,
    /// The account is connected with as many as it can be.
    Full,
}

/// How many accounts elsewhere can open one here.
pub(super) const MOST: usize = 20;

pub(super) const TAKEN: &str = "somebody else is connected with it already";
pub(super) const FULL: &str = "the account is connected with as many as it can be";

/// Where somebody sets out for a provider, and comes back to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whence {
    /// The other ways in are there.
    Journey(Uuid),
    Account,
}

/// A sign-in by a provider that went no further.
#[derive(Debug)]
pub struct Turned {
    /// None where a page of the journey says it.
    pub said: Option<Said>,
    pub refused: Refused,
    pub whence: Option<Whence>,
    /// What pages call the provider.
    pub provider: Option<String>,
}

impl Turned {
    pub(super) fn of(
        app: &App,
        mut trace: Trace,
        error: Error,
        whence: Option<Whence>,
        upstream: Option<&Upstream>,
    ) -> Box<Self> {
        let said = said(&error);
        let refused = Refused::by(&mut trace, error);
        app.record(trace);
        Box::new(Turned { said, refused, whence, provider: upstream.map(title) })
    }

    /// Before there was a run of its own.
    pub(super) fn early(refused: Refused) -> Box<Self> {
        Box::new(Turned { said: said(&refused.error), refused, whence: None, provider: None })
    }
}

pub(super) fn said(error: &Error) -> Option<Said> {
    let rule = error.detail.as_ref()?.rule;
    Some(match rule.name {
        name if name == rule::UPSTREAM_STATE.name => Said::Stale,
        name if name == rule::UPSTREAM_REACHED.name => Said::Away,
        name if name == rule::UPSTREAM_ACCOUNT.name => match &*error.description {
            TAKEN => Said::Taken,
            FULL => Said::Full,
            _ => Said::Unwelcome,
        },
        name if name == rule::ACCOUNT.name => Said::Closed,
        name if name == rule::UPSTREAM_ANSWER.name && error.description.starts_with("the person said no") => {
            Said::Denied
        }
        name if name.starts_with("upstream_") => Said::Failed,
        _ => return None,
    })
}
