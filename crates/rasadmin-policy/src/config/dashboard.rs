//! How the dashboard is served.

use super::file::{self, At};
use super::{Mistake, check};
use crate::shorten::shortened;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

/// The port if the file names none.
const PORT: u16 = 8600;

/// The name of the users' file if the file names none.
const USERS: &str = "dashboard-users.toml";

/// How the dashboard is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dashboard {
    /// Where it listens.
    pub listen: SocketAddr,
    /// More names by which browsers find it, with a port or without. With `https://` before it, it is that of a proxy which
    /// encrypts.
    pub names: Vec<String>,
    /// How it is encrypted.
    pub encryption: Encryption,
    /// The file of its users, absolute.
    pub users: PathBuf,
}

/// How the dashboard is encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// It is not, so only this computer reaches it.
    None,
    /// With these files, absolute.
    Files {
        /// The certificate.
        certificate: PathBuf,
        /// Its private key.
        key: PathBuf,
    },
    /// With a certificate that it makes for itself.
    SelfSigned,
    /// It is not, and other computers may reach it.
    Insecure,
}

/// Compiles the table. `folder` is the configuration's.
pub(super) fn dashboard(raw: Option<&file::Dashboard>, folder: &Path, mistakes: &mut Vec<Mistake>) -> Dashboard {
    let default = file::Dashboard::default();
    let raw = raw.unwrap_or(&default);
    let listen = listen(raw.listen.as_ref(), mistakes);
    let mut path = |named: &At<String>, what: &str, instead: &str| {
        mistakes.extend(check::path(named, what, instead));
        folder.join(named.get_ref())
    };
    let without = "leave it out if there is none";
    let certificate = raw.certificate.as_ref().map(|file| path(file, "the path of the certificate", without));
    let key = raw.key.as_ref().map(|file| path(file, "the path of the key", without));
    let users = raw.users.as_ref().map(|file| path(file, "the path of the users", "leave `users` out for the default"));
    let dashboard = Dashboard {
        listen,
        names: raw.names.iter().map(|name| name.get_ref().trim().to_owned()).collect(),
        encryption: encryption(raw, certificate.zip(key), mistakes),
        users: users.unwrap_or_else(|| folder.join(USERS)),
    };
    for name in raw.names.iter().filter(|name| !may_be_host(name.get_ref())) {
        let what = format!("`{}` is not the name of a host", shortened(name.get_ref()));
        mistakes.push(Mistake::at(
            name.span(),
            what,
            "write a name like `vpn1.example.com` or `vpn1.example.com:8443`, and `https://` before it if a proxy encrypts",
        ));
    }
    if let Some(listen) = &raw.listen
        && dashboard.encryption == Encryption::None
        && !dashboard.listen.ip().to_canonical().is_loopback()
    {
        let what = "other computers reach this address, and the dashboard is not encrypted";
        let help = "write `certificate` and `key`, or self_signed = true, or insecure = true";
        mistakes.push(Mistake::at(listen.span(), what, help));
    }
    dashboard
}

fn listen(text: Option<&At<String>>, mistakes: &mut Vec<Mistake>) -> SocketAddr {
    let default = SocketAddr::from((Ipv4Addr::LOCALHOST, PORT));
    let Some(text) = text else { return default };
    text.get_ref().trim().parse().unwrap_or_else(|_| {
        let what = format!("`{}` is not an address with a port", shortened(text.get_ref()));
        let help = "write one like `127.0.0.1:8600`, `0.0.0.0:8600` or `[::]:8600`";
        mistakes.push(Mistake::at(text.span(), what, help));
        default
    })
}

fn encryption(raw: &file::Dashboard, files: Option<(PathBuf, PathBuf)>, mistakes: &mut Vec<Mistake>) -> Encryption {
    match (&raw.certificate, &raw.key) {
        (Some(certificate), None) => {
            let what = "the certificate has no key";
            mistakes.push(Mistake::at(certificate.span(), what, "write `key` too: the file of its private key"));
        }
        (None, Some(key)) => {
            mistakes.push(Mistake::at(key.span(), "the key has no certificate", "write `certificate` too"));
        }
        _ => {}
    }
    let on = |flag: &Option<At<bool>>| flag.as_ref().filter(|flag| *flag.get_ref()).map(At::span);
    let (self_signed, insecure) = (on(&raw.self_signed), on(&raw.insecure));
    let ways = [raw.certificate.as_ref().map(At::span), self_signed.clone(), insecure.clone()];
    if let Some(second) = ways.into_iter().flatten().nth(1) {
        let what = "the dashboard is encrypted in one way only";
        let help = "keep one of `certificate` with `key`, `self_signed` and `insecure`";
        mistakes.push(Mistake::at(second, what, help));
    }
    match files {
        Some((certificate, key)) => Encryption::Files { certificate, key },
        None if self_signed.is_some() => Encryption::SelfSigned,
        None if insecure.is_some() => Encryption::Insecure,
        None => Encryption::None,
    }
}

/// Whether a text may be the name of a host, with a port or without.
fn may_be_host(text: &str) -> bool {
    let host = text.trim();
    let host = host.strip_prefix("https://").unwrap_or(host);
    let (name, port) = host.split_once(':').map_or((host, None), |(name, port)| (name, Some(port)));
    let is_letter = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    let is_address = name.parse::<Ipv4Addr>().is_ok();
    !name.is_empty()
        && !is_address
        && name.chars().all(is_letter)
        && port.is_none_or(|port| port.bytes().all(|digit| digit.is_ascii_digit()) && port.parse::<u16>().is_ok())
}
