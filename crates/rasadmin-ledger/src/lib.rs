//! The ledger of the rasadmin product: every decision, lease, session and link, and what was used, in a database that is
//! made of the engine's records.
//!
//! [`sqlite`] keeps the records and their projection in one file; [`Engine`] is the engine with that ledger behind it, as
//! the DLL calls it; [`report`] reads, and [`desk`] is what an administrator changes.
#![forbid(unsafe_code)]

mod anonymous;
pub mod desk;
mod driver;
pub mod history;
pub mod instance;
pub mod report;
pub mod spool;
pub mod sqlite;
#[cfg(feature = "torture")]
pub mod torture;

pub use driver::{Assigned, Engine, Health, Verdict};
pub use instance::random;
pub use rasadmin_engine::{Away, AwayKind};

/// A row's number, for people: what they type as in `--session 7`.
pub type RowId = i64;
