//! Sessions of the past: from the ledger, a trace, or the logs that an RRAS or NPS server already has; and what a
//! configuration would have made of them.
#![forbid(unsafe_code)]

pub mod logs;
mod session;

pub use session::{Ended, PastSession};
