//! RFC 8176 and NIST SP 800-63B-4 §2: by what means people have proved who they are, and what that is worth. Nothing here
//! claims more than was done (case SEC-131).

use std::{collections::BTreeSet, fmt};

/// A means by which somebody has proved who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    Password,
    /// A code of an authenticator app (RFC 6238).
    Totp,
    /// One of the codes that were written down.
    RecoveryCode,
    /// A passkey that cannot leave its device.
    DevicePasskey,
    /// A passkey that a vendor keeps on all devices of its owner.
    SyncedPasskey,
    /// The passkey has asked for a PIN, a finger or a face: it is two factors in one (WebAuthn §6.1, UV).
    UserVerified,
    /// A code or a link that came by mail.
    Mail,
    /// A provider says who it is. How it knows is not told, so it is one factor.
    Federated,
    /// The provider has seen two factors, and the operator believes it.
    FederatedTwo,
    /// The second step was done at this browser some time ago, and is not asked for again. No proof of its own.
    TrustedDevice,
}

impl Method {
    const ALL: [Method; 10] = [
        Method::Password,
        Method::Totp,
        Method::RecoveryCode,
        Method::DevicePasskey,
        Method::SyncedPasskey,
        Method::UserVerified,
        Method::Mail,
        Method::Federated,
        Method::FederatedTwo,
        Method::TrustedDevice,
    ];

    /// As it is kept. Those that clients see are the names of RFC 8176 §2 where it has one.
    pub const fn name(self) -> &'static str {
        match self {
            Method::Password => "pwd",
            Method::Totp => "otp",
            Method::RecoveryCode => "recovery_code",
            Method::DevicePasskey => "hwk",
            Method::SyncedPasskey => "swk",
            Method::UserVerified => "uv",
            Method::Mail => "email",
            Method::Federated => "federated",
            Method::FederatedTwo => "federated_two",
            Method::TrustedDevice => "trusted",
        }
    }

    /// Clients hear of it in `amr`.
    const fn is_told(self) -> bool {
        !matches!(self, Method::UserVerified | Method::FederatedTwo | Method::TrustedDevice)
    }

    const fn is_passkey(self) -> bool {
        matches!(self, Method::DevicePasskey | Method::SyncedPasskey)
    }
}

/// What a sign-in is worth: an authentication context class (OpenID Connect Core §2, `acr`), the stronger the greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Level {
    /// One factor: NIST's AAL1.
    #[default]
    One,
    /// Two different factors: NIST's AAL2.
    Two,
}

impl Level {
    /// Weakest first, as metadata lists them.
    pub const ALL: [Level; 2] = [Level::One, Level::Two];

    /// `acr`.
    pub const fn acr(self) -> &'static str {
        match self {
            Level::One => "aal1",
            Level::Two => "aal2",
        }
    }

    /// The level that clients call so.
    pub fn parse(acr: &str) -> Option<Self> {
        Level::ALL.into_iter().find(|level| level.acr() == acr)
    }
}

/// Which level a client would have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    pub level: Level,
    /// A weaker sign-in is of no use to it (OpenID Connect Core §5.5.1.1).
    pub essential: bool,
}

impl Wanted {
    /// `acr_values`, or the client's `default_acr_values`: the first that is known here, in the order of preference. What
    /// is asked for so is voluntary (OpenID Connect Core §3.1.2.1).
    pub fn voluntary<'a>(values: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let level = values.into_iter().find_map(Level::parse)?;
        Some(Wanted { level, essential: false })
    }

    /// Of several that will all do, the one that asks least of the person.
    pub fn essential<'a>(values: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let level = values.into_iter().filter_map(Level::parse).min()?;
        Some(Wanted { level, essential: true })
    }
}

/// The means of one sign-in, together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Methods(BTreeSet<Method>);

impl Methods {
    pub fn of(methods: impl IntoIterator<Item = Method>) -> Self {
        Methods(methods.into_iter().collect())
    }

    /// A name and a password, as most sign-ins begin.
    pub fn password() -> Self {
        Methods::of([Method::Password])
    }

    /// As they are kept: their names with a space between. What nobody knows any more counts for nothing.
    pub fn parse(kept: &str) -> Self {
        Methods::of(kept.split(' ').filter_map(|name| Method::ALL.into_iter().find(|method| method.name() == name)))
    }

    #[must_use]
    pub fn and(&self, more: &Methods) -> Self {
        Methods(self.0.union(&more.0).copied().collect())
    }

    pub fn contains(&self, method: Method) -> bool {
        self.0.contains(&method)
    }

    /// As they are kept, one by one.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|method| method.name())
    }

    pub fn has_passkey(&self) -> bool {
        self.0.iter().any(|method| method.is_passkey())
    }

    /// What came by mail has stood in for the password: no second factor makes two different ones of it.
    pub fn stands_on_mail(&self) -> bool {
        self.contains(Method::Mail)
            && !self.contains(Method::Password)
            && !self.contains(Method::Federated)
            && !self.is_verified_passkey()
    }

    /// Two proofs, of whatever kind, or one that is two in itself.
    pub fn is_two_steps(&self) -> bool {
        let proofs = self.0.iter().filter(|method| **method != Method::UserVerified).count();
        proofs > 1 || self.is_verified_passkey()
    }

    fn is_verified_passkey(&self) -> bool {
        self.has_passkey() && self.contains(Method::UserVerified)
    }

    /// Something known and something had, or both in a passkey. What comes by mail is no factor of its own kind
    /// (NIST SP 800-63B-4 §3.1.3.1).
    pub fn level(&self) -> Level {
        let had = [Method::Totp, Method::RecoveryCode].into_iter().any(|method| self.contains(method));
        let first = self.contains(Method::Password) || self.contains(Method::Federated);
        let both = first && (had || self.has_passkey()) || self.contains(Method::FederatedTwo);
        if both || self.is_verified_passkey() { Level::Two } else { Level::One }
    }

    /// RFC 8176: the means, that the person was there, and that they are two factors.
    pub fn amr(&self) -> Vec<&'static str> {
        let named = self.0.iter().filter(|method| method.is_told()).map(|method| method.name());
        let user = self.has_passkey().then_some("user");
        let mfa = (self.level() == Level::Two).then_some("mfa");
        named.chain(user).chain(mfa).collect()
    }
}

impl fmt::Display for Methods {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names().collect::<Vec<_>>().join(" "))
    }
}
