//! NIST SP 800-63B-4 §3.1.1.2: what a password must be. Length, strength, and nothing that everybody would guess;
//! kinds of characters only where an operator asks for them, no periodic change.

mod common;
pub mod generate;

use super::text::folded;

/// Nobody's password is longer, in bytes (decision D5); nothing longer is hashed.
pub const LONGEST: usize = 1024;

/// Why a password will not do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Weak {
    #[error("must have at least {least} characters; it has {has}")]
    TooShort { least: usize, has: usize },
    #[error("must have at most {LONGEST} bytes")]
    TooLong,
    #[error("must not contain a control character")]
    Control,
    #[error("must have an upper-case letter")]
    NoUpper,
    #[error("must have a lower-case letter")]
    NoLower,
    #[error("must have a digit")]
    NoDigit,
    #[error("must have a character that is neither a letter nor a digit")]
    NoSymbol,
    #[error("must not consist mostly of {0}")]
    About(String),
    #[error("is one that many people use; choose another")]
    Common,
    #[error("is too easy to guess; a longer one, of several words that have nothing to do with each other, is better")]
    Guessable,
    #[error("was used before; choose another")]
    Used,
}

/// What the operator asks of a new password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// In characters.
    pub least: usize,
    /// The lowest of the five scores (0 to 4) that will do.
    pub strength: u8,
    /// An upper-case letter, a lower-case letter, a digit and a symbol.
    pub kinds: bool,
    /// Nothing that many people use.
    pub blocklist: bool,
}

impl Policy {
    /// All that is wrong, the plainest first. `password` in NFC; `context`: names and addresses of the person, the host,
    /// the brand; `score`: what an estimate of its strength came to.
    pub fn problems(&self, password: &str, context: &[&str], score: u8) -> Vec<Weak> {
        if password.len() > LONGEST {
            return vec![Weak::TooLong];
        }
        let has = password.chars().count();
        let short = (has < self.least).then_some(Weak::TooShort { least: self.least, has });
        let nul = password.chars().any(char::is_control).then_some(Weak::Control);
        let kinds = if self.kinds { missing_kinds(password) } else { Vec::new() };
        let about = about(password, context).map(Weak::About);
        let common = (self.blocklist && common::is_common(password)).then_some(Weak::Common);
        let guessable = (score < self.strength).then_some(Weak::Guessable);
        short.into_iter().chain(nul).chain(kinds).chain(about).chain(common).chain(guessable).collect()
    }
}

fn missing_kinds(password: &str) -> Vec<Weak> {
    let lacks = |kind: fn(char) -> bool| !password.chars().any(kind);
    [
        (lacks(char::is_uppercase), Weak::NoUpper),
        (lacks(char::is_lowercase), Weak::NoLower),
        (lacks(char::is_numeric), Weak::NoDigit),
        (lacks(|c| !c.is_alphanumeric()), Weak::NoSymbol),
    ]
    .into_iter()
    .filter_map(|(lacks, why)| lacks.then_some(why))
    .collect()
}

/// The word that a password mostly consists of. A long passphrase may mention a name; a password that is mostly names
/// may not.
fn about(password: &str, context: &[&str]) -> Option<String> {
    let plain = folded(password);
    let words = context.iter().flat_map(|text| text.split(['@', ' '])).map(folded);
    let words: Vec<String> = words.filter(|word| word.chars().count() >= 4 && plain.contains(word)).collect();
    let rest = words.iter().fold(plain, |rest, word| rest.replace(word, ""));
    words.into_iter().next().filter(|_| rest.chars().count() < 8)
}
