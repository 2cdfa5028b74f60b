//! The worker: plays RRAS with the product, driven by a seed, until it is killed.

use crate::call_log::CallEntry;
use crate::kill_process::kill_process;
use crate::plan::{Kill, KillPoint};
use crate::random::Random;
use mprapi::contract::ArgumentType;
use mprapi::{FunctionId as F, Profile};
use rasadmin_host::dll::Returned;
use rasadmin_host::fill::Tunnel;
use rasadmin_host::pool::Pool;
use rasadmin_host::session::{Request, Session};
use rasadmin_host::{Observer, Options, Service};
use rasadmin_trace::Buffer;
use std::collections::HashMap;
use std::fs::File;
use std::io::Write;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The most live sessions at once.
pub const PEAK: usize = 20;
/// The number of addresses in each pool.
pub const POOL: usize = PEAK + 5;
/// The subcommand of the second process.
pub const ADDRESS_PROCESS: &str = "address-process";

/// The options of a worker.
pub struct Task {
    /// The folder with configuration, journal and call log.
    pub folder: PathBuf,
    /// The product.
    pub dll: PathBuf,
    /// The seed.
    pub seed: u64,
    /// The number of steps before it ends by itself.
    pub steps: usize,
    /// Do the address functions have their own process?
    pub two_processes: bool,
    /// What ends the worker.
    pub kill: Kill,
}

/// Writes the call log, and kills the process at the planned point.
struct CallLogger {
    log: Mutex<(File, HashMap<&'static str, u32>)>,
    kill: Kill,
    order: PathBuf,
}

impl CallLogger {
    fn new(task: &Task) -> Result<Self, String> {
        let path = task.folder.join("calls.log");
        let file = File::create(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        let order = task.folder.join("order");
        Ok(Self { log: Mutex::new((file, HashMap::new())), kill: task.kill, order })
    }

    /// Logs the beginning of a call, and kills this process or orders the DLL to if it is the planned one.
    fn begins(&self, function: F) {
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        let (file, calls) = &mut *log;
        let calls = calls.entry(function.name()).or_default();
        *calls += 1;
        let mut order = None;
        if let Kill::At { at, function: chosen, call, time } = self.kill
            && chosen == function
            && call == *calls
        {
            match at {
                KillPoint::Before => order = Some(String::new()),
                _ if at.is_inside() => write(&self.order, &at.order(time)),
                _ => {}
            }
        }
        write_entry(file, &CallEntry::Began(function));
        if order.is_some() {
            kill_process();
        }
    }

    fn ended(&self, line: &CallEntry, function: F) {
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        let (file, calls) = &mut *log;
        write_entry(file, line);
        if let Kill::At { at, function: chosen, call, .. } = self.kill
            && chosen == function
            && Some(&call) == calls.get(function.name())
        {
            if at == KillPoint::After {
                kill_process();
            }
            // The call did not reach the point often enough.
            let _ = std::fs::remove_file(&self.order);
        }
    }
}

/// A worker without a call log proves nothing.
fn write_entry(file: &mut File, line: &CallEntry) {
    if let Err(e) = file.write_all(line.line().as_bytes()) {
        panic!("the call log cannot be written: {e}");
    }
}

fn write(path: &Path, text: &str) {
    if let Err(e) = std::fs::write(path, text) {
        panic!("{}: {e}", path.display());
    }
}

struct LogCalls(Arc<CallLogger>);

impl Observer for LogCalls {
    fn before(&self, function: F, _: &[Buffer]) {
        self.0.begins(function);
    }

    fn after(&self, function: F, arguments: &[Buffer], returned: Returned, changed: &[(ArgumentType, Buffer)]) {
        self.0.ended(&CallEntry::of(function, arguments, returned, changed), function);
    }
}

/// Kills this process after so many microseconds, wherever it is.
pub fn kill_after(micros: u64) {
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_micros(micros));
        kill_process();
    });
}

