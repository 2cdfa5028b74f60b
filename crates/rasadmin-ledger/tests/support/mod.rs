//! An engine on a scratch journal, a ledger that is made of it, and a clock that the test moves.
#![allow(dead_code, clippy::unwrap_used)]

pub mod recorder;

use rasadmin_engine::addresses::{Address, Family};
use rasadmin_engine::config::Config;
use rasadmin_engine::effect::Usage;
use rasadmin_engine::event::{AddressEvent, ConnectionEvent, LinkEvent, Offer, ReleaseEvent};
use rasadmin_engine::{InterfaceType, Millis, Mono, Name, Now, Quarantine, Stamp, Tunnel};
use rasadmin_ledger::bring_in::Brought;
use rasadmin_ledger::sqlite::{Create, Sqlite};
pub use recorder::{Assigned, Recorder, Verdict, soon};
use std::cell::Cell;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;

/// Monday, 2026-11-23, 09:00 UTC.
pub const MONDAY: Millis = 1_795_424_400_000;

pub struct Scene {
    pub folder: tempfile::TempDir,
    pub engine: Recorder,
    pub config: Arc<Config>,
    at: Cell<Stamp>,
}

/// When every test begins: the machine has been running for an hour.
const BEGINS: Stamp = Stamp { time: MONDAY, mono: Mono(3_600_000) };

pub fn now(at: Stamp) -> Now {
    Now { at, random: rasadmin_ledger::random().unwrap() }
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
        let engine = Recorder::start(config.clone(), &Name::new("VPN1"), now(BEGINS));
        Self { folder, engine, config, at: Cell::new(BEGINS) }
    }

    /// Another process's engine on the same ledger.
    pub fn beside(&self) -> Recorder {
        Recorder::start(self.config.clone(), &Name::new("VPN1"), self.now())
    }

    /// The service is restarted.
    pub fn restart(&mut self) {
        self.engine.stop(self.now());
        self.engine = self.beside();
    }

    pub fn now(&self) -> Now {
        now(self.at.get())
    }

    /// Time passes: seconds. What is negative turns the time of day back; the monotonic clock stays.
    pub fn wait(&self, seconds: i64) {
        let Stamp { time, mono } = self.at.get();
        let passed = seconds.max(0).cast_unsigned() * 1000;
        self.at.set(Stamp { time: time + seconds * 1000, mono: mono.after(passed) });
    }

    /// The ledger, with all that the journal has.
    pub fn path(&self) -> PathBuf {
        self.bring_in();
        self.config.ledger.clone()
    }

    pub fn bring_in(&self) -> Brought {
        bring_in(&self.config)
    }

    /// One value of the ledger, as text.
    pub fn ask(&self, sql: &str) -> String {
        ask(&self.path(), sql)
    }

    pub fn address(&self, user: &str, port: &str, offer: &str) -> Result<String, String> {
        ipv4(self.engine.assign(&address(user, port, offer), self.now()))
    }

    pub fn release(&self, user: &str, port: &str, address_: &str) {
        self.engine.release(&release(user, port, address_), self.now());
    }

    pub fn connect(&self, event: &ConnectionEvent) -> Verdict {
        self.engine.accept_connection(event, self.now())
    }

    pub fn link(&self, handle: u64, port: &str, tunnel: Tunnel) -> Verdict {
        self.engine.accept_link(&link(handle, port, tunnel), self.now())
    }

    /// A whole session begins: address, connection, link.
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

    /// It ends: link, connection, address.
    pub fn end(&self, handle: u64, user: &str, port: &str, given: &str) {
        self.engine.link_hangup(&link(handle, port, Tunnel::Sstp), self.now());
        self.engine.hangup(&connection(handle, user), self.now());
        self.release(user, port, given);
    }
}

/// Brings a configuration's journal into its ledger.
pub fn bring_in(config: &Config) -> Brought {
    let mut ledger = Sqlite::open(&config.ledger, Create::Yes, false, soon()).unwrap();
    ledger.bring_in(&config.journal, &Name::new("VPN1"), &mut |_| {}).unwrap()
}

/// Values of a ledger, as text: rows with `; ` between, columns with a space.
pub fn ask(path: &std::path::Path, sql: &str) -> String {
    let ledger = rusqlite::Connection::open(path).unwrap();
    let mut statement = ledger.prepare(sql).unwrap_or_else(|e| panic!("{sql}: {e}"));
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| {
        let cell = |i| match row.get_ref_unwrap(i) {
            rusqlite::types::ValueRef::Null => "-".to_owned(),
            rusqlite::types::ValueRef::Integer(n) => n.to_string(),
            rusqlite::types::ValueRef::Real(n) => n.to_string(),
            rusqlite::types::ValueRef::Text(t) | rusqlite::types::ValueRef::Blob(t) => {
                String::from_utf8_lossy(t).into_owned()
            }
        };
        Ok((0..columns).map(cell).collect::<Vec<_>>().join(" "))
    });
    rows.unwrap().map(Result::unwrap).collect::<Vec<_>>().join("; ")
}

/// Everything in a ledger but when it was brought in and what it is called.
pub fn dump(path: &std::path::Path) -> Vec<String> {
    let tables = [
        "instances",
        "sessions",
        "links",
        "leases",
        "use",
        "decisions",
        "anomalies",
        "configs",
        "loads",
        "(SELECT journal, server, instance, number, crc FROM journals)",
    ];
    tables.map(|table| ask(path, &format!("SELECT * FROM {table} ORDER BY 1, 2"))).to_vec()
}

pub fn number(text: &str) -> Address {
    Address { family: Family::Ipv4, number: u64::from(text.parse::<Ipv4Addr>().unwrap().to_bits()) }
}

pub fn ipv4(answer: Result<Assigned, String>) -> Result<String, String> {
    match answer? {
        Assigned::Number(number) => Ok(Ipv4Addr::from_bits(u32::try_from(number).unwrap()).to_string()),
        Assigned::AsOffered => panic!("of IPv4 every offer is known"),
    }
}

/// `offer` is empty if RRAS offers nothing.
pub fn address(user: &str, port: &str, offer: &str) -> AddressEvent {
    let offer = if offer.is_empty() { Offer::Nothing } else { Offer::Number(number(offer).number) };
    AddressEvent { user: user.into(), port: port.into(), family: Family::Ipv4, offer }
}

pub fn release(user: &str, port: &str, address: &str) -> ReleaseEvent {
    ReleaseEvent { user: user.into(), port: port.into(), address: Some(number(address)) }
}

pub fn link(handle: u64, port: &str, tunnel: Tunnel) -> LinkEvent {
    LinkEvent {
        handle,
        port: port.into(),
        device: Name::new(&format!("WAN Miniport ({})", tunnel.name())),
        tunnel: Some(tunnel),
        usage: Usage::default(),
    }
}

pub fn connection(handle: u64, user: &str) -> ConnectionEvent {
    ConnectionEvent {
        handle,
        guid: Some(format!("{handle:032x}")),
        user: user.into(),
        domain: Name::default(),
        computer: Name::default(),
        source: "203.0.113.9".into(),
        interface: InterfaceType::Client,
        ikev2: Some(false),
        quarantine: Some(Quarantine::Normal),
        usage: Usage::default(),
        addresses: Vec::new(),
        prefix: None,
    }
}

pub trait With: Sized {
    fn with(self, change: impl FnOnce(&mut Self)) -> Self;
}

impl With for ConnectionEvent {
    fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }
}
