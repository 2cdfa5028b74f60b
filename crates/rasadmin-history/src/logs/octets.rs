//! Decodes octets that logs write as hexadecimal digits: `data_type="2"` in DTS, `0x...` in the other two formats.

use super::record::Attribute;
use Attribute as A;
use encoding_rs::WINDOWS_1252;
use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Decodes digits, with or without `0x`, to the text that the attribute would have in a log. `None` if they are not
/// hexadecimal digits of whole octets.
pub fn text(attribute: Attribute, digits: &str) -> Option<String> {
    let octets = octets(digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")).unwrap_or(digits))?;
    let other = |octets: &[u8]| name(octets);
    Some(match attribute {
        // RFC 2868: a tag, and a number of 24 bits.
        A::TunnelType => number(octets.get(octets.len().saturating_sub(3)..)?)?,
        kind if kind.is_number() || kind == A::EventTimestamp => number(&octets)?,
        A::FramedIpAddress | A::NasIpAddress | A::ClientIpAddress => match <[u8; 4]>::try_from(&octets[..]) {
            Ok(address) => Ipv4Addr::from(address).to_string(),
            Err(_) => other(&octets),
        },
        A::FramedInterfaceId => match <[u8; 8]>::try_from(&octets[..]) {
            Ok(identifier) => Ipv6Addr::from_bits(u64::from_be_bytes(identifier).into()).to_string(),
            Err(_) => other(&octets),
        },
        A::FramedIpv6Prefix => prefix(&octets).unwrap_or_else(|| other(&octets)),
        // RFC 2548: the identifier of the CHAP exchange comes first.
        A::MsChapDomain => other(octets.get(1..)?),
        // RFC 2868: a tag may come first.
        A::TunnelClientEndpoint => other(octets.strip_prefix(&[0]).unwrap_or(&octets)),
        A::Class | A::AcctSessionId | A::AcctMultiSessionId => identifier(&octets),
        _ => other(&octets),
    })
}

/// How a log without data types writes the texts that it cannot write plainly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Texts {
    /// In quotes: a text is what it looks like.
    Quoted,
    /// As octets: the IAS format has no quotes, and writes texts with a comma or with other than printable characters in
    /// this way ("Interpret IAS Format Log Files", Microsoft).
    AsOctets,
}

/// Decodes a value that a log without data types writes as `0x...`. `None` if it is a text: a user can have such a name.
/// In the IAS format, a text counts as octets only if they are a text that the log could not have written as it is.
pub fn written(attribute: Attribute, value: &str, texts: Texts) -> Option<String> {
    let digits = value.trim().strip_prefix("0x").or_else(|| value.trim().strip_prefix("0X"))?;
    if attribute.is_octets() {
        return text(attribute, digits);
    }
    let text = String::from_utf8(octets(digits)?).ok().filter(|_| texts == Texts::AsOctets)?;
    let is_plain = text.chars().all(|c| matches!(c, ' '..='~') && c != ',');
    (!is_plain && !text.contains(char::is_control)).then_some(text)
}

fn octets(digits: &str) -> Option<Vec<u8>> {
    let digits = digits.trim().as_bytes();
    if digits.is_empty() || !digits.len().is_multiple_of(2) {
        return None;
    }
    let value = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    digits.chunks_exact(2).map(|pair| Some(value(pair[0])? << 4 | value(pair[1])?)).collect()
}

/// A number, in network byte order.
fn number(octets: &[u8]) -> Option<String> {
    let fits = (1..=8).contains(&octets.len());
    fits.then(|| octets.iter().fold(0_u64, |number, &octet| number << 8 | u64::from(octet)).to_string())
}

/// RFC 3162: a reserved octet, the length in bits, and the octets of the prefix that are not zero.
fn prefix(octets: &[u8]) -> Option<String> {
    let [_, length, prefix @ ..] = octets else { return None };
    let mut address = [0; 16];
    address.get_mut(..prefix.len())?.copy_from_slice(prefix);
    (*length <= 128).then(|| format!("{}/{length}", Ipv6Addr::from(address)))
}

