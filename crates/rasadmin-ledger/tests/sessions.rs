//! Sessions, links and leases: which belong together, ghosts, and unusual sequences.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_engine::Tunnel;
use rasadmin_engine::effect::Usage;
use rasadmin_engine::event::ConnectionEvent;

use rasadmin_recorder::Verdict;
use support::{Scene, With, address, connection, link};

const OPEN: &str = r#"
    default_domain = "CORP"
    default.action = "allow"
    addresses.pool = "staff"
    [pools.staff]
    addresses = ["10.8.0.1-10.8.0.6"]
"#;

fn live(scene: &Scene) -> String {
    scene.ask("SELECT user_name, nas_port_id, framed_ip_address FROM sessions WHERE acct_stop_time IS NULL ORDER BY id")
}

fn closed(scene: &Scene) -> String {
    scene.ask("SELECT user_name, closed_by, billed FROM sessions WHERE acct_stop_time IS NOT NULL ORDER BY id")
}

fn leases(scene: &Scene) -> String {
    scene.ask("SELECT address, name FROM leases WHERE ended IS NULL ORDER BY id")
}

#[test]
fn a_session_from_address_to_release() {
    let scene = Scene::new(OPEN);
    assert_eq!(scene.begin(1, "alice", "VPN0-1"), Ok("10.8.0.1".to_owned()));
    assert_eq!(live(&scene), "alice VPN0-1 10.8.0.1");
    assert_eq!(leases(&scene), "10.8.0.1 ALICE");
    scene.wait(90);
    let usage = Usage { seconds: 90, input_octets: 1000, output_octets: 5000, input_packets: 5, output_packets: 7 };
    scene.recorder.link_hangup(&link(1, "VPN0-1", Tunnel::Sstp), scene.now());
    scene.recorder.hangup(&connection(1, "alice").with(|e| e.usage = usage), scene.now());
    scene.release("alice", "VPN0-1", "10.8.0.1");
    assert_eq!(live(&scene), "");
    assert_eq!(closed(&scene), "alice hangup 1");
    let sql = "SELECT acct_session_time, acct_input_octets, acct_output_octets, octets_are, estimated,
               acct_terminate_cause, tunnel_type, length(acct_session_id) FROM sessions";
    assert_eq!(scene.ask(sql), "90 1000 5000 exact 0 - SSTP 36");
    assert_eq!(
        scene.ask("SELECT domain, name, day, seconds, input_octets, count(DISTINCT session) FROM use"),
        "CORP ALICE 2026-11-23 90 1000 1"
    );
    assert_eq!(scene.ask("SELECT ended_by FROM leases"), "release");
    assert_eq!(scene.ask("SELECT count(*) FROM anomalies"), "0");
    let decisions = "SELECT stage, outcome, session IS NOT NULL FROM decisions ORDER BY id";
    assert_eq!(scene.ask(decisions), "ipv4-address allow 0; connection allow 1; link allow 1");
}

#[test]
fn octets_are_a_lower_bound_once_a_counter_may_have_wrapped() {
    let scene = Scene::new(OPEN);
    scene.begin(1, "alice", "VPN0-1").unwrap();
    let usage =
        Usage { seconds: 9, input_octets: 1, output_octets: 5, input_packets: 5, output_packets: (1 << 32) / 1600 + 1 };
    scene.recorder.hangup(&connection(1, "alice").with(|e| e.usage = usage), scene.now());
    assert_eq!(scene.ask("SELECT octets_are FROM sessions"), "lower bound");
}

#[test]
fn a_rejected_first_link_closes_the_session_unbilled() {
    let scene = Scene::new(
        r#"
        default_domain = "CORP"
        default.action = "allow"
        [[rules]]
        name = "no PPTP"
        action = "deny"
        tunnels = ["PPTP"]
        "#,
    );
    let given = scene.address("alice", "VPN4-1", "172.16.0.9").unwrap();
    assert_eq!(given, "172.16.0.9");
    assert_eq!(scene.connect(&connection(1, "alice")), Verdict::Accept);
    let Verdict::Reject(why) = scene.link(1, "VPN4-1", Tunnel::Pptp) else { panic!("accepted") };
    assert_eq!(why, "rule `no PPTP`");
    assert_eq!(closed(&scene), "alice first link rejected 0");
    scene.recorder.hangup(&connection(1, "alice"), scene.now());
    assert_eq!(scene.ask("SELECT what FROM anomalies"), "hangup of an unknown connection");
    assert_eq!(closed(&scene), "alice first link rejected 0");
}

