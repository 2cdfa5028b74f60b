//! Parses the values of a scenario's keys.

use crate::address_calls::{IdentifierOffer, Offer};
use crate::fill::Tunnel;
use crate::hangup_calls::{Delivery, HangupCall};
use crate::scenario::event::Traffic;
use crate::scenario::line::Line;
use mprapi::abi::*;
use std::net::{Ipv4Addr, Ipv6Addr};

/// What `received=` and `sent=` say.
pub(super) fn traffic(line: &mut Line<'_>) -> Result<Option<Traffic>, String> {
    let mut bytes = |key| line.key(key).map(|text| size(key, text)).transpose();
    let (received, sent) = (bytes("received")?, bytes("sent")?);
    Ok((received.is_some() || sent.is_some())
        .then(|| Traffic { received: received.unwrap_or(0), sent: sent.unwrap_or(0) }))
}

/// A number of bytes. K, M and G stand for 1024, 1024² and 1024³.
fn size(key: &str, text: &str) -> Result<u64, String> {
    let (digits, unit) = match text.char_indices().last() {
        Some((at, 'K')) => (&text[..at], 1 << 10),
        Some((at, 'M')) => (&text[..at], 1 << 20),
        Some((at, 'G')) => (&text[..at], 1 << 30),
        _ => (text, 1),
    };
    let number = digits.parse::<u64>().ok().and_then(|n| n.checked_mul(unit));
    number.ok_or_else(|| format!("`{key}` must be a number of bytes, like 1500000 or 20M, not `{text}`"))
}

/// `HH:MM:SS`, in seconds since midnight. Hours past 23 are in the following days.
pub(super) fn time(text: &str) -> Option<u32> {
    let mut parts = text.split(':');
    let mut next = |limit: u32| {
        let part = parts.next()?;
        let valid = part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
        part.parse::<u32>().ok().filter(|&n| valid && n < limit)
    };
    let seconds = next(100)? * 3600 + next(60)? * 60 + next(60)?;
    parts.next().is_none().then_some(seconds)
}

/// A step of the clock, `+01:00:00` or `-00:05:00`, in seconds.
pub(super) fn step(text: &str) -> Result<i64, String> {
    let sign = match text.chars().next() {
        Some('+') => 1,
        Some('-') => -1,
        _ => 0,
    };
    let seconds = text.get(1..).and_then(time).filter(|_| sign != 0);
    let seconds =
        seconds.ok_or_else(|| format!("`{text}` is not a valid step of the clock: expected one like -01:00:00"))?;
    Ok(sign * i64::from(seconds))
}

pub(super) fn seconds(key: &str, text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| format!("`{key}` must be a number of seconds, up to 4294967295, not `{text}`"))
}

pub(super) fn address(text: &str) -> Result<Ipv4Addr, String> {
    text.trim().parse().map_err(|_| format!("`{text}` is not a valid IPv4 address: expected one like 10.20.0.1"))
}

pub(super) fn ip(text: &str) -> Result<String, String> {
    let parsed = text.parse::<std::net::IpAddr>();
    parsed
        .map(|ip| ip.to_string())
        .map_err(|_| format!("`{text}` is not a valid IP address: expected one like 203.0.113.9"))
}

pub(super) fn offer(text: &str) -> Result<Offer, String> {
    if text == "none" { Ok(Offer::Nothing) } else { address(text).map(Offer::This) }
}

pub(super) fn identifier_offer(text: &str) -> Result<IdentifierOffer, String> {
    if text == "high-only" {
        return Ok(IdentifierOffer::HighOnly);
    }
    let parsed = text.parse::<Ipv6Addr>().map(|address| IdentifierOffer::This(address.octets()));
    parsed.map_err(|_| {
        format!("`{text}` is not a valid offer for IPv6: expected the 16 bytes as an address, like ::2a00:1 or ::, or high-only")
    })
}

/// An IPv6 interface identifier: the last eight bytes of an address whose first eight are zero.
pub(super) fn identifier(text: &str) -> Result<[u8; 8], String> {
    let expected = || format!("`{text}` is not a valid IPv6 interface identifier: expected one like ::2a00:1");
    let bits = text.parse::<Ipv6Addr>().map_err(|_| expected())?.to_bits();
    u64::try_from(bits).map(u64::to_be_bytes).map_err(|_| expected())
}

pub(super) fn prefix(text: &str) -> Result<[u8; 8], String> {
    let parsed = text.strip_suffix("/64").and_then(|prefix| prefix.parse::<Ipv6Addr>().ok());
    let octets = parsed.ok_or("expected an IPv6 prefix of 64 bits, like 2001:db8:20::/64")?.octets();
    let mut half = [0; 8];
    half.copy_from_slice(&octets[..8]);
    Ok(half)
}

pub(super) fn tunnel(text: &str) -> Result<Tunnel, String> {
    Tunnel::ALL
        .into_iter()
        .find(|tunnel| tunnel.name().eq_ignore_ascii_case(text))
        .ok_or_else(|| format!("there is no tunnel `{text}`: expected sstp, ikev2, l2tp or pptp"))
}

pub(super) fn quarantine(text: &str) -> Result<i32, String> {
    match text {
        "normal" => Ok(RAS_QUAR_STATE_NORMAL),
        "quarantine" => Ok(RAS_QUAR_STATE_QUARANTINE),
        "probation" => Ok(RAS_QUAR_STATE_PROBATION),
        "not-capable" => Ok(RAS_QUAR_STATE_NOT_CAPABLE),
        _ => {
            Err(format!("there is no quarantine state `{text}`: expected normal, quarantine, probation or not-capable"))
        }
    }
}

/// A list of hangup calls, such as `link,release`.
pub(super) fn hangup_calls(text: &str) -> Result<Vec<HangupCall>, String> {
    let call = |name: &str| {
        let found = HangupCall::ALL.into_iter().find(|call| call.name() == name);
        found.ok_or_else(|| format!("there is no part `{name}` of a hangup: expected link, connection or release"))
    };
    text.split(',').map(call).collect()
}

/// What `lose=` and `twice=` say.
pub(super) fn delivery(line: &mut Line<'_>) -> Result<Delivery, String> {
    let mut delivery = Delivery::default();
    for (key, times) in [("lose", 0), ("twice", 2)] {
        for call in line.key(key).map(hangup_calls).transpose()?.unwrap_or_default() {
            if delivery.times(call) != 1 {
                return Err(format!("`{}` cannot be lost and come twice", call.name()));
            }
            delivery.set(call, times);
        }
    }
    Ok(delivery)
}
