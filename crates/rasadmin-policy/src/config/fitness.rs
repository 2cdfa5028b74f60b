//! Which addresses no client may have.

use super::Mistake;
use super::file::File;
use crate::addresses::{Family, RESERVED_IDENTIFIERS, text};
use crate::rules::Fault;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// The server's own addresses.
pub(super) fn server_addresses(file: &File, mistakes: &mut Vec<Mistake>) -> BTreeSet<Ipv4Addr> {
    let mut server = BTreeSet::new();
    for address in &file.server.addresses {
        match text::parse_address(address.get_ref(), Family::Ipv4) {
            Ok(number) => {
                server.insert(Ipv4Addr::from_bits(u32::try_from(number).unwrap_or(0)));
            }
            Err((what, help)) => mistakes.push(Mistake::at(address.span(), what, help)),
        }
    }
    server
}

/// Why no client may have some of the addresses in a range.
pub(super) fn unfit(server: &BTreeSet<Ipv4Addr>, family: Family, first: u64, last: u64) -> Option<Fault> {
    const NEVER: [(u64, u64, &str); 6] = [
        (0, 0x00ff_ffff, "0.0.0.0/8 is \"this network\""),
        (0x7f00_0000, 0x7fff_ffff, "127.0.0.0/8 is every computer itself"),
        (0xa9fe_0000, 0xa9fe_ffff, "169.254.0.0/16 is what RRAS offers when DHCP is down"),
        (0xe000_0000, 0xefff_ffff, "224.0.0.0/4 is multicast"),
        (0xf000_0000, 0xffff_fffe, "240.0.0.0/4 is reserved"),
        (0xffff_ffff, 0xffff_ffff, "255.255.255.255 is broadcast"),
    ];
    if family == Family::Ipv6 {
        let mut reserved = RESERVED_IDENTIFIERS.into_iter();
        let (begin, end) = reserved.find(|&(begin, end)| begin <= last && first <= end)?;
        let (begin, end) = (text::show(begin, family), text::show(end, family));
        let what = format!("no host may have the identifiers {begin} to {end} (RFC 5453)");
        return Some((what, "leave them out".to_owned()));
    }
    if let Some((_, _, why)) = NEVER.into_iter().find(|&(begin, end, _)| begin <= last && first <= end) {
        return Some((
            format!("no client can have such an address: {why}"),
            "use a private network, like 10.20.16.0/24".into(),
        ));
    }
    let [first, last] = [first, last].map(|number| Ipv4Addr::from_bits(u32::try_from(number).unwrap_or(u32::MAX)));
    let own: Vec<_> = server.range(first..=last).collect();
    let listed = |quote: &str| own.iter().map(|a| format!("{quote}{a}{quote}")).collect::<Vec<_>>().join(", ");
    let are = match own.len() {
        0 => return None,
        1 => "is the server's own address",
        _ => "are the server's own addresses",
    };
    let what = format!("{} {are}, which RRAS refuses to clients (error 1168)", listed(""));
    Some((what, format!("write exclude = [{}]", listed("\""))))
}
