//! What an administrator does, and its effect on the ledger: release, close, purge, anonymise, backup.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_engine::effect::Forgetting;
use rasadmin_engine::{Event, Identity, Millis, Name};
use rasadmin_ledger::ForgetCounts;
use rasadmin_ledger::report::Reader;
use rasadmin_ledger::upkeep::Upkeep;
use rasadmin_recorder::Verdict;
use std::path::Path;
use support::{MONDAY, Scene, With, connection, number};

const CONFIG: &str = r#"
    time_zone = "Europe/Berlin"
    default_domain = "CORP"
    default.action = "allow"
    addresses.pool = "staff"
    [pools.staff]
    addresses = ["10.8.0.1-10.8.0.2"]
    [[rules]]
    name = "one session per user"
    action = "deny"
    user_sessions = { at_least = 1 }
"#;

fn sound(scene: &Scene) {
    let reader = Reader::open(&scene.ledger()).unwrap();
    assert_eq!(reader.faults().unwrap(), Vec::<String>::new());
    assert_eq!(reader.differences(&scene.present()).unwrap(), Vec::<String>::new());
}

fn upkeep(scene: &Scene) -> Upkeep {
    Upkeep::open(&scene.ledger()).unwrap()
}

fn release(scene: &Scene, address: &str, force: bool) {
    scene.record(Event::ReleaseAddress { address: number(address), force, by: None, reason: None });
}

fn close(scene: &Scene, row: i64) {
    let session = upkeep(scene).id_of(row).unwrap().unwrap();
    assert_eq!(upkeep(scene).row_of(session).unwrap(), Some(row));
    scene.record(Event::CloseSession { session, by: None, reason: None });
}

#[test]
fn an_address_that_a_ghost_holds_is_released() {
    let scene = Scene::new(CONFIG);
    // It was given, and no connection came.
    assert_eq!(scene.address("alice", "VPN0-1", "").unwrap(), "10.8.0.1");
    release(&scene, "10.8.0.1", false);
    assert_eq!(scene.ask("SELECT ended_by FROM leases"), "administrator");
    assert_eq!(scene.address("bob", "VPN0-2", "").unwrap(), "10.8.0.2");
    assert_eq!(scene.address("carol", "VPN0-3", "").unwrap(), "10.8.0.1", "it can be given again");
    // RRAS's own release of the first comes late, and frees nobody else's.
    scene.release("alice", "VPN0-1", "10.8.0.1");
    assert_eq!(scene.ask("SELECT name FROM leases WHERE ended IS NULL ORDER BY id"), "BOB; CAROL");
    sound(&scene);
}

#[test]
fn the_address_of_a_live_session_is_released_only_by_force() {
    let scene = Scene::new(CONFIG);
    let given = scene.begin(1, "alice", "VPN0-1").unwrap();
    release(&scene, &given, false);
    assert_eq!(scene.ask("SELECT count(*) FROM leases WHERE ended IS NULL"), "1");
    release(&scene, &given, true);
    assert_eq!(scene.ask("SELECT count(*) FROM leases WHERE ended IS NULL"), "0");
    sound(&scene);
}

#[test]
fn a_ghost_is_closed_and_counts_no_longer() {
    let scene = Scene::new(CONFIG);
    scene.begin(1, "alice", "VPN0-1").unwrap();
    assert!(scene.begin(2, "alice", "VPN0-2").is_err(), "the ghost counts");
    scene.wait(600);
    close(&scene, 1);
    close(&scene, 1);
    assert_eq!(
        scene.ask("SELECT closed_by, acct_terminate_cause, acct_session_time, estimated, billed FROM sessions"),
        "administrator Admin-Reset 600 1 1"
    );
    assert_eq!(scene.ask("SELECT seconds FROM use"), "600");
    assert_eq!(scene.begin(3, "alice", "VPN0-3").unwrap(), "10.8.0.1", "and its address is free");
    // RRAS reports the ghost's end after all.
    scene.recorder.hangup(&connection(1, "alice"), scene.now());
    assert_eq!(scene.ask("SELECT name FROM sessions WHERE acct_stop_time IS NULL"), "ALICE");
    assert_eq!(scene.ask("SELECT what FROM anomalies"), "hangup of an unknown connection");
    sound(&scene);
}

