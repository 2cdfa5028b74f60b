//! The service: several admin DLLs, started and called as RRAS does.

use crate::address::HeldTwice;
use crate::dll::{AdminDll, Returned};
use crate::invoke::Arg;
use crate::module::LoadError;
use crate::peer::{self, Described, Peer};
use crate::pool::{Pool, Serial};
use crate::readings::{Handles, Readings};
use crate::record::{self, Statistics};
use crate::serial::{Serialise, Serialiser};
use mprapi::abi::{ERROR_INVALID_PARAMETER, NO_ERROR};
use mprapi::contract::{ArgumentType, SerialGroup};
use mprapi::{FunctionId, Profile, Violation};
use rasadmin_trace::{Buffer, Call, Header, Writer};
use std::fmt;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The event in the System log when an admin DLL keeps the service from starting.
pub const EVENT_DLL_FAILED: u32 = 20113;
/// The event when it is no valid image for this system (error 191 to 193).
pub const EVENT_BAD_IMAGE: u32 = 20204;

/// Why the service did not start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartFailure {
    /// The DLL.
    pub dll: PathBuf,
    /// What was wrong with it.
    pub problem: StartProblem,
}

/// What keeps a service from starting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StartProblem {
    /// It could not be loaded.
    Load(LoadError),
    /// Its initialise function answered this code.
    Initialize(u32),
    /// It lacks what the profile demands.
    Invalid(Vec<Violation>),
    /// A process for the DLLs, or for their address functions, did not start. (No event: RRAS knows no such failure.)
    Process(String),
}

impl StartFailure {
    /// The error code with which the service ends.
    pub fn code(&self) -> u32 {
        match &self.problem {
            StartProblem::Load(error) => error.code,
            StartProblem::Initialize(code) => *code,
            StartProblem::Invalid(_) | StartProblem::Process(_) => ERROR_INVALID_PARAMETER,
        }
    }

    /// The event that RRAS writes.
    pub fn event(&self) -> u32 {
        match &self.problem {
            StartProblem::Load(error) if error.is_bad_image() => EVENT_BAD_IMAGE,
            _ => EVENT_DLL_FAILED,
        }
    }
}

impl fmt::Display for StartFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (code, event) = (self.code(), self.event());
        write!(f, "{}: RRAS would not start (error {code}, event {event}): ", self.dll.display())?;
        match &self.problem {
            StartProblem::Load(error) => write!(f, "it cannot be loaded: {}", error.message),
            StartProblem::Initialize(code) => write!(f, "its initialise function answered {code}"),
            StartProblem::Invalid(violations) => {
                let list: Vec<_> = violations.iter().map(ToString::to_string).collect();
                f.write_str(&list.join("; "))
            }
            StartProblem::Process(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for StartFailure {}

/// Hears of every call of a callback, before and after it: not of initialise.
pub trait Observer: Send + Sync {
    /// The call is about to be made.
    fn before(&self, function: FunctionId, arguments: &[Buffer]);
    /// It returned. `changed` are the arguments that the DLL wrote. A `took` of zero: it was never made, because the
    /// process that should have made it is gone.
    fn after(&self, function: FunctionId, arguments: &[Buffer], returned: Returned, changed: &[(ArgumentType, Buffer)]);
}

/// Processes that have the DLLs loaded, so that the host outlives them.
pub struct Apart {
    /// Makes the command of one: it calls [`crate::serve_addresses`] with the same DLLs.
    pub command: Box<dyn Fn() -> Command + Send + Sync>,
    /// Have the address functions a process of their own?
    pub two: bool,
}

/// Which of the processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Processes {
    /// All of the service.
    All,
    /// That of the address functions, where they have one.
    Address,
}

/// How the service is run.
pub struct Options {
    /// Which set of requirements decides whether it starts.
    pub profile: Profile,
    /// Which calls may overlap.
    pub serialise: Serialise,
    /// Where every call is recorded.
    pub trace: Option<Box<dyn Write + Send>>,
    /// Run the address functions in a process of their own: a command that calls [`crate::serve_addresses`] with the
    /// same DLLs.
    pub address_process: Option<Command>,
    /// Run the DLLs in processes of their own, which can be killed: instead of `address_process`.
    pub apart: Option<Apart>,
    /// How what is unproven of RRAS is read.
    pub readings: Readings,
    /// The addresses of the server itself.
    pub pool: Pool,
    /// Who hears of every call.
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
            apart: None,
            readings: Readings::default(),
            pool,
            observer: None,
        }
    }
}

