//! Limits and quotas: what counts, what does not, and no race gets past them.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_recorder::Verdict;
use support::{Scene, With, connection, link};

const ONE: &str = r#"
    default_domain = "CORP"
    default.action = "allow"
    addresses.pool = "staff"
    [pools.staff]
    addresses = ["10.8.0.0/16"]
    [[rules]]
    name = "one session per user"
    action = "deny"
    user_sessions = { at_least = 1 }
"#;

fn is_denied(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Reject(why) if why.contains("one session per user"))
}

#[test]
fn the_second_session_is_denied_once_it_is_known_to_replace_none() {
    let scene = Scene::new(ONE);
    scene.begin(1, "alice", "VPN0-1").unwrap();
    // At address time it might be the same client, come back: an IKEv2 client without a name, from the same endpoint.
    let why = scene.begin(2, r"CORP\Alice", "VPN0-2").unwrap_err();
    assert_eq!(why, "rule `one session per user`");
    scene.begin(3, "bob", "VPN0-3").unwrap();
    scene.begin(4, r"PARTNER\alice", "VPN0-4").unwrap();
    assert_eq!(
        scene.ask("SELECT stage, rule FROM decisions WHERE outcome = 'deny'"),
        "connection one session per user"
    );
}

#[test]
fn a_session_never_counts_itself() {
    let scene = Scene::new(ONE);
    scene.begin(1, "alice", "VPN0-1").unwrap();
    assert_eq!(scene.link(1, "VPN0-9", rasadmin_engine::Tunnel::Sstp), Verdict::Accept);
    assert_eq!(scene.recorder.reauthenticate(&connection(1, "alice"), scene.now()), Verdict::Accept);
    assert_eq!(scene.recorder.endpoint_change(&connection(1, "alice"), scene.now()), Verdict::Accept);
}

#[test]
fn the_reconnecting_client_is_let_in() {
    let scene = Scene::new(ONE);
    let from = |handle, computer: &str| connection(handle, "alice").with(|e| e.computer = computer.into());
    assert_eq!(scene.connect(&from(1, "LAPTOP-7")), Verdict::Accept);
    scene.link(1, "VPN0-1", rasadmin_engine::Tunnel::Sstp);
    // At address time the computer is not known: it may be the same one.
    scene.address("alice", "VPN0-2", "").unwrap();
    assert!(is_denied(&scene.connect(&from(2, "OTHER"))));
    assert!(is_denied(&scene.connect(&from(2, ""))));
    assert_eq!(scene.connect(&from(3, "laptop-7")), Verdict::Accept);
    assert_eq!(scene.link(3, "VPN0-2", rasadmin_engine::Tunnel::Sstp), Verdict::Accept);
}

#[test]
fn a_client_without_a_computer_name_replaces_nobody() {
    let scene = Scene::new(ONE);
    assert_eq!(scene.connect(&connection(1, "alice")), Verdict::Accept);
    assert!(is_denied(&scene.connect(&connection(2, "alice"))));
}

#[test]
fn by_endpoint_and_strictly() {
    let endpoint = format!("limits.reconnect = \"same-endpoint\"\n{ONE}");
    let scene = Scene::new(&endpoint);
    assert_eq!(scene.connect(&connection(1, "alice")), Verdict::Accept);
    assert_eq!(scene.connect(&connection(2, "alice")), Verdict::Accept);
    assert!(is_denied(&scene.connect(&connection(3, "alice").with(|e| e.source = "198.51.100.1".into()))));
    let strict = format!("limits.reconnect = \"strict\"\n{ONE}");
    let scene = Scene::new(&strict);
    let from = |handle| connection(handle, "alice").with(|e| e.computer = "LAPTOP-7".into());
    assert_eq!(scene.connect(&from(1)), Verdict::Accept);
    assert!(is_denied(&scene.connect(&from(2))));
}

