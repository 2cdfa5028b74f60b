//! Sessions in other orders than that of their begin.

use super::super::support::{MONDAY, Scene, connection};
use super::{reader, scene, visit};
use crate::report::{Filter, SessionKey, SessionSearch, UserFilter};
use rasadmin_engine::Tunnel;

/// Alice for an hour, bob for an hour, then alice of another domain and bob, who are there, and one without a name.
fn five() -> Scene {
    let scene = scene();
    visit(&scene, 1, "alice", 3600);
    visit(&scene, 2, "bob", 3600);
    scene.begin(3, r"PARTNER\alice", "VPN0-3").unwrap();
    scene.wait(60);
    scene.begin(4, "bob", "VPN0-4").unwrap();
    scene.wait(60);
    scene.connect(&connection(5, ""));
    scene.link(5, "VPN0-5", Tunnel::Sstp);
    scene
}

fn all() -> SessionSearch {
    SessionSearch::default()
}

fn of(scene: &Scene, typed: &str) -> SessionSearch {
    SessionSearch {
        filter: Filter { user: UserFilter::typed(typed, &scene.config.domains), ..Filter::default() },
        ..all()
    }
}

fn since(hours: i64) -> SessionSearch {
    SessionSearch { filter: Filter { since: Some(MONDAY + hours * 3_600_000), ..Filter::default() }, ..all() }
}

/// The numbers of the sessions that a search finds.
fn found(scene: &Scene, search: &SessionSearch) -> Vec<i64> {
    let mut ids: Vec<_> = reader(scene).session_keys(search, 9).unwrap().unwrap().iter().map(|key| key.id).collect();
    ids.sort_unstable();
    ids
}

/// The numbers of the sessions of all pages of a list, two on each.
fn pages(search: &SessionSearch, page: impl Fn(&SessionSearch) -> Vec<(i64, i64)>) -> Vec<Vec<i64>> {
    let mut search = search.clone();
    search.filter.limit = Some(2);
    let mut pages = Vec::new();
    loop {
        let rows = page(&search);
        let Some(last) = rows.last() else { return pages };
        search.after = Some(*last);
        pages.push(rows.iter().map(|row| row.1).collect());
    }
}

/// All pages in the order of the users.
fn by_user(scene: &Scene, search: &SessionSearch, back: bool) -> Vec<Vec<i64>> {
    pages(search, |search| {
        let rows = reader(scene).sessions_by_user(search, back).unwrap().unwrap();
        rows.iter().map(|row| (row.acct_start_time, row.id)).collect()
    })
}

conformance! {
    session_keys {
        let scene = five();
        assert_eq!(found(&scene, &all()), [1, 2, 3, 4, 5]);
        assert_eq!((found(&scene, &since(1)), found(&scene, &since(2))), (vec![2, 3, 4, 5], vec![3, 4, 5]));
        assert_eq!(found(&scene, &SessionSearch { tunnel: Some("L2TP".into()), ..all() }), [0; 0]);
        assert_eq!(reader(&scene).session_keys(&all(), 4).unwrap(), None, "they are too many");
        let mut keys = reader(&scene).session_keys(&all(), 5).unwrap().unwrap();
        keys.sort_by_key(|key| key.id);
        let user = Some(("CORP".into(), "ALICE".into()));
        let alice = SessionKey { id: 1, user, start: MONDAY, stop: Some(MONDAY + 3_600_000), ..keys[0].clone() };
        assert_eq!((&keys[0], &keys[0].live), (&alice, &None));
        assert!(keys[0].octets.iter().all(Option::is_some), "{keys:?}");
        let live = reader(&scene).session("3").unwrap().unwrap().unwrap().acct_session_id;
        assert_eq!((&keys[2].live, keys[2].stop, keys[2].octets), (&Some(live), None, [None, None]));
        assert_eq!(keys[4].user, None);
    }

    session_keys_of_user {
        let scene = five();
        assert_eq!(found(&scene, &of(&scene, r"CORP\bob")), [2, 4]);
        let one = SessionSearch { tunnel: Some("L2TP".into()), ..of(&scene, r"CORP\bob") };
        assert_eq!(found(&scene, &one), [0; 0]);
        assert_eq!(reader(&scene).session_keys(&of(&scene, r"CORP\bob"), 1).unwrap(), None);
    }

    session_keys_of_name {
        let scene = five();
        assert_eq!(found(&scene, &of(&scene, "alice")), [1, 3]);
        assert_eq!(found(&scene, &of(&scene, "zoe")), [0; 0]);
    }

    live_keys {
        let scene = five();
        let live = SessionSearch { live: true, ..all() };
        assert_eq!(found(&scene, &live), [3, 4, 5]);
        assert_eq!(found(&scene, &SessionSearch { live: true, ..of(&scene, "bob") }), [4]);
        assert_eq!(reader(&scene).session_keys(&live, 2).unwrap(), None);
    }

    sessions_from_oldest {
        let scene = five();
        let oldest = |search: &SessionSearch| {
            pages(search, |search| {
                let rows = reader(&scene).sessions_from_oldest(search).unwrap();
                rows.iter().map(|row| (row.acct_start_time, row.id)).collect()
            })
        };
        assert_eq!(oldest(&all()), [vec![1, 2], vec![3, 4], vec![5]]);
        assert_eq!(oldest(&since(1)), [[2, 3], [4, 5]]);
        assert_eq!(oldest(&SessionSearch { after: Some((0, 9)), ..since(2) }), [vec![3, 4], vec![5]], "a place before it");
        assert_eq!(oldest(&of(&scene, "bob")), [[2, 4]]);
        let until = Filter { until: Some(MONDAY + 1), ..Filter::default() };
        assert_eq!(oldest(&SessionSearch { filter: until, ..all() }), [[1]]);
    }

    sessions_by_user {
        let scene = five();
        assert_eq!(by_user(&scene, &all(), false), [vec![1, 2], vec![4, 3], vec![5]]);
        assert_eq!(by_user(&scene, &since(1), false), [vec![2, 4], vec![3, 5]]);
        assert_eq!(by_user(&scene, &of(&scene, "alice"), false), [[1, 3]]);
        let lost = SessionSearch { after: Some((MONDAY, 99)), ..all() };
        assert_eq!(reader(&scene).sessions_by_user(&lost, false).unwrap(), None);
    }

    sessions_by_user_back {
        let scene = five();
        assert_eq!(by_user(&scene, &all(), true), [vec![3, 4], vec![2, 1], vec![5]]);
        assert_eq!(by_user(&scene, &of(&scene, r"CORP\bob"), true), [[4, 2]]);
    }

    sessions_without_user {
        let scene = five();
        scene.wait(60);
        scene.connect(&connection(6, ""));
        scene.link(6, "VPN0-6", Tunnel::Sstp);
        assert_eq!(by_user(&scene, &since(2), false), [[4, 3], [6, 5]]);
        assert_eq!(by_user(&scene, &since(2), true), [[3, 4], [6, 5]]);
    }
}