/// The trace's writer, or the error that ended it: a failing trace stops no call, and is told at the end.
/// None once the service has stopped.
type Trace = Mutex<Option<io::Result<Writer<Box<dyn Write + Send>>>>>;

/// How long a stopping service waits for the calls inside its DLLs: longer than a DLL may take to wait for them itself.
const PATIENCE: Duration = Duration::from_secs(10);

/// A process that may be gone.
type Process = Mutex<Option<Peer>>;

/// A running service.
pub struct Service {
    about: Vec<Described>,
    /// Those that are loaded into this process: none where they are apart.
    dlls: Vec<AdminDll>,
    apart: Option<Apart>,
    /// The process of the DLLs, where they are apart.
    main: Option<Process>,
    /// The process of the address functions, where they have one.
    address: Option<Process>,
    pub(crate) pool: Mutex<Pool>,
    /// As it was at the start, and is again after a restart.
    fresh_pool: Pool,
    pub(crate) readings: Readings,
    pub(crate) profile: Profile,
    serial: Serialiser,
    statistics: Mutex<Statistics>,
    held_twice: Mutex<Vec<HeldTwice>>,
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
    /// Was the whole trace written?
    pub trace: io::Result<()>,
    /// Did the processes of the DLLs, if there were any, end as they should?
    pub processes_ended_well: bool,
    /// The DLLs whose TerminateDll did not answer 0, with their answer. RRAS does not mind.
    pub terminate_codes: Vec<(PathBuf, u32)>,
    /// The DLLs that stay loaded until the process ends, because somebody is inside.
    pub stuck: Vec<Stuck>,
}

/// A DLL that a stopping service could not unload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stuck {
    /// The DLL.
    pub dll: PathBuf,
    /// Its functions that have not returned, each as often as it was called.
    pub functions: Vec<FunctionId>,
}

impl fmt::Display for Stuck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list: Vec<_> = self.functions.iter().map(|function| function.name()).collect();
        write!(f, "{}: not unloaded, because calls have not returned: {}", self.dll.display(), list.join(", "))
    }
}

