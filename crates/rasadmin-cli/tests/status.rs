//! `rasadmin status` and `rasadmin install --config-only`: configuration, journal, ledger and folders.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_engine::{Mono, Now, Stamp};
use rasadmin_policy::{Name, config};
use rasadmin_recorder::Recorder;
use std::path::PathBuf;
use std::sync::Arc;
use support::{Ran, rasadmin_with, words};

struct World {
    folder: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn config(&self) -> PathBuf {
        self.path("conf/vpn.toml")
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        let (config, log) = (self.config(), self.path("log/rasadmin.log"));
        let arguments = arguments.iter().map(Into::into).chain(words([&"--config", &config]));
        rasadmin_with(arguments, &[("RASADMIN_LOG", log.to_str().unwrap()), ("RASADMIN_CONFIG", "")])
    }

    fn prepare(&self) -> Ran {
        self.run(&["install", "--config-only", "--yes"]).ends(0)
    }

    /// The service, as far as the journal sees it.
    fn service(&self) -> Recorder {
        let config = Arc::new(config::load(&self.config()).unwrap());
        Recorder::start(config, &Name::new("VPN1"), now())
    }

    /// On Windows, RRAS adds facts that these tests do not look at.
    fn status(&self) -> serde_json::Value {
        let ran = self.run(&["status", "--json"]);
        assert!(matches!(ran.code, Some(0 | 1)), "{}", ran.stderr);
        ran.json()
    }
}

fn now() -> Now {
    let at = Stamp { time: 1_795_000_000_000, mono: Mono(1) };
    Now { at, random: rasadmin_recorder::random().unwrap() }
}

fn marks(status: &serde_json::Value, about: &str) -> Vec<(String, String)> {
    let facts = status["facts"].as_array().unwrap().iter().filter(|fact| fact["about"] == about);
    let text = |fact: &serde_json::Value, name: &str| fact[name].as_str().unwrap().to_owned();
    facts.map(|fact| (text(fact, "mark"), text(fact, "text"))).collect()
}

#[track_caller]
fn one(status: &serde_json::Value, about: &str, mark: &str, text: &str) {
    let found = marks(status, about);
    assert!(found.iter().any(|(m, t)| m == mark && t.contains(text)), "{about}: {mark}: {text}\n{status:#}");
}

#[test]
fn the_configuration_is_written_once_and_only_when_confirmed() {
    let world = World::new();
    let dry = world.run(&["install", "--config-only", "--dry-run"]).ends(0).prints("Nothing was changed");
    dry.prints("1. make the folder").prints("write the configuration");
    assert_eq!(std::fs::read_dir(world.folder.path()).unwrap().count(), 0);
    world.run(&["install", "--config-only"]).ends(2).complains("add --yes");
    assert_eq!(std::fs::read_dir(world.folder.path()).unwrap().count(), 0);
    world.prepare().prints("Done.");
    assert!(world.path("log").is_dir());
    let written = config::load(&world.config()).unwrap();
    assert_eq!(written.ledger, world.path("conf").join("rasadmin.db"));
    std::fs::write(world.config(), "default.action = \"deny\"\n").unwrap();
    world.prepare().prints("nothing to do");
    assert_eq!(std::fs::read_to_string(world.config()).unwrap(), "default.action = \"deny\"\n", "it is kept");
}

#[test]
fn a_broken_configuration_without_an_earlier_one_is_refused() {
    let world = World::new();
    world.prepare();
    std::fs::write(world.config(), "default.action = \"alow\"\n").unwrap();
    world
        .run(&["install", "--config-only", "--yes"])
        .ends(1)
        .complains("RRAS would not start")
        .complains("vpn.toml:1:");
    one(&world.status(), "configuration", "attention", "no good one was kept: RRAS will not start");
    // With an earlier one, it starts.
    std::fs::write(world.config(), "default.action = \"allow\"\n").unwrap();
    config::start(&world.config()).unwrap();
    std::fs::write(world.config(), "default.action = \"alow\"\n").unwrap();
    world.prepare().prints("the last good one is in force instead");
    let status = world.status();
    one(&status, "configuration", "attention", "is in force instead");
    assert_eq!(status["configuration"]["valid"], false);
    assert_eq!(status["all_well"], false);
}

