//! The service: several admin DLLs, started and called as RRAS does.

use crate::address_doubt::AddressDoubt;
use crate::assumptions::{Assumptions, Handles};
use crate::board::{self, Step};
use crate::dll::{AdminDll, DllDescription, Returned};
use crate::dll_process::{self, DllProcess};
use crate::invoke::Arg;
use crate::pool::{AddressConflict, ConnectionId, Pool};
use crate::record;
use crate::serialise::{Serialise, Serialiser};
use crate::start::{StartFailure, StartProblem, start_dlls};
use crate::statistics::Statistics;
use crate::supervise::Death;
use mprapi::abi::NO_ERROR;
use mprapi::contract::{ArgumentType, SerialGroup};
use mprapi::{FunctionId, Profile};
use rasadmin_trace::{Buffer, Call, Header, Writer};
use std::fmt;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Is notified before and after every call, except those of the initialise functions.
pub trait Observer: Send + Sync {
    /// The call is about to be made. By then it counts as inside the DLL.
    fn before(&self, function: FunctionId, arguments: &[Buffer]);
    /// The call has returned. `changed` are the arguments that the DLL wrote. If `returned.took` is zero, the call was
    /// never made, because the process that should have made it is gone.
    fn after(&self, function: FunctionId, arguments: &[Buffer], returned: Returned, changed: &[(ArgumentType, Buffer)]);
}

/// How to run the DLLs in processes of their own, so that the host survives them.
pub struct SeparateProcesses {
    /// Builds the command that starts one process. The command must call [`crate::serve_calls`] with the same DLLs.
    pub command: Box<dyn Fn() -> Command + Send + Sync>,
    /// Whether the address functions run in a second process.
    pub address_process: bool,
}

/// Which of the service's processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Processes {
    /// All of them.
    All,
    /// The process of the address functions, if they have their own.
    Address,
}

/// How the service is run.
pub struct Options {
    /// The requirements that the DLLs must meet for the service to start.
    pub profile: Profile,
    /// Which calls may overlap.
    pub serialise: Serialise,
    /// Where to record every call.
    pub trace: Option<Box<dyn Write + Send>>,
    /// Runs the address functions in a process of their own. The command must call [`crate::serve_calls`] with the same
    /// DLLs.
    pub address_process: Option<Command>,
    /// Runs all DLLs in processes of their own, which can be killed. Replaces `address_process`.
    pub separate_processes: Option<SeparateProcesses>,
    /// What to assume where RRAS's behaviour is unproven.
    pub assumptions: Assumptions,
    /// RRAS's own addresses.
    pub pool: Pool,
    /// Is notified of every call.
    pub observer: Option<Box<dyn Observer>>,
}

impl Options {
    /// The shipping profile, calls serialised as documented, no trace, one process.
    pub fn new(pool: Pool) -> Self {
        Self {
            profile: Profile::Shipping,
            serialise: Serialise::Documented,
            trace: None,
            address_process: None,
            separate_processes: None,
            assumptions: Assumptions::default(),
            pool,
            observer: None,
        }
    }
}

/// The trace's writer, or the error that ended it. A failing trace stops no call; [`Stopped::trace`] reports it. None
/// once the service has stopped.
type Trace = Mutex<Option<io::Result<Writer<Box<dyn Write + Send>>>>>;

/// How long a stopping service waits for the calls inside its DLLs. Longer than the SDK's own terminate waits.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// A process; None while it is not running.
type Process = Mutex<Option<DllProcess>>;

/// A running service.
pub struct Service {
    descriptions: Vec<DllDescription>,
    /// The DLLs that are loaded into this process. Empty if they run in separate processes.
    dlls: Vec<AdminDll>,
    separate_processes: Option<SeparateProcesses>,
    /// The process of the DLLs, if it is not this one.
    main: Option<Process>,
    /// The process of the address functions, if they have their own.
    address: Option<Process>,
    pub(crate) pool: Mutex<Pool>,
    /// The pool at the start, restored at a restart.
    fresh_pool: Pool,
    pub(crate) assumptions: Assumptions,
    pub(crate) profile: Profile,
    serial: Serialiser,
    statistics: Mutex<Statistics>,
    conflicts: Mutex<Vec<AddressConflict>>,
    doubts: Mutex<Vec<AddressDoubt>>,
    deaths: Mutex<Vec<Death>>,
    trace: Option<Trace>,
    observer: Option<Box<dyn Observer>>,
    started: Instant,
    next_handle: AtomicU64,
}

