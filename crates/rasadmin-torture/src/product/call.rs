//! Makes the call for an event, with its structures filled as Windows fills them.

use mprapi::FunctionId as F;
use mprapi::abi::{
    RAS_QUAR_STATE_NORMAL, RAS_QUAR_STATE_NOT_CAPABLE, RAS_QUAR_STATE_PROBATION, RAS_QUAR_STATE_QUARANTINE,
};
use rasadmin_engine::addresses::{Address, Family};
use rasadmin_engine::effect::Usage;
use rasadmin_engine::event::{AddressEvent, ConnectionEvent, LinkEvent, Offer, ReleaseEvent};
use rasadmin_engine::{Event, Name, Quarantine};
use rasadmin_host::assumptions::Assumptions;
use rasadmin_host::fill::{self, ConnectionFacts, LinkFacts, Tunnel};
use rasadmin_host::invoke::Arg;

/// A call to make.
pub struct Call {
    /// The function.
    pub function: F,
    /// Its arguments.
    pub arguments: Vec<Arg>,
}

/// The prefix that RRAS owns, 2001:db8:0:1::/64.
pub const PREFIX: [u8; 8] = [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 1];

/// notify_release before an address call. It can have any value, and on a refusal the DLL sets it to FALSE.
const NOTIFY_BEFORE: [u8; 4] = [1, 0, 0, 0];

/// Makes the call for an event. An event that only passes time is the hangup of an unknown link.
pub fn of(event: &Event, assumptions: Assumptions) -> Result<Call, String> {
    Ok(match event {
        Event::Address(event) => address(event),
        Event::Release(event) => release(event),
        Event::Lost { events: 0 } => link(F::LinkHangupNotification, &of_nobody()),
        Event::Connection(event) => connection(F::AcceptNewConnectionEx, event, assumptions)?,
        Event::Hangup(event) => connection(F::ConnectionHangupNotificationEx, event, assumptions)?,
        Event::Reauthentication(event) => connection(F::AcceptReauthenticationEx, event, assumptions)?,
        Event::EndpointChange(event) => connection(F::AcceptTunnelEndpointChangeEx, event, assumptions)?,
        Event::Link(event) => link(F::AcceptNewLink, event),
        Event::LinkHangup(event) => link(F::LinkHangupNotification, event),
        _ => return Err(format!("RRAS has no call for {event:?}")),
    })
}

fn of_nobody() -> LinkEvent {
    let [port, device] = ["VPN9-9", "WAN Miniport (SSTP)"].map(Name::new);
    // The model's handles are multiples of four.
    LinkEvent { handle: 1, port, device, tunnel: None, usage: Usage::default() }
}

/// The bytes of RRAS's offer.
pub fn offered(event: &AddressEvent) -> Vec<u8> {
    match (event.family, event.offer) {
        (family, Offer::Nothing) => bytes(family, 0),
        (family, Offer::Number(number)) => bytes(family, number.into()),
        (family, Offer::HighHalf(number)) => bytes(family, u128::from(number) << 64),
    }
}

/// The bytes of an address. An identifier is in the last eight.
pub fn bytes(family: Family, number: u128) -> Vec<u8> {
    let all = number.to_be_bytes();
    match family {
        Family::Ipv4 => all[12..].to_vec(),
        Family::Ipv6 => all.to_vec(),
    }
}

fn address(event: &AddressEvent) -> Call {
    let function = match event.family {
        Family::Ipv4 => F::GetIpAddressForUser,
        Family::Ipv6 => F::GetIpv6AddressForUser,
    };
    let [user, port] = [&event.user, &event.port].map(|name| Arg::text(name.as_str()));
    Call { function, arguments: vec![user, port, Arg::bytes(&offered(event)), Arg::bytes(&NOTIFY_BEFORE)] }
}

fn release(event: &ReleaseEvent) -> Call {
    let Address { family, number } = event.address.unwrap_or(Address { family: Family::Ipv6, number: 0 });
    let function = match family {
        Family::Ipv4 => F::ReleaseIpAddress,
        Family::Ipv6 => F::ReleaseIpv6AddressForUser,
    };
    let [user, port] = [&event.user, &event.port].map(|name| Arg::text(name.as_str()));
    Call { function, arguments: vec![user, port, Arg::bytes(&bytes(family, number.into()))] }
}

fn connection(function: F, event: &ConnectionEvent, assumptions: Assumptions) -> Result<Call, String> {
    let of = |family| event.addresses.iter().filter(move |a| a.family == family).map(|a| a.number);
    let mut ipv4 = of(Family::Ipv4).filter_map(|number| u32::try_from(number).ok()).map(Into::into);
    let facts = ConnectionFacts {
        handle: event.handle,
        user: event.user.as_str().to_owned(),
        domain: event.domain.as_str().to_owned(),
        remote_computer: event.computer.as_str().to_owned(),
        tunnel: if event.ikev2 == Some(true) { Tunnel::Ikev2 } else { Tunnel::Sstp },
        guid: event.guid.as_deref().map_or(Ok([0; 16]), guid)?,
        quarantine: match event.quarantine {
            None | Some(Quarantine::Normal) => RAS_QUAR_STATE_NORMAL,
            Some(Quarantine::Quarantine) => RAS_QUAR_STATE_QUARANTINE,
            Some(Quarantine::Probation) => RAS_QUAR_STATE_PROBATION,
            Some(Quarantine::NotCapable) => RAS_QUAR_STATE_NOT_CAPABLE,
        },
        duration: seconds(event.usage.seconds),
        received: event.usage.input_octets,
        sent: event.usage.output_octets,
        remote_endpoint: event.source.clone(),
        local_endpoint: "192.0.2.1".into(),
        ipv4: ipv4.next(),
        server_ipv4: ipv4.next(),
        ipv6_identifier: of(Family::Ipv6).next().map(u64::to_be_bytes),
        ipv6_prefix: PREFIX,
        assumptions,
        ..ConnectionFacts::default()
    };
    Ok(Call { function, arguments: vec![Arg::bytes(&fill::connection_ex(&facts))] })
}

fn link(function: F, event: &LinkEvent) -> Call {
    let facts = LinkFacts {
        port_handle: 1,
        connection_handle: event.handle,
        port: event.port.as_str().to_owned(),
        device: event.device.as_str().to_owned(),
        duration: seconds(event.usage.seconds),
        received: event.usage.input_octets,
        sent: event.usage.output_octets,
    };
    Call { function, arguments: vec![Arg::bytes(&fill::port_0(&facts)), Arg::bytes(&fill::port_1(&facts))] }
}

fn seconds(seconds: u64) -> u32 {
    u32::try_from(seconds).unwrap_or(u32::MAX)
}

/// The bytes of a GUID in memory, from its text as Windows writes it.
fn guid(text: &str) -> Result<[u8; 16], String> {
    let number = u128::from_str_radix(&text.replace('-', ""), 16).map_err(|e| format!("the GUID {text}: {e}"))?;
    let mut bytes = number.to_be_bytes();
    // The first three parts are little-endian in memory.
    bytes[..4].reverse();
    bytes[4..6].reverse();
    bytes[6..8].reverse();
    Ok(bytes)
}
