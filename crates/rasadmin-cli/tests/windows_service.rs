//! The rasadmin service as a Windows service: `rasadmin install` registers it with a real Service Control Manager.
#![cfg(windows)]
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_host::registry::KEY;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use support::{PATIENCE, Ran, fixtures, product, program_with, rasadmin, until, words};
use winreg::RegKey;
use winreg::enums::{HKEY_CURRENT_USER, HKEY_LOCAL_MACHINE};

const SERVICE_KEY: &str = r"SYSTEM\CurrentControlSet\Services\rasadmin";

/// This computer, which a test has for itself. At its end nothing of the test is left.
struct Machine {
    folder: tempfile::TempDir,
    _alone: MutexGuard<'static, ()>,
}

impl Drop for Machine {
    fn drop(&mut self) {
        if self.run("old", &["uninstall", "--yes"]).code != Some(0) {
            delete_service();
        }
        let _ = RegKey::predef(HKEY_LOCAL_MACHINE).delete_subkey_all(KEY);
    }
}

impl Machine {
    fn new() -> Self {
        static ALONE: Mutex<()> = Mutex::new(());
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let wine = RegKey::predef(HKEY_CURRENT_USER).open_subkey(r"Software\Wine");
        assert!(wine.is_ok(), "not under Wine: this computer's services are left alone");
        let machine = Self { folder: tempfile::tempdir().unwrap(), _alone: alone };
        std::fs::create_dir(machine.path("data")).unwrap();
        for version in ["old", "new"] {
            std::fs::create_dir(machine.path(version)).unwrap();
            std::fs::copy(env!("CARGO_BIN_EXE_rasadmin"), machine.program(version)).unwrap();
            std::fs::copy(product(), machine.dll(version)).unwrap();
        }
        assert!(registered().is_none(), "a service is left from before");
        machine
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn program(&self, version: &str) -> PathBuf {
        self.path(version).join("rasadmin.exe")
    }

    fn dll(&self, version: &str) -> PathBuf {
        self.path(version).join("rasadmin.dll")
    }

    /// The configuration that install writes.
    fn config(&self) -> PathBuf {
        self.path(r"data\rasadmin\rasadmin.toml")
    }

    fn run(&self, version: &str, arguments: &[&str]) -> Ran {
        let data = self.path("data").to_str().unwrap().to_owned();
        let environment = [("ProgramData", &*data), ("RASADMIN_LOG", ""), ("RASADMIN_CONFIG", "")];
        program_with(&self.program(version), arguments, &environment)
    }

    fn install(&self, version: &str, more: &[&str]) -> Ran {
        self.run(version, &[&["install", "--yes"], more].concat())
    }

    fn status(&self) -> serde_json::Value {
        self.run("old", &["status", "--json"]).json()
    }

    /// Waits for something to be true of `rasadmin status`.
    fn until(&self, expected: impl Fn(&serde_json::Value) -> bool) -> serde_json::Value {
        until(|| self.status(), expected)
    }

    /// Remote Access with the DLL, for a few calls.
    fn remote_access(&self) {
        let mut host = Command::new(fixtures().join("chost.exe"));
        host.arg(self.dll("old")).env("RASADMIN_CONFIG", self.config()).env("RASADMIN_SYSTEM_LOG", "off");
        assert!(host.env("RASADMIN_LOG", self.path("rasadmin.log")).output().unwrap().status.success());
    }

    /// The service in the foreground, with the lock of the configuration's journal.
    fn foreground(&self, config: &Path) -> Foreground {
        let mut command = Command::new(self.program("old"));
        command.args(words([&"service", &"run", &"--config", &config])).env("RASADMIN_SYSTEM_LOG", "off");
        let running = Foreground(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        let config = config.to_str().unwrap();
        let deadline = Instant::now() + PATIENCE;
        let process = || self.run("old", &["status", "--json", "--config", config]).json();
        while process()["rasadmin_service"]["process"] != running.0.id() {
            assert!(Instant::now() < deadline, "{:#}", process());
            std::thread::sleep(Duration::from_millis(50));
        }
        running
    }
}

/// A process that is killed at the end, however the test ends.
struct Foreground(Child);

impl Drop for Foreground {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Also if the Service Control Manager cannot stop it.
fn delete_service() {
    for name in ["rasadmin-net", "rasadmin"] {
        let _ = Command::new("sc").args(["delete", name]).output();
    }
}

/// What the Service Control Manager keeps of the service.
fn registered() -> Option<RegKey> {
    RegKey::predef(HKEY_LOCAL_MACHINE).open_subkey(SERVICE_KEY).ok()
}

fn value(name: &str) -> String {
    registered().unwrap().get_value(name).unwrap()
}

/// What the Service Control Manager keeps of the dashboard's service.
fn dashboard() -> Option<RegKey> {
    RegKey::predef(HKEY_LOCAL_MACHINE).open_subkey(r"SYSTEM\CurrentControlSet\Services\rasadmin-net").ok()
}

/// The log of a service that the Service Control Manager starts. Wine gives it this folder as %ProgramData%.
fn log() -> PathBuf {
    Path::new(&std::env::var_os("PUBLIC").unwrap()).join(r"rasadmin\rasadmin-service.log")
}

#[test]
#[ignore = "it registers a Windows service: `cargo xtask test` runs it, in a Wine prefix"]
fn install_registers_and_starts_it_and_uninstall_leaves_nothing() {
    let machine = Machine::new();
    let _ = std::fs::remove_file(log());
    let dry = machine.run("old", &["install", "--dry-run"]).ends(0).prints("register the Windows service `rasadmin`");
    let dry = dry.prints("start the Windows service `rasadmin`").prints("Nothing was changed");
    dry.prints("the service deletes old data from the ledger");
    assert!(registered().is_none());

    machine.install("old", &[]).ends(0).prints("start the Windows service `rasadmin`");
    let (program, config) = (machine.program("old"), machine.config());
    let (program, config) = (program.to_str().unwrap(), config.to_str().unwrap());
    assert_eq!(value("ImagePath"), format!("{program} service run --as-service --config {config}"));
    assert_eq!((value("DisplayName"), value("ObjectName")), ("rasadmin".into(), "LocalSystem".into()));
    assert!(value("Description").contains("VPN users are not affected"));
    assert_eq!(registered().unwrap().get_value::<u32, _>("Start").unwrap(), 2, "automatic");
    let status = machine.until(|status| status["rasadmin_service"]["running"] == true);
    let service = &status["windows_service"];
    assert_eq!((&service["start"], &service["state"]), (&"automatic".into(), &"running".into()), "{status:#}");
    assert_eq!(service["process"], status["rasadmin_service"]["process"]);
    let text = machine.run("old", &["status"]);
    text.prints("the rasadmin service runs, process").prints(", and starts with the computer");

    machine.remote_access();
    let status = machine.until(|status| {
        let record = &status["rasadmin_service"]["duties"][0]["record"];
        record.as_u64().is_some_and(|record| record > 0) && *record == status["journal"]["records"]
    });
    let process = status["windows_service"]["process"].as_u64().unwrap();
    let again = machine.install("old", &[]).ends(0);
    assert!(!again.stdout.contains("Windows service"), "{}", again.stdout);
    assert_eq!(machine.status()["windows_service"]["process"], process, "it goes on");

    let dry = machine.run("old", &["uninstall", "--dry-run"]).ends(0).prints("stop the Windows service `rasadmin`");
    dry.prints("delete the Windows service `rasadmin`");
    machine.run("old", &["uninstall", "--yes"]).ends(0);
    assert!(registered().is_none());
    let status = machine.status();
    assert_eq!(status["windows_service"]["registered"], false);
    let service = &status["rasadmin_service"];
    assert_eq!((&service["running"], service["stopped"].is_string()), (&false.into(), true), "{status:#}");
    let log = std::fs::read_to_string(log()).unwrap();
    let lines = |text: &str| log.lines().filter(|line| line.contains(text)).count();
    assert_eq!((lines("  duties: follow, "), lines("  the rasadmin service has stopped")), (1, 1), "{log}");
}

/// Windows notices it, and starts the service again after five seconds. Wine does neither.
#[test]
#[ignore = "it registers a Windows service: `cargo xtask test` runs it, in a Wine prefix"]
fn after_a_kill_status_says_so_and_it_goes_on_where_it_was() {
    let machine = Machine::new();
    machine.install("old", &[]).ends(0);
    let running = machine.until(|status| status["rasadmin_service"]["started"].is_string());
    let process = running["windows_service"]["process"].as_u64().unwrap();
    let kill = Command::new("taskkill").args(["/F", "/PID", &process.to_string()]).output().unwrap();
    assert!(kill.status.success(), "{kill:?}");
    machine.until(|status| status["rasadmin_service"]["running"] == false);
    let text =
        machine.run("old", &["status"]).ends(1).prints("ATTENTION  as a service   but no process serves this journal");
    text.prints("Restart-Service rasadmin").prints("ended abnormally");
    machine.remote_access();
    delete_service();
    assert!(registered().is_none());
    machine.install("old", &[]).ends(0).prints("register the Windows service").prints("start the Windows service");
    machine.until(|status| {
        let record = &status["rasadmin_service"]["duties"][0]["record"];
        record.as_u64().is_some_and(|record| record > 0) && *record == status["journal"]["records"]
    });
}

#[test]
#[ignore = "it registers a Windows service: `cargo xtask test` runs it, in a Wine prefix"]
fn an_upgrade_stops_it_and_starts_the_new_program() {
    let machine = Machine::new();
    machine.install("old", &[]).ends(0);
    let before = machine.until(|status| status["rasadmin_service"]["running"] == true);
    let ran = machine.install("new", &[]).ends(0).prints("stop the Windows service `rasadmin`");
    ran.prints("change the Windows service `rasadmin`").prints("start the Windows service `rasadmin`");
    let after = machine.until(|status| status["rasadmin_service"]["running"] == true);
    assert_eq!(after["windows_service"]["program"], machine.program("new").to_str().unwrap());
    assert_ne!(after["windows_service"]["process"], before["windows_service"]["process"]);
}

#[test]
#[ignore = "it registers a Windows service: `cargo xtask test` runs it, in a Wine prefix"]
fn without_the_service_the_task_stays_and_the_service_goes() {
    let machine = Machine::new();
    // Wine reports every task as existing.
    let task = "delete the task `rasadmin ledger update`";
    let without = machine.install("old", &["--no-service"]).ends(0);
    assert!(!without.stdout.contains("Windows service") && !without.stdout.contains(task), "{}", without.stdout);
    assert!(registered().is_none());
    machine.run("old", &["status"]).prints("is not registered; `rasadmin install` registers it");
    // An installation from before there was a Windows service.
    machine.install("old", &[]).ends(0).prints("register the Windows service").prints(task);
    assert!(registered().is_some());
    let without = machine.install("old", &["--no-service"]).ends(0).prints("stop the Windows service");
    without.prints("delete the Windows service");
    assert!(registered().is_none());
}

#[test]
#[ignore = "it registers a Windows service: `cargo xtask test` runs it, in a Wine prefix"]
fn an_install_that_fails_leaves_the_service_as_it_was() {
    let machine = Machine::new();
    let dll_path =
        || RegKey::predef(HKEY_LOCAL_MACHINE).open_subkey(KEY).and_then(|key| key.get_value::<String, _>("DllPath"));
    std::fs::create_dir_all(machine.path("other")).unwrap();
    let other = machine.path(r"other\vpn.toml");
    std::fs::write(&other, "default.action = \"allow\"\n").unwrap();
    let held = machine.foreground(&other);
    // It cannot start, because another process has the journal.
    let failed = machine.install("old", &["--config", other.to_str().unwrap()]).ends(2);
    failed.complains("error 3: another process runs the rasadmin service").complains("all earlier steps were undone");
    assert!(registered().is_none() && dll_path().is_err());

    machine.install("old", &[]).ends(0);
    let before = dll_path().unwrap();
    let failed = machine.install("new", &["--config", other.to_str().unwrap()]).ends(2);
    failed.complains("all earlier steps were undone");
    let status = machine.until(|status| status["rasadmin_service"]["running"] == true);
    let service = &status["windows_service"];
    assert_eq!(service["program"], machine.program("old").to_str().unwrap(), "{status:#}");
    assert_eq!((&service["configuration"], dll_path().unwrap()), (&machine.config().to_str().unwrap().into(), before));
    drop(held);
}

#[test]
fn who_starts_it_as_a_service_by_hand_is_told_what_to_type() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("rasadmin.toml");
    std::fs::write(&config, "default.action = \"allow\"\n").unwrap();
    let ran = rasadmin(words([&"service", &"run", &"--as-service", &"--config", &config])).ends(2);
    ran.complains("`--as-service` is for the Service Control Manager")
        .complains("`rasadmin service run` runs the service here");
}

#[test]
#[ignore = "it registers a Windows service: `cargo xtask test` runs it, in a Wine prefix"]
fn the_dashboard_is_a_second_service_that_upgrades_keep() {
    let machine = Machine::new();
    std::fs::create_dir(machine.path(r"data\rasadmin")).unwrap();
    let table = "[dashboard]\nlisten = '127.0.0.1:0'\n";
    std::fs::write(machine.config(), format!("default.action = \"allow\"\n{table}")).unwrap();
    let dry = machine.run("old", &["install", "--dry-run", "--dashboard"]).ends(0);
    let dry = dry.prints("register the Windows service `rasadmin-net`").prints(r", as NT SERVICE\rasadmin-net,");
    let folder = machine.path(r"data\rasadmin").display().to_string();
    let dry = dry.prints(&format!(r"let NT SERVICE\rasadmin-net read the files in {folder}"));
    dry.prints(&format!(r"make the folder {folder}\rasadmin-net")).prints("Nothing was changed");
    assert!(dashboard().is_none());

    machine.install("old", &["--dashboard"]).ends(0).prints("rasadmin dashboard user add NAME");
    let value = |name: &str| dashboard().unwrap().get_value::<String, _>(name).unwrap();
    let line = |version: &str| {
        let (program, config) = (machine.program(version), machine.config());
        format!("{} serve --as-service --config {}", program.display(), config.display())
    };
    assert_eq!((value("ImagePath"), value("ObjectName")), (line("old"), r"NT SERVICE\rasadmin-net".into()));
    let status = machine.until(|status| status["dashboard_service"]["state"] == "running");
    assert_eq!(status["windows_service"]["state"], "running", "{status:#}");
    let log = machine.path(r"data\rasadmin\rasadmin-net\rasadmin-net.log");
    let deadline = Instant::now() + PATIENCE;
    let address = loop {
        let text = std::fs::read_to_string(&log).unwrap_or_default();
        if let Some((_, rest)) = text.split_once("the dashboard is at http://") {
            break rest.split('/').next().unwrap().to_owned();
        }
        assert!(Instant::now() < deadline, "{text}");
        std::thread::sleep(Duration::from_millis(50));
    };
    std::net::TcpStream::connect(&address).unwrap();

    let upgrade = machine.install("new", &[]).ends(0).prints("stop the Windows service `rasadmin-net`");
    upgrade.prints("change the Windows service `rasadmin-net`").prints("start the Windows service `rasadmin-net`");
    assert_eq!(value("ImagePath"), line("new"));
    machine.until(|status| status["dashboard_service"]["state"] == "running");
    machine
        .run("new", &["install", "--yes", "--no-dashboard"])
        .ends(0)
        .prints("delete the Windows service `rasadmin-net`");
    assert!(dashboard().is_none() && registered().is_some());
    assert_eq!(machine.status()["dashboard_service"], serde_json::Value::Null);

    machine.run("new", &["install", "--yes", "--dashboard"]).ends(0);
    machine.run("new", &["uninstall", "--yes"]).ends(0).prints("delete the Windows service `rasadmin-net`");
    assert!(dashboard().is_none() && registered().is_none());
}
