//! Why there is no encryption.

use rasadmin_text::{printable, printable_path};
use std::fmt;
use std::path::PathBuf;

/// Why there is no encryption. Each message says what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // The fields are named as what they are.
pub enum TlsFault {
    /// The file cannot be read.
    Unreadable { file: PathBuf, why: String },
    /// The file has no PEM, but something else.
    NotPem { file: PathBuf },
    /// A part of the PEM file is damaged.
    Damaged { file: PathBuf, why: &'static str },
    /// No certificate is in the file.
    NoCertificate { file: PathBuf },
    /// No private key is in the file.
    NoKey { file: PathBuf },
    /// The private key needs a password.
    Encrypted { file: PathBuf },
    /// The private key is not that of the first certificate.
    Mismatch { certificate: PathBuf, key: PathBuf },
    /// The certificate or the key is of a kind that cannot be used.
    Unusable { certificate: PathBuf, key: PathBuf, why: String },
    /// Others may have the key of the self-signed certificate, or may have put it there.
    Untrusted { file: PathBuf, why: String },
    /// The self-signed certificate cannot be made, or not be kept.
    NotMade { file: PathBuf, why: String },
}

impl fmt::Display for TlsFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { file, why } => {
                let (file, why) = (printable_path(file), printable(why));
                write!(f, "{file}: it cannot be read: {why}; check the path, and whether this account may read it")
            }
            Self::NotPem { file } => write!(
                f,
                "{}: it is not a PEM file; a .pfx file becomes one with `openssl pkcs12 -in FILE.pfx -out FILE.pem -nodes`, a \
                 binary .cer or .der file with `openssl x509 -inform der -in FILE.cer -out FILE.pem`",
                printable_path(file)
            ),
            Self::Damaged { file, why } => {
                write!(f, "{}: {why}; get the file again from its source", printable_path(file))
            }
            Self::NoCertificate { file } => write!(
                f,
                "{}: no certificate is in it; it must have the server's certificate, and then those of its issuers, in PEM \
                 (`-----BEGIN CERTIFICATE-----`)",
                printable_path(file)
            ),
            Self::NoKey { file } => write!(
                f,
                "{}: no private key is in it; it must have the certificate's key in PEM, as PKCS#8, SEC1 or RSA \
                 (`-----BEGIN PRIVATE KEY-----`)",
                printable_path(file)
            ),
            Self::Encrypted { file } => write!(
                f,
                "{}: its private key is encrypted with a password; `openssl pkey -in FILE -out NEW` makes a file without one, \
                 which only administrators may read",
                printable_path(file)
            ),
            Self::Mismatch { certificate, key } => write!(
                f,
                "{}: this private key does not belong to the first certificate in {}; name the two files that were issued \
                 together, with the server's own certificate before those of its issuers",
                printable_path(key),
                printable_path(certificate)
            ),
            Self::Unusable { certificate, key, why } => write!(
                f,
                "{} with {}: they cannot be used: {}; use a certificate with an RSA key of 2048 bits or more, or an ECDSA key \
                 (P-256 or P-384)",
                printable_path(certificate),
                printable_path(key),
                printable(why)
            ),
            Self::Untrusted { file, why } => write!(
                f,
                "{}: the self-signed certificate is not used: {}; delete the file, and a new one is made, with a new \
                 fingerprint",
                printable_path(file),
                printable(why)
            ),
            Self::NotMade { file, why } => {
                let (file, why) = (printable_path(file), printable(why));
                write!(f, "{file}: the self-signed certificate cannot be kept there: {why}")
            }
        }
    }
}

impl std::error::Error for TlsFault {}
