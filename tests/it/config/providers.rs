//! Declared providers.
use signet::{
    config::{ProviderKind, ProviderLink},
    flows::upstream::declared,
    protocol::upstream::{AuthMethod, Link},
};

use super::{refusal, settings};

const COMPANY: &str = "[[providers]]\nname = 'company'\nkind = 'oidc'\nclient_id = 'us'\n\
                       client_secret = 'f3c19be07d5a4a60b2'\nissuer = 'https://login.example'\n";

#[test]
fn a_provider_has_defaults_for_all_but_its_name_its_kind_and_our_id() {
    let config = settings("[[providers]]\nname = 'google'\nkind = 'google'\nclient_id = 'us'\nclient_secret = 'x1'\n");
    let google = &config.providers[0];
    assert_eq!((google.kind, google.link, google.order), (ProviderKind::Google, ProviderLink::SignIn, 100));
    assert!(!google.sign_up && !google.trust_second_factor && !google.hidden && google.scopes.is_none());
    let kept = google.settings();
    assert_eq!((kept.kind.as_str(), kept.link, kept.issuer), ("google", Link::SignIn, None));
    declared::check(&config).unwrap();
}

#[test]
fn a_provider_is_kept_as_it_is_declared() {
    let kept = settings(&format!(
        "{COMPANY}token_endpoint_auth_method = 'client_secret_post'\nscopes = ['openid', 'email']\nsign_up = true\n\
         email_domains = ['Example.COM', 'bücher.example']\nlink = 'verified_email'\n\
         claims = {{ name = 'user.name', email = 'mail' }}\ngroups_claim = 'groups'\nadmin_groups = ['wheel']\norder = 7\n"
    ))
    .providers[0]
        .settings();
    assert_eq!(kept.token_endpoint_auth_method, Some(AuthMethod::ClientSecretPost));
    assert_eq!(kept.scopes.as_deref(), Some(&["openid".to_owned(), "email".to_owned()][..]));
    assert_eq!(kept.email_domains, ["example.com", "xn--bcher-kva.example"]);
    assert_eq!((kept.link, kept.order, kept.sign_up), (Link::VerifiedEmail, 7, true));
    assert_eq!(kept.claims["email"], "mail");
    let json = serde_json::to_string(&kept).unwrap();
    assert!(!json.contains("f3c19be07d5a4a60b2") && json.contains("\"verified_email\""), "{json}");
}

#[test]
fn a_provider_is_refused_when() {
    for (says, extra) in [
        ("providers[0].name = \"My Company\": the name has other characters", "name = 'My Company'"),
        ("providers[0].name = \"-a\": the name has other characters", "name = '-a'"),
        ("providers[0].kind = \"saml\": the value is not one of the known words", "kind = 'saml'"),
        ("providers[0].client_secret = (hidden): the secret is a sample", "client_secret = 'changeme'"),
        ("providers[0].client_secret = (hidden): the secret is empty, or has spaces", "client_secret = 'a b'"),
        ("providers[0].claims = {\"role\":\"x\"}: there is no claim \"role\" to map", "claims = { role = 'x' }"),
        ("providers[0].claims = {\"name\":1}: name: the value is not a text", "claims = { name = 1 }"),
        (
            "providers[0].authorization_params = {\"state\":\"x\"}: state is not to be set here",
            "authorization_params = { state = 'x' }",
        ),
        (
            "providers[0].authorization_params = {\"prompt\":\"none\"}: prompt: \"none\" lets nobody",
            "authorization_params = { prompt = 'none' }",
        ),
        (
            "providers[0].authorization_params = {\"response_mode\":\"fragment\"}: response_mode: \"fragment\" does not come",
            "authorization_params = { response_mode = 'fragment' }",
        ),
        ("providers[0].claims = \"name\": the value is not a table", "claims = 'name'"),
        ("providers[0].email_domains = [\"example\"]: item 1: this is not a domain", "email_domains = ['example']"),
        ("providers[0].email_domains = [\"10.0.0.1/8\"]: item 1: this is not", "email_domains = ['10.0.0.1/8']"),
        ("providers[0].icon = \"none.png\": the picture cannot be read", "icon = 'none.png'"),
        ("providers[0].icon = \"data:image/png;base64,", "icon = 'data:image/png;base64,PHN2Zz4='"),
        ("providers[0].hint_domains = [\"example\"]: item 1: this is not a domain", "hint_domains = ['example']"),
        ("providers[0].order = -1: the value is too small", "order = -1"),
        ("providers[0].link = \"email\": the value is not one of the known words", "link = 'email'"),
    ] {
        let key = extra.split_once(" = ").unwrap().0;
        let without: String = COMPANY
            .lines()
            .filter(|line| !line.starts_with(&format!("{key} =")))
            .fold(String::new(), |text, line| text + line + "\n");
        let said = refusal(&format!("{without}{extra}\n"));
        assert!(said.contains(says), "{said}");
    }
    let said = refusal(&format!("{COMPANY}{COMPANY}"));
    assert!(said.contains("providers[1].name = \"company\"") && said.contains("declares the same one"), "{said}");
}

