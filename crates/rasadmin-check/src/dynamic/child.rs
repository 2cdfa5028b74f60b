//! The child process: one check of one DLL, which may take the process with it.

use super::progress::{ChildResult, Line, Progress, Start};
use super::{calls, counting};
use crate::check::Check;
use crate::counters;
use mprapi::contract::SerialGroup;
use mprapi::{FunctionId, FunctionSet};
use rasadmin_host::dll::{AdminDll, Returned};
use rasadmin_host::invoke::Arg;
use std::ffi::OsString;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;

/// What a child is to do: its command line.
#[derive(Debug)]
pub(super) struct Job {
    pub check: Check,
    pub file: PathBuf,
    pub result: PathBuf,
    pub cycles: u32,
    pub seed: u64,
    /// Functions not to be called: they hang or fault.
    pub except: FunctionSet,
}

impl Job {
    pub(super) fn arguments(&self) -> Vec<OsString> {
        let except: Vec<_> = self.except.iter().map(FunctionId::name).collect();
        vec![
            self.check.id().into(),
            self.file.clone().into(),
            self.result.clone().into(),
            self.cycles.to_string().into(),
            self.seed.to_string().into(),
            except.join(",").into(),
        ]
    }

    fn parse(arguments: impl IntoIterator<Item = OsString>) -> Option<Self> {
        let mut arguments = arguments.into_iter();
        let mut next = || arguments.next();
        let job = Self {
            check: Check::from_id(next()?.to_str()?)?,
            file: next()?.into(),
            result: next()?.into(),
            cycles: next()?.to_str()?.parse().ok()?,
            seed: next()?.to_str()?.parse().ok()?,
            except: next()?.to_str()?.split(',').filter_map(FunctionId::from_name).collect(),
        };
        next().is_none().then_some(job)
    }
}

/// The hidden subcommand `__check-child`: runs one check in this process and writes what happens to the result file.
/// `arguments` are those after the subcommand's name. Returns the exit status.
///
/// Only [`crate::check`] calls this, through a process of its own.
pub fn child_main(arguments: impl IntoIterator<Item = OsString>) -> i32 {
    let Some(job) = Job::parse(arguments) else {
        eprintln!("rasadmin: __check-child is for rasadmin's own use");
        return 2;
    };
    let Ok(mut progress) = Progress::create(&job.result) else {
        return super::progress::CANNOT_WRITE;
    };
    counters::quiet_crashes();
    progress.step("starting");
    let message = std::sync::Arc::new(std::sync::Mutex::new(String::new()));
    let heard = message.clone();
    std::panic::set_hook(Box::new(move |panic| {
        if let Ok(mut message) = heard.lock() {
            *message = panic.to_string();
        }
    }));
    match std::panic::catch_unwind(AssertUnwindSafe(|| run(&job, &mut progress))) {
        Ok(result) => {
            progress.say(&Line::Done { result });
            0
        }
        Err(payload) => {
            std::mem::forget(payload);
            let message = message.lock().map(|m| m.clone()).unwrap_or_default();
            progress.say(&Line::Panic { message });
            1
        }
    }
}

fn run(job: &Job, progress: &mut Progress) -> ChildResult {
    if job.check == Check::LoadCycles {
        return counting::load_cycles(job, progress);
    }
    if job.check == Check::Initialises {
        return initialises(job, progress);
    }
    let mut session = match Session::start(job, progress) {
        Ok(session) => session,
        // The parent has seen it initialise before.
        Err(start) => {
            return ChildResult::fail(
                format!("it did not initialise a second time: {start:?}"),
                "It initialised in the process before this one.",
            );
        }
    };
    let result = match job.check {
        Check::AnswersInTime => calls::ordinary(&mut session),
        Check::ReadsPastConnectionEx
        | Check::ReadsPastConnection
        | Check::ReadsPastPort
        | Check::ReadsPastName
        | Check::ReadsPastAddress => calls::reads_past(&mut session, job.check),
        Check::NullPointers => calls::null_pointers(&mut session),
        Check::UnterminatedArrays => calls::unterminated(&mut session),
        Check::LongUserName => calls::long_name(&mut session),
        Check::UnknownHeaders => calls::unknown_headers(&mut session),
        Check::RandomStructures => calls::random(&mut session, job.seed),
        Check::ReleaseAfterNotify => calls::release_after_notify(&mut session),
        Check::HandlesPerCall => counting::handles_per_call(&mut session),
        Check::ThreadsAfterTerminate => return counting::threads_after_terminate(session),
        _ => ChildResult::skipped("it is not run in a child process"),
    };
    session.terminate();
    result
}

fn initialises(job: &Job, progress: &mut Progress) -> ChildResult {
    let start = match Session::start(job, progress) {
        Ok(session) => {
            let start = session.started();
            // Not terminated: that it can be is checked with the other functions.
            std::mem::forget(session.dll);
            start
        }
        Err(start) => start,
    };
    progress.say(&Line::Started(start));
    ChildResult::pass("")
}

