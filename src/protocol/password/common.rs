//! Passwords that many people use (NIST SP 800-63B-4 §3.1.1.2). Where the list comes from is in SOURCES.md beside it.

use super::folded;

/// One a line, folded, sorted by bytes; searched where it lies, so that nothing is built or kept at the start.
static LIST: &str = include_str!("common.txt");

/// Words that make a password common when hardly anything else is in it.
const WORDS: [&str; 14] = [
    "password",
    "passwort",
    "letmein",
    "welcome",
    "willkommen",
    "qwerty",
    "qwertz",
    "iloveyou",
    "admin",
    "monkey",
    "dragon",
    "football",
    "baseball",
    "sunshine",
];

/// Whether a password is on the list: itself, what is left of it without the digits and symbols around it, or what it
/// repeats; or a run, or hardly more than one character.
pub fn is_common(password: &str) -> bool {
    if password.is_empty() {
        return false;
    }
    let plain = folded(password);
    let core = plain.trim_matches(|c: char| !c.is_alphabetic());
    // A letter or three between digits are no word.
    let core = if core.chars().count() >= 4 { core } else { "" };
    [&plain, unit(&plain), core, unit(core)].into_iter().any(is_listed) || is_plain(&plain)
}

fn is_listed(text: &str) -> bool {
    let wanted = text.as_bytes();
    let (mut low, mut high) = (0, LIST.len());
    while low < high {
        let middle = low + (high - low) / 2;
        let start = LIST.as_bytes()[..middle].iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let end = LIST.as_bytes()[start..].iter().position(|byte| *byte == b'\n').map_or(LIST.len(), |n| start + n);
        match LIST.as_bytes()[start..end].cmp(wanted) {
            std::cmp::Ordering::Equal => return true,
            std::cmp::Ordering::Less => low = end + 1,
            std::cmp::Ordering::Greater => high = start,
        }
    }
    false
}

/// The shortest text that makes the whole when repeated.
fn unit(text: &str) -> &str {
    let length = text.len();
    let repeats = |size: &usize| {
        length.is_multiple_of(*size)
            && text.is_char_boundary(*size)
            && text.as_bytes().chunks(*size).all(|part| part == &text.as_bytes()[..*size])
    };
    (1..=length / 2).find(repeats).map_or(text, |size| &text[..size])
}

/// Repeats, runs, and the usual words with little around them.
fn is_plain(plain: &str) -> bool {
    let chars: Vec<char> = plain.chars().collect();
    let mut kinds = chars.clone();
    kinds.sort_unstable();
    kinds.dedup();
    let run = chars.windows(2).all(|pair| u32::from(pair[1]).abs_diff(u32::from(pair[0])) == 1);
    let rest = WORDS.iter().fold(plain.to_owned(), |rest, word| rest.replace(word, ""));
    let letters = rest.chars().filter(|c| c.is_alphabetic()).count();
    kinds.len() <= 3 || run || rest.len() < plain.len() && letters < 4
}
