//! The configuration: one TOML file, read, checked and compiled.

mod check;
mod compile;
mod errors;
pub mod file;
mod hours;
mod keeping;
mod lists;
mod load;
mod loading;
mod notes;
mod on;
mod place;
mod pools;
mod read;
pub mod rules;
mod schema;
mod watch;
mod zone;

pub use errors::ConfigErrors;
pub use load::{Bundle, last_good};
pub use notes::Note;
pub use on::{On, load, on, parse, read, start};
pub use place::{NotFound, Places, find};
pub use schema::schema;
pub use watch::{A_LOOK, Change, Started, Trouble, Watch};
pub use zone::time_zone;

use crate::addresses::Plan;
use crate::rules::Rules;
use crate::{Domains, Name};
use file::{Durability, Reconnect, WhenUnrecorded};
use jiff::tz::TimeZone;
use std::path::PathBuf;
use std::time::Duration;

/// A configuration that is valid, compiled for use.
#[derive(Debug)]
pub struct Config {
    /// The first 16 hexadecimal digits of the SHA-256 of the file and the members files: which configuration decided.
    pub hash: String,
    /// The texts it was made of.
    pub bundle: Bundle,
    /// `[server] name`; the computer's name is the caller's to fill in.
    pub server: Option<Name>,
    /// Which names mean which domain.
    pub domains: Domains,
    /// Groups of users.
    pub groups: crate::rules::Groups,
    /// The rules.
    pub rules: Rules,
    /// Pools and reservations.
    pub addresses: Plan,
    /// How concurrent sessions are counted.
    pub reconnect: Reconnect,
    /// The time zone of hours and periods; UTC if nothing needs one.
    pub zone: TimeZone,
    /// The journal's folder, absolute.
    pub journal: PathBuf,
    /// The ledger's file, absolute.
    pub ledger: PathBuf,
    /// When is a record on disk?
    pub durability: Durability,
    /// How long a callback may wait for other processes.
    pub deadline: Duration,
    /// May a connection stand that cannot be recorded?
    pub when_unrecorded: WhenUnrecorded,
}

impl Config {
    /// The time zone, if the file names one: whoever has no right to guess asks for this one.
    pub fn named_zone(&self) -> Option<&TimeZone> {
        read::names_zone(&self.bundle.text).then_some(&self.zone)
    }
}

/// A fault of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Where in the file, in bytes.
    pub span: std::ops::Range<usize>,
    /// What is wrong.
    pub what: String,
    /// What would be right.
    pub help: String,
}

impl Mistake {
    /// A fault at a place of the file.
    pub fn at(span: std::ops::Range<usize>, what: impl Into<String>, help: impl Into<String>) -> Self {
        Self { span, what: what.into(), help: help.into() }
    }
}