#[test]
fn a_rejected_further_link_leaves_the_session() {
    let scene = Scene::new(
        r#"
        default_domain = "CORP"
        default.action = "allow"
        [[rules]]
        name = "one port"
        action = "deny"
        ports = ["VPN9-*"]
        "#,
    );
    scene.begin(1, "alice", "VPN0-1").unwrap();
    assert!(matches!(scene.link(1, "VPN9-1", Tunnel::L2tp), Verdict::Reject(_)));
    assert_eq!(scene.link(1, "VPN0-2", Tunnel::L2tp), Verdict::Accept);
    assert_eq!(
        scene.ask("SELECT (SELECT count(*) FROM links WHERE stop IS NULL), acct_link_count, nas_port_id FROM sessions"),
        "2 2 VPN0-1"
    );
}

#[test]
fn what_starts_again_closes_the_ghost() {
    type Change = fn(&mut ConnectionEvent);
    let cases: [(u64, Change, &str); 2] = [
        (1, |e| e.guid = Some("another".into()), "alice handle started again 1"),
        (2, |e| e.guid = connection(1, "").guid, "alice GUID started again 1"),
    ];
    for (handle, change, expected) in cases {
        let scene = Scene::new(OPEN);
        scene.begin(1, "alice", "VPN0-1").unwrap();
        scene.wait(600);
        assert_eq!(scene.connect(&connection(handle, "bob").with(change)), Verdict::Accept);
        assert_eq!(closed(&scene), expected);
        assert_eq!(scene.ask("SELECT acct_session_time, estimated FROM sessions WHERE id = 1"), "600 1");
    }
}

#[test]
fn a_port_that_starts_again_closes_the_ghost_and_ends_its_lease() {
    // By the address call of another user, and by the link of the same one.
    let scene = Scene::new(OPEN);
    assert_eq!(scene.begin(1, "alice", "VPN0-1").unwrap(), "10.8.0.1");
    assert_eq!(scene.begin(2, "bob", "VPN0-1").unwrap(), "10.8.0.2");
    assert_eq!(closed(&scene), "alice port started again 1");
    assert_eq!(leases(&scene), "10.8.0.2 BOB");
    assert_eq!(scene.begin(3, "bob", "VPN0-1").unwrap(), "10.8.0.2");
    assert_eq!(closed(&scene), "alice port started again 1; bob port started again 1");
    assert_eq!(live(&scene), "bob VPN0-1 10.8.0.2");
    assert_eq!(leases(&scene), "10.8.0.2 BOB");
}

#[test]
fn a_late_release_never_frees_a_newer_lease() {
    let scene = Scene::new(OPEN);
    assert_eq!(scene.begin(1, "alice", "VPN0-1").unwrap(), "10.8.0.1");
    scene.recorder.link_hangup(&link(1, "VPN0-1", Tunnel::Sstp), scene.now());
    scene.recorder.hangup(&connection(1, "alice"), scene.now());
    // The same user again on the same port: the same address, and two releases are due.
    assert_eq!(scene.begin(2, "alice", "VPN0-1").unwrap(), "10.8.0.1");
    scene.release("alice", "VPN0-1", "10.8.0.1");
    assert_eq!(leases(&scene), "10.8.0.1 ALICE");
    scene.end(2, "alice", "VPN0-1", "10.8.0.1");
    assert_eq!(leases(&scene), "");
    // A release for another port matches no lease.
    assert_eq!(scene.begin(3, "bob", "VPN0-3").unwrap(), "10.8.0.2");
    scene.release("bob", "VPN0-4", "10.8.0.2");
    scene.release("bob", "VPN0-3", "10.8.0.3");
    assert_eq!(leases(&scene), "10.8.0.2 BOB");
    assert_eq!(scene.ask("SELECT count(*) FROM anomalies WHERE what = 'release without a lease'"), "2");
}

