//! The ledger: a database with every decision, lease, session and link, and what each user used. It is made from the
//! journal's records.
//!
//! The DLL writes to the journal, never to the ledger. A program that reads the ledger updates it first:
//! [`Sqlite::ingest`](sqlite::Sqlite::ingest) reads the journal's new records and writes their rows. [`report`] reads
//! them. [`upkeep`] copies a ledger, and purges or anonymises one that has no journal.
#![forbid(unsafe_code)]

// Shared test support refers to this crate by its name.
#[cfg(test)]
extern crate self as rasadmin_ledger;

mod coverage;
mod error;
mod expire;
mod forget;
pub mod imported;
pub mod ingest;
pub mod interrupt;
mod octets;
mod project;
mod queries;
pub mod report;
pub mod sqlite;
#[cfg(test)]
mod tests;
pub mod upkeep;
mod value;

pub use error::{Error, ErrorKind};
pub use expire::{Expiry, Keep};
pub use forget::{ForgetCounts, ForgetScope};
pub use octets::{MOST_SAMPLES, OctetsSample};

/// The number of a row, which users can type: `--session 7`.
pub type RowId = i64;
