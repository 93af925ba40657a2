//! The pages of accounts, filled with data.

use signet::{app::text::Texts, http::pages::views::*, protocol::password::Policy};

use super::samples::{self, Data, Sample, page};

pub fn all(texts: &'static Texts, data: Data) -> Vec<Sample> {
    let mut samples = entry(texts, data);
    samples.extend(Announced::ALL.map(|what| announcement(texts, data, what)));
    samples.extend(own(texts, data));
    samples
}

fn given(value: &str, problem: Option<InputProblem>) -> Input {
    Input { value: value.to_owned(), problem }
}

fn new_password(texts: &Texts, data: Data, problem: Option<InputProblem>) -> NewPassword {
    let policy = Policy { least: 15, strength: 3, kinds: true, blocklist: true };
    let about = vec![data.word("Ada Lovelace")];
    NewPassword { problem, about, ..NewPassword::new("new-password", texts.get("reset.password"), policy) }
}

fn entry(texts: &'static Texts, data: Data) -> Vec<Sample> {
    let complaint = |wrong: bool| wrong.then_some(Complaint::LookAgain);
    let register = |client, wrong: bool| {
        let problem = |problem| wrong.then_some(problem);
        let email = TextField::email("register-email", texts.get("register.email"));
        let name = TextField::new("register-name", "name", texts.get("register.name")).required();
        let username = TextField::new("register-username", "username", texts.get("register.username"));
        let email = email.given(given(&data.word("ada@example"), problem(InputProblem::NotAnEmail)));
        let username = username.hint(texts.get("register.username_hint"));
        Register {
            frame: data.frame(texts),
            action: "/account/register".to_owned(),
            client,
            complaint: complaint(wrong),
            fields: vec![
                TextField { focus: true, ..email },
                name.given(given(&data.word("Ada Lovelace"), None)),
                username.given(given(&data.word("ada"), problem(InputProblem::Taken))),
            ],
            new_password: new_password(texts, data, problem(InputProblem::PasswordTooShort { minimum: 15 })),
            sign_in: "/account/login".to_owned(),
        }
    };
    let verify = |password: bool, wrong: bool| {
        let field = TextField::password("verify-password", "password", texts.get("verify.password"));
        let field = field.given(given("", wrong.then_some(InputProblem::Wrong)));
        Verify {
            frame: data.frame(texts),
            action: "/account/verify?token=abc".to_owned(),
            email: data.word("ada@example.org"),
            complaint: complaint(wrong),
            password: password.then_some(TextField { focus: true, ..field }),
            sign_in: None,
        }
    };
    let forgot = |wrong: bool| {
        let login = TextField::new("forgot-login", "login", texts.get("login.username")).required();
        let login = login.given(given(&data.word("ada"), wrong.then_some(InputProblem::Missing)));
        Forgot {
            frame: data.frame(texts),
            action: "/account/forgot".to_owned(),
            complaint: complaint(wrong),
            login: TextField { focus: true, ..login },
            sign_in: "/account/login".to_owned(),
        }
    };
    let reset = |wrong: bool| {
        let password = new_password(texts, data, wrong.then_some(InputProblem::PasswordTooCommon));
        Reset {
            frame: data.frame(texts),
            action: "/account/reset?token=abc".to_owned(),
            login: data.word("ada@example.org"),
            complaint: complaint(wrong),
            new_password: NewPassword { focus: true, ..password },
        }
    };
    let question = |what| Question {
        frame: data.frame(texts),
        action: "/account/email/confirm?token=abc".to_owned(),
        what,
        about: data.word("ada@example.org"),
        complaint: None,
        password: None,
        sign_in: None,
    };
    let ids = &["register-email", "register-submit", "register-sign-in"];
    vec![
        page("register", ids, &register(None, false)),
        page("register-wrong", ids, &register(Some(data.client()), true)),
        page("verify", &["verify-submit"], &verify(false, false)),
        page("verify-password-wrong", &["verify-password", "verify-submit"], &verify(true, true)),
        page("forgot", &["forgot-login", "forgot-submit"], &forgot(false)),
        page("forgot-wrong", &["forgot-login", "forgot-submit"], &forgot(true)),
        page("reset", &["reset-submit"], &reset(false)),
        page("reset-wrong", &["reset-submit"], &reset(true)),
        page("question-confirm-email", &["question-submit"], &question(Asked::ConfirmEmail)),
        page(
            "question-sign-in-first",
            &["question-sign-in"],
            &Question { sign_in: Some("/account/login".to_owned()), ..question(Asked::ConfirmEmail) },
        ),
        page(
            "verify-sign-in-first",
            &["verify-sign-in"],
            &Verify { sign_in: Some("/account/login".to_owned()), ..verify(false, false) },
        ),
        page("question-keep-email", &["question-submit"], &question(Asked::KeepEmail)),
        page("question-keep-account", &["question-submit"], &question(Asked::KeepAccount)),
    ]
}

