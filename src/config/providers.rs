//! `[[providers]]`: whom people can sign in with instead of a password here. What goes together for each kind is checked
//! where the kinds are.
use std::{
    collections::BTreeMap,
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use serde_json::{Map, Value};

use super::{
    clients::refuse_repeated,
    outbound::host,
    parse::{list, optional, path, switch, text, whole, word},
    reader::Reader,
    secret::{Hidden, provider_secret, reason},
    setting::{Fallback, Fault, Given, Parsed, Shown, section, words},
    sources::{Found, Layers, Source},
};
use crate::protocol::upstream::{
    AuthMethod, Link, MAPPED, OWN_PARAMETERS, Settings,
    icon::{Icon, NoIcon},
};

section! {
    /// One declared provider.
    pub struct Provider at "providers[]." {
        /// The name in its callback URL, `/federation/{name}/callback`, and in links: up to 40 of a-z, 0-9 and -. It
        /// stays with this provider for good. Required.
        name: String = Fallback::Required, slug;
        /// What it is: `google`, `github`, `oidc` (any OpenID provider) or `oauth2` (one that has its own way to say who
        /// somebody is). Required.
        kind: ProviderKind = Fallback::Required, word;
        /// The id that the provider knows this server by. Required.
        client_id: String = Fallback::Required, text(255);
        /// The secret that the provider gave for it. Default: none.
        client_secret: Option<Hidden> = Fallback::Unset, optional(provider_secret);
        /// How this server proves itself there: `client_secret_basic`, `client_secret_post` or `none`. Default:
        /// client_secret_post for google and github, client_secret_basic for others.
        token_endpoint_auth_method: Option<ProviderAuth> = Fallback::Unset, optional(word);
        /// Its issuer, exactly as its own document names it. Of github: the address of an Enterprise Server. Default:
        /// Google's or GitHub's own; oidc needs one.
        issuer: Option<String> = Fallback::Unset, optional(text(2048));
        /// Where the API of a GitHub Enterprise Server is. Default: /api/v3 below issuer, or that of github.com.
        api_url: Option<String> = Fallback::Unset, optional(text(2048));
        /// Where browsers are sent, for oauth2. Default: none.
        authorization_endpoint: Option<String> = Fallback::Unset, optional(text(2048));
        /// Where codes are redeemed, for oauth2. Default: none.
        token_endpoint: Option<String> = Fallback::Unset, optional(text(2048));
        /// Where it says who somebody is, for oauth2. Default: none.
        userinfo_endpoint: Option<String> = Fallback::Unset, optional(text(2048));
        /// What it is asked for. Default: openid, profile and email; of github read:user and user:email; of oauth2 nothing.
        scopes: Option<Vec<String>> = Fallback::Unset, optional(list(text(255)));
        /// What its authorization endpoint is told besides: { access_type = "offline" }. Default: none.
        authorization_params: TextMap = Fallback::Fixed(""), authorization_params;
        /// Where our claims stand in what it says, members within members by dots: { name = "user.display_name" }. Of those
        /// named here, name, given_name, family_name and nickname are taken over again at every sign-in. oauth2 needs sub.
        /// Default: none.
        claims: TextMap = Fallback::Fixed(""), claims;
        /// Whether people who have no account here get one. Default: false.
        sign_up: bool = Fallback::Fixed("false"), switch;
        /// Only people may come whose address the provider calls verified, and is of one of these domains; at every
        /// sign-in. Default: none.
        email_domains: Vec<String> = Fallback::Fixed(""), list(domain);
        /// Only people of this Google Workspace may come. Default: none.
        hosted_domain: Option<String> = Fallback::Unset, optional(domain);
        /// When an account here that has the same address is theirs: `sign_in`, once they have signed in to it, or
        /// `verified_email`, at once where both know the address to be theirs. Default: sign_in.
        link: ProviderLink = Fallback::Fixed("sign_in"), word;
        /// Whether two factors that were proved there count here, by `amr` or `acr` of its ID token. Default: false.
        trust_second_factor: bool = Fallback::Fixed("false"), switch;
        /// Values of `acr` that stand for two factors there. Default: none.
        second_factor_acr: Vec<String> = Fallback::Fixed(""), list(text(255));
        /// Where it names the groups of a person, members within members by dots. Default: none.
        groups_claim: Option<String> = Fallback::Unset, optional(text(255));
        /// Only people in one of these groups may come. Default: none.
        allowed_groups: Vec<String> = Fallback::Fixed(""), list(text(255));
        /// Who is in one of these groups administers here, and whoever comes from there without them does not. Default:
        /// none.
        admin_groups: Vec<String> = Fallback::Fixed(""), list(text(255));
        /// Whether signing out here goes on to the provider, which signs the person out as well. Default: false.
        logout: bool = Fallback::Fixed("false"), switch;
        /// Whether the tokens that it gives are kept, sealed, beside the connection with an account. Default: false.
        keep_tokens: bool = Fallback::Fixed("false"), switch;
        /// What its button is called. Default: Google, GitHub, or the name.
        button: Option<String> = Fallback::Unset, optional(text(60));
        /// The picture on its button: a PNG, JPEG, GIF or WebP file of at most 32 KiB, read at the start. Default: the mark
        /// of Google or GitHub, or a letter.
        icon: Option<Icon> = Fallback::Unset, optional(icon);
        /// Whether it has no button, unless an app asks for it by idp_hint, or names somebody of hint_domains by login_hint.
        /// Default: false.
        hidden: bool = Fallback::Fixed("false"), switch;
        /// Domains whose people are its people. Default: email_domains.
        hint_domains: Option<Vec<String>> = Fallback::Unset, optional(list(domain));
        /// The place of its button, from the top; equal ones are sorted by name. Default: 100.
        order: u32 = Fallback::Fixed("100"), whole(0..=10_000);
    }
}

words! {
    /// What a provider is.
    pub enum ProviderKind {
        /// Google.
        Google = "google",
        /// GitHub, or a GitHub Enterprise Server.
        GitHub = "github",
        /// Any OpenID provider.
        Oidc = "oidc",
        /// Another, with endpoints of its own.
        OAuth2 = "oauth2",
    }
}

words! {
    /// How this server proves itself to a provider.
    pub enum ProviderAuth {
        /// In a header.
        Basic = "client_secret_basic",
        /// In the form.
        Post = "client_secret_post",
        /// Not at all.
        Off = "none",
    }
}

words! {
    /// When an account with the same address is theirs.
    pub enum ProviderLink {
        /// Once they have signed in to it.
        SignIn = "sign_in",
        /// Where both know the address to be theirs.
        VerifiedEmail = "verified_email",
    }
}

/// Texts by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TextMap(pub BTreeMap<String, String>);

impl Shown for TextMap {
    fn show(&self) -> Value {
        self.0.iter().map(|(name, path)| (name.clone(), Value::from(path.as_str()))).collect()
    }
}

impl Provider {
    /// As it is kept.
    pub fn settings(&self) -> Settings {
        Settings {
            kind: self.kind.as_str().to_owned(),
            client_id: self.client_id.clone(),
            token_endpoint_auth_method: self.token_endpoint_auth_method.map(|method| match method {
                ProviderAuth::Basic => AuthMethod::ClientSecretBasic,
                ProviderAuth::Post => AuthMethod::ClientSecretPost,
                ProviderAuth::Off => AuthMethod::None,
            }),
            issuer: self.issuer.clone(),
            api_url: self.api_url.clone(),
            authorization_endpoint: self.authorization_endpoint.clone(),
            token_endpoint: self.token_endpoint.clone(),
            userinfo_endpoint: self.userinfo_endpoint.clone(),
            scopes: self.scopes.clone(),
            authorization_params: self.authorization_params.0.clone(),
            claims: self.claims.0.clone(),
            sign_up: self.sign_up,
            email_domains: self.email_domains.clone(),
            hosted_domain: self.hosted_domain.clone(),
            link: match self.link {
                ProviderLink::SignIn => Link::SignIn,
                ProviderLink::VerifiedEmail => Link::VerifiedEmail,
            },
            trust_second_factor: self.trust_second_factor,
            second_factor_acr: self.second_factor_acr.clone(),
            groups_claim: self.groups_claim.clone(),
            allowed_groups: self.allowed_groups.clone(),
            admin_groups: self.admin_groups.clone(),
            logout: self.logout,
            keep_tokens: self.keep_tokens,
            button: self.button.clone(),
            icon: self.icon.clone(),
            hidden: self.hidden,
            hint_domains: self.hint_domains.clone(),
            order: self.order,
        }
    }

    /// One that an operator describes elsewhere than in the settings, in the same words; null leaves a member out.
    ///
    /// # Errors
    /// The members that are wrong, and why. No value is repeated.
    pub fn described(members: &Map<String, Value>) -> Result<Self, Vec<(&'static str, String)>> {
        const ENTRY: &str = "providers[0]";
        let mut layers = Layers::default();
        layers.entries.insert(ENTRY.to_owned(), Source::Default);
        for (name, value) in members.iter().filter(|(_, value)| !value.is_null()) {
            let found = Found { value: value.clone(), source: Source::Default, base: PathBuf::new() };
            layers.file.insert(format!("{ENTRY}.{name}"), found);
        }
        let mut reader = Reader::new(&layers);
        let read = reader.entries("providers", |reader| Self::read(reader)).pop();
        match read {
            Some(provider) if reader.problems.is_empty() => Ok(provider),
            _ => Err(reader
                .problems
                .into_iter()
                .map(|wrong| {
                    let key = wrong.key.rsplit_once('.').map_or(&*wrong.key, |(_, key)| key);
                    let name = Self::members().find(|name| *name == key).unwrap_or("name");
                    (name, format!("{}; {}", wrong.problem, wrong.remedy))
                })
                .collect()),
        }
    }

    /// The names of all that can be said of one.
    pub fn members() -> impl Iterator<Item = &'static str> {
        Self::SETTINGS.iter().map(|setting| setting.key.rsplit_once('.').map_or(setting.key, |(_, name)| name))
    }

    /// Reads all of them; each name once.
    pub(super) fn read_all(reader: &mut Reader<'_>) -> Vec<Self> {
        let providers = reader.entries("providers", |reader| Self::read(reader));
        refuse_repeated(reader, "providers", "name");
        providers
    }
}

