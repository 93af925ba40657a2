//! What a sign-in is worth, and what a journey then needs.

use signet::protocol::{
    Params, Scope,
    assurance::{Level, Method, Methods, Wanted},
    authorize::{self, Registered, Request},
    step::{self, Known, Step},
    trace::{Kind, Trace},
};
use uuid::Uuid;

use Method::{DevicePasskey, Mail, Password, RecoveryCode, SyncedPasskey, Totp, TrustedDevice, UserVerified};

/// By what, two steps or not, which level, and what clients are told.
type Row = (&'static str, &'static [Method], bool, Level, &'static [&'static str]);

/// RFC 8176, NIST SP 800-63B-4 §2 (case SEC-131): nothing claims more than was done.
#[test]
fn sec_131_a_sign_in_is_worth_what_was_done_when() {
    let table: [Row; 11] = [
        ("nothing", &[], false, Level::One, &[]),
        ("a password", &[Password], false, Level::One, &["pwd"]),
        ("a password and a code", &[Totp, Password], true, Level::Two, &["pwd", "otp", "mfa"]),
        (
            "a password and a recovery code",
            &[Password, RecoveryCode],
            true,
            Level::Two,
            &["pwd", "recovery_code", "mfa"],
        ),
        ("a password where the second step was done before", &[Password, TrustedDevice], true, Level::One, &["pwd"]),
        ("a password and a mail", &[Password, Mail], true, Level::One, &["pwd", "email"]),
        ("a mail and a code", &[Mail, Totp], true, Level::One, &["otp", "email"]),
        ("a passkey", &[DevicePasskey], false, Level::One, &["hwk", "user"]),
        ("a passkey that asked for a PIN", &[SyncedPasskey, UserVerified], true, Level::Two, &["swk", "user", "mfa"]),
        ("a password and a passkey", &[Password, SyncedPasskey], true, Level::Two, &["pwd", "swk", "user", "mfa"]),
        ("codes alone", &[Totp, RecoveryCode], true, Level::One, &["otp", "recovery_code"]),
    ];
    for (by, methods, two_steps, level, amr) in table {
        let methods = Methods::of(methods.iter().copied());
        assert_eq!((methods.is_two_steps(), methods.level()), (two_steps, level), "{by}");
        assert_eq!(methods.amr(), amr, "{by}");
        assert_eq!(Methods::parse(&methods.to_string()), methods, "{by}");
    }
    assert_eq!(Methods::parse("pwd gone otp "), Methods::of([Password, Totp]));
}

#[test]
fn a_client_would_have_the_first_level_that_is_known_and_must_have_the_least() {
    let voluntary = |values: &str| Wanted::voluntary(values.split(' ')).map(|wanted| wanted.level);
    assert_eq!(voluntary("urn:gold aal2 aal1"), Some(Level::Two));
    assert_eq!(voluntary("urn:gold"), None);
    assert_eq!(Wanted::essential(["aal2", "aal1"]).map(|wanted| wanted.level), Some(Level::One));
    assert_eq!(Wanted::essential(["urn:gold"]), None);
}

fn request(query: &str) -> Request {
    let scope: Scope = "openid".parse().unwrap();
    let client = Registered {
        client_id: "c",
        redirect_uris: &["https://rp.example/cb".to_owned()],
        response_types: &["code".to_owned()],
        scope: &scope,
        is_native: false,
        must_use_pkce: false,
        default_max_age: None,
    };
    let query = format!("client_id=c&response_type=code&scope=openid&redirect_uri=https://rp.example/cb&{query}");
    let mut trace = Trace::new("t".to_owned(), Kind::Authorize);
    authorize::validate(&Params::parse(&query), &client, &mut trace).unwrap_or_else(|_| panic!("{query}"))
}

#[test]
fn a_second_factor_is_the_next_step_when() {
    const NOW: i64 = 1000;
    let known = |proved: &[Method]| Known {
        user: Some(Uuid::nil()),
        signed_in_at: Some(900),
        consent_not_needed: true,
        proved: Methods::of(proved.iter().copied()),
        ..Known::default()
    };
    let weak = || known(&[Password]);
    let wants = |essential| Some(Wanted { level: Level::Two, essential });
    let half_way = |known: Known| Known { is_half_way: true, ..known };
    for (when, query, known, next) in [
        ("nobody asks for more", "", weak(), Ok(Step::Issue)),
        ("the operator does", "", Known { needs_two_steps: true, ..weak() }, Ok(Step::SecondFactor)),
        (
            "the browser is trusted",
            "",
            Known { needs_two_steps: true, ..known(&[Password, TrustedDevice]) },
            Ok(Step::Issue),
        ),
        ("it is essential", "", Known { wanted: wants(true), ..weak() }, Ok(Step::SecondFactor)),
        (
            "it is essential, and the browser is trusted",
            "",
            Known { wanted: wants(true), ..known(&[Password, TrustedDevice]) },
            Ok(Step::SecondFactor),
        ),
        ("it is a wish that cannot be granted", "", Known { wanted: wants(false), ..weak() }, Ok(Step::Issue)),
        (
            "it is a wish that can",
            "",
            Known { wanted: wants(false), can_step_up: true, ..weak() },
            Ok(Step::SecondFactor),
        ),
        (
            "it was done",
            "",
            Known { wanted: wants(true), needs_two_steps: true, ..known(&[Password, Totp]) },
            Ok(Step::Issue),
        ),
        (
            "it is essential, and a mail has stood in for the password",
            "",
            Known { wanted: wants(true), needs_two_steps: true, ..known(&[Mail, Totp]) },
            Ok(Step::Login),
        ),
        (
            "a mail has stood in for the password",
            "",
            Known { needs_two_steps: true, ..known(&[Mail]) },
            Ok(Step::SecondFactor),
        ),
        ("no page is allowed", "prompt=none", Known { wanted: wants(true), ..weak() }, Err("login_required")),
        ("the sign-in is too old", "max_age=50", Known { wanted: wants(true), ..weak() }, Ok(Step::Login)),
        ("the password was given", "", half_way(Known::default()), Ok(Step::SecondFactor)),
        ("the password was given again", "prompt=login", half_way(weak()), Ok(Step::SecondFactor)),
        ("somebody else's password was given", "", half_way(known(&[Password, Totp])), Ok(Step::SecondFactor)),
    ] {
        let found = step::next(&request(query), &known, NOW).map_err(|error| error.code.as_str());
        assert_eq!(found, next, "{when}");
    }
}