#[test]
fn a_live_service_is_shown_with_its_version_configuration_and_journal() {
    let world = World::new();
    world.prepare();
    one(&world.status(), "journal", "note", "RRAS makes it when it starts");
    one(&world.status(), "ledger", "note", "the first command that reads it makes it");
    let recorder = world.service();
    let hash = config::load(&world.config()).unwrap().hash;
    let status = world.status();
    one(&status, "journal", "ok", "2 records");
    one(&status, "service", "ok", "VPN1: running since 2026-11-18");
    one(&status, "last reload", "ok", &format!("version {}, configuration {hash}", env!("CARGO_PKG_VERSION")));
    assert_eq!(status["services"][0]["alive"], true);
    // `status` has made no ledger and has not disturbed the service: the next record is of the same instance.
    assert!(!world.path("conf/rasadmin.db").exists());
    recorder.config_is_broken("line 7 is nonsense", now());
    one(&world.status(), "last reload", "attention", "because the file was broken\nline 7 is nonsense");
    world.run(&["ledger", "update"]).ends(0).prints("3 records brought in, up to record 3");
    let status = world.status();
    one(&status, "ledger", "ok", "no page is damaged");
    one(&status, "up to date", "ok", "the ledger has every record");
    one(&status, "last reload", "attention", "line 7 is nonsense");
    std::fs::write(world.config(), "default.action = \"deny\"\n").unwrap();
    recorder.set_config(Arc::new(config::load(&world.config()).unwrap()), now());
    let status = world.status();
    one(&status, "last reload", "ok", "configuration");
    one(&status, "up to date", "note", "the next command brings in 1 record");
    recorder.stop(now());
    drop(recorder);
    // A child that another test starts just now has our handles, its lock too, until it is another program.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    let mut status = world.status();
    while status["services"][0]["alive"] == true && std::time::Instant::now() < deadline {
        status = world.status();
    }
    one(&status, "service", "note", "VPN1: not running, 0 open sessions");
    assert_eq!(status["services"][0]["alive"], false);
    world.run(&["journal", "seal"]).ends(0).prints("the checkpoint is");
    one(&world.status(), "checkpoint", "ok", "at record 4; after it: 0 records");
}

/// `status` shows damage after a crash, and how to repair it.
#[test]
fn a_journal_that_is_cut_off_or_damaged_needs_attention() {
    let world = World::new();
    world.prepare();
    drop(world.service());
    let segment = world.path("conf/journal/0000000001.segment");
    let mut bytes = std::fs::read(&segment).unwrap();
    let end = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    bytes[end - 20] ^= 1;
    std::fs::write(&segment, &bytes).unwrap();
    one(&world.status(), "journal", "attention", "what follows record 1 cannot be read");
    world
        .run(&["journal", "check"])
        .ends(1)
        .prints("what follows record 1 cannot be read")
        .prints("rasadmin journal seal");
    world.run(&["journal", "seal"]).ends(0).prints("ends with record 1");
    world.run(&["journal", "check"]).ends(0).prints("no fault found: 1 record, 1 to 1");
}

#[test]
fn lost_events_and_a_damaged_ledger_need_attention() {
    let world = World::new();
    world.prepare();
    drop(world.service());
    world.run(&["ledger", "update"]).ends(0);
    let ledger = world.path("conf/rasadmin.db");
    let connection = rusqlite::Connection::open(&ledger).unwrap();
    let sql = "INSERT INTO anomalies (effect, time, server, instance, what, details, lost)
               SELECT 'x', started, server, id, 'events were lost', '7', 7 FROM instances";
    assert_eq!(connection.execute(sql, []).unwrap(), 1);
    let sql = "INSERT INTO leases (lease, instance, server, family, number, address, user_name, port, origin, began)
               VALUES ('x', 1, 'VPN1', 4, 1, '0.0.0.1', 'x', 'x', 'offer', 0)";
    assert_eq!(connection.execute(sql, []).unwrap(), 1);
    drop(connection);
    let status = world.status();
    one(&status, "lost", "attention", "VPN1: 7 events were lost");
    one(&status, "ledger", "attention", "the ledger does not agree with the journal");
    std::fs::write(&ledger, "this is no database, and never was one".repeat(40)).unwrap();
    let _ = std::fs::remove_file(world.path("conf/rasadmin.db-wal"));
    one(&world.status(), "ledger", "attention", "it is damaged, or not a ledger");
}

