//! `rasadmin service run`, beside a service that the host plays.
#![allow(clippy::unwrap_used)]

#[allow(dead_code)]
#[path = "../../rasadmin-ledger/tests/support/rows.rs"]
mod rows;
mod support;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use support::{PATIENCE, office_day, product, rasadmin, rasadmin_with, until, words};

const CONFIG: &str = "\
time_zone = \"UTC\"
default_domain = \"CORP\"
default.action = \"allow\"
server.name = \"VPN1\"
[service.retention]
enabled = false
";

/// A folder with a configuration, in which the host keeps a day.
struct Day(tempfile::TempDir);

impl Day {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("given.toml"), CONFIG).unwrap();
        Self(folder)
    }

    fn kept(&self) -> PathBuf {
        self.0.path().join("kept")
    }

    fn config(&self) -> PathBuf {
        self.kept().join("rasadmin.toml")
    }

    fn ledger(&self) -> PathBuf {
        self.kept().join("rasadmin.db")
    }

    /// The host plays the office day.
    fn host(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rasadmin"));
        let given = self.0.path().join("given.toml");
        command.args(words([
            &"host",
            &"run",
            &"--json",
            &"--keep",
            &self.kept(),
            &"--config",
            &given,
            &"--dll",
            &product(),
            &office_day(),
        ]));
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    fn service(&self) -> Running {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rasadmin"));
        command.args(words([&"service", &"run", &"--config", &self.config()]));
        command.env("RASADMIN_SYSTEM_LOG", "off").stdout(Stdio::piped()).stderr(Stdio::piped());
        Running(command.spawn().unwrap())
    }

    fn status(&self) -> serde_json::Value {
        rasadmin(words([&"status", &"--json", &"--config", &self.config()])).json()
    }

    /// Waits for something to be true of `rasadmin status`.
    fn until(&self, expected: impl Fn(&serde_json::Value) -> bool) -> serde_json::Value {
        until(|| self.status(), expected)
    }
}

