//! Certificates and keys in PEM files.

use super::TlsFault;
use rustls::pki_types::pem::{Error as PemError, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// A larger file has no certificate for a server.
const LARGEST: u64 = 1 << 20;

/// A certificate with its issuers, and its key.
#[derive(Debug)]
pub struct Pair {
    /// The server's certificate, then those of its issuers.
    pub chain: Vec<CertificateDer<'static>>,
    /// The key of the first.
    pub key: PrivateKeyDer<'static>,
    /// It differs if a file does.
    pub hash: [u8; 32],
}

impl Pair {
    /// Reads the two files, which may be one.
    ///
    /// # Errors
    /// If one of them cannot be read, or has not what it should.
    pub fn read(certificate: &Path, key: &Path) -> Result<Self, TlsFault> {
        let (certificates, keys) = (bytes(certificate)?, bytes(key)?);
        Self::parse((certificate, &certificates), (key, &keys))
    }

    /// The pair in the bytes of two files.
    pub fn parse((certificate, certificates): (&Path, &[u8]), (key, keys): (&Path, &[u8])) -> Result<Self, TlsFault> {
        let chain = CertificateDer::pem_slice_iter(without_mark(certificates)).collect::<Result<Vec<_>, _>>();
        let chain = chain.map_err(|e| damaged(certificate, &e))?;
        if chain.is_empty() {
            let file = certificate.to_owned();
            return Err(if is_pem(certificates) {
                TlsFault::NoCertificate { file }
            } else {
                TlsFault::NotPem { file }
            });
        }
        // RSA and SEC1 keys that need a password say so in a header.
        if has(keys, b"Proc-Type: 4,ENCRYPTED") {
            return Err(TlsFault::Encrypted { file: key.to_owned() });
        }
        let private = PrivateKeyDer::from_pem_slice(without_mark(keys)).map_err(|e| match e {
            PemError::NoItemsFound if has(keys, b"-----BEGIN ENCRYPTED PRIVATE KEY") => {
                TlsFault::Encrypted { file: key.to_owned() }
            }
            PemError::NoItemsFound if is_pem(keys) => TlsFault::NoKey { file: key.to_owned() },
            PemError::NoItemsFound => TlsFault::NotPem { file: key.to_owned() },
            e => damaged(key, &e),
        })?;
        let hash = Sha256::new().chain_update(Sha256::digest(certificates)).chain_update(keys).finalize().into();
        Ok(Self { chain, key: private, hash })
    }
}

fn bytes(path: &Path) -> Result<Vec<u8>, TlsFault> {
    let unreadable = |why: String| TlsFault::Unreadable { file: path.to_owned(), why };
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes));
    read.map_err(|e: io::Error| unreadable(e.to_string()))?;
    if bytes.len() as u64 > LARGEST {
        return Err(unreadable("it is larger than 1 MiB".into()));
    }
    Ok(bytes)
}

/// Windows programs begin a file of UTF-8 with a mark.
fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes)
}

fn is_pem(bytes: &[u8]) -> bool {
    has(bytes, b"-----BEGIN ")
}

fn has(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

fn damaged(file: &Path, error: &PemError) -> TlsFault {
    let why = match error {
        PemError::MissingSectionEnd { .. } => "a part of it has no end (`-----END …-----`)",
        PemError::IllegalSectionStart { .. } => "a part of it does not begin as it should (`-----BEGIN …-----`)",
        _ => "a part of it is not base64",
    };
    TlsFault::Damaged { file: file.to_owned(), why }
}
