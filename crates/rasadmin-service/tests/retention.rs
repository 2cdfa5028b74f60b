//! `retention` on a ledger with old rows: what it deletes and keeps, when it runs, and its backups.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_policy::Millis;
use rasadmin_service::state::{Report, RetentionReport};
use rasadmin_service::{Duty, Fault, Log, Retention, Settings, Stop, Turn};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use support::{Scene, ask, log, settings};

const DAY: i64 = 86_400;

const CONFIG: &str = r#"
    time_zone = "UTC"
    default_domain = "CORP"
    default.action = "allow"
    addresses.pool = "staff"
    journal.durability = "process"
    [pools.staff]
    addresses = ["10.8.0.0/24"]
    [service.retention]
    decisions = "30d"
    sessions = "60d"
    keep = 2
"#;

struct Case {
    scene: Scene,
    settings: Arc<Settings>,
    duty: Retention,
}

impl Case {
    fn new(text: &str) -> Self {
        let scene = Scene::new(text);
        let settings = settings(&scene);
        let duty = Retention::new(settings.clone(), None);
        Self { scene, settings, duty }
    }

    fn now(&self) -> Millis {
        self.scene.now().at.time
    }

    /// A step of the duty, at the scene's time. Returns its report and what it logs.
    fn step(&mut self) -> (RetentionReport, Vec<String>) {
        let (pause, report, lines) = self.try_step();
        assert!(pause.unwrap().as_secs() <= 60, "somebody may set the clock");
        (report, lines)
    }

    /// The same for a step that may fail.
    fn try_step(&mut self) -> (Result<Duration, Fault>, RetentionReport, Vec<String>) {
        let (log, lines) = log();
        let (stop, now) = (Stop::default(), self.now());
        let pause = self.duty.step(&Turn { now, stop: &stop, log: &log });
        let Report::Retention(report) = self.duty.report() else { panic!("another duty's report") };
        let lines = lines.lock().unwrap().clone();
        (pause, report, lines)
    }