/// A service that is killed at the end, however the test ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn wait_for(path: &Path) {
    let deadline = Instant::now() + PATIENCE;
    while !path.exists() {
        assert!(Instant::now() < deadline, "{} does not appear", path.display());
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn records_arrive_while_the_day_is_played_and_nothing_twice_after_a_kill() {
    let day = Day::new();
    let mut host = day.host().spawn().unwrap();
    wait_for(&day.config());
    for _ in 0..3 {
        let service = day.service();
        let known = day.status()["rasadmin_service"]["duties"][0]["record"].as_u64().unwrap_or(0);
        day.until(|status| {
            let follow = &status["rasadmin_service"]["duties"][0];
            let over = follow["behind"] == 0 && status["journal"]["records"] == follow["record"];
            follow["record"].as_u64().is_some_and(|record| record > known || over)
        });
        drop(service);
    }
    assert!(host.wait().unwrap().success());
    let service = day.service();
    day.until(|status| {
        let of = &status["rasadmin_service"];
        of["running"] == true && of["duties"][0]["record"] == status["journal"]["records"]
    });
    let nothing_left = rasadmin(words([&"ledger", &"update", &"--json", &"--config", &day.config()])).ends(0).json();
    assert_eq!(nothing_left["records"], 0);
    drop(service);
    let once = day.kept().join("once.db");
    let journal = day.kept().join("journal");
    let update = words([
        &"ledger",
        &"update",
        &"--json",
        &"--journal",
        &journal,
        &"--ledger",
        &once,
        &"--config",
        &day.config(),
    ]);
    assert_ne!(rasadmin(update).ends(0).json()["records"], 0);
    let (follows, at_once) = (rows::rows(&day.ledger()).unwrap(), rows::rows(&once).unwrap());
    assert!(follows.len() > 1_000, "{}", follows.len());
    assert_eq!(follows, at_once);
}

#[test]
fn one_service_for_a_journal() {
    let day = Day::new();
    std::fs::create_dir(day.kept()).unwrap();
    std::fs::write(day.config(), CONFIG).unwrap();
    assert_eq!(day.status()["rasadmin_service"]["running"], false, "the configuration has [service]");
    let service = day.service();
    let status = day.until(|status| status["rasadmin_service"]["started"].is_string());
    assert_eq!(status["rasadmin_service"]["process"], service.0.id());
    let second = rasadmin(words([&"service", &"run", &"--config", &day.config()])).ends(3);
    second.complains(&format!("another rasadmin service runs for this journal (process {})", service.0.id()));
    drop(service);
    assert_eq!(day.status()["rasadmin_service"]["running"], false, "the lock went with the process");
    let status = rasadmin(words([&"status", &"--config", &day.config()]));
    status.prints("is not running; it started at").prints("ended abnormally");
}

#[test]
fn a_duty_that_does_not_exist_is_a_mistake_in_the_file() {
    let day = Day::new();
    std::fs::create_dir(day.kept()).unwrap();
    std::fs::write(day.config(), CONFIG.replace("retention", "retenton")).unwrap();
    let refused = rasadmin(words([&"service", &"run", &"--config", &day.config()])).ends(2);
    refused.complains("unknown key `retenton`").complains("did you mean `retention`?");
}

/// A change of the file takes effect, a mistake does not.
#[test]
fn a_changed_configuration_is_picked_up_and_a_broken_one_is_not() {
    let day = Day::new();
    std::fs::create_dir(day.kept()).unwrap();
    std::fs::write(day.config(), CONFIG).unwrap();
    let _service = day.service();
    let duties = |status: &serde_json::Value| {
        let all = status["rasadmin_service"]["duties"].as_array().cloned().unwrap_or_default();
        all.iter().map(|duty| duty["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    day.until(|status| duties(status) == ["follow", "pipe", "metrics"]);
    std::fs::write(day.config(), CONFIG.replace("enabled = false", "at = \"04:00\"")).unwrap();
    day.until(|status| duties(status) == ["follow", "retention", "pipe", "metrics"]);
    std::fs::write(day.config(), CONFIG.replace("enabled", "enabeld")).unwrap();
    // Without a configuration that was ever in force, `status` does not know where the journal is.
    let deadline = Instant::now() + PATIENCE;
    let state = || rasadmin_service::state_file::read(&day.kept().join("journal")).unwrap();
    while !state().config_fault.is_some_and(|fault| fault.contains("enabeld")) {
        assert!(Instant::now() < deadline, "{:#?}", state());
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(state().duties.len(), 4, "as before");
    std::fs::write(day.config(), CONFIG).unwrap();
    let status = day.until(|status| duties(status) == ["follow", "pipe", "metrics"]);
    assert_eq!(status["rasadmin_service"]["configuration_fault"], serde_json::Value::Null);
}

/// With a signal, as systemd stops it.
#[cfg(unix)]
#[test]
fn it_stops_cleanly_when_it_is_asked_to() {
    let day = Day::new();
    std::fs::create_dir(day.kept()).unwrap();
    std::fs::write(day.config(), CONFIG).unwrap();
    for signal in ["TERM", "INT"] {
        let mut service = day.service();
        day.until(|status| status["rasadmin_service"]["running"] == true);
        let id = service.0.id().to_string();
        assert!(Command::new("kill").args([&format!("-{signal}"), &id]).status().unwrap().success());
        assert!(service.0.wait().unwrap().success());
        let mut told = String::new();
        std::io::Read::read_to_string(&mut service.0.stdout.take().unwrap(), &mut told).unwrap();
        assert!(
            told.contains("duties: follow, pipe, metrics\n") && told.ends_with("the rasadmin service has stopped\n"),
            "{told}"
        );
        let status = day.status();
        assert_eq!(
            (&status["rasadmin_service"]["running"], status["rasadmin_service"]["stopped"].is_string()),
            (&false.into(), true)
        );
    }
}

/// A variable that is left from a run must not make an administrator's command believe another day.
#[test]
fn the_clock_of_a_run_is_not_a_servers() {
    let folder = tempfile::tempdir().unwrap();
    let (config, clock) = (folder.path().join("rasadmin.toml"), folder.path().join("clock"));
    std::fs::write(&config, CONFIG).unwrap();
    std::fs::write(&clock, "2100-01-01T00:00:00Z 1").unwrap();
    let path = |path: &Path| path.to_str().unwrap().to_owned();
    let with_clock = |arguments: &[&str]| {
        rasadmin_with([arguments, &["--config", &path(&config)]].concat(), &[("RASADMIN_CLOCK", &path(&clock))])
    };
    for command in [&["purge", "--before", "400d", "--yes"][..], &["sessions"], &["block", "alice", "--yes"]] {
        with_clock(command).ends(2).complains("RASADMIN_CLOCK names the clock of a run").complains("remove the");
    }
    let speed = rasadmin(words([&"service", &"run", &"--speed", &"30", &"--config", &config]));
    speed.ends(2).complains("--speed is for a run").complains("leave it out");
    // With the configuration of a run it is used, and must be readable.
    std::fs::write(folder.path().join("rasadmin-scratch"), "").unwrap();
    with_clock(&["sessions"]).ends(2).complains("the ledger does not exist yet");
    std::fs::write(&clock, "tomorrow").unwrap();
    with_clock(&["sessions"]).ends(2).complains("cannot be read");
}

/// Systemd, where it is installed, reads every line of the unit.
#[cfg(unix)]
#[test]
fn the_unit_for_systemd_is_valid_and_starts_a_command_that_exists() {
    let unit = std::fs::read_to_string(support::root().join("examples/rasadmin.service")).unwrap();
    let start = unit.lines().find_map(|line| line.strip_prefix("ExecStart=/usr/bin/rasadmin ")).unwrap();
    rasadmin(start.split(' ').chain(["--help"])).ends(0).prints("Run the service in the foreground");
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("rasadmin.service");
    std::fs::write(&copy, unit.replace("/usr/bin/rasadmin", env!("CARGO_BIN_EXE_rasadmin"))).unwrap();
    let verify = Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&copy).output();
    let told = verify.expect("install systemd: this test needs systemd-analyze");
    assert!(told.status.success() && told.stderr.is_empty(), "{told:?}");
}
