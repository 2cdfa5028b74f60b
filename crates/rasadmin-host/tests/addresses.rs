//! The address calls, step by step. Tests name their facts of docs/rras-behaviour.md.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_host::fill::Tunnel;
use rasadmin_host::pool::Pool;
use rasadmin_host::refusal::{Refusal, ReleaseCounts};
use rasadmin_host::session::Request;
use rasadmin_host::{Offer, Options, Service};
use std::net::Ipv4Addr;
use support::{Dll, address, service};

fn alice() -> Request {
    Request::new(r"CORP\alice", Tunnel::Sstp)
}

fn scripted(script: &str) -> Dll {
    Dll::scripted("good-rev2", script)
}

/// R-IP4-3: the DLL gets the offer, the lowest free address, and may keep or replace it.
#[test]
fn the_dll_may_keep_or_replace_the_offer() {
    let keeps = scripted("");
    let service_keeps = service(&[&keeps]);
    let (a, b) = (service_keeps.connect(&alice()).unwrap(), service_keeps.connect(&alice()).unwrap());
    assert_eq!((a.ipv4(), b.ipv4()), (Some(address(2)), Some(address(3))));
    assert_eq!(keeps.first("MprAdminGetIpAddressForUser").value("address"), Some("10.20.0.2"));
    service_keeps.hang_up(a);
    assert_eq!(service_keeps.connect(&alice()).unwrap().ipv4(), Some(address(2)), "a released address is free again");

    let replaces = scripted("MprAdminGetIpAddressForUser address=10.99.0.7");
    let service_replaces = service(&[&replaces]);
    let session = service_replaces.connect(&alice()).unwrap();
    assert_eq!(session.ipv4(), Some([10, 99, 0, 7].into()));
}

/// R-IP4-2: if RRAS has no address of its own, it never asks the DLL.
#[test]
fn with_an_empty_pool_the_dll_is_never_asked() {
    let dll = scripted("");
    let pool = Pool::new(address(1), address(2), address(2), [0; 8]);
    let service = Service::start(std::slice::from_ref(&dll.path), Options::new(pool)).unwrap();
    let _first = service.connect(&alice()).unwrap();
    assert_eq!(service.connect(&alice()).unwrap_err().0, Refusal::PoolExhausted);
    assert_eq!(dll.calls().iter().filter(|c| *c == "GetIpAddressForUser").count(), 1);
}

/// R-IP4-5: an answer other than 0 ends the connection.
#[test]
fn an_error_ends_the_connection() {
    let dll = scripted("MprAdminGetIpAddressForUser status=5 notify=0");
    let refused = service(&[&dll]).connect(&alice()).unwrap_err();
    assert_eq!(refused, (Refusal::Ipv4ByDll { dll: 0, code: 5 }, ReleaseCounts::default()));
    assert_eq!(dll.session_calls(), ["GetIpAddressForUser"]);
}

/// R-IP4-6: 0.0.0.0 and the server's own address are refused with error 1168.
#[test]
fn zero_and_the_servers_own_address_are_refused_with_1168() {
    for unusable in ["0.0.0.0", "10.20.0.1"] {
        let dll = scripted(&format!("MprAdminGetIpAddressForUser address={unusable} notify=0"));
        let refused = service(&[&dll]).connect(&alice()).unwrap_err();
        let address = unusable.parse().unwrap();
        assert_eq!(refused.0, Refusal::Ipv4ByRras { code: 1168, address, dll: Some(0) });
        assert_eq!(dll.session_calls(), ["GetIpAddressForUser"]);
    }
}

/// R-IP4-7: an address that another client holds is refused with error 735.
#[test]
fn an_address_that_another_client_holds_is_refused_with_735() {
    let dll = scripted("MprAdminGetIpAddressForUser address=10.99.0.7");
    let service = service(&[&dll]);
    let first = service.connect(&alice()).unwrap();
    let refused = service.connect(&Request::new("bob", Tunnel::Sstp)).unwrap_err();
    let held = Refusal::Ipv4ByRras { code: 735, address: Ipv4Addr::new(10, 99, 0, 7), dll: Some(0) };
    assert_eq!(refused, (held, ReleaseCounts { ipv4: 1, ipv6: 0 }), "what the DLL had set notify_release for");
    service.hang_up(first);
    assert!(service.connect(&alice()).is_ok(), "free again");
}

/// R-IP4-8: after a failure, ReleaseIpAddress is called with what the DLL had written, if it set notify_release.
#[test]
fn a_late_failure_releases_what_was_written() {
    for script in ["address=10.99.0.7 status=5 notify=1", "address=10.20.0.1 notify=1", "address=0.0.0.0 notify=1"] {
        let dll = scripted(&format!("MprAdminGetIpAddressForUser {script}"));
        service(&[&dll]).connect(&alice()).unwrap_err();
        let written = script.split([' ', '=']).nth(1);
        assert_eq!(dll.session_calls(), ["GetIpAddressForUser", "ReleaseIpAddress"], "{script}");
        assert_eq!(dll.first("MprAdminReleaseIpAddress").value("address"), written, "{script}");
    }
}

