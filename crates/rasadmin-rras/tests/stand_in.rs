//! `Mprapi` with a stand-in for mprapi.dll in C, whose buffers end at inaccessible pages.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_policy::{InterfaceType, Name, Quarantine};
use rasadmin_rras::{
    Connection, ConnectionHandle, Counters, Failure, Mprapi, Operation, PortHandle, PortState, Projection, Rras,
};
use std::path::Path;
use support::{INSTANCE, StandIn, failure};

/// Five connections of one link each.
fn five() -> String {
    let lines = (1..=5).map(|n| format!("connection handle={n} user=u{n}\nport handle={} connection={n}", n + 100));
    lines.collect::<Vec<_>>().join("\n")
}

fn handles(list: &[Connection]) -> Vec<u64> {
    list.iter().map(|connection| connection.handle.0).collect()
}

/// The text of the failure, which must be `Malformed`.
fn malformed<T: std::fmt::Debug>(result: Result<T, rasadmin_rras::Error>) -> String {
    match failure(result) {
        Failure::Malformed(what) => what,
        other => panic!("{other:?}"),
    }
}

#[test]
fn everything_that_a_connection_has_arrives() {
    let stand_in = StandIn::new(
        "connection handle=0xffffffff00000011 guid=0102030405060708090a0b0c0d0e0f10 user=CORP\\u005calice domain=CORP \
         computer=LAPTOP-7 source=203.0.113.9 seconds=77 received=4294967295 transmitted=5 frames-in=6 frames-out=7 \
         quarantine=2 projection=1 server=10.0.0.1 client=10.0.0.9 server-id=0000000000000001 \
         client-id=0000000000000002 prefix=20010db800990000\n\
         connection handle=18 type=2 interface=branch user=lone\\ud800 projection=2 ipv6-error=5 client=10.0.0.8\n\
         connection handle=19 type=7 flags=0x10 quarantine=9 client=10.0.0.7",
    );
    let list = stand_in.load().connections().unwrap();
    assert_eq!(
        list[0],
        Connection {
            handle: ConnectionHandle(0xffff_ffff_0000_0011),
            guid: Some("04030201-0605-0807-090a-0b0c0d0e0f10".into()),
            interface: InterfaceType::Client,
            interface_name: Name::default(),
            user: Name::new(r"CORP\alice"),
            domain: Name::new("CORP"),
            computer: Name::new("LAPTOP-7"),
            source: Name::new("203.0.113.9"),
            ikev2: false,
            quarantine: Some(Quarantine::Probation),
            seconds: 77,
            counters: Counters {
                octets_received: u32::MAX,
                octets_transmitted: 5,
                frames_received: 6,
                frames_transmitted: 7
            },
            projection: Some(Projection {
                ipv4: Some([Some([10, 0, 0, 1].into()), Some([10, 0, 0, 9].into())]),
                ipv6_identifiers: Some([[0, 0, 0, 0, 0, 0, 0, 1], [0, 0, 0, 0, 0, 0, 0, 2]]),
                ipv6_prefix: Some([0x20, 1, 0xd, 0xb8, 0, 0x99, 0, 0]),
            }),
        }
    );
    assert_eq!((list[1].interface, list[1].interface_name.as_str()), (InterfaceType::FullRouter, "branch"));
    assert_eq!((list[1].user.as_str(), list[1].guid.as_deref(), list[1].ikev2), ("lone\\u{d800}", None, true));
    let ikev2 = Projection { ipv4: Some([None, Some([10, 0, 0, 8].into())]), ..Projection::default() };
    assert_eq!(list[1].projection, Some(ikev2));
    assert_eq!((list[2].interface, list[2].ikev2), (InterfaceType::Other, true));
    assert_eq!((list[2].quarantine, list[2].projection), (None, None), "an unknown arm is not read");
    assert_eq!(list.len(), 3);
}

#[test]
fn a_service_that_does_not_run_is_asked_nothing() {
    let stand_in = StandIn::new("");
    let rras = stand_in.load();
    assert_eq!(rras.instance().unwrap(), Some(INSTANCE));
    stand_in.stopped(&five());
    assert_eq!(rras.instance().unwrap(), None);
    assert_eq!(failure(rras.connections()), Failure::NotRunning);
    assert_eq!(failure(rras.disconnect(PortHandle(101))), Failure::NotRunning);
    assert_eq!(stand_in.logged("MprAdminConnectionEnumEx") + stand_in.logged("MprAdminPortDisconnect"), 0);
}

