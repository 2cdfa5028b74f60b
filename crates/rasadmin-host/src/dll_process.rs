//! DLLs in another process: the address functions alone, which Microsoft's pages say may happen, or all functions, so
//! that the process can be killed without the host.
//!
//! The child first describes its DLLs in a line of JSON. Then both sides write lines of the trace format: the parent
//! sends a call without a result, and the child answers with the same call and its result.

use crate::board;
use crate::dll::{AdminDll, DllDescription, Returned};
use crate::exception::Exit;
use crate::invoke::Arg;
use crate::start::{StartFailure, start_dlls};
use crate::supervise::{Death, How};
use crate::{record, standard_streams};
use mprapi::contract::Returns;
use mprapi::{FunctionId, Profile};
use rasadmin_trace::{Buffer, Call, Header, Reader, Writer};
use serde::{Deserialize, Serialize};
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// The header of the protocol names this many DLLs, by number only. A trace's reader refuses higher numbers.
const MAX_DLLS: usize = 1024;

/// How long a process may take to end once it has closed its pipes.
const ENDING: Duration = Duration::from_secs(30);

/// RPC_S_SERVER_UNAVAILABLE: the result of an address call if its process has ended.
const PROCESS_GONE: u32 = 1722;

/// [`DllDescription`], as the child sends it.
#[derive(Serialize, Deserialize)]
struct DescriptionLine {
    path: PathBuf,
    revision: u8,
    functions: Vec<String>,
}

impl From<DllDescription> for DescriptionLine {
    fn from(dll: DllDescription) -> Self {
        let functions = dll.functions.iter().map(|function| function.name().to_owned()).collect();
        Self { path: dll.path, revision: dll.revision, functions }
    }
}

impl From<DescriptionLine> for DllDescription {
    fn from(line: DescriptionLine) -> Self {
        let functions = line.functions.iter().filter_map(|name| FunctionId::from_name(name)).collect();
        Self { path: line.path, revision: line.revision, functions }
    }
}

/// The parent's side of a child process that has the same DLLs loaded.
pub(crate) struct DllProcess {
    child: Child,
    to: Option<Writer<ChildStdin>>,
    from: Reader<BufReader<ChildStdout>>,
}

impl DllProcess {
    /// Starts the child, and returns the descriptions of its DLLs. `command` must call [`serve_calls`] with the same DLLs.
    pub(crate) fn start(mut command: Command) -> Result<(Self, Vec<DllDescription>), String> {
        let failed = |e: &dyn std::fmt::Display| format!("a process for the DLLs did not start: {e}");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(|e| failed(&e))?;
        let (Some(to), Some(from)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(failed(&"it has no pipes"));
        };
        let header = Header::new("rasadmin host", vec![String::new(); MAX_DLLS]);
        let opened = Writer::new(to, &header).map_err(|e| failed(&e)).and_then(|to| {
            let mut from = BufReader::new(from);
            let mut line = String::new();
            from.read_line(&mut line).map_err(|e| failed(&e))?;
            let lines: Vec<DescriptionLine> = serde_json::from_str(&line).map_err(|e| failed(&e))?;
            let from = Reader::new("the process of the DLLs", from).map_err(|e| failed(&e))?;
            Ok((to, from, lines))
        });
        let (to, from, lines) = opened.inspect_err(|_| {
            // It may have ended already; then this fails, and nothing is left to kill.
            let _ = child.kill();
            let _ = child.wait();
        })?;
        let descriptions = lines.into_iter().map(DllDescription::from).collect();
        Ok((Self { child, to: Some(to), from }, descriptions))
    }

    /// Lets the child make the call. If the child has ended, the call fails as [`failed_call`] says. If it ends in this
    /// call, its death is returned, too.
    pub(crate) fn call(
        &mut self,
        dll: usize,
        function: FunctionId,
        before: &[Buffer],
    ) -> (Returned, Vec<Buffer>, Option<Box<Death>>) {
        let call = Call { dll, function, arguments: before.to_vec(), ..record::call_returning(untimed(Some(0))) };
        let Some(to) = &mut self.to else { return (failed_call(function), before.to_vec(), None) };
        let sent = to.call(&call).is_ok();
        match sent.then(|| self.from.next()).flatten() {
            Some(Ok(answer)) if answer.function == function && answer.dll == dll => {
                let returned = Returned { result: answer.result, took: Duration::from_nanos(answer.took_ns) };
                let rows = function.row().arguments;
                (returned, rows.iter().filter_map(|row| answer.after(row.ty).cloned()).collect(), None)
            }
            // It has ended, or what it sends is no answer. Nothing that follows can be trusted.
            _ => {
                self.to = None;
                let status = self.wait_or_kill();
                (failed_call(function), before.to_vec(), Some(Box::new(self.death(status))))
            }
        }
    }

