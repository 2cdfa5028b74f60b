//! Past sessions: read from the ledger, from a trace, or from the logs that RRAS and NPS servers already write;
//! exported to other programs; and simulated with another configuration.
#![forbid(unsafe_code)]

mod causes;
pub mod export;
pub mod import;
pub mod logs;
mod reasons;
mod session;
pub mod simulate;

pub use causes::{cause_name, cause_number};
pub use reasons::reason;
pub use session::{Ended, PastSession};
