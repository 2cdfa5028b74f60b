//! The reports of a child process to its parent: JSON Lines in a file. A line is written before each step that may end the
//! process.

use mprapi::FunctionId;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::Write;
use std::mem::ManuallyDrop;
use std::path::Path;
use std::time::Duration;

/// The exit status of a child that cannot write its result file.
pub(super) const CANNOT_WRITE: i32 = 97;

/// One report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "snake_case")]
pub(super) enum Line {
    /// A step of the checker's own work begins or is done.
    Step { what: String },
    /// The library is about to be loaded: its start-up code runs.
    Loading,
    /// The library is about to be unloaded.
    Unloading,
    /// A function of the DLL is about to be called.
    Call { function: String, detail: String },
    /// The result of loading and initialising.
    Started(Start),
    /// An ordinary call of a function takes this long.
    Slow { function: String, milliseconds: u64 },
    /// The check is done. `more` are results of other checks, by their ids.
    Done { result: ChildResult, more: Vec<(String, ChildResult)> },
    /// The checker panicked.
    Panic { message: String },
}

/// The result of loading and initialising a DLL.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Start {
    /// The Windows error code and the system's message, if the DLL could not be loaded.
    pub load_error: Option<(u32, String)>,
    /// What the initialise function returned. None if there is no such function.
    pub answer: Option<u32>,
    /// The callbacks table's revision and functions.
    pub table: Option<(u8, Vec<String>)>,
    /// The functions that RRAS would call.
    pub functions: Vec<String>,
    /// The exports of the contract that the loader found.
    pub exports: Vec<String>,
}

/// The result of a check in the child.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub(super) enum ChildResult {
    Pass {
        message: String,
    },
    /// The DLL has a defect. Some other checks need not call these functions.
    Found {
        serious: bool,
        message: String,
        cause: String,
        functions: Vec<String>,
    },
    Skipped {
        why: String,
    },
    /// It did not initialise, although it did in an earlier process.
    NotStarted(Start),
}

impl ChildResult {
    pub(super) fn pass(message: impl Into<String>) -> Self {
        Self::Pass { message: message.into() }
    }

    pub(super) fn fail(message: impl Into<String>, cause: impl Into<String>) -> Self {
        Self::Found { serious: true, message: message.into(), cause: cause.into(), functions: Vec::new() }
    }

    pub(super) fn warn(message: impl Into<String>, cause: impl Into<String>) -> Self {
        Self::Found { serious: false, message: message.into(), cause: cause.into(), functions: Vec::new() }
    }

    pub(super) fn skipped(why: impl Into<String>) -> Self {
        Self::Skipped { why: why.into() }
    }

    /// The functions that it names.
    pub(super) fn functions(&self) -> &[String] {
        match self {
            Self::Found { functions, .. } => functions,
            _ => &[],
        }
    }

    /// The result of a check that has no time left after it has done a part.
    pub(super) fn late(done: usize, planned: usize, what: &str, time: Duration) -> Self {
        let time = time.as_secs_f32();
        Self::skipped(format!("{done} of {planned} {what} took the {time:.1} seconds that it has (--bound)"))
    }
}

impl Start {
    /// What went wrong, in a few words. None if it initialised.
    pub(super) fn failure(&self) -> Option<String> {
        let function = if self.table.is_some() { FunctionId::InitializeDllEx } else { FunctionId::InitializeDll };
        match (&self.load_error, self.answer) {
            (Some((code, _)), _) => Some(format!("it cannot be loaded: error {code}")),
            (None, Some(code)) if code != 0 => Some(format!("{function} returns {code}")),
            _ => None,
        }
    }
}

/// Writes the reports.
#[derive(Debug)]
pub(super) struct Progress {
    /// A second handle is for the case that the DLL closes the first. A file that does not work is not closed again: the
    /// handle may be somebody else's by now.
    files: Vec<ManuallyDrop<File>>,
}

impl Progress {
    pub(super) fn create(path: &Path) -> std::io::Result<Self> {
        let file = File::create(path)?;
        let second = file.try_clone()?;
        // The last one is used first.
        Ok(Self { files: [second, file].map(ManuallyDrop::new).into() })
    }

    /// Writes a report at once. If that fails, the child is of no use, and ends.
    pub(super) fn write(&mut self, line: &Line) {
        let Ok(mut text) = serde_json::to_vec(line) else {
            std::process::exit(CANNOT_WRITE);
        };
        text.push(b'\n');
        while let Some(file) = self.files.last_mut() {
            if file.write_all(&text).is_ok() {
                return;
            }
            self.files.pop();
        }
        std::process::exit(CANNOT_WRITE);
    }

    pub(super) fn step(&mut self, what: impl Into<String>) {
        self.write(&Line::Step { what: what.into() });
    }
}