    /// Kills the child.
    pub(crate) fn kill(mut self) {
        // This fails if the child has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(board) = board::own() {
            board.take_calls_of(self.child.id());
        }
    }

    /// Lets the child terminate and unload its DLLs, and waits for its end.
    ///
    /// # Errors
    /// If it crashed or failed.
    pub(crate) fn stop(&mut self) -> Result<(), Box<Death>> {
        let was_alive = self.to.take().is_some(); // Closes the pipe: the child's loop ends.
        let ended = loop {
            match self.child.try_wait() {
                // The board of a supervised process shows a call that does not return. Beyond that, an end has a limit.
                Ok(None) if self.is_in_a_call() => std::thread::sleep(Duration::from_millis(5)),
                Ok(None) => match self.wait_or_kill() {
                    Some(status) => break Some(status),
                    None => break None,
                },
                Ok(Some(status)) => break Some(status),
                Err(_) => break None,
            }
        };
        match ended {
            Some(status) if status.success() => Ok(()),
            // Its death was told when it happened.
            _ if !was_alive => Ok(()),
            status => Err(Box::new(self.death(status))),
        }
    }

    fn is_in_a_call(&self) -> bool {
        board::own().is_some_and(|board| board.calls().iter().any(|call| call.process == self.child.id()))
    }

    fn wait_or_kill(&mut self) -> Option<ExitStatus> {
        let deadline = Instant::now() + ENDING;
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => return Some(status),
                Ok(None) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(5)),
                _ => break,
            }
        }
        let _ = self.child.kill();
        self.child.wait().ok()
    }

    fn death(&self, status: Option<ExitStatus>) -> Death {
        let how = How::Process(status.map_or(Exit::Code(-1), Exit::of));
        let calls = board::own().map(|board| board.take_calls_of(self.child.id()));
        let mut death = Death::new(how, self.child.id(), calls.unwrap_or_default(), board::own());
        // The call was made for this thread's line of the scenario.
        if let Some(call) = &mut death.call {
            call.line = board::line();
        }
        death
    }
}

/// The result of a call whose process has ended: an address call fails as an RPC to a dead process does, and no
/// connection or link is accepted.
pub(crate) fn failed_call(function: FunctionId) -> Returned {
    untimed(match function.row().returns {
        Returns::Nothing => None,
        Returns::Status => Some(PROCESS_GONE),
        Returns::Verdict | Returns::PreAuthentication => Some(0),
    })
}

fn untimed(result: Option<u32>) -> Returned {
    Returned { result, took: Duration::ZERO }
}

/// Runs the child's side: loads and initialises the DLLs, makes the calls that arrive on standard input, and writes their
/// results to standard output. Terminates and unloads the DLLs when the input ends.
///
/// # Errors
/// If a DLL does not start or cannot be unloaded, or a pipe fails.
pub fn serve_calls(paths: &[PathBuf], profile: Profile) -> Result<(), String> {
    let (input, mut output) = standard_streams::take().map_err(|e| e.to_string())?;
    board::join().map_err(|e| e.to_string())?;
    let dlls = start_dlls(paths, profile, &mut |_| {}).map_err(|f: StartFailure| f.to_string())?;
    let lines: Vec<DescriptionLine> = dlls.iter().map(AdminDll::description).map(DescriptionLine::from).collect();
    let lines = serde_json::to_string(&lines).map_err(|e| e.to_string())?;
    writeln!(output, "{lines}").map_err(|e| e.to_string())?;
    let header = Header::new("rasadmin host", vec![String::new(); MAX_DLLS]);
    let mut to = Writer::new(output, &header).map_err(|e| e.to_string())?;
    let from = Reader::new("the host", BufReader::new(input)).map_err(|e| e.to_string())?;
    for call in from {
        let mut call = call.map_err(|e| e.to_string())?;
        let mut arguments: Vec<Arg> = record::arguments(&call.arguments);
        if let Some(dll) = dlls.get(call.dll)
            && let Some(returned) = dll.call(call.function, &mut arguments)
        {
            call.result = returned.result;
            call.took_ns = record::call_returning(returned).took_ns;
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
