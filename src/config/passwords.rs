//! `[passwords]`: what a password costs to check, and what is asked of a new one.
use super::{
    parse::{optional, switch, whole, word},
    reader::Reader,
    setting::{Fallback, section, words},
};
use crate::protocol::password::Policy;

section! {
    /// Argon2id (RFC 9106), and what is asked of new passwords. Dearer settings reach the stored passwords as people
    /// sign in.
    pub struct Passwords at "passwords." {
        /// How many are checked at once, from 1 to 256; two more wait for each of them, or for each processor if those are more,
        /// for two seconds at most. Default: one for each processor but one, so that apps get their tokens while a crowd signs
        /// in; on one processor, one.
        threads: Option<u32> = Fallback::Unset, optional(whole(1..=256));
        /// Memory for one check, in KiB. At least 19456. Default: 65536, which is 64 MiB.
        memory_kib: u32 = Fallback::Fixed("65536"), whole(19_456..=4_194_304);
        /// Passes over that memory. From 2 to 100. Default: 3.
        iterations: u32 = Fallback::Fixed("3"), whole(2..=100);
        /// Lanes. From 1 to 16. Default: 1.
        parallelism: u32 = Fallback::Fixed("1"), whole(1..=16);
        /// What the settings below are unless they are given: `nist` asks for length and strength (NIST SP 800-63B-4
        /// §3.1.1.2), `classic` for 12 characters of four kinds. Default: nist.
        policy: Preset = Fallback::Fixed("nist"), word;
        /// The fewest characters of a new password, from 8 to 64. NIST SP 800-63B-4 §3.1.1.2 wants 15 where the password
        /// is the only factor. Default: 15, with `classic` 12.
        minimum_length: u32 = Fallback::Derived(|reader| preset(reader, ["15", "12"])), whole(8..=64);
        /// How hard to guess a new password must be, as zxcvbn estimates it: from 0, anything, to 4, out of reach even
        /// for whoever has stolen the database. Default: 3, with `classic` 0.
        minimum_strength: u32 = Fallback::Derived(|reader| preset(reader, ["3", "0"])), whole(0..=4);
        /// Whether a new password needs an upper-case and a lower-case letter, a digit and a symbol. Default: false, with
        /// `classic` true.
        character_kinds: bool = Fallback::Derived(|reader| preset(reader, ["false", "true"])), switch;
        /// Whether passwords that many people use are refused. Default: true.
        blocklist: bool = Fallback::Fixed("true"), switch;
        /// So many of a person's last passwords may not come back, the one in use among them. From 0 to 24. Default: 5.
        history: u32 = Fallback::Fixed("5"), whole(0..=24);
    }
}

words! {
    /// A policy to begin with.
    pub enum Preset {
        /// Length and strength.
        Nist = "nist",
        /// Kinds of characters.
        Classic = "classic",
    }
}

/// What a setting is by the policy; nothing while the policy itself is wrong.
fn preset(reader: &Reader<'_>, [nist, classic]: [&str; 2]) -> Option<String> {
    let value = if reader.shown("passwords.policy")? == Preset::Classic.as_str() { classic } else { nist };
    Some(value.to_owned())
}

impl Passwords {
    /// What is asked of a new password.
    pub fn policy(&self) -> Policy {
        Policy {
            least: self.minimum_length as usize,
            strength: u8::try_from(self.minimum_strength).unwrap_or(u8::MAX),
            kinds: self.character_kinds,
            blocklist: self.blocklist,
        }
    }

    pub(super) fn check(&self, reader: &mut Reader<'_>) {
        if self.minimum_length < 15 {
            let message = "fewer than 15 characters are too few for a password that is the only factor";
            let key = if reader.is_given("passwords.minimum_length") { "minimum_length" } else { "policy" };
            reader.warn(&format!("passwords.{key}"), message);
        }
        if !self.blocklist {
            let message = "passwords that everybody tries first are allowed";
            reader.warn("passwords.blocklist", message);
        }
    }
}