/// A name, without the zeros after it: UTF-8, else code page 1252.
fn name(octets: &[u8]) -> String {
    let end = octets.iter().rposition(|&octet| octet != 0).map_or(0, |last| last + 1);
    let octets = &octets[..end];
    match std::str::from_utf8(octets) {
        Ok(text) => text.to_owned(),
        Err(_) => WINDOWS_1252.decode_without_bom_handling(octets).0.into_owned(),
    }
}

/// An identifier: its text, or its digits if it is not a text.
fn identifier(octets: &[u8]) -> String {
    match std::str::from_utf8(octets) {
        Ok(text) if !text.contains(char::is_control) => text.to_owned(),
        _ => octets.iter().fold("0x".to_owned(), |mut digits, octet| {
            let _ = write!(digits, "{octet:02X}"); // To a String: cannot fail.
            digits
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_value_is_decoded() {
        for (attribute, digits, expected) in [
            (A::MsChapDomain, "01434F5250", Some("CORP")),
            (A::MsChapDomain, "0x01574741444F4D41494E", Some("WGADOMAIN")),
            (A::MsChapDomain, "01", Some("")),
            (A::MsRasClientName, "4D535241532D302D50432D3100", Some("MSRAS-0-PC-1")),
            (A::UserName, "4AC3BC7267656E", Some("J\u{fc}rgen")),
            (A::UserName, "4AFC7267656E", Some("J\u{fc}rgen")),
            (A::Class, "3331312031", Some("311 1")),
            (A::Class, "01ff", Some("0x01FF")),
            (A::MsRasVendor, "00000137", Some("311")),
            (A::TunnelType, "01013701", Some("79617")),
            (A::TunnelType, "03", Some("3")),
            (A::AcctInputOctets, "ffffffff", Some("4294967295")),
            (A::EventTimestamp, "66719200", Some("1718718976")),
            (A::FramedIpAddress, "0A080005", Some("10.8.0.5")),
            (A::FramedInterfaceId, "00000000a11c000e", Some("::a11c:e")),
            (A::FramedIpv6Prefix, "004020010db800010000", Some("2001:db8:1::/64")),
            (A::TunnelClientEndpoint, "003230332e302e3131332e39", Some("203.0.113.9")),
            (A::CallingStationId, "2b3439", Some("+49")),
            (A::UserName, "abc", None),
            (A::UserName, "xy", None),
            (A::UserName, "é0", None),
            (A::UserName, "", None),
            (A::AcctInputOctets, "001122334455667788", None),
        ] {
            assert_eq!(text(attribute, digits).as_deref(), expected, "{attribute:?} {digits}");
        }
    }

    #[test]
    fn a_text_that_looks_like_octets_is_a_text() {
        let ias = |attribute, value| written(attribute, value, Texts::AsOctets);
        let quoted = |attribute, value| written(attribute, value, Texts::Quoted);
        for text in ["0xBEEF", "0x4142", "0xavier", "0x0141", "0x123", "4AC3BC"] {
            assert_eq!((ias(A::UserName, text), quoted(A::UserName, text)), (None, None), "{text}");
            assert_eq!((ias(A::NasIdentifier, text), ias(A::AcctSessionId, text)), (None, None), "{text}");
        }
        // What the IAS format cannot write plainly.
        for (digits, expected) in [("0x4AC3BC", "J\u{fc}"), ("0x412C42", "A,B"), ("0xC5817563", "Łuc")] {
            assert_eq!(ias(A::UserName, digits).as_deref(), Some(expected));
            assert_eq!(ias(A::SamAccountName, digits).as_deref(), Some(expected));
            assert_eq!(quoted(A::UserName, digits), None, "in quotes it would be written plainly");
        }
        // What carries octets.
        for texts in [Texts::Quoted, Texts::AsOctets] {
            assert_eq!(written(A::MsRasClientName, " 0x4142", texts).as_deref(), Some("AB"));
            assert_eq!(written(A::MsChapDomain, "0x01434F5250", texts).as_deref(), Some("CORP"));
            assert_eq!(written(A::Class, "0x01FF", texts).as_deref(), Some("0x01FF"));
            assert_eq!(written(A::MsRasClientName, "4142", texts), None);
        }
    }
}