fn slug(given: &Given<'_>) -> Parsed<String> {
    let name = text(40)(given)?;
    let plain = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if plain && !name.starts_with('-') && !name.ends_with('-') {
        return Ok(name);
    }
    Err(Fault::new("the name has other characters than a-z, 0-9 and - between them", "write it like \"my-company\""))
}

/// As addresses have it: in lower case and in ASCII.
fn domain(given: &Given<'_>) -> Parsed<String> {
    let refused = || Fault::new("this is not a domain", "write it like \"example.com\"");
    let name = host(given).map_err(|_| refused())?;
    let name = name.as_str();
    if name.contains('.') && !name.starts_with('[') { Ok(name.to_owned()) } else { Err(refused()) }
}

impl Shown for Icon {
    fn show(&self) -> Value {
        format!("{}, {} bytes", self.media_type(), self.content().len()).into()
    }
}

/// A file; or what it has, as a `data:` URL, where there are no files.
fn icon(given: &Given<'_>) -> Parsed<Icon> {
    let refused = |why: NoIcon| match why {
        NoIcon::Form => Fault::new("the value is not a data: URL of a picture", "write data:image/png;base64,…"),
        NoIcon::Large => Fault::new("the picture is larger than 32 KiB", "scale it down: 64 pixels are plenty"),
        NoIcon::Kind => Fault::new("the picture is neither PNG, JPEG, GIF nor WebP", "export it as PNG"),
    };
    match given.value.as_str() {
        Some(url) if url.starts_with("data:") => Icon::parse(url).map_err(refused),
        // Not of somebody who is not at this machine: what files it has is nobody else's business.
        Some(_) if given.base.as_os_str().is_empty() => Err(refused(NoIcon::Form)),
        _ => Icon::new(&read_picture(&path(given)?)?).map_err(refused),
    }
}