/// MprAdminIsServiceRunning answers FALSE then, although the service may run.
#[test]
fn without_rights_access_is_denied_even_if_the_service_seems_not_to_run() {
    let stand_in = StandIn::new("");
    let rras = stand_in.load();
    stand_in.stopped("order MprAdminServerConnect error=5");
    assert_eq!(rras.instance().unwrap_err(), Failure::AccessDenied.of(Operation::Instance));
    assert_eq!(failure(rras.connections()), Failure::AccessDenied);
    stand_in.stopped("order MprAdminServerConnect error=1717");
    assert_eq!(rras.instance().unwrap(), None, "RPC_S_UNKNOWN_IF: the service does not run");
}

#[test]
fn the_list_is_the_one_of_now() {
    let stand_in = StandIn::new("");
    let rras = stand_in.load();
    assert_eq!(rras.connections().unwrap(), []);
    stand_in.script(&five());
    assert_eq!(handles(&rras.connections().unwrap()), [1, 2, 3, 4, 5]);
    assert_eq!(stand_in.logged("MprAdminConnectionEnumEx"), 2, "a whole list is one call");
}

#[test]
fn a_list_in_parts_is_put_together() {
    let stand_in = StandIn::new(&format!("{}\norder MprAdminConnectionEnumEx page=2", five()));
    assert_eq!(handles(&stand_in.load().connections().unwrap()), [1, 2, 3, 4, 5]);
    assert_eq!(stand_in.logged("MprAdminConnectionEnumEx"), 6, "three parts, twice");
}

#[test]
fn half_a_list_is_an_error() {
    let stand_in = StandIn::new("");
    let rras = stand_in.load();
    let connections = |orders: &str| {
        stand_in.script(&format!("{}\norder MprAdminConnectionEnumEx {orders}", five()));
        rras.connections()
    };
    assert_eq!(failure(connections("page=2 resumed-error=8")), Failure::OutOfMemory);
    assert_eq!(failure(connections("page=2 resumed-error=903")), Failure::NotRunning);
    assert_eq!(malformed(connections("page=2 silent")), "it ends after 2 of 5 entries");
    let stuck = "and does not say how to read them";
    assert_eq!(malformed(connections("page=2 no-resume")), format!("it has more than 2 entries {stuck}"));
    assert_eq!(malformed(connections("page=1 stuck")), format!("it has more than 2 entries {stuck}"));
    assert_eq!(malformed(connections("page=0")), format!("it has more than 0 entries {stuck}"));
}

#[test]
fn a_wrong_number_of_entries_is_an_error_and_not_a_fault() {
    let stand_in = StandIn::new("");
    let rras = stand_in.load();
    let connections = |orders: &str| {
        stand_in.script(&format!("{}\norder MprAdminConnectionEnumEx {orders}", five()));
        malformed(rras.connections())
    };
    assert_eq!(connections("claims=6 total=6"), "it claims to have 6 entries, and its memory ends before");
    assert_eq!(connections("claims=65536 total=65536"), "it claims to have 65536 entries, and its memory ends before");
    let most = "it claims to have 4294967295 entries; the limit is 65536";
    assert_eq!(connections("claims=4294967295 total=4294967295"), most);
    assert_eq!(connections("null"), "it claims to have 5 entries, and has none");
    assert_eq!(connections("claims=4"), "it ends after 4 of 5 entries");
    assert_eq!(connections("total=4"), "it ends after 5 of 4 entries");
    let ports = |orders: &str| {
        stand_in.script(&format!("{}\norder MprAdminPortEnum {orders}", five()));
        malformed(rras.ports(ConnectionHandle(3)))
    };
    assert_eq!(ports("claims=2 total=2"), "it claims to have 2 entries, and its memory ends before");
    stand_in.script(&format!("{}\norder MprAdminPortGetInfo null", five()));
    assert_eq!(malformed(rras.port(PortHandle(101))), "it claims to have one port, and has none");
}

#[test]
fn names_without_a_terminator_end_with_their_array() {
    let stand_in = StandIn::new(&format!(
        "{}\norder MprAdminConnectionEnumEx unterminated\norder MprAdminPortEnum unterminated",
        five()
    ));
    let rras = stand_in.load();
    for connection in rras.connections().unwrap() {
        assert_eq!(connection.user.as_str(), "u".repeat(257));
        assert_eq!(connection.domain.as_str(), "d".repeat(16));
        assert_eq!(connection.computer.as_str(), "c".repeat(17));
        assert_eq!(connection.source.as_str(), "e".repeat(65));
    }
    let port = rras.ports(ConnectionHandle(2)).unwrap().remove(0);
    assert_eq!((port.name.as_str(), port.device_type.as_str()), (&*"p".repeat(17), &*"t".repeat(17)));
}

