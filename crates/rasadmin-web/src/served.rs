//! The names that the dashboard is served under.
//!
//! A page of another site may let its own name lead to this computer, and then read what is served here. So a request must
//! name a host that is ours.

use std::net::{IpAddr, SocketAddr};

/// What a name begins with if a proxy in front encrypts what it serves under it.
const BEHIND_TLS: &str = "https://";

/// The names that the dashboard is served under.
#[derive(Clone, Debug)]
pub struct Served {
    /// Where it listens.
    pub listen: SocketAddr,
    /// More names, with a port or without. With `https://` before it, it is that of a proxy in front which encrypts,
    /// unless the dashboard itself does.
    pub names: Vec<String>,
    /// Whether it is served with TLS.
    pub secure: bool,
}

impl Served {
    /// Whether a `Host` is one of ours. `local` is the address that the connection came to.
    pub fn is_ours(&self, host: &str, local: IpAddr) -> bool {
        let Some((name, port)) = split(host) else { return false };
        let default = if self.secure { 443 } else { 80 };
        let is_our_port = port.unwrap_or(default) == self.listen.port();
        if let Ok(address) = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
            let ours = [self.listen.ip().to_canonical(), local.to_canonical()];
            let address = address.to_canonical();
            return is_our_port && !address.is_unspecified() && (is_loopback(address) || ours.contains(&address));
        }
        let is_named = |ours: &String| match split(host_of(ours)) {
            Some((ours, Some(own))) => name.eq_ignore_ascii_case(ours) && port.unwrap_or(default) == own,
            // Without a port, a proxy may be in front.
            Some((ours, None)) => name.eq_ignore_ascii_case(ours) && (port.is_none() || is_our_port),
            None => false,
        };
        (is_our_port && name.eq_ignore_ascii_case("localhost"))
            // A browser that comes past the proxy is not encrypted.
            || self.names.iter().filter(|ours| self.secure || !ours.starts_with(BEHIND_TLS)).any(is_named)
            || self.is_behind_tls(host)
    }

    /// Whether browsers reach this host encrypted: by the dashboard itself, or by the proxy in front.
    pub fn is_secure(&self, host: &str) -> bool {
        self.secure || self.is_behind_tls(host)
    }

    fn is_behind_tls(&self, host: &str) -> bool {
        let mut encrypted = self.names.iter().filter_map(|ours| ours.strip_prefix(BEHIND_TLS));
        !self.secure && encrypted.any(|ours| is_same(ours, host, 443))
    }

    /// Whether an `Origin` is that of the pages of this host.
    pub fn is_origin_of(&self, origin: &str, host: &str) -> bool {
        let (rest, port) = match origin.split_once("://") {
            Some(("https", rest)) => (rest, 443),
            Some(("http", rest)) if !self.is_secure(host) => (rest, 80),
            _ => return false,
        };
        is_same(rest, host, port)
    }
}

/// The addresses that every computer has for itself.
fn is_loopback(address: IpAddr) -> bool {
    address == IpAddr::from([127, 0, 0, 1]) || address == IpAddr::V6(std::net::Ipv6Addr::LOCALHOST)
}

/// Whether a text can be the name of a host, with a port or without.
pub fn is_name(text: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    split(text).is_some_and(|(name, _)| name.parse::<IpAddr>().is_err() && name.chars().all(is_letter))
}

/// A given name without what tells that a proxy encrypts.
pub fn host_of(name: &str) -> &str {
    name.strip_prefix(BEHIND_TLS).unwrap_or(name)
}

/// Whether two hosts are the same, with a port that need not be written.
fn is_same(one: &str, other: &str, default: u16) -> bool {
    let whole = |text| split(text).map(|(name, port)| (name.to_ascii_lowercase(), port.unwrap_or(default)));
    whole(one).is_some_and(|one| Some(one) == whole(other))
}

