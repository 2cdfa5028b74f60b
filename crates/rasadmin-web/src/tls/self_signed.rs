//! A certificate that the dashboard makes for itself. It is kept in a private file with its key, so that browsers which know
//! it know it again.

use super::{Pair, TlsFault, certificate};
use crate::private_file;
use crate::served::{host_of, is_name};
use base64ct::{Base64, Encoding as _};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use rasadmin_rights::private;
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose, date_time_ymd};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, ToSocketAddrs as _};
use std::path::Path;

/// Apple's browsers take no certificate that is valid for longer than 825 days.
const DAYS: i64 = 730;

/// It is made anew so many days before its end.
const DAYS_BEFORE_END: i64 = 30;

/// The names and addresses that the certificate must be for.
#[derive(Clone, Debug)]
pub struct Hosts {
    /// Those that the administrator has given, without ports, then the others.
    names: Vec<String>,
    given: usize,
    /// Where the dashboard listens. If that is everywhere, the computer's addresses are added when the certificate is made.
    listen: IpAddr,
}

impl Hosts {
    /// These names, that of this computer, localhost, and the address.
    pub fn new(names: &[String], listen: IpAddr) -> Self {
        let computer = super::computer();
        let mut all: Vec<String> = Vec::new();
        let mut given = 0;
        let others = computer.as_deref().into_iter().chain(["localhost"]);
        for (at, name) in names.iter().map(String::as_str).chain(others).enumerate() {
            let name = host_of(name).split(':').next().unwrap_or_default().to_ascii_lowercase();
            if is_name(&name) && !all.contains(&name) {
                all.push(name);
                given += usize::from(at < names.len());
            }
        }
        Self { names: all, given, listen: listen.to_canonical() }
    }

    /// The names that the administrator has given.
    pub fn given(&self) -> impl Iterator<Item = &str> {
        self.names.iter().take(self.given).map(String::as_str)
    }

    /// What the certificate must be for. The addresses of the computer come and go: they are no reason for a new one.
    fn needed(&self) -> Vec<String> {
        let mut all = self.names.clone();
        let listen = (!self.listen.is_unspecified()).then_some(self.listen);
        for address in [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()].into_iter().chain(listen) {
            let text = address.to_string();
            if !all.contains(&text) {
                all.push(text);
            }
        }
        all
    }

    /// What a new certificate is for.
    fn all(&self) -> Vec<String> {
        let mut all = self.needed();
        if self.listen.is_unspecified() {
            // Windows knows all its addresses under its own name.
            let own = (rasadmin_system::places::server_name().as_str(), 0).to_socket_addrs();
            for address in own.into_iter().flatten() {
                let text = address.ip().to_canonical().to_string();
                if !all.contains(&text) {
                    all.push(text);
                }
            }
        }
        all
    }
}

/// The certificate in the file. If there is none, or if it is not for all the hosts, or ends soon, a new one is made.
///
/// # Errors
/// If the file cannot be used, or if others may have its key.
pub fn pair(file: &Path, hosts: &Hosts, now: Timestamp) -> Result<Pair, TlsFault> {
    match file.try_exists() {
        Ok(true) => {
            if let Some(why) = why_untrusted(file) {
                return Err(TlsFault::Untrusted { file: file.to_owned(), why });
            }
            let kept = Pair::read(file, file)?;
            if is_good(&kept, hosts, now) {
                return Ok(kept);
            }
        }
        Ok(false) => {}
        Err(e) => return Err(TlsFault::Unreadable { file: file.to_owned(), why: e.to_string() }),
    }
    let not_made = |why: String| TlsFault::NotMade { file: file.to_owned(), why };
    let text = made(hosts, now).map_err(|e| not_made(e.to_string()))?;
    private_file::write(file, text.as_bytes()).map_err(|e: io::Error| not_made(e.to_string()))?;
    Pair::parse((file, text.as_bytes()), (file, text.as_bytes()))
}

fn is_good(pair: &Pair, hosts: &Hosts, now: Timestamp) -> bool {
    let Some(own) = pair.chain.first() else { return false };
    let ends_late = certificate::ends(own).is_some_and(|end| end.duration_since(now).as_hours() > 24 * DAYS_BEFORE_END);
    ends_late && hosts.needed().iter().all(|host| certificate::is_for(own, host))
}

/// Whether others can read the key, or may have written the file. In a scratch folder, only its owner matters.
fn why_untrusted(file: &Path) -> Option<String> {
    private::why_untrusted(file).or_else(|| private_file::reader(file))
}

/// A new certificate and its key, in PEM.
fn made(hosts: &Hosts, now: Timestamp) -> Result<String, rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(hosts.all())?;
    let name = hosts.names.first().map_or("localhost", String::as_str);
    params.distinguished_name.push(DnType::CommonName, name);
    params.distinguished_name.push(DnType::OrganizationName, "rasadmin dashboard (self-signed)");
    let day = |days: i64| {
        let date = now.to_zoned(TimeZone::UTC).date().saturating_add(Span::new().days(days));
        date_time_ymd(date.year().into(), date.month().unsigned_abs(), date.day().unsigned_abs())
    };
    // The clock of a visitor may be behind.
    (params.not_before, params.not_after) = (day(-1), day(DAYS));
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let certificate = params.self_signed(&key)?;
    Ok(format!(
        "The certificate of rasadmin's dashboard, which it has made for itself, and its key, which is secret.\n\
         It is made anew before it ends, or if this file is missing.\n{}{}",
        pem("CERTIFICATE", certificate.der()),
        pem("PRIVATE KEY", key.serialized_der()),
    ))
}

pub(super) fn pem(what: &str, bytes: &[u8]) -> String {
    let text = Base64::encode_string(bytes);
    let mut lines = String::new();
    for line in text.as_bytes().chunks(64) {
        lines.push_str(&String::from_utf8_lossy(line));
        lines.push('\n');
    }
    format!("-----BEGIN {what}-----\n{lines}-----END {what}-----\n")
}