/// Alice on Monday, bob on Tuesday, alice again on Wednesday and still connected.
fn three_days() -> Scene {
    let scene = Scene::new(CONFIG);
    let day = |handle: u64, user: &str| {
        let given = scene.address(user, "VPN0-1", "").unwrap();
        let event = connection(handle, user).with(|e| {
            e.addresses = vec![number(&given)];
            e.computer = "LAPTOP-ALICE".into();
        });
        assert_eq!(scene.connect(&event), Verdict::Accept);
        scene.link(handle, "VPN0-1", rasadmin_engine::Tunnel::Sstp);
        given
    };
    let given = day(1, "alice");
    scene.wait(3600);
    scene.end(1, "alice", "VPN0-1", &given);
    scene.recorder.hangup(&connection(99, "alice"), scene.now());
    scene.wait(23 * 3600);
    let given = day(2, "bob");
    scene.wait(3600);
    scene.end(2, "bob", "VPN0-1", &given);
    scene.wait(23 * 3600);
    day(3, "alice");
    scene
}

const DAY: Millis = 86_400_000;

/// Records that what ended before a day is purged or anonymised, and ingests that.
fn forget(scene: &Scene, days: i64, user: Option<&str>, how: Forgetting) -> ForgetCounts {
    scene.ingest();
    let user = user.map(|name| Identity { domain: Name::new("CORP"), name: Name::new(name).folded() });
    scene.record(Event::Forget { before: MONDAY + days * DAY, user, how });
    scene.ingest().forgotten
}

fn contains(path: &Path, text: &str) -> bool {
    let find = |bytes: Vec<u8>| bytes.windows(text.len()).any(|window| window.eq_ignore_ascii_case(text.as_bytes()));
    std::fs::read(path).is_ok_and(find)
}

#[test]
fn purge_deletes_what_ended_before_and_nothing_else() {
    let scene = three_days();
    let changed = forget(&scene, 1, None, Forgetting::Purge);
    assert_eq!((changed.sessions, changed.links, changed.leases, changed.usage_days), (1, 1, 1, 1));
    assert_eq!(changed.decisions, 3, "address, connection, link");
    assert_eq!(changed.anomalies, 1);
    assert_eq!(scene.ask("SELECT name FROM sessions ORDER BY id"), "BOB; ALICE");
    assert_eq!(scene.ask("SELECT DISTINCT user_name FROM decisions ORDER BY 1"), "alice; bob");
    assert_eq!(scene.ask("SELECT count(*) FROM decisions"), "6");
    sound(&scene);
    // What is live stays, whatever the date; so does the configuration in force, and the decision by which its address
    // was given.
    let changed = forget(&scene, 30, None, Forgetting::Purge);
    assert_eq!((changed.sessions, changed.leases), (1, 1));
    assert_eq!(scene.ask("SELECT name FROM sessions"), "ALICE");
    assert_eq!(scene.ask("SELECT stage FROM decisions ORDER BY id"), "ipv4-address; connection; link");
    assert_eq!(scene.ask("SELECT count(*) FROM leases WHERE ended IS NULL"), "1");
    assert_eq!(scene.ask("SELECT count(*) FROM configs"), "1");
    sound(&scene);
    scene.recorder.stop(scene.now());
    assert!(!contains(&scene.ledger(), "bob"), "what is deleted is overwritten");
    assert!(contains(&scene.ledger(), "alice"), "the check can fail");
}

#[test]
fn purge_of_one_user_leaves_the_others() {
    let scene = three_days();
    let changed = forget(&scene, 2, Some("alice"), Forgetting::Purge);
    assert_eq!((changed.sessions, changed.decisions, changed.usage_days), (1, 3, 1));
    assert_eq!(scene.ask("SELECT name FROM sessions ORDER BY id"), "BOB; ALICE");
    assert_eq!(scene.ask("SELECT name FROM use"), "BOB");
    assert_eq!(scene.ask("SELECT count(*) FROM anomalies"), "0", "its text named the user");
    sound(&scene);
}