/// A DLL that is loaded and initialised.
pub(super) struct Session<'a> {
    pub dll: AdminDll,
    pub progress: &'a mut Progress,
    except: FunctionSet,
    answer: Option<u32>,
    /// Threads of this process when the DLL was loaded and not yet initialised.
    pub threads_before: usize,
}

/// The order of a connection's life, all forms of each function.
const LIFE: [FunctionId; 18] = [
    FunctionId::GetIpAddressForUser,
    FunctionId::GetIpv6AddressForUser,
    FunctionId::ValidatePreAuthenticatedConnectionEx,
    FunctionId::AcceptNewConnection,
    FunctionId::AcceptNewConnection2,
    FunctionId::AcceptNewConnection3,
    FunctionId::AcceptNewConnectionEx,
    FunctionId::AcceptNewLink,
    FunctionId::AcceptReauthentication,
    FunctionId::AcceptReauthenticationEx,
    FunctionId::AcceptTunnelEndpointChangeEx,
    FunctionId::LinkHangupNotification,
    FunctionId::ConnectionHangupNotification,
    FunctionId::ConnectionHangupNotification2,
    FunctionId::ConnectionHangupNotification3,
    FunctionId::ConnectionHangupNotificationEx,
    FunctionId::ReleaseIpAddress,
    FunctionId::ReleaseIpv6AddressForUser,
];

impl<'a> Session<'a> {
    /// Loads and initialises the DLL; else what went wrong.
    pub(super) fn start(job: &Job, progress: &'a mut Progress) -> Result<Self, Start> {
        progress.say(&Line::Loading);
        let mut dll = AdminDll::load(&job.file, 0)
            .map_err(|e| Start { load_error: Some((e.code, e.message)), ..Start::default() })?;
        // Windows' loader has worker threads of its own, which are not the DLL's.
        let threads_before = counters::threads().unwrap_or(usize::MAX);
        let initialise = [FunctionId::InitializeDllEx, FunctionId::InitializeDll];
        let name = initialise.into_iter().find(|&id| dll.exports().contains(id));
        if let Some(id) = name {
            progress.say(&Line::Call { function: id.name().into(), detail: String::new() });
        }
        let code = dll.initialize();
        progress.step("initialised");
        let session = Self { dll, progress, except: job.except, answer: name.map(|_| code), threads_before };
        if code == 0 {
            return Ok(session);
        }
        let start = session.started();
        std::mem::forget(session.dll);
        Err(start)
    }

    fn started(&self) -> Start {
        let names = |set: FunctionSet| set.iter().map(|id| id.name().to_owned()).collect();
        Start {
            load_error: None,
            answer: self.answer,
            table: self.dll.table().map(|(revision, set)| (revision, names(set))),
            functions: names(self.dll.functions()),
        }
    }

    /// The functions to call, in the order of a connection's life: what RRAS would call, but for the excepted ones and
    /// those of starting and stopping.
    pub(super) fn functions(&self) -> Vec<FunctionId> {
        let there = self.dll.functions();
        LIFE.into_iter()
            .filter(|&id| there.contains(id) && !self.except.contains(id))
            .filter(|id| id.row().serial != SerialGroup::LifeCycle)
            .collect()
    }

    /// Calls a function, having said so.
    pub(super) fn call(&mut self, id: FunctionId, detail: &str, arguments: &mut [Arg]) -> Option<Returned> {
        self.progress.say(&Line::Call { function: id.name().into(), detail: detail.into() });
        let returned = self.dll.call(id, arguments);
        self.progress.step("a call returned");
        returned
    }

    /// Calls MprAdminTerminateDll, and does not unload.
    pub(super) fn terminate(mut self) {
        self.call_terminate();
        // Unloading with a thread left in it would crash: that is for the check of load cycles.
        std::mem::forget(self.dll);
    }

    pub(super) fn call_terminate(&mut self) {
        let id = FunctionId::TerminateDll;
        if self.dll.functions().contains(id) && !self.except.contains(id) {
            self.call(id, "", &mut []);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_survives_its_command_line() {
        let job = Job {
            check: Check::NullPointers,
            file: "a b.dll".into(),
            result: "r".into(),
            cycles: 7,
            seed: 9,
            except: [FunctionId::AcceptNewLink, FunctionId::TerminateDll].into_iter().collect(),
        };
        let parsed = Job::parse(job.arguments()).unwrap();
        assert_eq!(format!("{parsed:?}"), format!("{job:?}"));
        assert!(Job::parse(["x".into()]).is_none());
    }

    #[test]
    fn every_function_of_a_connections_life_is_called() {
        let life: FunctionSet = LIFE.into_iter().collect();
        for id in FunctionId::all() {
            assert_eq!(life.contains(id), id.row().serial != SerialGroup::LifeCycle, "{id}");
        }
    }
}
