//! Secrets among the settings: kept out of every printout, read from files, and refused when they are samples.
use std::{fmt, fs::File, io::Read, os::unix::fs::PermissionsExt, path::Path};

use base64::{Engine, alphabet, engine};
use serde_json::Value;
use zeroize::Zeroizing;

use super::setting::{Fault, Given, Parsed, Secrecy, Shown};

/// A secret text. Debug and `check-config` show that it is there, never what it is.
#[derive(Clone, PartialEq, Eq)]
pub struct Hidden(Zeroizing<String>);

impl Hidden {
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The secret itself, for the one place that needs it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hidden(…)")
    }
}

impl Shown for Hidden {
    const SECRECY: Secrecy = Secrecy::Hidden;

    fn show(&self) -> Value {
        HIDDEN.into()
    }
}

/// What stands in a printout where a secret would.
pub const HIDDEN: &str = "(hidden)";

/// 256 bits of key.
#[derive(Clone, PartialEq, Eq)]
pub struct RawKey(Zeroizing<[u8; 32]>);

impl RawKey {
    /// The key itself, for the one place that needs it.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for RawKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RawKey(…)")
    }
}

impl Shown for RawKey {
    const SECRECY: Secrecy = Secrecy::Hidden;

    fn show(&self) -> Value {
        HIDDEN.into()
    }
}

/// Both alphabets of base64, with or without padding.
pub fn raw_key(given: &Given<'_>) -> Parsed<RawKey> {
    const REMEDY: &str = "give 32 random bytes in base64, for example the output of `openssl rand -base64 32`";
    let lenient = engine::GeneralPurposeConfig::new().with_decode_padding_mode(engine::DecodePaddingMode::Indifferent);
    let text = given.value.as_str().ok_or_else(|| Fault::new("the key is not a text", REMEDY))?.trim();
    let bytes = [alphabet::STANDARD, alphabet::URL_SAFE]
        .iter()
        .find_map(|alphabet| engine::GeneralPurpose::new(alphabet, lenient).decode(text).ok())
        .map(Zeroizing::new)
        .ok_or_else(|| Fault::new("the key is not base64", REMEDY))?;
    let key = <[u8; 32]>::try_from(bytes.as_slice())
        .map_err(|_| Fault::new(format!("the key has {} bytes, not 32", bytes.len()), REMEDY))?;
    if !repeats(&bytes) && !is_sample(text) {
        return Ok(RawKey(Zeroizing::new(key)));
    }
    Err(Fault::new("the key is a sample, not random", REMEDY))
}

/// A client's secret: at least 32 printable ASCII characters (RFC 6749 appendix A.2), and not from a manual.
pub fn client_secret(given: &Given<'_>) -> Parsed<Hidden> {
    const REMEDY: &str = "use at least 32 random characters, for example the output of `openssl rand -hex 32`";
    let text = given.value.as_str().ok_or_else(|| Fault::new("the secret is not a text", REMEDY))?;
    if !text.bytes().all(|byte| (0x20..=0x7e).contains(&byte)) {
        return Err(Fault::new("the secret has characters beyond printable ASCII", REMEDY));
    }
    if is_sample(text) {
        return Err(Fault::new("the secret is a sample, not random", REMEDY));
    }
    if text.len() < 32 {
        return Err(Fault::new(format!("the secret has {} characters, fewer than 32", text.len()), REMEDY));
    }
    Ok(Hidden::new(text))
}

/// A secret that somebody else has made: printable ASCII, and not from a manual.
pub fn provider_secret(given: &Given<'_>) -> Parsed<Hidden> {
    const REMEDY: &str = "copy the secret that the provider shows for this app";
    let text = given.value.as_str().ok_or_else(|| Fault::new("the secret is not a text", REMEDY))?;
    if text.is_empty() || text.len() > 1024 || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Fault::new("the secret is empty, or has spaces or characters beyond ASCII", REMEDY));
    }
    if is_sample(text) {
        return Err(Fault::new("the secret is a sample", REMEDY));
    }
    Ok(Hidden::new(text))
}

/// What is left of a sample once the usual words are taken out is too little to be random, or repeats itself.
fn is_sample(text: &str) -> bool {
    const WORDS: [&str; 12] = [
        "changeme",
        "change-me",
        "change_me",
        "secret",
        "password",
        "example",
        "placeholder",
        "replace",
        "insert",
        "sample",
        "abcdefgh",
        "12345678",
    ];
    let mut rest = text.to_lowercase();
    let before = rest.len();
    for word in WORDS {
        rest = rest.replace(word, "");
    }
    rest.len() < before && rest.len() < 32 || repeats(text.as_bytes())
}

fn repeats(bytes: &[u8]) -> bool {
    (1..=bytes.len() / 2).any(|period| bytes.iter().zip(&bytes[period..]).all(|(a, b)| a == b))
}

/// A secret from a file, without the line break that editors and `echo` add.
pub struct FromFile {
    pub text: Zeroizing<String>,
    /// Anybody on the machine can read it.
    pub exposed: bool,
}

/// Reads a secret's file: a short text, not empty.
pub fn read_file(path: &Path) -> Parsed<FromFile> {
    const LONGEST: u64 = 64 * 1024;
    let shown = path.display();
    let unreadable = |error: std::io::Error| {
        Fault::new(
            format!("the file {shown} cannot be read ({})", reason(&error)),
            "name a file that exists and that the user who runs Signet may read",
        )
    };
    let file = File::open(path).map_err(unreadable)?;
    let exposed = file.metadata().map_err(unreadable)?.permissions().mode() & 0o004 != 0;
    let mut text = Zeroizing::new(String::new());
    file.take(LONGEST + 1).read_to_string(&mut text).map_err(unreadable)?;
    if text.len() as u64 > LONGEST {
        return Err(Fault::new(
            format!("the file {shown} is larger than 64 KiB"),
            "name a file that holds the secret only",
        ));
    }
    let end = text.strip_suffix("\r\n").or_else(|| text.strip_suffix('\n')).unwrap_or(&text).len();
    text.truncate(end);
    if text.is_empty() {
        return Err(Fault::new(format!("the file {shown} is empty"), "write the secret into it, or leave the key out"));
    }
    Ok(FromFile { text, exposed })
}

/// An I/O error in words, without the number of the system.
pub fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}
