//! A connection as RRAS lists it.

use rasadmin_engine::event::ConnectionEvent;
use rasadmin_policy::Name;
use rasadmin_rras::{Connection, ConnectionHandle, Counters};

pub fn listed(event: &ConnectionEvent) -> Connection {
    Connection {
        handle: ConnectionHandle(event.handle),
        guid: event.guid.clone(),
        interface: event.interface,
        interface_name: Name::default(),
        user: event.user.clone(),
        domain: event.domain.clone(),
        computer: event.computer.clone(),
        source: Name::new(&event.source),
        ikev2: event.ikev2 == Some(true),
        quarantine: event.quarantine,
        seconds: 60,
        counters: Counters::default(),
        projection: None,
    }
}
