//! Reports: what is summed, over which time, and what is left out.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_engine::Name;
use rasadmin_engine::Tunnel::Sstp;
use rasadmin_engine::effect::Usage;
use rasadmin_ledger::report::{Filter, GroupBy, Reader, Total, UserFilter, month};
use std::net::IpAddr;
use support::{MONDAY, Scene, With, connection, number};

const CONFIG: &str = r#"
    time_zone = "Europe/Berlin"
    default_domain = "CORP"
    default.action = "deny"
    addresses.pool = "all"
    ipv6_pool_is_not_here = 0
    [pools.all]
    addresses = ["10.8.0.0/24"]
    [groups.staff]
    users = ["alice", "bob"]
    [groups.admins]
    users = ["alice"]
    [[rules]]
    name = "no carol"
    action = "deny"
    users = ["carol"]
    [[rules]]
    name = "everybody"
    action = "allow"
    users = ["*"]
"#;

fn scene() -> Scene {
    Scene::new(&CONFIG.replace("    ipv6_pool_is_not_here = 0\n", ""))
}

/// A session of some seconds with some octets.
fn session(scene: &Scene, handle: u64, user: &str, seconds: i64, octets: u64) {
    let port = format!("VPN0-{handle}");
    let given = scene.begin(handle, user, &port).unwrap();
    scene.wait(seconds);
    scene.recorder.link_hangup(&support::link(handle, &port, Sstp), scene.now());
    let usage =
        Usage { seconds: seconds.cast_unsigned(), input_octets: octets, output_octets: 2 * octets, ..Usage::default() };
    scene.recorder.hangup(&connection(handle, user).with(|e| e.usage = usage), scene.now());
    scene.release(user, &port, &given);
}

fn totals(scene: &Scene, by: GroupBy, from: i64, to: i64) -> Vec<(String, u64, u64, u64, u64)> {
    let reader = Reader::open(&scene.ledger()).unwrap();
    let rows = reader.totals(by, from, to, scene.now().at.time, &scene.config, &scene.config.zone).unwrap();
    let row = |t: Total| (t.key.unwrap_or_else(|| "-".to_owned()), t.sessions, t.seconds, t.input_octets, t.denied);
    rows.into_iter().map(row).collect()
}

const HOUR: i64 = 3_600_000;

#[test]
fn time_is_split_at_the_ends_and_octets_count_where_the_hangup_was() {
    let scene = scene();
    // From 10:00 in Berlin; alice's goes on over midnight.
    session(&scene, 1, "bob", 3600, 100);
    session(&scene, 2, "alice", 14 * 3600, 1000);
    assert!(scene.begin(3, "carol", "VPN0-3").is_err());
    let midnight = MONDAY + 14 * HOUR;
    let all = (MONDAY - HOUR, MONDAY + 100 * HOUR);
    let row = |key: &str, sessions, seconds, octets, denied| (key.to_owned(), sessions, seconds, octets, denied);
    assert_eq!(
        totals(&scene, GroupBy::User, all.0, all.1),
        [row("CORP\\ALICE", 1, 50_400, 1000, 0), row("CORP\\BOB", 1, 3600, 100, 0), row("CORP\\CAROL", 0, 0, 0, 1)]
    );
    assert_eq!(
        totals(&scene, GroupBy::Day, all.0, all.1),
        [row("2026-11-23", 2, 3600 + 13 * 3600, 100, 0), row("2026-11-24", 1, 3600, 1000, 1)]
    );
    // A report that ends at midnight has alice's time until then, and no octets yet.
    assert_eq!(totals(&scene, GroupBy::User, all.0, midnight)[0], row("CORP\\ALICE", 1, 13 * 3600, 0, 0));
    assert_eq!(totals(&scene, GroupBy::User, midnight, all.1)[0], row("CORP\\ALICE", 1, 3600, 1000, 0));
    // A user of two groups counts in both; carol is in none.
    assert_eq!(
        totals(&scene, GroupBy::Group, all.0, all.1),
        [row("-", 0, 0, 0, 1), row("admins", 1, 50_400, 1000, 0), row("staff", 2, 54_000, 1100, 0)]
    );
    assert_eq!(totals(&scene, GroupBy::Tunnel, all.0, all.1)[1], row("SSTP", 2, 54_000, 1100, 0));
    assert_eq!(
        totals(&scene, GroupBy::Rule, all.0, all.1),
        [row("everybody", 2, 54_000, 1100, 0), row("no carol", 0, 0, 0, 1)]
    );
}

