//! Finds functions that close handles which are not theirs, and functions that change what the whole process shares.

use super::arguments::ordinary_call;
use super::loaded::LoadedDll;
use super::progress::ChildResult;
use crate::check::Check;
use crate::process_state::ProcessState;
use mprapi::FunctionId;
use std::fs::File;
use std::io::{Read, Seek};
use std::mem::ManuallyDrop;
use std::path::PathBuf;

/// The sessions to play. In the second one a DLL that closes its handle twice closes somebody else's.
const ROUNDS: u32 = 2;

/// Calls each function. Returns the results of two checks, that of [`Check::ForeignHandles`] first. `before` is the state
/// before the DLL was loaded.
pub(super) fn shared_by_all(
    dll: &mut LoadedDll<'_>,
    before: ProcessState,
    canary: PathBuf,
) -> (ChildResult, Vec<(Check, ChildResult)>) {
    let mut handles = Handles::open(canary);
    if handles.files.is_empty() {
        let none = || ChildResult::skipped("the checker could not open a file of its own");
        return (none(), vec![(Check::ProcessState, none())]);
    }
    let mut state = before;
    let mut changes = Changes::default();
    changes.note("starting it", &mut state);
    let functions = dll.functions();
    let mut closed = Vec::new();
    let planned = functions.len() * ROUNDS as usize;
    for round in 0..ROUNDS {
        for (n, &id) in functions.iter().enumerate() {
            if !dll.in_time() {
                let done = round as usize * functions.len() + n;
                let late = || dll.late(done, planned, "calls");
                return (late(), vec![(Check::ProcessState, late())]);
            }
            dll.call(id, "", &mut ordinary_call(id, round));
            changes.note(id.name(), &mut state);
            if let Some(what) = handles.closed_since() {
                closed.push((id, what));
            }
            // It takes the place of a handle that the function closed rightly.
            handles.open_one();
        }
    }
    (foreign(&closed, planned), vec![(Check::ProcessState, changes.result(planned))])
}

/// The result of [`Check::ForeignHandles`].
fn foreign(closed: &[(FunctionId, &str)], calls: usize) -> ChildResult {
    let Some((function, what)) = closed.first() else {
        return ChildResult::pass(format!("{calls} calls"));
    };
    let mut names: Vec<_> = closed.iter().map(|(id, _)| id.name().to_owned()).collect();
    names.dedup();
    let mut message = format!("{function} closes {what}");
    if names.len() > 1 {
        message.push_str(&format!("; likewise {}", names[1..].join(", ")));
    }
    ChildResult::fail(
        message,
        "The handle was open before the call, and the DLL had not opened it. Usually a handle is closed twice, or closed \
         although opening it had failed.",
    )
}

/// Handles that the DLL has no business with.
struct Handles {
    /// The file that they all read.
    path: PathBuf,
    /// Never closed again after it was lost: the handle may be somebody else's by then.
    files: Vec<ManuallyDrop<File>>,
    standard: [bool; 3],
}

const CONTENT: [u8; 8] = *b"rasadmin";

impl Handles {
    /// Without files if the path cannot be written.
    fn open(path: PathBuf) -> Self {
        // If this fails, so does opening the file.
        let _ = std::fs::write(&path, CONTENT);
        let mut handles = Self { path, files: Vec::new(), standard: standard() };
        (0..4).for_each(|_| handles.open_one());
        handles
    }

    fn open_one(&mut self) {
        self.files.extend(File::open(&self.path).map(ManuallyDrop::new));
    }

    /// What was closed since this was asked last.
    fn closed_since(&mut self) -> Option<&'static str> {
        let standard = standard();
        let names = ["the process's standard input", "the process's standard output", "the process's standard error"];
        let lost = (0..names.len()).find(|&n| self.standard[n] && !standard[n]);
        self.standard = standard;
        let count = self.files.len();
        self.files.retain_mut(|file| {
            let mut content = [0; CONTENT.len()];
            file.rewind().and_then(|()| file.read_exact(&mut content)).is_ok() && content == CONTENT
        });
        match lost {
            Some(n) => Some(names[n]),
            None => (self.files.len() < count).then_some("a file that the checker has open"),
        }
    }
}

/// Whether standard input, output and error are open.
fn standard() -> [bool; 3] {
    #[cfg(unix)]
    {
        use std::os::fd::AsFd;
        let open = |fd: std::os::fd::BorrowedFd<'_>| fd.try_clone_to_owned().is_ok();
        [open(std::io::stdin().as_fd()), open(std::io::stdout().as_fd()), open(std::io::stderr().as_fd())]
    }
    #[cfg(windows)]
    {
        use std::os::windows::io::AsHandle;
        let open = |handle: std::os::windows::io::BorrowedHandle<'_>| handle.try_clone_to_owned().is_ok();
        [open(std::io::stdin().as_handle()), open(std::io::stdout().as_handle()), open(std::io::stderr().as_handle())]
    }
}

/// What was changed, and by whom.
#[derive(Default)]
struct Changes(Vec<(String, &'static str)>);

impl Changes {
    /// Compares with the state before, and takes the new one.
    fn note(&mut self, who: &str, state: &mut ProcessState) {
        let now = ProcessState::now();
        for what in now.differences(state) {
            if self.0.iter().all(|(_, known)| *known != what) {
                self.0.push((who.to_owned(), what));
            }
        }
        *state = now;
    }

    fn result(self, calls: usize) -> ChildResult {
        if self.0.is_empty() {
            return ChildResult::pass(format!("{calls} calls"));
        }
        let changes: Vec<_> = self.0.iter().map(|(who, what)| format!("{who} changes {what}")).collect();
        ChildResult::warn(changes.join("; "), "It was compared with what it was before the DLL was loaded and called.")
    }
}
