//! `[second_factor]`: who must have more than a password, and what counts as more.
use super::{
    parse::{Seconds, seconds, switch, word},
    setting::{Fallback, section, words},
};

section! {
    /// Steps of a sign-in beyond the password.
    pub struct SecondFactor at "second_factor." {
        /// Who needs a second factor at every sign-in: `nobody` but who has set one up, `admins`, or `everybody`. Who has
        /// none yet sets one up at the next sign-in. A client asks for itself with `require_second_factor`, or with
        /// acr_values=aal2. Default: nobody.
        required: Whom = Fallback::Fixed("nobody"), word;
        /// How long a browser that its person trusts is not asked for the second factor. 0s: always asked. At most 90d.
        /// Default: 30d.
        trust_devices: Seconds = Fallback::Fixed("30d"), seconds(0, 90 * Seconds::DAY);
        /// Whether a code of an authenticator app counts only in its own 30 seconds, and not in the 30 after them too.
        /// Default: false.
        strict_totp: bool = Fallback::Fixed("false"), switch;
        /// Whether a passkey must ask for a PIN, a finger or a face each time. `preferred` also takes keys that cannot, as a
        /// second factor after the password; to sign in without a password it must in any case. Default: required.
        verify_passkeys: Verify = Fallback::Fixed("required"), word;
        /// Whether a code by mail is a second factor, for everybody whose address is confirmed: beside what they have set
        /// up, and enough where one is required. Whoever reads the mails of a person then needs nothing else for a
        /// forgotten password and the second step, so it never counts as aal2. Default: false.
        mail_codes: bool = Fallback::Fixed("false"), switch;
        /// Whether people may sign in by a link that is mailed to them, without a password. Whoever has a second factor, or
        /// needs one, is asked for it all the same, and it is never aal2. Default: false.
        magic_links: bool = Fallback::Fixed("false"), switch;
        /// How long after a sign-in somebody may change what they sign in with without proving again who they are. From 1m
        /// to 1h. Default: 10m.
        fresh: Seconds = Fallback::Fixed("10m"), seconds(Seconds::MINUTE, Seconds::HOUR);
    }
}

words! {
    /// Whether passkeys make sure that it is their owner (WebAuthn §6.1, UV).
    pub enum Verify {
        /// Each time.
        Required = "required",
        /// Where they can.
        Preferred = "preferred",
    }
}

words! {
    /// Who needs a second factor.
    pub enum Whom {
        /// Who has set one up, and nobody else.
        Nobody = "nobody",
        /// Administrators.
        Admins = "admins",
        /// Everybody.
        Everybody = "everybody",
    }
}
