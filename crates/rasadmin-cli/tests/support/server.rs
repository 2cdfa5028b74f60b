//! A server whose DLL is a recorder in the test's process, and the commands beside it.
#![allow(dead_code, clippy::unwrap_used)] // Each test file uses a part.

#[path = "../../../rasadmin-engine/tests/support/calls.rs"]
pub mod calls;

use crate::support::{Ran, rasadmin_with};
use calls::With;
use rasadmin_engine::effect::Usage;
use rasadmin_engine::event::{ConnectionEvent, Offer};
use rasadmin_engine::{Mono, Name, Now, Stamp, Tunnel};
use rasadmin_policy::config;
use rasadmin_recorder::{Assigned, Recorder, Verdict};
use rasadmin_system::monotonic;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

/// A pool of one address: who has it is seen at once.
pub const CONFIG: &str = r#"
time_zone = "UTC"
default_domain = "CORP"
default.action = "allow"
server.name = "VPN1"
groups.staff = { users = ['CORP\*'], pool = "staff" }
pools.staff.addresses = ["10.8.0.1-10.8.0.1"]
"#;

/// A server: its folder, and the DLL's recorder in this process.
pub struct Server {
    pub folder: tempfile::TempDir,
    pub recorder: Recorder,
}

pub fn now() -> Now {
    let time = i64::try_from(SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap();
    let at = Stamp { time, mono: Mono(monotonic::milliseconds()) };
    Now { at, random: rasadmin_recorder::random().unwrap() }
}

impl Server {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rasadmin.toml");
        std::fs::write(&path, CONFIG).unwrap();
        let config = Arc::new(config::load(&path).unwrap());
        let recorder = Recorder::start(config, &Name::new("VPN1"), now());
        Self { folder, recorder }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        rasadmin_with(arguments, &[("RASADMIN_CONFIG", self.path("rasadmin.toml").to_str().unwrap())])
    }

    /// Does the user get the address?
    pub fn asks(&self, user: &str, port: &str) -> bool {
        let asked = calls::address(user, port, Offer::Nothing);
        matches!(self.recorder.assign(&asked, now()), Ok(Assigned::Number(0x0a08_0001)))
    }

    pub fn connection(user: &str, handle: u64, usage: Usage) -> ConnectionEvent {
        calls::connection(handle, user).with(|e| {
            e.computer = "LAPTOP".into();
            e.usage = usage;
            e.addresses = vec![calls::number("10.8.0.1")];
        })
    }

    pub fn connects(&self, user: &str, handle: u64, port: &str) {
        assert!(self.asks(user, port), "no address for {user}");
        let connection = Self::connection(user, handle, Usage::default());
        assert_eq!(self.recorder.accept_connection(&connection, now()), Verdict::Accept);
        assert_eq!(self.recorder.accept_link(&calls::link(handle, port, Tunnel::Sstp), now()), Verdict::Accept);
    }

    pub fn hangs_up(&self, user: &str, handle: u64) {
        let usage = Usage { seconds: 1, input_octets: 1000, output_octets: 2000, ..Usage::default() };
        self.recorder.hangup(&Self::connection(user, handle, usage), now());
    }

    /// Which segments have the text. A checkpoint may: it has the sums that quotas need.
    pub fn journal_has(&self, text: &[u8]) -> Vec<PathBuf> {
        let files = std::fs::read_dir(self.path("journal")).unwrap().map(|entry| entry.unwrap().path());
        let has = files.filter(|path| path.extension().is_some_and(|of| of == "segment")).filter(|path| {
            let bytes = std::fs::read(path).unwrap().to_ascii_lowercase();
            bytes.windows(text.len()).any(|part| part == text)
        });
        has.collect()
    }
}