#[test]
fn an_ended_or_failed_session_does_not_count() {
    let scene = Scene::new(ONE);
    let given = scene.begin(1, "alice", "VPN0-1").unwrap();
    scene.end(1, "alice", "VPN0-1", &given);
    // Accepted by us, then rejected by another DLL: no link ever came.
    assert_eq!(scene.connect(&connection(2, "alice")), Verdict::Accept);
    scene.wait(70);
    scene.begin(3, "alice", "VPN0-3").unwrap();
}

#[test]
fn a_group_s_sessions_are_counted_together() {
    let scene = Scene::new(
        r#"
        default_domain = "CORP"
        default.action = "allow"
        addresses.pool = "all"
        [pools.all]
        addresses = ["10.8.0.0/24"]
        [groups.contractors]
        users = ['PARTNER\*']
        [[rules]]
        name = "two contractors"
        action = "deny"
        groups = ["contractors"]
        group_sessions = { group = "contractors", at_least = 2 }
        "#,
    );
    scene.begin(1, r"PARTNER\a", "VPN0-1").unwrap();
    scene.begin(2, "staff", "VPN0-2").unwrap();
    scene.begin(3, r"PARTNER\b", "VPN0-3").unwrap();
    assert!(scene.begin(4, r"PARTNER\c", "VPN0-4").is_err());
    scene.begin(5, "staff2", "VPN0-5").unwrap();
}

const QUOTA: &str = r#"
    time_zone = "Europe/Berlin"
    default_domain = "CORP"
    default.action = "allow"
    addresses.pool = "all"
    [pools.all]
    addresses = ["10.8.0.0/24"]
    [[rules]]
    name = "an hour a day"
    action = "deny"
    connect_time = { per = "day", at_least = "1h" }
    [[rules]]
    name = "a mebibyte a month"
    action = "deny"
    octets = { per = "month", at_least = "1 MiB" }
"#;

#[test]
fn connect_time_counts_past_and_live_sessions_of_the_day() {
    let scene = Scene::new(QUOTA);
    let given = scene.begin(1, "alice", "VPN0-1").unwrap();
    scene.wait(1800);
    scene.end(1, "alice", "VPN0-1", &given);
    scene.begin(2, "alice", "VPN0-2").unwrap();
    scene.wait(1740);
    scene.begin(3, "alice", "VPN0-3").unwrap();
    scene.wait(60);
    assert!(scene.begin(4, "alice", "VPN0-4").unwrap_err().contains("an hour a day"));
    // At midnight in Berlin, not in UTC, the day is new: 23:00 UTC. The two live sessions have run since the morning,
    // but only the new day's time counts.
    scene.wait(12 * 3600 + 3600 + 60);
    scene.begin(5, "alice", "VPN0-5").unwrap();
}

#[test]
fn octets_go_to_the_period_of_the_hangup() {
    let scene = Scene::new(QUOTA);
    scene.begin(1, "alice", "VPN0-1").unwrap();
    let usage = rasadmin_engine::effect::Usage {
        seconds: 5,
        input_octets: 1 << 19,
        output_octets: 1 << 19,
        ..Default::default()
    };
    scene.recorder.hangup(&connection(1, "alice").with(|e| e.usage = usage), scene.now());
    assert!(scene.begin(2, "alice", "VPN0-2").unwrap_err().contains("a mebibyte a month"));
    scene.begin(3, "bob", "VPN0-3").unwrap();
    scene.wait(9 * 86_400); // December
    scene.begin(4, "alice", "VPN0-4").unwrap();
}

#[test]
fn time_is_split_at_midnight_in_the_zone() {
    let scene = Scene::new(QUOTA);
    scene.wait(13 * 3600); // 22:00 UTC, 23:00 in Berlin
    scene.begin(1, "alice", "VPN0-1").unwrap();
    scene.wait(2 * 3600);
    scene.recorder.link_hangup(&link(1, "VPN0-1", rasadmin_engine::Tunnel::Sstp), scene.now());
    scene.recorder.hangup(&connection(1, "alice"), scene.now());
    assert_eq!(
        scene.ask("SELECT day, seconds, session IS NOT NULL FROM use ORDER BY day"),
        "2026-11-23 3600 1; 2026-11-24 3600 1"
    );
}