#[test]
fn what_is_not_a_connection_is_an_error() {
    let stand_in = StandIn::new("");
    let rras = stand_in.load();
    let connections = |script: &str| {
        stand_in.script(script);
        malformed(rras.connections())
    };
    let size = connections(&format!("{}\norder MprAdminConnectionEnumEx header-size=1664", five()));
    assert_eq!(size, "a connection has type 1 and 1664 bytes; expected type 1 and 1672 bytes");
    assert_eq!(connections("connection user=alice"), "a connection has no handle");
    let twice = "connection handle=7 user=alice\nconnection handle=7 user=bob";
    assert_eq!(connections(twice), "two entries have the handle 7");
}

#[test]
fn an_error_says_what_to_do() {
    let stand_in = StandIn::new("");
    let rras = stand_in.load();
    let fails = |function: &str, code: u32| {
        stand_in.script(&format!("{}\norder {function} error={code}", five()));
        rras.connections().unwrap_err()
    };
    let denied = fails("MprAdminServerConnect", 5);
    assert_eq!((denied.operation, &denied.failure), (Operation::Connections, &Failure::AccessDenied));
    let text = "cannot list RRAS's connections: access denied (error 5); run this as an administrator or as SYSTEM";
    assert_eq!(denied.to_string(), text);
    assert_eq!(fails("MprAdminConnectionEnumEx", 8).failure, Failure::OutOfMemory);
    for not_running in [1717, 1722, 1753] {
        assert_eq!(fails("MprAdminServerConnect", not_running).failure, Failure::NotRunning);
        assert_eq!(fails("MprAdminConnectionEnumEx", not_running).failure, Failure::NotRunning);
    }
    let missing = "MprAdminConnectionEnumEx is not available here (error 127); run this on a VPN server with Windows \
                   Server 2008 R2 or later";
    assert_eq!(fails("MprAdminConnectionEnumEx", 127).failure, Failure::Unsupported(missing.into()));
    let unknown = fails("MprAdminConnectionEnumEx", 6).failure;
    assert_eq!(unknown, Failure::Failed { function: "MprAdminConnectionEnumEx".into(), code: 6 });
}

#[test]
fn one_connection_is_read_again() {
    let stand_in = StandIn::new(&five());
    let rras = stand_in.load();
    assert_eq!(rras.connection(ConnectionHandle(3)).unwrap().user.as_str(), "u3");
    stand_in.script("connection handle=3 user=bob");
    assert_eq!(rras.connection(ConnectionHandle(3)).unwrap().user.as_str(), "bob");
    assert_eq!(failure(rras.connection(ConnectionHandle(4))), Failure::Gone { code: 6 });
    stand_in.script("connection handle=3 user=bob\norder MprAdminConnectionGetInfoEx error=906");
    assert_eq!(failure(rras.connection(ConnectionHandle(3))), Failure::Gone { code: 906 });
    stand_in.script("connection handle=3 user=bob\norder MprAdminConnectionGetInfoEx other-handle=4");
    let other = "the connection 3 is not the one that was asked for";
    assert_eq!(malformed(rras.connection(ConnectionHandle(3))), other);
}

#[test]
fn a_connection_has_its_own_ports_only() {
    let stand_in = StandIn::new(
        "connection handle=1 user=a\nconnection handle=2 user=b\n\
         port handle=11 connection=1 name=VPN0-1 device=WAN\\u0020Miniport\\u0020(SSTP) device-type=vpn state=5\n\
         port handle=12 connection=2 name=VPN0-2 state=3\nport handle=13 connection=1 name=VPN0-3 state=77",
    );
    let rras = stand_in.load();
    let ports = rras.ports(ConnectionHandle(1)).unwrap();
    assert_eq!(ports.iter().map(|port| port.handle.0).collect::<Vec<_>>(), [11, 13]);
    assert_eq!(ports[0], rras.port(PortHandle(11)).unwrap());
    assert_eq!((ports[0].name.as_str(), ports[0].device.as_str()), ("VPN0-1", "WAN Miniport (SSTP)"));
    assert_eq!((ports[0].device_type.as_str(), ports[0].state), ("vpn", PortState::Authenticated));
    assert_eq!(ports[1].state, PortState::Other(77));
    assert_eq!(failure(rras.port(PortHandle(14))), Failure::Gone { code: 601 });
    assert_eq!(rras.ports(ConnectionHandle(9)).unwrap(), []);
    stand_in.script("port handle=11 connection=1\norder MprAdminPortEnum other-connection=2");
    let other = "the connection of a port 2 is not the one that was asked for";
    assert_eq!(malformed(rras.ports(ConnectionHandle(1))), other);
    stand_in.script("port handle=11 connection=1\norder MprAdminPortGetInfo other-handle=12");
    assert_eq!(malformed(rras.port(PortHandle(11))), "the port 11 is not the one that was asked for");
}

