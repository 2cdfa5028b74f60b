//! What a child process tells its parent: JSON Lines in a file, written before each thing that may end the process.

use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::Write;
use std::path::Path;

/// Exit status of a child that cannot write its result file.
pub(super) const CANNOT_WRITE: i32 = 97;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "snake_case")]
pub(super) enum Line {
    /// The checker's own work begins.
    Step { what: String },
    /// The library is about to be loaded: its start-up code runs.
    Loading,
    /// The library is about to be unloaded.
    Unloading,
    /// A function of the DLL is about to be called.
    Call { function: String, detail: String },
    /// What initialising gave.
    Started(Start),
    /// The check is done.
    Done { result: ChildResult },
    /// The checker panicked.
    Panic { message: String },
}

/// What loading and initialising gave.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Start {
    /// Why it could not be loaded: the Windows error code, and what the system said.
    pub load_error: Option<(u32, String)>,
    /// What the initialise function returned; None if there is none.
    pub answer: Option<u32>,
    /// The callbacks table's revision and functions.
    pub table: Option<(u8, Vec<String>)>,
    /// What RRAS would call.
    pub functions: Vec<String>,
}

/// How a check ended in the child.
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

/// The writer of the lines.
#[derive(Debug)]
pub(super) struct Progress(File);

impl Progress {
    pub(super) fn create(path: &Path) -> std::io::Result<Self> {
        File::create(path).map(Self)
    }

    /// Writes a line at once. A child that cannot write is of no use: it ends.
    pub(super) fn say(&mut self, line: &Line) {
        let written = serde_json::to_vec(line).map_err(std::io::Error::from).and_then(|mut text| {
            text.push(b'\n');
            self.0.write_all(&text)
        });
        if written.is_err() {
            std::process::exit(CANNOT_WRITE);
        }
    }

    pub(super) fn step(&mut self, what: impl Into<String>) {
        self.say(&Line::Step { what: what.into() });
    }
}
