//! What claims mean, in words (OpenID Connect Core §2 and §5.1, RFC 7519 §4.1).

use crate::app::text::Texts;

/// A claim, and the key of its meaning.
const MEANINGS: &[(&str, &str)] = &[
    ("iss", "claim.iss"),
    ("sub", "claim.sub"),
    ("aud", "claim.aud"),
    ("exp", "claim.exp"),
    ("iat", "claim.iat"),
    ("auth_time", "claim.auth_time"),
    ("nonce", "claim.nonce"),
    ("acr", "claim.acr"),
    ("amr", "claim.amr"),
    ("azp", "claim.azp"),
    ("sid", "claim.sid"),
    ("jti", "claim.jti"),
    ("at_hash", "claim.at_hash"),
    ("c_hash", "claim.c_hash"),
    ("name", "claim.name"),
    ("given_name", "claim.given_name"),
    ("family_name", "claim.family_name"),
    ("middle_name", "claim.middle_name"),
    ("nickname", "claim.nickname"),
    ("preferred_username", "claim.preferred_username"),
    ("profile", "claim.profile"),
    ("picture", "claim.picture"),
    ("website", "claim.website"),
    ("gender", "claim.gender"),
    ("birthdate", "claim.birthdate"),
    ("zoneinfo", "claim.zoneinfo"),
    ("locale", "claim.locale"),
    ("email", "claim.email"),
    ("email_verified", "claim.email_verified"),
    ("phone_number", "claim.phone_number"),
    ("phone_number_verified", "claim.phone_number_verified"),
    ("address", "claim.address"),
    ("updated_at", "claim.updated_at"),
];

/// In the person's language; nothing for a claim that no specification here defines.
pub(super) fn meaning<'a>(texts: &'a Texts, claim: &str) -> Option<&'a str> {
    MEANINGS.iter().find(|(known, _)| *known == claim).map(|(_, key)| texts.get(key))
}
