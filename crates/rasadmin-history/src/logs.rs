//! The logs that an RRAS or NPS server already has: read as sessions of the past.
//!
//! A file becomes [`Record`]s ([`Reader`], which knows the three formats), and records become sessions ([`Joiner`]).
//! [`read`] does both for several files. docs/logs.md says what is taken from where.

mod civil;
mod classes;
mod detect;
mod dts;
mod fault;
mod ias;
mod join;
mod key;
mod lines;
mod names;
mod odbc;
mod reader;
mod record;
mod several;

pub use detect::Format;
pub use fault::{Fault, Unreadable};
pub use join::{Counts, Joiner, LogSession};
pub use key::key;
pub use names::{escape, unescape};
pub use reader::{Found, Reader};
pub use record::{Attribute, Record, TUNNELS, tunnel_number};
pub use several::{Progress, Summary, read};
