//! Reads the logs that RRAS and NPS servers already write, as past sessions.
//!
//! A file is read as [`Record`]s ([`Reader`], which knows the three formats), and records are joined to sessions
//! ([`Joiner`]). [`read`] does both for several files. docs/logs.md describes what is taken from where.

mod attribute;
mod civil;
mod classes;
mod counts;
mod decoding;
mod detect;
mod dts;
mod fault;
mod files;
mod ias;
mod input;
mod item;
mod join;
mod key;
mod lines;
mod octets;
mod odbc;
mod open;
mod owner;
mod plain;
mod reader;
mod record;
mod remembered;
mod restarts;
mod sources;
mod summary;
mod usage;
mod xml_names;

pub use counts::LogCounts;
pub use detect::Format;
pub use fault::{Fault, Unreadable, UnreadableKind};
pub use files::{Progress, Reading, read};
pub use item::{LogItem, LogRefusal, LogRestart, LogSession};
pub use join::Joiner;
pub use key::key;
pub use reader::{Found, Reader};
pub use record::{Attribute, Record, TUNNELS, Unsettled, tunnel_number};
pub use sources::STANDARD_INPUT;
pub use summary::{FileSummary, Gap, SERVERS, ServerSummary, Summary};
pub(crate) use usage::known;
pub use xml_names::{escape, unescape};
