//! RFC 7517, RFC 7638: keys as JSON. Our own key pairs, and the public keys of others.

use josekit::{
    jwk::Jwk,
    jws::{self, JwsSigner, JwsVerifier},
};
use openssl::{
    bn::{BigNum, BigNumContext},
    ec::{EcGroup, EcKey},
    hash::{MessageDigest, hash},
    nid::Nid,
    pkey::{Id, PKey, Private},
    rsa::Rsa,
    sha::sha256,
};
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::{decode, encode};

/// Keys in one set of a stranger; each costs a little memory and, without `kid`, a verification.
const MOST_KEYS: usize = 64;
/// A verification costs the square of the length, so there is an upper bound too.
const RSA_BITS: std::ops::RangeInclusive<u32> = 2048..=8192;
/// Members that only a private or symmetric key has (RFC 7518 §6).
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// The signature algorithms that are verified here (RFC 7518 §3.1, RFC 8037 §3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Es256,
    Es384,
    Es512,
    EdDsa,
}

impl Algorithm {
    const ALL: [Algorithm; 8] =
        [Self::Rs256, Self::Rs384, Self::Rs512, Self::Ps256, Self::Es256, Self::Es384, Self::Es512, Self::EdDsa];

    /// The value of `alg`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Es512 => "ES512",
            Self::EdDsa => "EdDSA",
        }
    }

    /// None for `none`, for HMAC and for everything else that is not verified here.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// A verifier of josekit for a key that [`public_members`] has passed.
    fn verifier(self, key: &Jwk) -> Result<Box<dyn JwsVerifier>, JwkError> {
        let verifier: Result<Box<dyn JwsVerifier>, _> = match self {
            Self::Rs256 => jws::RS256.verifier_from_jwk(key).map(boxed),
            Self::Rs384 => jws::RS384.verifier_from_jwk(key).map(boxed),
            Self::Rs512 => jws::RS512.verifier_from_jwk(key).map(boxed),
            Self::Ps256 => jws::PS256.verifier_from_jwk(key).map(boxed),
            Self::Es256 => jws::ES256.verifier_from_jwk(key).map(boxed),
            Self::Es384 => jws::ES384.verifier_from_jwk(key).map(boxed),
            Self::Es512 => jws::ES512.verifier_from_jwk(key).map(boxed),
            Self::EdDsa => jws::EdDSA.verifier_from_jwk(key).map(boxed),
        };
        verifier.map_err(|_| JwkError::Unusable("the members of the key are not those of a point or modulus"))
    }

    /// A signer of josekit that names its key.
    pub(super) fn signer(self, der: &[u8], kid: &str) -> Result<Box<dyn JwsSigner>, JwkError> {
        macro_rules! named {
            ($algorithm:expr) => {{
                let mut signer =
                    $algorithm.signer_from_der(der).map_err(|error| JwkError::OpenSsl(error.to_string()))?;
                signer.set_key_id(kid);
                Ok(Box::new(signer))
            }};
        }
        match self {
            Self::Rs256 => named!(jws::RS256),
            Self::Rs384 => named!(jws::RS384),
            Self::Rs512 => named!(jws::RS512),
            Self::Ps256 => named!(jws::PS256),
            Self::Es256 => named!(jws::ES256),
            Self::EdDsa => named!(jws::EdDSA),
            Self::Es384 | Self::Es512 => Err(JwkError::Unusable("no signing with this algorithm")),
        }
    }

    /// The left half of the hash that goes with the algorithm: `at_hash`, `c_hash`, `s_hash` (OpenID Connect Core
    /// §3.1.3.6, §3.3.2.11). Ed25519 hashes with SHA-512 (RFC 8032 §5.1).
    pub fn left_half_hash(self, value: &str) -> String {
        let digest = match self {
            Self::Rs256 | Self::Ps256 | Self::Es256 => MessageDigest::sha256(),
            Self::Rs384 | Self::Es384 => MessageDigest::sha384(),
            Self::Rs512 | Self::Es512 | Self::EdDsa => MessageDigest::sha512(),
        };
        let whole = hash(digest, value.as_bytes()).expect("OpenSSL has SHA-2");
        encode(&whole[..whole.len() / 2])
    }
}

