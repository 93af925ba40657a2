//! `[passwords]`: what a password costs to check, and how long it must be.
use super::{
    parse::whole,
    reader::Reader,
    setting::{Fallback, section},
};

section! {
    /// Argon2id (RFC 9106) and the length of passwords. Dearer settings reach the stored passwords as people sign in.
    pub struct Passwords at "passwords." {
        /// Memory for one check, in KiB; one check runs per processor. At least 19456. Default: 65536, which is 64 MiB.
        memory_kib: u32 = Fallback::Fixed("65536"), whole(19_456..=4_194_304);
        /// Passes over that memory. From 2 to 100. Default: 3.
        iterations: u32 = Fallback::Fixed("3"), whole(2..=100);
        /// Lanes. From 1 to 16. Default: 1.
        parallelism: u32 = Fallback::Fixed("1"), whole(1..=16);
        /// The fewest characters of a new password, from 8 to 64. NIST SP 800-63B-4 §3.1.1.2 wants 15 where the password
        /// is the only factor. Default: 15.
        minimum_length: u32 = Fallback::Fixed("15"), whole(8..=64);
    }
}

impl Passwords {
    pub(super) fn check(&self, reader: &mut Reader<'_>) {
        if self.minimum_length < 15 {
            let message = "fewer than 15 characters are too few for a password that is the only factor";
            reader.warn("passwords.minimum_length", message);
        }
    }
}
