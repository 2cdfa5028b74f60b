//! The service of a run: the DLL in processes that can be killed, a scratch folder, its clock and its journal.

use super::call::Call;
use super::heard::{Heard, Returned};
use crate::worker::ADDRESS_PROCESS;
use mprapi::abi::NO_ERROR;
use mprapi::contract::{ArgumentType, Returns};
use rasadmin_engine::config::Config;
use rasadmin_engine::{Now, Record};
use rasadmin_host::clock::Clock;
use rasadmin_host::pool::Pool;
use rasadmin_host::readings::{Projection, Readings};
use rasadmin_host::scratch::{self, Scratch};
use rasadmin_host::{Apart, Options, Service, Which};
use rusqlite::Connection;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A busy machine is slow at times: the DLL must not think then that its ledger is away.
const PATIENT: &str = "ledger.deadline_ms = 10000\n";

/// The service.
pub struct Running {
    service: Service,
    clock: Clock,
    ledger: Connection,
    /// The number of the last record that was read.
    read: i64,
    readings: Readings,
    _folder: Scratch,
}

impl Running {
    /// The first start of a run: `own` is the program that serves the DLL. Chance decides whether the address functions
    /// have a process of their own, and which fields of a projection are the client's.
    pub fn begin(dll: &Path, own: &Path, config: &Config, now: &Now) -> Result<Self, String> {
        let folder = Scratch::temporary().map_err(|e| e.to_string())?;
        let failed = |path: &Path, e: &dyn std::fmt::Display| format!("{}: {e}", path.display());
        let text = format!("{PATIENT}{}", config.bundle.text);
        std::fs::write(folder.config(), text).map_err(|e| failed(&folder.config(), &e))?;
        let environment = folder.environment();
        let of_clock = environment.iter().find(|(name, _)| *name == scratch::CLOCK);
        let of_clock = of_clock.map(|(_, path)| PathBuf::from(path)).unwrap_or_default();
        let clock = Clock::create(&of_clock).map_err(|e| failed(&of_clock, &e))?;
        clock.set(now.at.time, now.at.mono.0);
        let [chance, ..] = now.random;
        let projection = if chance & 1 == 0 { Projection::Remote } else { Projection::Local };
        let readings = Readings { projection, ..Readings::default() };
        // The host's own pool is not used.
        let none = Ipv4Addr::LOCALHOST;
        let mut options = Options::new(Pool::new(none, none, none, [0; 8]));
        let (program, arguments) = (own.to_owned(), [ADDRESS_PROCESS.into(), dll.as_os_str().to_owned(), "0".into()]);
        let command = move || {
            let mut command = Command::new(&program);
            command.args(&arguments).envs(environment.iter().cloned()).env("RASADMIN_SYSTEM_LOG", "off");
            command
        };
        options.apart = Some(Apart { command: Box::new(command), two: chance & 2 == 0 });
        let service = Service::start(&[dll.to_owned()], options).map_err(|failure| failure.to_string())?;
        let file = folder.path().join("rasadmin.db");
        let ledger = Connection::open(&file).map_err(|e| failed(&file, &e))?;
        Ok(Self { service, clock, ledger, read: 0, readings, _folder: folder })
    }

    /// The service ends and starts again: chance decides whether it is killed.
    pub fn again(&self, now: &Now) -> Result<(), String> {
        self.clock.set(now.at.time, now.at.mono.0);
        let [chance, ..] = now.random;
        if chance & 1 == 0 {
            self.service.kill(Which::All);
        }
        self.service.restart(Which::All)
    }

    /// How the unproven facts about RRAS are read.
    pub fn readings(&self) -> Readings {
        self.readings
    }

    /// Its ledger.
    pub fn ledger(&self) -> &Connection {
        &self.ledger
    }

    /// Makes a call. Returns what it returned, and what was recorded meanwhile.
    pub fn hear(&mut self, call: Call, now: &Now) -> Result<Heard, String> {
        self.clock.set(now.at.time, now.at.mono.0);
        let Call { function, mut arguments } = call;
        let result = self.service.call(0, function, &mut arguments).ok_or("the DLL lacks a function")?.result;
        let good = result.and_then(|result| match function.row().returns {
            Returns::Nothing => None,
            Returns::Status => Some(result == NO_ERROR),
            Returns::Verdict | Returns::PreAuthentication => Some(result != 0),
        });
        let of = |ty: &[ArgumentType]| {
            let at = function.row().arguments.iter().position(|argument| ty.contains(&argument.ty))?;
            arguments[at].memory().map(<[u8]>::to_vec)
        };
        let returned = Returned {
            good,
            address: of(&[ArgumentType::Ipv4Address, ArgumentType::Ipv6Address]),
            notify: of(&[ArgumentType::NotifyRelease]).map(|bytes| bytes.iter().any(|&byte| byte != 0)),
        };
        Ok(Heard { returned, records: self.records()? })
    }

    /// What was recorded since the last such question, in order.
    pub fn records(&mut self) -> Result<Vec<Record>, String> {
        let failed = |e: &dyn std::fmt::Display| format!("the journal cannot be read: {e}");
        let sql = "SELECT number, record FROM journal WHERE number > ?1 ORDER BY number";
        let mut statement = self.ledger.prepare_cached(sql).map_err(|e| failed(&e))?;
        let rows = statement.query_map([self.read], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)));
        let mut records = Vec::new();
        for row in rows.map_err(|e| failed(&e))? {
            let (number, text) = row.map_err(|e| failed(&e))?;
            records.push(serde_json::from_str(&text).map_err(|e| failed(&e))?);
            self.read = number;
        }
        Ok(records)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.service.kill(Which::All);
    }
}
