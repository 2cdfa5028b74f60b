//! DLLs in another process: the address functions alone, as Microsoft's pages warn they may be, or all of them, so that
//! they can be killed and the host lives on.
//!
//! The child first says in a line of JSON what its DLLs are. Then parent and child speak in lines of the trace's format:
//! the parent sends a call without a result, the child answers with the same call and its result.

use crate::dll::{AdminDll, Returned};
use crate::invoke::Arg;
use crate::record;
use crate::service::{StartFailure, start_dlls};
use mprapi::abi::REVISION_2;
use mprapi::contract::Returns;
use mprapi::{FunctionId, FunctionSet, Profile};
use rasadmin_trace::{Buffer, Call, Header, Reader, Writer};
use serde::{Deserialize, Serialize};
use std::io::{self, BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

/// The protocol's header names its DLLs by number only; a trace's reader refuses numbers beyond them.
const MOST_DLLS: usize = 1024;

/// RPC_S_SERVER_UNAVAILABLE: what an address call answers when its process is gone.
const PROCESS_GONE: u32 = 1722;

/// What is known of a DLL, wherever it is loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// The path it was loaded from.
    pub path: PathBuf,
    /// The revision it counts as.
    pub revision: u8,
    /// The functions that RRAS calls.
    pub functions: FunctionSet,
}

impl Described {
    /// Is it called for IKEv2 connections?
    pub fn serves_ikev2(&self) -> bool {
        self.revision == REVISION_2
    }
}

/// What is known of a DLL that is loaded here.
pub(crate) fn describe(dll: &AdminDll) -> Described {
    Described { path: dll.path().to_owned(), revision: dll.revision(), functions: dll.functions() }
}

/// [`Described`], as a child says it.
#[derive(Serialize, Deserialize)]
struct Said {
    path: PathBuf,
    revision: u8,
    functions: Vec<String>,
}

impl Said {
    fn of(dll: Described) -> Self {
        let functions = dll.functions.iter().map(|function| function.name().to_owned()).collect();
        Self { path: dll.path, revision: dll.revision, functions }
    }
}

/// The parent's side: a child process that has the same DLLs loaded.
pub(crate) struct Peer {
    child: Child,
    to: Option<Writer<ChildStdin>>,
    from: Reader<BufReader<ChildStdout>>,
}

impl Peer {
    /// Starts the child: `command` must call [`serve`] with the same DLLs. What they are.
    pub(crate) fn start(mut command: Command) -> Result<(Self, Vec<Described>), String> {
        let failed = |e: &dyn std::fmt::Display| format!("a process for the DLLs did not start: {e}");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(|e| failed(&e))?;
        let (Some(to), Some(from)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(failed(&"it has no pipes"));
        };
        let header = Header::new("rasadmin host", vec![String::new(); MOST_DLLS]);
        let opened = Writer::new(to, &header).map_err(|e| failed(&e)).and_then(|to| {
            let mut from = BufReader::new(from);
            let mut line = String::new();
            from.read_line(&mut line).map_err(|e| failed(&e))?;
            let said: Vec<Said> = serde_json::from_str(&line).map_err(|e| failed(&e))?;
            let from = Reader::new("the process of the DLLs", from).map_err(|e| failed(&e))?;
            Ok((to, from, said))
        });
        let (to, from, said) = opened.inspect_err(|_| {
            // It may have ended already: then there is nothing to kill.
            let _ = child.kill();
            let _ = child.wait();
        })?;
        let functions = |names: &[String]| names.iter().filter_map(|name| FunctionId::from_name(name)).collect();
        let described = said.into_iter().map(|Said { path, revision, functions: names }| Described {
            path,
            revision,
            functions: functions(&names),
        });
        let described = described.collect();
        Ok((Self { child, to: Some(to), from }, described))
    }

    /// Lets the child make the call. If the child is gone, an address call fails as an RPC to a dead process does.
    pub(crate) fn call(&mut self, dll: usize, function: FunctionId, before: &[Buffer]) -> (Returned, Vec<Buffer>) {
        let call = Call { dll, function, arguments: before.to_vec(), ..record::blank(no_time(Some(0))) };
        let sent = self.to.as_mut().is_some_and(|to| to.call(&call).is_ok());
        match sent.then(|| self.from.next()).flatten() {
            // An answer to something else: the DLLs wrote to standard output, or the child is broken. Nothing after it can
            // be trusted.
            Some(Ok(answer)) if answer.function == function && answer.dll == dll => {
                let returned = Returned { result: answer.result, took: Duration::from_nanos(answer.took_ns) };
                let rows = function.row().arguments;
                (returned, rows.iter().filter_map(|row| answer.after(row.ty).cloned()).collect())
            }
            _ => {
                self.to = None;
                (gone(function), before.to_vec())
            }
        }
    }

    /// Kills the child where it stands.
    pub(crate) fn kill(mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Ends the child: it terminates and unloads its DLLs. False if it had crashed or failed.
    pub(crate) fn stop(&mut self) -> bool {
        self.to = None; // Closes the pipe: the child's loop ends.
        self.child.wait().is_ok_and(|status| status.success())
    }
}

/// What a call answers whose process is gone: an address call fails as an RPC to a dead process does, and nobody is let
/// in.
pub(crate) fn gone(function: FunctionId) -> Returned {
    no_time(match function.row().returns {
        Returns::Nothing => None,
        Returns::Status => Some(PROCESS_GONE),
        Returns::Verdict | Returns::PreAuthentication => Some(0),
    })
}

fn no_time(result: Option<u32>) -> Returned {
    Returned { result, took: Duration::ZERO }
}

/// The child's side: loads and initialises the DLLs, makes the calls that arrive on standard input, answers on standard
/// output, and at the input's end terminates and unloads.
pub fn serve(paths: &[PathBuf], profile: Profile) -> Result<(), String> {
    let names: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    crate::fault::report_faults(&names);
    let dlls = start_dlls(paths, profile, &mut |_| {}).map_err(|f: StartFailure| f.to_string())?;
    let said: Vec<Said> = dlls.iter().map(describe).map(Said::of).collect();
    let said = serde_json::to_string(&said).map_err(|e| e.to_string())?;
    writeln!(io::stdout(), "{said}").map_err(|e| e.to_string())?;
    let header = Header::new("rasadmin host", vec![String::new(); MOST_DLLS]);
    let mut to = Writer::new(io::stdout().lock(), &header).map_err(|e| e.to_string())?;
    let from = Reader::new("the host", BufReader::new(io::stdin().lock())).map_err(|e| e.to_string())?;
    for call in from {
        let mut call = call.map_err(|e| e.to_string())?;
        let mut arguments: Vec<Arg> = record::arguments(&call.arguments);
        if let Some(dll) = dlls.get(call.dll)
            && let Some(returned) = dll.call(call.function, &mut arguments)
        {
            call.result = returned.result;
            call.took_ns = record::blank(returned).took_ns;
            call.after = record::changes(call.function, &call.arguments, &arguments);
        }
        to.call(&call).map_err(|e| e.to_string())?;
    }
    to.into_inner().flush().map_err(|e| e.to_string())?;
    for dll in &dlls {
        dll.call(FunctionId::TerminateDll, &mut []);
    }
    dlls.into_iter().try_for_each(AdminDll::unload)
}
