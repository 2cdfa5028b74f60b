//! A full disk loses nothing in silence, and a reader who has had enough is not an error: for every command that prints.
#![allow(clippy::unwrap_used)]

mod support;

use std::path::Path;
use std::process::{Command, Output, Stdio};
use support::{office_day, product, rasadmin, words};

/// A run to look at, and a command line for everything that prints.
struct Run {
    folder: tempfile::TempDir,
}

impl Run {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path().join("run");
        let office = support::root().join("examples/office-day.toml");
        let day = [
            &"host" as &dyn AsRef<std::ffi::OsStr>,
            &"run",
            &"--dll",
            &product(),
            &"--config",
            &office,
            &"--keep",
            &run,
            &"--trace",
            &folder.path().join("day.trace"),
            &office_day(),
        ];
        rasadmin(words(day)).ends(0);
        Self { folder }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn command_lines(&self) -> Vec<Vec<String>> {
        let config = self.path("run/rasadmin.toml");
        let on_run = [
            "addresses",
            "config show",
            "config show --text",
            "decisions",
            "explain --user alice --tunnel SSTP",
            "export --format csv",
            "export --format jsonl",
            "export --format nps-dts",
            "export --format radacct --nas-ip-address 10.0.0.1",
            "journal check",
            "journal seal",
            "journal show",
            "ledger check",
            "ledger update",
            "report --by user --since 2020-01-01",
            "report --by user --since 2020-01-01 --format csv",
            "report --by user --since 2020-01-01 --json",
            "sessions",
            "sessions --json",
            "status",
            "usage --since 2020-01-01",
            "users",
            "who-had 10.20.16.9",
        ];
        let mut all: Vec<Vec<String>> = on_run
            .iter()
            .map(|line| line.split(' ').map(str::to_owned).chain(["--config".to_owned(), config.clone()]).collect())
            .collect();
        let others = [
            vec!["--help"],
            vec!["help", "sessions"],
            vec!["--version"],
            vec!["completions", "bash"],
            vec!["config", "schema"],
            vec!["config", "new", "--no-questions", "--output", "-"],
        ];
        all.extend(others.iter().map(|line| line.iter().map(|word| (*word).to_owned()).collect()));
        let dll = product().display().to_string();
        all.push(vec!["config".into(), "check".into(), config]);
        all.push(vec!["check".into(), "--static-only".into(), dll.clone()]);
        all.push(vec!["host".into(), "replay".into(), "--dll".into(), dll, self.path("day.trace")]);
        let (candidate, ledger) = (support::root().join("examples/office-day.toml"), self.path("run/rasadmin.db"));
        let candidate = candidate.display().to_string();
        all.push(vec!["replay".into(), "--config".into(), candidate, "--ledger".into(), ledger]);
        all
    }
}

fn run(arguments: &[String], stdout: Stdio, folder: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rasadmin"));
    command.args(arguments).stdin(Stdio::null()).stdout(stdout).env("RASADMIN_LOG", folder.join("rasadmin.log"));
    command.output().unwrap()
}

/// Only this platform has a device that is always full.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_reported() {
    let office = Run::new();
    for line in office.command_lines() {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let ran = run(&line, full.into(), office.folder.path());
        let stderr = String::from_utf8_lossy(&ran.stderr);
        assert_eq!(ran.status.code(), Some(2), "{line:?}\n{stderr}");
        assert!(stderr.contains("standard output cannot be written: "), "{line:?}\n{stderr}");
        assert!(stderr.contains("make room on that disk"), "{line:?}\n{stderr}");
    }
}

#[test]
fn a_closed_pipe_is_not_an_error() {
    let office = Run::new();
    for line in office.command_lines() {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let ran = run(&line, writer.into(), office.folder.path());
        let stderr = String::from_utf8_lossy(&ran.stderr);
        assert_eq!(ran.status.code(), Some(0), "{line:?}\n{stderr}");
        assert!(!stderr.contains("error:"), "{line:?}\n{stderr}");
    }
}

#[test]
fn an_error_is_json_where_the_answer_would_be() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("rasadmin.toml");
    std::fs::write(&config, "default.action = \"allow\"\n").unwrap();
    let ran = rasadmin(words([&"sessions", &"--json", &"--since", &"never", &"--config", &config])).ends(2);
    assert_eq!(ran.stdout, "");
    let error: serde_json::Value = serde_json::from_str(ran.stderr.trim()).unwrap();
    assert_eq!(error["error"]["kind"], "usage");
    assert_eq!(error["error"]["exit_code"], 2);
    assert!(error["error"]["message"].as_str().unwrap().contains("`never` is not a valid time"), "{error}");
    // The command line itself too.
    let ran = rasadmin(["sessions", "--json", "--no-such-option"]).ends(2);
    let error: serde_json::Value = serde_json::from_str(ran.stderr.trim()).unwrap();
    assert_eq!(error["error"]["kind"], "usage");
    assert!(
        error["error"]["message"].as_str().unwrap().starts_with("unexpected argument '--no-such-option'"),
        "{error}"
    );
    // For people it is a line.
    let ran = rasadmin(words([&"sessions", &"--since", &"never", &"--config", &config])).ends(2);
    assert!(ran.stderr.starts_with("error: `never` is not a valid time"), "{}", ran.stderr);
}