/// Loads, initialises and validates the DLLs in order. At the first that fails, the service does not start: that DLL is
/// freed, and those before it are terminated and freed. `on_call` hears of every initialise call.
pub(crate) fn start_dlls(
    paths: &[PathBuf],
    profile: Profile,
    on_call: &mut dyn FnMut(Call),
) -> Result<Vec<AdminDll>, StartFailure> {
    let mut started: Vec<AdminDll> = Vec::new();
    for (index, path) in paths.iter().enumerate() {
        let result = AdminDll::load(path, index).map_err(StartProblem::Load).and_then(|mut dll| {
            let start = Instant::now();
            let code = dll.initialize();
            let returned = Returned { result: Some(code), took: start.elapsed() };
            if let Some(call) = record::initialize_call(&dll, index, returned) {
                on_call(call);
            }
            if code != NO_ERROR {
                return Err(StartProblem::Initialize(code));
            }
            match dll.violations(profile) {
                violations if violations.is_empty() => Ok(dll),
                violations => Err(StartProblem::Invalid(violations)),
            }
        });
        match result {
            Ok(dll) => started.push(dll),
            Err(problem) => {
                for dll in &started {
                    dll.call(FunctionId::TerminateDll, &mut []);
                }
                return Err(StartFailure { dll: path.clone(), problem });
            }
        }
    }
    Ok(started)
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Service {
    /// Starts the service with these DLLs. With none it starts too: no key or an empty value means no admin DLLs.
    pub fn start(paths: &[PathBuf], options: Options) -> Result<Self, StartFailure> {
        let names: Vec<String> = paths.iter().map(|p| p.display().to_string()).collect();
        crate::fault::report_faults(&names);
        let header = Header::new(concat!("rasadmin host ", env!("CARGO_PKG_VERSION")), names);
        let trace = options.trace.map(|output| Writer::new(output, &header));
        let mut service = Self {
            about: Vec::new(),
            dlls: Vec::new(),
            apart: options.apart,
            main: None,
            address: None,
            fresh_pool: options.pool.clone(),
            pool: Mutex::new(options.pool),
            readings: options.readings,
            profile: options.profile,
            serial: Serialiser::new(options.serialise),
            statistics: Mutex::default(),
            held_twice: Mutex::default(),
            trace: trace.map(|trace| Mutex::new(Some(trace))),
            observer: options.observer,
            started: Instant::now(),
            next_handle: AtomicU64::new(1),
        };
        let failed = |message| StartFailure {
            dll: paths.first().cloned().unwrap_or_default(),
            problem: StartProblem::Process(message),
        };
        if service.apart.is_some() {
            service.start_processes().map_err(failed)?;
            return Ok(service);
        }
        service.dlls = start_dlls(paths, options.profile, &mut |call| service.note(call))?;
        service.about = service.dlls.iter().map(peer::describe).collect();
        if let Some(command) = options.address_process {
            let (peer, _) = Peer::start(command).map_err(|message| {
                for dll in &service.dlls {
                    dll.call(FunctionId::TerminateDll, &mut []);
                }
                failed(message)
            })?;
            service.address = Some(Mutex::new(Some(peer)));
        }
        Ok(service)
    }

    /// Starts the processes of the DLLs that are apart: the address functions' last, as it is with one process.
    fn start_processes(&mut self) -> Result<(), String> {
        let Some(apart) = &self.apart else { return Ok(()) };
        let (main, about) = Peer::start((apart.command)())?;
        let address = if apart.two { Some(Peer::start((apart.command)())?.0) } else { None };
        (self.about, self.main) = (about, Some(Mutex::new(Some(main))));
        self.address = address.map(|peer| Mutex::new(Some(peer)));
        Ok(())
    }

    /// Kills processes of the DLLs, as `kill -9` does: they hear of nothing. What RRAS knew is gone with all of them;
    /// without that of the address functions their calls fail. DLLs that are not apart live on: the host would die with
    /// them.
    pub fn kill(&self, processes: Processes) {
        let main = self.main.as_ref().filter(|_| processes == Processes::All);
        for process in main.into_iter().chain(&self.address) {
            if let Some(peer) = lock(process).take() {
                peer.kill();
            }
        }
        if processes == Processes::All {
            self.forget();
        }
    }

    /// Starts the processes that are gone. Those that live are stopped before, as a service is that is restarted: its
    /// connections are the caller's to end. Where they are not apart, nothing happens.
    pub fn restart(&self, processes: Processes) -> Result<(), String> {
        let Some(apart) = &self.apart else { return Ok(()) };
        let main = self.main.as_ref().filter(|_| processes == Processes::All);
        let peers: Vec<_> = main.into_iter().chain(&self.address).collect();
        for process in &peers {
            if let Some(mut peer) = lock(process).take()
                && !peer.stop()
            {
                return Err("a process of the DLLs crashed or failed when it was stopped".into());
            }
        }
        for process in peers {
            *lock(process) = Some(Peer::start((apart.command)())?.0);
        }
        if processes == Processes::All {
            self.forget();
        }
        Ok(())
    }

    /// A new life of RRAS knows no connections.
    fn forget(&self) {
        *lock(&self.pool) = self.fresh_pool.clone();
    }

    /// Terminates every DLL, waits for whoever is inside, then frees it. Other threads may be calling: no further call of
    /// theirs is made. A DLL that a call has not left in ten seconds is not freed, and [`Stopped::stuck`] says which call.
    ///
    /// TerminateDll is called among the calls that are inside, as no page forbids; with [`Serialise::All`] after them, and
    /// not at all if they do not return. To stop a service that has stopped does nothing.
    ///
    /// A service that is dropped without it frees its DLLs without TerminateDll; nobody can be inside then.
    pub fn stop(&self) -> Result<Stopped, String> {
        self.stop_within(PATIENCE)
    }

    /// As [`stop`](Self::stop), with another patience.
    pub fn stop_within(&self, patience: Duration) -> Result<Stopped, String> {
        let deadline = Instant::now() + patience;
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
        let processes_ended_well = self.stop_processes(deadline);
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
            processes_ended_well,
            terminate_codes,
            stuck,
        })
    }

    /// Ends the processes of the DLLs, unless a call that one of them makes has not returned.
    fn stop_processes(&self, deadline: Instant) -> bool {
        for dll in &self.dlls {
            dll.wait_for_callers(deadline);
        }
        let mut ended_well = true;
        for process in self.main.iter().chain(&self.address) {
            ended_well &= process.try_lock().is_ok_and(|mut peer| peer.take().is_none_or(|mut peer| peer.stop()));
        }
        ended_well
    }

    /// What is known of the DLLs, in order.
    pub fn about(&self) -> &[Described] {
        &self.about
    }

    /// The DLLs that are loaded into this process, in order.
    pub fn dlls(&self) -> &[AdminDll] {
        &self.dlls
    }

    /// The handle of a new connection, whose serial number would do.
    pub(crate) fn connection_handle(&self, serial: Serial) -> u64 {
        match self.readings.handles {
            Handles::Fresh => serial,
            Handles::Repeated => lock(&self.pool).freed_handle().unwrap_or(serial),
        }
    }

    pub(crate) fn note_held_twice(&self, held: HeldTwice) {
        lock(&self.held_twice).push(held);
    }

    /// Addresses that a DLL chose although another connection holds them, since this was asked last.
    pub fn take_held_twice(&self) -> Vec<HeldTwice> {
        std::mem::take(&mut lock(&self.held_twice))
    }

    /// A handle that no connection or port had before.
    pub(crate) fn fresh_handle(&self) -> u64 {
        self.next_handle.fetch_add(1, Ordering::Relaxed)
    }

    /// The times of the calls since this was asked last.
    pub fn take_statistics(&self) -> Statistics {
        std::mem::take(&mut lock(&self.statistics))
    }

    /// Calls a function of one DLL, serialised, timed and recorded. None if the DLL does not have it, or the service
    /// stops.
    pub fn call(&self, dll: usize, function: FunctionId, arguments: &mut [Arg]) -> Option<Returned> {
        if !self.about[dll].functions.contains(function) {
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
                let answer = lock(process).as_mut().map(|peer| peer.call(dll, function, &before));
                let (returned, after) = answer.unwrap_or_else(|| (peer::gone(function), before.clone()));
                arguments.iter_mut().zip(record::arguments(&after)).for_each(|(to, from)| *to = from);
                returned
            }
            // Where there is no such process, the DLLs are loaded here.
            None => entered.as_ref()?.call(arguments),
        };
        drop(entered);
        let after = record::changes(function, &before, arguments);
        if let Some(observer) = &self.observer {
            observer.after(function, &before, returned, &after);
        }
        self.note(Call { dll, function, arguments: before, after, ..record::blank(returned) });
        Some(returned)
    }

    fn note(&self, mut call: Call) {
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

/// The bytes of an argument after a call.
pub(crate) fn value_of<const N: usize>(argument: &Arg) -> [u8; N] {
    argument.memory().and_then(|bytes| bytes.try_into().ok()).unwrap_or([0; N])
}
