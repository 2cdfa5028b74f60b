//! `rasadmin service run` ends sessions of a day that the host plays.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod support;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;
use support::{PATIENCE, product, rasadmin, words};

const CONFIG: &str = r#"
time_zone = "UTC"
default_domain = "CORP"
default.action = "allow"
server.name = "VPN1"
[service.retention]
enabled = false
[service.disconnect]
mode = "enforce"
[[rules]]
name = "quota"
action = "deny"
octets = { at_least = "2 GiB", per = "day" }
disconnect_active = true
[[rules]]
name = "eight minutes"
action = "deny"
session_time = "8m"
disconnect_active = true
"#;

/// Alice uses up 2 GiB after six minutes, and comes back. Bob stays for too long, and carol does not.
const DAY: &str = "\
server VPN1
day 2026-11-23T00:00:00Z
server-address 10.20.0.1
pool 10.20.0.2-10.20.0.254
08:00:00 connect alice user=alice tunnel=ikev2 from=203.0.113.9 computer=PC-1 received=6871947701 until=08:20:00
08:00:10 connect bob user=bob tunnel=sstp from=203.0.113.5 computer=PC-2 received=1000000 until=08:20:00
08:14:00 connect carol user=carol tunnel=sstp from=203.0.113.6 computer=PC-3 received=1000 until=08:20:00
08:18:00 connect again user=alice tunnel=ikev2 from=203.0.113.9 computer=PC-1 until=08:19:00
";

/// A process that is killed at the end, however the test ends.
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
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

#[test]
fn a_quota_and_a_time_end_sessions_and_whoever_comes_back_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let (kept, socket) = (path("kept"), path("rras.sock"));
    std::fs::write(path("given.toml"), CONFIG).unwrap();
    std::fs::write(path("day.scenario"), DAY).unwrap();
    let mut host = Command::new(env!("CARGO_BIN_EXE_rasadmin"));
    host.args(words([&"host", &"run", &"--keep", &kept, &"--config", &path("given.toml"), &"--dll", &product()]));
    host.args(words([&"--serve-rras", &socket, &"--speed", &"30", &path("day.scenario")]));
    let host = host.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    wait_for(&socket);
    let config = kept.join("rasadmin.toml");
    let mut service = Command::new(env!("CARGO_BIN_EXE_rasadmin"));
    service.args(words([&"service", &"run", &"--config", &config, &"--rras", &socket, &"--speed", &"30"]));
    service.env("RASADMIN_CLOCK", kept.join("clock")).env("RASADMIN_SYSTEM_LOG", "off");
    let service = Running(service.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    let ran = host.wait_with_output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    drop(service);
    let sessions = rasadmin(words([&"sessions", &"--json", &"--config", &config])).ends(0).json();
    let of = |name: &str| {
        let all = sessions.as_array().unwrap().iter().filter(|session| session["name"] == name);
        let all: Vec<_> = all.cloned().collect();
        assert_eq!(all.len(), 1, "{sessions:#}");
        all[0].clone()
    };
    let ended = |session: &serde_json::Value| {
        ["acct_terminate_cause", "closed_by", "disconnect", "disconnect_rule"].map(|key| session[key].clone())
    };
    let (alice, bob, carol) = (of("ALICE"), of("BOB"), of("CAROL"));
    assert_eq!(ended(&alice), ["Session-Timeout", "hangup", "enforced", "quota"].map(serde_json::Value::from));
    assert_eq!(ended(&bob), ["Session-Timeout", "hangup", "enforced", "eight minutes"].map(serde_json::Value::from));
    assert_eq!(carol["disconnect"], serde_json::Value::Null);
    let octets = alice["acct_input_octets"].as_u64().unwrap();
    assert!((2 << 30..6_871_947_701).contains(&octets), "{octets}");
    println!("ended after {} s and {} s", alice["acct_session_time"], bob["acct_session_time"]);
    let refused = rasadmin(words([&"decisions", &"--rejected", &"--json", &"--config", &config])).ends(0).json();
    let rules: Vec<_> = refused.as_array().unwrap().iter().map(|decision| decision["rule"].clone()).collect();
    assert!(rules.contains(&"quota".into()), "{refused:#}");
}
