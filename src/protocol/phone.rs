//! ITU-T E.164, OpenID Connect Core §5.1: one form of each telephone number. The plans of all countries are read
//! when the first number is, and kept.

use phonenumber::{Mode, country};
use unicode_normalization::UnicodeNormalization;

use super::text::Unfit;

/// E.164 §6: no number has more digits.
const MOST_DIGITS: usize = 15;
/// Fewer are no number that can be called from everywhere, and may well be somebody's user name.
const LEAST_DIGITS: usize = 7;

/// The number as the world dials it, `+442079460000`. `region` is the country (ISO 3166-1) whose numbers may be written
/// without `+`.
///
/// # Errors
/// When nobody can be called there.
pub fn e164(text: &str, region: Option<&str>) -> Result<String, Unfit> {
    let text = plain(text).ok_or(Unfit::NotANumber)?;
    // The crate would read a foreign number by the habits of the region, and lose the zero of Italian ones.
    let region = region.filter(|_| !text.starts_with('+')).and_then(|region| region.parse::<country::Id>().ok());
    let number = phonenumber::parse(region, &text).map_err(|_| Unfit::NotANumber)?;
    match phonenumber::is_valid(&number) && number.extension().is_none() {
        true => Ok(number.format().mode(Mode::E164).to_string()),
        false => Err(Unfit::NotANumber),
    }
}

/// The number that somebody means who signs in by one; none when the text is something else. What has a `+` is taken at
/// its word: strangers type this, and no plan is needed to look it up.
pub fn dialed(text: &str, region: Option<&str>) -> Option<String> {
    let text = plain(text)?;
    match text.strip_prefix('+') {
        Some(rest) => {
            let digits = rest.replace("(0)", "").chars().filter(char::is_ascii_digit).collect::<String>();
            Some(format!("+{digits}"))
        }
        None => e164(&text, Some(region?)).ok(),
    }
}

/// Whether there is such a country in the plans.
pub fn is_region(code: &str) -> bool {
    code.parse::<country::Id>().is_ok()
}

/// Digits and what people put between them, nothing else: what the crate is to read has no words, no parameters and no
/// end of surprises.
fn plain(text: &str) -> Option<String> {
    let text: String = text.trim().nfkc().take(60).collect();
    let rest = text.strip_prefix('+').unwrap_or(&text);
    let between = |c: char| matches!(c, ' ' | '(' | ')' | '-' | '.' | '/' | '\u{2010}'..='\u{2015}' | '\u{2212}');
    let digits = rest.chars().filter(char::is_ascii_digit).count();
    let sound = rest.chars().all(|c| c.is_ascii_digit() || between(c))
        && (LEAST_DIGITS..=MOST_DIGITS + 3).contains(&digits)
        && !text.ends_with('-');
    sound.then(|| text.chars().map(|c| if between(c) && !matches!(c, '(' | ')') { ' ' } else { c }).collect())
}