/// What does not go together, with file, key and remedy too.
#[test]
fn a_declaration_is_refused_when() {
    let oidc = "name = 'a'\nclient_id = 'us'\nclient_secret = 'f3c1'\n";
    let plain = "authorization_endpoint = 'https://a.example/a'\ntoken_endpoint = 'https://a.example/t'\n\
                 userinfo_endpoint = 'https://a.example/u'\n";
    for (says, entry) in [
        ("providers[0].issuer: is missing", format!("{oidc}kind = 'oidc'\n")),
        ("must be an https address", format!("{oidc}kind = 'oidc'\nissuer = 'http://a.example'\n")),
        ("must be an https address", format!("{oidc}kind = 'oidc'\nissuer = 'https://a.example/?x=1'\n")),
        ("must be an https address", format!("{oidc}kind = 'oidc'\nissuer = 'https://u:p@a.example'\n")),
        ("must be an https address", format!("{oidc}kind = 'oidc'\nissuer = 'a.example'\n")),
        ("must be an https address", format!("{oidc}kind = 'github'\napi_url = 'ftp://a.example'\n")),
        ("lack openid", format!("{oidc}kind = 'google'\nscopes = ['email']\n")),
        ("cannot name another sub", format!("{oidc}kind = 'google'\nclaims = {{ sub = 'email' }}\n")),
        ("cannot name another sub", format!("{oidc}kind = 'github'\nclaims = {{ sub = 'login' }}\n")),
        ("must say which member is sub", format!("{oidc}kind = 'oauth2'\n{plain}")),
        ("token_endpoint: is missing", format!("{oidc}kind = 'oauth2'\nclaims = {{ sub = 'id' }}\n")),
        ("client_secret: is missing", "name = 'a'\nclient_id = 'us'\nkind = 'google'\n".to_owned()),
        ("of no use with the method none", format!("{oidc}kind = 'google'\ntoken_endpoint_auth_method = 'none'\n")),
        ("groups_claim: is missing", format!("{oidc}kind = 'google'\nadmin_groups = ['a']\n")),
    ] {
        let said = declared::check(&settings(&format!("[[providers]]\n{entry}"))).unwrap_err().to_string();
        assert!(said.contains(says) && said.contains("signet.toml:"), "{says}: {said}");
    }
    let exempt = "[outbound]\nallow_hosts = ['idp.internal']\n[[providers]]\nname = 'a'\nkind = 'oidc'\n\
                  client_id = 'us'\nclient_secret = 'f3c1'\nissuer = 'http://idp.internal:8080/x'\n";
    declared::check(&settings(exempt)).unwrap();
}

/// Whoever sets something relies on it: what would do nothing is refused, and most of all what would keep nobody out.
#[test]
fn a_setting_that_does_nothing_is_refused() {
    let of_kind = |kind: &str| match kind {
        "oidc" => "issuer = 'https://a.example'\n",
        "oauth2" => {
            "claims = { sub = 'id' }\nauthorization_endpoint = 'https://a.example/a'\n\
             token_endpoint = 'https://a.example/t'\nuserinfo_endpoint = 'https://a.example/u'\n"
        }
        _ => "",
    };
    for (setting, heeding) in [
        ("hosted_domain = 'a.example'", &["google", "oidc"][..]),
        ("trust_second_factor = true", &["google", "oidc"]),
        ("trust_second_factor = true\nsecond_factor_acr = ['gold']", &["google", "oidc"]),
        ("second_factor_acr = ['gold']", &[]),
        ("api_url = 'https://a.example/api'", &["github"]),
        ("authorization_endpoint = 'https://a.example/a'", &["oauth2"]),
        ("token_endpoint = 'https://a.example/t'", &["oauth2"]),
        ("userinfo_endpoint = 'https://a.example/u'", &["oauth2"]),
        ("hidden = true", &["google", "github", "oidc", "oauth2"]),
    ] {
        for kind in ["google", "github", "oidc", "oauth2"] {
            let own = of_kind(kind);
            let setting_once = if own.contains(setting) { "" } else { setting };
            let entry = format!(
                "[[providers]]\nname = 'a'\nkind = '{kind}'\nclient_id = 'us'\nclient_secret = 'f3c1'\n\
                 {own}{setting_once}\n"
            );
            let judged = declared::check(&settings(&entry)).map_err(|refusal| refusal.to_string());
            let name = setting.rsplit('\n').next().unwrap().split(' ').next().unwrap();
            match judged {
                Ok(()) => assert!(heeding.contains(&kind), "{kind} {setting}"),
                Err(said) => {
                    assert!(!heeding.contains(&kind), "{kind} {setting}: {said}");
                    assert!(said.contains(&format!("providers[0].{name}")), "{kind} {setting}: {said}");
                    assert!(said.contains("does nothing"), "{kind} {setting}: {said}");
                }
            }
        }
    }
}
