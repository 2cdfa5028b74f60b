//! The dashboard as a Windows service: a real Service Control Manager starts and stops it.
#![cfg(windows)]
#![allow(clippy::unwrap_used)]

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use support::{PATIENCE, rasadmin, words};
use winreg::RegKey;
use winreg::enums::HKEY_CURRENT_USER;

const NAME: &str = "rasadmin-net";

/// Only one test at a time: Wine's Service Control Manager takes any process that asks for the one that it has started.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The registered service. It is deleted at the end, however the test ends.
struct Registered;

impl Registered {
    fn new(config: &Path) -> Self {
        let wine = RegKey::predef(HKEY_CURRENT_USER).open_subkey(r"Software\Wine");
        assert!(wine.is_ok(), "not under Wine: this computer's services are left alone");
        let program = env!("CARGO_BIN_EXE_rasadmin");
        let line = format!("\"{program}\" serve --as-service --config \"{}\"", config.display());
        sc(&["create", NAME, "binPath=", &line]);
        Self
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        for command in ["stop", "delete"] {
            let _ = Command::new("sc").args([command, NAME]).output();
        }
    }
}

fn sc(arguments: &[&str]) {
    let output = Command::new("sc").args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
}

/// Waits for a text.
fn until<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline);
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
#[ignore = "it registers a Windows service: `cargo xtask test` runs it, in a Wine prefix"]
fn the_service_control_manager_starts_and_stops_it() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("rasadmin.toml");
    let table = "[dashboard]\nlisten = '127.0.0.1:0'\nself_signed = true\n";
    std::fs::write(&config, format!("default.action = \"allow\"\n{table}")).unwrap();
    let own = folder.path().join("rasadmin-net");
    let _registered = Registered::new(&config);
    sc(&["start", NAME]);
    let address = until(|| {
        let log = std::fs::read_to_string(own.join("rasadmin-net.log")).ok()?;
        log.contains("SHA-256 fingerprint").then_some(())?;
        let (_, rest) = log.split_once("the dashboard is at https://")?;
        Some(rest.split_once('/')?.0.to_owned())
    });
    assert!(own.join("dashboard-self-signed.pem").is_file(), "the service writes into its own folder");
    let mut stream = TcpStream::connect(&address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(format!("GET / HTTP/1.1\r\nHost: {address}\r\n\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("href=\"https://"), "{answer}");
    sc(&["stop", NAME]);
    until(|| TcpStream::connect(&address).is_err().then_some(()));
}

#[test]
fn by_hand_it_says_what_to_type() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("rasadmin.toml");
    std::fs::write(&config, "default.action = \"allow\"\n").unwrap();
    let ran = rasadmin(words([&"serve", &"--as-service", &"--config", &config])).ends(2);
    ran.complains("`--as-service` is for the Service Control Manager")
        .complains("`rasadmin serve` serves the dashboard here");
}