/// A picture for `icon` that is at this machine, as its `data:` URL.
///
/// # Errors
/// When it cannot be read, or is none.
pub fn icon_file(path: &Path) -> Result<String, Fault> {
    let value = path.display().to_string().into();
    icon(&Given { value: &value, base: Path::new(".") }).map(|icon| icon.url())
}

fn read_picture(path: &Path) -> Parsed<Vec<u8>> {
    let unreadable = |error: std::io::Error| {
        Fault::new(
            format!("the picture cannot be read ({})", reason(&error)),
            "name a file that exists and can be read",
        )
    };
    let mut bytes = Vec::new();
    let most = Icon::LARGEST as u64 + 1;
    File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes)).map_err(unreadable)?;
    Ok(bytes)
}

fn claims(given: &Given<'_>) -> Parsed<TextMap> {
    texts(given, "write { name = \"display_name\", email = \"user.mail\" }", |name, _| match MAPPED.contains(&name) {
        true => Ok(()),
        false => Err(Fault::new(format!("there is no claim {name:?} to map"), format!("use {}", MAPPED.join(", ")))),
    })
}

fn authorization_params(given: &Given<'_>) -> Parsed<TextMap> {
    texts(given, "write { access_type = \"offline\" }", |name, value| match name {
        _ if OWN_PARAMETERS.contains(&name) => {
            Err(Fault::new(format!("{name} is not to be set here: this server says it itself"), "leave it out"))
        }
        "prompt" if value.split(' ').any(|word| word == "none") => {
            Err(Fault::new("prompt: \"none\" lets nobody sign in there", "leave it out"))
        }
        "response_mode" if !["query", "form_post"].contains(&value) => {
            Err(Fault::new(format!("response_mode: {value:?} does not come back to this server"), "use form_post"))
        }
        _ => Ok(()),
    })
}

/// A table of texts, each of which `check` lets pass.
fn texts(given: &Given<'_>, remedy: &str, check: fn(&str, &str) -> Result<(), Fault>) -> Parsed<TextMap> {
    let table = match given.value {
        Value::String(text) if text.is_empty() => return Ok(TextMap::default()),
        Value::Object(table) => table,
        _ => return Err(Fault::new("the value is not a table", remedy)),
    };
    let mut map = BTreeMap::new();
    for (name, value) in table {
        let read = text(255)(&Given { value, base: given.base });
        // A name that is not known is wrong whatever is said of it.
        check(name, read.as_deref().unwrap_or_default())?;
        let value = read.map_err(|fault| Fault::new(format!("{name}: {}", fault.problem), remedy))?;
        map.insert(name.clone(), value);
    }
    Ok(TextMap(map))
}
