//! What a certificate says: until when, for which names, and what to compare it by.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use rustls::client::verify_server_name;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::ParsedCertificate;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

/// The SHA-256 fingerprint, as browsers and openssl show it: `AB:CD:…`.
pub fn fingerprint(certificate: &CertificateDer<'_>) -> String {
    let mut text = String::new();
    for byte in Sha256::digest(certificate) {
        let separator = if text.is_empty() { "" } else { ":" };
        let _ = write!(text, "{separator}{byte:02X}"); // To a text: cannot fail.
    }
    text
}

/// Whether it is for a host with this name or address. A text that can be neither is left out of account.
pub fn is_for(certificate: &CertificateDer<'_>, host: &str) -> bool {
    let (Ok(certificate), Ok(host)) = (ParsedCertificate::try_from(certificate), ServerName::try_from(host)) else {
        return true;
    };
    verify_server_name(&certificate, &host).is_ok()
}

/// The end of its validity. None if it is in a form that this does not know.
pub fn ends(certificate: &CertificateDer<'_>) -> Option<Timestamp> {
    const VERSION: u8 = 0xA0;
    const UTC_TIME: u8 = 0x17;
    const GENERALIZED_TIME: u8 = 0x18;
    // RFC 5280, 4.1: SEQUENCE { SEQUENCE { [0] version, serialNumber, signature, issuer, validity, … }, … }
    let (_, whole, _) = element(certificate)?;
    let (_, mut fields, _) = element(whole)?;
    let before_validity = if fields.first() == Some(&VERSION) { 4 } else { 3 };
    for _ in 0..before_validity {
        (_, _, fields) = element(fields)?;
    }
    let (_, validity, _) = element(fields)?;
    let (_, _, after_begin) = element(validity)?;
    let (tag, text, _) = element(after_begin)?;
    let text = std::str::from_utf8(text).ok()?;
    let text = match tag {
        UTC_TIME if text >= "50" => format!("19{text}"),
        UTC_TIME => format!("20{text}"),
        GENERALIZED_TIME => text.to_owned(),
        _ => return None,
    };
    Offset::UTC.to_timestamp(DateTime::strptime("%Y%m%d%H%M%SZ", text).ok()?).ok()
}

/// The tag and the content of the first element in DER, and what comes after it.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7F => (usize::from(first), rest),
        0x81..=0x83 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7F))?;
            (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
        }
        // A certificate is not that long.
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    fn certificate(names: &[&str], end: (i32, u8, u8)) -> CertificateDer<'static> {
        let names: Vec<_> = names.iter().map(ToString::to_string).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.not_before = date_time_ymd(2001, 2, 3);
        params.not_after = date_time_ymd(end.0, end.1, end.2);
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().clone()
    }

    #[test]
    fn the_end_is_read_in_both_forms_of_time() {
        for (end, text) in [((2031, 4, 5), "2031-04-05T00:00:00Z"), ((2070, 12, 31), "2070-12-31T00:00:00Z")] {
            assert_eq!(ends(&certificate(&["a.example"], end)), Some(text.parse().unwrap()));
        }
        let whole = certificate(&["a.example"], (2031, 4, 5));
        for length in 0..whole.len() {
            // Shorter ones are refused, and cause no panic.
            assert_eq!(ends(&CertificateDer::from(&whole[..length])), None, "{length}");
        }
    }

    #[test]
    fn the_names_and_addresses_of_a_certificate() {
        let of = certificate(&["vpn1.example", "localhost", "10.0.0.1", "::1"], (2031, 4, 5));
        for host in ["vpn1.example", "VPN1.example", "localhost", "10.0.0.1", "::1", "not a host"] {
            assert!(is_for(&of, host), "{host}");
        }
        for host in ["vpn2.example", "example", "10.0.0.2", "::2"] {
            assert!(!is_for(&of, host), "{host}");
        }
    }

    #[test]
    fn a_fingerprint_is_shown_as_in_browsers() {
        let text = fingerprint(&CertificateDer::from(&b"abc"[..]));
        assert!(text.starts_with("BA:78:16:BF:8F:01:CF:EA:"), "{text}");
        assert_eq!(text.len(), 32 * 3 - 1);
    }
}
