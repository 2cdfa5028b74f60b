//! Imported sessions in the ledger: they count for nothing, and the ledger's own sessions do not change.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_ledger::imported::{ImportCounts, ImportedSession, ImportedUsage, NO_END};
use rasadmin_ledger::report::{Bound, ExportFilter, Filter, GroupBy, Reader};
use rasadmin_ledger::sqlite::{Create, Sqlite};
use std::time::{Duration, Instant};
use support::imported::{import, imported};
use support::{MONDAY, Scene};

const LIMITED: &str = r#"
    time_zone = "UTC"
    default_domain = "CORP"
    default.action = "allow"
    addresses.pool = "staff"
    [pools.staff]
    addresses = ["10.8.0.0/16"]
    [[rules]]
    name = "one session per user"
    action = "deny"
    user_sessions = { at_least = 1 }
    [[rules]]
    name = "one hour a day"
    action = "deny"
    connect_time = { at_least = "1h", per = "day" }
"#;

#[test]
fn it_counts_in_no_limit_and_no_quota_and_moves_no_address() {
    let scene = Scene::new(LIMITED);
    let hours = 3_600_000;
    let counts = import(&scene, &[imported("a", "alice", MONDAY - 2 * hours, MONDAY + 2 * hours)]);
    assert_eq!(counts, ImportCounts { new: 1, ..ImportCounts::default() });
    assert!(scene.begin(1, "alice", "VPN2-1").is_ok());
    assert_eq!(scene.ask("SELECT count(*) FROM use"), "0");
    assert_eq!(
        scene.ask("SELECT count(*) FROM leases") + &scene.ask("SELECT count(*) FROM links"),
        "11",
        "its own only"
    );
}

#[test]
fn an_imported_session_cannot_live() {
    let scene = Scene::new(LIMITED);
    import(&scene, &[imported("a", "alice", MONDAY, MONDAY + 1)]);
    let ledger = rusqlite::Connection::open(scene.ledger()).unwrap();
    let refused = ledger.execute("UPDATE sessions SET acct_stop_time = NULL WHERE imported IS NOT NULL", []);
    assert!(refused.unwrap_err().to_string().contains("CHECK"));
}

#[test]
fn only_a_missing_end_is_added() {
    let scene = Scene::new(LIMITED);
    let whole = imported("a", "alice", MONDAY, MONDAY + 60_000);
    let unended = |stop| ImportedSession {
        stop,
        seconds: 0,
        usage: ImportedUsage::default(),
        closed_by: NO_END,
        estimated: true,
        ..whole.clone()
    };
    let told = || scene.ask("SELECT acct_stop_time, estimated, acct_session_time, acct_input_octets FROM sessions");
    let became = |session: &ImportedSession| {
        let compared = Reader::open(&scene.ledger()).unwrap().compare(std::slice::from_ref(session)).unwrap();
        let counts = import(&scene, std::slice::from_ref(session));
        assert_eq!(compared, counts);
        (counts.new, counts.completed, counts.already_there)
    };
    assert_eq!(became(&unended(MONDAY)), (1, 0, 0));
    assert_eq!(became(&unended(MONDAY)), (0, 0, 1));
    // It was seen later; then its end is known; then nothing more can come.
    assert_eq!(became(&unended(MONDAY + 30_000)), (0, 1, 0));
    assert_eq!(told(), format!("{} 1 30 -", MONDAY + 30_000));
    assert_eq!(became(&whole), (0, 1, 0));
    assert_eq!(told(), format!("{} 0 60 1", MONDAY + 60_000));
    assert_eq!(became(&unended(MONDAY + 90_000)), (0, 0, 1));
    assert_eq!(became(&imported("a", "mallory", 0, MONDAY + 99_000)), (0, 0, 1));
    assert_eq!(told(), format!("{} 0 60 1", MONDAY + 60_000));
}

#[test]
fn a_session_whose_end_is_unknown_is_not_live() {
    let scene = Scene::new(LIMITED);
    let unended = ImportedSession {
        usage: ImportedUsage::default(),
        closed_by: NO_END,
        estimated: true,
        ..imported("a", "alice", MONDAY - 60_000, MONDAY - 30_000)
    };
    import(&scene, &[unended]);
    let reader = Reader::open(&scene.ledger()).unwrap();
    let overview = reader.overview(&scene.config.addresses, MONDAY - 3_600_000, MONDAY, 10).unwrap();
    assert_eq!((overview.live_sessions, overview.ended, overview.live.len()), (0, 1, 0));
    let user = &reader.users(&Filter::default()).unwrap()[0];
    assert_eq!((user.live_sessions, user.last), (0, Some(MONDAY - 30_000)));
    let zone = &scene.config.zone;
    let totals = reader.totals(GroupBy::User, MONDAY - 3_600_000, MONDAY, MONDAY, &scene.config, zone).unwrap();
    assert_eq!((totals[0].sessions, totals[0].seconds, totals[0].estimated), (1, 30, 1));
}

