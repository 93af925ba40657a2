//! NIST SP 800-63B-4 §3.1.1: passwords that a machine draws, as words or as characters. Chance is an argument.

use super::Policy;

/// 7,776 words (SOURCES.md): each is worth 12.9 bits.
static WORDS: &str = include_str!("words.txt");
/// 6 words are 77 bits.
const LEAST_WORDS: usize = 6;
/// 20 of these are 122 bits.
const LEAST_CHARACTERS: usize = 20;
/// No letters and digits that look alike; symbols that every keyboard has and no shell or address trips over.
const CHARACTERS: &[u8] = b"abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789-_.+=!";

/// What a drawn password looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Words, to be remembered.
    Passphrase,
    /// Characters, for a password manager.
    Characters,
}

/// A candidate as long as the policy asks; whoever draws it judges it, and draws again. `below(n)` draws a number from
/// 0 to n − 1, each as likely as the others.
pub fn draw(kind: Kind, policy: &Policy, mut below: impl FnMut(usize) -> usize) -> String {
    match kind {
        Kind::Passphrase => passphrase(policy, below),
        Kind::Characters => {
            let length = policy.least.max(LEAST_CHARACTERS);
            (0..length).map(|_| char::from(CHARACTERS[below(CHARACTERS.len())])).collect()
        }
    }
}

/// `word-word-word`; where kinds are asked for, `Word-word-word-7`.
fn passphrase(policy: &Policy, mut below: impl FnMut(usize) -> usize) -> String {
    let words: Vec<&str> = WORDS.lines().collect();
    let mut phrase = words[below(words.len())].to_owned();
    if policy.kinds {
        phrase[..1].make_ascii_uppercase();
    }
    let mut count = 1;
    while count < LEAST_WORDS || phrase.len() < policy.least {
        phrase.push('-');
        phrase.push_str(words[below(words.len())]);
        count += 1;
    }
    if policy.kinds {
        phrase.push('-');
        phrase.push_str(&below(10).to_string());
    }
    phrase
}