fn boxed(verifier: impl JwsVerifier + 'static) -> Box<dyn JwsVerifier> {
    Box::new(verifier)
}

/// Why a key is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JwkError {
    #[error("the key set is not an object with a list \"keys\"")]
    NotASet,
    #[error("the key set has more than {MOST_KEYS} keys")]
    TooMany,
    #[error("the key set has no key that can verify a signature")]
    Empty,
    #[error("the key set has a private or symmetric key; it must hold public keys only")]
    Private,
    #[error("the key cannot be used: {0}")]
    Unusable(&'static str),
    #[error("OpenSSL: {0}")]
    OpenSsl(String),
}

impl From<openssl::error::ErrorStack> for JwkError {
    fn from(error: openssl::error::ErrorStack) -> Self {
        JwkError::OpenSsl(error.to_string())
    }
}

/// A new RSA key pair of 2048, 3072 or 4096 bits as PKCS#8 DER. Takes a good part of a second.
pub fn generate_rsa(bits: u32) -> Result<Zeroizing<Vec<u8>>, JwkError> {
    if !matches!(bits, 2048 | 3072 | 4096) {
        return Err(JwkError::Unusable("an RSA key here has 2048, 3072 or 4096 bits"));
    }
    let key = PKey::from_rsa(Rsa::generate(bits)?)?;
    Ok(Zeroizing::new(key.private_key_to_pkcs8()?))
}

/// A new key pair for an algorithm by its name (RFC 7518 §3.1, §4.1), as PKCS#8 DER; `rsa_bits` where it is RSA.
pub fn generate(algorithm: &str, rsa_bits: u32) -> Result<Zeroizing<Vec<u8>>, JwkError> {
    let key = match algorithm {
        "RS256" | "RS384" | "RS512" | "PS256" | "RSA-OAEP-256" => return generate_rsa(rsa_bits),
        "ES256" | "ECDH-ES" => {
            let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
            PKey::from_ec_key(EcKey::generate(&group)?)?
        }
        "EdDSA" => PKey::generate_ed25519()?,
        _ => return Err(JwkError::Unusable("no keys are made for this algorithm")),
    };
    Ok(Zeroizing::new(key.private_key_to_pkcs8()?))
}

/// The public half of a PKCS#8 key pair, as it is published for one algorithm: with `use`, `alg` and `kid`, the
/// thumbprint.
pub fn public_jwk(der: &[u8], algorithm: &str) -> Result<Value, JwkError> {
    let key = PKey::private_key_from_pkcs8(der)?;
    let mut jwk = public_half(&key)?;
    let fits = match algorithm {
        "RS256" | "RS384" | "RS512" | "PS256" | "RSA-OAEP-256" => jwk["kty"] == "RSA",
        "ES256" | "ECDH-ES" => jwk["crv"] == "P-256",
        "EdDSA" => jwk["crv"] == "Ed25519",
        _ => false,
    };
    if !fits {
        return Err(JwkError::Unusable("the key is not of the type of its algorithm"));
    }
    let kid = thumbprint(&jwk).ok_or(JwkError::Unusable("the key has no thumbprint"))?;
    jwk["use"] = if Algorithm::parse(algorithm).is_some() { "sig" } else { "enc" }.into();
    jwk["alg"] = algorithm.into();
    jwk["kid"] = kid.into();
    Ok(jwk)
}

