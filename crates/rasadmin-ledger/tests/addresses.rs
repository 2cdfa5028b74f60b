//! Which address a user gets.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_recorder::Verdict;
use support::{Scene, With, connection, number};

const POOLS: &str = r#"
    default_domain = "CORP"
    default.action = "allow"
    addresses.pool = "small"
    [domains]
    CORP = ["corp.example"]
    [pools.small]
    addresses = ["10.8.0.1-10.8.0.4"]
    exclude = ["10.8.0.2"]
    next = "more"
    [pools.more]
    addresses = ["10.9.0.10-10.9.0.11"]
    [groups.boss]
    users = ["ceo"]
    pool = "bosses"
    [pools.bosses]
    addresses = ["10.10.0.1-10.10.0.2"]
    when_exhausted = "keep-offer"
    [[reservations]]
    user = 'CORP\alice'
    address = "10.8.0.3"
"#;

#[test]
fn in_order_exclusions_and_reservations_left_out_then_the_next_pool() {
    let scene = Scene::new(POOLS);
    let given: Vec<_> = (1..=5).map(|n| scene.begin(n, &format!("u{n}"), &format!("VPN0-{n}"))).collect();
    let expected = ["10.8.0.1", "10.8.0.4", "10.9.0.10", "10.9.0.11"].map(|a| Ok(a.to_owned()));
    assert_eq!(given[..4], expected);
    assert_eq!(given[4], Err("the pool `small` is exhausted".to_owned()));
    assert_eq!(
        scene.ask("SELECT outcome, reason FROM decisions WHERE outcome = 'deny'"),
        "deny the pool `small` is exhausted"
    );
    assert_eq!(scene.begin(9, "alice@corp.example", "VPN0-9").unwrap(), "10.8.0.3");
    assert_eq!(scene.ask("SELECT origin, pool FROM leases WHERE port = 'VPN0-9'"), "reservation -");
}

#[test]
fn the_same_user_gets_the_same_address_then_never_used_then_least_recently_released() {
    let scene = Scene::new(POOLS);
    let mut handle = 0;
    let mut visit = |user: &str| {
        handle += 1;
        scene.wait(1);
        let given = scene.begin(handle, user, "VPN0-1").unwrap();
        scene.end(handle, user, "VPN0-1", &given);
        given
    };
    assert_eq!(visit("a"), "10.8.0.1");
    assert_eq!(visit("b"), "10.8.0.4");
    assert_eq!(visit("a"), "10.8.0.1");
    // The pool has been gone through: of its addresses the one that was released first.
    assert_eq!(visit("c"), "10.8.0.4");
    assert_eq!(visit("d"), "10.8.0.1");
    assert_eq!(visit("c"), "10.8.0.4");
    // a's former address was another's since.
    assert_eq!(visit("a"), "10.8.0.1");
}

#[test]
fn without_sticky_no_user_gets_a_former_address_on_purpose() {
    let scene = Scene::new(&format!("addresses.sticky = false\n{POOLS}"));
    let given = scene.begin(1, "a", "VPN0-1").unwrap();
    scene.end(1, "a", "VPN0-1", &given);
    assert_eq!(given, "10.8.0.1");
    assert_eq!(scene.begin(2, "a", "VPN0-1").unwrap(), "10.8.0.4");
}

#[test]
fn a_reservation_that_is_held_falls_back_to_the_pool_or_refuses() {
    let scene = Scene::new(POOLS);
    assert_eq!(scene.begin(1, "alice", "VPN0-1").unwrap(), "10.8.0.3");
    assert_eq!(scene.begin(2, "alice", "VPN0-2").unwrap(), "10.8.0.1");
    let scene = Scene::new(&format!("addresses.reservation_held = \"refuse\"\n{POOLS}"));
    assert_eq!(scene.begin(1, "alice", "VPN0-1").unwrap(), "10.8.0.3");
    assert!(scene.begin(2, "alice", "VPN0-2").unwrap_err().contains("reserved address is held"));
}

#[test]
fn an_exhausted_pool_keeps_the_offer_if_it_says_so() {
    let scene = Scene::new(POOLS);
    assert_eq!(scene.begin(1, "ceo", "VPN0-1").unwrap(), "10.10.0.1");
    assert_eq!(scene.address("ceo", "VPN0-2", "172.16.0.9").unwrap(), "10.10.0.2");
    assert_eq!(scene.address("ceo", "VPN0-3", "172.16.0.9").unwrap(), "172.16.0.9");
    // It offers the same once more: these addresses are its own, and it knows better.
    assert_eq!(scene.address("ceo", "VPN0-4", "172.16.0.9").unwrap(), "172.16.0.9");
    assert_eq!(scene.ask("SELECT port FROM leases WHERE address = '172.16.0.9' AND ended IS NULL"), "VPN0-4");
    let why = scene.address("ceo", "VPN0-5", "").unwrap_err();
    assert_eq!(why, "the pool `bosses` is exhausted, and RRAS offers no address");
    let why = scene.address("ceo", "VPN0-6", "10.8.0.3").unwrap_err();
    assert_eq!(why, "the pool `bosses` is exhausted, and RRAS's offer is reserved for another user");
}

