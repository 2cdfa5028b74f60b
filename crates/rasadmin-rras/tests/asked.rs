//! `Mprapi` with a stand-in for mprapi.dll that asks another program for RRAS's answers, as under `host run --serve-rras`.
#![allow(clippy::unwrap_used)]

mod support;

use proptest::prelude::*;
use rasadmin_policy::{InterfaceType, Name, Quarantine};
use rasadmin_rras::socket::{self, Address, Listener};
use rasadmin_rras::{
    Connection, ConnectionHandle, Counters, Failure, Mprapi, Operation, Port, PortHandle, PortState, Projection, Rras,
    Scripted,
};
use std::sync::Arc;
use support::{INSTANCE, StandIn, failure};

/// An RRAS in memory, and a stand-in that asks for it.
fn asked() -> (Scripted, StandIn, Mprapi) {
    let rras = Scripted::default();
    rras.change(|script| script.instance = Some(INSTANCE));
    let listener = Listener::bind(&Address::Port(([127, 0, 0, 1], 0).into())).unwrap();
    let port = listener.address().unwrap().to_string().rsplit_once(':').unwrap().1.parse().unwrap();
    let behind: Arc<dyn Rras> = Arc::new(rras.clone());
    std::thread::spawn(move || socket::serve(&listener, &behind));
    let stand_in = StandIn::new("");
    stand_in.ask(port);
    let mprapi = stand_in.load();
    (rras, stand_in, mprapi)
}

/// Names as RRAS's arrays hold them, hostile ones too.
fn name() -> impl Strategy<Value = Name> {
    let unit = prop_oneof![Just(0x20_u16), Just(0x5c), Just(0x3d), Just(0x75), Just(0x0a), 1..=0xd7ff_u16];
    proptest::collection::vec(unit, 0..15).prop_map(|units| Name::from_utf16(&units))
}

fn projection() -> impl Strategy<Value = Option<Projection>> {
    let ipv4 = proptest::option::of(any::<[Option<[u8; 4]>; 2]>());
    let ipv6 = proptest::option::of(any::<([[u8; 8]; 2], [u8; 8])>());
    proptest::option::of((ipv4, ipv6).prop_map(|(ipv4, ipv6)| Projection {
        ipv4: ipv4.map(|both| both.map(|one| one.map(Into::into))),
        ipv6_identifiers: ipv6.map(|(both, _)| both),
        ipv6_prefix: ipv6.map(|(_, prefix)| prefix),
    }))
}

prop_compose! {
    fn connection()(
        handle in 1..u64::from(u32::MAX),
        guid in proptest::option::of(any::<[u8; 16]>()),
        interface in prop_oneof![Just(InterfaceType::Client), Just(InterfaceType::FullRouter), Just(InterfaceType::Other)],
        names in [name(), name(), name(), name(), name()],
        ikev2 in any::<bool>(),
        quarantine in prop_oneof![Just(None), Just(Some(Quarantine::Normal)), Just(Some(Quarantine::NotCapable))],
        numbers in any::<[u32; 5]>(),
        projection in projection(),
    ) -> Connection {
        let [interface_name, user, domain, computer, source] = names;
        let [seconds, octets_received, octets_transmitted, frames_received, frames_transmitted] = numbers;
        Connection {
            handle: ConnectionHandle(handle),
            guid: guid.and_then(mprapi::guid::text),
            interface, interface_name, user, domain, computer, source, ikev2, quarantine, seconds,
            counters: Counters { octets_received, octets_transmitted, frames_received, frames_transmitted },
            projection,
        }
    }
}

fn port(handle: u64, connection: u64, name: Name, state: i32) -> Port {
    let state = if state == 5 { PortState::Authenticated } else { PortState::Other(-state - 1) };
    let (device, device_type) = (Name::new("WAN Miniport (SSTP)"), Name::new("vpn"));
    Port { handle: PortHandle(handle), connection: ConnectionHandle(connection), name, device, device_type, state }
}

#[test]
fn what_rras_has_arrives_through_windows_structures() {
    let (rras, _stand_in, mprapi) = asked();
    let config = ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(one in connection(), state in 0..9, port_name in name())| {
        let ports = vec![port(8, one.handle.0, port_name.clone(), state), port(9, one.handle.0, port_name, 5)];
        rras.change(|script| (script.connections, script.ports) = (vec![one.clone()], ports.clone()));
        prop_assert_eq!(mprapi.connections().unwrap(), vec![one.clone()]);
        prop_assert_eq!(mprapi.connection(one.handle).unwrap(), one.clone());
        prop_assert_eq!(mprapi.ports(one.handle).unwrap(), ports.clone());
        prop_assert_eq!(&mprapi.port(PortHandle(9)).unwrap(), &ports[1]);
    });
}

#[test]
fn a_port_is_disconnected_once() {
    let (rras, stand_in, mprapi) = asked();
    rras.change(|script| script.ports = vec![port(8, 7, Name::new("VPN0-1"), 5)]);
    mprapi.disconnect(PortHandle(8)).unwrap();
    assert!(matches!(failure(mprapi.disconnect(PortHandle(8))), Failure::Gone { .. }));
    assert_eq!(rras.script().disconnected, [PortHandle(8)]);
    assert_eq!(stand_in.logged("MprAdminPortDisconnect 8"), 2);
}

#[test]
fn failures_are_those_of_windows() {
    let (rras, _stand_in, mprapi) = asked();
    let function = "MprAdminConnectionEnumEx".to_owned();
    for expected in
        [Failure::NotRunning, Failure::AccessDenied, Failure::OutOfMemory, Failure::Failed { function, code: 31 }]
    {
        rras.change(|script| script.failing = vec![(Operation::Connections, expected.clone())]);
        assert_eq!(failure(mprapi.connections()), expected);
    }
    rras.change(|script| script.failing = vec![(Operation::Port, Failure::Gone { code: 601 })]);
    assert_eq!(failure(mprapi.port(PortHandle(8))), Failure::Gone { code: 601 });
    rras.change(|script| script.instance = None);
    assert_eq!(mprapi.instance().unwrap(), None);
}

/// The program that plays RRAS has ended.
#[test]
fn without_an_answer_the_service_does_not_run() {
    let stand_in = StandIn::new("connection handle=7");
    let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    stand_in.ask(unused);
    assert_eq!(stand_in.load().instance().unwrap(), None);
}
