//! Long lists, a page at a time.

use super::super::support::{MONDAY, Scene};
use super::{reader, scene, visit};
use crate::report::{Filter, KnownUser, UserOrder, UserPlace};

/// Alice twice, bob once and still there, another alice twice and once more, and mallory, who was denied.
fn users() -> Scene {
    let scene = scene();
    visit(&scene, 1, "alice", 60);
    visit(&scene, 2, "alice", 60);
    scene.wait(1);
    scene.begin(3, "bob", "VPN0-3").unwrap();
    scene.wait(60);
    scene.begin(4, "mallory", "VPN0-4").unwrap_err();
    scene.wait(60);
    visit(&scene, 5, r"PARTNER\alice", 60);
    visit(&scene, 6, r"PARTNER\alice", 60);
    scene.begin(7, r"PARTNER\alice", "VPN0-7").unwrap();
    scene.ledger();
    scene
}

/// All pages of some rows, each page in brackets.
fn pages(scene: &Scene, order: UserOrder, part: Option<&str>, limit: u32) -> String {
    let (reader, mut after, mut all) = (reader(scene), None::<UserPlace>, Vec::new());
    loop {
        let page = reader.user_page(order, part, after.as_ref(), limit).unwrap();
        let names: Vec<_> = page.rows.iter().map(|user| format!("{}\\{}", user.domain, user.name)).collect();
        all.push(format!("[{}]", names.join(" ")));
        after = page.next;
        if after.is_none() {
            return all.join("");
        }
    }
}

conformance! {
    user_names_after {
        let scene = users();
        let by_name = |part, limit| pages(&scene, UserOrder::Name, part, limit);
        assert_eq!(by_name(None, 3), r"[CORP\ALICE CORP\BOB CORP\MALLORY][PARTNER\ALICE]");
        assert_eq!(by_name(None, 2), r"[CORP\ALICE CORP\BOB][CORP\MALLORY PARTNER\ALICE]", "the last page is full");
        assert_eq!(by_name(Some("alI"), 1), r"[CORP\ALICE][PARTNER\ALICE]");
        assert_eq!(by_name(Some(r"er\a"), 9), r"[PARTNER\ALICE]");
        assert_eq!(by_name(Some("%"), 9), "[]", "it is not a pattern");
        assert_eq!(by_name(Some("Älic"), 9), r"[CORP\ALICE PARTNER\ALICE]", "as the names are folded");
        let page = reader(&scene).user_page(UserOrder::Name, Some("bob"), None, 9).unwrap();
        let KnownUser { live_sessions, sessions, last_denied, .. } = &page.rows[0];
        assert_eq!((*live_sessions, *sessions, *last_denied), (1, 1, None));
    }

    user_sessions {
        let scene = users();
        let by = |order| pages(&scene, order, None, 2);
        assert_eq!(by(UserOrder::Sessions), r"[PARTNER\ALICE CORP\ALICE][CORP\BOB CORP\MALLORY]");
        // Of two with one live session each, the name decides; the first page ends between equals.
        assert_eq!(pages(&scene, UserOrder::Live, None, 1), r"[CORP\BOB][PARTNER\ALICE][CORP\ALICE][CORP\MALLORY]");
        assert_eq!(by(UserOrder::Last), r"[PARTNER\ALICE CORP\BOB][CORP\ALICE CORP\MALLORY]");
        assert_eq!(by(UserOrder::LastDenied), r"[CORP\MALLORY CORP\ALICE][CORP\BOB PARTNER\ALICE]");
        assert_eq!(pages(&scene, UserOrder::Last, Some("partner"), 2), r"[PARTNER\ALICE]");
        let mut seen = Vec::new();
        let reader = reader(&scene);
        let every = reader.every_user(&mut |done, all| seen.push((done, all))).unwrap();
        assert_eq!(every, reader.users(&Filter::default()).unwrap(), "as the other statement has them");
        assert_eq!(seen, [(0, 6)]);
    }

    users_denied {
        let scene = users();
        let every = reader(&scene).every_user(&mut |_, _| {}).unwrap();
        let mallory = every.iter().find(|user| user.name.as_str() == "MALLORY").unwrap();
        assert_eq!((mallory.last_denied, mallory.sessions, mallory.last), (Some(MONDAY + 181_000), 0, None));
        assert_eq!(every.iter().filter(|user| user.last_denied.is_some()).count(), 1);
    }

    live_leases_after {
        let scene = users();
        let reader = reader(&scene);
        let page = |pool, after| {
            let page = reader.lease_page(pool, after, 1).unwrap();
            (page.rows.iter().map(|lease| lease.user_name.to_string()).collect::<Vec<_>>().join(" "), page.next)
        };
        let (first, next) = page(None, None);
        assert_eq!(first, "bob");
        assert!(next.is_some());
        assert_eq!(page(None, next), (r"PARTNER\alice".to_owned(), None));
        assert_eq!(page(Some("staff"), None).0, "bob");
        assert_eq!(page(Some("other"), None), (String::new(), None));
        assert_eq!(page(None, Some(99)), (String::new(), None), "a lease that was purged");
    }
}
