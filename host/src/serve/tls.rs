//! TLS: the certificate, and its replacement while the server runs.

use std::{
    io,
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
};

use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem, pem::PemObject as _},
};
use tokio_rustls::TlsAcceptor;

/// The files that a server proves its name with, in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The server's certificate, and those between it and the authority's.
    pub certificate: PathBuf,
    /// The certificate's private key, in PKCS #8, PKCS #1 or SEC 1.
    pub key: PathBuf,
}

/// Why there can be no TLS.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file is not there, may not be read, or holds no PEM of the right kind.
    #[error("{}: {reason}", file.display())]
    File {
        /// Which file.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The certificate and the key do not go together, or are of a kind that cannot be used.
    #[error("the certificate {} cannot be used: {source}", file.display())]
    Certificate {
        /// The certificate's file.
        file: PathBuf,
        /// What is wrong with it.
        source: rustls::Error,
    },
}

/// The certificate that new connections get.
pub(super) struct Tls {
    acceptor: RwLock<TlsAcceptor>,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Tls").finish_non_exhaustive()
    }
}

impl Tls {
    pub(super) fn load(files: &TlsFiles) -> Result<Self, TlsError> {
        Ok(Self {
            acceptor: RwLock::new(acceptor(files)?),
        })
    }

    /// Gives new connections what the files hold now. What is wrong changes nothing.
    pub(super) fn reload(&self, files: &TlsFiles) -> Result<(), TlsError> {
        let fresh = acceptor(files)?;
        *self
            .acceptor
            .write()
            .unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }

    /// What a connection begins with.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        self.acceptor
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

fn acceptor(files: &TlsFiles) -> Result<TlsAcceptor, TlsError> {
    let wrong = |file: &PathBuf, error: pem::Error| TlsError::File {
        file: file.clone(),
        reason: match error {
            pem::Error::Io(error) if error.kind() == io::ErrorKind::NotFound => {
                "no such file".to_owned()
            }
            pem::Error::NoItemsFound => "holds none in PEM".to_owned(),
            other => other.to_string(),
        },
    };
    let certificates = CertificateDer::pem_file_iter(&files.certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| wrong(&files.certificate, error))?;
    if certificates.is_empty() {
        return Err(wrong(&files.certificate, pem::Error::NoItemsFound));
    }
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| wrong(&files.key, error))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| {
            builder
                .with_no_client_auth()
                .with_single_cert(certificates, key)
        })
        .map_err(|source| TlsError::Certificate {
            file: files.certificate.clone(),
            source,
        })?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