#[test]
fn a_lease_nobody_accepts_ends_after_five_minutes_but_no_sooner() {
    let scene = Scene::new(OPEN);
    assert_eq!(scene.address("alice", "VPN0-1", "").unwrap(), "10.8.0.1");
    scene.wait(290);
    assert_eq!(scene.address("bob", "VPN0-2", "").unwrap(), "10.8.0.2");
    assert_eq!(leases(&scene), "10.8.0.1 ALICE; 10.8.0.2 BOB");
    scene.wait(20);
    assert_eq!(scene.address("carol", "VPN0-3", "").unwrap(), "10.8.0.3");
    assert_eq!(leases(&scene), "10.8.0.2 BOB; 10.8.0.3 CAROL");
    assert_eq!(scene.ask("SELECT ended_by FROM leases WHERE ended IS NOT NULL"), "never accepted");
}

#[test]
fn an_accepted_lease_outlives_five_minutes_and_ends_so_long_after_its_session() {
    let scene = Scene::new(OPEN);
    scene.begin(1, "alice", "VPN0-1").unwrap();
    scene.wait(3600);
    scene.address("bob", "VPN0-2", "").unwrap();
    assert_eq!(leases(&scene), "10.8.0.1 ALICE; 10.8.0.2 BOB");
    // The hangup comes, the release does not.
    scene.recorder.hangup(&connection(1, "alice"), scene.now());
    scene.wait(200);
    scene.address("carol", "VPN0-3", "").unwrap();
    assert!(leases(&scene).contains("ALICE"));
    scene.wait(200);
    scene.address("dave", "VPN0-4", "").unwrap();
    assert!(!leases(&scene).contains("ALICE"), "{}", leases(&scene));
}

#[test]
fn a_session_without_a_link_is_never_established_after_a_minute() {
    let scene = Scene::new(OPEN);
    assert_eq!(scene.connect(&connection(1, "alice")), Verdict::Accept);
    scene.wait(50);
    scene.address("bob", "VPN0-2", "").unwrap();
    assert_eq!(closed(&scene), "");
    scene.wait(20);
    scene.address("carol", "VPN0-3", "").unwrap();
    assert_eq!(closed(&scene), "alice never established 0");
    assert_eq!(scene.ask("SELECT count(*) FROM use"), "0");
}

#[test]
fn a_session_whose_links_are_gone_ends_when_the_last_one_did() {
    let scene = Scene::new(OPEN);
    scene.begin(1, "alice", "VPN0-1").unwrap();
    scene.wait(100);
    scene.recorder.link_hangup(&link(1, "VPN0-1", Tunnel::Sstp), scene.now());
    scene.wait(3600);
    scene.address("bob", "VPN0-2", "").unwrap();
    assert_eq!(closed(&scene), "alice links gone 1");
    assert_eq!(scene.ask("SELECT acct_session_time FROM sessions WHERE id = 1"), "100");
}

#[test]
fn odd_sequences_are_recorded_and_change_nothing() {
    let scene = Scene::new(OPEN);
    scene.begin(1, "alice", "VPN0-1").unwrap();
    let before = (live(&scene), leases(&scene));
    scene.recorder.hangup(&connection(77, "mallory"), scene.now());
    scene.recorder.link_hangup(&link(77, "VPN7-7", Tunnel::Sstp), scene.now());
    scene.release("mallory", "VPN7-7", "10.8.0.1");
    assert_eq!(scene.link(77, "VPN7-8", Tunnel::Sstp), Verdict::Accept);
    assert_eq!(scene.recorder.reauthenticate(&connection(78, "mallory"), scene.now()), Verdict::Accept);
    // Handle 1 lives, but with another GUID: it is another connection's end.
    scene.recorder.hangup(&connection(1, "alice").with(|e| e.guid = Some("another".into())), scene.now());
    assert_eq!((live(&scene), leases(&scene)), before);
    assert_eq!(
        scene.ask("SELECT what FROM anomalies ORDER BY id"),
        "hangup of an unknown connection; hangup of an unknown link; release without a lease; \
         link of an unknown connection; reauthentication of an unknown connection; hangup of an unknown connection"
    );
    scene.end(1, "alice", "VPN0-1", "10.8.0.1");
    scene.end(1, "alice", "VPN0-1", "10.8.0.1");
    assert_eq!(closed(&scene), "alice hangup 1");
}

