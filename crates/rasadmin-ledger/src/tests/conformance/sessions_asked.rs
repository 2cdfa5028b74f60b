//! Questions about sessions, and about the users who had them.

use super::super::support::{MONDAY, Scene, With, connection};
use super::sessions::{HOUR, decide, four, of};
use super::{OPEN, import, import_refusals, imported, reader, refusal, scene, upkeep, visit};
use crate::imported::ImportedSession;
use crate::report::{ExportFilter, Filter, GroupBy, SessionSearch};
use rasadmin_engine::effect::{Disconnecting, Enforcement};
use rasadmin_engine::{Name, Tunnel};

fn found(scene: &Scene, filter: &Filter, live: bool) -> Vec<i64> {
    reader(scene).sessions(filter, live).unwrap().into_iter().map(|session| session.id).collect()
}

fn on(server: &str) -> Filter {
    Filter { server: Some(Name::new(server)), ..Filter::default() }
}

fn since(time: i64) -> Filter {
    Filter { since: Some(time), ..Filter::default() }
}

fn until(time: i64) -> Filter {
    Filter { until: Some(time), ..Filter::default() }
}

/// The numbers of the sessions of a search.
fn searched(scene: &Scene, search: &SessionSearch) -> Vec<i64> {
    reader(scene).search_sessions(search).unwrap().into_iter().map(|session| session.id).collect()
}

/// The same, two at a time.
fn in_pages(scene: &Scene, search: SessionSearch) -> Vec<Vec<i64>> {
    let mut search = SessionSearch { filter: Filter { limit: Some(2), ..search.filter }, ..search };
    let mut pages = Vec::new();
    loop {
        let page = reader(scene).search_sessions(&search).unwrap();
        let Some(last) = page.last() else { return pages };
        search.after = Some((last.acct_start_time, last.id));
        pages.push(page.iter().map(|session| session.id).collect());
    }
}

fn known(scene: &Scene, filter: &Filter) -> Vec<(String, u64, u64, Option<i64>, bool)> {
    let users = reader(scene).users(filter).unwrap().into_iter();
    let row = |user: crate::report::KnownUser| {
        let name = format!("{}\\{}", user.domain, user.name);
        (name, user.live_sessions, user.sessions, user.first, user.last_denied.is_some())
    };
    users.map(row).collect()
}