fn public_half(key: &PKey<Private>) -> Result<Value, JwkError> {
    match key.id() {
        Id::RSA => {
            let rsa = key.rsa()?;
            Ok(json!({"kty": "RSA", "n": encode(&rsa.n().to_vec()), "e": encode(&rsa.e().to_vec())}))
        }
        Id::EC => {
            let ec = key.ec_key()?;
            if ec.group().curve_name() != Some(Nid::X9_62_PRIME256V1) {
                return Err(JwkError::Unusable("only P-256 is used here"));
            }
            let (mut x, mut y, mut context) = (BigNum::new()?, BigNum::new()?, BigNumContext::new()?);
            ec.public_key().affine_coordinates(ec.group(), &mut x, &mut y, &mut context)?;
            Ok(json!({
                "kty": "EC", "crv": "P-256", "x": encode(&x.to_vec_padded(32)?), "y": encode(&y.to_vec_padded(32)?),
            }))
        }
        Id::ED25519 => Ok(json!({"kty": "OKP", "crv": "Ed25519", "x": encode(&key.raw_public_key()?)})),
        _ => Err(JwkError::Unusable("no use for this type of key")),
    }
}

/// RFC 7638 §3.2: SHA-256 over the required members in lexical order.
pub fn thumbprint(jwk: &Value) -> Option<String> {
    let members: &[&str] = match jwk["kty"].as_str()? {
        "RSA" => &["e", "kty", "n"],
        "EC" => &["crv", "kty", "x", "y"],
        "OKP" => &["crv", "kty", "x"],
        "oct" => &["k", "kty"],
        _ => return None,
    };
    let pairs = members.iter().map(|name| Some(format!("\"{name}\":{}", Value::from(jwk[name].as_str()?))));
    let canonical = format!("{{{}}}", pairs.collect::<Option<Vec<_>>>()?.join(","));
    Some(encode(&sha256(canonical.as_bytes())))
}

/// One public key of a stranger, ready to verify.
#[derive(Debug)]
pub(super) struct ForeignKey {
    pub(super) kid: Option<String>,
    verifiers: Vec<(Algorithm, Box<dyn JwsVerifier>)>,
}

impl ForeignKey {
    pub(super) fn verifier(&self, algorithm: Algorithm) -> Option<&dyn JwsVerifier> {
        self.verifiers.iter().find(|(known, _)| *known == algorithm).map(|(_, verifier)| verifier.as_ref())
    }

    pub(super) fn parse(jwk: &Value) -> Result<Self, JwkError> {
        if is_private(jwk) {
            return Err(JwkError::Private);
        }
        if jwk.get("use").is_some_and(|usage| usage != "sig") {
            return Err(JwkError::Unusable("its use is not sig"));
        }
        let can_verify = |ops: &Value| ops.as_array().is_some_and(|ops| ops.iter().any(|op| op == "verify"));
        if jwk.get("key_ops").is_some_and(|ops| !can_verify(ops)) {
            return Err(JwkError::Unusable("its key_ops lack verify"));
        }
        let (algorithms, members) = public_members(jwk)?;
        let key = Jwk::from_map(members).map_err(|_| JwkError::Unusable("its members are not text"))?;
        let promised = jwk.get("alg");
        let verifiers = algorithms
            .iter()
            .filter(|algorithm| promised.is_none_or(|alg| alg == algorithm.name()))
            .map(|algorithm| Ok((*algorithm, algorithm.verifier(&key)?)))
            .collect::<Result<Vec<_>, JwkError>>()?;
        if verifiers.is_empty() {
            return Err(JwkError::Unusable("its alg is not one for this type of key"));
        }
        Ok(ForeignKey { kid: jwk["kid"].as_str().map(str::to_owned), verifiers })
    }
}

fn is_private(jwk: &Value) -> bool {
    jwk["kty"] == "oct" || PRIVATE_MEMBERS.iter().any(|name| jwk.get(name).is_some())
}

