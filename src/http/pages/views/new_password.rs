//! The field for a new password, with its rules and its meter (`parts/new_password.html`): the page that includes the
//! part has it as `new_password`, beside `frame`.

use super::InputProblem;
use crate::{app::text::Texts, protocol::password::Policy};

/// Never filled in again.
#[derive(Clone, Debug)]
pub struct NewPassword {
    /// Of the input; what belongs to it begins with it.
    pub id: &'static str,
    /// The name that the form sends it under.
    pub name: &'static str,
    pub label: String,
    pub policy: Policy,
    pub problem: Option<InputProblem>,
    /// What is said of the person already, and of this server: no password is made of it.
    pub about: Vec<String>,
    /// The ids of the inputs beside it, with a space between them, where the person says more of themselves.
    pub beside: &'static str,
    pub focus: bool,
}

/// One thing that is asked of a password. The script ticks it by its name.
#[derive(Debug)]
pub struct Rule {
    pub name: &'static str,
    pub sentence: String,
}

impl NewPassword {
    pub fn new(id: &'static str, label: &str, policy: Policy) -> Self {
        let label = label.to_owned();
        let about = Vec::new();
        NewPassword { id, name: "password", label, policy, problem: None, about, beside: "", focus: false }
    }

    /// All that is asked, in the order in which a refusal names it.
    pub fn rules(&self, texts: &Texts) -> Vec<Rule> {
        let kinds = [
            ("upper", texts.get("rule.upper")),
            ("lower", texts.get("rule.lower")),
            ("digit", texts.get("rule.digit")),
            ("symbol", texts.get("rule.symbol")),
        ];
        let minimum = self.policy.least.to_string();
        let mut rules = vec![("length", texts.with("rule.length", &[("minimum", &minimum)]))];
        if self.policy.kinds {
            rules.extend(kinds.map(|(name, sentence)| (name, sentence.to_owned())));
        }
        rules.push(("about", texts.get("rule.not_about_you").to_owned()));
        if self.policy.blocklist {
            rules.push(("common", texts.get("rule.not_common").to_owned()));
        }
        if self.policy.strength > 0 {
            rules.push(("strength", texts.get("rule.not_guessable").to_owned()));
        }
        rules.into_iter().map(|(name, sentence)| Rule { name, sentence }).collect()
    }

    /// What a password may not be made of, one a line.
    pub fn words(&self) -> String {
        self.about.join("\n")
    }
}
