//! Purge and anonymise.

use super::super::support::{MONDAY, Scene, connection};
use super::octets::{id, sample};
use super::{reader, scene, visit};
use rasadmin_engine::effect::Forgetting::{self, Anonymise, Purge};
use rasadmin_engine::effect::{Disconnecting, Enforcement};
use rasadmin_engine::event::Disconnect;
use rasadmin_engine::{Event, Identity, Name};

/// Alice and bob yesterday, alice again today, and an anomaly.
fn two_days() -> Scene {
    let scene = scene();
    scene.recorder.hangup(&connection(77, "alice"), scene.now());
    scene.recorder.hangup(&connection(78, "carol"), scene.now());
    visit(&scene, 1, "alice", 60);
    visit(&scene, 2, "bob", 60);
    scene.begin(9, "mallory", "VPN0-9").unwrap_err();
    scene.wait(86_400);
    scene.begin(3, "alice", "VPN0-3").unwrap();
    scene
}

/// Alice's session yesterday, which root has disconnected.
fn disconnected() -> Scene {
    let scene = scene();
    let given = scene.begin(1, "alice", "VPN0-1").unwrap();
    let session = scene.present().by_handle(1).unwrap().id;
    let (why, by) = (Disconnecting::Asked { reason: Some("alice is ill".to_owned()) }, Some("root".to_owned()));
    scene.record(Event::Disconnect(Disconnect { session, why, how: Enforcement::Enforced, by }));
    scene.wait(60);
    scene.end(1, "alice", "VPN0-1", &given);
    scene.wait(86_400);
    scene
}

/// Purges or anonymises what ended before today, of everyone or of one user.
fn forget(scene: &Scene, user: Option<&str>, how: Forgetting) -> crate::ForgetCounts {
    scene.ingest();
    let user = user.map(|name| Identity { domain: Name::new("CORP"), name: Name::new(name).folded() });
    scene.record(Event::Forget { before: MONDAY + 54_000_000, user, how });
    scene.ingest().forgotten
}

/// What remains after that.
fn left_after(user: Option<&str>, how: Forgetting, sql: &str) -> String {
    let scene = two_days();
    forget(&scene, user, how);
    scene.ask(sql)
}

/// What remains after a purge of everyone, and of alice.
fn left_of_all(sql: &str) -> String {
    left_after(None, Purge, sql)
}

fn left_of_alice(sql: &str) -> String {
    left_after(Some("alice"), Purge, sql)
}

/// The sessions whose octets over time remain after a purge, if each had some.
fn samples_left(user: Option<&str>) -> String {
    let scene = scene();
    for (handle, name) in [(1, "alice"), (2, "bob"), (3, "alice")] {
        let port = format!("VPN0-{handle}");
        let given = scene.begin(handle, name, &port).unwrap();
        sample(&scene, id(&scene, handle), scene.now().at.time, 7);
        scene.wait(60);
        if handle < 3 {
            scene.end(handle, name, &port, &given);
        }
    }
    forget(&scene, user, Purge);
    scene.ask("SELECT session FROM session_octets ORDER BY session")
}

/// Both of them.
fn left(how: Forgetting, sql: &str) -> [String; 2] {
    [None, Some("alice")].map(|user| left_after(user, how, sql))
}

/// The same, with every pseudonym shortened to its prefix.
fn aliases(sql: &str) -> [String; 2] {
    left(Anonymise, &sql.replace("NAME", "CASE substr(name, 1, 5) WHEN 'ANON-' THEN '*' ELSE name END"))
}

