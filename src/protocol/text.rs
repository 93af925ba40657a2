//! Unicode Standard Annex #15, RFC 8265: one form of each name, so that twins cannot live side by side.

use unicode_normalization::UnicodeNormalization;

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

/// The form that decides who is who: compatibility-composed, case-folded.
fn folded(text: &str) -> String {
    // Folding may decompose (İ becomes i + dot), so composing comes last.
    text.nfkc().collect::<String>().to_lowercase().nfkc().collect()
}

/// A user name as it is looked up. No `@`, so that no name can pose as an address.
///
/// # Errors
/// What a person can mend about the name.
pub fn username(text: &str) -> Result<String, Unfit> {
    let name = folded(text.trim());
    match () {
        () if name.is_empty() => Err(Unfit::Empty),
        () if name.chars().count() > 64 => Err(Unfit::TooLong(64)),
        () if !is_visible(text.trim()) || !is_visible(&name) => Err(Unfit::Invisible),
        () if name.chars().any(char::is_whitespace) => Err(Unfit::Space),
        () if name.contains('@') => Err(Unfit::AtSign),
        () => {
            Ok(name.trim_end_matches('.').to_owned()).and_then(|n| if n.is_empty() { Err(Unfit::Empty) } else { Ok(n) })
        }
    }
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
