//! Which address is given, kept or refused, and whose it is.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_engine::event::{AddressEvent, Event, Offer};
use support::{OPEN, Scene, With, answer, connection, limit, number};

#[test]
fn an_address_is_refused_only_if_it_is_reserved_for_or_pooled_for_another_user() {
    let mut scene = Scene::new(&limit(
        r#"
        addresses.pool = "all"
        [pools.all]
        addresses = ["10.8.0.1-10.8.0.9"]
        [pools.special]
        addresses = ["10.9.0.1-10.9.0.9"]
        [groups.corp]
        users = ["CORP\\*"]
        [groups.boss]
        users = ["CORP\\boss"]
        pool = "special"
        [[reservations]]
        user = "CORP\\carol"
        address = "10.8.1.1"
        "#,
    ));
    // There is one pool for all: another group or an unlisted suffix is not a reason to refuse.
    for (handle, user, domain) in [(1, "alice", "PARTNER"), (2, "dave@unlisted.example", "CORP")] {
        let port = format!("VPN2-{handle}");
        let given = scene.address(user, &port, "").unwrap();
        let event = connection(handle, user).with(|e| {
            (e.domain, e.addresses) = (domain.into(), vec![number(&given)]);
        });
        assert_eq!(scene.connect(event), Ok(()), "{user}");
    }
    for (handle, user) in [(3, "boss"), (4, "carol")] {
        let port = format!("VPN2-{handle}");
        let given = scene.address(user, &port, "").unwrap();
        let event = connection(handle, user).with(|e| {
            (e.domain, e.addresses) = ("PARTNER".into(), vec![number(&given)]);
        });
        let why = scene.connect(event).unwrap_err();
        assert!(why.contains("turned out to be another user"), "{user}: {why}");
        scene.release(user, &port, &given);
    }
}

#[test]
fn an_ipv6_offer_that_is_none_is_none() {
    let ask = |offer| {
        Event::Address(AddressEvent {
            user: "alice".into(),
            port: "VPN2-1".into(),
            family: rasadmin_engine::addresses::Family::Ipv6,
            offer,
        })
    };
    let mut scene = Scene::new(&limit("addresses.ipv6_pool = \"six\"\n[pools.six]\nidentifiers = [\"::a:1-::a:9\"]"));
    assert_eq!(answer(&scene.handle(ask(Offer::Nothing))), Ok("::a0001".into()));
    assert_eq!(answer(&scene.handle(ask(Offer::HighHalf(7)))), Ok("as offered".into()));
    assert_eq!(scene.anomalies(), ["an IPv6 offer with its low half zero was kept"]);
    let mut scene = Scene::new(&limit(""));
    assert!(answer(&scene.handle(ask(Offer::Nothing))).is_err());
    assert!(answer(&scene.handle(ask(Offer::Number(0x0200_5eff_fe00_0007)))).is_err());
    assert_eq!(answer(&scene.handle(ask(Offer::Number(7)))), Ok("::7".into()));
    // The rules are asked, whatever RRAS offers.
    let mut scene = Scene::new("default.action = \"deny\"");
    assert!(answer(&scene.handle(ask(Offer::HighHalf(7)))).is_err());
}

#[test]
fn a_lease_is_whose_the_connection_is() {
    let mut scene = Scene::new(OPEN);
    let given = scene.address("alice", "VPN2-1", "").unwrap();
    scene
        .connect(connection(1, "alice").with(|e| (e.domain, e.addresses) = ("PARTNER".into(), vec![number(&given)])))
        .unwrap();
    assert_eq!(scene.leases(), "10.8.0.1 PARTNER\\ALICE live");
    scene.link(1, "VPN2-1").unwrap();
    scene.end(1, "alice", "VPN2-1", &given);
    // PARTNER's alice had it last, and she gets it again.
    let alice = rasadmin_engine::Identity { domain: "PARTNER".into(), name: "ALICE".into() };
    let last: Vec<u64> = scene.state.last_addresses(&alice, rasadmin_engine::addresses::Family::Ipv4).collect();
    assert_eq!(last, [number("10.8.0.1").number]);
}

#[test]
fn rrass_own_offer_wins_over_an_old_lease() {
    let mut scene = Scene::new("default_domain = \"CORP\"\ndefault.action = \"allow\"");
    assert_eq!(scene.begin(1, "alice", "VPN2-1"), Ok("172.16.0.9".into()));
    assert_eq!(scene.begin(2, "bob", "VPN2-2"), Ok("172.16.0.9".into()));
    assert_eq!(scene.leases(), "172.16.0.9 CORP\\BOB live");
    let anomalies = scene.records.iter().flat_map(|record| &record.effects);
    let anomalies =
        anomalies.filter(|e| matches!(e, rasadmin_engine::Effect::Anomaly(a) if a.what().contains("still held")));
    assert_eq!(anomalies.count(), 1);
}

