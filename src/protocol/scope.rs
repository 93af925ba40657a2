//! RFC 6749 §3.3: scope, a set of tokens written with single spaces.

use std::{collections::BTreeSet, fmt, str::FromStr};

use oxide_auth::primitives::scope::Scope as Grammar;
use sea_orm::DeriveValueType;
use serde::{Deserialize, Serialize};

use super::{Code, Result, rule, trace::Shown};

/// Scope tokens, sorted: the same set is the same text everywhere.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize, DeriveValueType)]
#[sea_orm(value_type = "String", column_type = "Text")]
#[serde(try_from = "String", into = "String")]
pub struct Scope(BTreeSet<String>);

/// Decision D10.
const LONGEST: usize = 1024;
const MOST: usize = 50;

/// The scopes that OpenID Connect Core §5.4 and §11 define.
pub const STANDARD: [&str; 6] = ["openid", "profile", "email", "address", "phone", "offline_access"];

/// Lets an operator's machine use the HTTP API of administration. A client that registers itself never gets it.
pub const ADMIN: &str = "signet:admin";

/// Lets the JSON API act for a person on their own account. Only clients that the operator has registered for it get it.
pub const ACCOUNT: &str = "signet:account";

impl Scope {
    pub fn contains(&self, token: &str) -> bool {
        self.0.contains(token)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn covers(&self, other: &Scope) -> bool {
        other.0.is_subset(&self.0)
    }

    pub fn common(&self, other: &Scope) -> Scope {
        Scope(self.0.intersection(&other.0).cloned().collect())
    }

    pub fn with(&self, other: &Scope) -> Scope {
        Scope(self.0.union(&other.0).cloned().collect())
    }

    pub fn without(&self, token: &str) -> Scope {
        Scope(self.0.iter().filter(|t| *t != token).cloned().collect())
    }

    pub fn tokens(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// The `scope` parameter as a client sent it.
    pub fn requested(text: &str) -> Result<Scope> {
        text.parse().map_err(|problem: InvalidScope| {
            Code::InvalidScope
                .because(problem.to_string())
                .under(&rule::SCOPE)
                .received(Shown::parameter("scope", text))
        })
    }
}

#[derive(Debug, thiserror::Error)]
pub enum InvalidScope {
    #[error("scope has a character that no scope may have")]
    Character,
    #[error("scope is longer than {LONGEST} characters or {MOST} values")]
    Length,
}

impl From<InvalidScope> for sea_orm::sea_query::ValueTypeErr {
    fn from(_: InvalidScope) -> Self {
        sea_orm::sea_query::ValueTypeErr
    }
}

impl FromStr for Scope {
    type Err = InvalidScope;

    fn from_str(text: &str) -> Result<Self, InvalidScope> {
        if text.len() > LONGEST {
            return Err(InvalidScope::Length);
        }
        // oxide-auth splits at any white space; §3.3 allows the space alone.
        if text.chars().any(|c| c != ' ' && c.is_whitespace()) {
            return Err(InvalidScope::Character);
        }
        let tokens = text.parse::<Grammar>().map_err(|_| InvalidScope::Character)?;
        let tokens: BTreeSet<_> = tokens.iter().map(str::to_owned).collect();
        if tokens.len() > MOST { Err(InvalidScope::Length) } else { Ok(Scope(tokens)) }
    }
}

impl TryFrom<String> for Scope {
    type Error = InvalidScope;

    fn try_from(text: String) -> Result<Self, InvalidScope> {
        text.parse()
    }
}

impl From<Scope> for String {
    fn from(scope: Scope) -> Self {
        scope.to_string()
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, token) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(" ")?;
            }
            f.write_str(token)?;
        }
        Ok(())
    }
}