    fn backups(&self) -> Vec<String> {
        let folder = &self.settings.service.retention.backups;
        let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn backup(&self, day: &str) -> PathBuf {
        self.settings.service.retention.backups.join(format!("rasadmin-{day}.db"))
    }
}

fn visit(scene: &Scene, handle: u64, user: &str) {
    let port = format!("VPN0-{handle}");
    let given = scene.begin(handle, user, &port).unwrap();
    scene.wait(60);
    scene.end(handle, user, &port, &given);
}

/// Alice a hundred days ago, bob 45 days ago, carol today; and vera, who has been connected all the time.
fn hundred_days() -> Case {
    let case = Case::new(CONFIG);
    case.scene.begin(9, "vera", "VPN0-9").unwrap();
    visit(&case.scene, 1, "alice");
    case.scene.wait(55 * DAY);
    visit(&case.scene, 2, "bob");
    case.scene.wait(45 * DAY);
    visit(&case.scene, 3, "carol");
    case.scene.ingest();
    case
}

#[test]
fn what_is_too_old_goes_and_live_sessions_stay() {
    let mut case = hundred_days();
    let (report, _) = case.step();
    let left = |column: &str, table: &str| {
        ask(&case.settings.ledger, &format!("SELECT DISTINCT {column} FROM {table} ORDER BY 1"))
    };
    assert_eq!(left("name", "sessions"), "BOB; CAROL; VERA");
    assert_eq!(left("name", "leases"), "BOB; CAROL; VERA");
    assert_eq!(left("name", "use"), "BOB; CAROL", "vera's use is counted at her hangup");
    // Bob's decisions are older than 30 days, and vera's belong to a live session.
    assert_eq!(left("upper(user_name)", "decisions"), "CAROL; VERA");
    let deleted = report.deleted;
    assert!(deleted.sessions == 1 && deleted.leases == 1 && deleted.decisions > 0, "{report:#?}");
    assert_eq!(report.damage, Vec::<String>::new());
    assert_eq!(
        (report.deleted_at, report.checked_at, report.backed_up_at),
        (Some(case.now()), Some(case.now()), Some(case.now()))
    );
}

#[test]
fn once_after_each_due_time_also_after_a_restart() {
    let mut case = hundred_days();
    // The day of the scene is 2027-03-03, in the morning.
    let (first, _) = case.step();
    let day = first.backup.clone().unwrap();
    assert_eq!(case.backups().len(), 1, "{day}");
    case.scene.wait(60);
    assert_eq!(case.step().0, RetentionReport { next: first.next, ..first.clone() }, "nothing is due");
    // Another process, which has the report: nothing is due for it either.
    case.duty = Retention::new(case.settings.clone(), Some(Report::Retention(first.clone())));
    assert_eq!(case.step().0.deleted_at, first.deleted_at);
    case.scene.wait(DAY);
    let (second, _) = case.step();
    assert_eq!(second.deleted_at, Some(case.now()));
    assert_eq!(case.backups().len(), 2);
    case.scene.wait(DAY);
    case.step();
    let names = case.backups();
    assert_eq!(names.len(), 2, "the newest two: {names:?}");
    assert!(!day.ends_with(&names[0]) && !day.ends_with(&names[1]), "{day}: {names:?}");
}

#[test]
fn a_backup_is_a_ledger_with_everything() {
    let mut case = hundred_days();
    let (report, _) = case.step();
    let backup = PathBuf::from(report.backup.unwrap());
    assert_eq!(support::dump(&backup), support::dump(&case.settings.ledger));
}

#[test]
fn what_a_crash_left_behind_is_no_backup() {
    let mut case = hundred_days();
    let today = jiff::Timestamp::from_millisecond(case.now()).unwrap().to_string()[..10].to_owned();
    let part = case.backup(&today).with_extension("part");
    std::fs::create_dir_all(part.parent().unwrap()).unwrap();
    std::fs::write(&part, "half a backup").unwrap();
    case.step();
    assert_eq!(case.backups(), [format!("rasadmin-{today}.db")]);
}

#[test]
fn a_damaged_ledger_is_reported_and_pushes_out_no_backup() {
    let mut case = hundred_days();
    let (report, _) = case.step();
    let good = PathBuf::from(report.backup.unwrap());
    let before = std::fs::read(&good).unwrap();
    case.scene.wait(DAY);
    // What the ledger still has in its write-ahead log, too.
    let ledger = rusqlite::Connection::open(&case.settings.ledger).unwrap();
    ledger.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    let root: u64 = ledger
        .query_row("SELECT rootpage FROM sqlite_schema WHERE name = 'links'", [], |row| row.get::<_, i64>(0))
        .unwrap()
        .unsigned_abs();
    let page: u64 = ledger.query_row("PRAGMA page_size", [], |row| row.get::<_, i64>(0)).unwrap().unsigned_abs();
    drop(ledger);
    let mut bytes = std::fs::read(&case.settings.ledger).unwrap();
    let at = usize::try_from((root - 1) * page).unwrap();
    // The cells of that page point nowhere.
    bytes[at + 8..at + 16].fill(0xff);
    std::fs::write(&case.settings.ledger, bytes).unwrap();
    // The deletion may meet the damage first. The check is made in any case.
    let (_, report, lines) = case.try_step();
    assert!(!report.damage.is_empty(), "{report:#?}");
    assert!(lines.iter().any(|line| line.starts_with("error: the ledger is damaged:")), "{lines:#?}");
    assert_eq!(case.backups().len(), 1);
    assert_eq!(std::fs::read(&good).unwrap(), before);
}

/// The backup is tried again and again. That must not move the look at the disks, which is compared with that of the next
/// day.
#[test]
fn a_disk_that_fills_is_reported_also_if_backups_fail() {
    let mut case = hundred_days();
    let backups = &case.settings.service.retention.backups;
    std::fs::create_dir_all(backups.parent().unwrap()).unwrap();
    std::fs::write(backups, "in the way").unwrap();
    let (pause, first, _) = case.try_step();
    assert!(pause.is_err() && first.backed_up_at.is_none() && !first.disks.is_empty(), "{first:#?}");
    case.scene.wait(13 * 60 * 60);
    let (pause, mut again, _) = case.try_step();
    assert!(pause.is_err(), "it is tried again");
    assert_eq!(again.disks, first.disks);
    // As if three eighths of it had been used up since: the rest lasts 40 hours.
    for disk in &mut again.disks {
        disk.free = disk.free / 5 * 8;
    }
    case.duty = Retention::new(case.settings.clone(), Some(Report::Retention(again)));
    case.scene.wait(DAY - 13 * 60 * 60);
    let (pause, _, lines) = case.try_step();
    assert!(pause.is_err(), "it still fails");
    let filling: Vec<_> = lines.iter().filter(|line| line.contains("is filling up")).collect();
    assert!(!filling.is_empty() && filling[0].contains("it is full in less than 2 days; "), "{lines:#?}");
}

#[test]
fn without_a_ledger_nothing_is_done_and_nothing_is_noted() {
    let mut case = Case::new(CONFIG);
    let (report, lines) = case.step();
    assert_eq!((report.deleted_at, report.backup, lines), (None, None, Vec::new()));
    assert!(!case.settings.ledger.exists() && case.backups().is_empty());
}

#[test]
fn forever_is_forever_and_no_backup_is_none() {
    let text = CONFIG.replace("30d", "forever").replace("60d", "forever").replace("keep = 2", "keep = 0");
    let mut case = Case::new(&text);
    visit(&case.scene, 1, "alice");
    case.scene.wait(4_000 * DAY);
    visit(&case.scene, 2, "bob");
    case.scene.ingest();
    let before = support::dump(&case.settings.ledger);
    let (report, _) = case.step();
    assert_eq!(report.deleted, rasadmin_service::state::Deleted::default());
    assert_eq!(support::dump(&case.settings.ledger), before);
    assert!(case.backups().is_empty());
}

#[test]
fn old_segments_go_when_the_ledger_has_them() {
    let case = hundred_days();
    let segments = || rasadmin_journal::inventory::take(&case.settings.journal).unwrap().segments.len();
    for _ in 0..2 {
        case.scene.tool().seal().unwrap();
        visit(&case.scene, 5, "dora");
    }
    case.scene.checkpoint();
    case.scene.ingest();
    assert_eq!(segments(), 3);
    let mut case = case;
    // Their files were written today, by the system's clock.
    let now = jiff::Timestamp::now().as_millisecond();
    let (stop, log) = (Stop::default(), Log::new(None, |_| ()));
    let step = |case: &mut Case, days: i64| {
        case.duty = Retention::new(case.settings.clone(), Some(case.duty.report()));
        case.duty.step(&Turn { now: now + days * DAY * 1000, stop: &stop, log: &log }).unwrap();
        rasadmin_journal::inventory::take(&case.settings.journal).unwrap().segments.len()
    };
    assert_eq!(step(&mut case, 6), 3, "a week is not over");
    assert_eq!(step(&mut case, 8), 2, "the two newest stay");
}
