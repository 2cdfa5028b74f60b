//! Connections that RRAS has, but of which the DLL was never notified.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_engine::event::{ConnectionEvent, Event};
use support::{OPEN, Scene, connection, number, shows};

fn seen(handle: u64, user: &str, address: &str) -> ConnectionEvent {
    shows(connection(handle, user), address)
}

fn look(scene: &mut Scene, all: &[ConnectionEvent]) {
    scene.look(all);
}

#[test]
fn the_address_of_an_adopted_session_is_not_given_again() {
    let mut scene = Scene::new(OPEN);
    look(&mut scene, &[seen(7, "dora", "10.8.0.1"), seen(8, "emil", "172.16.0.4")]);
    assert_eq!(scene.live(), "dora 10.8.0.1; emil ");
    assert_eq!(scene.begin(1, "alice", "VPN2-1").unwrap(), "10.8.0.2");
    scene.handle(Event::ReleaseAddress { address: number("10.8.0.1"), force: false, by: None, reason: None });
    assert_eq!(scene.live(), "alice 10.8.0.2; dora 10.8.0.1; emil ");
    scene.hangup(seen(7, "dora", "10.8.0.1"));
    assert_eq!(scene.live(), "alice 10.8.0.2; emil ");
}

#[test]
fn an_adopted_session_has_the_lease_that_waits_for_it() {
    let mut scene = Scene::new(OPEN);
    let given = scene.address("dora", "VPN2-1", "").unwrap();
    look(&mut scene, &[seen(7, "dora", &given)]);
    assert_eq!(scene.leases(), "10.8.0.1 CORP\\DORA live");
    scene.handle(Event::ReleaseAddress { address: number(&given), force: false, by: None, reason: None });
    assert_eq!(scene.leases(), "10.8.0.1 CORP\\DORA live");
}

#[test]
fn of_two_that_show_one_address_one_has_it() {
    let mut scene = Scene::new(OPEN);
    look(&mut scene, &[seen(7, "dora", "10.8.0.1"), seen(8, "emil", "10.8.0.1")]);
    assert_eq!(scene.live(), "dora 10.8.0.1; emil ");
}
