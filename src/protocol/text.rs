//! Unicode Standard Annex #15, Unicode Technical Standard #39, RFC 8265: one form of each name, so that twins cannot live
//! side by side.

use unicode_normalization::UnicodeNormalization;
use unicode_security::{GeneralSecurityProfile, mixed_script::AugmentedScriptSet, skeleton};

use super::phone;

/// Why a text cannot be a name or an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    #[error("is empty")]
    Empty,
    #[error("is longer than {0} characters")]
    TooLong(usize),
    #[error("contains a control, invisible or direction-changing character")]
    Invisible,
    #[error("contains white space")]
    Space,
    #[error("is not an e-mail address")]
    NotAnAddress,
    #[error("must not contain @")]
    AtSign,
    #[error("looks like a telephone number")]
    LikeANumber,
    #[error("has letters that can be mistaken for others; write it in one alphabet")]
    LookAlike,
    #[error("is reserved")]
    Reserved,
    #[error("must be the user name, in capitals as you like")]
    NotTheName,
    #[error("must be a web address")]
    NotALink,
    #[error("must be YYYY-MM-DD or YYYY")]
    NotADate,
    #[error("must be a time zone such as Europe/Berlin")]
    NotAZone,
    #[error("must be a language such as de-DE")]
    NotALanguage,
    #[error("is not a telephone number that can be called; write it as in +44 20 7946 0000")]
    NotANumber,
}

/// Characters that no person can see or type: controls, zero-width, fillers, bidirectional overrides, private use.
pub fn is_visible(text: &str) -> bool {
    !text.chars().any(|c| {
        c.is_control()
            || matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
                | '\u{180b}'..='\u{180f}' | '\u{2800}' | '\u{3164}' | '\u{ffa0}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff0}'..='\u{fffd}' | '\u{e000}'..='\u{f8ff}'
                | '\u{e0000}'..='\u{e0fff}')
    })
}

/// The form that decides who is who: compatibility-composed, case-folded, with one kind of dot.
pub fn folded(text: &str) -> String {
    // Folding may decompose (İ becomes i + dot, which nobody can tell from i), so composing comes last.
    let lower = text.nfkc().collect::<String>().to_lowercase().replace("i\u{307}", "i");
    lower.nfkc().map(|c| if c == '\u{3002}' { '.' } else { c }).collect()
}

/// What somebody signs in with, in its one form: an e-mail address, a telephone number or a user name. `region` is the
/// country whose numbers may be written without `+`.
///
/// # Errors
/// When nobody can be called that.
pub fn login(text: &str, region: Option<&str>) -> Result<String, Unfit> {
    match phone::dialed(text, region) {
        _ if text.contains('@') => email(text),
        Some(number) => Ok(number),
        None => username(text),
    }
}

/// A user name as it is looked up. No `@` and no `+` before it, so that no name can pose as an address or a number.
///
/// # Errors
/// What a person can mend about the name.
pub fn username(text: &str) -> Result<String, Unfit> {
    let name = folded(text.trim());
    let name = name.trim_end_matches('.');
    match () {
        () if name.is_empty() => Err(Unfit::Empty),
        () if name.chars().count() > 64 => Err(Unfit::TooLong(64)),
        () if !is_visible(text.trim()) || !is_visible(name) => Err(Unfit::Invisible),
        () if name.chars().any(char::is_whitespace) => Err(Unfit::Space),
        () if name.contains('@') => Err(Unfit::AtSign),
        () if name.starts_with('+') => Err(Unfit::LikeANumber),
        () => Ok(name.to_owned()),
    }
}

/// A user name that somebody may get: one that is looked up as a name, and that people can tell from others.
///
/// # Errors
/// What a person can mend about the name.
pub fn new_username(text: &str, region: Option<&str>) -> Result<String, Unfit> {
    let name = username(text)?;
    match () {
        () if phone::dialed(&name, region).is_some() => Err(Unfit::LikeANumber),
        () if !is_of_one_script(&name) || name.chars().any(is_odd_latin) => Err(Unfit::LookAlike),
        () => Ok(name),
    }
}