#[test]
fn without_a_pool_the_offer_is_kept_and_recorded() {
    let scene = Scene::new("default.action = \"allow\"\n");
    assert_eq!(scene.begin(1, "a", "VPN0-1").unwrap(), "172.16.0.9");
    assert_eq!(scene.ask("SELECT address, origin FROM leases"), "172.16.0.9 offer");
    // RRAS gives it out again, without having told of the end: these addresses are its own, and it knows better.
    assert_eq!(scene.address("b", "VPN0-2", "172.16.0.9").unwrap(), "172.16.0.9");
    assert_eq!(scene.ask("SELECT ended_by FROM leases WHERE ended IS NOT NULL"), "address given by RRAS again");
    assert_eq!(scene.ask("SELECT what FROM anomalies"), "RRAS offered an address that a lease still held");
    scene.recorder.hangup(&connection(1, "a"), scene.now());
    assert_eq!(scene.ask("SELECT port FROM leases WHERE ended IS NULL"), "VPN0-2");
}

#[test]
fn a_connection_of_another_user_does_not_keep_the_address() {
    let scene = Scene::new(POOLS);
    // At address time a bare name counts as CORP's.
    assert_eq!(scene.address("alice", "VPN0-1", "").unwrap(), "10.8.0.3");
    let event = connection(1, "alice").with(|e| {
        e.domain = "PARTNER".into();
        e.addresses = vec![number("10.8.0.3")];
    });
    let Verdict::Reject(why) = scene.connect(&event) else { panic!("accepted") };
    assert!(why.contains(r"given to CORP\ALICE"), "{why}");
    scene.release("alice", "VPN0-1", "10.8.0.3");
    // An address of everybody's pool is another matter.
    assert_eq!(scene.address("bob", "VPN0-1", "").unwrap(), "10.8.0.1");
    let event = connection(2, "bob").with(|e| {
        e.domain = "PARTNER".into();
        e.addresses = vec![number("10.8.0.1")];
    });
    assert_eq!(scene.connect(&event), Verdict::Accept);
}

#[test]
fn a_pool_that_grows_and_shrinks_loses_and_doubles_nothing() {
    let scene = Scene::new(POOLS);
    let held: Vec<_> = (1..=4).map(|n| scene.begin(n, &format!("u{n}"), &format!("VPN0-{n}")).unwrap()).collect();
    let grown =
        POOLS.replace("10.8.0.1-10.8.0.4", "10.8.0.1-10.8.0.5").replace("10.9.0.10-10.9.0.11", "10.9.0.10-10.9.0.12");
    scene.recorder.set_config(support::config(scene.folder.path(), &grown), scene.now());
    let more: Vec<_> = (5..=6).map(|n| scene.begin(n, &format!("u{n}"), &format!("VPN0-{n}")).unwrap()).collect();
    assert_eq!(more, ["10.8.0.5", "10.9.0.12"]);
    scene.recorder.set_config(support::config(scene.folder.path(), POOLS), scene.now());
    for (n, address) in (1..).zip(held.iter().chain(&more)) {
        scene.end(n, &format!("u{n}"), &format!("VPN0-{n}"), address);
    }
    // All four of the pool are free again, and none of those that left it.
    let mut again: Vec<_> =
        (11..=14).map(|n| scene.begin(n, &format!("v{n}"), &format!("VPN0-{n}")).unwrap()).collect();
    again.sort();
    assert_eq!(again, ["10.8.0.1", "10.8.0.4", "10.9.0.10", "10.9.0.11"]);
}

#[test]
fn failed_attempts_do_not_drain_the_pool() {
    let scene = Scene::new(POOLS);
    for n in 0..50 {
        // Each on a port of its own, given back as RRAS does when the connection fails.
        let (user, port) = (format!("u{n}"), format!("VPN0-{n}"));
        let given = scene.address(&user, &port, "").unwrap();
        scene.release(&user, &port, &given);
    }
    // And on one port without a release.
    for n in 0..50 {
        scene.address(&format!("w{n}"), "VPN1-1", "").unwrap();
    }
    assert_eq!(scene.ask("SELECT count(*) FROM leases WHERE ended IS NULL"), "1");
}
