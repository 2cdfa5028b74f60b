//! The configuration: a TOML file that is read, checked and compiled.

mod asked;
mod bundle;
mod candidate;
mod check;
mod compile;
mod dashboard;
mod dates;
mod errors;
pub mod file;
mod fitness;
mod for_computer;
mod hours;
mod keeping;
mod list_files;
mod lists;
mod loading;
mod location;
mod paths;
mod pools;
mod quotes;
mod read;
mod reservations;
pub mod rules;
mod saved;
mod schema;
mod service;
mod shapes;
mod warnings;
mod watch;
mod wording;
mod zone;

pub use bundle::Bundle;
pub use candidate::NotCompiled;
pub use dashboard::{Dashboard, Encryption};
pub use errors::ConfigErrors;
pub use for_computer::{ForComputer, for_computer, load, parse, read, start};
pub use list_files::Lists;
pub use location::{Locations, NotFound, find};
pub use paths::last_good;
pub use schema::schema;
pub use service::{Disconnect, DisconnectMode, Metrics, Retention, Service};
pub use warnings::{Computer, Warnings};
pub use watch::{CHECK_BUDGET, Change, StartProblem, Started, Watch};
pub use zone::time_zone;

use crate::addresses::Plan;
use crate::rules::Rules;
use crate::shorten::fitting;
use crate::{Domains, Name};
use file::{Durability, Reconnect, WhenUnrecorded};
use jiff::tz::TimeZone;
use std::path::PathBuf;
use std::time::Duration;

/// A valid configuration, compiled for use.
#[derive(Debug)]
pub struct Config {
    /// Identifies the configuration: the first 16 hexadecimal digits of the SHA-256 of the file and the files with lists.
    pub hash: String,
    /// The texts it was made from.
    pub bundle: Bundle,
    /// `[server] name`. If it is missing, the caller fills in the computer's name.
    pub server: Option<Name>,
    /// The names of each domain.
    pub domains: Domains,
    /// Groups of users.
    pub groups: crate::rules::Groups,
    /// The rules.
    pub rules: Rules,
    /// Pools and reservations.
    pub addresses: Plan,
    /// How concurrent sessions are counted.
    pub reconnect: Reconnect,
    /// The time zone for hours and periods; UTC if nothing needs one.
    pub zone: TimeZone,
    /// The journal's folder, absolute.
    pub journal: PathBuf,
    /// The ledger's file, absolute.
    pub ledger: PathBuf,
    /// When a record must be on disk.
    pub durability: Durability,
    /// How long a callback may wait for other processes.
    pub deadline: Duration,
    /// Whether a connection is accepted that cannot be recorded.
    pub when_unrecorded: WhenUnrecorded,
    /// What the rasadmin service does.
    pub service: Service,
    /// How the dashboard is served.
    pub dashboard: Dashboard,
}

impl Config {
    /// The time zone, if the file names one.
    pub fn named_zone(&self) -> Option<&TimeZone> {
        read::names_zone(&self.bundle.text).then_some(&self.zone)
    }
}

/// A mistake in the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Its position in the file, in bytes.
    pub span: std::ops::Range<usize>,
    /// What is wrong.
    pub what: String,
    /// How to correct it.
    pub help: String,
}

impl Mistake {
    /// Makes a mistake at a position of the file. No message is long, whatever the file contains.
    pub fn at(span: std::ops::Range<usize>, what: impl Into<String>, help: impl Into<String>) -> Self {
        Self { span, what: fitting(what.into()), help: fitting(help.into()) }
    }
}