conformance! {
    use_purged {
        assert_eq!(left_of_all("SELECT name FROM use ORDER BY name"), "");
    }

    use_of_user_purged {
        assert_eq!(left_of_alice("SELECT name FROM use ORDER BY name"), "BOB");
    }

    links_purged {
        assert_eq!(left_of_all("SELECT nas_port_id FROM links ORDER BY id"), "VPN0-3");
    }

    links_of_user_purged {
        assert_eq!(left_of_alice("SELECT nas_port_id FROM links ORDER BY id"), "VPN0-2; VPN0-3");
    }

    octets_purged {
        assert_eq!(samples_left(None), "3", "that of the live session");
    }

    octets_of_user_purged {
        assert_eq!(samples_left(Some("alice")), "2; 3");
    }

    sessions_purged {
        assert_eq!(left_of_all("SELECT id, name FROM sessions ORDER BY id"), "3 ALICE");
    }

    sessions_of_user_purged {
        assert_eq!(left_of_alice("SELECT id, name FROM sessions ORDER BY id"), "2 BOB; 3 ALICE");
    }

    leases_purged {
        assert_eq!(left(Purge, "SELECT id, name FROM leases ORDER BY id"), ["3 ALICE", "2 BOB; 3 ALICE"]);
    }

    decisions_purged {
        let sql = "SELECT name, count(*) FROM decisions GROUP BY name ORDER BY name";
        assert_eq!(left(Purge, sql), ["ALICE 3", "ALICE 3; BOB 3; MALLORY 1"]);
    }

    anomalies_purged {
        let sql = "SELECT count(*) FROM anomalies WHERE what LIKE 'hangup%'";
        assert_eq!(left(Purge, sql), ["0", "1"], "one names alice");
    }

    loads_purged {
        let mut scene = two_days();
        scene.restart();
        forget(&scene, Some("alice"), Purge);
        assert_eq!(scene.ask("SELECT id FROM loads"), "1; 2");
        forget(&scene, None, Purge);
        assert_eq!(scene.ask("SELECT id FROM loads"), "2", "the last one stays");
    }

    configs_purged {
        let mut scene = two_days();
        let changed = scene.folder.path().join("rasadmin.toml");
        let text = std::fs::read_to_string(&changed).unwrap().replace("this user is banned", "banned");
        std::fs::write(&changed, text).unwrap();
        scene.config = super::super::support::config(scene.folder.path(), &std::fs::read_to_string(&changed).unwrap());
        scene.restart();
        scene.recorder.hangup(&connection(3, "alice"), scene.now());
        assert_eq!(scene.ask("SELECT count(*) FROM configs"), "2");
        scene.wait(2 * 86_400);
        scene.record(Event::Forget { before: scene.now().at.time, user: None, how: Purge });
        assert_eq!(scene.ask("SELECT count(*), min(first_used) > 0 FROM configs"), "1 1", "the one in force stays");
        assert_eq!(reader(&scene).faults().unwrap(), [""; 0]);
    }

    users_of_past_days {
        let scene = two_days();
        assert_eq!(forget(&scene, None, Anonymise).usage_days, 2);
        assert_eq!(forget(&scene, None, Anonymise).usage_days, 0, "a pseudonym gets no other");
        assert_eq!(scene.ask("SELECT count(DISTINCT name) FROM use"), "2");
    }

    use_anonymised {
        let sql = "SELECT NAME, domain, seconds FROM use ORDER BY 1, session";
        assert_eq!(aliases(sql), ["*  60; *  60", "*  60; BOB CORP 60"]);
    }

    past_sessions {
        let scene = two_days();
        assert_eq!(forget(&scene, None, Anonymise).sessions, 2);
        assert_eq!(forget(&scene, None, Anonymise).sessions, 0);
    }

    past_sessions_of_user {
        let scene = two_days();
        assert_eq!(forget(&scene, Some("alice"), Anonymise).sessions, 1);
        assert_eq!(forget(&scene, Some("alice"), Anonymise).sessions, 0);
        assert_eq!(scene.ask("SELECT name FROM sessions WHERE id > 1 ORDER BY id"), "BOB; ALICE");
    }

    session_anonymised {
        let sql = "SELECT NAME, domain, remote_computer, calling_station_id, guid, anonymous FROM sessions
                   WHERE acct_stop_time IS NOT NULL ORDER BY id";
        let bob = format!("BOB CORP  203.0.113.9 {:032x} 0", 2);
        assert_eq!(aliases(sql), ["*    - 1; *    - 1".to_owned(), format!("*    - 1; {bob}")]);
        // Who disconnected it, and why, may name people too; also on a second reading.
        let scene = disconnected();
        forget(&scene, None, Anonymise);
        let sql = "SELECT disconnect, disconnect_why, disconnect_reason, disconnect_by FROM sessions";
        assert_eq!(scene.ask(sql), "enforced asked - -");
        super::read_again(&scene);
        assert_eq!(scene.ask(sql), "enforced asked - -");
    }

    past_leases {
        let scene = two_days();
        assert_eq!(forget(&scene, Some("alice"), Anonymise).leases, 1);
        assert_eq!(forget(&scene, None, Anonymise).leases, 1);
        assert_eq!(forget(&scene, None, Anonymise).leases, 0);
    }

    lease_anonymised {
        let sql = "SELECT NAME, domain, address, anonymous FROM leases ORDER BY id";
        assert_eq!(
            aliases(sql),
            [
                "*  10.8.0.1 1; *  10.8.0.2 1; ALICE CORP 10.8.0.1 0",
                "*  10.8.0.1 1; BOB CORP 10.8.0.2 0; ALICE CORP 10.8.0.1 0"
            ]
        );
    }

    past_decisions {
        let scene = two_days();
        assert_eq!(forget(&scene, Some("alice"), Anonymise).decisions, 3, "not those of the session that lives");
        assert_eq!(forget(&scene, None, Anonymise).decisions, 4);
        assert_eq!(forget(&scene, None, Anonymise).decisions, 0);
    }

    decision_anonymised {
        let scene = two_days();
        let port = reader(&scene).decision(2).unwrap().unwrap().facts.port;
        forget(&scene, None, Anonymise);
        let decided = reader(&scene).decision(2).unwrap().unwrap();
        assert!(decided.name.unwrap().as_str().starts_with("ANON-"));
        assert_eq!((decided.groups.len(), decided.facts.port), (0, port));
        assert_eq!(
            scene.ask("SELECT DISTINCT json_extract(facts, '$.user'), json_extract(facts, '$.source') FROM decisions WHERE id < 8"),
            "absent absent"
        );
        assert_eq!(scene.ask("SELECT user_name FROM decisions WHERE id = 8"), "alice", "alice is connected");
    }

    anomalies_anonymised {
        let sql = "SELECT details = '' FROM anomalies WHERE what LIKE 'hangup%' ORDER BY id";
        assert_eq!(left(Anonymise, sql), ["1; 1", "1; 0"]);
    }
}
