//! `/api/v1/me` and `/api/v1/users`: what people say of themselves.

use poem::web::Data;
use poem_openapi::{Object, OpenApi, param::Path};

use super::data::{DeletedBody, DeletionBody};
use crate::{
    app::App,
    flows::account::{
        User, deletion,
        profile::{self, Public},
    },
    http::{
        api::{
            answer::Answer,
            body::{Body, Members},
            person::Person,
            problem::Problem,
        },
        oauth::Topic,
    },
    protocol::claims::Address,
};

pub struct Profile;

#[OpenApi(prefix_path = "/api/v1", tag = "Topic::Account")]
impl Profile {
    /// The person whose access token it is.
    #[oai(path = "/me", method = "get", operation_id = "me")]
    async fn show(&self, person: Person) -> Result<Answer<MeBody>, Problem> {
        Ok(MeBody::from(person.me.user).into())
    }

    /// Replace the profile: what is left out or null is no more. What is not the person's to set may be there if it says
    /// what is so.
    #[oai(path = "/me", method = "put", operation_id = "replace_me")]
    async fn replace(
        &self,
        app: Data<&App>,
        person: Person,
        members: Members<MeBody>,
    ) -> Result<Answer<MeBody>, Problem> {
        let user = profile::replace_members(&app, &person.me, members.0).await?;
        Ok(MeBody::from(user).into())
    }

    /// Change some of the profile (RFC 7396): null removes, and what is left out stays.
    #[oai(path = "/me", method = "patch", operation_id = "change_me")]
    async fn change(
        &self,
        app: Data<&App>,
        person: Person,
        members: Members<MeBody>,
    ) -> Result<Answer<MeBody>, Problem> {
        let user = profile::patch(&app, &person.me, members.0).await?;
        Ok(MeBody::from(user).into())
    }

    /// Delete the account.
    ///
    /// Every session and every token ends at once. The account goes for good after `accounts.deletion_grace`; until then
    /// a mailed link takes it back.
    #[oai(path = "/me", method = "delete", operation_id = "delete_me")]
    async fn delete(
        &self,
        app: Data<&App>,
        person: Person,
        proof: Body<DeletionBody>,
    ) -> Result<Answer<DeletedBody>, Problem> {
        let password = proof.0.current_password.unwrap_or_default();
        let planned = deletion::plan(&app, &person.visitor, &person.me, &password).await?;
        Ok(DeletedBody::from(planned).into())
    }

    /// What others may see of a person: administrators everybody, everybody else as `accounts.public_profiles` says.
    #[oai(path = "/users/:id", method = "get", operation_id = "user")]
    async fn public(&self, app: Data<&App>, person: Person, id: Path<String>) -> Result<Answer<PublicBody>, Problem> {
        // What is no id is the id of nobody.
        let public = profile::public(&app, &person.me, id.parse().unwrap_or_default()).await?;
        Ok(PublicBody::from(public).into())
    }
}

/// A person, for themself. The names are those of OpenID Connect Core §5.1; times are seconds since 1970.
#[derive(Object)]
struct MeBody {
    /// Also the `sub` of the person's access tokens.
    #[oai(read_only)]
    id: String,
    /// `POST /api/v1/me/email` changes it.
    #[oai(read_only)]
    email: Option<String>,
    #[oai(read_only)]
    email_verified: bool,
    username: Option<String>,
    phone_number: Option<String>,
    #[oai(read_only)]
    phone_number_verified: bool,
    /// The whole name, as it is shown.
    name: Option<String>,
    given_name: Option<String>,
    family_name: Option<String>,
    middle_name: Option<String>,
    nickname: Option<String>,
    /// The user name as the person spells it.
    preferred_username: Option<String>,
    /// The address of a page about the person.
    profile: Option<String>,
    /// The address of a picture.
    picture: Option<String>,
    website: Option<String>,
    gender: Option<String>,
    /// `YYYY-MM-DD`, `0000-MM-DD` or `YYYY`.
    birthdate: Option<String>,
    /// Such as `Europe/London`.
    zoneinfo: Option<String>,
    /// Such as `en-GB`.
    locale: Option<String>,
    address: Option<AddressBody>,
    bio: Option<String>,
    #[oai(read_only)]
    created_at: i64,
    #[oai(read_only)]
    updated_at: i64,
}

/// OpenID Connect Core §5.1.1.
#[derive(Object)]
struct AddressBody {
    formatted: Option<String>,
    street_address: Option<String>,
    locality: Option<String>,
    region: Option<String>,
    postal_code: Option<String>,
    country: Option<String>,
}

impl From<User> for MeBody {
    fn from(user: User) -> Self {
        let claims = user.claims;
        MeBody {
            id: user.id.to_string(),
            email: user.email,
            email_verified: user.email_verified,
            username: user.username,
            phone_number: user.phone_number,
            phone_number_verified: user.phone_number_verified,
            name: claims.name,
            given_name: claims.given_name,
            family_name: claims.family_name,
            middle_name: claims.middle_name,
            nickname: claims.nickname,
            preferred_username: claims.preferred_username,
            profile: claims.profile,
            picture: claims.picture,
            website: claims.website,
            gender: claims.gender,
            birthdate: claims.birthdate,
            zoneinfo: claims.zoneinfo,
            locale: claims.locale,
            address: claims.address.map(AddressBody::from),
            bio: user.bio,
            created_at: user.created_at,
            updated_at: user.updated_at,
        }
    }
}

impl From<Address> for AddressBody {
    fn from(address: Address) -> Self {
        AddressBody {
            formatted: address.formatted,
            street_address: address.street_address,
            locality: address.locality,
            region: address.region,
            postal_code: address.postal_code,
            country: address.country,
        }
    }
}

/// What others see of a person.
#[derive(Object)]
struct PublicBody {
    id: String,
    name: Option<String>,
    username: Option<String>,
    picture: Option<String>,
    bio: Option<String>,
}

impl From<Public> for PublicBody {
    fn from(public: Public) -> Self {
        let Public { id, name, username, picture, bio } = public;
        PublicBody { id: id.to_string(), name, username, picture, bio }
    }
}
