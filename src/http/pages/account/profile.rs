//! `/account/profile`: what a person says of themself.

use poem::{Response, handler};

use super::area;
use crate::{
    config::Usernames,
    flows::account::{
        me::Me,
        profile::{self, Profile},
    },
    http::pages::{
        authorize::either,
        forms::Again,
        request::Page,
        views::{Group, Input, Notice, ProfilePage, Section, TextField},
    },
    protocol::claims::{Address, StandardClaims},
};

#[handler]
pub async fn show(mut page: Page) -> Response {
    either(area::me(&mut page).await.map(|me| form(&page, &me, &Again::fresh())))
}

#[handler]
pub async fn answer(mut page: Page) -> Response {
    either(answered(&mut page).await)
}

async fn answered(page: &mut Page) -> Result<Response, Box<Response>> {
    page.check_form()?;
    let me = area::me(page).await?;
    match profile::replace(&page.app, &me, sent(page, &me)).await {
        Ok(_) => Ok(page.go(&Notice::Saved.after(Section::Profile.path()))),
        Err(trouble) => Ok(form(page, &me, &Again::of(page, trouble)?)),
    }
}

/// The profile as the form has it; what stands on no form stays.
fn sent(page: &Page, me: &Me) -> Profile {
    // Forms send the lines of a text with CR LF (HTML §4.10.21.8).
    let text = |name: &str| {
        let text = page.form.get(name).map(|value| value.trim().replace("\r\n", "\n"));
        text.filter(|value| !value.is_empty())
    };
    let kept = &me.user;
    let username = match page.app.config.accounts.usernames {
        Usernames::Off => kept.username.clone(),
        Usernames::Optional | Usernames::Required => text("username"),
    };
    let claims = StandardClaims {
        name: text("name"),
        given_name: text("given_name"),
        family_name: text("family_name"),
        middle_name: text("middle_name"),
        nickname: text("nickname"),
        profile: text("profile"),
        picture: text("picture"),
        website: text("website"),
        gender: text("gender"),
        birthdate: text("birthdate"),
        zoneinfo: text("zoneinfo"),
        locale: text("locale"),
        address: address(kept.claims.address.as_ref(), &text),
        ..kept.claims.clone()
    };
    Profile { username, phone_number: text("phone_number"), bio: text("bio"), claims }
}

/// The address in its parts. As it was formatted for labels, it stays only while they do.
fn address(kept: Option<&Address>, text: &impl Fn(&str) -> Option<String>) -> Option<Address> {
    let sent = Address {
        formatted: kept.and_then(|kept| kept.formatted.clone()),
        street_address: text("street_address"),
        locality: text("locality"),
        region: text("region"),
        postal_code: text("postal_code"),
        country: text("country"),
    };
    let sent = if kept == Some(&sent) { sent } else { Address { formatted: None, ..sent } };
    (sent != Address::default()).then_some(sent)
}

fn form(page: &Page, me: &Me, again: &Again) -> Response {
    let mut groups = groups(page, me, again);
    if let Some(group) = groups.iter_mut().find(|group| group.fields.iter().any(|field| field.problem().is_some())) {
        again.focus(&mut group.fields);
    }
    let view = ProfilePage {
        frame: area::frame(page, Section::Profile),
        area: area::area(page, Section::Profile),
        complaint: again.complaint,
        groups,
    };
    again.show(page, view)
}

