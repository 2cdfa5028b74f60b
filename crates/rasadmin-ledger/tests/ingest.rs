//! Ingesting the journal into the ledger: once, again, in parallel, and when the two do not match.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_engine::Event;
use rasadmin_engine::effect::{Effect, Forgetting};
use rasadmin_journal::cursor;
use rasadmin_journal::retain::{self, Rule};
use rasadmin_ledger::ingest::IngestSummary;
use rasadmin_ledger::report::{Filter, Reader};
use rasadmin_ledger::sqlite::{Create, Sqlite};
use std::path::Path;
use std::time::Duration;
use support::{Scene, ask, connection, dump, number, soon};

const OPEN: &str = r#"
    time_zone = "UTC"
    default_domain = "CORP"
    default.action = "allow"
    addresses.pool = "staff"
    journal.durability = "process"
    [pools.staff]
    addresses = ["10.8.0.1-10.8.0.9"]
"#;

/// Sessions of a minute each, one after the other.
fn sessions(scene: &Scene, handles: std::ops::Range<u64>) {
    for handle in handles {
        let (user, port) = (format!("u{}", handle % 5), format!("VPN0-{}", handle % 3));
        let given = scene.begin(handle, &user, &port).unwrap();
        scene.wait(60);
        scene.end(handle, &user, &port, &given);
    }
}

fn sound(scene: &Scene) {
    let reader = Reader::open(&scene.config.ledger).unwrap();
    assert_eq!(reader.faults().unwrap(), Vec::<String>::new());
    assert_eq!(reader.differences(&scene.present()).unwrap(), Vec::<String>::new());
}

#[cfg(unix)]
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

fn bring(ledger: &Path, journal: &Path) -> IngestSummary {
    let mut ledger = Sqlite::open(ledger, Create::Yes, true, soon()).unwrap();
    ledger.ingest(journal, &"FALLBACK".into(), &mut |_| {}).unwrap()
}

#[test]
fn only_new_records_are_ingested_and_the_cursor_file_follows() {
    let scene = Scene::new(OPEN);
    sessions(&scene, 1..4);
    let first = scene.ingest();
    assert!(first.records > 15 && first.gaps == 0 && !first.reread && first.unknown == 0, "{first:?}");
    assert_eq!(first.cursor_not_written, None);
    let cursors = cursor::list(&scene.config.journal).unwrap();
    assert_eq!(cursors.iter().map(|cursor| cursor.position).collect::<Vec<_>>(), [first.position]);
    assert_eq!(cursors[0].ledger, ask(&scene.config.ledger, "SELECT value FROM about WHERE key = 'ledger'"));
    assert_eq!(scene.ingest(), IngestSummary { position: first.position, ..IngestSummary::default() });
    sessions(&scene, 4..5);
    assert_eq!(scene.ingest().records, 6);
    sound(&scene);
    assert_eq!(ask(&scene.config.ledger, "SELECT DISTINCT nas_identifier FROM sessions"), "VPN1", "the journal tells");
    let brought = Reader::open(&scene.config.ledger).unwrap().journal_cursors().unwrap();
    assert_eq!(brought.len(), 1);
    assert_eq!(brought[0].server, "VPN1".into());
    assert!((jiff::Timestamp::now().as_millisecond() - brought[0].brought_at).abs() < 60_000);
}

#[test]
fn where_there_is_no_journal_nothing_comes_in() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("journal")).unwrap();
    assert_eq!(bring(&folder.path().join("l.db"), &folder.path().join("journal")), IngestSummary::default());
}

#[test]
fn two_at_once_do_not_disturb_each_other() {
    let scene = Scene::new(OPEN);
    std::thread::scope(|scope| {
        let bringing: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| (0..20).map(|_| bring(&scene.config.ledger, &scene.config.journal).records).sum::<u64>())
            })
            .collect();
        sessions(&scene, 1..60);
        let came: u64 = bringing.into_iter().map(|thread| thread.join().unwrap()).sum();
        let records = scene.ingest().records + came;
        assert_eq!(records, scene.present().number(), "each once");
    });
    sound(&scene);
    let other = scene.folder.path().join("other.db");
    bring(&other, &scene.config.journal);
    assert_eq!(dump(&scene.config.ledger), dump(&other));
}

