//! `rasadmin close --not-listed`, beside a service whose RRAS has lost its connections.
#![allow(clippy::unwrap_used)]

#[path = "support/rras.rs"]
mod rras;
mod support;

use rasadmin_engine::effect::Usage;
use rasadmin_engine::event::ConnectionEvent;
use rasadmin_engine::{InterfaceType, Mono, Now, Stamp};
use rasadmin_policy::Name;
use rasadmin_recorder::{Recorder, Verdict};
use rasadmin_rras::{Instance, Scripted};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use support::{rasadmin, until, words};

const CONFIG: &str = "\
time_zone = \"UTC\"
default_domain = \"CORP\"
default.action = \"allow\"
server.name = \"VPN1\"
[service.retention]
enabled = false
";

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// So many IKEv2 sessions, accepted three minutes ago.
fn recorder(config: &Path, sessions: u64) -> Recorder {
    let config = Arc::new(rasadmin_engine::config::load(config).unwrap());
    let ago = 180_000;
    let time = jiff::Timestamp::now().as_millisecond() - ago;
    let mono = Mono(rasadmin_system::monotonic::milliseconds() - ago.cast_unsigned());
    let now = || Now { at: Stamp { time, mono }, random: rasadmin_recorder::random().unwrap() };
    let recorder = Recorder::start(config, &Name::new("VPN1"), now());
    for handle in 1..=sessions {
        let event = ConnectionEvent {
            handle,
            guid: Some(format!("{handle:032x}")),
            user: Name::new(&format!("user{handle}")),
            domain: Name::default(),
            computer: Name::default(),
            source: "203.0.113.9".into(),
            interface: InterfaceType::Client,
            ikev2: Some(true),
            quarantine: None,
            usage: Usage::default(),
            addresses: Vec::new(),
            prefix: None,
        };
        assert_eq!(recorder.accept_connection(&event, now()), Verdict::Accept);
    }
    recorder
}

fn service(config: &Path, rras: &Path) -> Running {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rasadmin"));
    command.args(words([&"service", &"run", &"--config", &config, &"--rras", &rras, &"--speed", &"50"]));
    command.env("RASADMIN_SYSTEM_LOG", "off").stdout(Stdio::null()).stderr(Stdio::null());
    Running(command.spawn().unwrap())
}

#[test]
fn what_rras_does_not_list_is_closed_when_somebody_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let config: PathBuf = folder.path().join("rasadmin.toml");
    std::fs::write(&config, CONFIG).unwrap();
    let recorder = recorder(&config, 12);
    let close =
        |more: &[&str]| rasadmin([&["close", "--not-listed", "--config", config.to_str().unwrap()], more].concat());
    close(&["--yes"]).ends(2).complains("the rasadmin service does not see RRAS's connections now");
    let scripted = Scripted::default();
    scripted.change(|script| script.instance = Some(Instance { process: 7, created: 1 }));
    let service = service(&config, &rras::serve(&scripted));
    let status = || rasadmin(words([&"status", &"--json", &"--config", &config])).json();
    let monitor = |status: &serde_json::Value| {
        let duties = status["rasadmin_service"]["duties"].as_array().cloned().unwrap_or_default();
        duties.into_iter().find(|duty| duty["name"] == "monitor").unwrap_or_default()
    };
    until(status, |status| monitor(status)["not_listed"] == 12);
    until(
        || rasadmin(words([&"status", &"--config", &config])).stdout.into(),
        |text| text.as_str().unwrap().contains("`rasadmin close --not-listed`"),
    );
    // Without a terminal, it does not ask.
    close(&[]).ends(2);
    assert_eq!(recorder.look(rasadmin_engine::State::live_count), 12);
    close(&["--yes"]).ends(0).prints("12 sessions closed");
    let ended = rasadmin(words([&"sessions", &"--json", &"--config", &config])).ends(0).json();
    let by: Vec<_> = ended.as_array().unwrap().iter().map(|session| &session["closed_by"]).collect();
    assert_eq!(by, vec!["not listed by RRAS"; 12]);
    until(status, |status| monitor(status)["not_listed"] == 0);
    close(&["--yes"]).ends(0).prints("no session waits to be closed");
    drop(service);
}
