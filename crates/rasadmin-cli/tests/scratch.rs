//! `check` and `host` never touch this computer's configuration, journal and ledger, however they are named.
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use support::{product, rasadmin_with, words};

/// A configuration as on a server, with a journal, a ledger and a members file. No test may change any of it.
struct Server {
    folder: tempfile::TempDir,
    before: BTreeMap<PathBuf, Vec<u8>>,
}

/// The files in a folder with their content.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
            found.insert(path, Vec::new());
        } else {
            found.insert(path.clone(), std::fs::read(&path).unwrap());
        }
    }
    found
}

impl Server {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &[u8]| std::fs::write(folder.path().join(name), text).unwrap();
        for name in ["conf", "data", "logs", "data/journal"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        let ledger = folder.path().join("data/vpn.db");
        let text = format!(
            "default = {{ action = \"deny\", reason = \"not of the staff\" }}\n\
             [groups]\nstaff = {{ members_file = \"../data/staff.txt\" }}\n\
             [[rules]]\nname = \"staff\"\naction = \"allow\"\ngroups = [\"staff\"]\n\
             [ledger]\npath = '{}'\n[journal]\nfolder = '{}'\n",
            ledger.display(),
            folder.path().join("data/journal").display()
        );
        write("conf/vpn.toml", text.as_bytes());
        write("data/staff.txt", b"CORP\\alice\n");
        write("data/vpn.db", b"whatever is in it, it is not ours to open");
        write("data/journal/0000000001.segment", b"nor is this");
        write("logs/rasadmin.log", b"yesterday\n");
        let before = files(folder.path());
        Self { folder, before }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_string_lossy().into_owned()
    }

    /// Runs a command in an environment that names all of it, and checks that nothing has changed.
    fn run(&self, arguments: Vec<std::ffi::OsString>) -> support::Ran {
        let (config, log) = (self.path("conf/vpn.toml"), self.path("logs/rasadmin.log"));
        let ran = rasadmin_with(arguments, &[("RASADMIN_CONFIG", &config), ("RASADMIN_LOG", &log)]);
        assert_eq!(files(self.folder.path()), self.before, "something was changed");
        ran
    }
}

const DAY: &str = "server-address 10.20.0.1\npool 10.20.0.2-10.20.0.9\nday 2026-11-23T00:00:00Z\n\
                   08:00:00 connect alice user=CORP\\alice tunnel=sstp from=203.0.113.1 until=09:30:00\n\
                   08:01:00 connect mallory user=CORP\\mallory tunnel=sstp from=203.0.113.2\nexpect mallory denied\n";

fn scenario(folder: &Path) -> PathBuf {
    let path = folder.join("day.scenario");
    std::fs::write(&path, DAY).unwrap();
    path
}

#[test]
fn a_check_leaves_the_machines_own_alone() {
    let server = Server::new();
    server.run(words([&"check", &"--require-dynamic", &"--cycles", &"5", &product()])).ends(0);
}

#[test]
fn a_run_borrows_the_rules_and_nothing_else() {
    let server = Server::new();
    let folder = tempfile::tempdir().unwrap();
    let (day, trace) = (scenario(folder.path()), folder.path().join("trace"));
    let reasons = |more: Vec<std::ffi::OsString>| {
        let mut run = words([&"host", &"run", &"--json", &"--dll", &product(), &day]);
        run.extend(more);
        let json = server.run(run).ends(0).json();
        (json["accepted"].clone(), json["refused"].clone())
    };
    let one_of_two = (1.into(), 1.into());
    assert_eq!(reasons(words([&"--trace", &trace])), one_of_two, "the rules of RASADMIN_CONFIG");
    assert_eq!(reasons(words([&"--config", &server.path("conf/vpn.toml")])), one_of_two);
    assert_eq!(reasons(words([&"--two-processes"])), one_of_two);
    server.run(words([&"host", &"replay", &"--dll", &product(), &trace])).ends(0).prints("identical");
}

