//! What the tests of the listener and of the outgoing fetch share: a server on loopback, a certificate.

use std::{net::SocketAddr, path::PathBuf};

use openssl::{
    asn1::Asn1Time,
    bn::BigNum,
    ec::{EcGroup, EcKey},
    hash::MessageDigest,
    nid::Nid,
    pkey::PKey,
    x509::{X509, X509Name, extension::SubjectAlternativeName},
};
use poem::Endpoint;
use signet::http::{
    listener::{Limits, serve},
    tls::Tls,
};
use tempfile::TempDir;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

pub struct Running {
    pub address: SocketAddr,
    pub stop: oneshot::Sender<()>,
    pub task: JoinHandle<()>,
}

impl Running {
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

pub async fn start(endpoint: impl Endpoint + 'static, tls: Option<Tls>, limits: Limits) -> Running {
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = tcp.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let shutdown = async { stopped.await.unwrap_or_default() };
    Running { address, stop, task: tokio::spawn(serve(tcp, endpoint, tls, limits, shutdown)) }
}

/// A self-signed certificate for localhost and its key, as files.
pub struct Certificate {
    directory: TempDir,
    pub x509: X509,
}

impl Certificate {
    pub fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (x509, key) = self_signed();
        std::fs::write(directory.path().join("certificate.pem"), x509.to_pem().unwrap()).unwrap();
        std::fs::write(directory.path().join("key.pem"), key).unwrap();
        Certificate { directory, x509 }
    }

    pub fn certificate(&self) -> PathBuf {
        self.directory.path().join("certificate.pem")
    }

    pub fn key(&self) -> PathBuf {
        self.directory.path().join("key.pem")
    }

    pub fn tls(&self) -> Tls {
        Tls::new(self.certificate(), self.key()).unwrap()
    }
}

fn self_signed() -> (X509, Vec<u8>) {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    let key = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
    let mut name = X509Name::builder().unwrap();
    name.append_entry_by_text("CN", "localhost").unwrap();
    let name = name.build();
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    builder.set_serial_number(&BigNum::from_u32(1).unwrap().to_asn1_integer().unwrap()).unwrap();
    builder.set_subject_name(&name).unwrap();
    builder.set_issuer_name(&name).unwrap();
    builder.set_pubkey(&key).unwrap();
    builder.set_not_before(&Asn1Time::days_from_now(0).unwrap()).unwrap();
    builder.set_not_after(&Asn1Time::days_from_now(1).unwrap()).unwrap();
    let names = SubjectAlternativeName::new().dns("localhost").build(&builder.x509v3_context(None, None)).unwrap();
    builder.append_extension(names).unwrap();
    builder.sign(&key, MessageDigest::sha256()).unwrap();
    (builder.build(), key.private_key_to_pem_pkcs8().unwrap())
}
