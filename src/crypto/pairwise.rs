//! OpenID Connect Core §8.1: a subject that two sectors cannot compare. The identifier of a person is one block of AES,
//! so the same key always gives the same subject, another key another one, and only we can tell whose it is: nothing
//! has to be stored, and an app's hint finds its person.

use openssl::symm::{Cipher, Crypter, Mode};

use super::{decode, encode};

/// A key per sector.
pub struct PairwiseKey([u8; 32]);

impl PairwiseKey {
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        PairwiseKey(bytes)
    }

    /// 22 characters.
    pub fn subject(&self, person: &[u8; 16]) -> String {
        encode(&self.block(Mode::Encrypt, person))
    }

    /// Whose subject it is. Every text of the right length is somebody's; whether there is such a person, the database
    /// knows.
    pub fn person(&self, subject: &str) -> Option<[u8; 16]> {
        let block = <[u8; 16]>::try_from(decode(subject)?).ok()?;
        Some(self.block(Mode::Decrypt, &block))
    }

    fn block(&self, mode: Mode, input: &[u8; 16]) -> [u8; 16] {
        let mut output = [0; 32];
        let crypted = Crypter::new(Cipher::aes_256_ecb(), mode, &self.0, None).and_then(|mut crypter| {
            crypter.pad(false);
            let count = crypter.update(input, &mut output)?;
            crypter.finalize(&mut output[count..])
        });
        crypted.expect("AES-256 takes any block");
        let mut block = [0; 16];
        block.copy_from_slice(&output[..16]);
        block
    }
}
