//! Retention: what is too old is deleted, a few rows at a time.

use super::super::support::imported::{import, import_refusals, imported, refusal};
use super::super::support::{MONDAY, Scene, connection};
use super::octets::{id, sample};
use super::{scene, upkeep, visit};
use crate::{Expiry, ForgetCounts, Keep};

const DAY: i64 = 86_400;

/// A hundred days ago: vera connected, and still is; visits of alice and bob; a denial; an anomaly; an imported session
/// and an imported refusal. Then one of each again, today.
fn hundred_days() -> Scene {
    let scene = scene();
    let both = |handle: u64| {
        scene.recorder.hangup(&connection(77, "carol"), scene.now());
        visit(&scene, handle, "alice", 60);
        visit(&scene, handle + 1, "bob", 60);
        scene.begin(handle + 2, "mallory", "VPN0-99").unwrap_err();
        let (key, now) = (format!("key {handle}"), scene.now().at.time);
        import(&scene, &[imported(&key, "erin", now, now + 1_000)]);
        import_refusals(&scene, &[refusal(&key, "mallory", now)]);
    };
    scene.begin(1, "vera", "VPN0-1").unwrap();
    both(2);
    scene.wait(100 * DAY);
    both(12);
    scene
}

/// Keeps decisions and sessions for so many days. The use of the last week stays in any case.
fn keep(scene: &Scene, decisions: Option<i64>, sessions: Option<i64>) -> ForgetCounts {
    scene.ingest();
    let now = scene.now().at.time;
    let before = |days: i64| now - days * DAY * 1000;
    let first_day = rasadmin_policy::timestamp(before(7)).to_string()[..10].to_owned();
    let keep = Keep { decisions: decisions.map(before), sessions: sessions.map(before), first_day };
    let (mut expiry, mut upkeep) = (Expiry::new(keep), upkeep(scene));
    while upkeep.expire_some(&mut expiry).unwrap() {}
    assert!(!upkeep.expire_some(&mut expiry).unwrap(), "it is done");
    expiry.counts()
}

/// What is left of decisions and sessions of 30 days.
fn left(sql: &str) -> String {
    let scene = hundred_days();
    keep(&scene, Some(30), Some(30));
    scene.ask(sql)
}

