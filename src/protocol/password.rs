//! NIST SP 800-63B-4 §3.1.1.2: what a password must be. Length, and nothing that everybody would guess;
//! no rules about kinds of characters, no periodic change.

/// Nobody's password is longer, in bytes (decision D5); nothing longer is hashed.
pub const LONGEST: usize = 1024;

/// Why a password will not do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Weak {
    #[error("must have at least {least} characters; it has {has}")]
    TooShort { least: usize, has: usize },
    #[error("must have at most {LONGEST} bytes")]
    TooLong,
    #[error("must not contain a NUL character")]
    Nul,
    #[error("is one that many people use; choose another")]
    Common,
    #[error("must not consist mostly of {0}")]
    About(String),
}

/// `password` in NFC; `least` in characters; `context`: names and addresses of the person, the host, the brand.
///
/// # Errors
/// The first thing that is wrong.
pub fn check(password: &str, least: usize, context: &[&str]) -> Result<(), Weak> {
    let has = password.chars().count();
    if has < least {
        return Err(Weak::TooShort { least, has });
    }
    if password.len() > LONGEST {
        return Err(Weak::TooLong);
    }
    if password.contains('\0') {
        return Err(Weak::Nul);
    }
    let plain = password.to_lowercase();
    let words = context.iter().flat_map(|text| text.split(['@', ' '])).map(str::to_lowercase);
    let words: Vec<String> = words.filter(|word| word.chars().count() >= 4 && plain.contains(word)).collect();
    // A long passphrase may mention a name; a password that is mostly names may not.
    let rest = words.iter().fold(plain.clone(), |rest, word| rest.replace(word, ""));
    if let Some(word) = words.into_iter().next().filter(|_| rest.chars().count() < 8) {
        return Err(Weak::About(word));
    }
    if is_common(&plain) { Err(Weak::Common) } else { Ok(()) }
}

/// Repeats, runs, and the usual words with digits around them.
fn is_common(plain: &str) -> bool {
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
    let chars: Vec<char> = plain.chars().collect();
    let mut kinds = chars.clone();
    kinds.sort_unstable();
    kinds.dedup();
    let run = chars.windows(2).all(|pair| u32::from(pair[1]).abs_diff(u32::from(pair[0])) == 1);
    let rest = WORDS.iter().fold(plain.to_owned(), |rest, word| rest.replace(word, ""));
    let letters = rest.chars().filter(|c| c.is_alphabetic()).count();
    kinds.len() <= 3 || run || rest.len() < plain.len() && letters < 4
}