#[test]
fn long_and_live_sessions_are_found_in_every_month_that_they_touch() {
    let scene = scene();
    session(&scene, 1, "alice", 40 * 86_400, 1);
    scene.begin(2, "bob", "VPN0-2").unwrap();
    scene.wait(40 * 86_400);
    let zone = &scene.config.zone;
    let seconds = |text: &str| -> Vec<(String, u64)> {
        let (from, to) = month(text, zone).unwrap();
        totals(&scene, GroupBy::User, from, to).into_iter().map(|row| (row.0, row.2)).collect()
    };
    let (alice, bob) = ("CORP\\ALICE".to_owned(), "CORP\\BOB".to_owned());
    // November from the 23rd, 10:00; December whole of alice to its end in January; bob is live until "now".
    let november = (7 * 24 + 14) * 3600;
    assert_eq!(seconds("2026-11"), [(alice.clone(), november)]);
    assert_eq!(seconds("2026-12"), [(alice.clone(), 31 * 86_400)]);
    let january = 40 * 86_400 - november - 31 * 86_400;
    assert_eq!(seconds("2027-01"), [(alice, january), (bob.clone(), 31 * 86_400 - january)]);
    assert_eq!(seconds("2027-02").len(), 1);
    assert_eq!(seconds("2027-02")[0].0, bob);
    assert_eq!(seconds("2026-10"), []);
    assert_eq!(seconds("2027-06"), [], "nobody is connected in a month that is still to come");
    for wrong in ["2026", "2026-13", "2026-1", "x", "2026-11-23"] {
        assert_eq!(month(wrong, zone), None, "{wrong}");
    }
}

#[test]
fn imported_sessions_count_where_the_ledger_itself_has_none() {
    let scene = scene();
    session(&scene, 1, "alice", 3600, 100);
    let ledger = rusqlite::Connection::open(scene.ledger()).unwrap();
    let import = |key: &str, server: &str, start: i64| {
        let sql = "INSERT INTO sessions (acct_session_id, instance, nas_identifier, domain, name, user_name, handle,
                       remote_computer, calling_station_id, interface_type, quarantine, tunnel_type, framed_ip_address,
                       acct_start_time, acct_stop_time, acct_session_time, acct_input_octets, imported)
                   VALUES (?1, 0, ?2, 'CORP', 'BOB', 'bob', 0, '', '', 'client', '', 'SSTP', '10.9.0.1', ?3,
                       ?3 + 3600000, 3600, 7, 'odbc')";
        ledger.execute(sql, rusqlite::params![key, server, start]).unwrap();
    };
    import("a", "vpn1", MONDAY + HOUR / 2); // The ledger was there.
    import("b", "VPN1", MONDAY - 48 * HOUR); // It was not yet.
    import("c", "VPN2", MONDAY + HOUR / 2); // It never was on that server.
    let reader = Reader::open(&scene.ledger()).unwrap();
    let keys: Vec<_> =
        reader.sessions(&Filter::default(), false).unwrap().into_iter().map(|s| s.acct_session_id).collect();
    assert_eq!(keys.len(), 3);
    assert!(keys.contains(&"b".to_owned()) && keys.contains(&"c".to_owned()));
    assert_eq!(totals(&scene, GroupBy::User, MONDAY - 100 * HOUR, MONDAY + 100 * HOUR)[1].1, 2);
    let had = reader.who_had("10.9.0.1".parse().unwrap(), None, 10).unwrap();
    assert_eq!(had.iter().map(|held| held.imported.as_deref()).collect::<Vec<_>>(), [Some("odbc"); 2]);
    assert_eq!(reader.users(&Filter::default()).unwrap()[1].sessions, 2);
    assert_eq!(reader.counts().unwrap().imported_sessions, 3);
}