#[test]
fn a_callback_in_between_does_not_wait_for_the_whole_import() {
    let scene = Scene::new(LIMITED);
    let many: Vec<ImportedSession> = (0..20_000)
        .map(|n| imported(&format!("key {n}"), &format!("user{}", n % 100), MONDAY - 1_000 - n, MONDAY - n))
        .collect();
    let path = scene.ledger();
    let importing = std::thread::spawn(move || {
        let mut ledger = Sqlite::open(&path, Create::No, false, Instant::now() + Duration::from_secs(5)).unwrap();
        ledger.import(&many, Duration::from_secs(30)).unwrap()
    });
    // Each has two seconds, as RRAS gives; none may find the ledger away.
    let mut handle = 0;
    while !importing.is_finished() {
        handle += 1;
        let user = format!("live{handle}");
        scene.begin(handle, &user, &format!("VPN2-{handle}")).unwrap();
    }
    assert_eq!(importing.join().unwrap().new, 20_000);
    assert_eq!(scene.ask("SELECT count(*) FROM sessions WHERE imported IS NULL"), handle.to_string());
}

#[test]
fn sessions_are_read_page_by_page_in_the_order_of_their_start() {
    let scene = Scene::new(LIMITED);
    // Many that began at the same time: a page may end among them.
    let many: Vec<ImportedSession> =
        (0..5_000).map(|n| imported(&format!("key {n}"), "alice", MONDAY + n % 3, MONDAY + 10)).collect();
    import(&scene, &many);
    let reader = Reader::open(&scene.ledger()).unwrap();
    let read = |wanted| reader.pages(wanted).unwrap().map(Result::unwrap).collect::<Vec<_>>();
    let all = read(ExportFilter::default());
    assert_eq!(all.len(), 5_000);
    assert!(all.is_sorted_by_key(|one| (one.acct_start_time, one.id)));
    assert_eq!(read(ExportFilter { since: Some(MONDAY + 2), ..ExportFilter::default() }).len(), 1_666);
    assert_eq!(read(ExportFilter { until: Some(MONDAY + 1), ..ExportFilter::default() }).len(), 1_667);
    assert_eq!(read(ExportFilter { imported: Some(false), ..ExportFilter::default() }).len(), 0);
    // What begins while it is read is not read: it would never end.
    let mut reading = reader.pages(ExportFilter::default()).unwrap();
    reading.next().unwrap().unwrap();
    import(&scene, &[imported("new", "alice", MONDAY + 2, MONDAY + 10)]);
    assert_eq!(reading.count(), 4_999);
}

#[test]
fn a_report_says_on_which_side_of_the_truth_its_times_are() {
    let scene = Scene::new(LIMITED);
    let hour = 3_600_000;
    let of = |user: &'static str, closed_by, estimated| ImportedSession {
        closed_by,
        estimated,
        ..imported(&format!("{user} {closed_by}"), user, MONDAY - 2 * hour, MONDAY - hour)
    };
    import(
        &scene,
        &[
            of("exact", "hangup", false),
            of("least", NO_END, true),
            of("most", "instance ended", true),
            of("most", "hangup", false),
            of("both", NO_END, true),
            of("both", "instance ended", true),
        ],
    );
    // What the ledger itself estimates is no bound.
    let ledger = rusqlite::Connection::open(scene.ledger()).unwrap();
    ledger
        .execute_batch(
            "INSERT INTO sessions (acct_session_id, instance, nas_identifier, domain, name, user_name, handle,
                 remote_computer, calling_station_id, interface_type, quarantine, acct_start_time, acct_stop_time,
                 acct_session_time, closed_by, estimated, billed)
             SELECT 'own', 0, nas_identifier, domain, 'OWN', user_name, 0, '', '', '', '', acct_start_time,
                 acct_stop_time, acct_session_time, closed_by, estimated, 1
             FROM sessions WHERE acct_session_id = 'most instance ended'",
        )
        .unwrap();
    let reader = Reader::open(&scene.ledger()).unwrap();
    let (config, zone) = (&scene.config, &scene.config.zone);
    let totals = reader.totals(GroupBy::User, MONDAY - 3 * hour, MONDAY, MONDAY, config, zone).unwrap();
    let bounds: Vec<_> = totals.iter().map(|total| (total.key.as_deref().unwrap(), total.connected_is())).collect();
    let expected = [
        (r"CORP\BOTH", Bound::About),
        (r"CORP\EXACT", Bound::Exact),
        (r"CORP\LEAST", Bound::AtLeast),
        (r"CORP\MOST", Bound::AtMost),
        (r"CORP\OWN", Bound::Exact),
    ];
    assert_eq!(bounds, expected);
}

/// A long read would keep the write-ahead log from being checkpointed, and slow down every connect.
#[test]
fn between_two_sessions_nothing_is_held() {
    let scene = Scene::new(LIMITED);
    let many: Vec<ImportedSession> =
        (0..5_000).map(|n| imported(&format!("key {n}"), "alice", MONDAY + n, MONDAY + n)).collect();
    import(&scene, &many);
    let reader = Reader::open(&scene.ledger()).unwrap();
    let mut reading = reader.pages(ExportFilter::default()).unwrap();
    reading.next().unwrap().unwrap();
    scene.begin(1, "bob", "VPN2-1").unwrap();
    let writer = rusqlite::Connection::open(scene.ledger()).unwrap();
    let busy: i64 = writer.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0)).unwrap();
    assert_eq!(busy, 0, "a reader holds a snapshot");
    assert_eq!(reading.count(), 4_999);
}
