//! Releases that are lost or late: an address in use is never given again.
#![allow(clippy::unwrap_used)]

mod support;

use support::{OPEN, Scene, TWO, With, connection, number};

#[test]
fn one_lost_release_is_not_made_up_for_by_each_later_one() {
    let mut scene = Scene::new(OPEN);
    for handle in 1..4 {
        scene.begin(handle, "alice", "VPN2-1").unwrap();
        scene.link_hangup(handle, "VPN2-1");
        scene.hangup(connection(handle, "alice"));
        if handle > 1 {
            scene.release("alice", "VPN2-1", "10.8.0.1");
            assert_eq!(scene.leases(), "", "round {handle}");
        }
    }
}

#[test]
fn a_late_release_never_frees_what_is_in_use() {
    let mut scene = Scene::new(OPEN);
    scene.begin(1, "alice", "VPN2-1").unwrap();
    scene.link_hangup(1, "VPN2-1");
    scene.hangup(connection(1, "alice"));
    // She is back on the same port, with the same address, before her release came.
    assert_eq!(scene.begin(2, "alice", "VPN2-1"), Ok("10.8.0.1".into()));
    scene.release("alice", "VPN2-1", "10.8.0.1");
    scene.release("alice", "VPN2-1", "10.8.0.1");
    assert_eq!(scene.live(), "alice 10.8.0.1");
    scene.hangup(connection(2, "alice"));
    assert_eq!(scene.leases(), "", "it was given back already");
}

#[test]
fn an_earlier_release_is_meant_while_a_client_may_still_come() {
    let mut scene = Scene::new(OPEN);
    let given = scene.begin(1, "alice", "VPN2-1").unwrap();
    scene.link_hangup(1, "VPN2-1");
    scene.hangup(connection(1, "alice"));
    assert_eq!(scene.address("alice", "VPN2-1", ""), Ok(given.clone()));
    scene.connect(connection(2, "alice").with(|e| e.addresses = vec![number(&given)])).unwrap();
    scene.wait(61);
    scene.release("nobody", "VPN2-8", "10.9.9.9");
    assert_eq!(scene.ended(), "hangup 0; never established 0");
    scene.release("alice", "VPN2-1", &given);
    assert_eq!(scene.leases(), "10.8.0.1 CORP\\ALICE held");
}

#[test]
fn a_release_after_five_minutes_of_silence_finds_its_lease() {
    let mut scene = Scene::new(TWO);
    let given = scene.address("alice", "VPN2-1", "").unwrap();
    scene.wait(301);
    scene.release("alice", "VPN2-1", &given);
    assert_eq!(scene.anomalies(), Vec::<&str>::new());
    assert_eq!(scene.leases(), "");
    // The next release is that of the next lease.
    let given = scene.address("alice", "VPN2-1", "").unwrap();
    scene.release("alice", "VPN2-1", &given);
    assert_eq!(scene.leases(), "");
}
