//! What may be said of a person, whoever says it: the person, an operator, or the file of an import.

use crate::{
    app::App,
    flows::Field,
    protocol::{
        claims::{Address, StandardClaims},
        phone,
        text::{self, Unfit},
    },
};

/// Characters of a claim.
const LONGEST: usize = 255;
/// Characters of an address, over all its members.
const LONGEST_ADDRESS: usize = 1000;

/// A value in the one form that decides who is who; what is wrong with it goes to the problems.
pub fn in_form(
    name: &'static str,
    given: Option<&str>,
    form: impl Fn(&str) -> Result<String, Unfit>,
    problems: &mut Vec<Field>,
) -> Option<String> {
    match form(given.filter(|text| !text.trim().is_empty())?) {
        Ok(value) => Some(value),
        Err(why) => {
            problems.push(Field { name, why: why.into() });
            None
        }
    }
}

/// A user name for somebody who has none or another.
pub fn username(app: &App, given: Option<&str>, problems: &mut Vec<Field>) -> Option<String> {
    let region = app.config.accounts.phone_region.as_deref();
    in_form("username", given, |name| text::new_username(name, region), problems)
}

/// The same for people who choose it themselves: not what looks official.
pub fn own_username(app: &App, given: Option<&str>, problems: &mut Vec<Field>) -> Option<String> {
    let name = username(app, given, problems)?;
    if text::is_reserved(&name, &app.config.accounts.reserved_names) {
        problems.push(Field { name: "username", why: Unfit::Reserved.into() });
        return None;
    }
    Some(name)
}

/// Apps take the preferred user name for the user name, whatever OpenID Connect Core §5.7 says, so people may only spell
/// their own in another way.
pub fn spells(spelling: &str, username: Option<&str>) -> bool {
    username.is_some() && text::username(spelling).ok().as_deref() == username
}

/// OpenID Connect Core §5.1: a number that can be called, as E.164.
pub fn phone_number(app: &App, given: Option<&str>, problems: &mut Vec<Field>) -> Option<String> {
    let region = app.config.accounts.phone_region.as_deref();
    in_form("phone_number", given, |number| phone::e164(number, region), problems)
}

/// No control or invisible characters, and no endless texts, in what apps and pages will show.
pub fn check_claims(claims: &StandardClaims, problems: &mut Vec<Field>) {
    let texts = [
        ("name", &claims.name),
        ("given_name", &claims.given_name),
        ("family_name", &claims.family_name),
        ("middle_name", &claims.middle_name),
        ("nickname", &claims.nickname),
        ("preferred_username", &claims.preferred_username),
        ("profile", &claims.profile),
        ("picture", &claims.picture),
        ("website", &claims.website),
        ("gender", &claims.gender),
        ("birthdate", &claims.birthdate),
        ("zoneinfo", &claims.zoneinfo),
        ("locale", &claims.locale),
    ];
    for (name, value) in texts {
        let Some(value) = value else { continue };
        if let Err(why) = check_text(value, LONGEST).and_then(|()| check_form(name, value)) {
            problems.push(Field { name, why: why.into() });
        }
    }
    if let Some(address) = &claims.address {
        check_address(address, problems);
    }
}

fn check_text(text: &str, most: usize) -> Result<(), Unfit> {
    match () {
        () if text.chars().count() > most => Err(Unfit::TooLong(most)),
        () if !text::is_visible(text) => Err(Unfit::Invisible),
        () => Ok(()),
    }
}

/// OpenID Connect Core §5.1: those that are more than words.
fn check_form(name: &str, value: &str) -> Result<(), Unfit> {
    let letters = |more: &str| value.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c));
    match name {
        "profile" | "picture" | "website" if !value.starts_with("https://") && !value.starts_with("http://") => {
            Err(Unfit::NotALink)
        }
        "birthdate" if !is_birthdate(value) => Err(Unfit::NotADate),
        "zoneinfo" if !letters("/_+-") => Err(Unfit::NotAZone),
        "locale" if !letters("-_") => Err(Unfit::NotALanguage),
        _ => Ok(()),
    }
}

/// §5.1.1: it may have line breaks where it is formatted.
fn check_address(address: &Address, problems: &mut Vec<Field>) {
    let lines = [&address.formatted, &address.street_address].into_iter().flatten().flat_map(|text| text.lines());
    let words = [&address.locality, &address.region, &address.postal_code, &address.country].into_iter().flatten();
    let parts: Vec<&str> = lines.chain(words.map(String::as_str)).collect();
    if parts.iter().any(|part| !text::is_visible(part)) {
        problems.push(Field { name: "address", why: Unfit::Invisible.into() });
    }
    if parts.iter().map(|part| part.len()).sum::<usize>() > LONGEST_ADDRESS {
        problems.push(Field { name: "address", why: Unfit::TooLong(LONGEST_ADDRESS).into() });
    }
}

/// What people say of themselves; it may have several lines.
pub fn check_bio(bio: &str, problems: &mut Vec<Field>) {
    const MOST: usize = 2000;
    let long = bio.chars().count() > MOST;
    let deceives = bio.lines().any(|line| !text::is_visible(line));
    let why = long.then_some(Unfit::TooLong(MOST)).or(deceives.then_some(Unfit::Invisible));
    problems.extend(why.map(|why| Field { name: "bio", why: why.into() }));
}

/// §5.1: `YYYY-MM-DD` or `YYYY`.
fn is_birthdate(text: &str) -> bool {
    let digits = |part: &str, length: usize| part.len() == length && part.bytes().all(|b| b.is_ascii_digit());
    let mut parts = text.split('-');
    let year = parts.next().is_some_and(|year| digits(year, 4));
    match (parts.next(), parts.next(), parts.next()) {
        (None, None, None) => year,
        (Some(month), Some(day), None) => {
            let within =
                |part: &str, most: u8| digits(part, 2) && part.parse().is_ok_and(|n: u8| (1..=most).contains(&n));
            year && within(month, 12) && within(day, 31)
        }
        _ => false,
    }
}
