//! A listed connection as an event, and as the session that it belongs to.

use rasadmin_engine::State;
use rasadmin_engine::addresses::{Address, Family};
use rasadmin_engine::effect::Usage;
use rasadmin_engine::event::ConnectionEvent;
use rasadmin_engine::state::Session;
use rasadmin_rras::{Connection, Counters, Projection};
use std::collections::HashMap;
use std::net::Ipv6Addr;

/// The counters.
pub fn usage(connection: &Connection) -> Usage {
    let Counters { octets_received, octets_transmitted, frames_received, frames_transmitted } = connection.counters;
    Usage {
        seconds: connection.seconds.into(),
        input_octets: octets_received.into(),
        output_octets: octets_transmitted.into(),
        input_packets: frames_received.into(),
        output_packets: frames_transmitted.into(),
    }
}

/// The connection in the form in which the DLL records it.
pub fn event(connection: &Connection) -> ConnectionEvent {
    let Projection { ipv4, ipv6_identifiers, ipv6_prefix } = connection.projection.unwrap_or_default();
    let ipv4 = ipv4.into_iter().flatten().flatten().filter(|address| !address.is_unspecified());
    let ipv4 = ipv4.map(|address| Address { family: Family::Ipv4, number: u64::from(address.to_bits()) });
    let ipv6 = ipv6_identifiers.into_iter().flatten().filter(|identifier| *identifier != [0; 8]);
    let ipv6 = ipv6.map(|identifier| Address { family: Family::Ipv6, number: u64::from_be_bytes(identifier) });
    let prefix = ipv6_prefix.filter(|prefix| *prefix != [0; 8]);
    ConnectionEvent {
        handle: connection.handle.0,
        guid: connection.guid.clone(),
        user: connection.user.clone(),
        domain: connection.domain.clone(),
        computer: connection.computer.clone(),
        source: connection.source.as_str().to_owned(),
        interface: connection.interface,
        ikev2: Some(connection.ikev2),
        quarantine: connection.quarantine,
        usage: usage(connection),
        addresses: ipv4.chain(ipv6).collect(),
        prefix: prefix
            .map(|prefix| format!("{}/64", Ipv6Addr::from_bits(u128::from(u64::from_be_bytes(prefix)) << 64))),
    }
}

/// Finds the sessions of listed connections.
pub struct Matching<'s> {
    state: &'s State,
    /// By the lower half of their handles, which is all that RRAS passes to other processes (R-OUT-13).
    by_handle: HashMap<u32, Vec<&'s Session>>,
}

impl<'s> Matching<'s> {
    /// Over the live sessions of a state.
    pub fn new(state: &'s State) -> Self {
        let mut by_handle: HashMap<u32, Vec<&Session>> = HashMap::new();
        for session in state.live() {
            by_handle.entry(session.handle as u32).or_default().push(session);
        }
        Self { state, by_handle }
    }

    /// The live session of a connection: by its GUID, else by its handle and its user. A session with another GUID is
    /// another connection, because handles repeat.
    pub fn find(&self, connection: &Connection) -> Option<&'s Session> {
        let by_guid = connection.guid.as_ref().and_then(|guid| self.state.by_guid(guid));
        by_guid.or_else(|| {
            let mut all = self.by_handle.get(&(connection.handle.0 as u32)).into_iter().flatten().copied();
            all.find(|session| {
                let other_guid = connection.guid.is_some() && session.guid.is_some();
                !other_guid && session.user_name.folded() == connection.user.folded()
            })
        })
    }
}