#[test]
fn who_had_an_address_at_a_time() {
    let scene = scene();
    session(&scene, 1, "alice", 3600, 0);
    scene.wait(60);
    scene.begin(2, "bob", "VPN0-2").unwrap();
    let reader = Reader::open(&scene.ledger()).unwrap();
    let had = |address: &str, at: Option<i64>| -> Vec<String> {
        let found = reader.who_had(address.parse::<IpAddr>().unwrap(), at, 10).unwrap();
        found.into_iter().map(|held| held.user_name.to_string()).collect()
    };
    assert_eq!(had("10.8.0.1", Some(MONDAY)), ["alice"]);
    assert_eq!(had("10.8.0.1", Some(MONDAY + HOUR)), [""; 0], "its end is not in it");
    assert_eq!(had("10.8.0.1", Some(MONDAY - 1)), [""; 0]);
    assert_eq!(had("10.8.0.2", Some(MONDAY + 2 * HOUR)), ["bob"]);
    assert_eq!(had("::ffff:10.8.0.1", None), ["alice"]);
    let live = reader.live_leases(&Filter::default(), Some("all")).unwrap();
    assert_eq!(live.iter().map(|held| held.address.as_str()).collect::<Vec<_>>(), ["10.8.0.2"]);
    assert_eq!(reader.pool_use().unwrap(), [(Name::new("VPN1"), "all".to_owned(), 4, 1)]);
}

#[test]
fn an_ipv6_address_is_found_by_its_identifier_and_its_prefix() {
    let scene = scene();
    let mut event = support::address("alice", "VPN0-1", "");
    event.family = rasadmin_engine::addresses::Family::Ipv6;
    event.offer = rasadmin_engine::event::Offer::Number(0xa11c_000e);
    scene.recorder.assign(&event, scene.now()).unwrap();
    let given = scene.address("alice", "VPN0-1", "").unwrap();
    let connect = connection(1, "alice").with(|e| {
        e.addresses = vec![number(&given)];
        e.prefix = Some("2001:db8:1:2::/64".into());
    });
    scene.connect(&connect);
    let reader = Reader::open(&scene.ledger()).unwrap();
    let had = |address: &str| reader.who_had(address.parse().unwrap(), None, 10).unwrap().len();
    assert_eq!(["::a11c:e", "2001:db8:1:2::a11c:e", "2001:db8:9:9::a11c:e", "::b"].map(had), [1, 1, 0, 0]);
}

#[test]
fn a_bare_name_means_that_name_in_any_domain() {
    let scene = scene();
    session(&scene, 1, "alice", 1, 0);
    session(&scene, 2, r"PARTNER\Alice", 1, 0);
    session(&scene, 3, "bob", 1, 0);
    let reader = Reader::open(&scene.ledger()).unwrap();
    let found = |typed: &str| {
        let user = UserFilter::typed(typed, &scene.config.domains);
        reader.sessions(&Filter { user, ..Filter::default() }, false).unwrap().len()
    };
    assert_eq!(["alice", "ALICE", r"CORP\alice", r"partner\alice", "bob", "nobody"].map(found), [2, 2, 1, 1, 1, 0]);
    let limit = Filter { limit: Some(2), since: Some(MONDAY), ..Filter::default() };
    let latest = reader.sessions(&limit, false).unwrap();
    assert_eq!(latest.iter().map(|s| s.id).collect::<Vec<_>>(), [3, 2], "the latest first");
    assert_eq!(reader.session("2").unwrap().unwrap().unwrap().id, 2);
    let key = latest[0].acct_session_id.clone();
    for typed in [&key[..], &key[..30], &key[23..]] {
        assert_eq!(reader.session(typed).unwrap().unwrap().map(|s| s.id), Some(3), "{typed}");
    }
    assert!(reader.session(&key[..8]).unwrap().is_err(), "all begin with the same moment");
    assert!(reader.session("%").unwrap().is_err() && reader.session("7").unwrap().unwrap().is_none());
}

#[test]
fn a_part_of_a_key_that_looks_like_a_number_is_still_a_key() {
    let scene = scene();
    session(&scene, 1, "alice", 1, 0);
    let key = "01234567-89ab-7def-8123-438448860192";
    let ledger = rusqlite::Connection::open(scene.ledger()).unwrap();
    ledger.execute("UPDATE sessions SET acct_session_id = ?1", [key]).unwrap();
    let reader = Reader::open(&scene.ledger()).unwrap();
    for typed in ["1", &key[..8], &key[23..], &key[24..]] {
        assert_eq!(reader.session(typed).unwrap().unwrap().map(|s| s.id), Some(1), "{typed}");
    }
    assert!(reader.session("-1").unwrap().is_err());
}