/// MprAdminPortEnum lists the ports of all connections for INVALID_HANDLE_VALUE. Nobody may disconnect those.
#[test]
fn handles_that_name_nothing_are_never_passed() {
    let stand_in = StandIn::new(&five());
    let rras = stand_in.load();
    let unasked = Failure::Gone { code: 0 };
    for handle in [0, u64::MAX, u32::MAX.into(), 0x1_ffff_ffff, 0x1_0000_0000] {
        assert_eq!(failure(rras.ports(ConnectionHandle(handle))), unasked);
        assert_eq!(failure(rras.connection(ConnectionHandle(handle))), unasked);
        assert_eq!(failure(rras.port(PortHandle(handle))), unasked);
        assert_eq!(failure(rras.disconnect(PortHandle(handle))), unasked);
    }
    assert_eq!(stand_in.log(), [""; 0]);
}

#[test]
fn one_port_is_disconnected() {
    let stand_in = StandIn::new(&five());
    let rras = stand_in.load();
    rras.disconnect(PortHandle(102)).unwrap();
    assert_eq!(failure(rras.disconnect(PortHandle(7))), Failure::Gone { code: 601 });
    stand_in.script(&format!("{}\norder MprAdminPortDisconnect error=5", five()));
    assert_eq!(failure(rras.disconnect(PortHandle(103))), Failure::AccessDenied);
    let log = stand_in.log();
    let disconnects: Vec<_> = log.iter().filter(|line| line.starts_with("MprAdminPortDisconnect")).collect();
    assert_eq!(disconnects, ["MprAdminPortDisconnect 102", "MprAdminPortDisconnect 7", "MprAdminPortDisconnect 103"]);
}

/// ERROR_INVALID_PARAMETER has this meaning for MprAdminPortDisconnect only.
#[test]
fn a_wrong_parameter_is_a_port_that_is_gone_only_when_disconnecting() {
    let stand_in = StandIn::new("");
    let rras = stand_in.load();
    let functions = ["MprAdminPortDisconnect", "MprAdminPortGetInfo", "MprAdminConnectionGetInfoEx"];
    let orders = functions.map(|function| format!("order {function} error=87")).join("\n");
    stand_in.script(&format!("{}\n{orders}", five()));
    assert_eq!(failure(rras.disconnect(PortHandle(101))), Failure::Gone { code: 87 });
    let failed = |function: &str| Failure::Failed { function: function.into(), code: 87 };
    assert_eq!(failure(rras.port(PortHandle(101))), failed("MprAdminPortGetInfo"));
    assert_eq!(failure(rras.connection(ConnectionHandle(1))), failed("MprAdminConnectionGetInfoEx"));
}

#[test]
fn a_library_that_is_not_mprapi_is_refused() {
    let refused = |path: &Path| failure(Mprapi::load(path, || Ok(None)));
    let folder = tempfile::tempdir().unwrap();
    let missing = refused(&folder.path().join("missing.dll"));
    assert!(matches!(&missing, Failure::Unsupported(what) if what.starts_with("mprapi.dll cannot be loaded: ")));
    let (platform, ending) = if cfg!(windows) { ("windows", "dll") } else { ("native", "so") };
    let fixtures = support::built().parent().unwrap().parent().unwrap().to_owned();
    let admin_dll = refused(&fixtures.join(platform).join(format!("good-rev2.{ending}")));
    let lacks = "mprapi.dll has no function MprAdminIsServiceRunning; ";
    assert!(matches!(&admin_dll, Failure::Unsupported(what) if what.starts_with(lacks)), "{admin_dll:?}");
}
