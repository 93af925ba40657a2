//! Hashes that other programs made: bcrypt (Provos and Mazières, USENIX 1999), PBKDF2 (RFC 8018 §5.2) and scrypt
//! (RFC 7914), in the spellings of the PHC string format, passlib, Django and Werkzeug. They are checked, never made:
//! whoever signs in with one gets an Argon2id hash.

use base64::{
    Engine,
    alphabet::{BCRYPT, STANDARD},
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use openssl::{hash::MessageDigest, pkcs5};
use zeroize::Zeroizing;

use super::stored::Unusable;

/// 2¹⁵ rounds take some two seconds; bcrypt takes 4 KiB.
const MOST_BCRYPT: u32 = 15;
/// bcrypt reads no further; the NUL behind a password counts.
const BCRYPT_READS: usize = 72;
/// Some seconds.
const MOST_ROUNDS: u64 = 10_000_000;
const MOST_SCRYPT_BYTES: u64 = 256 * 1024 * 1024;
/// Memory times lanes: some seconds.
const MOST_SCRYPT_WORK: u64 = 8 * MOST_SCRYPT_BYTES;
const MOST_SALT: usize = 128;
/// A hash of fewer bits would be met by a wrong password.
const LEAST_HASH: usize = 16;
const MOST_HASH: usize = 64;

/// With or without padding, whatever the last bits are: programs differ, and a wrong guess gains nothing.
const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const BASE64: GeneralPurpose = GeneralPurpose::new(&STANDARD, LENIENT);
const BCRYPT_BASE64: GeneralPurpose = GeneralPurpose::new(&BCRYPT, LENIENT);

/// All that decides a hash but the password.
#[derive(Clone)]
pub enum Foreign {
    Bcrypt { cost: u32, salt: [u8; 16] },
    Pbkdf2 { digest: Digest, rounds: u32, salt: Vec<u8>, length: usize },
    Scrypt { n: u64, r: u64, p: u64, salt: Vec<u8>, length: usize },
}

#[derive(Clone, Copy)]
pub enum Digest {
    Sha1,
    Sha256,
    Sha512,
}

/// A recipe with its hash, [`Unusable::Unknown`] when the text is none of ours.
type Parsed = Result<(Foreign, Vec<u8>), Unusable>;

impl Foreign {
    pub fn parse(text: &str) -> Parsed {
        let parts: Vec<&str> = text.split('$').collect();
        let (recipe, hash) = match parts[..] {
            ["", "2a" | "2b" | "2y", cost, rest] => bcrypt(cost, rest),
            ["", "pbkdf2", rounds, salt, hash] => phc_pbkdf2("sha1", rounds, salt, hash),
            ["", scheme, rounds, salt, hash] if scheme.starts_with("pbkdf2-") => {
                phc_pbkdf2(&scheme["pbkdf2-".len()..], rounds, salt, hash)
            }
            ["", "scrypt", cost, salt, hash] => phc_scrypt(cost, salt, hash),
            [scheme, rounds, salt, hash] if scheme.starts_with("pbkdf2_") => {
                pbkdf2(&scheme["pbkdf2_".len()..], rounds, salt.into(), base64(hash)?)
            }
            ["scrypt", n, salt, r, p, hash] => scrypt([n, r, p].map(number), salt.into(), base64(hash)?),
            [scheme, salt, hash] => werkzeug(scheme, salt, hash),
            _ => Err(Unusable::Unknown),
        }?;
        recipe.bearable()?;
        Ok((recipe, hash))
    }

    fn bearable(&self) -> Result<(), Unusable> {
        let bearable = match *self {
            Foreign::Bcrypt { cost, .. } => cost <= MOST_BCRYPT,
            Foreign::Pbkdf2 { .. } => self.work() <= MOST_ROUNDS,
            Foreign::Scrypt { n, r, p, .. } => {
                let bytes = n.saturating_mul(r).saturating_mul(128);
                bytes <= MOST_SCRYPT_BYTES && bytes.saturating_mul(p) <= MOST_SCRYPT_WORK
            }
        };
        if bearable { Ok(()) } else { Err(Unusable::TooDear) }
    }

    /// Equal steps mean equal work, for one kind.
    pub fn work(&self) -> u64 {
        match *self {
            Foreign::Bcrypt { cost, .. } => 1 << cost,
            Foreign::Pbkdf2 { digest, rounds, length, .. } => {
                u64::from(rounds) * length.div_ceil(digest.implementation().size()) as u64
            }
            Foreign::Scrypt { n, r, p, .. } => n * r * p,
        }
    }

    pub fn compute(&self, password: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        match self {
            Foreign::Bcrypt { cost, salt } => {
                // As every bcrypt does: the NUL that ends the text counts while there is room, and nothing behind the
                // 72nd byte does. What was typed in whole is hashed anew after a right answer.
                let mut key = Zeroizing::new([password, &[0]].concat());
                key.truncate(BCRYPT_READS);
                Some(Zeroizing::new(bcrypt::bcrypt(*cost, *salt, &key)[..23].to_vec()))
            }
            Foreign::Pbkdf2 { digest, rounds, salt, length } => {
                let mut hash = Zeroizing::new(vec![0; *length]);
                let rounds = usize::try_from(*rounds).ok()?;
                pkcs5::pbkdf2_hmac(password, salt, rounds, digest.implementation(), &mut hash).ok()?;
                Some(hash)
            }
            Foreign::Scrypt { n, r, p, salt, length } => {
                let mut hash = Zeroizing::new(vec![0; *length]);
                // OpenSSL counts what it needs besides.
                let most = 2 * MOST_SCRYPT_BYTES;
                pkcs5::scrypt(password, salt, *n, *r, *p, most, &mut hash).ok()?;
                Some(hash)
            }
        }
    }
}

impl Digest {
    fn named(name: &str) -> Result<Self, Unusable> {
        match name {
            "sha1" => Ok(Digest::Sha1),
            "sha256" => Ok(Digest::Sha256),
            "sha512" => Ok(Digest::Sha512),
            _ => Err(Unusable::Unknown),
        }
    }

    fn implementation(self) -> MessageDigest {
        match self {
            Digest::Sha1 => MessageDigest::sha1(),
            Digest::Sha256 => MessageDigest::sha256(),
            Digest::Sha512 => MessageDigest::sha512(),
        }
    }
}

/// `$2b$12$` and 22 characters of salt, 31 of hash. `$2x$` marks hashes of a broken program.
fn bcrypt(cost: &str, rest: &str) -> Parsed {
    let (salt, hash) = rest.split_at_checked(22).filter(|_| rest.len() == 53).ok_or(Unusable::Broken)?;
    let decode = |text: &str| BCRYPT_BASE64.decode(text).map_err(|_| Unusable::Broken);
    let salt = decode(salt)?.try_into().map_err(|_| Unusable::Broken)?;
    let cost = number(cost).and_then(|cost| u32::try_from(cost).ok()).filter(|cost| (4..=31).contains(cost));
    Ok((Foreign::Bcrypt { cost: cost.ok_or(Unusable::Broken)?, salt }, decode(hash)?))
}

/// `i=600000,l=32`, or passlib's bare number.
fn phc_pbkdf2(digest: &str, rounds: &str, salt: &str, hash: &str) -> Parsed {
    let hash = base64(hash)?;
    let mut members = rounds.split(',');
    let rounds = members.next().map(|first| first.strip_prefix("i=").unwrap_or(first)).unwrap_or_default();
    for member in members {
        let length = member.strip_prefix("l=").and_then(number);
        if length != Some(hash.len() as u64) {
            return Err(Unusable::Broken);
        }
    }
    pbkdf2(digest, rounds, base64(salt)?, hash)
}

fn pbkdf2(digest: &str, rounds: &str, salt: Vec<u8>, hash: Vec<u8>) -> Parsed {
    let digest = Digest::named(digest)?;
    let rounds = number(rounds).filter(|rounds| *rounds > 0).ok_or(Unusable::Broken)?;
    let rounds = u32::try_from(rounds).map_err(|_| Unusable::TooDear)?;
    let length = sound(&salt, &hash)?;
    Ok((Foreign::Pbkdf2 { digest, rounds, salt, length }, hash))
}

/// `ln=15,r=8,p=1`
fn phc_scrypt(cost: &str, salt: &str, hash: &str) -> Parsed {
    let members: Vec<_> = cost.split(',').filter_map(|member| member.split_once('=')).collect();
    let [("ln", ln), ("r", r), ("p", p)] = members[..] else { return Err(Unusable::Broken) };
    let ln = number(ln).ok_or(Unusable::Broken)?;
    let n = 1u64.checked_shl(u32::try_from(ln).unwrap_or(u32::MAX)).ok_or(Unusable::TooDear)?;
    scrypt([Some(n), number(r), number(p)], base64(salt)?, base64(hash)?)
}

fn scrypt(cost: [Option<u64>; 3], salt: Vec<u8>, hash: Vec<u8>) -> Parsed {
    let [Some(n), Some(r), Some(p)] = cost else { return Err(Unusable::Broken) };
    if n < 2 || !n.is_power_of_two() || r == 0 || p == 0 {
        return Err(Unusable::Broken);
    }
    let length = sound(&salt, &hash)?;
    Ok((Foreign::Scrypt { n, r, p, salt, length }, hash))
}

/// `pbkdf2:sha256:600000` or `scrypt:32768:8:1`, the salt as it is, the hash in hexadecimal.
fn werkzeug(scheme: &str, salt: &str, hash: &str) -> Parsed {
    let salt = salt.as_bytes().to_vec();
    match scheme.split(':').collect::<Vec<_>>()[..] {
        ["pbkdf2", digest, rounds] => pbkdf2(digest, rounds, salt, hexadecimal(hash)?),
        ["scrypt", n, r, p] => scrypt([n, r, p].map(number), salt, hexadecimal(hash)?),
        _ => Err(Unusable::Unknown),
    }
}

/// The length of a hash that goes with its salt.
fn sound(salt: &[u8], hash: &[u8]) -> Result<usize, Unusable> {
    let sound = (1..=MOST_SALT).contains(&salt.len()) && (LEAST_HASH..=MOST_HASH).contains(&hash.len());
    if sound { Ok(hash.len()) } else { Err(Unusable::Broken) }
}

fn number(text: &str) -> Option<u64> {
    text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The usual alphabet, or passlib's with a dot for the plus.
fn base64(text: &str) -> Result<Vec<u8>, Unusable> {
    BASE64.decode(text.replace('.', "+")).map_err(|_| Unusable::Broken)
}

fn hexadecimal(text: &str) -> Result<Vec<u8>, Unusable> {
    let digits: Option<Vec<u32>> = text.chars().map(|c| c.to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len().is_multiple_of(2)).ok_or(Unusable::Broken)?;
    Ok(digits.chunks(2).filter_map(|pair| u8::try_from(pair[0] << 4 | pair[1]).ok()).collect())
}
