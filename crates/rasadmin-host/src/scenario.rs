//! Scenarios: text files that describe a day of users who connect and disconnect. docs/scenario.md defines the format.

mod event;
mod expectation;
mod line;
mod parser;
mod server_events;
mod settings;
mod values;

pub use event::{Action, Connect, Event, Hangup, Replacement, Traffic};

use crate::assumptions::Assumptions;
use crate::expectation::Expectation;
use crate::outcome::RunSummary;
use crate::pool::Pool;
use line::Line;
use parser::Parser;
use std::fmt;
use std::path::{Path, PathBuf};

/// An error in a scenario, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScenarioError {
    /// The file, as the caller named it.
    pub file: String,
    /// The line, from 1. 0 if the error concerns the whole file.
    pub line: usize,
    /// What was found, and what was expected.
    pub message: String,
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.file, self.message),
            line => write!(f, "{}:{line}: {}", self.file, self.message),
        }
    }
}

impl std::error::Error for ScenarioError {}

/// A scenario.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The server's name.
    pub server: String,
    /// RRAS's own addresses.
    pub pool: Pool,
    /// When the day begins, in seconds since 1970, if the file says so. DLLs whose answers depend on the time need it.
    pub begins: Option<i64>,
    /// Whether the address functions run in a process of their own.
    pub two_processes: bool,
    /// What to assume where RRAS's behaviour is unproven.
    pub assumptions: Assumptions,
    /// The events, in order of time.
    pub events: Vec<Event>,
    /// The results that the sessions must have.
    pub expectations: Vec<Expectation>,
    /// The file, as the caller named it.
    pub file: String,
    /// The folder of the file, at which relative paths in it start.
    pub folder: PathBuf,
}

impl Scenario {
    /// Reads a scenario file.
    ///
    /// # Errors
    /// If the file cannot be read or has an error.
    pub fn read(path: &Path) -> Result<Self, ScenarioError> {
        let file = path.display().to_string();
        match std::fs::read_to_string(path) {
            Ok(text) => {
                // The process's current directory may change during the run.
                let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
                let folder = whole.parent().map(Path::to_owned).unwrap_or_default();
                Ok(Self { folder, ..Self::parse(&file, &text)? })
            }
            Err(e) => Err(ScenarioError { file, line: 0, message: format!("cannot read the scenario: {e}") }),
        }
    }

    /// Parses a scenario. `file` is its name in error messages.
    ///
    /// # Errors
    /// If the text has an error.
    pub fn parse(file: &str, text: &str) -> Result<Self, ScenarioError> {
        let mut parser = Parser::default();
        for (number, line) in (1..).zip(text.lines()) {
            let at = |message| ScenarioError { file: file.to_owned(), line: number, message };
            if let Some(line) = Line::split(line).map_err(at)? {
                parser.line(number, line).map_err(at)?;
            }
        }
        let whole = |message| ScenarioError { file: file.to_owned(), line: 0, message };
        let (settings, events, expectations) = parser.finish().map_err(whole)?;
        Ok(Self {
            pool: settings.pool().map_err(whole)?,
            server: settings.server.unwrap_or_else(|| "VPN1".into()),
            begins: settings.begins,
            two_processes: settings.two_processes,
            assumptions: settings.assumptions,
            events,
            expectations,
            file: file.to_owned(),
            folder: PathBuf::new(),
        })
    }

    /// What went wrong in a run of this scenario, one line each: expectations that were not met, and addresses that a DLL
    /// chose for two sessions at once.
    pub fn faults(&self, summary: &RunSummary) -> Vec<String> {
        let unmet = self.expectations.iter().filter_map(|expectation| {
            expectation.unmet(summary).map(|fault| format!("{}:{}: {fault}", self.file, expectation.line))
        });
        unmet.chain(summary.conflicts.iter().map(ToString::to_string)).collect()
    }

    /// Whether processes are killed or restarted. The DLLs must then run in processes of their own.
    pub fn kills(&self) -> bool {
        self.events.iter().any(|event| matches!(event.action, Action::Kill(_) | Action::Restart(_)))
    }

    /// Whether another process locks the journal.
    pub fn locks_journal(&self) -> bool {
        self.events.iter().any(|event| matches!(event.action, Action::LockJournal))
    }
}
