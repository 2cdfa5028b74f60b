//! Reads the logs that RRAS and NPS servers already write, as past sessions.
//!
//! A file is read as [`Record`]s ([`Reader`], which knows the three formats), and records are joined to sessions
//! ([`Joiner`]). [`read`] does both for several files. docs/logs.md describes what is taken from where.

mod civil;
mod classes;
mod detect;
mod dts;
mod fault;
mod files;
mod ias;
mod input;
mod join;
mod key;
mod lines;
mod odbc;
mod reader;
mod record;
mod sources;
mod summary;
mod xml_names;

pub use detect::Format;
pub use fault::{Fault, Unreadable};
pub use files::{Progress, Reading, read};
pub use join::{Joiner, LogCounts, LogSession};
pub use key::key;
pub use reader::{Found, Reader};
pub use record::{Attribute, Record, TUNNELS, tunnel_number};
pub use sources::STANDARD_INPUT;
pub use summary::{FileSummary, Gap, SERVERS, ServerSummary, Summary};
pub use xml_names::{escape, unescape};