/// UTS 39 §5.2, “highly restrictive”: one script, or what Chinese, Japanese and Korean are written in with Latin between.
fn is_of_one_script(name: &str) -> bool {
    let foreign: String = name.chars().filter(|c| !c.is_ascii_alphabetic()).collect();
    let foreign = AugmentedScriptSet::from(&*foreign);
    !AugmentedScriptSet::from(name).is_empty() || foreign.hanb || foreign.jpan || foreign.kore
}

/// A phonetic letter or the like, which no language is written in: `ɑ` for `a`.
fn is_odd_latin(c: char) -> bool {
    let mut script = AugmentedScriptSet::from(c);
    let is_common = script.is_all();
    script.intersect_with('a'.into());
    !c.is_ascii() && !is_common && !script.is_empty() && !c.identifier_allowed()
}

/// The plain name that this one can be mistaken for: `capa` for the Cyrillic `сара`. None when there is none.
pub fn twin(name: &str) -> Option<String> {
    let plain: String = name.chars().flat_map(plainly).collect::<String>().to_lowercase();
    (plain.is_ascii() && plain != name).then_some(plain)
}

fn plainly(c: char) -> Vec<char> {
    // ASCII is what it is: the standard takes `m` for `rn`.
    if c.is_ascii() { vec![c] } else { skeleton(c.encode_utf8(&mut [0; 4])).collect() }
}

/// Names that look official.
const OFFICIAL: [&str; 47] = [
    "abuse",
    "account",
    "accounts",
    "admin",
    "administrator",
    "all",
    "anonymous",
    "api",
    "billing",
    "contact",
    "daemon",
    "everyone",
    "guest",
    "help",
    "helpdesk",
    "hostmaster",
    "info",
    "login",
    "logout",
    "mail",
    "mailerdaemon",
    "me",
    "moderator",
    "nobody",
    "noreply",
    "donotreply",
    "null",
    "official",
    "operator",
    "owner",
    "postmaster",
    "register",
    "root",
    "security",
    "self",
    "service",
    "signet",
    "signin",
    "signup",
    "staff",
    "superuser",
    "support",
    "sysadmin",
    "system",
    "team",
    "undefined",
    "webmaster",
];

/// Whether nobody may take this name by themself: it looks official, or the operator keeps it. Dots and dashes between the
/// letters make no other name.
pub fn is_reserved(name: &str, also: &[String]) -> bool {
    let bare = |name: &str| twin(name).unwrap_or_else(|| name.to_owned()).replace(['.', '-', '_'], "");
    let name = bare(name);
    OFFICIAL.contains(&&*name) || also.iter().any(|kept| bare(kept) == name)
}

/// An e-mail address as it is looked up (RFC 5321 §4.1.2, without quoted local parts and addresses of machines).
///
/// # Errors
/// What a person can mend about the address.
pub fn email(text: &str) -> Result<String, Unfit> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Unfit::Empty);
    }
    if text.chars().count() > 254 {
        return Err(Unfit::TooLong(254));
    }
    if !is_visible(text) {
        return Err(Unfit::Invisible);
    }
    let address = folded(text);
    let (local, domain) = address.rsplit_once('@').ok_or(Unfit::NotAnAddress)?;
    // RFC 5890 §2.3.2.1: browsers send `xn--…` for what people type, so that is the one form.
    let Ok(url::Host::Domain(domain)) = url::Host::parse(domain.trim_end_matches('.')) else {
        return Err(Unfit::NotAnAddress);
    };
    let domain = domain.trim_end_matches('.');
    let label = |l: &str| !l.is_empty() && l.len() <= 63 && !l.starts_with('-') && !l.ends_with('-');
    let sound = !local.is_empty()
        && local.len() <= 64
        && !local.contains(['@', '"', '(', ')', ',', ':', ';', '<', '>', '[', ']', '\\'])
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !address.chars().any(char::is_whitespace)
        && domain.split('.').all(label)
        && domain.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'));
    if sound { Ok(format!("{local}@{domain}")) } else { Err(Unfit::NotAnAddress) }
}

/// A password as it is hashed: NFC, otherwise untouched (NIST SP 800-63B-4 §3.1.1.2).
pub fn password(text: &str) -> String {
    text.nfc().collect()
}
