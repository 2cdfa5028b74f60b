//! The ledger of the rasadmin product: every decision, lease, session and link, and what was used, in a database that
//! is made of the journal's records.
//!
//! The DLL writes to the journal, never to the ledger. A program that reads the ledger brings it up to date first:
//! [`Sqlite::ingest`](sqlite::Sqlite::ingest) reads what the journal has gained since the last time and writes its
//! rows. [`report`] reads them, [`upkeep`] copies a ledger, and purges or anonymises one that has no journal.
#![forbid(unsafe_code)]

// The tests' scenes name the crate as others do.
#[cfg(test)]
extern crate self as rasadmin_ledger;

mod error;
mod forget;
pub mod imported;
pub mod ingest;
mod project;
mod queries;
pub mod report;
pub mod sqlite;
#[cfg(test)]
mod tests;
pub mod upkeep;
mod value;

pub use error::{Error, ErrorKind};
pub use forget::{ForgetCounts, ForgetScope};

/// A row's number, for people: what they type as in `--session 7`.
pub type RowId = i64;
