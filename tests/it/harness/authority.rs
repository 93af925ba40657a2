//! A certificate authority of the tests' own, and the certificate that it gave to localhost.
use std::{fs, path::Path, sync::LazyLock};

use openssl::{
    asn1::Asn1Time,
    bn::BigNum,
    ec::{EcGroup, EcKey},
    hash::MessageDigest,
    nid::Nid,
    pkey::{PKey, Private},
    x509::{
        X509, X509Builder, X509Name,
        extension::{BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAlternativeName},
    },
};

use super::server::Clock;

/// PEM texts.
pub struct Authority {
    /// What a client must believe.
    pub certificate: Vec<u8>,
    /// Of localhost.
    pub server_certificate: Vec<u8>,
    /// Of localhost, until yesterday.
    pub expired_certificate: Vec<u8>,
    /// Of localhost, as it says itself.
    pub own_certificate: Vec<u8>,
    /// Of all three.
    pub server_key: Vec<u8>,
}

/// One for all tests of a process; nobody else ever sees its key.
pub static AUTHORITY: LazyLock<Authority> = LazyLock::new(Authority::new);

impl Authority {
    fn new() -> Self {
        let (key, server_key) = (key(), key());
        let own = name("The authority of the tests");
        let mut builder = builder(1, &own, &own, &key);
        builder.append_extension(BasicConstraints::new().critical().ca().build().unwrap()).unwrap();
        builder.append_extension(KeyUsage::new().critical().key_cert_sign().build().unwrap()).unwrap();
        builder.sign(&key, MessageDigest::sha256()).unwrap();
        let authority = builder.build();

        let here = name("localhost");
        let of_localhost = |serial, issuer: &X509Name, signer: &PKey<Private>, days: [i64; 2]| {
            let mut builder = self::builder(serial, &here, issuer, &server_key);
            let [from, until] = days.map(|day| Asn1Time::from_unix(Clock::System.now() + day * 86_400).unwrap());
            builder.set_not_before(&from).unwrap();
            builder.set_not_after(&until).unwrap();
            let names =
                SubjectAlternativeName::new().dns("localhost").build(&builder.x509v3_context(Some(&authority), None));
            builder.append_extension(names.unwrap()).unwrap();
            builder.append_extension(ExtendedKeyUsage::new().server_auth().build().unwrap()).unwrap();
            builder.sign(signer, MessageDigest::sha256()).unwrap();
            builder.build().to_pem().unwrap()
        };
        Authority {
            certificate: authority.to_pem().unwrap(),
            server_certificate: of_localhost(2, &own, &key, [0, 1]),
            expired_certificate: of_localhost(3, &own, &key, [-3, -1]),
            own_certificate: of_localhost(4, &here, &server_key, [0, 1]),
            server_key: server_key.private_key_to_pem_pkcs8().unwrap(),
        }
    }

    /// As files: `authority.pem`, `server.pem` and `server.key`.
    pub fn write_to(&self, folder: &Path) {
        for (name, pem) in [
            ("authority.pem", &self.certificate),
            ("server.pem", &self.server_certificate),
            ("server.key", &self.server_key),
        ] {
            fs::write(folder.join(name), pem).unwrap();
        }
    }
}

fn key() -> PKey<Private> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
}

fn name(common: &str) -> X509Name {
    let mut name = X509Name::builder().unwrap();
    name.append_entry_by_text("CN", common).unwrap();
    name.build()
}

fn builder(serial: u32, subject: &X509Name, issuer: &X509Name, key: &PKey<Private>) -> X509Builder {
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    builder.set_serial_number(&BigNum::from_u32(serial).unwrap().to_asn1_integer().unwrap()).unwrap();
    builder.set_subject_name(subject).unwrap();
    builder.set_issuer_name(issuer).unwrap();
    builder.set_pubkey(key).unwrap();
    builder.set_not_before(&Asn1Time::days_from_now(0).unwrap()).unwrap();
    builder.set_not_after(&Asn1Time::days_from_now(1).unwrap()).unwrap();
    builder
}
