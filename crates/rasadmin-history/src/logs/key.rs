//! The keys of sessions.

use rasadmin_policy::Millis;
use rasadmin_policy::Name;
use sha2::{Digest as _, Sha256};

/// The key of a session in a ledger. If its id is already a UUID (as in our own export), that is the key. Otherwise
/// the key is a UUID (version 8) derived from server, Class and id, so that the same session of the same log always
/// has the same key. In a log without Classes, ids repeat after every restart of the server, so the second of the
/// start is part of the key.
pub fn key(server: &Name, class: &str, id: &str, start: Millis) -> String {
    if let Some(uuid) = uuid(id) {
        return uuid;
    }
    let start = if class.is_empty() { (start.div_euclid(1000)).to_string() } else { String::new() };
    let digest = digest(&[server.folded().as_str(), class, id, &start]).to_be_bytes();
    uuid::Builder::from_custom_bytes(digest).into_uuid().to_string()
}

/// The UUID, if the id is written in the usual form. An id of 32 hexadecimal digits can be anything.
pub fn uuid(id: &str) -> Option<String> {
    let usual = id.len() == 36
        && id.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        });
    usual.then(|| id.to_ascii_lowercase())
}

/// The digest of several texts. Their lengths are included, so that other texts do not give the same digest.
pub fn digest(texts: &[&str]) -> u128 {
    let mut digest = Sha256::new();
    for text in texts {
        digest.update((text.len() as u64).to_le_bytes());
        digest.update(text);
    }
    let digest = digest.finalize();
    digest[..16].iter().fold(0, |number, &byte| number << 8 | u128::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_session_has_the_same_key_and_no_other_has() {
        let class = "311 1 192.168.180.2 06/15/2024 17:41:37 169";
        let first = key(&"VPN1".into(), class, "117", 0);
        assert_eq!(first, key(&"vpn1".into(), class, "117", 99_000));
        assert_eq!(first.as_bytes()[14], b'8', "{first}");
        for (server, class, id) in [("VPN2", class, "117"), ("VPN1", "311 1 x", "117"), ("VPN1", class, "118")] {
            assert_ne!(first, key(&server.into(), class, id, 0));
        }
    }

    #[test]
    fn without_a_class_ids_restart() {
        let at = |start| key(&"VPN1".into(), "", "117", start);
        assert_eq!(at(1_000), at(1_999));
        assert_ne!(at(1_000), at(2_000));
    }

    #[test]
    fn our_own_key_stays() {
        let own = "0193597e-6c52-7d3a-8b1c-0123456789ab";
        assert_eq!(key(&"VPN1".into(), "", own, 0), own);
        assert_eq!(key(&"VPN1".into(), "x", &own.to_uppercase(), 0), own);
        assert_ne!(key(&"VPN1".into(), "", &own.replace('-', ""), 0), own);
    }
}