fn announcement(texts: &'static Texts, data: Data, what: Announced) -> Sample {
    let on = matches!(what, Announced::ResetDone | Announced::DeadLink).then(|| "/account".to_owned());
    let time = Some(data.word("7 days"));
    page(what.name(), &[], &Announcement { frame: data.frame(texts), what, time, on })
}

fn area(section: Section, notice: Option<Notice>) -> Area {
    Area { section, notice, has_providers: true }
}

fn own(texts: &'static Texts, data: Data) -> Vec<Sample> {
    let home = |email_verified: bool| AccountHome {
        frame: data.frame(texts),
        area: area(Section::Overview, (!email_verified).then_some(Notice::Saved)),
        person: data.person(),
        email_verified,
        signed_in: Moment::of(texts, 1_795_167_840),
        ends: Moment::of(texts, 1_795_254_240),
        methods: vec!["pwd".to_owned()],
        try_it: Some("/try".to_owned()),
        outbox: Some("/outbox".to_owned()),
    };
    let password_again = |wrong: bool| {
        let field = TextField::password("current-password", "current_password", texts.get("area.current_password"));
        let field = field.hint(texts.get("area.current_password_hint"));
        field.given(given("", wrong.then_some(InputProblem::Wrong)))
    };
    let email = |verified: bool, wrong: bool| {
        let new = TextField::email("email-new", texts.get("email.new"));
        let new = new.given(given(&data.word(""), wrong.then_some(InputProblem::AlreadyYours)));
        EmailPage {
            frame: data.frame(texts),
            area: area(Section::Email, (!verified && !wrong).then_some(Notice::LinkSent)),
            current: Some(data.word("ada@example.org")),
            verified,
            complaint: wrong.then_some(Complaint::LookAgain),
            fields: vec![TextField { focus: wrong, ..new }, password_again(wrong)],
            again: None,
        }
    };
    let password = |wrong: bool| {
        let field = TextField::password("password-current", "current_password", texts.get("password.current"));
        let field = field.given(given("", wrong.then_some(InputProblem::Wrong)));
        PasswordPage {
            frame: data.frame(texts),
            area: area(Section::Password, None),
            login: data.word("ada@example.org"),
            complaint: wrong.then_some(Complaint::LookAgain),
            current: Some(TextField { focus: wrong, ..field }),
            again: None,
            new_password: new_password(texts, data, None),
        }
    };
    let home_ids = &["account-sign-out", "language", "account-email"];
    vec![
        page("account", home_ids, &home(true)),
        page("account-unconfirmed", home_ids, &home(false)),
        page("email", &["email-new", "email-submit"], &email(true, false)),
        page("email-unconfirmed", &["email-resend"], &email(false, false)),
        page("email-wrong", &["email-new", "email-submit"], &email(true, true)),
        page("password", &["password-current", "password-submit"], &password(false)),
        page("profile", &["profile-submit"], &profile(texts, data, false)),
        page("profile-wrong", &["profile-submit"], &profile(texts, data, true)),
        page("sessions", &["sessions-others", "sessions-everywhere", "end-0b8c"], &sessions(texts, data, false)),
        page("sessions-wrong", &["current-password", "sessions-others"], &sessions(texts, data, true)),
        page("apps", &["revoke-1", "revoke-2"], &apps(texts, data)),
        page("apps-none", &["account-sign-out"], &AppsPage { apps: vec![], ..apps(texts, data) }),
        page("security", &["security-log", "security-older"], &security(texts, data, false)),
        page("security-attempts", &["security-log", "security-newest"], &security(texts, data, true)),
        page("factors", &["factors-remove", "factors-renew", "factors-forget-all"], &factors(texts, data, true)),
        page("factors-again", &["factors-again", "forget-0b8c"], &factors(texts, data, false)),
        page("factors-confirm", &["factor-qr", "factor-secret"], &factor_to_confirm(texts, data, false)),
        page("factors-confirm-wrong", &["factor-code", "factors-confirm"], &factor_to_confirm(texts, data, true)),
        page("providers", &["disconnect-2d0e", "connect-google"], &providers(texts, data, true)),
        page("providers-again", &["providers-again"], &providers(texts, data, false)),
        page(
            "providers-last",
            &["disconnect-2d0e"],
            &ProvidersPage { complaint: Some(Complaint::LastWayIn), ..providers(texts, data, true) },
        ),
        page(
            "providers-none",
            &["connect-google"],
            &ProvidersPage { connected: vec![], ..providers(texts, data, true) },
        ),
        page("data", &["export-submit", "delete-submit"], &deletion(texts, data, false)),
        page("data-wrong", &["delete-password", "delete-submit"], &deletion(texts, data, true)),
        page(
            "password-first",
            &["password-submit"],
            &PasswordPage {
                current: None,
                area: area(Section::Password, Some(Notice::ProviderUnlinked)),
                ..password(false)
            },
        ),
        page(
            "password-first-again",
            &["password-again"],
            &PasswordPage { current: None, again: Some(again("password")), ..password(false) },
        ),
        page("email-again", &["email-again"], &EmailPage { again: Some(again("email")), ..email(true, false) }),
        page("data-again", &["delete-again"], &DataPage { again: Some(again("data")), ..deletion(texts, data, false) }),
        page("data-without-password", &["delete-submit"], &DataPage { password: None, ..deletion(texts, data, false) }),
        page("password-wrong", &["password-current", "password-submit"], &password(true)),
    ]
}

