//! Connections, links, reauthentication and several DLLs. Tests name their facts of docs/rras-behaviour.md.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_host::fill::Tunnel;
use rasadmin_host::refusal::Refusal;
use rasadmin_host::session::Request;
use support::{Dll, service};

fn alice(tunnel: Tunnel) -> Request {
    Request::new(r"CORP\alice", tunnel)
}

/// R-ORDER-2 to R-ORDER-7: addresses, accept, link, hangups of link and connection, release.
#[test]
fn the_order_of_one_connection() {
    let dll = Dll::good();
    let service = service(&[&dll]);
    let mut request = alice(Tunnel::Sstp);
    request.ipv6 = true;
    let mut session = service.connect(&request).unwrap();
    service.add_link(&mut session).unwrap();
    let session = service.reauthenticate(session, 0).unwrap();
    let session = service.change_endpoint(session, "198.51.100.7").unwrap();
    service.hang_up(session);
    service.stop().unwrap();
    assert_eq!(
        dll.calls(),
        [
            "InitializeDllEx",
            "GetIpAddressForUser",
            "GetIpv6AddressForUser",
            "AcceptNewConnectionEx",
            "AcceptNewLink",
            "AcceptNewLink",
            "AcceptReauthenticationEx",
            "AcceptTunnelEndpointChangeEx",
            "LinkHangupNotification",
            "LinkHangupNotification",
            "ConnectionHangupNotificationEx",
            "ReleaseIpAddress",
            "ReleaseIpv6AddressForUser",
            "TerminateDll",
        ]
    );
}

/// R-FORM-1: Ex before 3 before 2 before 1.
#[test]
fn the_preferred_form_is_called() {
    let forms = [
        ("good-rev1-pair1", "AcceptNewConnection", "ConnectionHangupNotification"),
        ("good-rev1-pair2", "AcceptNewConnection2", "ConnectionHangupNotification2"),
        ("good-rev1-pair3", "AcceptNewConnection3", "ConnectionHangupNotification3"),
        ("good-rev1-all", "AcceptNewConnection3", "ConnectionHangupNotification3"),
        ("mixed-2-3", "AcceptNewConnection2", "ConnectionHangupNotification3"),
        ("good-rev2", "AcceptNewConnectionEx", "ConnectionHangupNotificationEx"),
    ];
    for (fixture, accept, hangup) in forms {
        let dll = Dll::scripted(fixture, "");
        let service = service(&[&dll]);
        let session = service.connect(&alice(Tunnel::L2tp)).unwrap();
        service.hang_up(session);
        let calls: Vec<_> = dll.session_calls().into_iter().filter(|c| c.contains("Connection")).collect();
        assert_eq!(calls, [accept, hangup], "{fixture}");
    }
}

/// R-FORM-2: for IKEv2 connections every callback of a revision 1 DLL is skipped, the address functions too.
#[test]
fn a_revision_1_dll_is_never_called_for_ikev2() {
    let (old, new) = (Dll::scripted("good-rev1-pair3", ""), Dll::good());
    let service = service(&[&old, &new]);
    let mut request = alice(Tunnel::Ikev2);
    request.ipv6 = true;
    let session = service.connect(&request).unwrap();
    assert_eq!(session.ipv4(), Some(support::address(2)), "RRAS's own address is used");
    let session = service.reauthenticate(session, 0).unwrap();
    service.hang_up(session);
    assert_eq!(old.session_calls(), Vec::<String>::new());
    // The older DLL owns the address pairs; no later one takes its place.
    let expected = [
        "AcceptNewConnectionEx",
        "AcceptNewLink",
        "AcceptReauthenticationEx",
        "LinkHangupNotification",
        "ConnectionHangupNotificationEx",
    ];
    assert_eq!(new.session_calls(), expected);
    assert_eq!(new.first("MprAdminAcceptNewConnectionEx").value("ikev2"), Some("1"));
}

/// R-MULTI-1: every DLL must accept. A DLL that rejects a connection does not get its hangup; those before it do
/// (R-HOST-3), and those after it are never asked.
#[test]
fn one_rejecting_dll_is_enough_for_a_connection() {
    let dlls = [Dll::good(), Dll::scripted("good-rev2", "MprAdminAcceptNewConnectionEx reject"), Dll::good()];
    let service = service(&[&dlls[0], &dlls[1], &dlls[2]]);
    assert_eq!(service.connect(&alice(Tunnel::Sstp)).unwrap_err().0, Refusal::Connection(1));
    let first = ["GetIpAddressForUser", "AcceptNewConnectionEx", "ConnectionHangupNotificationEx", "ReleaseIpAddress"];
    assert_eq!(dlls[0].session_calls(), first);
    assert_eq!(dlls[1].session_calls(), ["AcceptNewConnectionEx"]);
    assert_eq!(dlls[2].session_calls(), Vec::<String>::new());
}

/// R-MULTI-2: when DLL n rejects a link, only the DLLs before it get LinkHangupNotification. If it is the first link, the
/// connection ends, and every DLL gets its hangup (R-HOST-4).
#[test]
fn the_dlls_before_get_the_hangup_of_a_rejected_first_link() {
    let dlls = [Dll::good(), Dll::scripted("good-rev2", "MprAdminAcceptNewLink reject"), Dll::good()];
    let service = service(&[&dlls[0], &dlls[1], &dlls[2]]);
    assert_eq!(service.connect(&alice(Tunnel::Sstp)).unwrap_err().0, Refusal::FirstLink(1));
    let link = |dll: &Dll| -> Vec<String> {
        dll.session_calls().into_iter().filter(|call| !call.contains("Address")).collect()
    };
    let accept = "AcceptNewConnectionEx";
    let hangup = "ConnectionHangupNotificationEx";
    assert_eq!(link(&dlls[0]), [accept, "AcceptNewLink", "LinkHangupNotification", hangup]);
    assert_eq!(link(&dlls[1]), [accept, "AcceptNewLink", hangup]);
    assert_eq!(link(&dlls[2]), [accept, hangup]);
}