/// R-IP4-9: the release comes once at the end, with the same user name, port name and address.
#[test]
fn the_release_carries_the_same_user_port_and_address() {
    let dll = scripted("MprAdminGetIpAddressForUser address=10.99.0.7 notify=1");
    let service = service(&[&dll]);
    let session = service.connect(&alice()).unwrap();
    let released = service.hang_up(session);
    assert_eq!(released.ipv4, 1);
    assert_eq!(dll.calls().iter().filter(|c| *c == "ReleaseIpAddress").count(), 1);
    let (get, release) = (dll.first("MprAdminGetIpAddressForUser"), dll.first("MprAdminReleaseIpAddress"));
    for key in ["user", "port"] {
        assert!(get.value(key).is_some_and(|v| !v.is_empty()));
        assert_eq!(get.value(key), release.value(key), "{key}");
    }
    assert_eq!(release.value("address"), Some("10.99.0.7"));
}

/// Without notify_release there is no release.
#[test]
fn without_notify_there_is_no_release() {
    let dll = scripted("MprAdminGetIpAddressForUser notify=0\nMprAdminGetIpv6AddressForUser notify=0");
    let service = service(&[&dll]);
    let mut request = alice();
    request.ipv6 = true;
    let released = service.hang_up(service.connect(&request).unwrap());
    assert_eq!((released.ipv4, released.ipv6), (0, 0));
    assert!(!dll.calls().iter().any(|c| c.starts_with("Release")));
}

/// R-IP4-3 and R-IP4-6: an offer of zero reaches the DLL. If the DLL keeps it, RRAS refuses it with error 1168.
#[test]
fn an_offer_of_nothing_reaches_the_dll() {
    let mut request = alice();
    request.offer = Offer::Nothing;
    let keeps = scripted("");
    assert!(service(&[&keeps]).connect(&request).is_err());
    assert_eq!(keeps.first("MprAdminGetIpAddressForUser").value("address"), Some("0.0.0.0"));
    let gives = scripted("MprAdminGetIpAddressForUser address=10.99.0.7");
    assert!(service(&[&gives]).connect(&request).is_ok());
}

/// R-MULTI-6 and R-MULTI-7: only the first DLL's address pair is used.
#[test]
fn the_first_dll_with_a_pair_wins() {
    let dlls = [
        Dll::scripted("no-address-rev2", ""),
        Dll::scripted("ipv4-only-rev2", "MprAdminGetIpAddressForUser address=10.99.0.7"),
        scripted("MprAdminGetIpAddressForUser address=10.99.0.8"),
        scripted(""),
    ];
    let service = service(&[&dlls[0], &dlls[1], &dlls[2], &dlls[3]]);
    let mut request = alice();
    request.ipv6 = true;
    let session = service.connect(&request).unwrap();
    assert_eq!(session.ipv4(), Some([10, 99, 0, 7].into()));
    service.hang_up(session);
    let addresses = |dll: &Dll| -> Vec<String> {
        dll.session_calls().into_iter().filter(|call| call.contains("Address")).collect()
    };
    assert!(addresses(&dlls[0]).is_empty());
    assert_eq!(addresses(&dlls[1]), ["GetIpAddressForUser", "ReleaseIpAddress"]);
    assert_eq!(addresses(&dlls[2]), ["GetIpv6AddressForUser", "ReleaseIpv6AddressForUser"]);
    assert!(addresses(&dlls[3]).is_empty());
}

/// R-HOST-8: a failing IPv6 call ends the connection and releases the IPv4 address.
#[test]
fn a_failing_ipv6_call_ends_the_connection() {
    let dll = scripted("MprAdminGetIpv6AddressForUser status=9 notify=0");
    let mut request = alice();
    request.ipv6 = true;
    let refused = service(&[&dll]).connect(&request).unwrap_err();
    assert_eq!(refused, (Refusal::Ipv6ByDll { dll: 0, code: 9 }, ReleaseCounts { ipv4: 1, ipv6: 0 }));
    assert_eq!(dll.session_calls(), ["GetIpAddressForUser", "GetIpv6AddressForUser", "ReleaseIpAddress"]);
}

/// RRAS accepts these addresses, and no client can use them.
#[test]
fn an_address_that_no_client_can_use_is_noted() {
    let script = "MprAdminGetIpAddressForUser user=alice address=255.255.255.255 notify=0\n\
                  MprAdminGetIpAddressForUser user=bob address=9.0.20.10 notify=0\n";
    let dll = scripted(script);
    let service = service(&[&dll]);
    for user in ["alice", "bob", "carol"] {
        service.connect(&Request::new(user, Tunnel::Sstp)).unwrap();
    }
    let doubts: Vec<_> = service.take_doubts().iter().map(ToString::to_string).collect();
    let bob = "bob got 9.0.20.10, which is 10.20.0.9 in the wrong byte order: the DWORD is in network byte order";
    assert_eq!(doubts, ["alice got 255.255.255.255, the broadcast address", bob]);
}
