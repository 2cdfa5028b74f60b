//! Sessions of the past: from the ledger, a trace, or the logs that an RRAS or NPS server already has; and what a
//! configuration would have made of them.
#![forbid(unsafe_code)]

mod causes;
pub mod export;
pub mod import;
pub mod logs;
mod session;
pub mod whatif;

pub use causes::{cause_name, cause_number};
pub use session::{Ended, PastSession};
