//! Encryption: with certificate files, which are read again when they change, or with a self-signed certificate, which is made
//! anew before it ends.

mod certificate;
mod fault;
mod files;
pub(crate) mod plain;
mod self_signed;

pub use fault::TlsFault;

use crate::gate::Audit;
use crate::private_file;
use crate::served::is_name;
use files::Pair;
use jiff::Timestamp;
use rasadmin_rights::private;
use rasadmin_text::printable_path;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use self_signed::Hosts;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The files are looked at again with a connection, but not sooner than this after the last time.
const LOOK: Duration = Duration::from_secs(2);

/// Where the certificate and its key come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tls {
    /// PEM files, which another program may renew.
    Files {
        /// The server's certificate, then those of its issuers.
        certificate: PathBuf,
        /// The key: PKCS#8, SEC1 or RSA. It may be in the file of the certificate.
        key: PathBuf,
    },
    /// A self-signed certificate. It is made if the file is missing.
    SelfSigned {
        /// The file of the certificate and its key.
        file: PathBuf,
    },
}

/// The name of this computer, if it can be a host's.
pub(crate) fn computer() -> Option<String> {
    let name = rasadmin_system::places::server_name();
    is_name(name.as_str()).then(|| name.as_str().to_owned())
}

/// The encryption of a server that runs.
pub(crate) struct Encryption {
    tls: Tls,
    hosts: Hosts,
    audit: Audit,
    now: Mutex<Now>,
}

/// The certificate in use.
struct Now {
    config: Arc<ServerConfig>,
    fingerprint: String,
    hash: [u8; 32],
    /// When the files are looked at again.
    next_look: Instant,
    /// What was said last about files that cannot be used.
    complaint: Option<TlsFault>,
}

impl Encryption {
    /// Reads the certificate, or makes it.
    ///
    /// # Errors
    /// If it cannot be used.
    pub fn new(tls: Tls, names: &[String], listen: IpAddr, audit: Audit) -> Result<Self, TlsFault> {
        let hosts = Hosts::new(names, listen);
        let pair = read(&tls, &hosts)?;
        let (hash, fingerprint) = (pair.hash, fingerprint(&pair));
        let chain = pair.chain.clone();
        let config = config(pair, &tls)?;
        remark(&chain, &tls, &hosts, &audit);
        let now = Now { config, fingerprint, hash, next_look: Instant::now() + LOOK, complaint: None };
        Ok(Self { tls, hosts, audit, now: Mutex::new(now) })
    }

    /// The fingerprint of the certificate in use.
    pub fn fingerprint(&self) -> String {
        self.with(|now| now.fingerprint.clone())
    }

    /// Whether browsers may be told to use TLS with this host always. Without an issuer that they know, they would lock
    /// their users out.
    pub fn is_of_files(&self) -> bool {
        matches!(self.tls, Tls::Files { .. })
    }

    /// What the next connection is encrypted with.
    pub async fn config(self: &Arc<Self>) -> Arc<ServerConfig> {
        if self.is_time() {
            let this = self.clone();
            let _ = tokio::task::spawn_blocking(move || this.look()).await; // A panic keeps what is in use.
        }
        self.with(|now| now.config.clone())
    }