conformance! {
    decisions_of_kept_leases {
        // That which gave vera her address, which she still has.
        let sql = "SELECT stage FROM decisions WHERE user_name = 'vera' ORDER BY id";
        let scene = hundred_days();
        let before = scene.ask(sql);
        assert!(before.starts_with("ipv4-address"), "{before}");
        keep(&scene, Some(30), None);
        assert_eq!(scene.ask(sql), before);
    }

    expired_decisions {
        let scene = hundred_days();
        let of = "SELECT count(*) FROM decisions WHERE imported IS NULL AND user_name";
        let alice = |scene: &Scene| scene.ask(&format!("{of} = 'alice'"));
        let before: u64 = alice(&scene).parse().unwrap();
        let deleted = keep(&scene, Some(30), None);
        assert_eq!(alice(&scene), (before / 2).to_string());
        assert_eq!(scene.ask(&format!("{of} = 'mallory'")), "1");
        assert_eq!((deleted.sessions, deleted.leases, deleted.usage_days), (0, 0, 0));
        // Sessions that ended later keep theirs.
        let old = scene.ask("SELECT count(*) FROM decisions d JOIN sessions s ON s.id = d.session WHERE s.name = 'VERA'");
        assert_ne!(old, "0");
    }

    expired_refusals {
        assert_eq!(left("SELECT count(*) FROM decisions WHERE imported IS NOT NULL"), "1");
    }

    decision_expired {
        let scene = hundred_days();
        let all = |scene: &Scene| scene.ask("SELECT count(*) FROM decisions").parse::<u64>().unwrap();
        let before = all(&scene);
        let deleted = keep(&scene, Some(30), Some(30)).decisions;
        assert_eq!(all(&scene), before - deleted);
        assert_ne!(deleted, 0);
        // Nothing more to do, and the newest stays even if it is too old.
        assert_eq!(keep(&scene, Some(30), Some(30)), ForgetCounts::default());
        scene.wait(300 * DAY);
        keep(&scene, Some(30), Some(30));
        assert!(scene.ask("SELECT max(id) FROM decisions").parse::<u64>().unwrap() >= before);
    }

    expired_sessions {
        let names = "SELECT name FROM sessions ORDER BY acct_start_time, id";
        assert_eq!(left(names), "VERA; ALICE; BOB; ERIN");
        // Both forever.
        let scene = hundred_days();
        assert_eq!(keep(&scene, None, None), ForgetCounts::default());
        assert_eq!(scene.ask(names), "VERA; ALICE; BOB; ERIN; ALICE; BOB; ERIN");
    }

    session_expired {
        let scene = hundred_days();
        let deleted = keep(&scene, None, Some(30));
        assert_eq!((deleted.sessions, deleted.decisions, deleted.anomalies), (3, 0, 0));
        assert_eq!(scene.ask("SELECT count(*) FROM sessions WHERE imported IS NOT NULL"), "1");
    }

    links_expired {
        // Three visits of today and vera's; an imported session has none.
        assert_eq!(left("SELECT count(*) FROM links"), "3");
        assert_eq!(left("SELECT count(*) FROM links WHERE session NOT IN (SELECT id FROM sessions)"), "0");
    }

    octets_expired {
        let scene = scene();
        scene.begin(1, "vera", "VPN0-1").unwrap();
        let given = scene.begin(2, "alice", "VPN0-2").unwrap();
        for handle in 1..=2 {
            sample(&scene, id(&scene, handle), scene.now().at.time, 7);
        }
        scene.end(2, "alice", "VPN0-2", &given);
        scene.wait(100 * DAY);
        visit(&scene, 3, "bob", 60);
        keep(&scene, Some(30), Some(30));
        assert_eq!(scene.ask("SELECT name FROM sessions ORDER BY id"), "VERA; BOB");
        assert_eq!(scene.ask("SELECT session FROM session_octets"), "1");
    }

    use_expired {
        let of = "SELECT count(DISTINCT day) FROM use WHERE name";
        assert_eq!(left(&format!("{of} = 'ALICE'")), "1");
    }

    leases_of_session_expired {
        assert_eq!(left("SELECT name FROM leases ORDER BY id"), "VERA; ALICE; BOB");
    }

    leases_from {
        // A lease that no session ever took, and so none deletes.
        let scene = scene();
        scene.address("dora", "VPN0-3", "0.0.0.0").unwrap();
        scene.wait(600);
        visit(&scene, 1, "bob", 60);
        scene.wait(100 * DAY);
        visit(&scene, 2, "alice", 60);
        assert_eq!(scene.ask("SELECT name FROM leases ORDER BY id"), "DORA; BOB; ALICE");
        assert_eq!(keep(&scene, None, Some(30)).leases, 2);
        assert_eq!(scene.ask("SELECT name FROM leases ORDER BY id"), "ALICE");
    }

    lease_expired {
        // The one that is live stays, however old.
        let scene = scene();
        scene.begin(1, "vera", "VPN0-1").unwrap();
        scene.address("dora", "VPN0-3", "0.0.0.0").unwrap();
        scene.wait(600);
        visit(&scene, 2, "bob", 60);
        scene.wait(100 * DAY);
        visit(&scene, 3, "alice", 60);
        keep(&scene, None, Some(30));
        assert_eq!(scene.ask("SELECT name FROM leases ORDER BY id"), "VERA; ALICE");
    }

    expired_use {
        // Use of the last week stays although its session is deleted, and goes a week later.
        let scene = scene();
        visit(&scene, 1, "alice", 60);
        scene.wait(2 * DAY);
        visit(&scene, 2, "bob", 60);
        keep(&scene, None, Some(1));
        let sql = ["SELECT name FROM sessions", "SELECT name FROM use ORDER BY day"];
        assert_eq!(sql.map(|sql| scene.ask(sql)), ["BOB", "ALICE; BOB"]);
        scene.wait(6 * DAY);
        visit(&scene, 3, "carol", 60);
        keep(&scene, None, Some(1));
        assert_eq!(sql.map(|sql| scene.ask(sql)), ["CAROL", "BOB; CAROL"]);
    }

    anomalies_expired {
        let sql = "SELECT count(*) FROM anomalies WHERE what LIKE '%hangup%'";
        let scene = hundred_days();
        assert_eq!(scene.ask(sql), "2");
        keep(&scene, Some(30), Some(200));
        assert_eq!(scene.ask(sql), "2", "sessions are kept longer");
        keep(&scene, Some(30), Some(30));
        assert_eq!(scene.ask(sql), "1");
    }

    expired_configs {
        // That in force stays, however old.
        assert_eq!(left("SELECT count(*) FROM configs"), "1");
    }

    config_expired {
        let scene = hundred_days();
        let old = "INSERT INTO configs (hash, first_used, texts) VALUES ('gone', 0, '{}')";
        super::change(&scene, old);
        assert_eq!(scene.ask("SELECT count(*) FROM configs"), "2");
        keep(&scene, Some(30), Some(30));
        assert_eq!(scene.ask("SELECT count(*) FROM configs WHERE hash = 'gone'"), "0");
        assert!(scene.now().at.time > MONDAY);
    }
}