#[test]
fn the_text_says_each_fact_with_a_word_and_no_control_characters() {
    let world = World::new();
    world.prepare();
    std::fs::write(world.config(), "default.action = \"a\u{1b}[31m\"\n").unwrap();
    let ran = world.run(&["status"]).ends(1).prints("ATTENTION  configuration");
    // On Windows, the DLL is not registered either.
    let first = ran.stdout.lines().next().unwrap();
    assert!(first.starts_with("attention: ") && first.contains("configuration"), "{first}");
    assert!(!ran.stdout.contains('\u{1b}'), "{}", ran.stdout);
    for line in ran.stdout.lines().skip(1).filter(|line| !line.is_empty()) {
        assert!(["ok ", "- ", "notice ", "ATTENTION ", "  "].iter().any(|mark| line.starts_with(mark)), "{line}");
    }
}

#[test]
fn a_configuration_that_does_not_exist_is_not_called_broken() {
    let world = World::new();
    let ran = world.run(&["status"]).ends(1).prints("vpn.toml: the file does not exist: check the path after --config");
    assert!(!ran.stdout.contains("broken") && !ran.stdout.contains("rights"), "{}", ran.stdout);
    // What the DLL would use is in force all the same.
    world.prepare();
    config::start(&world.config()).unwrap();
    std::fs::remove_file(world.config()).unwrap();
    let status = world.status();
    one(&status, "configuration", "attention", "the file does not exist; the last good one, ");
    assert_eq!(status["configuration"]["valid"], false);
}

#[cfg(unix)]
mod unix {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_folder_that_others_can_write_is_refused_and_told() {
        let world = World::new();
        world.prepare();
        let open = std::fs::Permissions::from_mode(0o777);
        std::fs::set_permissions(world.path("conf"), open).unwrap();
        std::fs::remove_file(world.config()).unwrap();
        let ran = world.run(&["install", "--config-only", "--yes"]).ends(1);
        ran.complains("conf: it can be written by everyone").complains("nothing was changed");
        assert!(!world.config().exists());
        std::fs::write(world.config(), "default.action = \"allow\"\n").unwrap();
        one(&world.status(), "rights", "attention", "it can be written by everyone");
    }

    #[test]
    fn a_list_that_others_can_write_is_refused_and_told() {
        let world = World::new();
        world.prepare();
        let list = world.path("conf").join("staff.txt");
        let text = "default.action = \"allow\"\n[groups.staff]\nmembers_file = \"staff.txt\"\n";
        std::fs::write(world.config(), text).unwrap();
        std::fs::write(&list, "CORP\\alice\n").unwrap();
        one(&world.status(), "rights", "ok", "lists");
        std::fs::set_permissions(&list, std::fs::Permissions::from_mode(0o666)).unwrap();
        one(&world.status(), "rights", "attention", "staff.txt");
        let ran = world.run(&["install", "--config-only", "--yes"]).ends(1);
        ran.complains("staff.txt: it can be written by everyone").complains("nothing was changed");
    }

    #[test]
    fn without_rras_it_is_said_what_can_be_done_instead() {
        for command in ["install", "uninstall"] {
            let ran = rasadmin_with(words([&command, &"--yes"]), &[]).ends(2);
            ran.complains("there is no Routing and Remote Access on this system").complains("rasadmin host run");
        }
        let world = World::new();
        world.prepare();
        assert_eq!(world.status()["all_well"], true, "{:#}", world.status());
    }
}

#[cfg(target_os = "linux")]
#[path = "../../rasadmin-journal/tests/small_disk/mod.rs"]
mod small_disk;

#[cfg(target_os = "linux")]
#[test]
fn little_room_on_the_journals_disk_is_told() {
    small_disk::on_a_small_disk("little_room_on_the_journals_disk_is_told", 100, |disk| {
        let world = World::new();
        world.prepare();
        let enough = marks(&world.status(), "disk");
        let text = std::fs::read_to_string(world.config()).unwrap();
        let journal = disk.join("journal");
        std::fs::create_dir(&journal).unwrap();
        std::fs::write(world.config(), format!("{text}\n[journal]\nfolder = '{}'\n", journal.display())).unwrap();
        let status = world.status();
        one(&status, "disk", "attention", "only 100.0 MiB are free on the disk of");
        assert_eq!(status["free_bytes"], 100 << 20);
        assert!(!enough.iter().any(|(_, text)| text.contains("100.0 MiB")), "{enough:?}");
    });
}