/// Runs until it is killed, or its steps are done.
pub fn run(task: &Task) -> Result<(), String> {
    let logger = Arc::new(CallLogger::new(task)?);
    if let Kill::Time(after) = task.kill {
        kill_after(after);
    }
    // RRAS's own addresses are not in our pools.
    let pool = Pool::new(
        Ipv4Addr::new(10, 99, 0, 1),
        Ipv4Addr::new(10, 99, 0, 2),
        Ipv4Addr::new(10, 99, 3, 254),
        [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 1],
    );
    let mut options = Options::new(pool);
    options.observer = Some(Box::new(LogCalls(logger.clone())));
    if task.two_processes {
        let own = std::env::current_exe().map_err(|e| e.to_string())?;
        let mut command = std::process::Command::new(own);
        let after = if let Kill::PeerTime(after) = task.kill { after } else { 0 };
        command.arg(ADDRESS_PROCESS).arg(&task.dll).arg(after.to_string());
        options.address_process = Some(command);
    }
    logger.begins(F::InitializeDllEx);
    let service = match Service::start(std::slice::from_ref(&task.dll), options) {
        Ok(service) => service,
        // The address process died before it had started.
        Err(_) if matches!(task.kill, Kill::PeerTime(_)) => return Ok(()),
        Err(failure) => return Err(failure.to_string()),
    };
    logger.ended(&CallEntry::Returned(F::InitializeDllEx, crate::call_log::CallResult::default()), F::InitializeDllEx);
    let mut drive = Drive { service, random: Random::new(task.seed), live: Vec::new(), used: 0 };
    if task.kill == Kill::Fill {
        for _ in 0..=POOL {
            drive.connect();
        }
        while !drive.live.is_empty() {
            drive.hang_up();
        }
    } else {
        for _ in 0..task.steps {
            drive.step();
        }
    }
    drive.service.stop().map(drop)
}

struct Drive {
    service: Service,
    random: Random,
    live: Vec<Session>,
    used: u32,
}

impl Drive {
    fn step(&mut self) {
        let few = self.live.len() < PEAK;
        match self.random.below(100) {
            0..40 if few => self.connect(),
            0..52 => self.hang_up(),
            52..65 => self.with(|service, mut session| {
                // The DLL must not refuse it; the call log shows if it does.
                let _ = service.add_link(&mut session);
                Some(session)
            }),
            65..75 => self.with(|service, mut session| {
                service.drop_link(&mut session);
                Some(session)
            }),
            75..86 => self.with(|service, session| service.reauthenticate(session, 0).ok()),
            _ => self.with(|service, session| {
                let to = if session.links() > 1 { "203.0.113.9" } else { "198.51.100.7" };
                if session.tunnel() == Tunnel::Ikev2 {
                    service.change_endpoint(session, to).ok()
                } else {
                    Some(session)
                }
            }),
        }
    }

    fn connect(&mut self) {
        let tunnel = [Tunnel::Sstp, Tunnel::Ikev2, Tunnel::L2tp, Tunnel::Ikev2][self.random.below(4)];
        let mut request = Request::new(format!("user{}", self.random.below(PEAK + 10)), tunnel);
        request.computer = format!("pc{}", self.random.below(4));
        request.ipv6 = true;
        self.live.extend(self.service.connect(&request));
    }

    fn hang_up(&mut self) {
        self.used += 1;
        let used = self.used;
        self.with(|service, mut session| {
            session.set_usage(used % 50 + 1, u64::from(used) * 1000 + 7, u64::from(used) * 2000 + 3);
            service.hang_up(session);
            None
        });
    }

    fn with(&mut self, what: impl FnOnce(&Service, Session) -> Option<Session>) {
        if !self.live.is_empty() {
            let session = self.live.swap_remove(self.random.below(self.live.len()));
            self.live.extend(what(&self.service, session));
        }
    }
}

/// Runs the second process.
pub fn address_process(dll: &Path, after: u64) -> Result<(), String> {
    if after > 0 {
        kill_after(after);
    }
    rasadmin_host::serve_calls(&[dll.to_owned()], Profile::Shipping)
}