fn groups(page: &Page, me: &Me, again: &Again) -> Vec<Group> {
    let t = |key| page.browser.texts.get(key);
    let known = |name: &str| known(me, name);
    let field = |id: &'static str, name: &'static str, label: &str| {
        let field = TextField::new(id, name, label).given(again.input_or(page, name, known(name)));
        TextField { unmarked: true, ..field }
    };
    let name = vec![
        field("profile-name", "name", t("claim.name")).autocomplete("name").wide(),
        field("profile-given-name", "given_name", t("claim.given_name")).autocomplete("given-name"),
        field("profile-family-name", "family_name", t("claim.family_name")).autocomplete("family-name"),
        field("profile-middle-name", "middle_name", t("claim.middle_name")).autocomplete("additional-name"),
        field("profile-nickname", "nickname", t("claim.nickname")).autocomplete("nickname"),
    ];
    let username = field("profile-username", "username", t("register.username")).most(64);
    let username = match page.app.config.accounts.usernames {
        Usernames::Off => None,
        Usernames::Optional => Some(username),
        Usernames::Required => Some(username.required()),
    };
    let birthdate = field("profile-birthdate", "birthdate", t("claim.birthdate")).autocomplete("bday").most(10);
    let about = vec![
        birthdate.hint(t("profile.birthdate_hint")),
        field("profile-gender", "gender", t("claim.gender")).autocomplete("sex"),
        field("profile-bio", "bio", t("profile.bio")).kind("textarea").most(2000).wide(),
        field("profile-picture", "picture", t("claim.picture"))
            .kind("url")
            .autocomplete("photo")
            .wide()
            .hint(t("profile.picture_hint")),
        field("profile-website", "website", t("claim.website")).kind("url").autocomplete("url"),
        field("profile-page", "profile", t("claim.profile")).kind("url"),
    ];
    let phone =
        field("profile-phone", "phone_number", t("claim.phone_number")).kind("tel").autocomplete("tel").most(40);
    let mut contact: Vec<TextField> = username.into_iter().collect();
    contact.push(phone.hint(t("profile.phone_hint")));
    let region = vec![
        field("profile-locale", "locale", t("claim.locale")).autocomplete("language").hint(t("profile.locale_hint")),
        field("profile-zone", "zoneinfo", t("claim.zoneinfo")).list("zones").hint(t("profile.zone_hint")),
    ];
    let street = field("profile-street", "street_address", t("profile.street")).kind("textarea");
    // The flow judges the address as a whole.
    let problem = street.problem().or(again.problem("address"));
    let street = TextField { input: Input { problem, ..street.input.clone() }, ..street };
    let address = vec![
        street.autocomplete("street-address").most(500).wide(),
        field("profile-postal-code", "postal_code", t("profile.postal_code")).autocomplete("postal-code"),
        field("profile-locality", "locality", t("profile.locality")).autocomplete("address-level2"),
        field("profile-region", "region", t("profile.region")).autocomplete("address-level1"),
        field("profile-country", "country", t("profile.country")).autocomplete("country-name"),
    ];
    let group = |id, title, fields| Group { id, title: t(title).to_owned(), fields };
    vec![
        group("profile-names", "profile.name_group", name),
        group("profile-contact", "profile.contact_group", contact),
        group("profile-about", "profile.about_group", about),
        group("profile-region-group", "profile.region_group", region),
        group("profile-address", "claim.address", address),
    ]
}

/// What is known of the person, by the name of its field.
fn known<'a>(me: &'a Me, name: &str) -> Option<&'a str> {
    let (user, claims) = (&me.user, &me.user.claims);
    let address = |part: fn(&Address) -> &Option<String>| claims.address.as_ref().and_then(|all| part(all).as_deref());
    match name {
        "username" => user.username.as_deref(),
        "phone_number" => user.phone_number.as_deref(),
        "bio" => user.bio.as_deref(),
        "name" => claims.name.as_deref(),
        "given_name" => claims.given_name.as_deref(),
        "family_name" => claims.family_name.as_deref(),
        "middle_name" => claims.middle_name.as_deref(),
        "nickname" => claims.nickname.as_deref(),
        "profile" => claims.profile.as_deref(),
        "picture" => claims.picture.as_deref(),
        "website" => claims.website.as_deref(),
        "gender" => claims.gender.as_deref(),
        "birthdate" => claims.birthdate.as_deref(),
        "zoneinfo" => claims.zoneinfo.as_deref(),
        "locale" => claims.locale.as_deref(),
        "street_address" => address(|all| &all.street_address),
        "locality" => address(|all| &all.locality),
        "region" => address(|all| &all.region),
        "postal_code" => address(|all| &all.postal_code),
        "country" => address(|all| &all.country),
        _ => None,
    }
}