/// The ingesting process is killed repeatedly while it works: this test runs itself.
#[test]
fn killed_at_any_point_and_repeated_it_makes_the_same_ledger() {
    const CHILD: &str = "RASADMIN_BRINGS_IN";
    if let Some(folder) = std::env::var_os(CHILD) {
        let folder = Path::new(&folder);
        bring(&folder.join("killed.db"), &folder.join("journal"));
        return;
    }
    let scene = Scene::new(OPEN);
    sessions(&scene, 1..450);
    scene.tool().seal().unwrap();
    sessions(&scene, 450..900);
    let whole = scene.folder.path().join("whole.db");
    bring(&whole, &scene.config.journal);
    let killed = scene.folder.path().join("killed.db");
    let mut deaths = 0;
    for round in 0..200 {
        let mut command = std::process::Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "killed_at_any_point_and_repeated_it_makes_the_same_ledger"]);
        let mut child = command.env(CHILD, scene.folder.path()).stdout(std::process::Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(20 + round * 7 % 180));
        let done = child.try_wait().unwrap();
        if let Some(status) = done {
            assert!(status.success());
            break;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        deaths += 1;
    }
    bring(&killed, &scene.config.journal);
    assert_eq!(dump(&killed), dump(&whole));
    assert!(deaths > 0, "it was killed");
}

#[test]
fn a_ledger_of_yesterday_goes_on_where_it_was() {
    let scene = Scene::new(OPEN);
    sessions(&scene, 1..4);
    let yesterday = scene.folder.path().join("yesterday.db");
    rasadmin_ledger::upkeep::Upkeep::open(&scene.ledger()).unwrap().backup(&yesterday).unwrap();
    sessions(&scene, 4..9);
    scene.ingest();
    let brought = bring(&yesterday, &scene.config.journal);
    assert_eq!((brought.records, brought.reread), (30, false));
    assert_eq!(dump(&yesterday), dump(&scene.config.ledger));
}

#[cfg(unix)] // The folder of an open journal is replaced.
#[test]
fn a_journal_of_yesterday_is_read_again_from_its_oldest_record() {
    let mut scene = Scene::new(OPEN);
    sessions(&scene, 1..4);
    let yesterday = scene.folder.path().join("yesterday");
    copy(&scene.config.journal, &yesterday);
    scene.begin(7, "vera", "VPN0-7").unwrap();
    let last = scene.ingest().position.unwrap();
    scene.recorder.stop(scene.now());
    std::fs::remove_dir_all(&scene.config.journal).unwrap();
    copy(&yesterday, &scene.config.journal);
    scene.recorder = scene.beside();
    sessions(&scene, 10..13);
    let brought = scene.ingest();
    assert!(brought.reread && brought.gaps == 0 && brought.records > 30, "{brought:?}");
    sound(&scene);
    let lost = ask(&scene.config.ledger, "SELECT details FROM anomalies WHERE missing > 0");
    assert_eq!(lost, format!("record {}, and perhaps some before it", last.number));
    // What only the ledger knew has ended with its instance, and nothing is there twice.
    let sql = "SELECT count(*), count(DISTINCT acct_session_id), sum(acct_stop_time IS NULL), sum(name = 'VERA') FROM sessions";
    assert_eq!(ask(&scene.config.ledger, sql), "7 7 0 1");
    assert_eq!(ask(&scene.config.ledger, "SELECT closed_by FROM sessions WHERE name = 'VERA'"), "instance ended");
    assert_eq!(ask(&scene.config.ledger, "SELECT max(acct_link_count), count(*) FROM sessions"), "1 7");
    assert!(!scene.ingest().reread);
}

#[test]
fn another_journal_under_a_cursor_that_does_not_fit_changes_nothing_that_is_there() {
    let scene = Scene::new(OPEN);
    sessions(&scene, 1..5);
    scene.begin(9, "live", "VPN0-9").unwrap();
    let before = dump(&scene.ledger());
    for damage in ["crc = crc + 1", "number = number + 100", "number = number - 1", "segment = 'x'"] {
        let ledger = rusqlite::Connection::open(&scene.config.ledger).unwrap();
        ledger.execute(&format!("UPDATE journals SET {damage}"), []).unwrap();
        let brought = scene.ingest();
        assert_eq!(brought.records, scene.present().number(), "{damage}");
        // A cursor that names a record means that the journal lost it.
        let noted = ledger.execute("DELETE FROM anomalies WHERE missing = 1", []).unwrap();
        assert_eq!(noted, usize::from(damage != "segment = 'x'"), "{damage}");
        assert_eq!((brought.gaps, dump(&scene.config.ledger)), (0, before.clone()), "{damage}");
    }
    sound(&scene);
}

