//! A recorder on a scratch journal, with a clock that the test moves.

#[path = "../../../rasadmin-engine/tests/support/calls.rs"]
mod calls;

pub use calls::*;
use rasadmin_engine::config::Config;
use rasadmin_engine::event::{AddressEvent, ConnectionEvent};
use rasadmin_engine::state::Checkpoint;
use rasadmin_engine::{Mono, Name, Now, Record, Stamp, State, Tunnel};
use rasadmin_recorder::{Assigned, Recorder, Verdict};
use std::cell::Cell;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;

pub struct Scene {
    pub folder: tempfile::TempDir,
    pub recorder: Recorder,
    pub config: Arc<Config>,
    at: Cell<Stamp>,
}

/// When every test begins. The machine has been running for an hour.
const BEGINS: Stamp = Stamp { time: MONDAY, mono: Mono(3_600_000) };

pub fn now(at: Stamp) -> Now {
    Now { at, random: rasadmin_recorder::random().unwrap() }
}

/// The system's time of day on both clocks: processes of one test share it.
pub fn system() -> Now {
    let time = jiff::Timestamp::now().as_millisecond();
    now(Stamp { time, mono: Mono(time.cast_unsigned()) })
}

pub fn config(folder: &std::path::Path, text: &str) -> Arc<Config> {
    let path = folder.join("rasadmin.toml");
    std::fs::write(&path, text).unwrap();
    match rasadmin_engine::config::load(&path) {
        Ok(config) => Arc::new(config),
        Err(errors) => panic!("{errors}"),
    }
}

impl Scene {
    pub fn new(text: &str) -> Self {
        Self::within(tempfile::tempdir().unwrap(), text)
    }

    pub fn within(folder: tempfile::TempDir, text: &str) -> Self {
        let config = config(folder.path(), text);
        let recorder = Recorder::start(config.clone(), &Name::new("VPN1"), now(BEGINS));
        Self { folder, recorder, config, at: Cell::new(BEGINS) }
    }

    /// A recorder of another process on the same journal.
    pub fn beside(&self) -> Recorder {
        Recorder::start(self.config.clone(), &Name::new("VPN1"), self.now())
    }

    /// Restarts the service.
    pub fn restart(&mut self) {
        self.recorder.stop(self.now());
        self.recorder = self.beside();
    }

    pub fn now(&self) -> Now {
        now(self.at.get())
    }

    /// Lets time pass, in seconds. A negative number turns back the time of day, but not the monotonic clock.
    pub fn wait(&self, seconds: i64) {
        let Stamp { time, mono } = self.at.get();
        let passed = seconds.max(0).cast_unsigned() * 1000;
        self.at.set(Stamp { time: time + seconds * 1000, mono: mono.after(passed) });
    }

    /// The journal's folder.
    pub fn path(&self) -> PathBuf {
        self.recorder.folder()
    }

    /// The recorder's state, as a checkpoint would have it.
    pub fn memory(&self) -> Checkpoint {
        self.recorder.look(Checkpoint::of)
    }

    /// The state that the journal's records make.
    pub fn journal(&self) -> Checkpoint {
        Checkpoint::of(&self.present())
    }

    pub fn present(&self) -> State {
        let found = rasadmin_recorder::present::read(&self.path()).unwrap().unwrap();
        assert_eq!(found.missing, Default::default());
        found.state
    }

    /// Every record of the journal, oldest first.
    pub fn records(&self) -> Vec<Record> {
        records(&self.path())
    }

    pub fn health(&self) -> rasadmin_recorder::Health {
        self.recorder.health(self.now())
    }

    pub fn address(&self, user: &str, port: &str, offer: &str) -> Result<String, String> {
        ipv4(self.recorder.assign(&address(user, port, offer), self.now()))
    }

    pub fn release(&self, user: &str, port: &str, address_: &str) {
        self.recorder.release(&release(user, port, address_), self.now());
    }

    pub fn connect(&self, event: &ConnectionEvent) -> Verdict {
        self.recorder.accept_connection(event, self.now())
    }

    pub fn link(&self, handle: u64, port: &str, tunnel: Tunnel) -> Verdict {
        self.recorder.accept_link(&link(handle, port, tunnel), self.now())
    }

    /// Begins a whole session: address, connection, link.
    pub fn begin(&self, handle: u64, user: &str, port: &str) -> Result<String, String> {
        let given = self.address(user, port, "172.16.0.9")?;
        let event = connection(handle, user).with(|e| e.addresses = vec![number(&given)]);
        match self.connect(&event) {
            Verdict::Accept => match self.link(handle, port, Tunnel::Sstp) {
                Verdict::Accept => Ok(given),
                Verdict::Reject(why) => Err(why),
            },
            Verdict::Reject(why) => {
                self.release(user, port, &given);
                Err(why)
            }
        }
    }

    /// Ends it: link, connection, address.
    pub fn end(&self, handle: u64, user: &str, port: &str, given: &str) {
        self.recorder.link_hangup(&link(handle, port, Tunnel::Sstp), self.now());
        self.recorder.hangup(&connection(handle, user), self.now());
        self.release(user, port, given);
    }
}

/// Every record of a journal, oldest first.
pub fn records(folder: &std::path::Path) -> Vec<Record> {
    let mut all = Vec::new();
    let mut follower = rasadmin_journal::Follower::open(folder).unwrap().unwrap();
    let read = follower.read(|item| match item {
        rasadmin_journal::Item::Record(record) => {
            let decoded = rasadmin_recorder::decode(record.payload).unwrap();
            assert_eq!(decoded.unknown, 0);
            all.push(decoded.record);
        }
        rasadmin_journal::Item::Gap { first, last } => panic!("records {first} to {last} are missing"),
    });
    read.unwrap();
    all
}

pub fn ipv4(answer: Result<Assigned, String>) -> Result<String, String> {
    match answer? {
        Assigned::Number(number) => Ok(Ipv4Addr::from_bits(u32::try_from(number).unwrap()).to_string()),
        Assigned::AsOffered => panic!("of IPv4 every offer is known"),
    }
}

/// `offer` is empty if RRAS offers nothing.
pub fn address(user: &str, port: &str, offer: &str) -> AddressEvent {
    calls::address(user, port, calls::offer(offer))
}