/// How a service ended.
#[derive(Debug)]
pub struct Stopped {
    /// How long the calls took.
    pub statistics: Statistics,
    /// Whether the whole trace was written.
    pub trace: io::Result<()>,
    /// The processes of the DLLs that crashed or failed, other than those that were killed.
    pub deaths: Vec<Death>,
    /// The DLLs whose TerminateDll did not return 0, with the code that it returned. RRAS ignores the code.
    pub terminate_codes: Vec<(PathBuf, u32)>,
    /// The DLLs that stay loaded until the process ends, because calls are still inside.
    pub stuck: Vec<Stuck>,
}

/// A DLL that a stopping service could not unload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stuck {
    /// The DLL.
    pub dll: PathBuf,
    /// Its functions that have not returned, listed once per call.
    pub functions: Vec<FunctionId>,
}

impl fmt::Display for Stuck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list: Vec<_> = self.functions.iter().map(|function| function.name()).collect();
        write!(f, "{}: not unloaded, because calls have not returned: {}", self.dll.display(), list.join(", "))
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Service {
    /// Starts the service with these DLLs. It also starts with none, as RRAS does if the registry names no DLLs.
    ///
    /// # Errors
    /// If RRAS would not start with these DLLs, or a process for them does not start.
    pub fn start(paths: &[PathBuf], options: Options) -> Result<Self, StartFailure> {
        let names: Vec<String> = paths.iter().map(|p| p.display().to_string()).collect();
        let header = Header::new(concat!("rasadmin host ", env!("CARGO_PKG_VERSION")), names);
        let trace = options.trace.map(|output| Writer::new(output, &header));
        let mut service = Self {
            descriptions: Vec::new(),
            dlls: Vec::new(),
            separate_processes: options.separate_processes,
            main: None,
            address: None,
            fresh_pool: options.pool.clone(),
            pool: Mutex::new(options.pool),
            assumptions: options.assumptions,
            profile: options.profile,
            serial: Serialiser::new(options.serialise),
            statistics: Mutex::default(),
            conflicts: Mutex::default(),
            doubts: Mutex::default(),
            deaths: Mutex::default(),
            trace: trace.map(|trace| Mutex::new(Some(trace))),
            observer: options.observer,
            started: Instant::now(),
            next_handle: AtomicU64::new(1),
        };
        let failed = |message| StartFailure {
            dll: paths.first().cloned().unwrap_or_default(),
            problem: StartProblem::Process(message),
        };
        if service.separate_processes.is_some() {
            service.start_processes().map_err(failed)?;
            return Ok(service);
        }
        service.dlls = start_dlls(paths, options.profile, &mut |call| service.record(call))?;
        service.descriptions = service.dlls.iter().map(AdminDll::description).collect();
        if let Some(command) = options.address_process {
            let (process, _) = DllProcess::start(command).map_err(|message| {
                for dll in &service.dlls {
                    dll.call(FunctionId::TerminateDll, &mut []);
                }
                failed(message)
            })?;
            service.address = Some(Mutex::new(Some(process)));
        }
        Ok(service)
    }

    /// Starts the processes of the DLLs, that of the address functions last.
    fn start_processes(&mut self) -> Result<(), String> {
        let Some(separate) = &self.separate_processes else { return Ok(()) };
        let (main, descriptions) = DllProcess::start((separate.command)())?;
        let address = if separate.address_process { Some(DllProcess::start((separate.command)())?.0) } else { None };
        (self.descriptions, self.main) = (descriptions, Some(Mutex::new(Some(main))));
        self.address = address.map(|process| Mutex::new(Some(process)));
        Ok(())
    }

    /// Kills processes of the DLLs, as `kill -9` does: the DLLs get no call. If all are killed, RRAS forgets every
    /// connection. If only that of the address functions is killed, their calls fail. DLLs in the host's own process
    /// are not affected.
    pub fn kill(&self, processes: Processes) {
        let main = self.main.as_ref().filter(|_| processes == Processes::All);
        for process in main.into_iter().chain(&self.address) {
            if let Some(process) = lock(process).take() {
                process.kill();
            }
        }
        if processes == Processes::All {
            self.forget();
        }
    }

    /// Starts the processes again. Those that still run are stopped first, as when the service is restarted; the caller
    /// must have ended its connections. Does nothing if the DLLs run in the host's own process.
    ///
    /// # Errors
    /// If a process crashed or failed when it was stopped, or one does not start.
    pub fn restart(&self, processes: Processes) -> Result<(), String> {
        let Some(separate) = &self.separate_processes else { return Ok(()) };
        let main = self.main.as_ref().filter(|_| processes == Processes::All);
        let slots: Vec<_> = main.into_iter().chain(&self.address).collect();
        for slot in &slots {
            if let Some(mut process) = lock(slot).take() {
                process.stop().map_err(|death| format!("a process of the DLLs failed {}: {death}", death.place()))?;
            }
        }
        for slot in slots {
            *lock(slot) = Some(DllProcess::start((separate.command)())?.0);
        }
        if processes == Processes::All {
            self.forget();
        }
        Ok(())
    }

    /// After a restart RRAS knows no connections.
    fn forget(&self) {
        *lock(&self.pool) = self.fresh_pool.clone();
    }

    /// Terminates every DLL, waits for the calls inside, then frees the DLLs. Other threads may be calling: none of their
    /// further calls are made. If a call has not returned after ten seconds, its DLL is not freed, and
    /// [`Stopped::stuck`] names the function.
    ///
    /// TerminateDll is called while other calls are inside, since no page forbids that. With [`Serialise::All`] it is
    /// called after them, and not at all if they do not return. Stopping a stopped service does nothing.
    ///
    /// If a service is dropped without this, its DLLs are freed without TerminateDll. No call can be inside then.
    ///
    /// # Errors
    /// If a DLL cannot be freed.
    pub fn stop(&self) -> Result<Stopped, String> {
        self.stop_within(STOP_TIMEOUT)
    }

    /// As [`stop`](Self::stop), but waits no longer than `timeout` for calls inside.
    ///
    /// # Errors
    /// If a DLL cannot be freed.
    pub fn stop_within(&self, timeout: Duration) -> Result<Stopped, String> {
        let deadline = Instant::now() + timeout;
        self.dlls.iter().for_each(AdminDll::end_calls);
        let alone = self.serial.mode() != Serialise::All
            || self.dlls.iter().all(|dll| dll.wait_for_callers(deadline).is_empty());
        let mut terminate_codes = Vec::new();
        for index in (0..self.dlls.len()).filter(|_| alone) {
            let code = self.call(index, FunctionId::TerminateDll, &mut []).and_then(|r| r.result);
            if let Some(code) = code.filter(|&code| code != NO_ERROR) {
                terminate_codes.push((self.dlls[index].path().to_owned(), code));
            }
        }
        self.stop_processes(deadline);
        let mut stuck = Vec::new();
        for dll in &self.dlls {
            let functions = dll.unload_shared(deadline)?;
            if !functions.is_empty() {
                stuck.push(Stuck { dll: dll.path().to_owned(), functions });
            }
        }
        let trace = self.trace.as_ref().and_then(|trace| lock(trace).take());
        Ok(Stopped {
            statistics: self.take_statistics(),
            trace: trace.map_or(Ok(()), |writer| writer.map(drop)),
            deaths: std::mem::take(&mut lock(&self.deaths)),
            terminate_codes,
            stuck,
        })
    }

    /// Stops the processes of the DLLs, but not a process whose call has not returned.
    fn stop_processes(&self, deadline: Instant) {
        for dll in &self.dlls {
            dll.wait_for_callers(deadline);
        }
        for process in self.main.iter().chain(&self.address) {
            if let Ok(mut process) = process.try_lock()
                && let Some(mut process) = process.take()
                && let Err(death) = process.stop()
            {
                lock(&self.deaths).push(*death);
            }
        }
    }

    /// What the service knows about its DLLs, in order.
    pub fn descriptions(&self) -> &[DllDescription] {
        &self.descriptions
    }

    /// The DLLs that are loaded into this process, in order.
    pub fn dlls(&self) -> &[AdminDll] {
        &self.dlls
    }

    /// The handle of a new connection. Unless RRAS uses handles again, that is its id.
    pub(crate) fn connection_handle(&self, id: ConnectionId) -> u64 {
        match self.assumptions.handles {
            Handles::Fresh => id,
            Handles::Repeated => lock(&self.pool).freed_handle().unwrap_or(id),
        }
    }

    pub(crate) fn note_conflict(&self, conflict: AddressConflict) {
        lock(&self.conflicts).push(conflict);
    }

    /// Takes the conflicts since the last call: addresses that a DLL chose although another connection held them.
    pub fn take_conflicts(&self) -> Vec<AddressConflict> {
        std::mem::take(&mut lock(&self.conflicts))
    }

    pub(crate) fn note_doubt(&self, doubt: AddressDoubt) {
        lock(&self.doubts).push(doubt);
    }

    /// Takes the addresses that DLLs chose since the last call, and that no client can use.
    pub fn take_doubts(&self) -> Vec<AddressDoubt> {
        std::mem::take(&mut lock(&self.doubts))
    }

    /// A handle that no connection or port had before.
    pub(crate) fn fresh_handle(&self) -> u64 {
        self.next_handle.fetch_add(1, Ordering::Relaxed)
    }

    /// Takes the times of the calls since the last call of this function.
    pub fn take_statistics(&self) -> Statistics {
        std::mem::take(&mut lock(&self.statistics))
    }

    /// Calls a function of one DLL: serialised, timed and recorded. Returns None if the DLL does not have the function, or
    /// the service is stopping.
    pub fn call(&self, dll: usize, function: FunctionId, arguments: &mut [Arg]) -> Option<Returned> {
        if !self.descriptions[dll].functions.contains(function) {
            return None;
        }
        let before = record::buffers(function, arguments);
        let _serial = self.serial.enter(function);
        let entered = match self.dlls.get(dll) {
            Some(loaded) => Some(loaded.enter(function)?),
            None => None,
        };
        if let Some(observer) = &self.observer {
            observer.before(function, &before);
        }
        let address = self.address.as_ref().filter(|_| function.row().serial == SerialGroup::Address);
        let returned = match address.or(self.main.as_ref()) {
            Some(process) => {
                // The other process notes the call, too, but does not know the line of the scenario.
                let _calling = board::calling(Step::Call(function), dll, []);
                let answer = lock(process).as_mut().map(|process| process.call(dll, function, &before));
                let (returned, after, death) =
                    answer.unwrap_or_else(|| (dll_process::failed_call(function), before.clone(), None));
                lock(&self.deaths).extend(death.map(|death| *death));
                arguments.iter_mut().zip(record::arguments(&after)).for_each(|(to, from)| *to = from);
                returned
            }
            // Without such a process, the DLLs are loaded into this one.
            None => entered.as_ref()?.call(arguments),
        };
        drop(entered);
        let after = record::changes(function, &before, arguments);
        if let Some(observer) = &self.observer {
            observer.after(function, &before, returned, &after);
        }
        self.record(Call { dll, function, arguments: before, after, ..record::call_returning(returned) });
        Some(returned)
    }

    fn record(&self, mut call: Call) {
        lock(&self.statistics).add(call.function, call.took_ns);
        if let Some(trace) = &self.trace {
            let elapsed = u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX);
            call.at_us = elapsed.saturating_sub(call.took_ns / 1000);
            let trace = &mut *lock(trace);
            if let Some(Ok(writer)) = trace
                && let Err(error) = writer.call(&call)
            {
                *trace = Some(Err(error));
            }
        }
    }
}