/// Deletes the oldest segments of the journal.
fn expire(scene: &Scene) {
    let gone = retain::expire(&scene.config.journal, Rule::Limit { bytes: 0 }).unwrap();
    assert!(!gone.is_empty(), "the journal is too short");
}

#[test]
fn a_missing_beginning_is_noted_and_what_lives_is_taken_from_a_checkpoint() {
    let scene = Scene::new(OPEN);
    sessions(&scene, 1..3);
    let given = scene.begin(1000, "vera", "VPN0-7").unwrap();
    sessions(&scene, 3..60);
    scene.begin(1001, "wanda", "VPN0-8").unwrap();
    scene.checkpoint();
    scene.tool().seal().unwrap();
    sessions(&scene, 60..65);
    scene.tool().seal().unwrap();
    sessions(&scene, 65..70);
    expire(&scene);
    let brought = scene.ingest();
    assert_eq!((brought.gaps, brought.reread), (1, false));
    sound(&scene);
    assert_eq!(ask(&scene.config.ledger, "SELECT what FROM anomalies"), "the journal's beginning is missing");
    let live = "SELECT s.name, framed_ip_address, s.nas_identifier, l.nas_port_id FROM sessions s JOIN links l ON session = s.id
                WHERE acct_stop_time IS NULL ORDER BY 1";
    let vera = format!("VERA {given} VPN1 VPN0-7");
    assert!(ask(&scene.config.ledger, live).starts_with(&vera));
    let reader = Reader::open(&scene.config.ledger).unwrap();
    assert_eq!(reader.sessions(&Filter::default(), true).unwrap().len(), 2);
    // From then on all is as it was: also what ends.
    scene.end(1000, "vera", "VPN0-7", &given);
    scene.ingest();
    sound(&scene);
    assert_eq!(ask(&scene.config.ledger, "SELECT closed_by FROM sessions WHERE name = 'VERA'"), "hangup");
    let before = dump(&scene.config.ledger);
    let anew = scene.folder.path().join("anew.db");
    bring(&anew, &scene.config.journal);
    assert_eq!(ask(&anew, "SELECT count(*) FROM sessions WHERE acct_stop_time IS NULL"), "1");
    assert_eq!(dump(&scene.config.ledger), before);
}

#[test]
fn a_ledger_that_missed_records_ends_what_is_over() {
    let scene = Scene::new(OPEN);
    let given = scene.begin(1000, "vera", "VPN0-7").unwrap();
    scene.begin(1001, "wanda", "VPN0-8").unwrap();
    scene.ingest();
    scene.end(1000, "vera", "VPN0-7", &given);
    sessions(&scene, 1..50);
    // The checkpoint has more than the segments that go.
    scene.tool().seal().unwrap();
    sessions(&scene, 50..60);
    scene.checkpoint();
    scene.tool().seal().unwrap();
    sessions(&scene, 60..62);
    expire(&scene);
    let brought = scene.ingest();
    assert_eq!((brought.gaps, brought.reread), (1, true));
    sound(&scene);
    let sql = "SELECT name, closed_by FROM sessions WHERE name IN ('VERA', 'WANDA') ORDER BY name";
    assert_eq!(ask(&scene.config.ledger, sql), "VERA end not in the journal; WANDA -");
}

#[test]
fn without_a_checkpoint_there_are_no_rows_for_what_is_unknown() {
    let scene = Scene::new(OPEN);
    scene.begin(1000, "vera", "VPN0-7").unwrap();
    sessions(&scene, 1..30);
    scene.tool().seal().unwrap();
    sessions(&scene, 30..60);
    let mut segments: Vec<_> = std::fs::read_dir(&scene.config.journal).unwrap().map(|e| e.unwrap().path()).collect();
    segments.retain(|path| path.extension().is_some_and(|extension| extension == "segment"));
    segments.sort();
    // On Windows a file that is deleted keeps its name as long as the recorder has it open.
    std::fs::rename(&segments[0], scene.folder.path().join("gone")).unwrap();
    assert_eq!(scene.ingest().gaps, 1);
    scene.end(1000, "vera", "VPN0-7", "10.8.0.1");
    scene.ingest();
    assert_eq!(ask(&scene.config.ledger, "SELECT count(*) FROM sessions WHERE name = 'VERA'"), "0");
    assert_ne!(ask(&scene.config.ledger, "SELECT count(*) FROM sessions"), "0");
}

