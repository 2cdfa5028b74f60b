//! The duties `monitor` and `disconnect` beside a recorder, with an RRAS in memory.
#![allow(dead_code, clippy::unwrap_used)]

use crate::support::{Lines, Scene, With, connection, listed, log, settings};
use rasadmin_engine::effect::{DisconnectDecided, SessionEnded};
use rasadmin_engine::{Effect, Record, Stamp};
use rasadmin_policy::Name;
use rasadmin_recorder::Verdict;
use rasadmin_rras::{ConnectionHandle, Counters, Instance, Port, PortHandle, PortState, Rras, Scripted};
use rasadmin_service::disconnect::{Disconnect, Disconnector};
use rasadmin_service::monitor::Seen;
use rasadmin_service::state::{DisconnectReport, Report};
use rasadmin_service::{Current, Duty, Log, Monitor, Stop, Turn};
use std::sync::{Arc, Mutex};

pub const NOBODY_CUT: [u64; 0] = [];

/// `rules` and `[service.disconnect]`, with what every configuration here has.
pub fn with(mode: &str, rules: &str) -> String {
    format!(
        r#"
        time_zone = "UTC"
        default_domain = "CORP"
        default.action = "allow"
        addresses.pool = "staff"
        journal.durability = "process"
        [service.disconnect]
        mode = "{mode}"
        [pools.staff]
        addresses = ["10.8.0.0/16"]
        {rules}
        "#
    )
}

pub const LONG: &str = r#"
    [[rules]]
    name = "ten hours"
    action = "deny"
    reason = "come back tomorrow"
    session_time = "10h"
    disconnect_active = true
"#;

pub struct Case {
    pub scene: Scene,
    pub rras: Scripted,
    pub clock: Arc<Mutex<Stamp>>,
    pub seen: Seen,
    pub current: Arc<Current>,
    pub monitor: Monitor,
    pub disconnector: Arc<Disconnector>,
    pub duty: Disconnect,
    pub lines: Lines,
    pub log: Arc<Log>,
    pub stop: Stop,
}

impl Case {
    /// A service that has run for long enough to trust the configuration.
    pub fn new(mode: &str, rules: &str) -> Self {
        let mut case = Self::fresh(mode, rules);
        case.wait(3600);
        case.step();
        case.wait(60);
        case.step();
        case
    }

    pub fn fresh(mode: &str, rules: &str) -> Self {
        let (scene, rras) = (Scene::new(&with(mode, rules)), Scripted::default());
        rras.change(|script| script.instance = Some(Instance { process: 700, created: 1 }));
        let clock = Arc::new(Mutex::new(scene.now().at));
        let (log, lines) = log();
        let (seen, current) = (Seen::default(), Arc::new(Current::new(scene.config.clone())));
        let at = |clock: &Arc<Mutex<Stamp>>| {
            let clock = clock.clone();
            Box::new(move || *clock.lock().unwrap())
        };
        let monitor = Monitor::new(settings(&scene), current.clone(), Arc::new(rras.clone()), None);
        let monitor = monitor.with_clock(at(&clock)).showing(seen.clone());
        let (beside, settings) = (Arc::new(rras.clone()), settings(&scene));
        let disconnector = Disconnector::new(settings, current.clone(), beside, at(&clock), seen.clone());
        let disconnector = Arc::new(disconnector);
        let duty = Disconnect::new(disconnector.clone(), None, None);
        let stop = Stop::default();
        Self { scene, rras, clock, seen, current, monitor, disconnector, duty, lines, log, stop }
    }

    /// The service ends, and starts again.
    pub fn restart(&mut self) {
        self.ask(Arc::new(self.rras.clone()), None);
    }

    /// The service starts again, and the duty `disconnect` asks another RRAS.
    pub fn ask(&mut self, rras: Arc<dyn Rras>, speed: Option<u32>) {
        let clock = self.clock.clone();
        let (settings, clock) = (settings(&self.scene), Box::new(move || *clock.lock().unwrap()));
        let anew = Disconnector::new(settings, self.current.clone(), rras, clock, self.seen.clone());
        self.disconnector = Arc::new(anew);
        self.duty = Disconnect::new(self.disconnector.clone(), speed, Some(self.duty.report()));
    }

    pub fn wait(&self, seconds: i64) {
        self.scene.wait(seconds);
        *self.clock.lock().unwrap() = self.scene.now().at;
    }

    /// A session begins, and RRAS has it on a port.
    pub fn begin(&self, handle: u64, user: &str) {
        self.scene.begin(handle, user, &format!("VPN2-{handle}")).unwrap();
        self.rras.change(|script| {
            script.connections.push(listed(&connection(handle, user)));
            script.ports.push(port(handle, handle));
        });
    }

    pub fn received(&self, handle: u64, octets: u64) {
        self.rras.change(|script| {
            let listed = script.connections.iter_mut().find(|c| c.handle.0 == handle).unwrap();
            let octets_received = (octets & 0xffff_ffff) as u32;
            listed.counters =
                Counters { octets_received, frames_received: (octets / 1000) as u32, ..Counters::default() };
        });
    }

    pub fn step(&mut self) -> DisconnectReport {
        let turn = Turn { now: self.scene.now().at.time, stop: &self.stop, log: &self.log };
        self.monitor.step(&turn).unwrap();
        self.duty.step(&turn).unwrap();
        let Report::Disconnect(report) = self.duty.report() else { panic!("another duty's report") };
        report
    }

    /// The handles of the ports that were disconnected, each with the handle of its connection.
    pub fn cut(&self) -> Vec<u64> {
        self.rras.script().disconnected.iter().map(|port| port.0 % 1000).collect()
    }

    pub fn decided(&self) -> Vec<DisconnectDecided> {
        let effects = self.scene.records().into_iter().flat_map(|record| record.effects);
        effects.filter_map(|e| if let Effect::DisconnectDecided(decided) = e { Some(*decided) } else { None }).collect()
    }

    pub fn hangup(&self, handle: u64, user: &str) {
        self.scene.recorder.hangup(&connection(handle, user), self.scene.now());
    }

    pub fn ended(&self) -> Vec<SessionEnded> {
        self.scene.records().iter().flat_map(Record::ended).cloned().collect()
    }

    /// Puts another configuration in force for the service.
    pub fn set(&self, text: &str) {
        self.current.set(crate::support::config(self.scene.folder.path(), text));
    }
}

pub fn port(number: u64, connection: u64) -> Port {
    Port {
        handle: PortHandle(1000 + number),
        connection: ConnectionHandle(connection),
        name: Name::new(&format!("VPN2-{number}")),
        device: Name::new("WAN Miniport (SSTP)"),
        device_type: Name::new("vpn"),
        state: PortState::Authenticated,
    }
}

impl Case {
    /// The user comes a second time, from another computer, and RRAS has that connection too.
    pub fn second(&self, handle: u64, user: &str) {
        let port_name = format!("VPN2-{handle}");
        self.scene.address(user, &port_name, "").unwrap();
        let event = connection(handle, user).with(|e| e.computer = "OTHER".into());
        assert_eq!(self.scene.connect(&event), Verdict::Accept);
        assert_eq!(self.scene.link(handle, &port_name, rasadmin_engine::Tunnel::Sstp), Verdict::Accept);
        self.rras.change(|script| {
            script.connections.push(listed(&event));
            script.ports.push(port(handle, handle));
        });
    }
}