fn again(section: &str) -> String {
    format!("/account/login?to={section}&again=yes")
}

fn profile(texts: &'static Texts, data: Data, wrong: bool) -> ProfilePage {
    let field = |id: &'static str, name: &'static str, label: &str, value: &str| {
        let field = TextField::new(id, name, label).given(given(&data.word(value), None));
        TextField { unmarked: true, ..field }
    };
    let date = field("profile-birthdate", "birthdate", texts.get("claim.birthdate"), "1815-12-10");
    let date = date.hint(texts.get("profile.birthdate_hint"));
    let problem = wrong.then_some(InputProblem::NotADate);
    let date = TextField { focus: wrong, ..date.clone().given(Input { problem, ..date.input }) };
    let group = |id, title: &str, fields| Group { id, title: texts.get(title).to_owned(), fields };
    ProfilePage {
        frame: data.frame(texts),
        area: area(Section::Profile, (!wrong).then_some(Notice::Saved)),
        complaint: wrong.then_some(Complaint::LookAgain),
        groups: vec![
            group(
                "profile-names",
                "profile.name_group",
                vec![
                    field("profile-name", "name", texts.get("claim.name"), "Ada King Lovelace").wide(),
                    field("profile-given-name", "given_name", texts.get("claim.given_name"), "Ada"),
                    field("profile-family-name", "family_name", texts.get("claim.family_name"), "Lovelace"),
                ],
            ),
            group(
                "profile-about",
                "profile.about_group",
                vec![
                    date,
                    field("profile-gender", "gender", texts.get("claim.gender"), ""),
                    field("profile-bio", "bio", texts.get("profile.bio"), "Poetical\nscience").kind("textarea").wide(),
                    field("profile-zone", "zoneinfo", texts.get("claim.zoneinfo"), "Europe/London").list("zones"),
                ],
            ),
        ],
    }
}

fn sessions(texts: &'static Texts, data: Data, wrong: bool) -> SessionsPage {
    let device = |id: &str, is_this, name: Option<&str>, apps: Vec<String>| Device {
        id: id.to_owned(),
        name: name.map(|name| data.word(name)),
        is_program: name.is_none(),
        is_this,
        address: Some(data.word("203.0.113.7")),
        place: (!is_this).then(|| data.word("London, United Kingdom")),
        created: Moment::of(texts, 1_795_167_840),
        last_used: Moment::of(texts, 1_795_254_240),
        apps,
    };
    let field = TextField::password("current-password", "current_password", texts.get("area.current_password"));
    let field = field.hint(texts.get("area.current_password_hint"));
    let field = field.given(given("", wrong.then_some(InputProblem::Wrong)));
    SessionsPage {
        frame: data.frame(texts),
        area: area(Section::Sessions, (!wrong).then_some(Notice::SessionEnded)),
        complaint: wrong.then_some(Complaint::LookAgain),
        devices: vec![
            device("0b8b", true, Some("Firefox 145, Windows"), vec![data.word("Harbor Books"), data.word("Ledger")]),
            device("0b8c", false, Some("Safari 26, iOS 26"), vec![]),
            device("0b8d", false, None, vec![]),
        ],
        password: wrong.then_some(TextField { focus: true, ..field }),
    }
}

fn apps(texts: &'static Texts, data: Data) -> AppsPage {
    let scope = |name: &str| ScopeLine::of(texts, name, None);
    let app = |client, scopes, used: Option<i64>| AppAccess {
        client_id: data.word("client"),
        client,
        scopes,
        since: Moment::of(texts, 1_795_167_840),
        last_used: used.and_then(|at| Moment::of(texts, at)),
    };
    let plain = ClientCard::new(Some(&data.word("Ledger for Desktop")), "ledger");
    AppsPage {
        frame: data.frame(texts),
        area: area(Section::Apps, None),
        apps: vec![
            app(data.client(), vec![scope("openid"), scope("profile"), scope("email")], Some(1_795_254_240)),
            app(plain, vec![scope("openid"), scope("offline_access"), scope(&data.word("orders:export"))], None),
        ],
    }
}