conformance! {
    session_page {
        let scene = four();
        // In the same millisecond.
        for handle in 5..=7 {
            scene.connect(&connection(handle, "carol").with(|e| e.computer = "LAPTOP-7".into()));
            scene.link(handle, &format!("VPN0-{handle}"), Tunnel::Ikev2);
        }
        assert_eq!(in_pages(&scene, SessionSearch::default()), [[7, 6], [5, 4], [3, 2]].map(Vec::from).into_iter().chain([vec![1]]).collect::<Vec<_>>());
        let tunnel = SessionSearch { tunnel: Some("IKEv2".into()), ..SessionSearch::default() };
        assert_eq!(searched(&scene, &tunnel), [7, 6, 5]);
        let computer = SessionSearch { computer: Some("laptop-7".into()), ..SessionSearch::default() };
        assert_eq!(in_pages(&scene, computer), [vec![7, 6], vec![5]]);
        let address = |address: &str| SessionSearch { address: Some(address.into()), ..SessionSearch::default() };
        assert_eq!(searched(&scene, &address("203.0.113.9")).len(), 7, "the public one");
        let given = scene.ask("SELECT framed_ip_address FROM sessions WHERE id = 4");
        assert!(searched(&scene, &address(&given)).contains(&4), "the one on the tunnel: {given}");
        let named = |name: &str| SessionSearch { name: Some(name.into()), ..SessionSearch::default() };
        assert_eq!(searched(&scene, &named("laptop-7")), [7, 6, 5], "the computer");
        assert_eq!(searched(&scene, &named("Carol")), [7, 6, 5], "the user");
        assert_eq!(searched(&scene, &named("bob")), [4, 2]);
        let period = Filter { since: Some(MONDAY + 1), until: Some(MONDAY + 2 * HOUR), ..Filter::default() };
        assert_eq!(searched(&scene, &SessionSearch { filter: period, ..SessionSearch::default() }), [2]);
        let early = "name = \"Early\"\naction = \"allow\"\nusers = [\"alice\"]\n";
        let scene = Scene::new(&format!("{OPEN}\n[[rules]]\n{early}"));
        visit(&scene, 1, "alice", 60);
        visit(&scene, 2, "bob", 60);
        let by = |rule: &str| SessionSearch { rule: Some(rule.into()), ..SessionSearch::default() };
        assert_eq!(searched(&scene, &by("early")), [1], "in lower case");
        assert_eq!(searched(&scene, &by("Not Mallory")), [0; 0]);
    }

    session_page_of_user {
        let scene = four();
        let alice = SessionSearch { filter: of(&scene, r"CORP\alice"), ..SessionSearch::default() };
        assert_eq!(searched(&scene, &alice), [1]);
        let bob = || SessionSearch { filter: of(&scene, r"CORP\bob"), ..SessionSearch::default() };
        assert_eq!(searched(&scene, &bob()), [4, 2]);
        let after = reader(&scene).session("4").unwrap().unwrap().unwrap();
        assert_eq!(searched(&scene, &SessionSearch { after: Some((after.acct_start_time, 4)), ..bob() }), [2]);
        assert_eq!(searched(&scene, &SessionSearch { tunnel: Some("L2TP".into()), ..bob() }), [0; 0]);
    }

    session_page_of_name {
        let scene = four();
        let alice = || SessionSearch { filter: of(&scene, "alice"), ..SessionSearch::default() };
        assert_eq!(searched(&scene, &alice()), [3, 1], "of two domains");
        assert_eq!(searched(&scene, &SessionSearch { filter: of(&scene, "zoe"), ..SessionSearch::default() }), [0; 0]);
        let after = reader(&scene).session("3").unwrap().unwrap().unwrap();
        assert_eq!(searched(&scene, &SessionSearch { after: Some((after.acct_start_time, 3)), ..alice() }), [1]);
        assert_eq!(searched(&scene, &SessionSearch { tunnel: Some("L2TP".into()), ..alice() }), [0; 0]);
    }

    live_session_page {
        let scene = four();
        let live = || SessionSearch { live: true, ..SessionSearch::default() };
        assert_eq!(searched(&scene, &live()), [4, 3]);
        let after = reader(&scene).session("4").unwrap().unwrap().unwrap();
        assert_eq!(searched(&scene, &SessionSearch { after: Some((after.acct_start_time, 4)), ..live() }), [3]);
        assert_eq!(searched(&scene, &SessionSearch { filter: of(&scene, "bob"), ..live() }), [4]);
        assert_eq!(searched(&scene, &SessionSearch { computer: Some("nobody".into()), ..live() }), [0; 0]);
    }

    disconnects {
        let scene = four();
        for handle in [3, 4] {
            decide(&scene, handle, Disconnecting::Asked { reason: None }, Enforcement::Enforced, None);
            scene.wait(60);
        }
        let now = scene.now().at.time;
        let found = |filter| {
            let rows = reader(&scene).disconnects(&filter).unwrap();
            rows.into_iter().map(|session| session.id).collect::<Vec<i64>>()
        };
        assert_eq!(found(Filter::default()), [4, 3]);
        assert_eq!(found(Filter { limit: Some(1), ..Filter::default() }), [4]);
        assert_eq!((found(since(now - 61_000)), found(until(now - 61_000))), (vec![4], vec![3]));
        assert_eq!((found(of(&scene, "bob")), found(on("vpn1")).len(), found(on("other")).len()), (vec![4], 2, 0));
    }

    sessions {
        let scene = four();
        assert_eq!(found(&scene, &Filter::default(), false), [4, 3, 2, 1], "the latest first");
        assert_eq!(found(&scene, &Filter { limit: Some(2), ..Filter::default() }, false), [4, 3]);
        assert_eq!(found(&scene, &of(&scene, "Alice"), false), [3, 1], "of any domain");
        assert_eq!(found(&scene, &on("vpn1"), false).len(), 4, "in any case");
        assert_eq!(found(&scene, &on("VPN2"), false), [0; 0]);
        assert_eq!(found(&scene, &since(MONDAY + HOUR), false), [4, 3, 2]);
        assert_eq!(found(&scene, &until(MONDAY + HOUR), false), [1]);
        // What the ledger itself covers counts once: the servers' names are compared in any case.
        let elsewhere = ImportedSession { server: "vpn2".into(), ..imported("a", "zoe", MONDAY + 1, MONDAY + 2) };
        let here = ImportedSession { server: "vpn1".into(), ..imported("b", "zoe", MONDAY + 1, MONDAY + 2) };
        import(&scene, &[elsewhere, here]);
        assert_eq!(found(&scene, &of(&scene, "zoe"), false), [5]);
    }

    sessions_of_user {
        let scene = four();
        assert_eq!(found(&scene, &of(&scene, r"corp\bob"), false), [4, 2]);
        assert_eq!(found(&scene, &Filter { limit: Some(1), ..of(&scene, r"corp\bob") }, false), [4]);
        assert_eq!(found(&scene, &of(&scene, r"PARTNER\alice"), false), [3]);
        assert_eq!(found(&scene, &Filter { since: Some(MONDAY + 2 * HOUR), ..of(&scene, r"corp\bob") }, false), [4]);
        assert_eq!(found(&scene, &Filter { until: Some(MONDAY + 2 * HOUR), ..of(&scene, r"corp\bob") }, false), [2]);
        assert_eq!(found(&scene, &Filter { server: Some("vpn2".into()), ..of(&scene, r"corp\bob") }, false), [0; 0]);
    }

    live_sessions {
        let scene = four();
        assert_eq!(found(&scene, &Filter::default(), true), [4, 3], "the latest first");
        assert_eq!(found(&scene, &Filter { limit: Some(1), ..Filter::default() }, true), [4]);
        assert_eq!(found(&scene, &of(&scene, "alice"), true), [3]);
        assert_eq!(found(&scene, &of(&scene, r"CORP\alice"), true), [0; 0]);
        assert_eq!((found(&scene, &on("vpn1"), true).len(), found(&scene, &on("VPN2"), true).len()), (2, 0));
        assert_eq!(found(&scene, &since(MONDAY + 2 * HOUR + 1), true), [4]);
        assert_eq!(found(&scene, &until(MONDAY + 2 * HOUR + 1), true), [3]);
        let live = reader(&scene).sessions(&of(&scene, "bob"), true).unwrap().remove(0);
        assert_eq!((live.live_links, live.framed_ip_address.as_deref()), (1, Some("10.8.0.2")));
    }

    session {
        let scene = four();
        let reader = reader(&scene);
        let bob = reader.session("2").unwrap().unwrap().unwrap();
        assert_eq!((bob.user_name, bob.acct_session_time), (Name::new("bob"), Some(3600)));
        assert_eq!(reader.session("99").unwrap(), Ok(None));
    }

    sessions_with_key {
        let scene = four();
        let reader = reader(&scene);
        let key = reader.session("4").unwrap().unwrap().unwrap().acct_session_id;
        for typed in [&key[..], &key[..30], &key[23..], &key.to_uppercase()] {
            assert_eq!(reader.session(typed).unwrap().unwrap().map(|session| session.id), Some(4), "{typed}");
        }
        assert_eq!(reader.session("ffffffff").unwrap(), Ok(None));
        assert_eq!(reader.session(&format!("{key}0")).unwrap(), Ok(None));
        let both = scene.begin(5, "carol", "VPN0-5").unwrap();
        assert!(!both.is_empty());
        let reader = super::reader(&scene);
        assert!(reader.session(&key[..8]).unwrap().is_err(), "two begin with this moment");
    }

    sessions_in_period {
        let scene = scene();
        visit(&scene, 1, "alice", 60);
        scene.begin(2, "bob", "VPN0-2").unwrap();
        let mut found = Vec::new();
        reader(&scene).each_session_in(MONDAY, MONDAY + 1, &mut |session| found.push(session)).unwrap();
        let expected = reader(&scene).session("1").unwrap().unwrap().unwrap();
        assert_eq!(found, [expected]);
    }

    summed_in_period {
        let scene = scene();
        visit(&scene, 1, "alice", 40 * 86_400);
        scene.begin(2, "bob", "VPN0-2").unwrap();
        scene.wait(40 * 86_400);
        visit(&scene, 3, "carol", 60);
        let day = 86_400_000;
        let connected = |from, to| {
            let rows = reader(&scene).totals(GroupBy::User, from, to, scene.now().at.time, &scene.config, &scene.config.zone).unwrap();
            rows.into_iter().filter_map(|row| row.key).collect::<Vec<_>>()
        };
        let (alice, bob, carol) = (r"CORP\ALICE", r"CORP\BOB", r"CORP\CAROL");
        assert_eq!(connected(MONDAY, MONDAY + 1), [alice], "it began in it");
        assert_eq!(connected(MONDAY + 20 * day, MONDAY + 21 * day), [alice], "it is long");
        assert_eq!(connected(MONDAY + 60 * day, MONDAY + 61 * day), [bob], "it lives");
        assert_eq!(connected(MONDAY + 80 * day, MONDAY + 81 * day), [bob, carol]);
        assert_eq!(connected(MONDAY - day, MONDAY), [""; 0], "its end is not in it");
        let mut found = Vec::new();
        reader(&scene).each_summed_in(MONDAY, MONDAY + 1, &mut |_, _| {}, &mut |session| found.push(session)).unwrap();
        let alice = reader(&scene).session("1").unwrap().unwrap().unwrap();
        let [found] = &found[..] else { panic!("{found:?}") };
        assert_eq!((found.id, found.user(), &found.tunnel_type), (1, alice.user(), &alice.tunnel_type));
        assert_eq!((found.acct_start_time, found.acct_stop_time), (alice.acct_start_time, alice.acct_stop_time));
        assert_eq!((found.acct_session_time, found.acct_input_octets), (alice.acct_session_time, alice.acct_input_octets));
    }

    begun_in_period {
        let scene = scene();
        for handle in 1..=3 {
            visit(&scene, handle, "alice", 60);
        }
        let counts = |from| {
            let mut counts = Vec::new();
            reader(&scene).each_summed_in(from, MONDAY + 60_001, &mut |done, all| counts.push((done, all)), &mut |_| {}).unwrap();
            counts
        };
        assert_eq!((counts(MONDAY), counts(MONDAY + 86_400_001)), (vec![(0, 2)], vec![(0, 1)]));
    }

    attempts_in_period {
        let scene = scene();
        visit(&scene, 1, "alice", 40 * 86_400);
        scene.begin(2, "bob", "VPN0-2").unwrap();
        scene.wait(40 * 86_400);
        visit(&scene, 3, "carol", 60);
        let day = 86_400_000;
        import_refusals(&scene, &[refusal("a", "dave", MONDAY), refusal("b", "dave", MONDAY + 20 * day)]);
        let reader = reader(&scene);
        let found = |from, to| {
            let mut read = 0;
            reader.each_session_in(from, to, &mut |_| read += 1).unwrap();
            reader.each_denial_in(from, to, &mut |_| read += 1).unwrap();
            assert_eq!(reader.attempts_in(from, to).unwrap(), read);
            read
        };
        assert_eq!(found(MONDAY, MONDAY + 1), 2, "alice and dave");
        assert_eq!(found(MONDAY + 20 * day, MONDAY + 21 * day), 2, "alice and dave");
        assert_eq!(found(MONDAY + 60 * day, MONDAY + 61 * day), 1, "bob lives");
        assert_eq!(found(i64::MIN / 2, i64::MAX / 2), 5);
        assert_eq!(found(MONDAY - day, MONDAY), 0, "its end is not in it");
    }

    sessions_after {
        let scene = scene();
        let many: Vec<_> = (0..2_100).map(|n| imported(&format!("k{n}"), "alice", MONDAY + n % 3, MONDAY + 9)).collect();
        import(&scene, &many);
        let reader = reader(&scene);
        let read = |wanted| reader.pages(wanted).unwrap().map(Result::unwrap).collect::<Vec<_>>();
        let all = read(ExportFilter::default());
        assert!(all.len() == 2_100 && all.is_sorted_by_key(|one| (one.acct_start_time, one.id)), "{}", all.len());
        let wanted = ExportFilter { since: Some(MONDAY + 1), until: Some(MONDAY + 2), ..ExportFilter::default() };
        assert_eq!(read(wanted).len(), 700);
    }

    last_session {
        let scene = four();
        assert_eq!(reader(&scene).pages(ExportFilter::default()).unwrap().at_most(), 4);
    }

    session_number {
        let scene = four();
        let session = scene.present().live().find(|session| session.handle == 4).unwrap().id;
        assert_eq!(upkeep(&scene).row_of(session).unwrap(), Some(4));
        assert_eq!(upkeep(&scene).row_of(rasadmin_engine::Id(7)).unwrap(), None);
    }

    session_key {
        let scene = four();
        let session = scene.present().live().find(|session| session.handle == 4).unwrap().id;
        assert_eq!(upkeep(&scene).id_of(4).unwrap(), Some(session));
        assert_eq!(upkeep(&scene).id_of(99).unwrap(), None);
    }

    known_users {
        let scene = four();
        scene.begin(9, "mallory", "VPN0-9").unwrap_err();
        let (alice, bob) = ((r"CORP\ALICE".to_owned(), 0, 1, Some(MONDAY), false), r"CORP\BOB".to_owned());
        let mallory = (r"CORP\MALLORY".to_owned(), 0, 0, None, true);
        let other = (r"PARTNER\ALICE".to_owned(), 1, 1, Some(MONDAY + 2 * HOUR), false);
        let all = [alice.clone(), (bob.clone(), 1, 2, Some(MONDAY + HOUR), false), mallory.clone(), other.clone()];
        assert_eq!(known(&scene, &Filter::default()), all, "by name");
        assert_eq!(known(&scene, &of(&scene, "alice")), [alice.clone(), other.clone()]);
        assert_eq!((known(&scene, &on("vpn1")).len(), known(&scene, &on("vpn2")).len()), (4, 0));
        assert_eq!(known(&scene, &until(MONDAY + 1)), [alice]);
        let later = [(bob, 1, 1, Some(MONDAY + 2 * HOUR + 60_000), false), mallory, other];
        assert_eq!(known(&scene, &since(MONDAY + 2 * HOUR)), later);
    }

    known_user {
        let scene = four();
        scene.begin(9, "mallory", "VPN0-9").unwrap_err();
        // The link never comes: vera was accepted, and had no session.
        scene.connect(&connection(10, "vera"));
        scene.wait(70);
        scene.address("carol", "VPN0-3", "").unwrap();
        assert_eq!(known(&scene, &of(&scene, r"CORP\vera")), [(r"CORP\VERA".to_owned(), 0, 0, None, false)]);
        assert_eq!(
            known(&scene, &of(&scene, r"CORP\bob")),
            [(r"CORP\BOB".to_owned(), 1, 2, Some(MONDAY + HOUR), false)]
        );
        assert_eq!(known(&scene, &of(&scene, r"CORP\mallory")).len(), 1);
        assert_eq!(known(&scene, &of(&scene, r"PARTNER\bob")), []);
        assert_eq!(known(&scene, &Filter { until: Some(MONDAY + HOUR), ..of(&scene, r"CORP\bob") }), []);
    }
}
