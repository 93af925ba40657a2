//! `[tls]`: the certificate, when no proxy in front of the server has it.
use std::{
    fs::File,
    io::Read,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use super::{
    parse::{optional, path},
    reader::Reader,
    secret::reason,
    setting::{Fallback, Fault, Given, Parsed, section},
};

section! {
    /// The two files of `[tls]`, of which both or none must be given.
    pub struct TlsFiles at "tls." {
        /// A PEM file with the certificate and the chain above it. Read again when it changes. Default: none, plain http.
        certificate: Option<PathBuf> = Fallback::Unset, optional(pem("CERTIFICATE-----"));
        /// A PEM file with the private key of the certificate. Default: none.
        key: Option<PathBuf> = Fallback::Unset, optional(pem("PRIVATE KEY-----"));
    }
}

/// A certificate and its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// A PEM file: the certificate, then the chain above it.
    pub certificate: PathBuf,
    /// A PEM file: the private key.
    pub key: PathBuf,
}

impl TlsFiles {
    /// Both or none.
    pub(super) fn pair(self, reader: &mut Reader<'_>) -> Option<Tls> {
        match (self.certificate, self.key) {
            (Some(certificate), Some(key)) => {
                let exposed = std::fs::metadata(&key).is_ok_and(|file| file.permissions().mode() & 0o004 != 0);
                if exposed {
                    let message = format!("every user of this machine can read {0}; run chmod 600 {0}", key.display());
                    reader.warn("tls.key", message);
                }
                Some(Tls { certificate, key })
            }
            (Some(_), None) => {
                reader.refuse("tls.certificate", "the certificate has no key", "set tls.key too, or neither");
                None
            }
            (None, Some(_)) => {
                reader.refuse("tls.key", "the key has no certificate", "set tls.certificate too, or neither");
                None
            }
            (None, None) => None,
        }
    }
}

/// A file that can be read now and holds what it should; reading it for good is the listener's work.
fn pem(marker: &'static str) -> impl Fn(&Given<'_>) -> Parsed<PathBuf> {
    move |given| {
        let path = path(given)?;
        pem_file(&path, marker)?;
        Ok(path)
    }
}

/// The contents of a PEM file that has at least one block of the kind.
pub(super) fn pem_file(path: &Path, marker: &str) -> Parsed<Vec<u8>> {
    const LARGEST: u64 = 1024 * 1024;
    let unreadable = |error: std::io::Error| {
        Fault::new(
            format!("the file cannot be read ({})", reason(&error)),
            "name a file that exists and that the user who runs Signet may read",
        )
    };
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(LARGEST).read_to_end(&mut bytes)).map_err(unreadable)?;
    let text = String::from_utf8_lossy(&bytes);
    if text.lines().any(|line| line.starts_with("-----BEGIN ") && line.trim_end().ends_with(marker)) {
        return Ok(bytes);
    }
    Err(Fault::new(
        format!("the file has no PEM block that ends its first line in {marker}"),
        "convert it with openssl, or name the right file",
    ))
}