/// R-MULTI-5: at the end of a connection, LinkHangupNotification comes only for links that all DLLs had accepted.
#[test]
fn a_rejected_further_link_is_not_hung_up_again() {
    let dlls = [Dll::good(), Dll::scripted("good-rev2", "MprAdminAcceptNewLink reject port=VPN0-2")];
    let service = service(&[&dlls[0], &dlls[1]]);
    let mut session = service.connect(&alice(Tunnel::Sstp)).unwrap();
    assert_eq!(service.add_link(&mut session), Err(1));
    assert_eq!(session.links(), 1, "the connection stays online");
    service.hang_up(session);
    let hung_up = |dll: &Dll| -> Vec<String> {
        let log = dll.log().into_iter().filter(|e| e.begins && e.function == "MprAdminLinkHangupNotification");
        log.filter_map(|e| e.value("port").map(str::to_owned)).collect()
    };
    assert_eq!(hung_up(&dlls[0]), ["VPN0-2", "VPN0-1"], "the rejected one at once, the other at the end");
    assert_eq!(hung_up(&dlls[1]), ["VPN0-1"]);
}

/// R-MULTI-4: a rejected reauthentication cuts the connection, and every DLL gets the hangup.
#[test]
fn a_rejected_reauthentication_cuts_the_connection() {
    let dlls = [Dll::good(), Dll::scripted("good-rev2", "MprAdminAcceptReauthenticationEx reject"), Dll::good()];
    let service = service(&[&dlls[0], &dlls[1], &dlls[2]]);
    let session = service.connect(&alice(Tunnel::Sstp)).unwrap();
    let (refused, released) = service.reauthenticate(session, 1).unwrap_err();
    assert_eq!(refused, Refusal::Reauthentication(1));
    assert_eq!(released.ipv4, 1);
    for dll in &dlls {
        let calls = dll.session_calls();
        assert!(calls.contains(&"LinkHangupNotification".to_owned()), "{calls:?}");
        assert!(calls.contains(&"ConnectionHangupNotificationEx".to_owned()), "{calls:?}");
    }
    assert!(!dlls[2].session_calls().contains(&"AcceptReauthenticationEx".to_owned()));
}

/// R-HOST-6: a rejected endpoint change cuts the connection too.
#[test]
fn a_rejected_endpoint_change_cuts_the_connection() {
    let dll = Dll::scripted("good-rev2", "MprAdminAcceptTunnelEndpointChangeEx reject");
    let service = service(&[&dll]);
    let session = service.connect(&alice(Tunnel::Ikev2)).unwrap();
    let (refused, _) = service.change_endpoint(session, "198.51.100.7").unwrap_err();
    assert_eq!(refused, Refusal::EndpointChange(0));
    assert!(dll.session_calls().contains(&"ConnectionHangupNotificationEx".to_owned()));
}

/// R-MULTI-8: every revision 2 DLL with the callback is asked in order, until one does not return 1.
#[test]
fn pre_authentication_asks_until_one_does_not_allow() {
    let yes = || Dll::scripted("preauth", "MprAdminRasValidatePreAuthenticatedConnectionEx status=1");
    let no = Dll::scripted("preauth", "MprAdminRasValidatePreAuthenticatedConnectionEx status=0");
    let mut request = alice(Tunnel::Sstp);
    request.pre_authentication = true;
    let asked = |dll: &Dll| dll.session_calls().iter().any(|c| c == "RasValidatePreAuthenticatedConnectionEx");

    let (first, last) = (yes(), yes());
    let without = Dll::good();
    let all = service(&[&first, &without, &last]);
    assert!(all.connect(&request).unwrap().pre_authenticated);
    assert!(asked(&first) && asked(&last) && !asked(&without));

    let (first, last) = (yes(), yes());
    let some = service(&[&first, &no, &last]);
    assert!(!some.connect(&request).unwrap().pre_authenticated);
    assert!(asked(&first) && asked(&no) && !asked(&last));

    assert!(!service(&[&Dll::good()]).connect(&request).unwrap().pre_authenticated, "no DLL returned 1");
}

/// The structures have the user, handle, port and device of all four tunnel types.
#[test]
fn the_structures_have_user_handle_port_and_device() {
    let dll = Dll::good();
    let service = service(&[&dll]);
    let sessions: Vec<_> = Tunnel::ALL.into_iter().map(|tunnel| service.connect(&alice(tunnel)).unwrap()).collect();
    let log = dll.log();
    let links: Vec<_> = log.iter().filter(|e| e.begins && e.function == "MprAdminAcceptNewLink").collect();
    let accepts: Vec<_> = log.iter().filter(|e| e.begins && e.function == "MprAdminAcceptNewConnectionEx").collect();
    let ports: Vec<_> = links.iter().filter_map(|e| e.value("port")).collect();
    assert_eq!(ports, ["VPN0-1", "VPN2-1", "VPN3-1", "VPN1-1"]);
    for ((link, accept), tunnel) in links.iter().zip(&accepts).zip(Tunnel::ALL) {
        assert_eq!(link.value("handle"), accept.value("handle"), "the link names its connection");
        assert_eq!(accept.value("size"), Some("1672"));
        assert_eq!(accept.value("user"), Some(r"CORP\alice"));
        assert_eq!(accept.value("ikev2"), Some(if tunnel == Tunnel::Ikev2 { "1" } else { "0" }));
    }
    for session in sessions {
        service.hang_up(session);
    }
}
