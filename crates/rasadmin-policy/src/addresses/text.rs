//! Addresses as text: `10.20.16.0/24`, `10.20.17.10-10.20.17.99`, `10.20.18.7`, and the same for the low half of an
//! IPv6 address.

use super::Family;
use super::ranges::Range;
use crate::rules::Fault;
use crate::shorten::shortened;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Parses a single address.
pub fn parse_address(text: &str, family: Family) -> Result<u64, Fault> {
    let text = text.trim();
    match family {
        Family::Ipv4 => text.parse::<Ipv4Addr>().map(|a| a.to_bits().into()).map_err(|_| {
            (format!("`{}` is not a valid IPv4 address", shortened(text)), "write it like 10.20.16.9".to_owned())
        }),
        Family::Ipv6 => {
            let bits = text.parse::<Ipv6Addr>().map(Ipv6Addr::to_bits).map_err(|_| {
                let help = "write it as the low half of an address, like ::a11c:e".to_owned();
                (format!("`{}` is not a valid IPv6 interface identifier", shortened(text)), help)
            })?;
            u64::try_from(bits).map_err(|_| {
                let low = Ipv6Addr::from_bits(bits & u128::from(u64::MAX));
                let what =
                    format!("`{text}` has a prefix: RRAS sets the prefix, and the configuration only the low half");
                (what, format!("write {low}"))
            })
        }
    }
}

/// Parses a network, a range or a single address. An IPv4 network whose prefix is shorter than /31 loses its first and
/// last address: the network address and the broadcast address.
pub fn parse_range(text: &str, family: Family) -> Result<Range, Fault> {
    if let Some((address, length)) = text.split_once('/') {
        return network(text, parse_address(address, family)?, length.trim(), family);
    }
    let Some((first, last)) = text.split_once('-') else {
        return parse_address(text, family).map(|n| (n, n)).map_err(|fault| meant(text, family).unwrap_or(fault));
    };
    let (first, last) = (parse_address(first, family)?, parse_address(last, family)?);
    if first > last {
        return Err((format!("the range `{text}` ends before it begins"), "write the lower address first".to_owned()));
    }
    Ok((first, last))
}

/// The fault of a range whose ends are joined in another way: `10.1.0.1..10.1.0.9`, `10.1.0.1 to 10.1.0.9`.
fn meant(text: &str, family: Family) -> Option<Fault> {
    let (first, last) = ["..", "to", "–", "—"].into_iter().find_map(|join| text.split_once(join))?;
    let right = format!("{}-{}", first.trim(), last.trim_start_matches('.').trim());
    parse_range(&right, family).ok()?;
    Some((format!("`{text}` has no `-` between its ends"), format!("write {right}")))
}

fn network(text: &str, address: u64, length: &str, family: Family) -> Result<Range, Fault> {
    let (least, bits, most) = match family {
        Family::Ipv4 => (8, 32, 32),
        Family::Ipv6 => (64, 128, 128),
    };
    let parsed = length.parse::<u32>().ok().filter(|length| (least..=most).contains(length));
    let Some(length) = parsed else {
        return Err((
            format!("`{}` has no usable prefix length", shortened(text)),
            format!("it can be /{least} to /{most}"),
        ));
    };
    let size = 1_u128 << (bits - length);
    let mask = u64::try_from(size - 1).unwrap_or(u64::MAX);
    if address & mask != 0 {
        let right = show(address & !mask, family);
        return Err((
            format!("`{text}` is an address within a network, not a network"),
            format!("write {right}/{length}"),
        ));
    }
    let (first, last) = (address, address | mask);
    let whole = family == Family::Ipv4 && length < 31;
    Ok(if whole { (first + 1, last - 1) } else { (first, last) })
}

/// Formats an address.
pub fn show(number: u64, family: Family) -> String {
    match family {
        Family::Ipv4 => Ipv4Addr::from_bits(u32::try_from(number).unwrap_or(u32::MAX)).to_string(),
        Family::Ipv6 => Ipv6Addr::from_bits(number.into()).to_string(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn ipv4(text: &str) -> String {
        match parse_range(text, Family::Ipv4) {
            Ok((first, last)) => format!("{} {}", show(first, Family::Ipv4), show(last, Family::Ipv4)),
            Err((what, help)) => format!("{what}; {help}"),
        }
    }

    #[test]
    fn every_spelling() {
        assert_eq!(ipv4("10.0.0.0/8"), "10.0.0.1 10.255.255.254");
        assert_eq!(ipv4("10.1.2.4/31"), "10.1.2.4 10.1.2.5");
        assert_eq!(ipv4("10.1.2.4/32"), "10.1.2.4 10.1.2.4");
        assert_eq!(ipv4("10.1.2.4 - 10.1.2.9"), "10.1.2.4 10.1.2.9");
        assert_eq!(
            ipv4("10.1.2.4/24"),
            "`10.1.2.4/24` is an address within a network, not a network; write 10.1.2.0/24"
        );
        assert_eq!(ipv4("10.0.0.0/7"), "`10.0.0.0/7` has no usable prefix length; it can be /8 to /32");
        assert_eq!(parse_range("::1:0/112", Family::Ipv6), Ok((0x1_0000, 0x1_ffff)));
        assert_eq!(parse_range("::/64", Family::Ipv6), Ok((0, u64::MAX)));
        assert_eq!(parse_address("2001:db8::7", Family::Ipv6).unwrap_err().1, "write ::7");
    }
}
