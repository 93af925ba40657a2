//! How many guesses a password withstands, as zxcvbn counts them (Wheeler, USENIX Security 2016).

/// The time that an estimate takes grows with more than the length; what comes behind is not worth it.
const LOOKED_AT: usize = 100;

/// From 0 (guessed at once) to 4 (withstands a stolen database). `about` are words that an attacker tries first.
pub fn score(password: &str, about: &[&str]) -> u8 {
    let start: String = password.chars().take(LOOKED_AT).collect();
    zxcvbn::zxcvbn(&start, about).score().into()
}
