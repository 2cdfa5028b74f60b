//! Leases.

use super::super::support::{MONDAY, Scene, With, connection, number};
use super::{OPEN, ended_after_the_checkpoint, expire, import, imported, reader, scene, visit};
use crate::imported::{ImportedSession, NO_END};
use crate::report::{Filter, SessionSearch, UserFilter};
use rasadmin_engine::effect::Effect;
use rasadmin_engine::{Id, Name};

/// A connection with an IPv6 address and the prefix that RRAS gave.
fn ipv6() -> Scene {
    let scene = scene();
    let mut event = super::super::support::address("alice", "VPN0-1", "");
    event.family = rasadmin_engine::addresses::Family::Ipv6;
    event.offer = rasadmin_engine::event::Offer::Number(0xa11c_000e);
    scene.recorder.assign(&event, scene.now()).unwrap();
    let given = scene.address("alice", "VPN0-1", "").unwrap();
    scene.connect(&connection(1, "alice").with(|e| {
        e.addresses = vec![number(&given)];
        e.prefix = Some("2001:db8:1:2::/64".into());
    }));
    scene
}

conformance! {
    lease_began {
        let scene = scene();
        scene.address("alice", "VPN0-1", "").unwrap();
        assert_eq!(
            scene.ask(
                "SELECT server, family, number, address, domain, name, user_name, port, session, origin, pool, began, ended,
                     decision FROM leases"
            ),
            format!("VPN1 4 {} 10.8.0.1 CORP ALICE alice VPN0-1 - pool staff {MONDAY} - 1", number("10.8.0.1").number)
        );
    }

    lease_taken {
        let scene = scene();
        scene.address("alice", "VPN0-1", "").unwrap();
        scene.wait(5);
        let given = vec![number("10.8.0.1")];
        // The address call's bare name counted as another domain's user.
        scene.connect(&connection(1, r"PARTNER\alice").with(|e| e.addresses = given));
        assert_eq!(
            scene.ask("SELECT domain, name, user_name, session, accepted FROM leases"),
            format!("PARTNER ALICE alice 1 {}", MONDAY + 5_000)
        );
    }

    session_addressed {
        assert_eq!(
            ipv6().ask("SELECT framed_ip_address, framed_interface_id, framed_ipv6_prefix FROM sessions"),
            "10.8.0.1 ::a11c:e 2001:db8:1:2::/64"
        );
    }

    lease_waits {
        let scene = scene();
        scene.begin(1, "alice", "VPN0-1").unwrap();
        assert_eq!(scene.ask("SELECT session, accepted IS NOT NULL FROM leases"), "1 1");
        // As if it had turned out that the session never had it.
        let lease = scene.present().leases().next().unwrap().id;
        let mut record = scene.records().pop().unwrap();
        (record.id, record.effects) = (Id(7), vec![Effect::LeaseWaits { lease, until: None }]);
        scene.append_bytes(&serde_json::to_vec(&record).unwrap());
        assert_eq!(scene.ask("SELECT session, accepted, ended FROM leases"), "- - -");
    }

    lease_ended {
        let scene = scene();
        visit(&scene, 1, "alice", 60);
        scene.address("bob", "VPN0-2", "").unwrap();
        scene.wait(-7200);
        scene.release("bob", "VPN0-2", "10.8.0.2");
        assert_eq!(
            scene.ask("SELECT name, ended_by, ended - began FROM leases ORDER BY id"),
            "ALICE release 60000; BOB release 0",
            "none ends before it begins"
        );
    }

    leases_left_ended {
        let mut scene = scene();
        scene.address("alice", "VPN0-1", "").unwrap();
        scene.wait(60);
        scene.restart();
        scene.address("bob", "VPN0-1", "").unwrap();
        assert_eq!(scene.ask("SELECT ended_by FROM leases ORDER BY id"), "instance ended; -");
    }

    lease_has_ended {
        let scene = ended_after_the_checkpoint();
        // The checkpoint has it live, and the record of its end is gone: the ledger knows better.
        assert_eq!(scene.ask("SELECT ended_by FROM leases WHERE name = 'ALICE'"), "release");
    }

    live_lease_keys {
        let scene = scene();
        scene.begin(1, "alice", "VPN0-1").unwrap();
        scene.ingest();
        for handle in 2..50 {
            visit(&scene, handle, &format!("u{}", handle % 5), 60);
        }
        scene.end(1, "alice", "VPN0-1", "10.8.0.1");
        expire(&scene);
        assert_eq!(scene.ask("SELECT ended_by FROM leases WHERE name = 'ALICE'"), "end not in the journal");
        assert_eq!(reader(&scene).differences(&scene.present()).unwrap(), [""; 0]);
    }

    leases_of_session {
        let scene = scene();
        let address = scene.begin(1, "alice", "VPN0-1").unwrap();
        scene.begin(2, "bob", "VPN0-2").unwrap();
        scene.ingest();
        let of = |session| reader(&scene).leases_of(session).unwrap();
        assert_eq!(of(1).into_iter().map(|lease| (lease.address, lease.session)).collect::<Vec<_>>(), [(address, Some(1))]);
        assert_eq!(of(9), []);
    }

    live_leases {
        let scene = Scene::new(&format!(
            "{OPEN}\n[pools.boss]\naddresses = [\"10.9.0.1\"]\n[groups.boss]\nusers = [\"zoe\"]\npool = \"boss\"\n"
        ));
        visit(&scene, 1, "alice", 60);
        scene.begin(2, "zoe", "VPN0-2").unwrap();
        scene.begin(3, r"PARTNER\bob", "VPN0-3").unwrap();
        let reader = reader(&scene);
        let held = |filter: &Filter, pool| -> Vec<String> {
            reader.live_leases(filter, pool).unwrap().into_iter().map(|held| held.address).collect()
        };
        let all = Filter::default();
        assert_eq!(held(&all, None), ["10.8.0.2", "10.9.0.1"], "by address");
        assert_eq!(held(&all, Some("boss")), ["10.9.0.1"]);
        let of = |typed: &str| Filter { user: UserFilter::typed(typed, &scene.config.domains), ..Filter::default() };
        assert_eq!(held(&of("BOB"), None), ["10.8.0.2"]);
        assert_eq!(held(&of(r"CORP\bob"), None), [""; 0]);
        let on = |server: &str| Filter { server: Some(Name::new(server)), ..Filter::default() };
        assert_eq!((held(&on("vpn1"), None).len(), held(&on("VPN2"), None).len()), (2, 0));
        let since = |time| Filter { since: Some(time), ..Filter::default() };
        assert_eq!((held(&since(MONDAY + 60_000), None).len(), held(&since(MONDAY + 60_001), None).len()), (2, 0));
        assert_eq!(held(&Filter { until: Some(MONDAY + 60_000), ..Filter::default() }, None), [""; 0]);
    }

    who_had {
        let scene = ipv6();
        import(&scene, &[imported("a", "bob", MONDAY - 7_200_000, MONDAY - 3_600_000)]);
        let reader = reader(&scene);
        let had = |address: &str, at: Option<i64>, limit| -> Vec<String> {
            let held = reader.who_had(address.parse().unwrap(), at, limit).unwrap();
            held.into_iter().map(|held| held.user_name.to_string()).collect()
        };
        assert_eq!(had("10.8.0.1", None, 9), ["alice", "bob"], "the latest first");
        assert_eq!(had("10.8.0.1", None, 1), ["alice"]);
        assert_eq!(had("10.8.0.1", Some(MONDAY), 9), ["alice"]);
        assert_eq!(had("10.8.0.1", Some(MONDAY - 7_200_000), 9), ["bob"]);
        assert_eq!(had("10.8.0.1", Some(MONDAY - 3_600_000), 9), [""; 0], "its end is not in it");
        assert_eq!(["::a11c:e", "2001:db8:1:2::a11c:e", "2001:db8:9:9::a11c:e"].map(|a| had(a, None, 9).len()), [1, 1, 0]);
        // A search for sessions finds it too, however it is written.
        let searched = |typed: &str| {
            let search = SessionSearch { address: Some(typed.into()), ..SessionSearch::default() };
            reader.search_sessions(&search).unwrap().len()
        };
        let spellings = ["::a11c:e", "2001:db8:1:2::a11c:e", "2001:DB8:1:2:0:0:a11c:e", "2001:db8:9:9::a11c:e", "::a11c:f"];
        assert_eq!(spellings.map(searched), [1, 1, 1, 0, 0]);
        // An end that is not known: until the log, the ledger or a restart shows that it is over.
        let hour = 3_600_000;
        let unended = |key, user, start| ImportedSession {
            closed_by: NO_END,
            estimated: true,
            ..imported(key, user, start, start)
        };
        let elsewhere = ImportedSession {
            server: "VPN2".into(),
            address: Some([10, 8, 0, 9].into()),
            ..unended("d", "erin", MONDAY - hour)
        };
        import(&scene, &[
            unended("b", "carol", MONDAY - 20 * hour),
            unended("c", "dave", MONDAY - 10 * hour),
            elsewhere,
        ]);
        assert_eq!(had("10.8.0.1", Some(MONDAY - 15 * hour), 9), ["carol"]);
        assert_eq!(had("10.8.0.1", Some(MONDAY - 9 * hour), 9), ["dave"], "dave has it now");
        assert_eq!(had("10.8.0.1", Some(MONDAY - 2 * hour), 9), ["bob"], "bob has it now");
        assert_eq!(had("10.8.0.1", Some(MONDAY), 9), ["alice"]);
        assert_eq!(had("10.8.0.9", Some(MONDAY + 1000 * hour), 9), ["erin"], "that server was never seen again");
        let erin = reader.who_had("10.8.0.9".parse().unwrap(), None, 9).unwrap().remove(0);
        assert_eq!((erin.ended, erin.last_seen, erin.ended_by.as_deref()), (None, Some(MONDAY - hour), Some(NO_END)));
        // An end that is only an estimate: the same shows that it came before.
        let estimated = |key, user, start, stop| ImportedSession {
            server: "VPN3".into(),
            address: Some([10, 5, 4, 1].into()),
            closed_by: "instance ended",
            estimated: true,
            ..imported(key, user, start, stop)
        };
        let known = ImportedSession {
            closed_by: "hangup",
            estimated: false,
            ..estimated("f", "k3", MONDAY + 4 * hour, MONDAY + 5 * hour)
        };
        import(&scene, &[estimated("e", "k1", MONDAY, MONDAY + 8 * hour), known]);
        assert_eq!([3, 4, 6].map(|at| had("10.5.4.1", Some(MONDAY + at * hour), 9)), [vec!["k1"], vec!["k3"], vec![]]);
        let ends = |held: Vec<crate::report::LeaseRow>| held.into_iter().map(|held| held.ended).collect::<Vec<_>>();
        let held = reader.who_had("10.5.4.1".parse().unwrap(), None, 9).unwrap();
        assert_eq!(ends(held), [Some(MONDAY + 5 * hour), Some(MONDAY + 4 * hour)]);
        // Without another one, the estimate is the end.
        let alone = ImportedSession { address: Some([10, 5, 4, 2].into()), ..estimated("g", "k2", MONDAY, MONDAY + hour) };
        import(&scene, &[alone]);
        assert_eq!(had("10.5.4.2", Some(MONDAY + hour - 1), 9), ["k2"]);
        assert_eq!(had("10.5.4.2", Some(MONDAY + hour), 9), [""; 0]);
    }

    pool_use {
        let scene = scene();
        visit(&scene, 1, "alice", 60);
        scene.begin(2, "bob", "VPN0-2").unwrap();
        scene.begin(3, "carol", "VPN0-3").unwrap();
        assert_eq!(reader(&scene).pool_use().unwrap(), [(Name::new("VPN1"), "staff".to_owned(), 4, 2)]);
    }

    given {
        let scene = Scene::new(&format!("{OPEN}\n[[reservations]]\nuser = 'CORP\\zoe'\naddress = \"10.8.0.3\"\n"));
        visit(&scene, 1, "alice", 60);
        visit(&scene, 2, "alice", 60);
        visit(&scene, 3, "zoe", 60);
        let row = |given: crate::report::LeaseTotals| (given.from, given.family, given.leases, given.addresses, given.sticky);
        let given: Vec<_> = reader(&scene).lease_totals(0).unwrap().into_iter().map(row).collect();
        assert_eq!(given, [("staff".to_owned(), 4, 2, 1, 1), ("reservations".to_owned(), 4, 1, 1, 0)]);
        assert_eq!(reader(&scene).lease_totals(2).unwrap().len(), 1, "after the second");
    }
}