#[test]
fn the_servers_own_address_is_no_offer() {
    let mut scene = Scene::new(&format!("{OPEN}\n[server]\naddresses = [\"10.8.9.1\"]"));
    assert_eq!(scene.address("alice", "VPN2-1", "10.8.9.1"), Ok("10.8.0.1".into()));
    let mut scene = Scene::new("default.action = \"allow\"\n[server]\naddresses = [\"10.8.9.1\"]");
    let why = scene.address("alice", "VPN2-1", "10.8.9.1").unwrap_err();
    assert!(why.contains("the server's own address"), "{why}");
}

#[test]
fn each_address_call_of_a_connection_passes_the_same_name() {
    let mut scene = Scene::new(OPEN);
    let given = scene.address("alice@lab.example", "VPN3-1", "").unwrap();
    let event = connection(1, "LAB\\alice").with(|e| (e.domain, e.addresses) = ("LAB".into(), vec![number(&given)]));
    scene.connect(event).unwrap();
    scene.link(1, "VPN3-1").unwrap();
    scene.handle(Event::Address(AddressEvent {
        user: "alice@lab.example".into(),
        port: "VPN3-1".into(),
        family: rasadmin_engine::addresses::Family::Ipv6,
        offer: Offer::Number(7),
    }));
    assert_eq!(scene.state.leases_of(scene.session(1).unwrap().id).count(), 2, "{}", scene.leases());
}

#[test]
fn the_projection_tells_whose_an_address_is() {
    let six = rasadmin_engine::addresses::Address { family: rasadmin_engine::addresses::Family::Ipv6, number: 7 };
    let mut scene = Scene::new(OPEN);
    let given = scene.address("alice", "VPN3-1", "").unwrap();
    scene.connect(connection(1, "alice").with(|e| e.addresses = vec![number(&given)])).unwrap();
    // She has gone, and her end was not reported. Her next attempt begins with IPv6.
    scene.handle(Event::Address(AddressEvent {
        user: "alice".into(),
        port: "VPN3-1".into(),
        family: six.family,
        offer: Offer::Number(six.number),
    }));
    scene.connect(connection(2, "alice").with(|e| e.addresses = vec![six])).unwrap();
    assert_eq!(scene.state.leases_of(scene.session(2).unwrap().id).count(), 1, "{}", scene.leases());
    scene.hangup(connection(1, "alice"));
    assert_eq!(scene.state.leases_of(scene.session(2).unwrap().id).count(), 1, "{}", scene.leases());
}

#[test]
fn what_an_earlier_attempt_left_on_the_port_does_not_refuse_a_user() {
    let six = rasadmin_engine::addresses::Address { family: rasadmin_engine::addresses::Family::Ipv6, number: 7 };
    let mut scene = Scene::new(&format!(
        "{OPEN}\n[groups.partner]\nusers = [\"PARTNER\\\\*\"]\npool = \"theirs\"\n[pools.theirs]\naddresses = [\"10.9.0.1-10.9.0.9\"]"
    ));
    scene.address("alice", "VPN4-0", "").unwrap();
    scene.handle(Event::Address(AddressEvent {
        user: "alice".into(),
        port: "VPN4-0".into(),
        family: six.family,
        offer: Offer::Number(six.number),
    }));
    let event = connection(1, "alice").with(|e| (e.domain, e.addresses) = ("PARTNER".into(), vec![six]));
    assert_eq!(scene.connect(event), Ok(()));
    assert_eq!(scene.link(1, "VPN4-0"), Ok(()));
    assert!(scene.leases().contains("10.8.0.1 CORP\\ALICE waits"), "{}", scene.leases());
}

#[test]
fn a_user_has_the_previous_address_of_each_family_whatever_the_other_was() {
    let pools = "[pools.staff]\naddresses = [\"10.8.0.0/24\"]\n[pools.six]\nidentifiers = [\"::a:1-::a:9\"]";
    let mut scene = Scene::new(&limit(&format!("addresses.pool = \"staff\"\naddresses.ipv6_pool = \"six\"\n{pools}")));
    support::given6(&mut scene, "bob", "VPN2-8");
    let six = support::given6(&mut scene, "alice", "VPN2-9");
    scene.handle(Event::ReleaseAddress { address: six, force: true, by: None, reason: None });
    // Nine of her devices come and go by IPv4.
    let ports: Vec<String> = (1..=9).map(|port| format!("VPN3-{port}")).collect();
    let given: Vec<String> = ports.iter().map(|port| scene.address("alice", port, "").unwrap()).collect();
    for (port, given) in ports.iter().zip(&given) {
        scene.release("alice", port, given);
    }
    assert_eq!(support::given6(&mut scene, "alice", "VPN2-9"), six);
}