#[test]
fn hostile_names_are_stored_as_they_are() {
    let scene = Scene::new(OPEN);
    let long = "x".repeat(256);
    for (handle, user) in (1..).zip(["'; DROP TABLE sessions; --", "a\r\nb\u{202e}\0", &long, ""]) {
        let port = format!("VPN'{handle}\n");
        let given = scene.begin(handle, user, &port).unwrap();
        assert_eq!(
            scene.ask(&format!("SELECT acct_session_time, length(user_name) FROM sessions WHERE handle = {handle}")),
            format!("- {}", if user.contains('\0') { 5 } else { user.len() })
        );
        scene.end(handle, user, &port, &given);
    }
    assert_eq!(scene.ask("SELECT count(*) FROM sessions WHERE closed_by = 'hangup'"), "4");
    let lone = rasadmin_engine::Name::from_utf16(&[0x61, 0xdfff]);
    let mut event = address("", "VPN0-1", "");
    event.user = lone.clone();
    scene.recorder.assign(&event, scene.now()).unwrap();
    assert_eq!(scene.ask("SELECT user_name FROM leases ORDER BY id DESC LIMIT 1"), lone.as_str());
}

#[test]
fn a_service_that_died_leaves_nothing_open_and_nothing_deleted() {
    let mut scene = Scene::new(OPEN);
    scene.begin(1, "alice", "VPN0-1").unwrap();
    scene.wait(100);
    scene.address("bob", "VPN0-2", "").unwrap();
    // A second process of the same service: nothing is closed.
    let beside = scene.beside();
    assert_eq!(live(&scene), "alice VPN0-1 10.8.0.1");
    drop(beside);
    scene.wait(5000);
    scene.restart();
    assert_eq!(closed(&scene), "alice instance ended 1");
    assert_eq!(leases(&scene), "");
    // Its stop is the last activity in the ledger, not the restart.
    assert_eq!(
        scene.ask("SELECT acct_session_time, estimated, acct_terminate_cause FROM sessions"),
        "100 1 NAS-Reboot"
    );
    assert_eq!(scene.ask("SELECT count(*) FROM leases"), "2");
    assert_eq!(scene.begin(2, "carol", "VPN0-1").unwrap(), "10.8.0.3");
}

#[test]
fn time_that_goes_back_harms_nothing() {
    let scene = Scene::new(OPEN);
    scene.begin(1, "alice", "VPN0-1").unwrap();
    scene.wait(-7200);
    assert_eq!(scene.begin(2, "bob", "VPN0-2").unwrap(), "10.8.0.2");
    scene.end(1, "alice", "VPN0-1", "10.8.0.1");
    assert_eq!(
        scene.ask("SELECT acct_session_time, acct_stop_time >= acct_start_time FROM sessions WHERE id = 1"),
        "0 1"
    );
    assert_eq!(leases(&scene), "10.8.0.2 BOB");
}

#[test]
fn a_move_is_recorded_and_a_reauthentication_too() {
    let scene = Scene::new(OPEN);
    scene.begin(1, "alice", "VPN0-1").unwrap();
    let moved = connection(1, "alice").with(|e| e.source = "198.51.100.3".into());
    assert_eq!(scene.recorder.endpoint_change(&moved, scene.now()), Verdict::Accept);
    let quarantined = moved.with(|e| e.quarantine = Some(rasadmin_engine::Quarantine::Probation));
    assert_eq!(scene.recorder.reauthenticate(&quarantined, scene.now()), Verdict::Accept);
    assert_eq!(scene.ask("SELECT calling_station_id, quarantine FROM sessions"), "198.51.100.3 probation");
    assert_eq!(scene.ask("SELECT count(*) FROM decisions WHERE session = 1"), "4");
}