/// The members that make the public key, with their lengths checked, and the algorithms for its type.
fn public_members(jwk: &Value) -> Result<(&'static [Algorithm], Map<String, Value>), JwkError> {
    let bytes = |name: &str| {
        jwk[name].as_str().and_then(decode).ok_or(JwkError::Unusable("a member is missing or not base64url"))
    };
    let (algorithms, names): (&'static [Algorithm], &[&str]) = match (jwk["kty"].as_str(), jwk["crv"].as_str()) {
        (Some("RSA"), _) => {
            check_rsa(&bytes("n")?, &bytes("e")?)?;
            (&[Algorithm::Rs256, Algorithm::Rs384, Algorithm::Rs512, Algorithm::Ps256], &["kty", "n", "e"])
        }
        (Some("EC"), Some(curve)) => {
            let (algorithm, length): (&'static [Algorithm], usize) = match curve {
                "P-256" => (&[Algorithm::Es256], 32),
                "P-384" => (&[Algorithm::Es384], 48),
                "P-521" => (&[Algorithm::Es512], 66),
                _ => return Err(JwkError::Unusable("its crv is not P-256, P-384 or P-521")),
            };
            if bytes("x")?.len() != length || bytes("y")?.len() != length {
                return Err(JwkError::Unusable("a coordinate has the wrong length"));
            }
            (algorithm, &["kty", "crv", "x", "y"])
        }
        (Some("OKP"), Some("Ed25519")) if bytes("x")?.len() == 32 => (&[Algorithm::EdDsa], &["kty", "crv", "x"]),
        (Some("OKP"), _) => return Err(JwkError::Unusable("it is not an Ed25519 key of 32 bytes")),
        _ => return Err(JwkError::Unusable("its kty is not RSA, EC or OKP")),
    };
    Ok((algorithms, names.iter().map(|name| ((*name).to_owned(), jwk[*name].clone())).collect()))
}

fn check_rsa(n: &[u8], e: &[u8]) -> Result<(), JwkError> {
    let bits = n.iter().position(|byte| *byte != 0).map_or(0, |first| {
        let significant = &n[first..];
        u32::try_from(significant.len()).unwrap_or(u32::MAX).saturating_mul(8) - significant[0].leading_zeros()
    });
    if !RSA_BITS.contains(&bits) {
        return Err(JwkError::Unusable("an RSA modulus has 2048 to 8192 bits"));
    }
    // FIPS 186-5 §A.1.1 asks for 2^16 < e; 3 is still met in the field. Long exponents only cost time.
    let odd = e.last().is_some_and(|last| last % 2 == 1);
    if e.len() > 4 || !odd || e == [1] {
        return Err(JwkError::Unusable("the RSA exponent is not an odd number of at most 32 bits"));
    }
    Ok(())
}

/// The public keys of a stranger: a client, or a provider that we trust.
#[derive(Debug)]
pub struct KeySet {
    pub(super) keys: Vec<ForeignKey>,
}

impl KeySet {
    /// From a fetched set. Keys that cannot be used here are passed over (RFC 7517 §5), private ones among them:
    /// what was published cannot be trusted. An error if none is left.
    pub fn parse(set: &Value) -> Result<Self, JwkError> {
        Self::collect(set, false)
    }

    /// From a set that someone registers with us: a private or symmetric key in it is an error, told at once.
    pub fn parse_registered(set: &Value) -> Result<Self, JwkError> {
        Self::collect(set, true)
    }

    /// How many there are; never none.
    pub fn count(&self) -> usize {
        self.keys.len()
    }

    fn collect(set: &Value, refuse_private: bool) -> Result<Self, JwkError> {
        let members = set["keys"].as_array().ok_or(JwkError::NotASet)?;
        if members.len() > MOST_KEYS {
            return Err(JwkError::TooMany);
        }
        let mut keys = Vec::new();
        let mut last = JwkError::Empty;
        for member in members {
            match ForeignKey::parse(member) {
                Ok(key) => keys.push(key),
                Err(JwkError::Private) if refuse_private => return Err(JwkError::Private),
                Err(error) => last = error,
            }
        }
        if keys.is_empty() { Err(last) } else { Ok(KeySet { keys }) }
    }
}
