//! The service of a run: the DLL in processes that can be killed, a scratch folder, its clock and its journal.

use super::call::Call;
use super::outcome::{CallOutcome, Returned};
use crate::worker::ADDRESS_PROCESS;
use mprapi::abi::NO_ERROR;
use mprapi::contract::{ArgumentType, Returns};
use rasadmin_engine::config::{self, Config};
use rasadmin_engine::state::Checkpoint;
use rasadmin_engine::{Event, Now, Record, State};
use rasadmin_host::assumptions::{Assumptions, Projection};
use rasadmin_host::clock::Clock;
use rasadmin_host::pool::Pool;
use rasadmin_host::scratch::{self, Scratch};
use rasadmin_host::{Options, Processes, SeparateProcesses, Service};
use rasadmin_journal::{Follower, Item};
use rasadmin_recorder::admin::AdminJournal;
use rasadmin_recorder::present::{self, Missing};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

/// On a busy machine the DLL must not give up on its journal.
const PATIENT: &str = "journal.deadline_ms = 10000\n";

/// The running service.
pub struct Running {
    service: Service,
    clock: Clock,
    folder: PathBuf,
    /// Reads the records as they appear.
    follower: Follower,
    config: Arc<Config>,
    assumptions: Assumptions,
    _scratch: Scratch,
}

impl Running {
    /// Starts the service for the first time. `own` is the program that serves the DLL. The random bytes decide whether
    /// the address functions have their own process, and which fields of a projection are the client's.
    pub fn begin(dll: &Path, own: &Path, config: &Config, now: &Now) -> Result<Self, String> {
        let scratch = Scratch::temporary().map_err(|e| e.to_string())?;
        let failed = |path: &Path, e: &dyn std::fmt::Display| format!("{}: {e}", path.display());
        let text = format!("{PATIENT}{}", config.bundle.text);
        std::fs::write(scratch.config(), text).map_err(|e| failed(&scratch.config(), &e))?;
        let environment = scratch.environment();
        let of_clock = environment.iter().find(|(name, _)| *name == scratch::CLOCK_VARIABLE);
        let of_clock = of_clock.map(|(_, path)| PathBuf::from(path)).unwrap_or_default();
        let clock = Clock::create(&of_clock).map_err(|e| failed(&of_clock, &e))?;
        clock.set(now.at.time, now.at.mono.0);
        let [random, ..] = now.random;
        let projection = if random & 1 == 0 { Projection::Remote } else { Projection::Local };
        let assumptions = Assumptions { projection, ..Assumptions::default() };
        // The host's own pool is not used.
        let none = Ipv4Addr::LOCALHOST;
        let mut options = Options::new(Pool::new(none, none, none, [0; 8]));
        let (program, arguments) = (own.to_owned(), [ADDRESS_PROCESS.into(), dll.as_os_str().to_owned(), "0".into()]);
        let command = move || {
            let mut command = Command::new(&program);
            command.args(&arguments).envs(environment.iter().cloned()).env("RASADMIN_SYSTEM_LOG", "off");
            command
        };
        options.separate_processes =
            Some(SeparateProcesses { command: Box::new(command), address_process: random & 2 == 0 });
        let service = Service::start(&[dll.to_owned()], options).map_err(|failure| failure.to_string())?;
        let folder = scratch.path().join("journal");
        let follower = Follower::open(&folder).map_err(|e| failed(&folder, &e))?;
        let follower = follower.ok_or_else(|| format!("{}: nothing was recorded", folder.display()))?;
        let config = Arc::new(config::load(&scratch.config()).map_err(|e| e.to_string())?);
        Ok(Self { service, clock, folder, follower, config, assumptions, _scratch: scratch })
    }

    /// Ends the service and starts it again. The random bytes decide whether it is killed.
    pub fn restart(&self, now: &Now) -> Result<(), String> {
        self.clock.set(now.at.time, now.at.mono.0);
        let [random, ..] = now.random;
        if random & 1 == 0 {
            self.service.kill(Processes::All);
        }
        self.service.restart(Processes::All)
    }

    /// How unproven behaviour of RRAS is interpreted.
    pub fn assumptions(&self) -> Assumptions {
        self.assumptions
    }

    /// Checks that a start from disk would give this state.
    pub fn compare(&self, state: &State) -> Result<(), String> {
        let read = present::read(&self.folder).map_err(|e| format!("the journal cannot be read: {e}"))?;
        let read = read.ok_or("the journal is missing")?;
        if read.missing != Missing::default() || !read.notices.is_empty() {
            return Err(format!("the journal lacks {:?}: {:?}", read.missing, read.notices));
        }
        let difference = rasadmin_model::first_difference(&Checkpoint::of(&read.state), &Checkpoint::of(state));
        difference.map_or(Ok(()), |difference| Err(format!("the state on disk is another: {difference}")))
    }

    /// Appends a record that belongs to no call.
    pub fn append_something(&self) -> Result<(), String> {
        let failed = |e: &dyn std::fmt::Display| format!("the journal cannot be written: {e}");
        let tool = AdminJournal::open(&self.folder, &self.config).map_err(|e| failed(&e))?;
        let mut tool = tool.ok_or("the journal is missing")?;
        let at = tool.state().last().unwrap_or_default();
        let now = Now { at, random: rasadmin_recorder::random().map_err(|e| failed(&e))? };
        let recorded = tool.record(&now, |_| ((), Some(Event::Lost { events: 1 })));
        recorded.map(drop).map_err(|e| failed(&e))
    }

    /// Makes a call. Returns what it returned and what was recorded meanwhile.
    pub fn call(&mut self, call: Call, now: &Now) -> Result<CallOutcome, String> {
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
        Ok(CallOutcome { returned, records: self.records()? })
    }

    /// Returns the new records, in order.
    pub fn records(&mut self) -> Result<Vec<Record>, String> {
        let (mut records, mut fault) = (Vec::new(), None);
        let read = self.follower.read(|item| match item {
            Item::Record(record) => match rasadmin_recorder::decode(record.payload) {
                Ok(decoded) if decoded.unknown == 0 => records.push(decoded.record),
                other => fault = Some(format!("record {} cannot be read: {other:?}", record.number)),
            },
            Item::Gap { first, last } => fault = Some(format!("records {first} to {last} are missing")),
        });
        read.map_err(|e| format!("the journal cannot be read: {e}"))?;
        fault.map_or(Ok(records), Err)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.service.kill(Processes::All);
    }
}
