//! OpenID Connect Core §5: what is said about a person, and who asked for it.

use sea_orm::FromJsonQueryResult;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Code, Params, Result, Scope, assurance::Wanted, rule, trace::Shown};

/// §5.1: the standard claims that are kept as they are. `sub`, `email` and `phone_number` with their
/// `…_verified` have columns of their own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(default)]
pub struct StandardClaims {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub middle_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nickname: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferred_username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub website: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gender: Option<String>,
    /// `YYYY-MM-DD`, `0000-MM-DD` or `YYYY`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub birthdate: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zoneinfo: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
}

/// §5.1.1.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Address {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub formatted: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub street_address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locality: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
}

/// §5.4: what `profile` stands for; the time comes last.
const PROFILE: [&str; 14] = [
    "name",
    "family_name",
    "given_name",
    "middle_name",
    "nickname",
    "preferred_username",
    "profile",
    "picture",
    "website",
    "gender",
    "birthdate",
    "zoneinfo",
    "locale",
    "updated_at",
];

/// Those of them that are texts, which people say of themselves.
pub const TEXTS: &[&str] = PROFILE.split_at(PROFILE.len() - 1).0;

/// §5.1.1: the members of `address`.
pub const ADDRESS: [&str; 6] = ["formatted", "street_address", "locality", "region", "postal_code", "country"];

/// §5.4: the claims of each scope.
const OF_SCOPES: [(&str, &[&str]); 4] = [
    ("profile", &PROFILE),
    ("email", &["email", "email_verified"]),
    ("address", &["address"]),
    ("phone", &["phone_number", "phone_number_verified"]),
];

/// Every claim about a person that can be released, for discovery.
pub fn supported() -> impl Iterator<Item = &'static str> {
    OF_SCOPES.iter().flat_map(|(_, claims)| claims.iter().copied())
}

/// §5.5: the `claims` parameter, reduced to what this server can say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(default)]
pub struct ClaimsRequest {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub userinfo: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub id_token: Vec<String>,
    /// §5.5.1: the `sub` that must be the one who signs in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub: Option<String>,
    /// §5.5.1.1: decides of the sign-in, and is not kept.
    #[serde(skip)]
    pub acr: Option<Wanted>,
}

impl ClaimsRequest {
    pub fn requested(params: &Params) -> Result<ClaimsRequest> {
        let Some(text) = params.get("claims") else { return Ok(ClaimsRequest::default()) };
        let refuse =
            |why: &'static str| Code::InvalidRequest.because(why).under(&rule::CLAIMS).received(Shown::length(text));
        let asked: Map<String, Value> =
            serde_json::from_str(text).map_err(|_| refuse("claims is not a JSON object"))?;
        let member = |name: &str| match asked.get(name) {
            None | Some(Value::Null) => Ok(Map::new()),
            // §5.5: each claim is asked for plainly (null) or with conditions (an object).
            Some(Value::Object(claims)) if claims.values().all(|claim| claim.is_null() || claim.is_object()) => {
                Ok(claims.clone())
            }
            Some(_) => Err(refuse("userinfo and id_token of claims must be objects of claims, each null or an object")),
        };
        let (userinfo, id_token) = (member("userinfo")?, member("id_token")?);
        let acr = id_token.get("acr").map(wanted).transpose()?.flatten();
        let sub = [&id_token, &userinfo].into_iter().find_map(|claims| claims.get("sub")?.get("value")?.as_str());
        let known = |claims: &Map<String, Value>| {
            supported().filter(|claim| claims.contains_key(*claim)).map(str::to_owned).collect()
        };
        Ok(ClaimsRequest { userinfo: known(&userinfo), id_token: known(&id_token), sub: sub.map(str::to_owned), acr })
    }

    /// What the person is asked about beyond the scopes: claims by name.
    pub fn beyond(&self, scope: &Scope) -> Vec<&str> {
        let covered = |claim: &str| OF_SCOPES.iter().any(|(s, claims)| scope.contains(s) && claims.contains(&claim));
        let mut names: Vec<&str> =
            self.userinfo.iter().chain(&self.id_token).map(String::as_str).filter(|claim| !covered(claim)).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

/// §5.5.1.1: an essential context that this server never reaches is a failed authentication, and a voluntary one is not.
fn wanted(acr: &Value) -> Result<Option<Wanted>> {
    let one = acr.get("value").into_iter();
    let values = one.chain(acr.get("values").and_then(Value::as_array).into_iter().flatten());
    let mut values = values.filter_map(Value::as_str).peekable();
    if acr.get("essential") != Some(&Value::Bool(true)) {
        return Ok(Wanted::voluntary(values));
    }
    if values.peek().is_none() {
        return Ok(None);
    }
    let unmet = || {
        Code::UnmetAuthenticationRequirements
            .because("this server reaches none of the authentication contexts that claims asks for")
            .under(&rule::ACR)
            .expected(Shown::word("aal1 or aal2"))
    };
    Wanted::essential(values).map(Some).ok_or_else(unmet)
}

/// The claims that these scopes and these names stand for, out of all that is known. Unknown ones are left out.
pub fn released(all: &Map<String, Value>, scope: &Scope, named: &[String]) -> Map<String, Value> {
    let wanted = |claim: &str| {
        named.iter().any(|name| name == claim)
            || OF_SCOPES.iter().any(|(s, claims)| scope.contains(s) && claims.contains(&claim))
    };
    all.iter().filter(|(claim, _)| wanted(claim)).map(|(claim, value)| (claim.clone(), value.clone())).collect()
}