#[test]
fn what_was_forgotten_stays_forgotten_when_the_journal_is_read_again() {
    for how in [Forgetting::Purge, Forgetting::Anonymise] {
        let scene = Scene::new(OPEN);
        sessions(&scene, 1..12);
        scene.wait(2 * 86_400);
        let live = scene.begin(50, "u1", "VPN0-9").unwrap();
        sessions(&scene, 12..15);
        let before = scene.now().at.time - 86_400_000;
        scene.record(Event::Forget { before, user: None, how });
        sessions(&scene, 15..17);
        let forgotten = scene.ingest().forgotten;
        assert_eq!(forgotten.sessions, 11, "{how:?}");
        let (rows, names) = (dump(&scene.config.ledger), ask(&scene.config.ledger, "SELECT DISTINCT name FROM use"));
        rusqlite::Connection::open(&scene.config.ledger).unwrap().execute("DELETE FROM journals", []).unwrap();
        let again = scene.ingest();
        assert_eq!(again.records, scene.present().number());
        assert_eq!(dump(&scene.config.ledger), rows, "{how:?}");
        assert_eq!(ask(&scene.config.ledger, "SELECT DISTINCT name FROM use"), names);
        // A ledger that is made anew has the same, pseudonyms included.
        let anew = scene.folder.path().join("anew.db");
        bring(&anew, &scene.config.journal);
        assert_eq!(dump(&anew), rows, "{how:?}");
        sound(&scene);
        scene.end(50, "u1", "VPN0-9", &live);
    }
}

#[test]
fn what_a_newer_version_wrote_is_skipped_and_reported() {
    let scene = Scene::new(OPEN);
    scene.recorder.hangup(&connection(7, "nobody"), scene.now());
    let record = scene.records().pop().unwrap();
    let mut newer = serde_json::to_value(&record).unwrap();
    newer["id"] = serde_json::json!("018f2f6e-0000-7000-8000-000000000001");
    newer["event"] = serde_json::json!({ "teleported": { "to": "Mars" } });
    newer["effects"].as_array_mut().unwrap().insert(0, serde_json::json!({ "beamed-up": { "who": "Scotty" } }));
    scene.append_bytes(&serde_json::to_vec(&newer).unwrap());
    scene.append_bytes(b"no JSON at all");
    let mut ledger = Sqlite::open(&scene.config.ledger, Create::Yes, true, soon()).unwrap();
    let brought = ledger.ingest(&scene.config.journal, &"VPN1".into(), &mut |_| {}).unwrap();
    assert_eq!((brought.unknown, brought.unreadable), (2, 1));
    assert_eq!(
        ask(&scene.config.ledger, "SELECT what FROM anomalies ORDER BY id"),
        "hangup of an unknown connection; hangup of an unknown connection; a record of the journal could not be read"
    );
}

#[test]
fn an_address_that_is_given_twice_is_found_and_stops_nothing() {
    let scene = Scene::new(OPEN);
    scene.address("alice", "VPN0-1", "").unwrap();
    scene.address("bob", "VPN0-2", "").unwrap();
    let mut record = scene.records().pop().unwrap();
    // As if a fault of the engine had given it to carol too.
    record.id = rasadmin_engine::Id(7);
    for effect in &mut record.effects {
        if let Effect::LeaseBegan(began) = effect {
            (began.lease, began.address) = (rasadmin_engine::Id(7), number("10.8.0.1"));
        }
    }
    scene.append_bytes(&serde_json::to_vec(&record).unwrap());
    sessions(&scene, 3..4);
    scene.ingest();
    let faults = Reader::open(&scene.config.ledger).unwrap().faults().unwrap();
    assert_eq!(faults, ["addresses that two live leases hold: 1 (the first: 10.8.0.1 on VPN1)"]);
    assert_eq!(ask(&scene.config.ledger, "SELECT count(*) FROM sessions"), "1");
}

#[cfg(unix)]
#[test]
fn a_ledger_in_a_folder_that_may_not_be_written_is_read_and_reports_its_age() {
    use std::os::unix::fs::PermissionsExt as _;
    let scene = Scene::new(OPEN);
    sessions(&scene, 1..3);
    let folder = scene.folder.path().join("read only # 100%");
    std::fs::create_dir(&folder).unwrap();
    let path = folder.join("l.db");
    bring(&path, &scene.config.journal);
    let mode = |mode| std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(mode)).unwrap();
    mode(0o555);
    // Root can write anyway; then the usual way of reading is tested.
    let reader = Reader::open(&path).unwrap();
    assert_eq!(reader.counts().unwrap().sessions, 2);
    let position = reader.journal_cursors().unwrap()[0].position.unwrap();
    assert_eq!(position.number, scene.present().number());
    mode(0o755);
}
