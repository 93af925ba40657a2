//! RFC 8446, RFC 9325: TLS 1.2 and 1.3 by OpenSSL, with a certificate that can be renewed while serving.

use std::{
    fs, io,
    path::{Path, PathBuf},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use openssl::{
    error::ErrorStack,
    ssl::{AlpnError, Ssl, SslAcceptor, SslContext, SslFiletype, SslMethod, SslOptions, select_next_proto},
};
use tokio::net::TcpStream;
use tokio_openssl::SslStream;

/// In the wire format of ALPN (RFC 7301 §3.1), ours first.
const PROTOCOLS: &[u8] = b"\x02h2\x08http/1.1";

/// The server's certificate and key. Clones share them.
#[derive(Clone)]
pub struct Tls(Arc<Shared>);

struct Shared {
    certificate: PathBuf,
    key: PathBuf,
    current: Mutex<Loaded>,
}

struct Loaded {
    context: SslContext,
    changed: Changed,
}

/// When each of the two files was last written.
type Changed = [SystemTime; 2];

/// Why the certificate and key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("{path}: {cause}", path = .path.display())]
    Unreadable { path: PathBuf, cause: io::Error },
    #[error("{path} is not a PEM file of a certificate chain", path = .0.display())]
    Certificate(PathBuf),
    #[error("{path} is not a PEM file of a private key without passphrase", path = .0.display())]
    Key(PathBuf),
    #[error("{key} is not the key of the certificate {certificate}", key = .key.display(), certificate = .certificate.display())]
    Mismatch { certificate: PathBuf, key: PathBuf },
    #[error("OpenSSL: {0}")]
    OpenSsl(#[from] ErrorStack),
}

impl Tls {
    /// `certificate` is a PEM file with the chain, leaf first; `key` a PEM file with its private key.
    pub fn new(certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Result<Self, TlsError> {
        let (certificate, key) = (certificate.into(), key.into());
        let current = Mutex::new(load(&certificate, &key)?);
        Ok(Tls(Arc::new(Shared { certificate, key, current })))
    }

    /// Reads the files again if one was written since; true if new connections use a new certificate. On an error
    /// the old one stays, and the next call tries again: certificate and key may be replaced one after the other.
    pub fn reload(&self) -> Result<bool, TlsError> {
        let Shared { certificate, key, .. } = self.0.as_ref();
        if changed(certificate, key)? == self.current().changed {
            return Ok(false);
        }
        let loaded = load(certificate, key)?;
        *self.current() = loaded;
        Ok(true)
    }

    pub(super) async fn accept(&self, tcp: TcpStream) -> Result<SslStream<TcpStream>, openssl::ssl::Error> {
        let ssl = Ssl::new(&self.current().context)?;
        let mut stream = SslStream::new(ssl, tcp)?;
        Pin::new(&mut stream).accept().await?;
        Ok(stream)
    }

    fn current(&self) -> MutexGuard<'_, Loaded> {
        self.0.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The times are taken before the files are read: a write in between is seen by the next [`Tls::reload`].
fn load(certificate: &Path, key: &Path) -> Result<Loaded, TlsError> {
    let changed = changed(certificate, key)?;
    for path in [certificate, key] {
        fs::File::open(path).map_err(|cause| TlsError::Unreadable { path: path.to_owned(), cause })?;
    }
    let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls())?;
    // Renegotiation serves nobody here and has been a way to burn a server's CPU.
    builder.set_options(SslOptions::NO_RENEGOTIATION);
    builder.set_certificate_chain_file(certificate).map_err(|_| TlsError::Certificate(certificate.to_owned()))?;
    // OpenSSL compares the key with the certificate as it reads it; which of the two is wrong is asked afterwards.
    if builder.set_private_key_file(key, SslFiletype::PEM).is_err() {
        return Err(match fs::read(key).map(|pem| openssl::pkey::PKey::private_key_from_pem(&pem)) {
            Ok(Ok(_)) => TlsError::Mismatch { certificate: certificate.to_owned(), key: key.to_owned() },
            _ => TlsError::Key(key.to_owned()),
        });
    }
    builder.set_alpn_select_callback(|_, offered| select_next_proto(PROTOCOLS, offered).ok_or(AlpnError::NOACK));
    Ok(Loaded { context: builder.build().into_context(), changed })
}

fn changed(certificate: &Path, key: &Path) -> Result<Changed, TlsError> {
    let written = |path: &Path| {
        let time = fs::metadata(path).and_then(|metadata| metadata.modified());
        time.map_err(|cause| TlsError::Unreadable { path: path.to_owned(), cause })
    };
    Ok([written(certificate)?, written(key)?])
}