#[test]
fn anonymise_leaves_the_sums_and_no_name() {
    let mut scene = three_days();
    let sums = "SELECT count(*), sum(acct_session_time), sum(acct_input_octets) FROM sessions";
    let (before_it, used) = (scene.ask(sums), scene.ask("SELECT sum(seconds), count(DISTINCT session) FROM use"));
    let changed = forget(&scene, 2, None, Forgetting::Anonymise);
    assert_eq!((changed.sessions, changed.decisions, changed.usage_days), (2, 6, 2));
    assert_eq!(
        (scene.ask(sums), scene.ask("SELECT sum(seconds), count(DISTINCT session) FROM use")),
        (before_it, used)
    );
    let names =
        scene.ask("SELECT name || user_name || remote_computer || calling_station_id FROM sessions ORDER BY id");
    let names: Vec<_> = names.split("; ").collect();
    assert!(names[0].starts_with("ANON-") && names[1].starts_with("ANON-") && names[0] != names[1], "{names:?}");
    assert_eq!(names[2], "ALICEaliceLAPTOP-ALICE203.0.113.9", "what is live stays");
    // One user has one pseudonym everywhere, so that reports still add up.
    let alice = &names[0][.."ANON-".len() + 12];
    let told = format!(
        "SELECT (SELECT count(*) FROM use WHERE name = '{alice}'), (SELECT count(*) FROM decisions WHERE name = '{alice}'),
                (SELECT count(*) FROM leases WHERE name = '{alice}')"
    );
    assert_eq!(scene.ask(&told), "1 3 1");
    assert_eq!(scene.ask("SELECT DISTINCT json_extract(facts, '$.user') FROM decisions WHERE id <= 6"), "absent");
    sound(&scene);
    let again = forget(&scene, 2, None, Forgetting::Anonymise);
    assert_eq!(again, Default::default(), "once is enough");
    // When alice has gone too, no name is left, nor in the file's free space.
    scene.end(3, "alice", "VPN0-1", "10.8.0.1");
    // What quotas of a month need of a user is kept until the month is over.
    scene.wait(30 * 86_400);
    scene.restart();
    forget(&scene, 30, None, Forgetting::Anonymise);
    scene.recorder.stop(scene.now());
    assert!(
        !contains(&scene.ledger(), "bob")
            && !contains(&scene.ledger(), "laptop")
            && !contains(&scene.ledger(), "alice")
    );
}

/// Whoever may not read the journal must not read it in the ledger.
#[cfg(unix)]
#[test]
fn only_the_owner_can_read_a_new_ledger_and_its_copies() {
    use std::os::unix::fs::PermissionsExt;
    let scene = three_days();
    let to = scene.folder.path().join("backup.db");
    upkeep(&scene).backup(&to).unwrap();
    let ledger = scene.ledger();
    let with = |ending: &str| std::path::PathBuf::from(format!("{}{ending}", ledger.display()));
    let open = upkeep(&scene);
    for file in [ledger.clone(), with("-wal"), with("-shm"), to] {
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{} has {mode:o}", file.display());
    }
    drop(open);
}

#[test]
fn a_backup_is_the_ledger_of_now_and_overwrites_nothing() {
    let scene = three_days();
    let to = scene.folder.path().join("backup.db");
    upkeep(&scene).backup(&to).unwrap();
    assert_eq!(scene.begin(4, "carol", "VPN0-4").unwrap(), "10.8.0.2", "the service goes on");
    let reader = Reader::open(&to).unwrap();
    assert_eq!(reader.faults().unwrap(), Vec::<String>::new());
    assert_eq!(reader.counts().unwrap().sessions, 3);
    assert_eq!(Reader::open(&scene.ledger()).unwrap().counts().unwrap().sessions, 4);
    let why = upkeep(&scene).backup(&to).unwrap_err().to_string();
    assert!(why.contains("it already exists"), "{why}");
}

#[test]
fn what_is_wrong_is_found() {
    let scene = three_days();
    scene.recorder.stop(scene.now());
    let broken = rusqlite::Connection::open(scene.ledger()).unwrap();
    broken.execute("UPDATE leases SET ended = NULL WHERE id = 2", []).unwrap();
    broken.execute("UPDATE sessions SET acct_stop_time = 5 WHERE id = 1", []).unwrap();
    drop(broken);
    let reader = Reader::open(&scene.ledger()).unwrap();
    let faults = reader.faults().unwrap();
    assert_eq!(faults.len(), 1, "{faults:#?}");
    assert!(faults[0].starts_with("sessions that end before they begin: 1"), "{faults:#?}");
    let differ = reader.differences(&scene.present()).unwrap();
    assert_eq!(differ.len(), 1, "{differ:#?}");
    assert!(differ[0].starts_with("live leases of VPN1 in which rows and state differ: 1"), "{differ:#?}");
}
