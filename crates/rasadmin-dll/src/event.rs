//! Converts what RRAS passes into the engine's events.

use mprapi::guid;
use rasadmin_engine::addresses::{Address, Family};
use rasadmin_engine::effect::Usage;
use rasadmin_engine::event::{AddressEvent, ConnectionEvent, LinkEvent, Offer, ReleaseEvent};
use rasadmin_engine::{InterfaceType, Name, Quarantine, Tunnel};
use rasadmin_sdk::{AddressRequest, Connection, Counters, Link, WideStr};
use std::net::{Ipv4Addr, Ipv6Addr};

fn name(text: WideStr<'_>) -> Name {
    Name::from_utf16(text.units())
}

fn usage(seconds: u32, counters: Counters) -> Usage {
    Usage {
        seconds: seconds.into(),
        input_octets: counters.bytes_received.into(),
        output_octets: counters.bytes_transmitted.into(),
        input_packets: counters.frames_received.into(),
        output_packets: counters.frames_transmitted.into(),
    }
}

/// Converts a connection.
pub fn connection(c: &Connection) -> ConnectionEvent {
    let projection = c.projection().unwrap_or_default();
    let ipv4 = projection.ipv4.into_iter().flatten().flatten().map(ipv4_address);
    let ipv6 = projection
        .ipv6_identifiers
        .into_iter()
        .flatten()
        .filter(|id| *id != [0; 8])
        .map(|id| Address { family: Family::Ipv6, number: u64::from_be_bytes(id) });
    let prefix = projection.ipv6_prefix.filter(|prefix| *prefix != [0; 8]).map(|prefix| {
        let bits = u128::from(u64::from_be_bytes(prefix)) << 64;
        format!("{}/64", Ipv6Addr::from_bits(bits))
    });
    ConnectionEvent {
        handle: c.handle(),
        guid: c.guid().and_then(guid::text),
        user: name(c.user()),
        domain: name(c.logon_domain()),
        computer: name(c.remote_computer()),
        source: name(c.remote_endpoint()).as_str().to_owned(),
        interface: InterfaceType::from_windows(c.interface_type()),
        ikev2: c.is_ikev2(),
        quarantine: c.quarantine().and_then(|state| match state {
            rasadmin_sdk::Quarantine::Normal => Some(Quarantine::Normal),
            rasadmin_sdk::Quarantine::Quarantine => Some(Quarantine::Quarantine),
            rasadmin_sdk::Quarantine::Probation => Some(Quarantine::Probation),
            rasadmin_sdk::Quarantine::NotCapable => Some(Quarantine::NotCapable),
            rasadmin_sdk::Quarantine::Other(_) => None,
        }),
        usage: usage(c.duration_seconds(), c.counters()),
        addresses: ipv4.chain(ipv6).collect(),
        prefix,
    }
}

/// Converts a link.
pub fn link(l: &Link) -> LinkEvent {
    LinkEvent {
        handle: l.connection_handle(),
        port: name(l.port()),
        device: name(l.device_name()),
        tunnel: l.tunnel().map(|tunnel| match tunnel {
            rasadmin_sdk::Tunnel::Sstp => Tunnel::Sstp,
            rasadmin_sdk::Tunnel::Ikev2 => Tunnel::Ikev2,
            rasadmin_sdk::Tunnel::L2tp => Tunnel::L2tp,
            rasadmin_sdk::Tunnel::Pptp => Tunnel::Pptp,
        }),
        usage: usage(l.duration_seconds(), l.counters()),
    }
}

fn ipv4_address(address: Ipv4Addr) -> Address {
    Address { family: Family::Ipv4, number: address.to_bits().into() }
}

/// Converts a request for an IPv4 address.
pub fn ipv4(request: &AddressRequest<Ipv4Addr>) -> AddressEvent {
    let offer = request.offer().map_or(Offer::Nothing, |offer| Offer::Number(offer.to_bits().into()));
    AddressEvent { user: name(request.user()), port: name(request.port()), family: Family::Ipv4, offer }
}

/// Converts a request for an IPv6 identifier, which is probably in the last eight bytes.
pub fn ipv6(request: &AddressRequest<Ipv6Addr>) -> AddressEvent {
    let offer = match halves(request.address()) {
        (0, 0) => Offer::Nothing,
        (high, 0) => Offer::HighHalf(high),
        (_, low) => Offer::Number(low),
    };
    AddressEvent { user: name(request.user()), port: name(request.port()), family: Family::Ipv6, offer }
}

/// Converts the release of an IPv4 address.
pub fn ipv4_release(request: &AddressRequest<Ipv4Addr>) -> ReleaseEvent {
    let address = Some(ipv4_address(request.address()));
    ReleaseEvent { user: name(request.user()), port: name(request.port()), address }
}

/// Converts the release of an IPv6 identifier.
pub fn ipv6_release(request: &AddressRequest<Ipv6Addr>) -> ReleaseEvent {
    let (_, low) = halves(request.address());
    let address = (low != 0).then_some(Address { family: Family::Ipv6, number: low });
    ReleaseEvent { user: name(request.user()), port: name(request.port()), address }
}

fn halves(address: Ipv6Addr) -> (u64, u64) {
    let bits = address.to_bits();
    ((bits >> 64) as u64, bits as u64)
}
