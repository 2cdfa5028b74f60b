//! A candidate configuration, simulated over the past.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How many users the answer of a simulation has at most: those for whom most would change.
pub const MOST_USERS: usize = 100;

/// How far a simulation is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Simulation {
    /// It runs.
    Running {
        /// How many attempts are simulated.
        done: u64,
        /// How many there are; 0 while they are read from the ledger.
        all: u64,
    },
    /// It has finished.
    Finished {
        /// What the configuration would have changed, as `rasadmin replay --json` prints it.
        answer: Value,
        /// How many users the answer leaves out, because it has [`MOST_USERS`] already.
        more_users: u64,
    },
    /// It has failed.
    Failed {
        /// Why, for people.
        why: String,
    },
    /// It was stopped.
    Stopped {
        /// By whom or why, for people.
        why: String,
    },
}

/// A mistake in a candidate configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mistake {
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
    /// What is wrong.
    pub what: String,
    /// What to write instead.
    pub help: String,
}
