//! One admin DLL: loaded, initialised and validated as RRAS does.
#![allow(unsafe_code)] // Calling a DLL's functions from several threads.

use crate::board::{self, Step};
use crate::callers::{Caller, Callers};
use crate::invoke::{Arg, invoke};
use crate::module::{LoadError, Module, Pointer};
use mprapi::abi::{MPRAPI_ADMIN_DLL_CALLBACKS, NO_ERROR, REVISION_2};
use mprapi::contract::{FUNCTION_COUNT, FUNCTIONS};
use mprapi::requirements::{ExportResult, check_exports, check_table};
use mprapi::{FunctionId, FunctionSet, Profile, Violation};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The result of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Returned {
    /// The DWORD or BOOL. None if the function returns nothing.
    pub result: Option<u32>,
    /// How long the call took.
    pub took: Duration,
}

impl Returned {
    /// Whether a BOOL result accepts: anything but 0 does.
    pub fn accepted(self) -> bool {
        self.result.is_some_and(|r| r != 0)
    }
}

/// What the host knows about a DLL, whichever process has loaded it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DllDescription {
    /// The path it was loaded from.
    pub path: PathBuf,
    /// The revision that it counts as.
    pub revision: u8,
    /// The functions that RRAS calls.
    pub functions: FunctionSet,
}

impl DllDescription {
    /// Whether RRAS calls the DLL for IKEv2 connections.
    pub fn serves_ikev2(&self) -> bool {
        self.revision == REVISION_2
    }
}

/// A loaded admin DLL.
#[derive(Debug)]
pub struct AdminDll {
    /// None once the DLL is unloaded, or kept loaded until the process ends.
    module: Mutex<Option<Module>>,
    path: PathBuf,
    callers: Callers,
    index: usize,
    /// The exports of the contract, by name.
    exported: [Option<Pointer>; FUNCTION_COUNT],
    /// The functions that RRAS calls: those of the table, or the exports.
    called: [Option<Pointer>; FUNCTION_COUNT],
    table: Option<(u8, FunctionSet)>,
}

// SAFETY: the pointers are addresses of code in `module`, which stays loaded as long as `callers` lets anyone call them;
// an admin DLL's functions may be called from any thread (CONTRACT section 3, "Threads and processes").
unsafe impl Send for AdminDll {}
// SAFETY: as above. The caller makes sure that calls of one group do not overlap.
unsafe impl Sync for AdminDll {}

impl AdminDll {
    /// Loads the library and looks up the contract's exports. No function is called yet. `index` is the DLL's position in
    /// DllPath, for the report of a crash.
    ///
    /// # Errors
    /// If the system cannot load the library.
    pub fn load(path: &Path, index: usize) -> Result<Self, LoadError> {
        let loading = board::calling(Step::Load, index, []);
        let module = Module::load(path)?;
        drop(loading);
        let exported = std::array::from_fn(|i| {
            let row = &FUNCTIONS[i];
            if row.exported { module.symbol(row.name) } else { None }
        });
        Ok(Self {
            module: Mutex::new(Some(module)),
            path: path.to_owned(),
            callers: Callers::new(),
            index,
            exported,
            called: [None; FUNCTION_COUNT],
            table: None,
        })
    }

    /// The path that it was loaded from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The functions of the contract that the DLL exports.
    pub fn exports(&self) -> FunctionSet {
        set_of(&self.exported)
    }

    /// Initialises the DLL as RRAS does, and returns the code that it returned (0 is success).
    ///
    /// If MprAdminInitializeDllEx is exported, it is called with a zeroed callbacks table, and from then on only the table
    /// counts. Otherwise the exports count, and MprAdminInitializeDll is called if it is exported.
    pub fn initialize(&mut self) -> u32 {
        if self.exports().contains(FunctionId::InitializeDllEx) {
            let mut table = [Arg::bytes(&[0; size_of::<MPRAPI_ADMIN_DLL_CALLBACKS>()])];
            let code = self.call_export(FunctionId::InitializeDllEx, &mut table).and_then(|r| r.result);
            self.read_table(table[0].memory().unwrap_or_default());
            code.unwrap_or(NO_ERROR)
        } else {
            self.called = self.exported;
            // The Ex forms do not belong to revision 1, so RRAS does not call them.
            for id in [
                FunctionId::AcceptNewConnectionEx,
                FunctionId::ConnectionHangupNotificationEx,
                FunctionId::AcceptReauthenticationEx,
            ] {
                self.called[id as usize] = None;
            }
            let code = self.call_export(FunctionId::InitializeDll, &mut []).and_then(|r| r.result);
            code.unwrap_or(NO_ERROR)
        }
    }

    fn read_table(&mut self, bytes: &[u8]) {
        let mut set = FunctionSet::EMPTY;
        self.called = [None; FUNCTION_COUNT];
        for row in FUNCTIONS {
            // The pointers follow `revision`, which is padded to the size of a pointer.
            let bytes = row.slot.and_then(|slot| bytes.get(8 + 8 * slot..16 + 8 * slot));
            let address = bytes.and_then(|b| b.try_into().ok()).map_or(0, usize::from_le_bytes);
            if let Some(pointer) = Pointer::new(std::ptr::with_exposed_provenance_mut(address)) {
                self.called[row.id as usize] = Some(pointer);
                set.insert(row.id);
            }
        }
        self.table = Some((bytes.first().copied().unwrap_or(0), set));
    }