fn security(texts: &'static Texts, data: Data, attempts: bool) -> SecurityPage {
    let entry = |title: String, odd: bool, app: Option<&str>| LogEntry {
        title,
        odd,
        when: Moment::of(texts, 1_795_167_840),
        device: Some(data.word("Firefox 145, Windows")),
        address: Some(data.word("203.0.113.7")),
        app: app.map(|app| data.word(app)),
    };
    let entries = match attempts {
        true => [("right_password", false), ("wrong_password", true), ("locked_account", true), ("again", false)]
            .map(|(reason, odd)| entry(attempt(texts, reason), odd, None))
            .to_vec(),
        false => {
            [("new_device", true, None), ("app_revoked", false, Some("Harbor Books")), ("registered", false, None)]
                .map(|(kind, odd, app)| entry(event(texts, kind), odd, app))
                .to_vec()
        }
    };
    SecurityPage {
        frame: data.frame(texts),
        area: area(Section::Security, None),
        attempts,
        entries,
        newest: attempts.then(|| "/account/security/sign-ins".to_owned()),
        older: Some("/account/security?before=0b8c".to_owned()),
    }
}

fn factors(texts: &'static Texts, data: Data, is_fresh: bool) -> FactorsPage {
    let device = |id: &str| TrustedBrowser {
        id: id.to_owned(),
        name: Some(data.word("Firefox 145, Windows")),
        address: Some(data.word("203.0.113.7")),
        last_used: Moment::of(texts, 1_795_167_840),
        until: Moment::of(texts, 1_797_759_840),
    };
    let passkey = |id: &str, name: &str, synced| PasskeyEntry {
        id: id.to_owned(),
        name: data.word(name),
        synced,
        added: Moment::of(texts, 1_795_167_840),
        last_used: synced.then(|| Moment::of(texts, 1_795_267_840)).flatten(),
    };
    FactorsPage {
        frame: data.frame(texts),
        area: area(Section::Factors, None),
        complaint: None,
        problem: false,
        passkeys: vec![passkey("2d0e", "My phone", true), passkey("3e1f", "The blue key on the key ring", false)],
        ask: Some("/account/factors/passkey".to_owned()),
        name: given("", None),
        refused: false,
        app_since: Moment::of(texts, 1_795_167_840),
        codes_left: Some(9),
        key: None,
        is_fresh,
        again: "/account/login?to=factors&again=yes".to_owned(),
        has_trust: true,
        trusted: vec![device("0b8c"), device("1c9d")],
    }
}

fn providers(texts: &'static Texts, data: Data, is_fresh: bool) -> ProvidersPage {
    let account = |id: &str, provider: &str, label: Option<&str>, works| ConnectedAccount {
        id: id.to_owned(),
        provider: data.word(provider),
        label: label.map(|label| data.word(label)),
        works,
        added: Moment::of(texts, 1_795_167_840),
        last_used: works.then(|| Moment::of(texts, 1_795_267_840)).flatten(),
    };
    let button = |name: &str, title: &str| ProviderButton {
        action: format!("/account/providers/{name}"),
        name: name.to_owned(),
        title: data.word(title),
        mark: Mark::Picture("/static/touch-icon.png".to_owned()),
    };
    ProvidersPage {
        frame: data.frame(texts),
        area: area(Section::Providers, is_fresh.then_some(Notice::ProviderLinked)),
        complaint: None,
        connected: vec![
            account("2d0e", "Google", Some("ada.lovelace@example.org"), true),
            account("3e1f", "Harbor Books", None, false),
        ],
        offered: vec![button("google", "Google"), button("github", "GitHub")],
        is_fresh,
        again: "/account/login?to=providers&again=yes".to_owned(),
    }
}

fn factor_to_confirm(texts: &'static Texts, data: Data, wrong: bool) -> FactorsPage {
    FactorsPage {
        complaint: wrong.then_some(Complaint::LookAgain),
        problem: wrong,
        passkeys: Vec::new(),
        name: given("", wrong.then_some(InputProblem::TooLong)),
        refused: wrong,
        app_since: None,
        codes_left: None,
        key: Some(samples::app_key(data)),
        trusted: Vec::new(),
        ..factors(texts, data, true)
    }
}

fn deletion(texts: &'static Texts, data: Data, wrong: bool) -> DataPage {
    let field = TextField::password("delete-password", "current_password", texts.get("area.current_password"));
    let field = field.given(given("", wrong.then_some(InputProblem::Missing)));
    DataPage {
        frame: data.frame(texts),
        area: area(Section::Data, None),
        complaint: wrong.then_some(Complaint::LookAgain),
        grace: (!wrong).then(|| data.word("7 days")),
        login: data.word("ada@example.org"),
        password: Some(TextField { focus: wrong, ..field }),
        again: None,
    }
}