/// The host and the port.
fn split(text: &str) -> Option<(&str, Option<u16>)> {
    let end = if text.starts_with('[') { text.find(']')? + 1 } else { text.find(':').unwrap_or(text.len()) };
    let (name, rest) = text.split_at(end);
    let port = match rest.strip_prefix(':') {
        Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => Some(port.parse().ok()?),
        None if rest.is_empty() => None,
        _ => return None,
    };
    (!name.is_empty()).then_some((name, port))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn served(listen: &str, names: &[&str]) -> Served {
        Served {
            listen: listen.parse().unwrap(),
            names: names.iter().map(ToString::to_string).collect(),
            secure: false,
        }
    }

    #[test]
    fn the_names_of_loopback_with_the_port_are_ours() {
        let served = served("127.0.0.1:8600", &[]);
        let local = "127.0.0.1".parse().unwrap();
        for host in ["localhost:8600", "LocalHost:8600", "127.0.0.1:8600", "[::1]:8600"] {
            assert!(served.is_ours(host, local), "{host}");
        }
        for host in [
            "",
            ":8600",
            "localhost",
            "localhost:8481",
            "127.0.0.1",
            "evil.example:8600",
            "localhost.evil.example:8600",
            "127.0.0.1.evil.example:8600",
            "localhost:8600:8600",
            "user@localhost:8600",
            "[::1",
            "[::1]8600",
            "localhost:",
            "localhost:+8600",
            "10.0.0.1:8600",
            "0.0.0.0:8600",
            "[::]:8600",
            "localhost.:8600",
            "127.0.0.2:8600",
        ] {
            assert!(!served.is_ours(host, local), "{host}");
        }
        let at_80 = Served { listen: "127.0.0.1:80".parse().unwrap(), ..served.clone() };
        assert!(at_80.is_ours("localhost", local));
        let at_443 = Served { listen: "127.0.0.1:443".parse().unwrap(), secure: true, ..served };
        assert!(at_443.is_ours("localhost", local) && !at_443.is_ours("localhost:80", local));
    }

    #[test]
    fn configured_names_and_the_own_address_are_ours() {
        let served = served("0.0.0.0:8600", &["vpn1.example", "dash.example:8443"]);
        let local = "10.0.0.1".parse().unwrap();
        for host in ["vpn1.example:8600", "VPN1.example", "dash.example:8443", "10.0.0.1:8600", "localhost:8600"] {
            assert!(served.is_ours(host, local), "{host}");
        }
        for host in ["vpn1.example:8443", "dash.example", "dash.example:8600", "10.0.0.2:8600", "0.0.0.0:8600"] {
            assert!(!served.is_ours(host, local), "{host}");
        }
        let mapped = "::ffff:10.0.0.1".parse().unwrap();
        assert!(served.is_ours("10.0.0.1:8600", mapped), "an IPv4 connection to an IPv6 socket");
    }

    #[test]
    fn an_origin_is_ours_if_its_host_is_that_of_the_request() {
        let mut served = served("127.0.0.1:8600", &["dash.example"]);
        assert!(served.is_origin_of("http://localhost:8600", "localhost:8600"));
        assert!(served.is_origin_of("https://dash.example", "dash.example"), "a proxy in front has TLS");
        for origin in [
            "null",
            "",
            "http://localhost:9999",
            "http://127.0.0.1:8600",
            "http://evil.example",
            "ftp://localhost:8600",
        ] {
            assert!(!served.is_origin_of(origin, "localhost:8600"), "{origin}");
        }
        served.secure = true;
        assert!(!served.is_origin_of("http://localhost:8600", "localhost:8600"));
    }

    #[test]
    fn a_proxy_that_encrypts_is_told_by_its_name() {
        let served = served("127.0.0.1:8600", &["https://dash.example", "https://vpn1.example:8443", "other.example"]);
        let local = "127.0.0.1".parse().unwrap();
        for host in ["dash.example", "DASH.example:443", "vpn1.example:8443"] {
            assert!(served.is_ours(host, local) && served.is_secure(host), "{host}");
        }
        for host in ["other.example", "localhost:8600", "127.0.0.1:8600"] {
            assert!(served.is_ours(host, local) && !served.is_secure(host), "{host}");
        }
        for host in ["vpn1.example", "dash.example:80", "dash.example:8600"] {
            assert!(!served.is_ours(host, local), "{host}");
        }
        assert!(served.is_origin_of("https://dash.example", "dash.example"));
        assert!(served.is_origin_of("https://dash.example", "dash.example:443"), "some proxies add the port");
        assert!(!served.is_origin_of("http://dash.example", "dash.example"), "a page that was changed on the way");
        let encrypts = Served { secure: true, ..served };
        assert!(encrypts.is_ours("dash.example:8600", local), "without a proxy it is the dashboard's own name");
    }

    #[test]
    fn names_of_hosts() {
        for name in ["dash.example", "vpn1:8443", "xn--bcher-kva.example"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "*", "*.example", "10.0.0.1", "[::1]:80", "a b", "http://a", "a/b", "a:", "a:x", "a:99999"] {
            assert!(!is_name(name), "{name}");
        }
    }
}
