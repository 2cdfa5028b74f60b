//! `monitor` beside a recorder, with an RRAS in memory.
#![allow(dead_code, clippy::unwrap_used)] // Each test file uses a part.

use crate::support::{Lines, Scene, connection, listed, log, settings};
use rasadmin_engine::effect::SessionEnded;
use rasadmin_engine::event::ConnectionEvent;
use rasadmin_engine::{Record, Stamp};
use rasadmin_rras::{Connection, ConnectionHandle, Counters, Error, Instance, Port, PortHandle, Rras, Scripted};
use rasadmin_service::state::{MonitorReport, Report};
use rasadmin_service::{Current, Duty, Fault, Log, Monitor, Stop, Turn};
use std::fmt;
use std::sync::{Arc, Mutex};

pub const CONFIG: &str = r#"
    time_zone = "UTC"
    default_domain = "CORP"
    default.action = "allow"
    addresses.pool = "staff"
    journal.durability = "process"
    [pools.staff]
    addresses = ["10.8.0.0/16"]
    [[rules]]
    name = "one each"
    action = "deny"
    user_sessions = { at_least = 1 }
"#;

pub const GIB: u64 = 1 << 30;

/// What happens in RRAS while it makes its list.
pub type Meanwhile = Box<dyn FnOnce() + Send>;

/// An RRAS in which something happens while it makes its list.
#[derive(Clone, Default)]
pub struct Busy {
    pub scripted: Scripted,
    pub meanwhile: Arc<Mutex<Option<Meanwhile>>>,
}

impl fmt::Debug for Busy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.scripted.fmt(f)
    }
}

impl Rras for Busy {
    fn instance(&self) -> Result<Option<Instance>, Error> {
        self.scripted.instance()
    }

    fn connections(&self) -> Result<Vec<Connection>, Error> {
        let list = self.scripted.connections();
        if let Some(meanwhile) = self.meanwhile.lock().unwrap().take() {
            meanwhile();
        }
        list
    }

    fn connection(&self, handle: ConnectionHandle) -> Result<Connection, Error> {
        self.scripted.connection(handle)
    }

    fn ports(&self, connection: ConnectionHandle) -> Result<Vec<Port>, Error> {
        self.scripted.ports(connection)
    }

    fn port(&self, handle: PortHandle) -> Result<Port, Error> {
        self.scripted.port(handle)
    }

    fn disconnect(&self, port: PortHandle) -> Result<(), Error> {
        self.scripted.disconnect(port)
    }
}

pub struct Case {
    pub scene: Scene,
    pub rras: Busy,
    pub monitor: Monitor,
    pub clock: Arc<Mutex<Stamp>>,
    pub stop: Stop,
    pub log: Arc<Log>,
    pub lines: Lines,
}

impl Case {
    pub fn new() -> Self {
        let (scene, rras) = (Scene::new(CONFIG), Busy::default());
        rras.scripted.change(|script| script.instance = Some(Instance { process: 700, created: 1 }));
        let clock = Arc::new(Mutex::new(scene.now().at));
        let (log, lines) = log();
        let monitor = monitor(&scene, &rras, &clock);
        Self { scene, rras, monitor, clock, stop: Stop::default(), log, lines }
    }

    pub fn wait(&self, seconds: i64) {
        self.scene.wait(seconds);
        *self.clock.lock().unwrap() = self.scene.now().at;
    }

    /// A session begins, and RRAS lists it.
    pub fn begin(&self, handle: u64, user: &str) {
        self.scene.begin(handle, user, &format!("VPN2-{handle}")).unwrap();
        self.lists(&connection(handle, user));
    }

    pub fn lists(&self, event: &ConnectionEvent) {
        self.rras.scripted.change(|script| script.connections.push(listed(event)));
    }

    pub fn change(&self, handle: u64, change: impl FnOnce(&mut Connection)) {
        self.rras.scripted.change(|script| {
            change(script.connections.iter_mut().find(|connection| connection.handle.0 == handle).unwrap());
        });
    }

    /// So much has passed from the client. RRAS's counters have 32 bits.
    pub fn received(&self, handle: u64, octets: u64) {
        self.change(handle, |connection| connection.counters = counters(octets));
    }

    pub fn loses(&self, handle: u64) {
        self.rras.scripted.change(|script| script.connections.retain(|connection| connection.handle.0 != handle));
    }

    pub fn try_step(&mut self) -> Result<MonitorReport, Fault> {
        self.monitor.step(&Turn { now: self.scene.now().at.time, stop: &self.stop, log: &self.log })?;
        let Report::Monitor(report) = self.monitor.report() else { panic!("another duty's report") };
        Ok(report)
    }

    /// A look, five seconds after the last one.
    pub fn step(&mut self) -> MonitorReport {
        self.wait(5);
        self.try_step().unwrap()
    }

    pub fn live(&self) -> Vec<String> {
        let mut live: Vec<String> = self.scene.present().live().map(|session| session.user_name.to_string()).collect();
        live.sort();
        live
    }

    pub fn ended(&self) -> Vec<SessionEnded> {
        self.scene.records().iter().flat_map(Record::ended).cloned().collect()
    }

    pub fn records(&self) -> usize {
        self.scene.records().len()
    }
}

pub fn monitor(scene: &Scene, rras: &Busy, clock: &Arc<Mutex<Stamp>>) -> Monitor {
    let settings = settings(scene);
    let current = Arc::new(Current::new(scene.config.clone()));
    let clock = clock.clone();
    Monitor::new(settings, current, Arc::new(rras.clone()), None).with_clock(Box::new(move || *clock.lock().unwrap()))
}

pub fn counters(octets: u64) -> Counters {
    let octets_received = (octets & 0xffff_ffff) as u32;
    Counters { octets_received, frames_received: (octets / 1000) as u32, ..Counters::default() }
}
