//! Lists of networks of a client's public address.

use super::Fault;
use crate::shorten::shortened;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::net::IpAddr;

/// Networks as disjoint ranges in ascending order, both ends included: one binary search, however many there are.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Networks {
    ipv4: Box<[(u32, u32)]>,
    ipv6: Box<[(u128, u128)]>,
}

impl Networks {
    pub(crate) fn new(networks: impl IntoIterator<Item = IpNet>) -> Self {
        let (mut ipv4, mut ipv6) = (Vec::new(), Vec::new());
        for network in networks {
            match network {
                IpNet::V4(net) => ipv4.push((u32::from(net.network()), u32::from(net.broadcast()))),
                IpNet::V6(net) => ipv6.push((u128::from(net.network()), u128::from(net.broadcast()))),
            }
        }
        Self { ipv4: disjoint(ipv4), ipv6: disjoint(ipv6) }
    }

    /// Does one of them contain a whole network?
    pub(crate) fn cover(&self, network: &IpNet) -> bool {
        match network {
            IpNet::V4(net) => {
                range(&self.ipv4, net.network().into()).is_some_and(|last| u32::from(net.broadcast()) <= last)
            }
            IpNet::V6(net) => {
                range(&self.ipv6, net.network().into()).is_some_and(|last| u128::from(net.broadcast()) <= last)
            }
        }
    }

    /// Is a canonical address (not an IPv4-mapped IPv6 address) in one of them?
    pub(super) fn contains(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(address) => within(&self.ipv4, u32::from(address)),
            IpAddr::V6(address) => within(&self.ipv6, u128::from(address)),
        }
    }
}

/// Two networks are either disjoint or nested. Removes the nested ones.
fn disjoint<T: Copy + Ord>(mut ranges: Vec<(T, T)>) -> Box<[(T, T)]> {
    ranges.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(b.1.cmp(&a.1)));
    ranges.dedup_by(|inner, outer| inner.1 <= outer.1);
    ranges.into()
}

fn within<T: Copy + Ord>(ranges: &[(T, T)], number: T) -> bool {
    range(ranges, number).is_some_and(|last| number <= last)
}

/// The end of the last range that does not begin after a number.
fn range<T: Copy + Ord>(ranges: &[(T, T)], number: T) -> Option<T> {
    let after = ranges.partition_point(|&(first, _)| first <= number);
    after.checked_sub(1).and_then(|at| ranges.get(at)).map(|&(_, last)| last)
}

/// Parses a network or a single address. An IPv4-mapped one counts as IPv4.
pub(crate) fn parse(text: &str) -> Result<IpNet, Fault> {
    let network = match text.parse::<IpAddr>() {
        Ok(address) => IpNet::from(address),
        Err(_) => text.parse::<IpNet>().map_err(|_| {
            (
                format!("`{}` is not a valid network", shortened(text)),
                "write `203.0.113.0/24`, `2001:db8::/32` or a single address".to_owned(),
            )
        })?,
    };
    if network.trunc() != network {
        return Err((
            format!("`{text}` is an address within a network, not a network"),
            format!("write `{}` for the network, `{}` for the address alone", network.trunc(), network.addr()),
        ));
    }
    Ok(match network {
        IpNet::V6(net) => unmapped(net).map_or(network, IpNet::V4),
        IpNet::V4(_) => network,
    })
}

/// The IPv4 network that an IPv6 network within `::ffff:0:0/96` stands for.
fn unmapped(net: Ipv6Net) -> Option<Ipv4Net> {
    let address = net.network().to_ipv4_mapped()?;
    Ipv4Net::new(address, net.prefix_len().checked_sub(96)?).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_address_is_found_in_its_network() {
        let networks = Networks::new(
            ["10.0.0.0/8", "10.1.0.0/16", "203.0.113.7", "198.51.100.0/24", "2001:db8::/32", "::ffff:192.0.2.0/120"]
                .map(|text| parse(text).unwrap()),
        );
        for address in ["10.0.0.0", "10.255.255.255", "203.0.113.7", "198.51.100.9", "2001:db8:ff::1", "192.0.2.1"] {
            assert!(networks.contains(address.parse().unwrap()), "{address}");
        }
        for address in ["9.255.255.255", "11.0.0.0", "203.0.113.8", "2001:db9::", "::1", "192.0.3.0"] {
            assert!(!networks.contains(address.parse().unwrap()), "{address}");
        }
        assert!(!Networks::new([parse("::/0").unwrap()]).contains("192.0.2.1".parse().unwrap()));
        assert!(Networks::new([parse("0.0.0.0/0").unwrap()]).contains("255.255.255.255".parse().unwrap()));
    }

    #[test]
    fn what_is_no_network_is_a_fault_that_says_the_right_one() {
        let (_, help) = parse("203.0.113.7/24").unwrap_err();
        assert!(help.contains("`203.0.113.0/24`") && help.contains("`203.0.113.7`"), "{help}");
        let (_, help) = parse("2001:db8::1/32").unwrap_err();
        assert!(help.contains("`2001:db8::/32`"), "{help}");
        for text in ["", "203.0.113.0/33", "203.0.113", "example.com", "10.0.0.0/", "10.0.0.0-10.0.0.9"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