#[test]
fn a_run_that_was_kept_can_be_looked_at() {
    let server = Server::new();
    let folder = tempfile::tempdir().unwrap();
    let (day, kept) = (scenario(folder.path()), folder.path().join("kept"));
    let run = [&"host" as &dyn AsRef<_>, &"run", &"--dll", &product(), &"--keep", &kept, &day];
    let ran = server.run(words(run)).ends(0);
    let config = kept.join("rasadmin.toml");
    let ran = ran.prints("1 expectation met, 0 not");
    ran.prints(&format!("rasadmin sessions --config {}", config.display()));
    // It uses the journal, the ledger and the members file beside it, not those that the original names.
    let ask = |what: &[&str]| rasadmin_with(what, &[("RASADMIN_CONFIG", config.to_str().unwrap())]).ends(0).json();
    let sessions = ask(&["sessions", "--json"]);
    let sessions = sessions.as_array().unwrap();
    assert_eq!((sessions.len(), &sessions[0]["name"]), (1, &"ALICE".into()), "{sessions:?}");
    assert_eq!(
        sessions[0]["acct_start_time"], "2026-11-23T08:00:00Z",
        "the run has its own clock, because it is a rehearsal"
    );
    assert_eq!(ask(&["decisions", "--rejected", "--json"])[0]["name"], "MALLORY");
    assert!(std::fs::read_to_string(kept.join("rasadmin.log")).unwrap().contains("MALLORY"));
    // A second day continues that journal.
    server.run(words(run)).ends(0);
    assert_eq!(ask(&["sessions", "--json"]).as_array().unwrap().len(), 2);
    // The clock's file stays. Outside a rehearsal, it has no effect.
    assert!(kept.join("clock").is_file());
}

#[test]
fn a_run_without_a_day_uses_the_systems_clock_after_any_other_run() {
    let folder = tempfile::tempdir().unwrap();
    let (day, kept) = (folder.path().join("day.scenario"), folder.path().join("kept"));
    let run = |first: &str| {
        let text = "server-address 10.20.0.1\npool 10.20.0.2-10.20.0.9\n";
        let alice = "08:00:00 connect alice user=CORP\\alice tunnel=sstp from=203.0.113.1 until=09:30:00\n";
        std::fs::write(&day, format!("{text}{first}{alice}")).unwrap();
        rasadmin_with(words([&"host", &"run", &"--dll", &product(), &"--keep", &kept, &day]), &[]).ends(0);
    };
    run("day 2026-11-23T00:00:00Z\n");
    let now = || jiff::Timestamp::now().as_second();
    let before = now();
    run("");
    let during = before..=now();
    let sessions = words([&"sessions", &"--json", &"--config", &kept.join("rasadmin.toml")]);
    let sessions = rasadmin_with(sessions, &[]).ends(0).json();
    let began = |session: &serde_json::Value| {
        session["acct_start_time"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_second()
    };
    let began: Vec<_> = sessions.as_array().unwrap().iter().map(began).collect();
    assert_eq!(began.iter().filter(|at| during.contains(at)).count(), 1, "{sessions}");
    assert_eq!(began.len(), 2, "{sessions}");
}

#[test]
fn a_folder_with_other_files_is_refused() {
    let server = Server::new();
    let folder = tempfile::tempdir().unwrap();
    let day = scenario(folder.path());
    let data = server.path("data");
    let run = [&"host" as &dyn AsRef<_>, &"run", &"--dll", &product(), &"--keep", &data, &day];
    server.run(words(run)).ends(2).complains("neither empty nor from an earlier test run");
    server.run(words([&"check", &"--keep", &data, &product()])).ends(2).complains("neither empty");
}

#[test]
fn what_a_check_wrote_can_be_kept() {
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("kept");
    let check = words([&"check", &"--require-dynamic", &"--cycles", &"5", &"--keep", &kept, &product()]);
    rasadmin_with(check, &[]).ends(0);
    let sessions = words([&"sessions", &"--json", &"--config", &kept.join("rasadmin.toml")]);
    assert!(!rasadmin_with(sessions, &[]).ends(0).json().as_array().unwrap().is_empty());
}

/// Variables that somebody sets by hand lead only to a rehearsal's folder.
#[test]
fn no_variable_leads_past_the_scratch_folder() {
    let server = Server::new();
    let folder = tempfile::tempdir().unwrap();
    let day = scenario(folder.path());
    let data = server.path("data");
    let config = server.path("conf/vpn.toml");
    let environment = [("RASADMIN_CONFIG", &*config), ("RASADMIN_SCRATCH", &*data), ("RASADMIN_HOST_INSIDE", &*data)];
    let run = words([&"host", &"run", &"--dll", &product(), &day]);
    rasadmin_with(run, &environment).ends(0);
    assert_eq!(files(server.folder.path()), server.before);
}
