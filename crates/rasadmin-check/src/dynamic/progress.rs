//! The reports of a child process to its parent: JSON Lines in a file. A line is written before each step that may end the
//! process.

use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::Write;
use std::path::Path;

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
    /// The check is done.
    Done { result: ChildResult },
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
    Pass { message: String },
    Fail { message: String, cause: String },
    Skipped { why: String },
}

impl ChildResult {
    pub(super) fn pass(message: impl Into<String>) -> Self {
        Self::Pass { message: message.into() }
    }

    pub(super) fn fail(message: impl Into<String>, cause: impl Into<String>) -> Self {
        Self::Fail { message: message.into(), cause: cause.into() }
    }

    pub(super) fn skipped(why: impl Into<String>) -> Self {
        Self::Skipped { why: why.into() }
    }
}

/// Writes the reports.
#[derive(Debug)]
pub(super) struct Progress(File);

impl Progress {
    pub(super) fn create(path: &Path) -> std::io::Result<Self> {
        File::create(path).map(Self)
    }

    /// Writes a report at once. If that fails, the child is of no use, and ends.
    pub(super) fn write(&mut self, line: &Line) {
        let written = serde_json::to_vec(line).map_err(std::io::Error::from).and_then(|mut text| {
            text.push(b'\n');
            self.0.write_all(&text)
        });
        if written.is_err() {
            std::process::exit(CANNOT_WRITE);
        }
    }

    pub(super) fn step(&mut self, what: impl Into<String>) {
        self.write(&Line::Step { what: what.into() });
    }
}