    fn with<T>(&self, work: impl FnOnce(&mut Now) -> T) -> T {
        work(&mut self.now.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// One connection looks, and the others do not wait for it.
    fn is_time(&self) -> bool {
        self.with(|now| {
            let instant = Instant::now();
            let is_time = instant >= now.next_look;
            if is_time {
                now.next_look = instant + LOOK;
            }
            is_time
        })
    }

    /// Takes another certificate if there is one. One that cannot be used is reported, once, and the old one is kept.
    fn look(&self) {
        let known = self.with(|now| now.hash);
        let read = read(&self.tls, &self.hosts).and_then(|pair| {
            if pair.hash == known {
                return Ok(None);
            }
            let (hash, fingerprint, chain) = (pair.hash, fingerprint(&pair), pair.chain.clone());
            Ok(Some((config(pair, &self.tls)?, hash, fingerprint, chain)))
        });
        match read {
            Ok(replaced) => {
                self.with(|now| now.complaint = None);
                let Some((config, hash, fingerprint, chain)) = replaced else { return };
                remark(&chain, &self.tls, &self.hosts, &self.audit);
                (self.audit)(&format!("the certificate was replaced: its SHA-256 fingerprint is now {fingerprint}"));
                self.with(|now| (now.config, now.hash, now.fingerprint) = (config, hash, fingerprint));
            }
            Err(fault) => {
                let is_new = self.with(|now| now.complaint.replace(fault.clone()).as_ref() != Some(&fault));
                if is_new {
                    (self.audit)(&format!(
                        "the certificate in use is kept, because the new one is not usable: {fault}"
                    ));
                }
            }
        }
    }
}

fn read(tls: &Tls, hosts: &Hosts) -> Result<Pair, TlsFault> {
    match tls {
        Tls::Files { certificate, key } => Pair::read(certificate, key),
        Tls::SelfSigned { file } => self_signed::pair(file, hosts, Timestamp::now()),
    }
}

fn fingerprint(pair: &Pair) -> String {
    pair.chain.first().map(certificate::fingerprint).unwrap_or_default()
}

/// Says what browsers will not like about the certificate, and who else has its key.
fn remark(chain: &[CertificateDer<'_>], tls: &Tls, hosts: &Hosts, audit: &Audit) {
    // That of a self-signed certificate is not used then.
    if let Tls::Files { certificate, key } = tls {
        // Programs that renew certificates keep a link to the present one.
        let behind_links = |file: &Path| {
            let file_itself = if cfg!(unix) { std::fs::canonicalize(file).ok() } else { None };
            file_itself.unwrap_or_else(|| file.to_owned())
        };
        let [certificate, key] = [certificate, key].map(|file| behind_links(file));
        let (file, remedy) = (printable_path(&key), rasadmin_rights::private_remedy(&key));
        if let Some(why) = private::why_untrusted(&key) {
            audit(&format!("warning: {file}: the private key is not trusted: {why}; {remedy}"));
        } else if let Some(who) = private_file::reader(&key) {
            audit(&format!("warning: {file}: the private key is not private: {who}; {remedy}"));
        }
        if let Some(why) = private::why_untrusted(&certificate).filter(|_| certificate != key) {
            let file = printable_path(&certificate);
            audit(&format!(
                "warning: {file}: the certificate is not trusted: {why}; let only administrators write to it"
            ));
        }
    }
    let Some(own) = chain.first() else { return };
    if let Some(end) = certificate::ends(own).filter(|end| *end <= Timestamp::now()) {
        audit(&format!("warning: the certificate ended at {end}, and browsers refuse it: renew it"));
    }
    for name in hosts.given().filter(|name| !certificate::is_for(own, name)) {
        audit(&format!("warning: the certificate is not for `{name}`, and browsers refuse it under that name"));
    }
}

/// TLS 1.2 and 1.3, for HTTP/1.1.
fn config(pair: Pair, tls: &Tls) -> Result<Arc<ServerConfig>, TlsFault> {
    let (certificate, key) = match tls {
        Tls::Files { certificate, key } => (certificate.as_path(), key.as_path()),
        Tls::SelfSigned { file } => (file.as_path(), file.as_path()),
    };
    let built = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(pair.chain, pair.key));
    let mut config = built.map_err(|error| unusable(certificate, key, &error))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn unusable(certificate: &Path, key: &Path, error: &rustls::Error) -> TlsFault {
    let (certificate, key) = (certificate.to_owned(), key.to_owned());
    match error {
        rustls::Error::InconsistentKeys(rustls::InconsistentKeys::KeyMismatch) => {
            TlsFault::Mismatch { certificate, key }
        }
        error => TlsFault::Unusable { certificate, key, why: error.to_string() },
    }
}

#[cfg(test)]
mod tests;
