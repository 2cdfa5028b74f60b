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
mod join;
mod key;
mod lines;
mod octets;
mod odbc;
mod reader;
mod record;
mod xml_names;

pub use detect::Format;
pub use fault::{Fault, Unreadable};
pub use files::{Progress, Summary, read};
pub use join::{Joiner, LogCounts, LogItem, LogRefusal, LogSession};
pub use key::key;
pub use reader::{Found, Reader};
pub use record::{Attribute, Record, TUNNELS, tunnel_number};
pub use xml_names::{escape, unescape};
