//! A DLL in a child process, loaded and initialised.

use super::job::Job;
use super::progress::{ChildResult, Line, Progress, Start};
use crate::counters;
use mprapi::contract::SerialGroup;
use mprapi::{FunctionId, FunctionSet};
use rasadmin_host::dll::{AdminDll, Returned};
use rasadmin_host::guarded::{Treatment, treat};
use rasadmin_host::invoke::Arg;
use std::time::{Duration, Instant};

/// The number of accessible bytes after a table whose end the DLL overwrites.
const TABLE_SLACK: usize = 2048;

/// A DLL that is loaded and initialised.
pub(super) struct LoadedDll<'a> {
    pub admin_dll: AdminDll,
    pub progress: &'a mut Progress,
    except: FunctionSet,
    answer: Option<u32>,
    /// The number of threads of this process when the DLL was loaded and not yet initialised.
    pub threads_before: usize,
    begin: Instant,
    time: Duration,
}

/// The functions in the order of a connection's life, with all forms of each.
const CALL_ORDER: [FunctionId; 18] = [
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

impl<'a> LoadedDll<'a> {
    /// Loads and initialises the DLL. `Err` says what went wrong.
    pub(super) fn start(job: &Job, progress: &'a mut Progress) -> Result<Self, Start> {
        progress.write(&Line::Loading);
        let mut dll = AdminDll::load(&job.file, 0)
            .map_err(|e| Start { load_error: Some((e.code, e.message)), ..Start::default() })?;
        // Windows' loader has its own worker threads, which are not the DLL's.
        let threads_before = counters::threads().unwrap_or(usize::MAX);
        let initialise = [FunctionId::InitializeDllEx, FunctionId::InitializeDll];
        let name = initialise.into_iter().find(|&id| dll.exports().contains(id));
        if let Some(id) = name {
            progress.write(&Line::Call { function: id.name().into(), detail: String::new() });
        }
        let slack = if job.memory.table_slack { TABLE_SLACK } else { 0 };
        treat(Treatment { slack, afterwards: job.memory.table });
        let code = dll.initialize();
        treat(Treatment { slack: 0, afterwards: job.memory.arguments });
        progress.step("initialised");
        let loaded = Self {
            admin_dll: dll,
            progress,
            except: job.except,
            answer: name.map(|_| code),
            threads_before,
            begin: Instant::now(),
            time: job.time,
        };
        if code == 0 {
            return Ok(loaded);
        }
        let start = loaded.started();
        std::mem::forget(loaded.admin_dll);
        Err(start)
    }

    /// What loading and initialising gave.
    pub(super) fn started(&self) -> Start {
        let names = |set: FunctionSet| set.iter().map(|id| id.name().to_owned()).collect();
        Start {
            load_error: None,
            answer: self.answer,
            table: self.admin_dll.table().map(|(revision, set)| (revision, names(set))),
            functions: names(self.admin_dll.functions()),
            exports: names(self.admin_dll.exports()),
        }
    }

    /// The functions to call, in the order of a connection's life: those that RRAS would call, without the excepted ones and
    /// those that start and stop the DLL.
    pub(super) fn functions(&self) -> Vec<FunctionId> {
        let present = self.admin_dll.functions();
        CALL_ORDER
            .into_iter()
            .filter(|&id| present.contains(id) && !self.except.contains(id))
            .filter(|id| id.row().serial != SerialGroup::LifeCycle)
            .collect()
    }

    /// Reports that a function is about to be called, and calls it.
    pub(super) fn call(&mut self, id: FunctionId, detail: &str, arguments: &mut [Arg]) -> Option<Returned> {
        self.progress.write(&Line::Call { function: id.name().into(), detail: detail.into() });
        counters::call_begins();
        let returned = self.admin_dll.call(id, arguments);
        self.progress.step("a call returned");
        returned
    }

    /// Whether there is time for another call.
    pub(super) fn in_time(&self) -> bool {
        self.begin.elapsed() < self.time
    }

    /// The result of a check that has no time left after it has done a part.
    pub(super) fn late(&self, done: usize, planned: usize, what: &str) -> ChildResult {
        ChildResult::late(done, planned, what, self.time)
    }

    /// Calls MprAdminTerminateDll, but does not unload the DLL.
    pub(super) fn terminate(mut self) {
        self.call_terminate();
        // Unloading crashes if a thread is left in the DLL. The load-cycles check finds that.
        std::mem::forget(self.admin_dll);
    }

    /// Calls MprAdminTerminateDll, unless it is excepted.
    pub(super) fn call_terminate(&mut self) {
        let id = FunctionId::TerminateDll;
        if self.admin_dll.functions().contains(id) && !self.except.contains(id) {
            self.call(id, "", &mut []);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_of_a_connections_life_is_called() {
        let life: FunctionSet = CALL_ORDER.into_iter().collect();
        for id in FunctionId::all() {
            assert_eq!(life.contains(id), id.row().serial != SerialGroup::LifeCycle, "{id}");
        }
    }
}