    /// The callbacks table's revision, and the functions whose pointers are set. None before MprAdminInitializeDllEx has
    /// run.
    pub fn table(&self) -> Option<(u8, FunctionSet)> {
        self.table
    }

    /// The revision that the DLL counts as: that of its table, or 1.
    pub fn revision(&self) -> u8 {
        self.table.map_or(1, |(revision, _)| revision)
    }

    /// What the host knows about the DLL.
    pub fn description(&self) -> DllDescription {
        DllDescription { path: self.path.clone(), revision: self.revision(), functions: self.functions() }
    }

    /// The functions that RRAS calls: those of its table, or its exports.
    pub fn functions(&self) -> FunctionSet {
        set_of(&self.called)
    }

    /// The requirements of a profile that the DLL does not meet, once it is initialised.
    pub fn violations(&self, profile: Profile) -> Vec<Violation> {
        match (check_exports(profile, self.exports()), self.table) {
            (ExportResult::Decided(violations), None) => violations,
            (ExportResult::DependsOnTable, None) => Vec::new(),
            (ExportResult::DependsOnTable, Some((revision, set))) => check_table(profile, revision, set),
            (ExportResult::Decided(mut violations), Some((revision, set))) => {
                for violation in check_table(profile, revision, set) {
                    if !violations.contains(&violation) {
                        violations.push(violation);
                    }
                }
                violations
            }
        }
    }

    /// Calls a function as RRAS would: through the table, if there is one. Returns None if the DLL does not have the
    /// function, or is being unloaded.
    ///
    /// # Panics
    /// If the contract has another number of arguments.
    pub fn call(&self, function: FunctionId, arguments: &mut [Arg]) -> Option<Returned> {
        Some(self.enter(function)?.call(arguments))
    }

    /// Calls an export, whether RRAS would or not. Returns None if the DLL does not export it, or is being unloaded.
    ///
    /// # Panics
    /// If the contract has another number of arguments.
    pub fn call_export(&self, function: FunctionId, arguments: &mut [Arg]) -> Option<Returned> {
        let pointer = self.exported[function as usize]?;
        let caller = self.callers.enter(function)?;
        Some(EnteredCall { dll: self, function, pointer, _caller: caller }.call(arguments))
    }

    /// Begins a call: it counts as inside from now on, so the DLL is not unloaded before it has returned.
    pub(crate) fn enter(&self, function: FunctionId) -> Option<EnteredCall<'_>> {
        let pointer = self.called[function as usize]?;
        let caller = self.callers.enter(function)?;
        Some(EnteredCall { dll: self, function, pointer, _caller: caller })
    }

    /// Allows no further calls, except TerminateDll.
    pub(crate) fn end_calls(&self) {
        self.callers.close();
    }

    /// Waits until no call is inside, but no longer than the deadline. Returns the functions that have not returned.
    pub(crate) fn wait_for_callers(&self, deadline: Instant) -> Vec<FunctionId> {
        self.callers.wait(deadline)
    }

    /// Unloads the DLL once no call is inside. If calls are still inside at the deadline, the DLL stays loaded until the
    /// process ends, and their functions are returned. The caller must call TerminateDll first.
    pub(crate) fn unload_shared(&self, deadline: Instant) -> Result<Vec<FunctionId>, String> {
        let stuck = self.callers.shut(deadline);
        let module = self.module.lock().unwrap_or_else(PoisonError::into_inner).take();
        if stuck.is_empty() {
            let _unloading = board::calling(Step::Unload, self.index, []);
            module.map_or(Ok(()), Module::unload)?;
        } else {
            std::mem::forget(module);
        }
        Ok(stuck)
    }

    /// Unloads the DLL. The caller must call TerminateDll first.
    ///
    /// # Errors
    /// If the system cannot free the library.
    pub fn unload(self) -> Result<(), String> {
        let module = self.module.into_inner().unwrap_or_else(PoisonError::into_inner);
        let _unloading = board::calling(Step::Unload, self.index, []);
        module.map_or(Ok(()), Module::unload)
    }
}

/// A call that counts as inside the DLL.
pub(crate) struct EnteredCall<'a> {
    dll: &'a AdminDll,
    function: FunctionId,
    pointer: Pointer,
    _caller: Caller<'a>,
}

impl EnteredCall<'_> {
    pub(crate) fn call(&self, arguments: &mut [Arg]) -> Returned {
        let ends = arguments.iter().map(|argument| argument.end().unwrap_or(0));
        let calling = board::calling(Step::Call(self.function), self.dll.index, ends);
        let guard = ExceptionGuard { calling: &calling, function: self.function };
        let start = Instant::now();
        let result = invoke(self.pointer, self.function.row(), arguments);
        let took = start.elapsed();
        std::mem::forget(guard);
        Returned { result, took }
    }
}

/// Ends the process if an exception leaves a function of the DLL, as it would end RRAS. Otherwise it would unwind the host.
struct ExceptionGuard<'a> {
    calling: &'a board::Calling,
    function: FunctionId,
}

impl Drop for ExceptionGuard<'_> {
    fn drop(&mut self) {
        self.calling.left_by_exception();
        eprintln!("a foreign exception left {}", self.function);
        std::process::abort();
    }
}

fn set_of(pointers: &[Option<Pointer>; FUNCTION_COUNT]) -> FunctionSet {
    FunctionId::all().filter(|&id| pointers[id as usize].is_some()).collect()
}
